// Writes the tables of docs/gas.md, between its markers, from contracts/snapshots; with --check compares.
import { readFileSync, writeFileSync } from "node:fs";

const page = "docs/gas.md";
const before = readFileSync(page, "utf8");
const after = before.replace(/<!-- (\w+) -->\n[^]*?<!-- end -->/g, (_, group) => {
  const values = JSON.parse(readFileSync(`contracts/snapshots/${group}.json`, "utf8"));
  const rows = Object.entries(values)
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([name, gas]) => `| ${name} | ${Number(gas).toLocaleString("en-US")} |`);
  return [`<!-- ${group} -->`, `| ${group} | gas |`, "|---|---:|", ...rows, "<!-- end -->"].join("\n");
});
if (process.argv.includes("--check")) {
  if (before !== after) {
    console.error(`${page} differs from contracts/snapshots. Run scripts/gas and commit the result.`);
    process.exit(1);
  }
} else writeFileSync(page, after);
