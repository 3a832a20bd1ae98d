// The canonical text of a settlement, and its digest: the same bytes as crates/domain/src/settlement/transcript.rs, which
// describes the format.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Ballot, Election, Outcome } from "./election.ts";
import { isBallot } from "./tally.ts";

/** The canonical text of inputs and result. */
export function transcriptText(election: Election, outcome: Omit<Outcome, "transcript">): string {
    const { raise, fill } = election.completion;
    const lines = [
        "kopilka settlement 1",
        `kind ${election.kind}`,
        `rule ${election.rule}`,
        `completion ${[raise ? "raise" : "", fill ? "fill" : ""].filter(Boolean).join(" ") || "none"}`,
        `threshold ${election.threshold}`,
        `share-points ${election.sharePoints}`,
        `budget ${BigInt(election.budget)}`,
    ];
    const initiatives = [...election.initiatives].sort((left, right) => left.id - right.id);
    lines.push(`initiatives ${initiatives.length}`);
    for (const { id, cost } of initiatives) lines.push(`${id} ${BigInt(cost)}`);

    const ballots = election.ballots.filter(isBallot).map((ballot) => ({ account: ballot.account.toLowerCase(), ballot }));
    ballots.sort((left, right) => (left.account < right.account ? -1 : 1));
    lines.push(`ballots ${ballots.length}`);
    for (const { account, ballot } of ballots) lines.push(`${account} ${ballot.weight} ${choices(ballot)}`);

    lines.push(`raised ${outcome.raiseSteps}`, `winners ${outcome.winners.length}`);
    for (const { id, support, route, rate } of outcome.winners) {
        lines.push(`${id} ${support} ${route}${rate === undefined ? "" : ` ${rate}`}`);
    }
    lines.push(`losers ${outcome.losers.length}`);
    for (const { id, support, effectiveSupport, reason, threshold, remaining } of outcome.losers) {
        const detail = threshold ?? remaining;
        lines.push(`${id} ${support} ${effectiveSupport} ${reason}${detail === undefined ? "" : ` ${detail}`}`);
    }
    lines.push(`total ${outcome.totalCost}`, `voters ${outcome.voters}`, `nothing ${outcome.votersWithNothing}`, "");
    return lines.join("\n");
}

function choices({ initiatives, points = [] }: Ballot): string {
    if (points.length === 0) return initiatives.join(" ");
    return initiatives.map((id, index) => `${id}:${points[index]}`).join(" ");
}

/** keccak256 of a text: 0x and 64 hex digits. */
export function digestOf(text: string): string {
    return `0x${bytesToHex(keccak_256(new TextEncoder().encode(text)))}`;
}
