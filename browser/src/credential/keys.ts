// Every secret of a citizen from one 128-bit master secret (HKDF-SHA256), so that whoever restores the one restores all.
// The Rust crate derives the same bytes.

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToNumberBE, concatBytes, numberToBytesBE } from "@noble/curves/utils.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { exactly, toHex, type Hex } from "./encoding.ts";
import { placeBytes, scopeBytes, type CredentialScope } from "./scope.ts";

/** The one secret that a citizen keeps: 16 random bytes. Recovery words stand for it. */
export type MasterSecret = Uint8Array;

export const MASTER_SECRET_BYTES = 16;

/** What a citizen uses in one scope. Nothing in it but the address may leave the browser. */
export interface ScopeKeys {
    /** The secp256k1 key of the throw-away account: the same for all classes of a round or poll. */
    readonly privateKey: Hex;
    /** The throw-away account, in lower case. */
    readonly address: Hex;
    /** The factor that hides the account from the issuer. */
    readonly blinding: bigint;
}

const SALT = ascii("kopilka/v1");

/** A new master secret from the browser's secure randomness. */
export function newMasterSecret(): MasterSecret {
    return crypto.getRandomValues(new Uint8Array(MASTER_SECRET_BYTES));
}

/** The account and the blinding of a scope. */
export function deriveKeys(master: MasterSecret, scope: CredentialScope): ScopeKeys {
    exactly(master, MASTER_SECRET_BYTES);
    const secret = scalar(master, concatBytes(ascii("account"), placeBytes(scope)), secp256k1.Point.Fn.ORDER);
    const privateKey = numberToBytesBE(secret, 32);
    return {
        privateKey: toHex(privateKey),
        address: addressOf(privateKey),
        blinding: scalar(master, concatBytes(ascii("blinding"), scopeBytes(scope)), bls12_381.fields.Fr.ORDER),
    };
}

/** The address of a secp256k1 key. */
export function addressOf(privateKey: Uint8Array): Hex {
    const publicKey = secp256k1.getPublicKey(privateKey, false);
    return toHex(keccak_256(publicKey.subarray(1)).subarray(12));
}

/** 48 bytes reduced to a scalar that is never zero: modulo (order - 1), plus 1. */
function scalar(master: MasterSecret, info: Uint8Array, order: bigint): bigint {
    return (bytesToNumberBE(hkdf(sha256, master, SALT, info, 48)) % (order - 1n)) + 1n;
}

function ascii(text: string): Uint8Array {
    return new TextEncoder().encode(text);
}
