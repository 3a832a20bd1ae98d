// Whole recounts over HTTP against a chain in memory: agreement, every kind of difference, and nodes that misbehave.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import vectors from "../../crates/domain/vectors/settlement.json";
import { TOPICS } from "../src/explorer/events.ts";
import { Failure } from "../src/explorer/failure.ts";
import { type Progress, recount, type RecountRequest } from "../src/explorer/recount.ts";
import { BLOCK_RANGE, nodeAt } from "../src/explorer/rpc.ts";
import { type Election, type Outcome, settle } from "../src/settlement/index.ts";
import { roundAbi, STAFF, TestChain } from "./explorer-chain.ts";

const cases = vectors as unknown as { name: string; election: Election; outcome: Outcome }[];
const { election, outcome } = cases.find(({ name }) => name === "random with many ballots")!;
const winners = outcome.winners.map(({ id }) => id).sort((left, right) => left - right);
const other = `0x${"ee".repeat(32)}`;

let chain = new TestChain(0);
const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    if (chain.failures > 0) {
        chain.failures -= 1;
        request.socket.destroy();
        return;
    }
    const { id, method, params } = JSON.parse(body);
    const answer = chain.answer(method, params);
    // Nodes differ in the status of a refusal.
    response.writeHead("error" in answer && chain.spans.length % 2 === 0 ? 400 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
});
let url = "";
before(async () => {
    await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
after(() => server.close());

/** A fresh chain with the election held and a result proposed. */
function held(what: Election = election, proposed: readonly number[] = winners, digest = outcome.transcript, cost = outcome.totalCost) {
    chain = new TestChain(1_234);
    chain.hold(what);
    chain.emit("SettlementProposed", STAFF, proposed, digest, cost, 99);
    return chain;
}

const progress: Progress[] = [];
const pauses: number[] = [];

async function run(request: Partial<RecountRequest> = {}) {
    progress.length = 0;
    pauses.length = 0;
    return recount(
        nodeAt(url),
        { round: chain.round, firstBlock: chain.first, chainId: chain.chainId, ...request },
        (report) => progress.push(report),
        async (ms) => void pauses.push(ms),
    );
}

async function fails(code: Failure["code"], values: Record<string, unknown> = {}, request: Partial<RecountRequest> = {}) {
    await assert.rejects(run(request), (error) => {
        assert.ok(error instanceof Failure, String(error));
        assert.equal(error.code, code, error.message);
        for (const [name, value] of Object.entries(values)) assert.equal(error.values[name], value, error.message);
        return true;
    });
}

test("a proposed result that is right", async () => {
    const { logs, head } = held();
    const result = await run({ shown: { winners, digest: outcome.transcript.toUpperCase().replace("0X", "0x") } });
    assert.deepEqual(result.differences, []);
    assert.deepEqual(result.winners, winners);
    assert.equal(result.digest, outcome.transcript);
    assert.equal(result.totalCost, outcome.totalCost);
    assert.equal(result.ballots, outcome.voters);
    assert.equal(result.registered, election.ballots.length);
    assert.equal(result.head, head);
    assert.deepEqual(result.announced, {
        winners,
        digest: outcome.transcript,
        totalCost: BigInt(outcome.totalCost),
        isFinal: false,
    });
    const mattering = logs.filter(({ topics }) => TOPICS.includes(topics[0]!)).length;
    assert.ok(mattering < logs.length);
    assert.equal(result.events, mattering, "events that do not matter are not even asked for");
    assert.ok(result.allocations > result.ballots, "the chain holds replaced allocations");
});

test("every vector gives its result when it is held on a chain", async () => {
    for (const { name, election, outcome } of cases) {
        const ids = outcome.winners.map(({ id }) => id).sort((left, right) => left - right);
        held(election, ids, outcome.transcript, outcome.totalCost);
        const { differences, digest } = await run();
        assert.deepEqual({ digest, differences }, { digest: outcome.transcript, differences: [] }, name);
    }
});

test("the final result is the one compared, withdrawn ones are forgotten", async () => {
    held(election, [1], other, "1");
    chain.emit("SettlementWithdrawn", STAFF, other);
    assert.equal((await run()).announced, undefined);
    chain.emit("SettlementProposed", STAFF, winners, outcome.transcript, outcome.totalCost, 99);
    chain.emit("SettlementFinalized", winners, outcome.transcript, outcome.totalCost, 5);
    const result = await run();
    assert.equal(result.announced?.isFinal, true);
    assert.deepEqual(result.differences, []);
});

test("a tampered winner is reported", async () => {
    const loser = outcome.losers[0]!.id;
    const tampered = [...winners.slice(1), loser].sort((left, right) => left - right);
    held(election, tampered, outcome.transcript, "5");
    assert.deepEqual((await run()).differences, [
        { code: "missing", initiative: winners[0] },
        { code: "extra", initiative: loser },
        { code: "total-cost", announced: "5", counted: outcome.totalCost },
    ]);
});

test("a wrong digest and a page that shows another result are reported", async () => {
    held(election, winners, other);
    const { differences } = await run({ shown: { winners, digest: outcome.transcript } });
    assert.deepEqual(differences, [{ code: "digest", announced: other, counted: outcome.transcript }, { code: "page" }]);
});

test("one changed allocation changes the digest", async () => {
    held();
    const { account } = election.ballots.find(({ initiatives }) => initiatives.length > 0)!;
    chain.allocate(account, 8, []);
    const result = await run();
    assert.equal(result.ballots, outcome.voters - 1);
    const ballots = election.ballots.map((ballot) => (ballot.account === account ? { ...ballot, initiatives: [] } : ballot));
    assert.equal(result.digest, settle({ ...election, ballots }).transcript);
    assert.ok(result.differences.some(({ code }) => code === "digest"));
});

test("a node that refuses long spans is asked for shorter ones, and every block once", async () => {
    held();
    chain.mostBlocks = 300;
    assert.deepEqual((await run()).differences, []);
    const served = chain.spans.filter(([from, to]) => to - from < 300);
    let next = chain.first;
    for (const [from, to] of served) {
        assert.equal(from, next);
        next = to + 1;
    }
    assert.equal(next, chain.head + 1);
    assert.equal(chain.spans[0]![1] - chain.spans[0]![0] + 1, BLOCK_RANGE);
    const refused = chain.spans.length - served.length;
    assert.ok(refused < served.length / 4, `${refused} of ${chain.spans.length} requests were refused`);
});

test("progress goes from the first block to the head, then to counting", async () => {
    held();
    await run();
    const last = progress.pop();
    assert.deepEqual(last, { step: "counting", ballots: outcome.voters });
    const blocks = progress.map((report) => (report.step === "reading" ? report.block : NaN));
    assert.deepEqual(blocks, [...blocks].sort((left, right) => left - right));
    assert.deepEqual([blocks[0], blocks.at(-1)], [chain.first, chain.head]);
});

test("a node that refuses even single blocks", async () => {
    held();
    chain.mostBlocks = 0;
    await fails("no-logs", { block: chain.first, detail: "at most 0 blocks" });
    assert.equal(chain.spans.length, 1 + Math.floor(Math.log2(BLOCK_RANGE)));
});

test("a node that is away for a moment is asked again, one that stays away is given up", async () => {
    held();
    const node = nodeAt(url);
    let lost = 0;
    const flaky: typeof node = async (method, params) => {
        if (method === "eth_getLogs" && lost < 2) chain.failures = 1;
        if (chain.failures > 0) lost += 1;
        return node(method, params);
    };
    const request = { round: chain.round, firstBlock: chain.first };
    const result = await recount(flaky, request, () => {}, async (ms) => void pauses.push(ms));
    assert.deepEqual([lost, result.differences], [2, []]);
    chain.failures = Infinity;
    await fails("unreachable");
    await assert.rejects(recount(nodeAt(`${url}`.replace("http:", "nowhere:")), request, () => {}), /unreachable/);
});

test("a node that answers with something else", async () => {
    await assert.rejects(recount(async () => "hello", { round: chain.round, firstBlock: 0 }, () => {}), /unreachable/);
    held();
    const node = nodeAt(url);
    for (const logs of ["none", [null], [{ topics: [] }]]) {
        const call: typeof node = async (method, params) => (method === "eth_getLogs" ? logs : node(method, params));
        await assert.rejects(recount(call, { round: chain.round, firstBlock: chain.first }, () => {}), /unreachable/);
    }
});

test("another chain, another contract, a round before pledging", async () => {
    held();
    await fails("other-chain", { expected: "1", found: "31337" }, { chainId: 1 });
    await fails("not-a-round", {}, { round: `0x${"99".repeat(20)}` });
    const opened = roundAbi.getEvent("PledgingOpened")!.topicHash;
    chain.logs.splice(0, Infinity, ...chain.logs.filter(({ topics }) => topics[0] !== opened));
    await fails("not-pledged");
});

const account = election.ballots[0]!.account;
const contradictions: [Failure["code"], () => void, Record<string, unknown>][] = [
    ["registered-twice", () => chain.emit("Registered", account, 0), { account }],
    ["class-unknown", () => chain.emit("Registered", `0x${"12".repeat(20)}`, 9), { class: 9 }],
    ["class-out-of-order", () => chain.emit("ClassAdded", 7, 1, "0x"), { class: 7 }],
    ["initiative-twice", () => chain.emit("InitiativeAdded", 1, 5, other, account), { initiative: 1 }],
    ["never-registered", () => chain.allocate(`0x${"12".repeat(20)}`, 1, [1], []), {}],
    ["version-not-higher", () => chain.allocate(account, 7, [1], []), { account, version: 7, before: 7 }],
    ["event-removed", () => (chain.logs.at(-1)!.removed = true), {}],
    ["event-malformed", () => (chain.logs.at(-1)!.data = "0x12"), {}],
    ["registrations-missing", () => (chain.registered += 1), { counted: 401, registered: 400 }],
    ["election-malformed", () => chain.allocate(account, 8, [60_000], []), {}],
];

for (const [code, spoil, values] of contradictions) {
    test(`refused: ${code}`, async () => {
        held();
        spoil();
        await fails(code, values);
    });
}

test("the place of a contradiction is named", async () => {
    held();
    chain.emit("Registered", account, 0);
    const log = chain.logs.at(-1)!;
    await fails("registered-twice", { block: Number(log.blockNumber), log: Number(log.logIndex), tx: log.transactionHash });
});

test("logs of another contract or block are refused", async () => {
    held();
    const node = nodeAt(url);
    for (const change of [{ address: account }, { blockNumber: "0x1" }]) {
        const call: typeof node = async (method, params) => {
            const answer = await node(method, params);
            return method === "eth_getLogs" ? (answer as object[]).map((log) => ({ ...log, ...change })) : answer;
        };
        await assert.rejects(
            recount(call, { round: chain.round, firstBlock: chain.first }, () => {}),
            /event-foreign/,
        );
    }
});
