// Sponsored operations through Pimlico's bundler alto on anvil: an open load that is raised step by step, everything signed
// beforehand, as scripts/bench-relayer does with the relayer. Each operation is one empty call of a simple account of its
// own, paid by a verifying paymaster.
//   node bench.mjs ANVIL [RATES] [SECONDS]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import {
  concat, createPublicClient, createWalletClient, encodeAbiParameters, encodeDeployData, encodeFunctionData, http, keccak256,
  pad, parseAbi, parseEther, toEventSelector, toHex,
} from "viem";
import { getUserOperationHash } from "viem/account-abstraction";
import { privateKeyToAccount } from "viem/accounts";

const [anvilPath, rateList = "25,50,75,100,125,150", secondsText = "15"] = process.argv.slice(2);
const rates = rateList.split(",").map(Number);
const seconds = Number(secondsText);
// Where bundlers expect the entry point of version 0.7.
const entryPoint = "0x0000000071727De22E5E9d8BAf0edAc6f37da032";
const keys = [
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
  "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
  "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
];
const folder = dirname(createRequire(import.meta.url).resolve("@account-abstraction/contracts/package.json"));
const artifact = (name) => JSON.parse(readFileSync(join(folder, "artifacts", `${name}.json`), "utf8"));
const alto = createRequire(import.meta.url).resolve("@pimlico/alto").replace(/esm\/.*$/, "esm/cli/alto.js");
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
const children = [];
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

function processorSeconds(id) {
  const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

// --- The ground: chain, contracts, accounts ---
const anvilPort = await freePort();
const rpcUrl = `http://127.0.0.1:${anvilPort}`;
const anvil = spawn(anvilPath, [
  "--port", String(anvilPort), "--chain-id", "31337", "--hardfork", "osaka", "--enable-tx-gas-limit", "--quiet",
  "--gas-limit", "400000000", "--no-request-size-limit",
], { stdio: "ignore" });
children.push(anvil);
const transport = http(rpcUrl, { timeout: 60_000 });
const client = createPublicClient({ transport, pollingInterval: 20 });
const rpc = (method, params) => client.request({ method, params });
for (let tries = 0; ; tries++) {
  try { await rpc("eth_chainId", []); break; } catch (error) { if (tries > 200) throw error; await sleep(50); }
}
const staff = createWalletClient({ account: privateKeyToAccount(keys[0]), transport });
const chain = { chain: null };
async function deploy(name, args = []) {
  const { abi, bytecode } = artifact(name);
  const data = encodeDeployData({ abi, bytecode, args });
  const hash = await staff.sendTransaction({ ...chain, data });
  return (await client.waitForTransactionReceipt({ hash })).contractAddress;
}
const original = await deploy("EntryPoint");
await rpc("anvil_setCode", [entryPoint, await client.getCode({ address: original })]);
const factory = await deploy("SimpleAccountFactory", [entryPoint]);
const sponsor = privateKeyToAccount(keys[1]);
const paymaster = await deploy("VerifyingPaymaster", [entryPoint, sponsor.address]);
const deposit = encodeFunctionData({ abi: parseAbi(["function depositTo(address) payable"]), args: [paymaster] });
await client.waitForTransactionReceipt({
  hash: await staff.sendTransaction({ ...chain, to: entryPoint, data: deposit, value: parseEther("1000") }),
});

const factoryAbi = parseAbi([
  "function createAccount(address,uint256) returns (address)", "function getAddress(address,uint256) view returns (address)",
]);
const callData = encodeFunctionData({
  abi: parseAbi(["function execute(address,uint256,bytes)"]), args: [sponsor.address, 0n, "0x"],
});
const word = (number, size) => pad(toHex(number), { size });
const gas = {
  verificationGasLimit: 100_000n, callGasLimit: 50_000n, preVerificationGas: 60_000n,
  paymasterVerificationGasLimit: 60_000n, paymasterPostOpGasLimit: 0n,
  maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 2_000_000_000n,
};
const owner = privateKeyToAccount(keys[2]);

async function operation(number) {
  const sender = await client.readContract({
    address: factory, abi: factoryAbi, functionName: "getAddress", args: [owner.address, BigInt(number)],
  });
  const accountGasLimits = concat([word(gas.verificationGasLimit, 16), word(gas.callGasLimit, 16)]);
  const gasFees = concat([word(gas.maxPriorityFeePerGas, 16), word(gas.maxFeePerGas, 16)]);
  const paymasterGas = concat([word(gas.paymasterVerificationGasLimit, 16), word(gas.paymasterPostOpGasLimit, 16)]);
  const until = 281474976710655;
  const types = ["address", "uint256", "bytes32", "bytes32", "bytes32", "uint256", "uint256", "bytes32", "uint256", "address",
    "uint48", "uint48"].map((type) => ({ type }));
  const approved = keccak256(encodeAbiParameters(types, [
    sender, 0n, keccak256("0x"), keccak256(callData), accountGasLimits, BigInt(paymasterGas), gas.preVerificationGas, gasFees,
    31337n, paymaster, until, 0,
  ]));
  const approval = await sponsor.signMessage({ message: { raw: approved } });
  const times = encodeAbiParameters([{ type: "uint48" }, { type: "uint48" }], [until, 0]);
  const own = { sender, nonce: 0n, callData, ...gas, paymaster, paymasterData: concat([times, approval]), signature: "0x" };
  const hash = getUserOperationHash({
    chainId: 31337, entryPointAddress: entryPoint, entryPointVersion: "0.7", userOperation: own,
  });
  own.signature = await owner.signMessage({ message: { raw: hash } });
  const texts = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [name, typeof value === "bigint" ? toHex(value) : value]),
  );
  return { sender, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendUserOperation", params: [texts, entryPoint] }) };
}

