// Credentials from t of n issuers: checks each issuer's answer and combines any t into the answer of the group key. The twin
// of crates/credential/src/threshold; what comes out is an ordinary blind signature under an ordinary issuer key.

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { pairingHolds } from "./blind.ts";
import { encodePoint, fromHex, G1, G2, parseG1, parseG2, type G1Point, type G2Point, type Hex } from "./encoding.ts";

const { Fr } = bls12_381.fields;

/** The public keys of a group of issuers. */
export interface GroupKeys {
    /** How many issuers must answer (t). */
    readonly needed: number;
    /**
     * The key of the group. Take it from the chain: the issuers' own word is not enough, a key of one citizen's own would mark
     * that citizen.
     */
    readonly groupKey: Hex;
    /** The key of each issuer's share, the first issuer's first (n). Wrong ones do no more harm than to blame the wrong issuer. */
    readonly shareKeys: readonly Hex[];
}

/** One issuer's answer to a blinded message. */
export interface PartialSignature {
    /** The number of the issuer, from 1. */
    readonly issuer: number;
    readonly signature: Hex;
}

export type ThresholdErrorCode =
    | "bad-threshold"
    | "unknown-issuer"
    | "duplicate-issuer"
    | "too-few-partials"
    | "wrong-partials"
    | "inconsistent-keys";

/** Why answers were not combined; `issuers` are those to blame. */
export class ThresholdError extends Error {
    override readonly name = "ThresholdError";

    constructor(
        readonly code: ThresholdErrorCode,
        message: string,
        readonly issuers: readonly number[] = [],
    ) {
        super(message);
    }
}

/** Refuses numbers that give no protection: at least 2, more than half and at most all of the issuers must be needed. */
export function checkThreshold(needed: number, issuers: number): void {
    const whole = Number.isInteger(needed) && Number.isInteger(issuers);
    if (!whole || needed < 2 || needed > issuers || 2 * needed <= issuers || issuers > 255) {
        throw new ThresholdError("bad-threshold", `${needed} of ${issuers} issuers is no threshold`);
    }
}

/** Whether an answer is its issuer's on this blinded message. Throws an EncodingError if a value is malformed. */
export function verifyPartial(keys: GroupKeys, blinded: Hex, partial: PartialSignature): boolean {
    return partialHolds(keys, parseG1(fromHex(blinded)), partial);
}

/**
 * The group's answer to a blinded message from the first t answers, checked against the group key: one pairing if all is
 * well. Otherwise a ThresholdError names the issuers whose answers are wrong; leave them out, ask others, and combine again.
 */
export function combine(keys: GroupKeys, blinded: Hex, partials: readonly PartialSignature[]): Hex {
    checkThreshold(keys.needed, keys.shareKeys.length);
    const seen = new Set<number>();
    for (const { issuer } of partials) {
        shareKey(keys, issuer);
        if (seen.has(issuer)) throw new ThresholdError("duplicate-issuer", `issuer ${issuer} appears twice`, [issuer]);
        seen.add(issuer);
    }
    if (partials.length < keys.needed) {
        const message = `${partials.length} partial signatures are too few: ${keys.needed} issuers must sign`;
        throw new ThresholdError("too-few-partials", message);
    }
    const message = parseG1(fromHex(blinded));
    const used = partials.slice(0, keys.needed);
    const sum = combination(G1.ZERO, used.map(({ signature }) => signaturePoint(signature)), lagrange([...seen].slice(0, keys.needed), 0));
    if (!sum.is0() && pairingHolds(sum, message, parseG2(fromHex(keys.groupKey)))) return encodePoint(sum);
    const wrong = partials.filter((partial) => !partialHolds(keys, message, partial)).map(({ issuer }) => issuer);
    const names = wrong.map((issuer) => `issuer ${issuer}`).join(", ");
    if (wrong.length > 0) throw new ThresholdError("wrong-partials", `the partial signature of ${names} is wrong`, wrong);
    throw new ThresholdError("inconsistent-keys", "the issuers' keys are not those of the key on chain");
}

/**
 * The group key that belongs to the keys of the shares, or an "inconsistent-keys" error. Slow for a page (n-t+1 interpolations in
 * G2): combining checks against the key on chain anyway.
 */
export function groupKeyOf(needed: number, shareKeys: readonly Hex[]): Hex {
    checkThreshold(needed, shareKeys.length);
    const points = shareKeys.map((key) => parseG2(fromHex(key)));
    const first = Array.from({ length: needed }, (_, place) => place + 1);
    const at = (x: number): G2Point => combination(G2.ZERO, points.slice(0, needed), lagrange(first, x));
    const group = at(0);
    if (group.is0() || points.some((point, place) => place >= needed && !point.equals(at(place + 1)))) {
        throw new ThresholdError("inconsistent-keys", "the public keys of the shares do not belong together");
    }
    return encodePoint(group);
}

/** Lagrange's coefficients (x-k)/(j-k) for a polynomial's value at x from its values at the issuers, who are all different. */
export function lagrange(issuers: readonly number[], x: number): bigint[] {
    return issuers.map((one) => {
        let [numerator, denominator] = [1n, 1n];
        for (const other of issuers) {
            if (other === one) continue;
            numerator = Fr.mul(numerator, Fr.create(BigInt(x - other)));
            denominator = Fr.mul(denominator, Fr.create(BigInt(one - other)));
        }
        return Fr.mul(numerator, Fr.inv(denominator));
    });
}

function shareKey(keys: GroupKeys, issuer: number): Hex {
    const key = Number.isInteger(issuer) ? keys.shareKeys[issuer - 1] : undefined;
    if (key !== undefined) return key;
    const message = `there is no issuer ${issuer}: the issuers are numbered from 1 to ${keys.shareKeys.length}`;
    throw new ThresholdError("unknown-issuer", message, [issuer]);
}

function partialHolds(keys: GroupKeys, message: G1Point, partial: PartialSignature): boolean {
    return pairingHolds(signaturePoint(partial.signature), message, parseG2(fromHex(shareKey(keys, partial.issuer))));
}

function signaturePoint(signature: Hex): G1Point {
    return parseG1(fromHex(signature));
}

interface Addable<T> {
    add(other: T): T;
    multiplyUnsafe(scalar: bigint): T;
}

/** The weighted sum of points; weights are public. */
function combination<T extends Addable<T>>(zero: T, points: readonly T[], weights: readonly bigint[]): T {
    return points.reduce((sum, point, place) => sum.add(point.multiplyUnsafe(weights[place] ?? 0n)), zero);
}
