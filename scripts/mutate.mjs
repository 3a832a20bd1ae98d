// Runs mutants of the contracts against the tests: see scripts/mutate.
//
// A mutant is compiled in this process and its code put in place of the original's in forge's output, so that no test has to be
// compiled again: the tests create contracts from that output (`dynamic_test_linking`). First the contract's own unit tests run,
// then, if it lives, all of them.
import { createHash } from "node:crypto";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const work = ".kopilka/mutate";
const tree = `${work}/tree`;
const page = "docs/mutants.md";
const threshold = 0.9;
const everything = "contracts/test/{unit,integration}/**";

// Most money at stake first.
const order = ["BudgetToken", "BudgetRound", "AllocationBatch", "BlindCredential", "CitizenRecord", "InitiativeWallet", "IssuerKey", "IssuerKeys", "Municipalities"];

const read = (file) => readFileSync(file, "utf8");
const hash = (text) => createHash("sha256").update(text).digest("hex");

// ---------------------------------------------------------------------------------------------------
// Sources
// ---------------------------------------------------------------------------------------------------

function files(folder) {
  return readdirSync(`${tree}/${folder}`, { recursive: true })
    .filter((name) => name.endsWith(".sol"))
    .map((name) => `${folder}/${name}`);
}

/** Files that a file imports, directly or not, itself included. */
function closure(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(`${tree}/${file}`)) return seen;
  seen.add(file);
  for (const [, target] of read(`${tree}/${file}`).matchAll(/from "(\.[^"]+)"/g)) {
    closure(path.posix.join(path.posix.dirname(file), target), seen);
  }
  return seen;
}

/** Contracts (not libraries, interfaces or abstract ones) of a file. */
const contractsOf = (file) => [...read(`${tree}/${file}`).matchAll(/^contract (\w+)/gm)].map((match) => match[1]);

