// How a browser goes to another issuer's portal and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../src/credential/index.ts";
import {
    answerUrl,
    coSignUrl,
    homeUrl,
    leadsBack,
    parseAnswer,
    parseRequest,
    remaining,
    takePartUrl,
    type IssuerGroup,
} from "../src/portal/group.ts";

const ROUND: Hex = `0x${"1a".repeat(20)}`;
const POINT: Hex = `0x${"9c".repeat(48)}`;
const FIRST: Hex = `0x${"8d".repeat(48)}`;
const member = (portal: string) => ({ portal, share_key: `0x${"ab".repeat(96)}` as Hex });
const GROUP: IssuerGroup = {
    needed: 2,
    issuer: 2,
    home: 1,
    members: [member("https://one.example/"), member("https://two.example/portal/"), member("https://three.example/")],
};

test("the request and the answer come back as they were written", () => {
    const back = takePartUrl("https://one.example/", ROUND);
    const url = new URL(coSignUrl("https://two.example/portal/", ROUND, { class: 3, blinded: POINT, first: FIRST, back }));
    assert.equal(url.origin + url.pathname, `https://two.example/portal/rounds/${ROUND}/co-sign`);
    assert.equal(url.search, "", "nothing that a server would see");
    assert.deepEqual(parseRequest(url.hash), { class: 3, blinded: POINT, first: FIRST, back });

    const answer = new URL(answerUrl(back, { issuer: 2, signature: POINT }));
    assert.equal(answer.origin + answer.pathname, back);
    assert.equal(answer.search, "");
    assert.deepEqual(parseAnswer(answer.hash), { issuer: 2, signature: POINT });
});

test("what is not whole is nothing", () => {
    const back = encodeURIComponent("https://one.example/");
    const rest = `first=${FIRST}&back=${back}`;
    assert.ok(parseRequest(`#class=0&blinded=${POINT}&${rest}`));
    for (const hash of [
        "", "#", "#class=0", `#class=0&blinded=${POINT}&first=${FIRST}`, `#class=-1&blinded=${POINT}&${rest}`, `#class=0&blinded=0x12&${rest}`,
        `#class=0&blinded=${POINT}&back=${back}`, `#class=0&blinded=${POINT}&first=0x12&back=${back}`,
    ]) {
        assert.equal(parseRequest(hash), null, hash);
    }
    for (const hash of ["", `#issuer=2`, `#issuer=two&signature=${POINT}`, `#issuer=2&signature=${POINT}00`, `#issuer=2&signature=${POINT.toUpperCase()}`]) {
        assert.equal(parseAnswer(hash), null, hash);
    }
});

test("the way back leads to the page where citizens begin alone", () => {
    assert.ok(leadsBack(GROUP, ROUND, takePartUrl("https://one.example/", ROUND)));
    assert.equal(homeUrl({ ...GROUP, home: 2 }, ROUND), takePartUrl("https://two.example/portal/", ROUND));
    assert.equal(homeUrl({ ...GROUP, home: 4 }, ROUND), null);
    const other: Hex = `0x${"2b".repeat(20)}`;
    for (const back of [
        takePartUrl("https://one.example/", other),
        takePartUrl("https://two.example/portal/", ROUND),
        takePartUrl("https://elsewhere.example/", ROUND),
        `https://one.example.elsewhere.example/rounds/${ROUND}/take-part`,
        `https://one.example@elsewhere.example/rounds/${ROUND}/take-part`,
        `http://one.example/rounds/${ROUND}/take-part`,
        "https://one.example/",
        "javascript:alert(1)",
    ]) {
        assert.ok(!leadsBack(GROUP, ROUND, back), back);
    }
});

test("those who have not signed are offered", () => {
    const names = (...issuers: number[]) => remaining({ ...GROUP, issuer: 1 }, issuers.map((issuer) => ({ issuer, signature: POINT }))).map(({ issuer }) => issuer);
    assert.deepEqual(names(1), [2, 3]);
    assert.deepEqual(names(1, 3), [2]);
    // The portal's own issuer is never a link: it is asked by the button.
    assert.deepEqual(names(2), [3]);
});
