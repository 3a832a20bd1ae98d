// Writes abi/<Contract>.json and the harness of the differential tests from forge's artifacts, or with --check compares.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const contracts = [
  "Municipalities",
  "IssuerKeys",
  "BudgetToken",
  "BudgetRound",
  "BudgetRounds",
  "Milestones",
  "Polls",
  "RewardPoints",
  "RewardShop",
  "Anchors",
];
// The compiler's own keys are numbers of syntax nodes, which differ from one compilation to the next.
const numbered = (references) =>
  Object.fromEntries(
    Object.values(references)
      .sort((a, b) => a[0].start - b[0].start)
      .map((positions, index) => [index, positions]),
  );

const check = process.argv.includes("--check");
mkdirSync("abi", { recursive: true });
const drifted = [];
for (const name of contracts) {
  const artifact = `contracts/out/${name}.sol/${name}.json`;
  const { abi, bytecode, deployedBytecode } = JSON.parse(readFileSync(artifact, "utf8"));
  const text = `${JSON.stringify(
    {
      contractName: name,
      abi,
      bytecode: bytecode.object,
      deployedBytecode: deployedBytecode.object,
      immutableReferences: numbered(deployedBytecode.immutableReferences ?? {}),
    },
    null,
    1,
  )}\n`;
  const file = `abi/${name}.json`;
  if (check) {
    if (!existsSync(file) || readFileSync(file, "utf8") !== text) drifted.push(file);
  } else writeFileSync(file, text);
}
for (const file of readdirSync("abi")) {
  if (contracts.includes(file.replace(/\.json$/, ""))) continue;
  if (check) drifted.push(`abi/${file}`);
  else rmSync(`abi/${file}`);
}
// What the differential tests ask: the credential libraries behind external functions, the code of a mock and not of a contract.
const harness = "crates/credential/tests/differential/CredentialHarness.json";
const { deployedBytecode } = JSON.parse(readFileSync("contracts/out/CredentialHarness.sol/CredentialHarness.json", "utf8"));
const harnessText = `${JSON.stringify({ contractName: "CredentialHarness", deployedBytecode: deployedBytecode.object }, null, 1)}\n`;
if (!check) writeFileSync(harness, harnessText);
else if (!existsSync(harness) || readFileSync(harness, "utf8") !== harnessText) drifted.push(harness);
if (drifted.length) {
  console.error(`Generated files differ from the contracts: ${drifted.join(", ")}. Run scripts/abi and commit the result.`);
  process.exit(1);
}
