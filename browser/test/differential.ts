// noble's verdicts on cases that crates/credential/tests/differential wrote, beside those of the contracts.

import { readFile } from "node:fs/promises";
import {
    encodeG1Uncompressed,
    encodePoint,
    EncodingError,
    fromHex,
    messagePoint,
    parseG1Uncompressed,
    parseG2Eip2537,
    verifyBatch,
    type CredentialScope,
    type Hex,
} from "../src/credential/index.ts";

interface Place {
    contract: Hex;
    id: Hex;
    class: number;
}

interface Cases {
    chainId: number;
    messages: (Place & { account: Hex; point: Hex })[];
    keys: { kind: string; key: Hex; valid: boolean }[];
    batches: (Place & {
        kind: string;
        key: Hex;
        accounts: Hex[];
        signatures: Hex[];
        kept: number[];
        valid: boolean;
    })[];
}

/** Judges all cases of a file and prints figures; true if noble agrees everywhere. */
export async function judge(path: string): Promise<boolean> {
    const cases = JSON.parse(await readFile(path, "utf8")) as Cases;
    const scope = (place: Place): CredentialScope => ({
        chainId: BigInt(cases.chainId),
        contract: place.contract,
        id: BigInt(place.id),
        class: place.class,
    });
    const differ = (what: string, list: readonly { kind?: string }[], wrong: number[]): number => {
        console.log(`${what}: ${list.length} cases, ${wrong.length} mismatches`);
        for (const index of wrong.slice(0, 10)) console.log(`  case ${index}: ${list[index]?.kind ?? ""}`);
        return wrong.length;
    };
    let mismatches = 0;
    mismatches += differ(
        "hash to curve",
        cases.messages as { kind?: string }[],
        indices(cases.messages, (one) => encodeG1Uncompressed(messagePoint(scope(one), one.account)) === one.point),
    );
    mismatches += differ("issuer keys", cases.keys, indices(cases.keys, (one) => accepted(() => parseG2Eip2537(fromHex(one.key))) === one.valid));
    mismatches += differ(
        "batches",
        cases.batches,
        indices(cases.batches, (one) => {
            const valid = accepted(() => {
                const key = encodePoint(parseG2Eip2537(fromHex(one.key)));
                const credentials = one.kept.map((index) => ({
                    scope: scope(one),
                    account: one.accounts[index] as Hex,
                    signature: encodePoint(parseG1Uncompressed(fromHex(one.signatures[index] as Hex))),
                }));
                return verifyBatch(key, credentials).length === 0;
            });
            return valid === one.valid;
        }),
    );
    return mismatches === 0;
}

function indices<T>(list: readonly T[], agrees: (item: T) => boolean): number[] {
    return list.flatMap((item, index) => (agrees(item) ? [] : [index]));
}

/** Whether nothing was malformed, and what was asked is true. */
function accepted(ask: () => unknown): boolean {
    try {
        return ask() !== false;
    } catch (error) {
        if (error instanceof EncodingError) return false;
        throw error;
    }
}
