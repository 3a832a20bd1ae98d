// The hand-written decoder of a round's events against ethers, on random values and on bytes that are none.

import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { test } from "node:test";
import { AbiError, selector, signatureHash, Words } from "../src/explorer/abi.ts";
import { CONFIG_CALL, decodeConfig, decodeEvent, REGISTERED_COUNT_CALL, TOPICS } from "../src/explorer/events.ts";
import { roundAbi } from "./explorer-chain.ts";

const TURNS = 200;

const hexOf = (bytes: number) => `0x${randomBytes(bytes).toString("hex")}`;
const uint = (bits: number) => BigInt(hexOf(bits / 8)) >> BigInt(randomInt(bits));
const small = (bits: number) => Number(uint(bits));
const list = () => Array.from({ length: randomInt(6) ** 2 }, () => small(16));

function decoded(name: string, ...values: unknown[]): unknown {
    const { topics, data } = roundAbi.encodeEventLog(name, values);
    return decodeEvent(topics, data);
}

test("the topics and calls are those of the contract", () => {
    const names = ["ClassAdded", "InitiativeAdded", "Registered", "PledgingOpened", "AllocationRecorded"];
    names.push("SettlementProposed", "SettlementWithdrawn", "SettlementFinalized");
    assert.deepEqual(TOPICS, names.map((name) => roundAbi.getEvent(name)!.topicHash));
    assert.equal(CONFIG_CALL, roundAbi.getFunction("config")!.selector);
    assert.equal(REGISTERED_COUNT_CALL, roundAbi.getFunction("registeredCount")!.selector);
    assert.equal(selector("transfer(address,uint256)"), "0xa9059cbb");
    assert.match(signatureHash("Transfer(address,address,uint256)"), /^0xddf252ad/);
});

test("random events are read as ethers wrote them", () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
        const [account, digest] = [hexOf(20), hexOf(32)];
        const classId = small(8);
        const weight = small(32);
        assert.deepEqual(decoded("ClassAdded", classId, weight, hexOf(256)), { name: "ClassAdded", class: classId, weight });

        const [initiative, cost] = [small(16), uint(128)];
        assert.deepEqual(decoded("InitiativeAdded", initiative, cost, digest, account), {
            name: "InitiativeAdded",
            initiative,
            cost,
        });
        assert.deepEqual(decoded("Registered", account, classId), { name: "Registered", account, class: classId });

        const [budget, totalWeight] = [uint(256), uint(256)];
        assert.deepEqual(decoded("PledgingOpened", budget, totalWeight), { name: "PledgingOpened", budget, totalWeight });

        const [version, initiatives, points] = [small(32), list(), list()];
        assert.deepEqual(decoded("AllocationRecorded", account, version, initiatives, points), {
            name: "AllocationRecorded",
            account,
            version,
            initiatives,
            points,
        });
        assert.deepEqual(decoded("SettlementWithdrawn", account, digest), { name: "SettlementWithdrawn", digest });

        const [winners, totalCost] = [list(), uint(256)];
        const read = { winners, digest, totalCost };
        const proposed = decoded("SettlementProposed", account, winners, digest, totalCost, uint(64));
        assert.deepEqual(proposed, { name: "SettlementProposed", ...read });
        const final = decoded("SettlementFinalized", winners, digest, totalCost, uint(64));
        assert.deepEqual(final, { name: "SettlementFinalized", ...read });
    }
});

test("random configurations are read as ethers wrote them", () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
        const [kind, rule, raise, fill] = [randomInt(2), randomInt(2), randomInt(2) === 1, randomInt(2) === 1];
        const [sharePoints, threshold] = [small(16), Number(uint(64) >> 11n)];
        const values = [small(32), kind, randomInt(2), rule, raise, fill, sharePoints, threshold, uint(128), uint(64), uint(64)];
        assert.deepEqual(decodeConfig(roundAbi.encodeFunctionResult("config", [[...values, small(32), hexOf(32)]])), {
            kind: kind === 0 ? "cumulative" : "approval",
            rule: rule === 0 ? "equal-shares" : "greedy",
            completion: { raise, fill },
            sharePoints,
            threshold,
        });
    }
});

const word = (value: bigint | number) => value.toString(16).padStart(64, "0");
const registered = roundAbi.encodeEventLog("Registered", [hexOf(20), 3]).topics;
const allocation = roundAbi.encodeEventLog("AllocationRecorded", [hexOf(20), 1, [1, 2], [3, 4]]);

const malformed: [string, () => unknown][] = [
    ["no topics", () => decodeEvent([], "0x")],
    ["an unknown event", () => decodeEvent([hexOf(32)], "0x")],
    ["an indexed value too few", () => decodeEvent(registered.slice(0, 2), "0x")],
    ["an indexed value too many", () => decodeEvent([...registered, hexOf(32)], "0x")],
    ["an account that is longer than an address", () => decodeEvent([registered[0]!, `0x${"1".repeat(64)}`, registered[2]!], "0x")],
    ["a class beyond 8 bits", () => decodeEvent([registered[0]!, registered[1]!, `0x${word(256)}`], "0x")],
    ["data that is cut off", () => decodeEvent(allocation.topics, allocation.data.slice(0, -64))],
    ["data that is no words", () => decodeEvent(allocation.topics, `${allocation.data}00`)],
    ["data that is no hex", () => decodeEvent(allocation.topics, allocation.data.replace(/..$/, "zz"))],
    ["an array far too long", () => new Words(`0x${word(32)}${word(2 ** 40)}`).numbers(0, 16)],
    ["an offset between words", () => new Words(`0x${word(33)}${word(0)}${word(0)}`).numbers(0, 16)],
    ["an item beyond 16 bits", () => new Words(`0x${word(32)}${word(1)}${word(65_536)}`).numbers(0, 16)],
    ["a truth value of 2", () => new Words(`0x${word(2)}`).bool(0)],
    ["a number beyond its bits", () => new Words(`0x${word(1n << 128n)}`).uint(0, 128)],
    ["an account without a contract", () => decodeConfig("0x")],
    ["an unknown rule", () => decodeConfig(`0x${word(1)}${word(0)}${word(0)}${word(2)}${word(0).repeat(9)}`)],
    ["an answer that is no text", () => decodeConfig(null)],
];

for (const [name, read] of malformed) {
    test(`refused: ${name}`, () => {
        assert.throws(read, AbiError);
    });
}