function targets(names) {
  const all = new Map();
  for (const file of files("contracts/src")) {
    if (!/\/(interfaces|mocks)\//.test(file)) all.set(path.basename(file, ".sol"), file);
  }
  for (const name of names) {
    if (!all.has(name)) throw new Error(`mutate: no contract ${name}; there are ${[...all.keys()].join(", ")}`);
  }
  const rank = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  const wanted = names.length > 0 ? names : [...all.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return wanted.map((name) => ({ name, file: all.get(name) }));
}

// ---------------------------------------------------------------------------------------------------
// Compiling, and putting the code in place
// ---------------------------------------------------------------------------------------------------

let solc;

/** Bytecode of the units, with `file` replaced by `source`; an error is returned as text. */
function compile(units, file, source, optimized = false) {
  solc ??= require("solc");
  const outputSelection = {};
  const fields = ["evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"];
  for (const { file: unit, contract } of units) (outputSelection[unit] ??= {})[contract] = fields;
  const content = (name) => (name === file ? source : read(path.resolve(tree, name)));
  const sources = Object.fromEntries([...new Set(units.map((unit) => unit.file))].map((name) => [name, { content: content(name) }]));
  const input = {
    language: "Solidity",
    sources,
    settings: {
      viaIR: true,
      evmVersion: "osaka",
      optimizer: { enabled: optimized, runs: 800 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      remappings: ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
      outputSelection,
    },
  };
  const find = (name) => {
    try {
      return { contents: content(name) };
    } catch {
      return { error: `not found: ${name}` };
    }
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  const error = (output.errors ?? []).find((one) => one.severity === "error");
  if (error) return { error: error.formattedMessage };
  return { code: units.map(({ file: unit, contract }) => output.contracts[unit][contract].evm) };
}

const codeOf = (code) => code.map((evm) => evm.bytecode.object).join(",");

const out = `${tree}/contracts/out`;

function install(units, code) {
  units.forEach(({ file, contract }, index) => {
    const artifact = `${out}/${path.basename(file)}/${contract}.json`;
    copyFileSync(artifact, `${artifact}.original`);
    const content = JSON.parse(read(artifact));
    content.bytecode.object = `0x${code[index].bytecode.object}`;
    content.deployedBytecode.object = `0x${code[index].deployedBytecode.object}`;
    content.deployedBytecode.immutableReferences = code[index].deployedBytecode.immutableReferences;
    writeFileSync(artifact, JSON.stringify(content));
  });
}

/** Puts back what `install` replaced, also in a run that was interrupted. */
function restore() {
  for (const name of readdirSync(out, { recursive: true })) {
    if (name.endsWith(".json.original")) renameSync(`${out}/${name}`, `${out}/${name.replace(".original", "")}`);
  }
}

// Longest time for the tests; a mutant may run for ever, the original may not.
let patience = 1_200_000;

/** The name of the first failing test, or undefined if all pass. */
function failing(pattern) {
  const forge = path.resolve("node_modules/@foundry-rs/forge-linux-amd64/bin/forge");
  // Code that is not optimized is larger and dearer: what bounds its size and the gas of batches is left out.
  const args = ["test", "--fail-fast", "--match-path", pattern, "--no-match-test", "SizeLimit", "--no-match-contract", "^Bad"];
  const options = { cwd: tree, encoding: "utf8", timeout: patience, maxBuffer: 1 << 28 };
  const result = spawnSync(forge, args, { ...options, env: { ...process.env, FOUNDRY_PROFILE: "mutate" } });
  if (result.error?.code === "ETIMEDOUT") return `took longer than ${patience / 1000} s`;
  if (result.status === 0) return undefined;
  const failure = /\[FAIL[^\n]*\] (\w+)\(/.exec(result.stdout);
  if (!failure) throw new Error(`mutate: forge did not run:\n${result.stdout}\n${result.stderr}`);
  return failure[1];
}

// ---------------------------------------------------------------------------------------------------
// Mutants
// ---------------------------------------------------------------------------------------------------

function mutantsOf({ file }) {
  const python = path.resolve(".kopilka/contract-tools/bin/python");
  const bin = path.resolve("node_modules/@foundry-rs/forge-linux-amd64/bin");
  const result = spawnSync(python, [path.resolve("scripts/mutants.py"), ".", "mutants/out", file], {
    cwd: tree,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  if (result.status !== 0) throw new Error(result.stderr);
  const warning = result.stderr.split("\n").filter((line) => line.startsWith("mutants: "));
  if (warning.length > 0) console.error(warning.join("\n"));
  const source = readFileSync(`${tree}/${file}`);
  if (result.stdout === "") throw new Error(`mutate: no mutants of ${file}`);
  return result.stdout
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const mutant = JSON.parse(line);
      const mutated = Buffer.concat([source.subarray(0, mutant.start), Buffer.from(mutant.new), source.subarray(mutant.end)]);
      return { ...mutant, source: mutated.toString("utf8"), key: hash(mutated) };
    });
}

/** The lines that differ, before and after. */
function change(before, after) {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && a[head] === b[head]) ++head;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) ++tail;
  const join = (lines) => lines.slice(head, lines.length - tail).map((line) => line.trim()).join(" ");
  return { was: join(a), becomes: join(b) };
}

const resultsOf = (name) => `${work}/${name}.jsonl`;

function known(name) {
  const results = new Map();
  if (!existsSync(resultsOf(name))) return results;
  for (const line of read(resultsOf(name)).split("\n").filter(Boolean)) {
    const result = JSON.parse(line);
    results.set(result.key, result);
  }
  return results;
}

function run(target, { sample, seed }) {
  const { name, file } = target;
  const original = read(`${tree}/${file}`);
  const importers = files("contracts/src").filter((one) => closure(one).has(file));
  const units = importers.flatMap((unit) => contractsOf(unit).map((contract) => ({ file: unit, contract })));
  const own = units.filter((unit) => unit.file === file);
  const near = own.length > 0 ? own : units.filter((unit) => unit.file.includes("/mocks/"));
  const stages = [{ units: near, tests: `contracts/test/unit/${name}.*` }];
  stages.push({ units, tests: everything });
  for (const stage of stages) if (stage.units.length === 0) stage.units = units;
  // The original's code, and that of every mutant tried, is compiled when it is first needed.
  const prepare = (stage) => {
    if (stage.seen) return;
    const { code, error } = compile(stage.units, file, original);
    if (error) throw new Error(error);
    stage.seen = new Set([codeOf(code)]);
  };
  const hasOwnTests = files("contracts/test/unit").some((one) => path.basename(one).startsWith(`${name}.`));

  const all = mutantsOf(target).sort((a, b) => hash(seed + a.key).localeCompare(hash(seed + b.key)));
  writeFileSync(`${work}/${name}.count.json`, JSON.stringify({ file, mutants: all.length, source: hash(original), keys: all.map((one) => one.key) }));
  const results = known(name);
  let counted = 0;
  for (const mutant of all) {
    if (counted >= sample) break;
    const before = results.get(mutant.key);
    if (before && before.status !== "survived") {
      if (before.status === "killed") ++counted;
      continue;
    }
    const { was, becomes } = change(original, mutant.source);
    const record = { key: mutant.key, operator: mutant.operator, line: mutant.line, was, becomes };
    const finish = (status, by) => {
      if (status === "killed" || status === "survived") ++counted;
      appendFileSync(resultsOf(name), `${JSON.stringify({ ...record, status, by })}\n`);
      if (status === "survived") console.log(`${name}: lives: ${mutant.operator} line ${mutant.line}: \`${was}\` → \`${becomes}\``);
    };
    let status = "survived";
    let by;
    for (const stage of hasOwnTests ? stages : stages.slice(1)) {
      prepare(stage);
      const { code, error } = compile(stage.units, file, mutant.source);
      if (error) status = "invalid";
      else if (stage.seen.has(codeOf(code)) && stage !== stages[1]) status = "same code";
      else if (stage.seen.has(codeOf(code)) && !hasOwnTests) status = "same code";
      if (status !== "survived") break;
      stage.seen.add(codeOf(code));
      install(stage.units, code);
      by = failing(stage.tests);
      restore();
      if (by) {
        status = "killed";
        break;
      }
    }
    // A change that the optimizer undoes is none.
    if (status === "survived") {
      stages[1].optimized ??= codeOf(compile(units, file, original, true).code);
      if (codeOf(compile(units, file, mutant.source, true).code) === stages[1].optimized) status = "same code";
    }
    finish(status, by);
  }
}

// ---------------------------------------------------------------------------------------------------
// Report
// ---------------------------------------------------------------------------------------------------

function report() {
  const explained = existsSync(page) ? read(page) : "";
  const rows = [];
  const unexplained = [];
  let failed = false;
  const counts = readdirSync(work).filter((name) => name.endsWith(".count.json"));
  for (const name of counts.map((one) => one.replace(".count.json", "")).sort()) {
    const { mutants, keys } = JSON.parse(read(`${work}/${name}.count.json`));
    const results = known(name);
    const tried = keys.filter((key) => results.has(key)).map((key) => results.get(key));
    const count = (status) => tried.filter((one) => one.status === status).length;
    const survivors = tried.filter((one) => one.status === "survived");
    const killed = count("killed");
    const reasoned = survivors.filter((one) => explained.includes(`\`${one.was}\` → \`${one.becomes}\``));
    for (const one of survivors) {
      if (!reasoned.includes(one)) unexplained.push(`${name}:${one.line} ${one.operator} \`${one.was}\` → \`${one.becomes}\``);
    }
    const percent = (part, whole) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
    const lasting = killed + survivors.length - reasoned.length;
    if (killed < threshold * lasting) failed = true;
    const cells = [name, mutants, tried.length, count("invalid"), count("same code"), killed, survivors.length, reasoned.length];
    cells.push(percent(killed, killed + survivors.length), percent(killed, lasting));
    rows.push(`| ${cells.join(" | ")} |`);
  }
  console.log("| contract | mutants | tried | do not compile | same code | killed | live | of these without effect | killed | killed of those with effect |");
  console.log("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
  console.log(rows.join("\n"));
  if (unexplained.length > 0) console.log(`\n${unexplained.length} survivors without a reason in ${page}:\n${unexplained.join("\n")}`);
  return failed || unexplained.length > 0 ? 1 : 0;
}

const args = process.argv.slice(2);
const options = { sample: 150, seed: "kopilka" };
const names = [];
let only = false;
while (args.length > 0) {
  const arg = args.shift();
  if (arg === "--all") options.sample = Infinity;
  else if (arg === "--sample") options.sample = Number(args.shift());
  else if (arg === "--seed") options.seed = args.shift();
  else if (arg === "--report") only = true;
  else names.push(arg);
}
mkdirSync(work, { recursive: true });
if (!only) {
  restore();
  const began = Date.now();
  const broken = failing(everything);
  if (broken) throw new Error(`mutate: ${broken} fails on the contracts as they are`);
  patience = Math.max(60_000, 5 * (Date.now() - began));
  for (const target of targets(names)) run(target, options);
}
process.exit(report());
