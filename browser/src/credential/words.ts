// The master secret as something to write on paper: 13 Russian words, or 54 digits for those who would rather copy
// numbers. Both carry a checksum; mistakes are reported by place, as data that a page turns into a sentence.

import { bytesToNumberBE, concatBytes, numberToBytesBE } from "@noble/curves/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { exactly } from "./encoding.ts";
import { MASTER_SECRET_BYTES, type MasterSecret } from "./keys.ts";
import { RUSSIAN_WORDS } from "./words-ru.ts";

/** 13 words of 11 bits: 128 of the secret and 15 of the checksum, which misses one mistake in 32,768. */
export const WORD_COUNT = 13;
/** 9 groups: 8 of the secret, 16 bits each, and the checksum. */
export const GROUP_COUNT = 9;
/** Five digits and a check digit, which finds every single wrong digit and every swap of neighbours, and is tied to the
 * group's place, so that groups in the wrong order are found too. */
export const GROUP_DIGITS = 6;

const CHECKSUM_BITS = 15n;
const BITS_OF_A_WORD = 11n;
const ABBREVIATION = 4;

/** What is wrong with recovery words or digits, and where (places count from 1). */
export type RecoveryProblem =
    | { readonly kind: "word-count"; readonly expected: number; readonly actual: number }
    | { readonly kind: "unknown-word"; readonly place: number; readonly word: string; readonly suggestions: readonly string[] }
    | { readonly kind: "digit-count"; readonly expected: number; readonly actual: number }
    | { readonly kind: "wrong-group"; readonly place: number; readonly group: string }
    | { readonly kind: "checksum" };

/** The refusal of recovery words or digits. Its message holds nothing of what was entered. */
export class RecoveryError extends Error {
    override readonly name = "RecoveryError";

    constructor(readonly problem: RecoveryProblem) {
        super(describe(problem));
    }
}

/** The 13 words of a master secret. */
export function encodeWords(master: MasterSecret): string[] {
    const secret = bytesToNumberBE(exactly(master, MASTER_SECRET_BYTES));
    let rest = (secret << CHECKSUM_BITS) | wordChecksum(master);
    const words: string[] = [];
    for (let place = 0; place < WORD_COUNT; place++) {
        words.unshift(RUSSIAN_WORDS[Number(rest & 0x7ffn)] ?? "");
        rest >>= BITS_OF_A_WORD;
    }
    return words;
}

/**
 * The master secret of 13 words, written in any case, with ё or е, numbered or not, and shortened to four letters or
 * more if their writer likes.
 */
export function decodeWords(text: string | readonly string[]): MasterSecret {
    const words = (typeof text === "string" ? text : text.join(" "))
        .normalize("NFC")
        .toLowerCase()
        .replaceAll("ё", "е")
        .split(/[^\p{L}]+/u)
        .filter((word) => word !== "");
    if (words.length !== WORD_COUNT) {
        throw new RecoveryError({ kind: "word-count", expected: WORD_COUNT, actual: words.length });
    }
    let value = 0n;
    words.forEach((word, index) => {
        const found = indexOfWord(word);
        if (found < 0) {
            throw new RecoveryError({ kind: "unknown-word", place: index + 1, word, suggestions: suggestions(word) });
        }
        value = (value << BITS_OF_A_WORD) | BigInt(found);
    });
    const master = numberToBytesBE(value >> CHECKSUM_BITS, MASTER_SECRET_BYTES);
    if ((value & ((1n << CHECKSUM_BITS) - 1n)) !== wordChecksum(master)) throw new RecoveryError({ kind: "checksum" });
    return master;
}

/** The 9 groups of 6 digits of a master secret. */
export function encodeDigits(master: MasterSecret): string[] {
    const bytes = concatBytes(exactly(master, MASTER_SECRET_BYTES), digitChecksum(master));
    return Array.from({ length: GROUP_COUNT }, (_, index) => {
        const digits = bytesToNumberBE(bytes.subarray(2 * index, 2 * index + 2)).toString().padStart(5, "0");
        return digits + checkDigit(index, digits);
    });
}

