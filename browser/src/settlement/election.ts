// What a settlement is computed from, and what it says: the JSON forms of crates/domain, src/settlement.

export type BallotKind = "cumulative" | "approval";
export type Rule = "equal-shares" | "greedy";

/** How equal shares are completed; means nothing to the greedy rule. */
export interface Completion {
    readonly raise: boolean;
    readonly fill: boolean;
}

/** An initiative that can win. Money is a string of decimal digits, in kopecks. */
export interface Candidate {
    readonly id: number;
    readonly cost: string;
}

/** The recorded allocation of an account. */
export interface Ballot {
    /** 0x and 40 hex digits. */
    readonly account: string;
    readonly weight: number;
    /** Strictly ascending ids. */
    readonly initiatives: readonly number[];
    /** Cumulative ballots: the points of each initiative. Approval ballots: absent or empty. */
    readonly points?: readonly number[];
}

export interface Election {
    readonly budget: string;
    readonly kind: BallotKind;
    readonly rule: Rule;
    readonly completion: Completion;
    /** Least support to be considered; 0 for none. */
    readonly threshold: number;
    /** Points that a share consists of on cumulative ballots; 0 on approval ballots. */
    readonly sharePoints: number;
    readonly initiatives: readonly Candidate[];
    readonly ballots: readonly Ballot[];
}

export interface Winner {
    readonly id: number;
    readonly cost: string;
    /** Weighted approvals or points. */
    readonly support: number;
    readonly route: "equal-shares" | "fill" | "greedy";
    /** Equal shares: what a unit of weight paid for each point, in millionths of a kopeck, rounded down. */
    readonly rate?: string;
}

export interface Loser {
    readonly id: number;
    readonly cost: string;
    readonly support: number;
    /** The part of the cost that its supporters could pay, in hundredths of a per cent, rounded down. */
    readonly effectiveSupport: number;
    readonly reason: "no-support" | "below-threshold" | "exceeds-remaining-budget" | "not-affordable-by-supporters";
    /** With "below-threshold": what the round demands. */
    readonly threshold?: number;
    /** With "exceeds-remaining-budget": what was left when its turn came. */
    readonly remaining?: string;
}

export interface Outcome {
    /** In the order in which they were found. */
    readonly winners: readonly Winner[];
    /** By ascending id. */
    readonly losers: readonly Loser[];
    readonly budget: string;
    readonly totalCost: string;
    readonly voters: number;
    readonly totalWeight: number;
    /** Ballots none of whose initiatives won. */
    readonly votersWithNothing: number;
    /** Equal shares: steps of 1 % by which shares were raised. */
    readonly raiseSteps: number;
    /** Digest of the transcript: 0x and 64 hex digits. */
    readonly transcript: string;
}

/** Why an election cannot be settled. */
export class ElectionError extends Error {
    override readonly name = "ElectionError";
}
