// A receipt: what was signed and where it is recorded. It names no person, but shows the choice to whoever holds it.

import type { Hex } from "../credential/index.ts";
import type { SignedAllocation } from "./allocation.ts";
import type { Citizen } from "./chain.ts";
import type { RoundInfo } from "./portal.ts";
import { sameDistribution } from "./allocation.ts";

export interface Receipt {
    readonly kind: "kopilka-receipt";
    readonly format: 1;
    readonly chain_id: number;
    readonly round: Hex;
    readonly round_title: string | null;
    readonly ballot_kind: "cumulative" | "approval";
    readonly share_points: number;
    readonly account: Hex;
    readonly version: number;
    readonly initiatives: readonly number[];
    readonly points: readonly number[];
    readonly titles: readonly (string | null)[];
    readonly signature: Hex;
    readonly message_id: Hex | null;
    readonly tx_hash: Hex | null;
    readonly block_number: number | null;
    readonly explorer_url: string;
}

/** Where a message was mined. */
export interface Place {
    readonly id?: Hex | undefined;
    readonly tx_hash?: Hex | undefined;
    readonly block_number?: number | undefined;
}

export function makeReceipt(round: RoundInfo, allocation: SignedAllocation, mined: Place): Receipt {
    const titles = new Map(round.initiatives.map(({ id, title }) => [id, title]));
    return {
        kind: "kopilka-receipt",
        format: 1,
        chain_id: round.chain_id,
        round: round.contract,
        round_title: round.title,
        ballot_kind: round.ballot_kind,
        share_points: round.share_points,
        account: allocation.account,
        version: allocation.version,
        initiatives: allocation.initiatives,
        points: allocation.points,
        titles: allocation.initiatives.map((id) => titles.get(id) ?? null),
        signature: allocation.signature,
        message_id: mined.id ?? null,
        tx_hash: mined.tx_hash ?? null,
        block_number: mined.block_number ?? null,
        explorer_url: round.explorer_url,
    };
}

/** Reads a receipt from a file; null if it is none. */
export function parseReceipt(content: string): Receipt | null {
    try {
        const receipt = JSON.parse(content) as Receipt;
        const numbers = (list: unknown) => Array.isArray(list) && list.every((entry) => Number.isInteger(entry));
        const valid =
            receipt.kind === "kopilka-receipt" &&
            receipt.format === 1 &&
            /^0x[0-9a-f]{40}$/i.test(receipt.account) &&
            /^0x[0-9a-f]{40}$/i.test(receipt.round) &&
            Number.isInteger(receipt.version) &&
            numbers(receipt.initiatives) &&
            numbers(receipt.points);
        return valid ? receipt : null;
    } catch {
        return null;
    }
}

/** How a receipt and the chain's record go together. */
export type Verdict = "ok" | "newer" | "differs" | "missing";

export function compare(receipt: Receipt, citizen: Citizen): Verdict {
    if (citizen.version < receipt.version) return "missing";
    if (citizen.version > receipt.version) return "newer";
    return sameDistribution(receipt, citizen) ? "ok" : "differs";
}
