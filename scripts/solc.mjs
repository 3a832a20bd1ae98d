// Answers `--version` and `--standard-json` with the solc of the pinned npm package. It has one thread, so a large question is
// divided among as many processes as there are processors: each reads all sources and writes the code of some of them.
import { spawn } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const args = process.argv.slice(2);
// Below this a process costs more than it saves: reading all sources takes as long as writing the code of about so many.
const filesForEach = 10;

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

const solc = () => createRequire(import.meta.url)("solc");

function compile(question) {
  const base = args.includes("--base-path") ? args[args.indexOf("--base-path") + 1] : process.cwd();
  const find = (file) => {
    try {
      return { contents: readFileSync(path.resolve(base, file), "utf8") };
    } catch {
      return { error: `not found: ${file}` };
    }
  };
  return solc().compile(question, { import: find });
}

/** The files of which output is wanted, in `count` parts of about the same length of source. */
function parts(input, count) {
  const length = (file) => input.sources[file]?.content?.length ?? 0;
  const files = Object.keys(input.settings.outputSelection).sort((a, b) => length(b) - length(a));
  const groups = Array.from({ length: count }, () => ({ length: 0, files: [] }));
  for (const file of files) {
    const group = groups.reduce((least, one) => (one.length < least.length ? one : least));
    group.length += length(file);
    group.files.push(file);
  }
  return groups.map((group) => Object.fromEntries(group.files.map((file) => [file, input.settings.outputSelection[file]])));
}

function askProcess(question) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1), "--whole"], { stdio: ["pipe", "pipe", "inherit"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(Buffer.concat(chunks).toString("utf8")) : reject(new Error(`solc: ended with ${code}`))));
    child.stdin.end(question);
  });
}

/** One answer of several: each has the contracts it was asked for, and all sources, of its own ones with their tree. */
function merge(answers) {
  const whole = { errors: [], sources: {}, contracts: {} };
  const said = new Set();
  for (const answer of answers) {
    for (const error of answer.errors ?? []) {
      const key = JSON.stringify(error);
      if (!said.has(key)) whole.errors.push(error);
      said.add(key);
    }
    for (const [file, source] of Object.entries(answer.sources ?? {})) whole.sources[file] = { ...whole.sources[file], ...source };
    Object.assign(whole.contracts, answer.contracts);
  }
  if (whole.errors.length === 0) delete whole.errors;
  return whole;
}

async function answer(question) {
  const input = JSON.parse(question);
  const selection = input.settings?.outputSelection ?? {};
  const files = Object.keys(selection).length;
  const count = Math.min(os.availableParallelism(), Math.floor(files / filesForEach));
  if (args.includes("--whole") || count < 2 || "*" in selection) return compile(question);
  const questions = parts(input, count).map((part) => JSON.stringify({ ...input, settings: { ...input.settings, outputSelection: part } }));
  const answers = await Promise.all(questions.map(askProcess));
  return JSON.stringify(merge(answers.map((text) => JSON.parse(text))));
}

if (args.includes("--version")) {
  print(`solc, the solidity compiler commandline interface\nVersion: ${solc().version().replace(".Emscripten.clang", ".Linux.g++")}\n`);
} else if (args.includes("--standard-json")) {
  print(await answer(readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc: only --version and --standard-json are offered here\n");
  process.exit(1);
}