const total = Math.ceil(rates.reduce((sum, rate) => sum + rate, 0) * seconds);
console.error(`making ${total} accounts`);
await rpc("evm_setAutomine", [false]);
let nonce = await client.getTransactionCount({ address: staff.account.address });
for (let number = 0; number < total; number++) {
  const data = encodeFunctionData({ abi: factoryAbi, functionName: "createAccount", args: [owner.address, BigInt(number)] });
  await staff.sendTransaction({
    ...chain, to: factory, data, nonce: nonce++, gas: 400_000n, maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 1n, type: "eip1559",
  });
  if (number % 500 === 499) await rpc("evm_mine", []);
}
await rpc("evm_mine", []);
const operations = [];
for (let number = 0; number < total; number++) operations.push(await operation(number));
await rpc("evm_setIntervalMining", [1]);

// --- The bundler ---
const port = await freePort();
const bundler = spawn(process.execPath, [
  alto, "--entrypoints", entryPoint, "--rpc-url", rpcUrl, "--port", String(port), "--safe-mode", "false",
  "--executor-private-keys", keys.slice(1).join(","), "--utility-private-key", keys[0], "--block-time", "1000",
  "--max-gas-per-bundle", "16000000", "--mempool-pop-batch-size", process.env.ALTO_BATCH ?? "50", "--log-level", "error",
], { stdio: ["ignore", "ignore", "inherit"] });
children.push(bundler);
const url = `http://127.0.0.1:${port}`;
async function call(body) {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  return response.json();
}
for (let tries = 0; ; tries++) {
  try {
    const answer = await call(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_supportedEntryPoints", params: [] }));
    if (answer.result) break;
  } catch (error) { if (tries > 600) throw error; }
  await sleep(100);
}

// --- The load ---
const percentile = (values, part) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
};
const event = toEventSelector("UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)");
const seen = new Map();
let head = Number(await client.getBlockNumber({ cacheTime: 0 }));
let watching = true;
const watch = (async () => {
  while (watching) {
    const now = Number(await client.getBlockNumber({ cacheTime: 0 }));
    for (; head < now; head++) seen.set(head + 1, Date.now());
    await sleep(20);
  }
})();
console.log("| offered /s | accepted | refused | included /s | accept p50 / p99 ms | inclusion p50 / p99 ms | queue | gas each | CPU s for 1,000: alto, anvil |");
console.log("|---|---|---|---|---|---|---|---|---|");
let next = 0;
for (const rate of rates) {
  const own = operations.slice(next, (next += Math.floor(rate * seconds)));
  const firstBlock = head + 1;
  const cpu = [processorSeconds(bundler.pid), processorSeconds(anvil.pid)];
  const start = Date.now() + 200;
  const accepted = new Map();
  const waits = [];
  let refused = 0;
  await Promise.all(own.map(async ({ sender, body }, index) => {
    const due = start + (index * 1000) / rate;
    await sleep(due - Date.now());
    const answer = await call(body).catch((error) => ({ error: { message: String(error) } }));
    waits.push(Date.now() - due);
    if (answer.result) accepted.set(sender.toLowerCase(), Date.now());
    else if (++refused === 1) console.error("refused:", JSON.stringify(answer.error));
  }));
  const placed = new Map();
  let gasUsed = 0n;
  const deadline = Date.now() + 60_000;
  let from = firstBlock;
  while (placed.size < accepted.size && Date.now() < deadline) {
    await sleep(500);
    const to = head;
    if (to < from) continue;
    const logs = await rpc("eth_getLogs", [{ address: entryPoint, topics: [event], fromBlock: toHex(from), toBlock: toHex(to) }]);
    from = to + 1;
    for (const log of logs) placed.set(`0x${log.topics[2].slice(26)}`, Number(log.blockNumber));
    for (const hash of new Set(logs.map((log) => log.transactionHash))) {
      gasUsed += (await client.getTransactionReceipt({ hash })).gasUsed;
    }
  }
  const inclusion = [...placed].filter(([sender]) => accepted.has(sender)).map(([sender, block]) => seen.get(block) - accepted.get(sender));
  const last = Math.max(...[...placed.values()].map((block) => seen.get(block)));
  const later = inclusion.slice(-Math.ceil(inclusion.length / 3));
  const isFlat = refused === 0 && placed.size === accepted.size && percentile(later, 0.5) < 5_000;
  const used = [processorSeconds(bundler.pid) - cpu[0], processorSeconds(anvil.pid) - cpu[1]];
  const count = Math.max(1, placed.size);
  console.log(
    `| ${rate} | ${accepted.size} | ${refused} | ${((placed.size * 1000) / (last - start)).toFixed(0)} ` +
    `| ${percentile(waits, 0.5).toFixed(0)} / ${percentile(waits, 0.99).toFixed(0)} ` +
    `| ${percentile(inclusion, 0.5).toFixed(0)} / ${percentile(inclusion, 0.99).toFixed(0)} | ${isFlat ? "flat" : "grows"} ` +
    `| ${Number(gasUsed / BigInt(count))} | ${used.map((s) => ((s * 1000) / count).toFixed(1)).join(", ")} |`,
  );
  if (!isFlat) break;
}
watching = false;
await watch;
process.exit(0);
