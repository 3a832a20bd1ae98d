// Several issuers: noble combines what blst's group signed, refuses what Rust refuses, and names whom Rust names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import vectors from "../../crates/credential/vectors/credential.json";
import {
    blind,
    checkThreshold,
    combine,
    deriveKeys,
    encodeG1Uncompressed,
    encodeG2Eip2537,
    encodePoint,
    EncodingError,
    fromHex,
    groupKeyOf,
    lagrange,
    newMasterSecret,
    parseG1,
    parseG2,
    parseScalar,
    ThresholdError,
    unblind,
    verify,
    verifyPartial,
    type CredentialScope,
    type GroupKeys,
    type Hex,
    type PartialSignature,
} from "../src/credential/index.ts";

const { Fr } = bls12_381.fields;
const hex = (text: string | undefined): Hex => (text ?? "") as Hex;
const groups = Object.entries(vectors.threshold);
type Group = (typeof vectors.threshold)["twoOfThree"];

function keysOf(group: Group): GroupKeys {
    return { needed: group.needed, groupKey: hex(group.groupKey), shareKeys: group.shareKey.map(hex) };
}

function answers(group: Group, row: number): PartialSignature[] {
    const signatures = group.partial.slice(row * group.issuers, (row + 1) * group.issuers);
    return signatures.map((signature, place) => ({ issuer: place + 1, signature: hex(signature) }));
}

/** All ways to choose `size` of the items. */
function choices<T>(items: readonly T[], size: number): T[][] {
    if (size === 0) return [[]];
    return items.flatMap((item, place) => choices(items.slice(place + 1), size - 1).map((rest) => [item, ...rest]));
}

function refusal(code: string, issuers: readonly number[] = []): (error: unknown) => boolean {
    return (error) => {
        assert.ok(error instanceof ThresholdError, String(error));
        assert.equal(error.code, code);
        assert.deepEqual([...error.issuers], issuers);
        return true;
    };
}

for (const [name, group] of groups) {
    const keys = keysOf(group);
    const scope: CredentialScope = {
        chainId: BigInt(group.chainId),
        contract: hex(group.contract),
        id: BigInt(group.scopeId),
        class: Number(group.class),
    };

    test(`${name}: any t answers make the credential that Rust made`, () => {
        group.account.forEach((account, row) => {
            const blinding = parseScalar(fromHex(hex(group.blinding[row])));
            const blinded = blind(scope, hex(account), blinding);
            assert.equal(blinded, group.blinded[row]);
            const all = answers(group, row);
            for (const chosen of row === 0 ? choices(all, group.needed) : [all.slice(-group.needed).reverse()]) {
                const combined = combine(keys, blinded, chosen);
                assert.equal(combined, group.combined[row]);
                const signature = unblind(combined, blinding);
                assert.equal(signature, group.signature[row]);
                assert.equal(encodeG1Uncompressed(parseG1(fromHex(signature))), group.signatureUncompressed[row]);
            }
            assert.ok(verify(keys.groupKey, scope, hex(account), hex(group.signature[row])));
        });
    });

    test(`${name}: each answer is checked against its issuer's key`, () => {
        const blinded = hex(group.blinded[0]);
        for (const partial of answers(group, 0)) {
            assert.ok(verifyPartial(keys, blinded, partial));
            assert.ok(!verifyPartial(keys, hex(group.blinded[1]), partial), "another message");
            const other = (partial.issuer % group.issuers) + 1;
            assert.ok(!verifyPartial(keys, blinded, { ...partial, issuer: other }), "another issuer");
        }
    });

    test(`${name}: what Rust refuses to combine is refused for the same reason, and the same issuers are named`, () => {
        group.refused.what.forEach((what, row) => {
            const partials = group.refused.partials[row] as PartialSignature[];
            const reason = group.refused.reason[row] ?? "";
            assert.throws(
                () => combine(keys, hex(group.blinded[0]), partials),
                (error) => {
                    assert.ok(error instanceof ThresholdError, what);
                    assert.equal(error.code, reason, what);
                    if (reason === "wrong-partials") assert.deepEqual([...error.issuers], group.refused.wrong[row], what);
                    return true;
                },
            );
        });
    });

    test(`${name}: the group key follows from the keys of the shares`, () => {
        assert.equal(groupKeyOf(group.needed, keys.shareKeys), group.groupKey);
        assert.equal(encodeG2Eip2537(parseG2(fromHex(keys.groupKey))), group.groupKeyEip2537);
        const swapped = [...keys.shareKeys];
        [swapped[0], swapped[1]] = [keys.shareKeys[1]!, keys.shareKeys[0]!];
        assert.throws(() => groupKeyOf(group.needed, swapped), refusal("inconsistent-keys"));
        const secrets = group.shareSecret.map((secret) => parseScalar(fromHex(hex(secret))));
        const numbers = secrets.map((_, place) => place + 1).slice(-group.needed);
        const secret = lagrange(numbers, 0).reduce((sum, weight, place) => Fr.add(sum, Fr.mul(weight, secrets[numbers[place]! - 1]!)), 0n);
        assert.equal(encodePoint(bls12_381.G2.Point.BASE.multiply(secret)), group.groupKey);
    });
}

