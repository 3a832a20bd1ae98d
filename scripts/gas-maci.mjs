#!/usr/bin/env node
// What a vote costs in MACI: its own compiled contracts (npm's maci-contracts) on anvil, measured from receipts.
// scripts/gas-maci.mjs   downloads the package into .kopilka/peers first; the figures stand in docs/gas.md
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ContractFactory, JsonRpcProvider, Wallet, dataSlice, getAddress, keccak256, toBeHex, toBigInt } from "ethers";

const VERSION = "2.5.0";
const MESSAGES = 100;
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const folder = path.join(root, ".kopilka/peers");
const artifacts = path.join(folder, "package/build/artifacts/contracts");

if (!existsSync(artifacts)) {
    mkdirSync(folder, { recursive: true });
    const packed = execFileSync("npm", ["pack", "--silent", `maci-contracts@${VERSION}`], { cwd: folder, encoding: "utf8" }).trim();
    execFileSync("tar", ["xzf", packed], { cwd: folder });
}

/** The compiled contract of a name, wherever its file is. */
function artifact(name) {
    const file = readdirSync(artifacts, { recursive: true }).find((entry) => path.basename(entry) === `${name}.json`);
    return JSON.parse(readFileSync(path.join(artifacts, file), "utf8"));
}

const anvil = spawn(path.join(root, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"), ["--port", "0", "--enable-tx-gas-limit"]);
try {
    const url = await new Promise((resolve, reject) => {
        let said = "";
        anvil.stdout.on("data", (chunk) => {
            said += chunk;
            const port = /Listening on (\S+)/.exec(said);
            if (port) resolve(`http://${port[1]}`);
        });
        anvil.on("exit", () => reject(new Error(`anvil ended: ${said}`)));
    });
    const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
    const wallet = new Wallet("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", provider);
    const libraries = {};

    /** Deploys a contract with its libraries, by their names. */
    async function deploy(name, ...values) {
        const { abi, bytecode, linkReferences } = artifact(name);
        let code = bytecode;
        for (const [library, places] of Object.values(linkReferences).flatMap(Object.entries)) {
            libraries[library] ??= (await (await deploy(library)).getAddress()).slice(2).toLowerCase();
            for (const { start, length } of places) {
                code = code.slice(0, 2 + 2 * start) + libraries[library] + code.slice(2 + 2 * (start + length));
            }
        }
        const contract = await new ContractFactory(abi, code, wallet).deploy(...values);
        return contract.waitForDeployment();
    }

    // A point of BabyJubJub, which is a valid public key; trees as in MACI's own deployment for tests.
    const key = {
        x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
        y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
    };
    const depths = { intStateTreeDepth: 1, messageTreeSubDepth: 2, messageTreeDepth: 10, voteOptionTreeDepth: 2 };
    const queue = await deploy("AccQueueQuinaryMaci", depths.messageTreeSubDepth);
    const poll = await deploy("Poll", 1_000_000, depths, key, { maci: getAddress(toBeHex(1, 20)), messageAq: await queue.getAddress() }, 0);
    await (await queue.transferOwnership(await poll.getAddress())).wait();
    await (await poll.init()).wait();

    // An encrypted message is ten elements of the field, which look random.
    const element = (i, j) => toBigInt(dataSlice(keccak256(toBeHex(i * 10 + j + 1, 32)), 1));
    const message = (i) => ({ data: Array.from({ length: 10 }, (_, j) => element(i, j)) });
    const gas = [];
    for (let i = 0; i < MESSAGES; i++) {
        const sent = await poll.publishMessage(message(i), key);
        gas.push(Number((await sent.wait()).gasUsed));
    }
    const batch = Array.from({ length: 25 }, (_, i) => message(MESSAGES + i));
    const sent = await poll.publishMessageBatch(batch, batch.map(() => key));
    const each = Number((await sent.wait()).gasUsed) / batch.length;
    const average = gas.reduce((sum, one) => sum + one, 0) / gas.length;
    console.log(`maci-contracts ${VERSION}, publishMessage: ${Math.round(average)} on average of ${gas.length} (${Math.min(...gas)} to ${Math.max(...gas)})`);
    console.log(`maci-contracts ${VERSION}, publishMessageBatch of ${batch.length}, each: ${Math.round(each)}`);
} finally {
    anvil.kill("SIGKILL");
}
process.exit(0);
