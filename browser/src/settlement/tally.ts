// The election in the shape that the rules need: identical ballots together, supporters by initiative.

import { type Ballot, type Election, ElectionError } from "./election.ts";

/** An initiative and what can be said about it without any rule. */
export interface Entry {
    readonly id: number;
    readonly cost: bigint;
    readonly support: number;
    /** Whether it can win at all: supported, not below the threshold, not dearer than the budget. */
    readonly eligible: boolean;
    /** Its supporters: index of the group, points (approval: 1), weight of the group, and the sum of the weights. */
    readonly groups: Uint32Array;
    readonly points: Float64Array;
    readonly weights: Float64Array;
    readonly supportersWeight: number;
}

/** Ballots with the same choices; each unit of weight has the same money left at all times. */
export interface Group {
    weight: number;
    ballots: number;
    /** Indices of the entries chosen. */
    readonly choices: readonly number[];
    readonly points: readonly number[];
}

export interface Tally {
    readonly approval: boolean;
    readonly budget: bigint;
    /** By ascending id. */
    readonly entries: readonly Entry[];
    readonly groups: readonly Group[];
    readonly totalWeight: number;
    readonly voters: number;
    readonly longestBallot: number;
}

export function isBallot(ballot: Ballot): boolean {
    return ballot.initiatives.length > 0;
}

function amount(text: string, what: string): bigint {
    if (!/^\d+$/.test(text)) throw new ElectionError(`${what} is a whole number of kopecks, found "${text}"`);
    return BigInt(text);
}

function checkBallot(election: Election, ballot: Ballot): void {
    const fail = (why: string): never => {
        throw new ElectionError(`the ballot of ${ballot.account} is malformed: ${why}`);
    };
    const { initiatives, points = [] } = ballot;
    if (!/^0x[0-9a-fA-F]{40}$/.test(ballot.account)) fail("an account address is 0x and 40 hexadecimal digits");
    if (!Number.isInteger(ballot.weight) || ballot.weight < 1) fail("weights must be positive whole numbers");
    for (let index = 1; index < initiatives.length; index += 1) {
        if (!(initiatives[index - 1]! < initiatives[index]!)) fail("initiatives must be strictly ascending");
    }
    if (election.kind === "approval") {
        if (points.length > 0) fail("an approval ballot names initiatives without points");
        return;
    }
    if (points.length !== initiatives.length) fail("a cumulative ballot needs points for each initiative");
    if (!points.every((point) => Number.isInteger(point) && point > 0)) fail("points must be positive whole numbers");
    const sum = points.reduce((sum, point) => sum + point, 0);
    if (sum > election.sharePoints) fail(`${sum} points were given, a share has ${election.sharePoints}`);
}

export function tallyOf(election: Election): Tally {
    const approval = election.kind === "approval";
    const budget = amount(election.budget, "the budget");
    const initiatives = [...election.initiatives].sort((left, right) => left.id - right.id);
    const indexOf = new Map<number, number>();
    initiatives.forEach((initiative, index) => {
        if (indexOf.has(initiative.id)) throw new ElectionError(`initiative ${initiative.id} is listed twice`);
        if (amount(initiative.cost, "a cost") === 0n) {
            throw new ElectionError(`initiative ${initiative.id} costs nothing: costs must be positive`);
        }
        indexOf.set(initiative.id, index);
    });

    const accounts = new Set<string>();
    const groups = new Map<string, Group>();
    let totalWeight = 0n;
    let voters = 0;
    let longestBallot = 0;
    for (const ballot of election.ballots) {
        checkBallot(election, ballot);
        const account = ballot.account.toLowerCase();
        if (accounts.has(account)) throw new ElectionError(`account ${account} has two ballots`);
        accounts.add(account);
        const unknown = ballot.initiatives.find((id) => !indexOf.has(id));
        if (unknown !== undefined) {
            throw new ElectionError(`the ballot of ${account} names initiative ${unknown}, which is not in the election`);
        }
        if (!isBallot(ballot)) continue;
        voters += 1;
        totalWeight += BigInt(ballot.weight);
        longestBallot = Math.max(longestBallot, ballot.initiatives.length);
        const key = `${ballot.initiatives.join()};${approval ? "" : ballot.points!.join()}`;
        const group = groups.get(key);
        if (group === undefined) {
            groups.set(key, {
                weight: ballot.weight,
                ballots: 1,
                choices: ballot.initiatives.map((id) => indexOf.get(id)!),
                points: approval ? ballot.initiatives.map(() => 1) : ballot.points!,
            });
        } else {
            group.weight += ballot.weight;
            group.ballots += 1;
        }
    }
    if (totalWeight * BigInt(approval ? 1 : election.sharePoints) >= 1n << 53n) {
        throw new ElectionError(
            "all weights times the points of a share must add up to less than 2^53; divide the weights by a common factor",
        );
    }

    const list = [...groups.values()];
    const supporters: number[][] = initiatives.map(() => []);
    const points: number[][] = initiatives.map(() => []);
    list.forEach((group, index) => {
        group.choices.forEach((entry, place) => {
            supporters[entry]!.push(index);
            points[entry]!.push(group.points[place]!);
        });
    });
    const entries = initiatives.map((initiative, index): Entry => {
        const cost = BigInt(initiative.cost);
        const weights = Float64Array.from(supporters[index]!, (group) => list[group]!.weight);
        const support = weights.reduce((sum, weight, place) => sum + weight * points[index]![place]!, 0);
        return {
            id: initiative.id,
            cost,
            support,
            eligible: support > 0 && support >= election.threshold && cost <= budget,
            groups: Uint32Array.from(supporters[index]!),
            points: Float64Array.from(points[index]!),
            weights,
            supportersWeight: weights.reduce((sum, weight) => sum + weight, 0),
        };
    });
    return { approval, budget, entries, groups: list, totalWeight: Number(totalWeight), voters, longestBallot };
}

/** The published order of ties and of the greedy rule: higher support, then lower cost, then lower id. */
export function bySupport(left: Entry, right: Entry): number {
    if (left.support !== right.support) return right.support - left.support;
    if (left.cost !== right.cost) return left.cost < right.cost ? -1 : 1;
    return left.id - right.id;
}