test("a key on chain that is not the group's is noticed, and nobody is blamed", () => {
    const keys = { ...keysOf(vectors.threshold.twoOfThree), groupKey: hex(vectors.threshold.threeOfFive.groupKey) };
    const partials = answers(vectors.threshold.twoOfThree, 0);
    assert.throws(() => combine(keys, hex(vectors.threshold.twoOfThree.blinded[0]), partials), refusal("inconsistent-keys"));
});

test("answers of two groups do not mix", () => {
    const { twoOfThree, threeOfFive } = vectors.threshold;
    const mixed = [answers(twoOfThree, 0)[0]!, answers(threeOfFive as unknown as Group, 0)[1]!];
    assert.throws(() => combine(keysOf(twoOfThree), hex(twoOfThree.blinded[0]), mixed), refusal("wrong-partials", [2]));
});

test("one issuer alone has no credential", () => {
    const group = vectors.threshold.twoOfThree;
    const keys = keysOf(group);
    const blinded = hex(group.blinded[0]);
    const own = answers(group, 0)[2]!;
    const point = parseG1(fromHex(own.signature));
    const factors = [1n, 2n, 3n, ...lagrange([1, 3], 0), ...lagrange([2, 3], 0), ...lagrange([1, 2], 0)];
    for (const factor of factors) {
        const guess: PartialSignature = { issuer: 1, signature: encodePoint(point.multiply(factor)) };
        assert.throws(() => combine(keys, blinded, [own, guess]), refusal("wrong-partials", [1]));
        const alone = encodePoint(point.multiply(factor));
        const signature = unblind(alone, parseScalar(fromHex(hex(group.blinding[0]))));
        const scope = { chainId: BigInt(group.chainId), contract: hex(group.contract), id: BigInt(group.scopeId), class: 0 };
        assert.ok(!verify(keys.groupKey, scope, hex(group.account[0]), signature));
    }
});

test("numbers that give no protection, and malformed answers, are refused", () => {
    const bad: [number, number][] = [[0, 0], [1, 1], [1, 3], [2, 4], [4, 3], [1.5, 2], [200, 256], [NaN, 3]];
    for (const [needed, issuers] of bad) assert.throws(() => checkThreshold(needed, issuers), refusal("bad-threshold"));
    for (const [needed, issuers] of [[2, 2], [2, 3], [5, 9], [255, 255]] as const) checkThreshold(needed, issuers);
    const group = vectors.threshold.twoOfThree;
    const partials = answers(group, 0);
    for (const issuer of [0, -1, 4, 1.5, NaN]) {
        const wrong = [partials[0]!, { ...partials[1]!, issuer }];
        assert.throws(() => combine(keysOf(group), hex(group.blinded[0]), wrong), refusal("unknown-issuer", [issuer]));
    }
    vectors.badG1Compressed.encoding.forEach((encoding, row) => {
        const wrong = [partials[0]!, { issuer: 2, signature: hex(encoding) }];
        assert.throws(
            () => combine(keysOf(group), hex(group.blinded[0]), wrong),
            (error) => error instanceof EncodingError && error.code === vectors.badG1Compressed.reason[row],
        );
    });
});

test("combining takes a bearable time", (context) => {
    for (const group of [vectors.threshold.twoOfThree, vectors.threshold.threeOfFive as unknown as Group]) {
        const keys = keysOf(group);
        const scope = { chainId: BigInt(group.chainId), contract: hex(group.contract), id: BigInt(group.scopeId), class: Number(group.class) };
        const { address, blinding } = deriveKeys(newMasterSecret(), scope);
        const blinded = blind(scope, address, blinding);
        const timed = <T>(work: () => T): [T, number] => {
            const start = performance.now();
            const result = work();
            return [result, performance.now() - start];
        };
        const secrets = group.shareSecret.map((secret) => parseScalar(fromHex(hex(secret))));
        const [partials, signing] = timed(() =>
            secrets.map((secret, place) => ({ issuer: place + 1, signature: encodePoint(parseG1(fromHex(blinded)).multiply(secret)) })),
        );
        const [holds, checking] = timed(() => verifyPartial(keys, blinded, partials[0]!));
        const [combined, combining] = timed(() => combine(keys, blinded, partials));
        assert.ok(holds && verify(keys.groupKey, scope, address, unblind(combined, blinding)));
        const figures = `sign ${(signing / secrets.length).toFixed(1)} ms, verify ${checking.toFixed(1)} ms, combine ${combining.toFixed(1)} ms`;
        context.diagnostic(`${group.needed} of ${group.issuers}: ${figures}`);
    }
});
