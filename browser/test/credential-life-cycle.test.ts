// From a master secret to a verified credential, as the pages do it, and how long it takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import {
    addressOf,
    blind,
    deriveKeys,
    encodePoint,
    EncodingError,
    fromHex,
    newMasterSecret,
    parseG1,
    unblind,
    verify,
    type CredentialScope,
} from "../src/credential/index.ts";

const scope: CredentialScope = { chainId: 31337n, contract: `0x${"11".repeat(20)}`, id: 7n, class: 2 };
const secret = 0x5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eedn;
const publicKey = encodePoint(bls12_381.G2.Point.BASE.multiply(secret));

test("a credential lives, and takes a bearable time", (context) => {
    const times = { derive: 0, blind: 0, unblind: 0, verify: 0 };
    const timed = <T>(step: keyof typeof times, work: () => T): T => {
        const start = performance.now();
        const result = work();
        times[step] += performance.now() - start;
        return result;
    };
    const rounds = 5;
    for (let round = 0; round < rounds; round++) {
        const keys = timed("derive", () => deriveKeys(newMasterSecret(), scope));
        const blinded = timed("blind", () => blind(scope, keys.address, keys.blinding));
        const answer = encodePoint(parseG1(fromHex(blinded)).multiply(secret));
        const signature = timed("unblind", () => unblind(answer, keys.blinding));
        assert.ok(timed("verify", () => verify(publicKey, scope, keys.address, signature)));
        assert.ok(!verify(publicKey, scope, keys.address, answer), "the blind signature itself is no credential");
    }
    const report = Object.entries(times).map(([step, total]) => `${step} ${(total / rounds).toFixed(1)} ms`);
    context.diagnostic(report.join(", "));
});

test("the signature does not depend on the blinding, and the request does", () => {
    const { address } = deriveKeys(newMasterSecret(), scope);
    const factors = [1n, 2n, 3n ** 150n % bls12_381.fields.Fr.ORDER];
    const requests = factors.map((factor) => blind(scope, address, factor));
    const signatures = requests.map((request, index) =>
        unblind(encodePoint(parseG1(fromHex(request)).multiply(secret)), factors[index]!),
    );
    assert.equal(new Set(requests).size, factors.length);
    assert.equal(new Set(signatures).size, 1);
});

test("a blinding outside its range is refused", () => {
    const { address } = deriveKeys(newMasterSecret(), scope);
    for (const wrong of [0n, -1n, bls12_381.fields.Fr.ORDER]) {
        assert.throws(() => blind(scope, address, wrong), EncodingError);
    }
});

test("the same secret gives the same keys, another scope others, another class the same account", () => {
    const master = newMasterSecret();
    const keys = deriveKeys(master, scope);
    assert.deepEqual(deriveKeys(master.slice(), scope), keys);
    const others = [{ chainId: 1n }, { id: 8n }, { contract: `0x${"12".repeat(20)}` as const }];
    for (const other of others) {
        const different = deriveKeys(master, { ...scope, ...other });
        assert.notEqual(different.address, keys.address);
        assert.notEqual(different.blinding, keys.blinding);
    }
    const otherClass = deriveKeys(master, { ...scope, class: 3 });
    assert.equal(otherClass.address, keys.address);
    assert.notEqual(otherClass.blinding, keys.blinding);
    assert.throws(() => deriveKeys(new Uint8Array(15), scope), EncodingError);
});

test("an account has its well-known address", () => {
    // The first account that every development chain opens with.
    const key = fromHex("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    assert.equal(addressOf(key), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
});
