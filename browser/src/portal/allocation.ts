// A citizen's whole distribution: how it is signed and compared. Pure functions.

import { SigningKey, TypedDataEncoder } from "ethers";
import type { Hex } from "../credential/index.ts";

/** Points by initiative; on approval ballots every chosen initiative has 1. Zero means not chosen. */
export type Choices = ReadonlyMap<number, number>;

export interface Allocation {
    readonly account: Hex;
    readonly version: number;
    readonly initiatives: readonly number[];
    readonly points: readonly number[];
}

export interface SignedAllocation extends Allocation {
    readonly signature: Hex;
}

const TYPES = {
    Allocation: [
        { name: "account", type: "address" },
        { name: "version", type: "uint32" },
        { name: "initiatives", type: "uint16[]" },
        { name: "points", type: "uint16[]" },
    ],
};

/** The message of these choices: initiatives ascending, points only on cumulative ballots. */
export function toAllocation(account: Hex, version: number, choices: Choices, cumulative: boolean): Allocation {
    const chosen = [...choices].filter(([, points]) => points > 0).sort(([left], [right]) => left - right);
    return {
        account,
        version,
        initiatives: chosen.map(([id]) => id),
        points: cumulative ? chosen.map(([, points]) => points) : [],
    };
}

/** The choices of a recorded allocation. */
export function toChoices(allocation: Pick<Allocation, "initiatives" | "points">): Map<number, number> {
    return new Map(allocation.initiatives.map((id, index) => [id, allocation.points[index] ?? 1]));
}

/** Signs by EIP-712 with the throw-away key: 65 bytes r‖s‖v. */
export function signAllocation(chainId: number, round: Hex, allocation: Allocation, privateKey: Hex): SignedAllocation {
    const domain = { name: "Kopilka", version: "1", chainId, verifyingContract: round };
    const digest = TypedDataEncoder.hash(domain, TYPES, allocation);
    return { ...allocation, signature: new SigningKey(privateKey).sign(digest).serialized as Hex };
}

/** Whether two distributions are the same. */
export function sameDistribution(
    left: Pick<Allocation, "initiatives" | "points">,
    right: Pick<Allocation, "initiatives" | "points">,
): boolean {
    const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((value, index) => value === b[index]);
    return same(left.initiatives, right.initiatives) && same(left.points, right.points);
}
