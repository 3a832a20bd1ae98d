// What a browser keeps: apart for each of its users, nothing lost by a second tab.

import assert from "node:assert/strict";
import { test } from "node:test";
import { newMasterSecret, toHex, type Hex } from "../src/credential/index.ts";
import { compare, parseReceipt, type Receipt } from "../src/portal/receipt.ts";
import { Storage, type KeyValue } from "../src/portal/storage.ts";
import { fill } from "../src/portal/texts.ts";
import { matches } from "../src/portal/words-view.ts";

const ROUND = `0x${"ab".repeat(20)}` as Hex;

function memory(): KeyValue {
    const content = new Map<string, string>();
    return { getItem: (key) => content.get(key) ?? null, setItem: (key, value) => void content.set(key, value) };
}

test("two people who share a browser have two keys", () => {
    const backend = memory();
    const storage = new Storage(backend);
    assert.equal(storage.open("husband"), false);
    const master = newMasterSecret();
    storage.keep(master, true);
    storage.setProgress(1, ROUND, { signature: "0x01" });
    assert.equal(storage.open("wife"), true, "another's key was current");
    assert.equal(storage.master(), undefined);
    assert.deepEqual(storage.progress(1, ROUND), {});
    storage.keep(newMasterSecret(), false);
    assert.equal(storage.open("husband"), false);
    assert.equal(toHex(storage.master() ?? new Uint8Array()), toHex(master));
    assert.equal(new Storage(backend).progress(1, ROUND).signature, "0x01");
});

test("a key restored without a login goes to who logs in next", () => {
    const storage = new Storage(memory());
    const master = newMasterSecret();
    storage.keep(master, true);
    assert.equal(storage.open("somebody"), false);
    assert.equal(toHex(storage.master() ?? new Uint8Array()), toHex(master));
    assert.equal(storage.wordsChecked(), true);
});

test("another key starts afresh, the same one keeps its progress", () => {
    const storage = new Storage(memory());
    const master = newMasterSecret();
    storage.keep(master, false);
    storage.setWords({ later: true });
    storage.setProgress(1, ROUND, { signedVersion: 3, draft: { "1": 5 } });
    storage.setProgress(1, ROUND, { draft: undefined });
    assert.deepEqual(Object.entries(storage.progress(1, ROUND)).filter(([, value]) => value !== undefined), [["signedVersion", 3]]);
    storage.keep(master, true);
    assert.equal(storage.progress(1, ROUND.toUpperCase().replace("0X", "0x") as Hex).signedVersion, 3);
    assert.deepEqual([storage.wordsChecked(), storage.wordsLater()], [true, true]);
    storage.keep(newMasterSecret(), true);
    assert.deepEqual(storage.progress(1, ROUND), {});
    storage.forget();
    assert.equal(storage.master(), undefined);
});

test("damaged or forbidden storage is survived", () => {
    const backend = memory();
    backend.setItem("kopilka", "{");
    assert.equal(new Storage(backend).master(), undefined);
    const forbidden: KeyValue = { getItem: () => null, setItem: () => { throw new Error("quota"); } };
    assert.equal(new Storage(forbidden).works(), false);
    assert.equal(new Storage(memory()).works(), true);
});

test("a receipt is compared with what the chain has", () => {
    const receipt = {
        kind: "kopilka-receipt", format: 1, chain_id: 1, round: ROUND, round_title: null, ballot_kind: "cumulative", share_points: 10,
        account: ROUND, version: 2, initiatives: [1, 3], points: [4, 6], titles: [null, null], signature: "0x01", message_id: null,
        tx_hash: null, block_number: null, explorer_url: "https://explorer.example",
    } as const satisfies Receipt;
    assert.deepEqual(parseReceipt(JSON.stringify(receipt)), receipt);
    for (const bad of ["", "[]", "{}", JSON.stringify({ ...receipt, kind: "x" }), JSON.stringify({ ...receipt, points: ["<"] })]) {
        assert.equal(parseReceipt(bad), null);
    }
    const citizen = { registered: true, class: 0, version: 2, initiatives: [1, 3], points: [4, 6] };
    assert.equal(compare(receipt, citizen), "ok");
    assert.equal(compare(receipt, { ...citizen, points: [5, 5] }), "differs");
    assert.equal(compare(receipt, { ...citizen, version: 3 }), "newer");
    assert.equal(compare(receipt, { ...citizen, version: 1 }), "missing");
});

test("words are accepted as people write them", () => {
    assert.ok(matches(" Абонент ", "абонент"));
    assert.ok(matches("абон", "абонент"));
    assert.ok(!matches("або", "абонент"));
    assert.ok(!matches("", "абонент"));
    assert.ok(!matches("абсурд", "абонент"));
});

test("placeholders are filled once", () => {
    assert.equal(fill("{a} из {b}, {c}", { a: "{b}", b: 2 }), "{b} из 2, {c}");
});