/** The master secret of 54 digits, grouped in any way. */
export function decodeDigits(text: string | readonly string[]): MasterSecret {
    const digits = (typeof text === "string" ? text : text.join(" ")).replace(/\D+/g, "");
    const expected = GROUP_COUNT * GROUP_DIGITS;
    if (digits.length !== expected) throw new RecoveryError({ kind: "digit-count", expected, actual: digits.length });
    const bytes = new Uint8Array(2 * GROUP_COUNT);
    for (let index = 0; index < GROUP_COUNT; index++) {
        const group = digits.slice(GROUP_DIGITS * index, GROUP_DIGITS * (index + 1));
        const value = Number(group.slice(0, -1));
        if (checkDigit(index, group.slice(0, -1)) !== group.slice(-1) || value > 0xffff) {
            throw new RecoveryError({ kind: "wrong-group", place: index + 1, group });
        }
        bytes.set([value >> 8, value & 0xff], 2 * index);
    }
    const master = bytes.slice(0, MASTER_SECRET_BYTES);
    const checksum = digitChecksum(master);
    if (bytes[16] !== checksum[0] || bytes[17] !== checksum[1]) throw new RecoveryError({ kind: "checksum" });
    return master;
}

/** The master secret of whichever of the two forms the text is in. */
export function decodeRecovery(text: string): MasterSecret {
    return /\p{L}/u.test(text) ? decodeWords(text) : decodeDigits(text);
}

function indexOfWord(word: string): number {
    const exact = RUSSIAN_WORDS.indexOf(word);
    if (exact >= 0 || word.length < ABBREVIATION) return exact;
    return RUSSIAN_WORDS.findIndex((candidate) => candidate.startsWith(word));
}

/** Up to three words of the list that are nearest to what was written. */
function suggestions(word: string): string[] {
    return RUSSIAN_WORDS.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
        .filter(({ distance }) => distance <= 2)
        .sort((left, right) => left.distance - right.distance)
        .slice(0, 3)
        .map(({ candidate }) => candidate);
}

/** How many letters must be added, dropped or changed (Levenshtein). */
function editDistance(left: string, right: string): number {
    let row = Array.from({ length: right.length + 1 }, (_, index) => index);
    for (let i = 1; i <= left.length; i++) {
        const next = [i];
        for (let j = 1; j <= right.length; j++) {
            const changed = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
            next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
        }
        row = next;
    }
    return row[right.length] ?? 0;
}

/** H. M. Damm's quasigroup of order 10. */
const DAMM = [
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
];

/** The check digit of a group, its place being the first digit. */
function checkDigit(index: number, digits: string): string {
    let state = "0";
    for (const digit of `${index + 1}${digits}`) state = DAMM[Number(state)]?.[Number(digit)] ?? "";
    return state;
}

function wordChecksum(master: MasterSecret): bigint {
    return bytesToNumberBE(checksum("words", master).subarray(0, 2)) >> 1n;
}

function digitChecksum(master: MasterSecret): Uint8Array {
    return checksum("digits", master).subarray(0, 2);
}

function checksum(form: string, master: MasterSecret): Uint8Array {
    return sha256(concatBytes(new TextEncoder().encode(`kopilka/v1/${form}`), master));
}

function describe(problem: RecoveryProblem): string {
    switch (problem.kind) {
        case "word-count":
            return `expected ${problem.expected} words, got ${problem.actual}`;
        case "unknown-word":
            return `word ${problem.place} is not in the list`;
        case "digit-count":
            return `expected ${problem.expected} digits, got ${problem.actual}`;
        case "wrong-group":
            return `group ${problem.place} has a wrong digit`;
        case "checksum":
            return "all parts are known, but they do not belong together: one is wrong or out of order";
    }
}
