// The arithmetic of ballots, and how choices are signed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyTypedData } from "ethers";
import { sameDistribution, signAllocation, toAllocation, toChoices } from "../src/portal/allocation.ts";
import { buttonStep, chosenCount, clamped, each, given, sliderStep, worth } from "../src/portal/ballot.ts";
import { money, percent } from "../src/portal/format.ts";
import { addressOf, fromHex, type Hex } from "../src/credential/index.ts";

test("points never exceed the share", () => {
    const choices = new Map([[1, 6], [2, 3]]);
    assert.equal(given(choices), 9);
    assert.equal(clamped(choices, 3, 5, 10), 1);
    assert.equal(clamped(choices, 1, 10, 10), 7);
    assert.equal(clamped(choices, 1, -4, 10), 0);
    assert.equal(clamped(choices, 1, Number.NaN, 10), 0);
    // Whatever is pressed in whatever order, the sum fits.
    for (let round = 0; round < 200; round++) {
        const share = 1 + Math.floor(Math.random() * 10_000);
        const random = new Map<number, number>();
        for (let press = 0; press < 50; press++) {
            const id = 1 + Math.floor(Math.random() * 9);
            random.set(id, clamped(random, id, Math.random() * share * 1.5 - 10, share));
            assert.ok(given(random) <= share);
        }
    }
});

test("steps are whole and lead to the whole share", () => {
    for (const [share, button, slider] of [[1, 1, 1], [10, 1, 1], [20, 1, 1], [100, 5, 1], [1000, 50, 10], [10_000, 500, 100]] as const) {
        assert.equal(buttonStep(share), button);
        assert.equal(sliderStep(share), slider);
        assert.equal(share % sliderStep(share), 0);
    }
});

test("amounts are rounded down and never exceed the share", () => {
    assert.equal(worth(10_001n, 1, 3), 3333n);
    assert.equal(worth(10_001n, 3, 3), 10_001n);
    assert.equal(worth(10_001n, 0, 0), 0n);
    assert.equal(each(100n, 3), 33n);
    assert.equal(each(100n, 0), 0n);
});

test("amounts and parts are written as each language writes them", () => {
    assert.equal(money(123_456_789n, "ru"), "1\u00a0234\u00a0567,89\u00a0₽");
    assert.equal(money(150_000_000n, "ru"), "1\u00a0500\u00a0000\u00a0₽");
    assert.equal(money(5n, "ru"), "0,05\u00a0₽");
    assert.equal(money(123_456_789n, "en"), "₽1,234,567.89");
    assert.equal(percent(1, 8, "ru"), "12,5\u00a0%");
    assert.equal(percent(1, 3, "en"), "33.33%");
    assert.equal(percent(10, 10, "ru"), "100\u00a0%");
    assert.equal(percent(1, 0, "ru"), "0\u00a0%");
});

test("a message holds ascending choices, and points only on cumulative ballots", () => {
    const account = `0x${"11".repeat(20)}` as Hex;
    const choices = new Map([[4, 6], [1, 4], [9, 0]]);
    assert.equal(chosenCount(choices), 2);
    const cumulative = toAllocation(account, 2, choices, true);
    assert.deepEqual(cumulative, { account, version: 2, initiatives: [1, 4], points: [4, 6] });
    assert.deepEqual(toAllocation(account, 1, choices, false).points, []);
    assert.deepEqual([...toChoices(cumulative)], [[1, 4], [4, 6]]);
    assert.deepEqual([...toChoices({ initiatives: [3], points: [] })], [[3, 1]]);
    assert.ok(sameDistribution(cumulative, { initiatives: [1, 4], points: [4, 6] }));
    assert.ok(!sameDistribution(cumulative, { initiatives: [1, 4], points: [6, 4] }));
});

test("the signature is the account's by EIP-712", () => {
    const key = `0x${"07".repeat(32)}` as Hex;
    const account = addressOf(fromHex(key));
    const round = "0x00112233445566778899aabbccddeeff00112233" as Hex;
    const { signature, ...message } = signAllocation(31337, round, toAllocation(account, 3, new Map([[1, 10]]), true), key);
    assert.equal(signature.length, 2 + 65 * 2);
    const types = {
        Allocation: [
            { name: "account", type: "address" },
            { name: "version", type: "uint32" },
            { name: "initiatives", type: "uint16[]" },
            { name: "points", type: "uint16[]" },
        ],
    };
    const domain = { name: "Kopilka", version: "1", chainId: 31337, verifyingContract: round };
    assert.equal(verifyTypedData(domain, types, message, signature).toLowerCase(), account);
});
