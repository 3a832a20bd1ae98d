// Settlement of a round in the reader's browser: the same rules, winners and digest as crates/domain, settled a second
// time from public data. The rules are described in crates/domain/src/settlement/mod.rs.

import { type Election, type Loser, type Outcome, type Winner } from "./election.ts";
import { equalShares, type Purse } from "./equal-shares.ts";
import { bySupport, type Tally, tallyOf } from "./tally.ts";
import { digestOf, transcriptText } from "./transcript.ts";

export * from "./election.ts";
export { MAX_RAISE_STEPS } from "./equal-shares.ts";
export { digestOf, transcriptText } from "./transcript.ts";

/** Settles an election. Throws an ElectionError if the election contradicts itself. */
export function settle(election: Election): Outcome {
    const tally = tallyOf(election);
    const winners: Winner[] = [];
    const won = new Set<number>();
    const refused = new Map<number, bigint>();
    let remaining = tally.budget;
    let purse: Purse | undefined;

    const win = (entry: number, route: Winner["route"], rate?: bigint): void => {
        const { id, cost, support } = tally.entries[entry]!;
        won.add(entry);
        remaining -= cost;
        const winner = { id, cost: cost.toString(), support, route };
        winners.push(rate === undefined ? winner : { ...winner, rate: rate.toString() });
    };
    if (election.rule === "equal-shares" && tally.totalWeight > 0 && remaining > 0n) {
        purse = equalShares(tally, election.completion.raise);
        for (const { entry, rate } of purse.purchases()) win(entry, "equal-shares", rate);
    }
    if (election.rule === "greedy" || election.completion.fill) {
        const order = [...tally.entries.keys()].filter((entry) => tally.entries[entry]!.eligible && !won.has(entry));
        order.sort((left, right) => bySupport(tally.entries[left]!, tally.entries[right]!));
        for (const entry of order) {
            if (tally.entries[entry]!.cost <= remaining) win(entry, election.rule === "greedy" ? "greedy" : "fill");
            else refused.set(entry, remaining);
        }
    }

    const losers = [...tally.entries.keys()]
        .filter((entry) => !won.has(entry))
        .map((entry) => loser(election, tally, entry, refused.get(entry), purse));
    const nothing = tally.groups.filter((group) => !group.choices.some((entry) => won.has(entry)));
    const outcome = {
        winners,
        losers,
        budget: tally.budget.toString(),
        totalCost: (tally.budget - remaining).toString(),
        voters: tally.voters,
        totalWeight: tally.totalWeight,
        votersWithNothing: nothing.reduce((sum, group) => sum + group.ballots, 0),
        raiseSteps: purse?.steps ?? 0,
    };
    return { ...outcome, transcript: digestOf(transcriptText(election, outcome)) };
}

function loser(election: Election, tally: Tally, entry: number, refused: bigint | undefined, purse: Purse | undefined): Loser {
    const { id, cost, support, supportersWeight } = tally.entries[entry]!;
    const effectiveSupport =
        purse?.effectiveSupport(entry) ??
        percent(BigInt(supportersWeight) * tally.budget, cost * BigInt(tally.totalWeight));
    const common = { id, cost: cost.toString(), support, effectiveSupport };
    if (support === 0) return { ...common, reason: "no-support" };
    if (support < election.threshold) return { ...common, reason: "below-threshold", threshold: election.threshold };
    const left = cost > tally.budget ? tally.budget : refused;
    if (left !== undefined) return { ...common, reason: "exceeds-remaining-budget", remaining: left.toString() };
    return { ...common, reason: "not-affordable-by-supporters" };
}

/** Hundredths of a per cent, rounded down; 0 of nothing; stops at the largest 32-bit number. */
function percent(part: bigint, whole: bigint): number {
    if (whole === 0n) return 0;
    const hundredths = (part * 10_000n) / whole;
    return hundredths > 0xffff_ffffn ? 0xffff_ffff : Number(hundredths);
}
