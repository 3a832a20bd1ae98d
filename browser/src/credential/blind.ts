// Blinding, unblinding and verifying. Points come and go as hex of their compressed form, and are checked on the way in.
//
// Never check a plain sum of signatures: a blind issuer signs whatever point it is given, so one issued signature on
// H(m1)+H(m2) splits into two "signatures" that only add up. verifyBatch weighs every item with a secret random factor.

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { pippenger } from "@noble/curves/abstract/curve.js";
import { bytesToNumberBE } from "@noble/curves/utils.js";
import { encodePoint, EncodingError, fromHex, G1, G2, parseG1, parseG2, type G1Point, type G2Point, type Hex } from "./encoding.ts";
import { messagePoint, type CredentialScope } from "./scope.ts";

const { Fr, Fp12 } = bls12_381.fields;

/** An account's claim to be entitled in a scope, not verified yet. */
export interface Credential {
    readonly scope: CredentialScope;
    readonly account: Hex;
    readonly signature: Hex;
}

/** What to send to the issuer: the message of an account in a scope, hidden by the blinding. */
export function blind(scope: CredentialScope, account: Hex, blinding: bigint): Hex {
    return encodePoint(messagePoint(scope, account).multiply(checkedBlinding(blinding)));
}

/** The signature in the issuer's answer. Verify it before using it: nobody has checked what the issuer answered. */
export function unblind(blindSignature: Hex, blinding: bigint): Hex {
    return encodePoint(parseG1(fromHex(blindSignature)).multiply(Fr.inv(checkedBlinding(blinding))));
}

/**
 * Whether the signature is the key's on this scope and account. Throws an EncodingError if a value is malformed.
 * Take the key from the chain, never from the issuer: a key of one citizen's own would mark that citizen.
 */
export function verify(publicKey: Hex, scope: CredentialScope, account: Hex, signature: Hex): boolean {
    return pairingHolds(parseG1(fromHex(signature)), messagePoint(scope, account), parseG2(fromHex(publicKey)));
}

/** The indices of the bad credentials of one issuer key, in order; none if all are valid. */
export function verifyBatch(
    publicKey: Hex,
    credentials: readonly Credential[],
    randomBytes: (length: number) => Uint8Array = (length) => crypto.getRandomValues(new Uint8Array(length)),
): number[] {
    const key = parseG2(fromHex(publicKey));
    const signatures = credentials.map((credential) => parseG1(fromHex(credential.signature)));
    const messages = credentials.map((credential) => messagePoint(credential.scope, credential.account));
    const coefficients = credentials.map(() => randomCoefficient(randomBytes));
    const holds = (start: number, end: number): boolean => {
        const weights = coefficients.slice(start, end);
        const sum = (points: G1Point[]) => pippenger(G1, points.slice(start, end), weights);
        return pairingHolds(sum(signatures), sum(messages), key);
    };
    const bad: number[] = [];
    // The whole's equation is the product of its halves': where the left half holds, the right one cannot.
    const nameBad = (start: number, end: number): void => {
        if (end - start === 1) {
            bad.push(start);
            return;
        }
        const middle = start + Math.floor((end - start) / 2);
        const leftHolds = holds(start, middle);
        if (!leftHolds) nameBad(start, middle);
        if (leftHolds || !holds(middle, end)) nameBad(middle, end);
    };
    if (credentials.length > 0 && !holds(0, credentials.length)) nameBad(0, credentials.length);
    return bad;
}

/** Whether e(signature, g2) = e(message, key). */
export function pairingHolds(signature: G1Point, message: G1Point, key: G2Point): boolean {
    if (signature.is0() || message.is0()) return signature.is0() && message.is0();
    const product = bls12_381.pairingBatch([
        { g1: signature.negate(), g2: G2.BASE },
        { g1: message, g2: key },
    ]);
    return Fp12.eql(product, Fp12.ONE);
}

/** Between 1 and 2^128 - 1: zero would let a bad credential through. */
function randomCoefficient(randomBytes: (length: number) => Uint8Array): bigint {
    for (;;) {
        const coefficient = bytesToNumberBE(randomBytes(16));
        if (coefficient !== 0n) return coefficient;
    }
}

function checkedBlinding(blinding: bigint): bigint {
    if (blinding <= 0n || blinding >= Fr.ORDER) throw new EncodingError("scalar-out-of-range");
    return blinding;
}
