// Answers `--version` and `--standard-json` with the solc of the pinned npm package.
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const solc = require("solc");
const args = process.argv.slice(2);

const print = (text) => {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
};

if (args.includes("--version")) {
  print(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace(".Emscripten.clang", ".Linux.g++")}\n`);
} else if (args.includes("--standard-json")) {
  const base = args.includes("--base-path") ? args[args.indexOf("--base-path") + 1] : process.cwd();
  const find = (file) => {
    try {
      return { contents: readFileSync(path.resolve(base, file), "utf8") };
    } catch {
      return { error: `not found: ${file}` };
    }
  };
  print(solc.compile(readFileSync(0, "utf8"), { import: find }));
} else {
  process.stderr.write("solc: only --version and --standard-json are offered here\n");
  process.exit(1);
}
