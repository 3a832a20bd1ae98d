// Creates a fresh database on the given server, applies all migrations in order and prints its URL.
import { readdirSync, readFileSync } from "node:fs";
import pg from "pg";

const server = new URL(process.argv[2]);
const name = `prepare_${process.pid}_${Date.now()}`;
const run = async (url, statements) => {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
};
await run(server, [`create database ${name}`]);
const url = new URL(server);
url.pathname = `/${name}`;
const folder = "crates/store/migrations";
for (const file of readdirSync(folder).filter((f) => f.endsWith(".sql")).sort()) {
  try {
    await run(url, [readFileSync(`${folder}/${file}`, "utf8")]);
  } catch (error) {
    console.error(`${folder}/${file}: ${error.message}`);
    process.exit(1);
  }
}
console.log(url.href);
