// The events of a round from which its result follows, and its configuration: contracts/src/interfaces/IBudgetRound.sol.

import type { BallotKind, Completion, Rule } from "../settlement/index.ts";
import { AbiError, selector, signatureHash, Words } from "./abi.ts";

export type RoundEvent =
    | { readonly name: "ClassAdded"; readonly class: number; readonly weight: number }
    | { readonly name: "InitiativeAdded"; readonly initiative: number; readonly cost: bigint }
    | { readonly name: "Registered"; readonly account: string; readonly class: number }
    | { readonly name: "PledgingOpened"; readonly budget: bigint; readonly totalWeight: bigint }
    | {
          readonly name: "AllocationRecorded";
          readonly account: string;
          readonly version: number;
          readonly initiatives: readonly number[];
          readonly points: readonly number[];
      }
    | { readonly name: "SettlementWithdrawn"; readonly digest: string }
    | {
          readonly name: "SettlementProposed" | "SettlementFinalized";
          readonly winners: readonly number[];
          readonly digest: string;
          readonly totalCost: bigint;
      };

/** Topics after the first, and the data. */
type Decode = (topics: Words, data: Words) => RoundEvent;

function result(name: "SettlementProposed" | "SettlementFinalized"): Decode {
    return (_, data) => ({ name, winners: data.numbers(0, 16), digest: data.bytes32(1), totalCost: data.uint(2) });
}

const DECODERS: readonly (readonly [signature: string, indexed: number, decode: Decode])[] = [
    [
        "ClassAdded(uint8,uint32,bytes)",
        1,
        (topics, data) => ({ name: "ClassAdded", class: topics.number(0, 8), weight: data.number(0, 32) }),
    ],
    [
        "InitiativeAdded(uint16,uint128,bytes32,address)",
        1,
        (topics, data) => ({ name: "InitiativeAdded", initiative: topics.number(0, 16), cost: data.uint(0, 128) }),
    ],
    [
        "Registered(address,uint8)",
        2,
        (topics) => ({ name: "Registered", account: topics.address(0), class: topics.number(1, 8) }),
    ],
    [
        "PledgingOpened(uint256,uint256)",
        0,
        (_, data) => ({ name: "PledgingOpened", budget: data.uint(0), totalWeight: data.uint(1) }),
    ],
    [
        "AllocationRecorded(address,uint32,uint16[],uint16[])",
        1,
        (topics, data) => ({
            name: "AllocationRecorded",
            account: topics.address(0),
            version: data.number(0, 32),
            initiatives: data.numbers(1, 16),
            points: data.numbers(2, 16),
        }),
    ],
    ["SettlementProposed(address,uint16[],bytes32,uint256,uint64)", 1, result("SettlementProposed")],
    [
        "SettlementWithdrawn(address,bytes32)",
        1,
        (_, data) => ({ name: "SettlementWithdrawn", digest: data.bytes32(0) }),
    ],
    ["SettlementFinalized(uint16[],bytes32,uint256,uint256)", 0, result("SettlementFinalized")],
];

const BY_TOPIC = new Map(
    DECODERS.map(([signature, indexed, decode]) => [signatureHash(signature), { indexed, decode }] as const),
);

/** First topics of the events that `decodeEvent` knows. */
export const TOPICS: readonly string[] = [...BY_TOPIC.keys()];

/** Throws an AbiError if it is not one of the events. */
export function decodeEvent(topics: readonly string[], data: string): RoundEvent {
    const known = BY_TOPIC.get(topics[0]?.toLowerCase() ?? "");
    if (known === undefined) throw new AbiError("an event that is not known here");
    const indexed = new Words(`0x${topics.slice(1).map((topic) => topic.slice(2)).join("")}`);
    if (indexed.count !== known.indexed) throw new AbiError(`expected ${known.indexed} indexed values, found ${indexed.count}`);
    return known.decode(indexed, new Words(data));
}

/** What of a round's configuration its result depends on. */
export interface RoundConfig {
    readonly kind: BallotKind;
    readonly rule: Rule;
    readonly completion: Completion;
    readonly sharePoints: number;
    readonly threshold: number;
}

export const CONFIG_CALL = selector("config()");
export const REGISTERED_COUNT_CALL = selector("registeredCount()");

const KINDS: readonly BallotKind[] = ["cumulative", "approval"];
const RULES: readonly Rule[] = ["equal-shares", "greedy"];

/** Reads what `config()` answered: a tuple of 13 words. */
export function decodeConfig(answer: unknown): RoundConfig {
    const words = new Words(answer);
    if (words.count !== 13) throw new AbiError(`a round's configuration has 13 words, found ${words.count}`);
    const kind = KINDS[words.number(1, 8)];
    const rule = RULES[words.number(3, 8)];
    if (kind === undefined || rule === undefined) throw new AbiError("a ballot kind or rule that is not known here");
    const threshold = words.uint(7, 64);
    // Support is less than 2^53, see the settlement; a threshold above it could not be written exactly.
    if (threshold > BigInt(Number.MAX_SAFE_INTEGER)) throw new AbiError("a threshold beyond 2^53");
    return {
        kind,
        rule,
        completion: { raise: words.bool(4), fill: words.bool(5) },
        sharePoints: words.number(6, 16),
        threshold: Number(threshold),
    };
}
