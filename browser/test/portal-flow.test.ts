// Where a citizen stands in a round, in every situation that can be reached.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Citizen } from "../src/portal/chain.ts";
import { nextStep, type Situation } from "../src/portal/flow.ts";
import type { Phase, RoundInfo, Session } from "../src/portal/portal.ts";
import type { SignedAllocation } from "../src/portal/allocation.ts";

const SESSION: Session = { confirmed: true, municipality_id: 1, profile: "a", csrf: "t" };
const citizen = (version: number, registered = true): Citizen => ({ registered, class: 0, version, initiatives: [], points: [] });
const allocation = (version: number) => ({ version }) as SignedAllocation;

function step(change: Omit<Partial<Situation>, "round"> & { round?: Partial<RoundInfo> }): string {
    const round = { allotment: "equal", class: 0, ineligible: null, classes: [{ group: null }], ...change.round } as RoundInfo;
    const situation = { phase: "registration" as Phase, session: SESSION, hasKey: true, wordsSettled: true, citizen: null, progress: {}, ...change, round };
    const next = nextStep(situation);
    const detail = "why" in next ? next.why : "reason" in next ? next.reason : "canChange" in next ? (next.canChange ? "open" : "over") : "";
    return detail ? `${next.name}:${detail}` : next.name;
}

test("a newcomer is led to the credential, one step after another", () => {
    assert.equal(step({ session: null, hasKey: false }), "login");
    assert.equal(step({ hasKey: false }), "keys");
    assert.equal(step({ hasKey: false, round: { issued: true } }), "restore");
    assert.equal(step({ wordsSettled: false }), "words");
    assert.equal(step({}), "credential");
    assert.equal(step({ citizen: citizen(0, false) }), "credential");
    assert.equal(step({ round: { class: null, ineligible: "age" } }), "ineligible:age");
    assert.equal(step({ round: { class: null } }), "ineligible:municipality");
});

test("who has the credential needs no login any more", () => {
    assert.equal(step({ session: null, progress: { signature: "0x01" } }), "register");
    assert.equal(step({ session: null, citizen: citizen(0) }), "wait");
    assert.equal(step({ session: null, phase: "pledging", citizen: citizen(0) }), "ballot");
});

test("who has the part of one of several issuers is sent to the others, logged in here or not", () => {
    const group = { needed: 2, issuer: 1, home: 1, members: [] };
    const classes = [{ weight: 1, issuer_key: "0x" as const, group }];
    const partials = [{ issuer: 1, signature: "0x01" as const }];
    assert.equal(step({ round: { classes } }), "credential");
    assert.equal(step({ round: { classes }, progress: { partials } }), "group");
    assert.equal(step({ round: { classes }, session: null, progress: { partials, class: 0 } }), "group");
    assert.equal(step({ round: { classes }, progress: { partials: [] } }), "credential");
    assert.equal(step({ round: { classes }, progress: { partials, signature: "0x01" } }), "register");
    assert.equal(step({ progress: { partials } }), "credential", "an issuer who signs alone needs no parts");
    const others = [{ issuer: 2, signature: "0x01" as const }];
    assert.equal(step({ round: { classes }, progress: { partials: others } }), "credential", "the home issuer comes first");
});

test("at an issuer's portal where nobody begins one is sent to the one where everybody does", () => {
    const classes = [{ weight: 1, issuer_key: "0x" as const, group: { needed: 2, issuer: 2, home: 1, members: [] } }];
    for (const hasKey of [false, true]) {
        for (const session of [null, SESSION]) assert.equal(step({ round: { classes }, hasKey, session }), "elsewhere");
    }
    assert.equal(step({ round: { classes }, phase: "tallying", hasKey: false }), "closed:tallying");
});

test("a signed allocation is delivered before anything else", () => {
    const pledging = { phase: "pledging" as Phase, session: null };
    assert.equal(step({ ...pledging, citizen: citizen(0), progress: { pending: { allocation: allocation(1) } } }), "deliver");
    assert.equal(step({ ...pledging, citizen: citizen(1), progress: { pending: { allocation: allocation(2) } } }), "deliver");
    assert.equal(step({ ...pledging, citizen: citizen(2), progress: { pending: { allocation: allocation(2) } } }), "receipt:open");
    assert.equal(step({ ...pledging, citizen: citizen(1) }), "receipt:open");
});

test("closed phases say what happens next", () => {
    for (const phase of ["tallying", "objection", "settled", "closed"] as const) {
        assert.equal(step({ phase, citizen: citizen(1) }), "receipt:over");
        assert.equal(step({ phase, citizen: citizen(0) }), `closed:${phase}`);
        assert.equal(step({ phase, hasKey: false, session: null }), `closed:${phase}`);
        assert.equal(step({ phase, progress: { signature: "0x01" } }), `closed:${phase}`);
    }
    assert.equal(step({ phase: "cancelled", citizen: citizen(1) }), "closed:cancelled");
    assert.equal(step({ phase: "draft", hasKey: false }), "closed:draft");
    assert.equal(step({ phase: "pledging", hasKey: false, session: null }), "closed:no-key");
    assert.equal(step({ phase: "pledging", citizen: citizen(0, false) }), "closed:not-registered");
});

test("with fixed shares registration goes on while others choose", () => {
    const fixed = { round: { allotment: "fixed" as const }, phase: "pledging" as Phase };
    assert.equal(step({ ...fixed, session: null, hasKey: false }), "login");
    assert.equal(step({ ...fixed }), "credential");
    assert.equal(step({ ...fixed, progress: { signature: "0x01" } }), "register");
});
