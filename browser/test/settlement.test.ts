// The vectors that Rust wrote: the browser's settlement must say the same in every field, the digest included.

import assert from "node:assert/strict";
import { test } from "node:test";
import vectors from "../../crates/domain/vectors/settlement.json";
import { type Election, ElectionError, type Outcome, settle, transcriptText } from "../src/settlement/index.ts";
import { gcd, ratio } from "../src/settlement/exact.ts";

const cases = vectors as unknown as { name: string; election: Election; outcome: Outcome }[];

for (const { name, election, outcome } of cases) {
    test(`vector: ${name}`, () => {
        assert.deepEqual(settle(election), outcome);
    });
}

test("the order of arrival and the case of addresses do not matter", () => {
    const { election, outcome } = cases.at(-1)!;
    const shuffled: Election = {
        ...election,
        initiatives: election.initiatives.toReversed(),
        ballots: election.ballots
            .map((ballot) => ({ ...ballot, account: `0x${ballot.account.slice(2).toUpperCase()}` }))
            .toReversed(),
    };
    assert.deepEqual(settle(shuffled), outcome);
});

test("the transcript is lines of plain text", () => {
    const { election, outcome } = cases.find(({ name }) => name === "greedy")!;
    const text = transcriptText(election, outcome);
    assert.match(text, /^kopilka settlement 1\nkind cumulative\nrule greedy\ncompletion raise fill\nthreshold 6\n/);
    assert.match(text, /^[\n\x20-\x7e]*\n$/);
});

const small: Election = {
    budget: "100",
    kind: "cumulative",
    rule: "equal-shares",
    completion: { raise: true, fill: true },
    threshold: 0,
    sharePoints: 10,
    initiatives: [{ id: 1, cost: "50" }],
    ballots: [{ account: `0x${"ab".repeat(20)}`, weight: 1, initiatives: [1], points: [10] }],
};

const refusals: [string, Partial<Election>, RegExp][] = [
    ["two initiatives with one id", { initiatives: [...small.initiatives, ...small.initiatives] }, /listed twice/],
    ["an initiative for nothing", { initiatives: [{ id: 1, cost: "0" }] }, /costs nothing/],
    ["money that is no number", { budget: "1,5" }, /whole number of kopecks/],
    ["two ballots of one account", { ballots: [...small.ballots, ...small.ballots] }, /two ballots/],
    ["an unknown initiative", { ballots: [{ ...small.ballots[0]!, initiatives: [2] }] }, /names initiative 2/],
    ["too many points", { ballots: [{ ...small.ballots[0]!, points: [11] }] }, /11 points were given, a share has 10/],
    ["missing points", { ballots: [{ ...small.ballots[0]!, points: [] }] }, /needs points/],
    ["points on an approval ballot", { kind: "approval" }, /without points/],
    ["weight zero", { ballots: [{ ...small.ballots[0]!, weight: 0 }] }, /positive whole/],
    ["weights too large", { ballots: [{ ...small.ballots[0]!, weight: 2 ** 50 }] }, /less than 2\^53/],
    [
        "a choice twice",
        { ballots: [{ ...small.ballots[0]!, initiatives: [1, 1], points: [1, 1] }] },
        /strictly ascending/,
    ],
];

for (const [name, change, message] of refusals) {
    test(`refused: ${name}`, () => {
        assert.throws(
            () => settle({ ...small, ...change }),
            (error) => error instanceof ElectionError && message.test(error.message),
        );
    });
}

test("ratios of integers of any size are accurate", () => {
    for (const bits of [0n, 1n, 63n, 68n, 1000n, 5000n]) {
        const third = ratio(1n << bits, 3n << bits);
        assert.ok(Math.abs(third * 3 - 1) < 4 * Number.EPSILON, `${bits}`);
    }
    assert.equal(ratio(3n << 700n, 1n << 700n), 3);
    assert.equal(gcd(18n, 12n), 6n);
});
