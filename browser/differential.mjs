// Lets @noble/curves judge the cases that the contracts and blst have judged (scripts/differential writes them).

import { build } from "esbuild";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const cases = process.argv[2];
if (cases === undefined) {
    console.error("usage: node browser/differential.mjs CASES.json");
    process.exit(2);
}
const here = fileURLToPath(new URL(".", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "kopilka-differential-"));
try {
    const outfile = join(folder, "differential.mjs");
    await build({
        entryPoints: [join(here, "test", "differential.ts")],
        outfile,
        bundle: true,
        format: "esm",
        platform: "node",
        target: ["node20"],
        logLevel: "warning",
    });
    const { judge } = await import(pathToFileURL(outfile).href);
    process.exitCode = (await judge(cases)) ? 0 : 1;
} finally {
    await rm(folder, { recursive: true, force: true });
}
