// What a credential is for: the scope, the account that holds it, and the message that the issuer signs unseen.

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { concatBytes, numberToBytesBE } from "@noble/curves/utils.js";
import { exactly, fromHex, type G1Point, type Hex } from "./encoding.ts";

/** Domain separation tag of credential messages (RFC 9380). */
export const DOMAIN = "KOPILKA-V01-CS01-with-BLS12381G1_XMD:SHA-256_SSWU_RO_";

/**
 * What a credential entitles to. Every scope has an issuer key of its own: the issuer cannot see for which scope it
 * signs, so a key shared by two scopes would let a credential for one be used in the other.
 */
export interface CredentialScope {
    /** The EVM chain, below 2^64. */
    readonly chainId: bigint;
    /** The contract that accepts the credential. */
    readonly contract: Hex;
    /** The round, poll or stamp in that contract (a uint256). */
    readonly id: bigint;
    /** The class within it, 0 to 255. */
    readonly class: number;
}

/** Chain id (32 bytes), contract (20), scope id (32): the part of the scope that an account key belongs to. */
export function placeBytes(scope: CredentialScope): Uint8Array {
    if (scope.chainId < 0n || scope.chainId >= 1n << 64n) throw new RangeError("chainId must be between 0 and 2^64 - 1");
    if (scope.id < 0n || scope.id >= 1n << 256n) throw new RangeError("id must be between 0 and 2^256 - 1");
    return concatBytes(
        numberToBytesBE(scope.chainId, 32),
        exactly(fromHex(scope.contract), 20),
        numberToBytesBE(scope.id, 32),
    );
}

/** The place and the class: 85 bytes that no two scopes share. */
export function scopeBytes(scope: CredentialScope): Uint8Array {
    if (!Number.isInteger(scope.class) || scope.class < 0 || scope.class > 255) {
        throw new RangeError("class must be a whole number between 0 and 255");
    }
    return concatBytes(placeBytes(scope), Uint8Array.of(scope.class));
}

/** The 105 bytes that the issuer signs: chain id ‖ contract ‖ scope id ‖ class ‖ account. */
export function messageBytes(scope: CredentialScope, account: Hex): Uint8Array {
    return concatBytes(scopeBytes(scope), exactly(fromHex(account), 20));
}

/** RFC 9380 BLS12381G1_XMD:SHA-256_SSWU_RO_ with any domain separation tag. */
export function hashToCurve(message: Uint8Array, domain: string): G1Point {
    return bls12_381.G1.hashToCurve(message, { DST: domain });
}

/** The point that is signed for an account in a scope. */
export function messagePoint(scope: CredentialScope, account: Hex): G1Point {
    return hashToCurve(messageBytes(scope, account), DOMAIN);
}
