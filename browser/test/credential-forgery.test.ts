// Making more credentials than were issued. Every attempt is refused; a plain-sum check, shown here, lets some through.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import vectors from "../../crates/credential/vectors/credential.json";
import {
    deriveKeys,
    encodePoint,
    EncodingError,
    fromHex,
    messagePoint,
    newMasterSecret,
    parseG1,
    parseG2,
    unblind,
    verify,
    verifyBatch,
    type Credential,
    type CredentialScope,
    type G1Point,
    type Hex,
} from "../src/credential/index.ts";

const { Fr, Fp12 } = bls12_381.fields;
const scope: CredentialScope = { chainId: 31337n, contract: `0x${"11".repeat(20)}`, id: 1n, class: 0 };
const secret = 0x1234567890abcdef1234567890abcdef1234567890abcdefn;
const publicKey = encodePoint(bls12_381.G2.Point.BASE.multiply(secret));

/** The issuer: signs whatever blinded point it is given. */
const issue = (blinded: Hex): Hex => encodePoint(parseG1(fromHex(blinded)).multiply(secret));
const account = () => deriveKeys(newMasterSecret(), scope).address;
const claim = (account: Hex, signature: G1Point): Credential => ({ scope, account, signature: encodePoint(signature) });

/** e(Σ σᵢ, g₂) = e(Σ H(mᵢ), pk): the check that must never be made. */
function plainSumAccepts(key: Hex, claims: readonly Credential[]): boolean {
    const sum = (points: G1Point[]) => points.reduce((left, right) => left.add(right));
    const signature = sum(claims.map((item) => parseG1(fromHex(item.signature))));
    const message = sum(claims.map((item) => messagePoint(item.scope, item.account)));
    if (signature.is0()) return false;
    const product = bls12_381.pairingBatch([
        { g1: signature.negate(), g2: bls12_381.G2.Point.BASE },
        { g1: message, g2: parseG2(fromHex(key)) },
    ]);
    return Fp12.eql(product, Fp12.ONE);
}

test("one issued signature on a sum of messages is not two credentials", () => {
    const [first, second] = [account(), account()];
    // The forger asks once, for r·(H(m₁)+H(m₂)), a point as good as any other to the issuer.
    const blinding = 987654321987654321n;
    const sum = messagePoint(scope, first).add(messagePoint(scope, second));
    const issued = parseG1(fromHex(unblind(issue(encodePoint(sum.multiply(blinding))), blinding)));
    // It splits σ into σ₁+σ₂ at any point it likes.
    const part = messagePoint(scope, first).multiply(42n);
    const forged = [claim(first, part), claim(second, issued.subtract(part))];
    assert.ok(plainSumAccepts(publicKey, forged), "the attack is real: a plain sum counts two votes for one credential");
    assert.deepEqual(verifyBatch(publicKey, forged), [0, 1]);
    assert.ok(forged.every((item) => !verify(publicKey, scope, item.account, item.signature)));
    // Among honest credentials nothing else is spoilt.
    const honest = [account(), account(), account()].map((who) => claim(who, messagePoint(scope, who).multiply(secret)));
    assert.deepEqual(verifyBatch(publicKey, [honest[0]!, forged[0]!, honest[1]!, forged[1]!, honest[2]!]), [1, 3]);
});

test("the forgeries of the vectors are refused", () => {
    const { forgeries, batch } = vectors;
    forgeries.name.forEach((name, index) => {
        const claims = [0, 1].map((which) => ({
            scope,
            account: forgeries.account[which] as Hex,
            signature: forgeries.signature[2 * index + which] as Hex,
        }));
        const key = batch.issuerPublicKey as Hex;
        assert.equal(plainSumAccepts(key, claims), forgeries.plainSumAccepts[index], `plain sum: ${name}`);
        const bad = [0, 1].filter((which) => !verify(key, scope, claims[which]!.account, claims[which]!.signature));
        assert.notEqual(bad.length, 0, name);
        assert.deepEqual(verifyBatch(key, claims), bad, name);
    });
});

test("scaled, negated and combined signatures are refused", () => {
    const who = [account(), account(), account()];
    const points = who.map((one) => messagePoint(scope, one));
    const [one, two, three] = points.map((point) => point.multiply(secret)) as [G1Point, G1Point, G1Point];
    const attempts: [string, G1Point][] = [
        ["doubled", one.double()],
        ["halved", one.multiply(Fr.inv(2n))],
        ["negated", one.negate()],
        ["another account's", two],
        ["the sum of two others", two.add(three)],
        ["a combination of all", one.double().add(two).subtract(three)],
        ["the message itself", points[0]!],
        ["the generator", bls12_381.G1.Point.BASE],
    ];
    for (const [name, signature] of attempts) {
        assert.deepEqual(verifyBatch(publicKey, [claim(who[1]!, two), claim(who[0]!, signature)]), [1], name);
    }
    assert.deepEqual(verifyBatch(publicKey, [claim(who[0]!, one), claim(who[1]!, two), claim(who[2]!, three)]), []);
    assert.deepEqual(verifyBatch(publicKey, []), []);
});

test("infinity and points outside the subgroup never get as far as the pairing", () => {
    vectors.badG1Compressed.encoding.forEach((encoding, index) => {
        const refused = (error: unknown) =>
            error instanceof EncodingError && error.code === vectors.badG1Compressed.reason[index];
        const signature = encoding as Hex;
        assert.throws(() => verify(publicKey, scope, account(), signature), refused);
        assert.throws(() => verifyBatch(publicKey, [{ scope, account: account(), signature }]), refused);
        assert.throws(() => unblind(signature, 5n), refused);
    });
    assert.throws(() => verify(`0xc0${"00".repeat(95)}`, scope, account(), publicKey), EncodingError);
});

test("coefficients are drawn for every item, and zero is drawn again", () => {
    const who = account();
    const item = claim(who, messagePoint(scope, who).multiply(secret));
    let drawn = 0;
    const zeroFirst = (length: number) => new Uint8Array(length).fill(drawn++ === 0 ? 0 : drawn);
    assert.deepEqual(verifyBatch(publicKey, [item, item], zeroFirst), []);
    assert.equal(drawn, 3);
});
