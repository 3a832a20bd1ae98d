// Reading ABI-encoded words, as much of it as the recount needs, and strictly: what does not fit its type is refused.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Why bytes are not the encoding of what was expected. */
export class AbiError extends Error {
    override readonly name = "AbiError";
}

/** keccak256 of a signature such as `Registered(address,uint8)`: the first topic of an event, 0x and 64 digits. */
export function signatureHash(signature: string): string {
    return `0x${bytesToHex(keccak_256(new TextEncoder().encode(signature)))}`;
}

/** The first four bytes of calls of a function: 0x and 8 digits. */
export function selector(signature: string): string {
    return signatureHash(signature).slice(0, 10);
}

/** Words of 32 bytes; values are asked by the index of their word in the head. */
export class Words {
    readonly count: number;
    private readonly digits: string;

    /** `hex` is 0x and a multiple of 64 digits. */
    constructor(hex: unknown) {
        if (typeof hex !== "string" || !/^0x[0-9a-fA-F]*$/.test(hex) || hex.length % 64 !== 2) {
            throw new AbiError("expected 0x and words of 64 hexadecimal digits");
        }
        this.digits = hex.slice(2).toLowerCase();
        this.count = this.digits.length / 64;
    }

    /** 64 digits. */
    private word(index: number): string {
        if (!(index < this.count)) throw new AbiError(`word ${index} is missing: there are ${this.count}`);
        return this.digits.slice(64 * index, 64 * (index + 1));
    }

    uint(index: number, bits = 256): bigint {
        const value = BigInt(`0x${this.word(index)}`);
        if (value >> BigInt(bits) !== 0n) throw new AbiError(`word ${index} does not fit ${bits} bits`);
        return value;
    }

    /** An unsigned integer of at most 48 bits. */
    number(index: number, bits: number): number {
        const word = this.word(index);
        const value = /^0{52}/.test(word) ? Number.parseInt(word.slice(52), 16) : Infinity;
        if (value >= 2 ** bits) throw new AbiError(`word ${index} does not fit ${bits} bits`);
        return value;
    }

    bool(index: number): boolean {
        return this.number(index, 1) === 1;
    }

    /** 0x and 64 digits. */
    bytes32(index: number): string {
        return `0x${this.word(index)}`;
    }

    /** 0x and 40 digits in lower case. */
    address(index: number): string {
        const word = this.word(index);
        if (!/^0{24}/.test(word)) throw new AbiError(`word ${index} is not an address`);
        return `0x${word.slice(24)}`;
    }

    /** A dynamic array of unsigned integers of at most 48 bits, whose offset is in the head. */
    numbers(index: number, bits: number): number[] {
        const offset = this.number(index, 48);
        if (offset % 32 !== 0) throw new AbiError(`the offset in word ${index} is not a multiple of 32`);
        const start = offset / 32 + 1;
        const length = this.number(start - 1, 48);
        if (start + length > this.count) throw new AbiError(`the array of word ${index} ends outside of the data`);
        return Array.from({ length }, (_, place) => this.number(start + place, bits));
    }
}
