// The Method of Equal Shares with the raise, by exact decisions at the speed of floating point: the twin of
// crates/domain/src/settlement/equal_shares.rs, where the method, its bounds and its shortcuts are explained.

import { gcd, ratio } from "./exact.ts";
import { bySupport, type Tally } from "./tally.ts";

/** Raising ends at this step, which gives each voter 101 times the first share. */
export const MAX_RAISE_STEPS = 10_000;

/** Passes of Newton's method with doubles before integers take over; a handful is usual. */
const MAX_PASSES = 100;

/** Unit roundoff of a double. */
const ETA = Number.EPSILON / 2;

/** r = numerator / (Run.denominator × points), and which supporters are poor. */
interface Exact {
    readonly numerator: bigint;
    readonly points: bigint;
    readonly poor: Uint8Array;
}

/** The rate of an entry at some moment, with the share as unit of money, and the bound of its error. */
interface Evaluation {
    readonly entry: number;
    readonly rate: number;
    readonly error: number;
    exact?: Exact;
}

/** An initiative that was bought: r × Run.denominator, in units of money for each point. */
interface Purchase {
    readonly entry: number;
    numerator: bigint;
}

/** What equal shares bought, and what its voters have left. */
export interface Purse {
    /** Steps by which shares were raised. */
    readonly steps: number;
    /** Entries bought, in order, with the rates in millionths of a kopeck, rounded down. */
    purchases(): { entry: number; rate: bigint }[];
    /** The part of the cost that the supporters could pay with all that they have left, in hundredths of a per cent. */
    effectiveSupport(entry: number): number;
}

/** Runs the method, with the raise if wanted. The budget and the number of ballots must not be zero. */
export function equalShares(tally: Tally, raise: boolean): Purse {
    let run = new Run(tally, 0);
    let steps = 0;
    while (raise && steps < MAX_RAISE_STEPS && run.unsold().length > 0) {
        const next = Math.min(run.unchangedBefore(steps), MAX_RAISE_STEPS + 1);
        if (next > steps + 1) {
            steps = next - 1;
            run.share = shareOf(tally, steps);
            continue;
        }
        const raised = new Run(tally, next);
        if (raised.totalCost() > tally.budget) break;
        run = raised;
        steps = next;
    }
    const kopeck = BigInt(tally.totalWeight) * 100n;
    return {
        steps,
        purchases: () =>
            run.purchases.map(({ entry, numerator }) => ({
                entry,
                rate: (numerator * 1_000_000n) / (run.denominator * kopeck),
            })),
        effectiveSupport: (entry) => {
            const money = run.exactMoney(tally.entries[entry]!.groups);
            const hundredths = (money * 10_000n) / (run.costs[entry]! * run.denominator);
            return hundredths > 0xffff_ffffn ? 0xffff_ffff : Number(hundredths);
        },
    };
}

function shareOf(tally: Tally, steps: number): bigint {
    return tally.budget * BigInt(100 + steps);
}

/** The method with one size of shares, up to the point where nothing is affordable. */
class Run {
    /** Share of a unit of weight, in units of money: 1 / (100 × total weight) kopeck. */
    share: bigint;
    /** Cost of each entry, in units of money. */
    readonly costs: bigint[];
    /** Common denominator of all purchases. */
    denominator = 1n;
    readonly purchases: Purchase[] = [];
    /** Index into `purchases` of each entry bought, otherwise -1. */
    private readonly bought: Int32Array;
    /** Money left of a unit of weight of each group; the share is 1. */
    private readonly money: Float64Array;
    /** Groups that were poor in a purchase: they have exactly nothing left. */
    private readonly broke: Uint8Array;
    private readonly moneyError: number;
    private nobodyPoor = true;

    constructor(
        private readonly tally: Tally,
        steps: number,
    ) {
        const unit = BigInt(tally.totalWeight) * 100n;
        this.share = shareOf(tally, steps);
        this.costs = tally.entries.map((entry) => unit * entry.cost);
        this.bought = new Int32Array(tally.entries.length).fill(-1);
        this.money = new Float64Array(tally.groups.length).fill(1);
        this.broke = new Uint8Array(tally.groups.length);
        this.moneyError = (tally.longestBallot + 16) * ETA;
        this.buyAll();
    }

    private buyAll(): void {
        // Lower bounds of the rates: at first what the supporters would pay if all were rich enough.
        let open: { bound: number; entry: number }[] = [];
        this.tally.entries.forEach((candidate, entry) => {
            if (!candidate.eligible) return;
            const rate = ratio(this.costs[entry]!, this.share * BigInt(candidate.support));
            open.push({ bound: this.key(entry, rate * (1 - 16 * ETA)), entry });
        });
        for (;;) {
            const { best, rest } = this.cheapest(open);
            if (best === undefined) return;
            open = rest.filter(({ entry }) => entry !== best.entry);
            this.buy(best);
        }
    }

    /** The rate by which entries are compared: r on cumulative ballots and r / cost on approval ballots. */
    private key(entry: number, rate: number): number {
        return this.tally.approval ? rate / Number(this.tally.entries[entry]!.cost) : rate;
    }

    /** The affordable entry with the least rate, and the entries that stay open with their lower bounds raised. */
    private cheapest(open: { bound: number; entry: number }[]): {
        best: Evaluation | undefined;
        rest: { bound: number; entry: number }[];
    } {
        open.sort((left, right) => left.bound - right.bound);
        const rest: { bound: number; entry: number }[] = [];
        let contenders: { low: number; evaluation: Evaluation }[] = [];
        let highest = Infinity;
        for (const candidate of open) {
            if (candidate.bound > highest) {
                rest.push(candidate);
                continue;
            }
            const { bound, entry } = candidate;
            const lowest = this.tally.approval ? bound * Number(this.tally.entries[entry]!.cost) : bound;
            const evaluation = this.evaluate(entry, lowest * (1 - 16 * ETA));
            if (evaluation === undefined) continue;
            // The factor covers the rounding of the bounds and of the division by the cost.
            const low = this.key(entry, (evaluation.rate - evaluation.error) * (1 - 16 * ETA));
            const high = this.key(entry, (evaluation.rate + evaluation.error) * (1 + 16 * ETA));
            highest = Math.min(highest, high);
            contenders.push({ low, evaluation });
            rest.push({ bound: Math.max(bound, low), entry });
        }
        contenders = contenders.filter(({ low }) => low <= highest);
        let best = contenders[0]?.evaluation;
        if (best !== undefined) {
            for (const { evaluation } of contenders.slice(1)) {
                if (this.isBefore(evaluation, best)) best = evaluation;
            }
        }
        return { best, rest };
    }

    /** Whether the exact rate of `left` is lower, or equal and first by the published order of ties. */
    private isBefore(left: Evaluation, right: Evaluation): boolean {
        const scaled = (mine: Evaluation, other: Evaluation): bigint => {
            const scale = this.tally.approval ? this.tally.entries[other.entry]!.cost : 1n;
            return this.exactly(mine).numerator * this.exactly(other).points * scale;
        };
        const [mine, other] = [scaled(left, right), scaled(right, left)];
        if (mine !== other) return mine < other;
        return bySupport(this.tally.entries[left.entry]!, this.tally.entries[right.entry]!) < 0;
    }

    /** The rate of an entry, at least `lowest`; undefined if its supporters cannot afford it. */
    private evaluate(entry: number, lowest: number): Evaluation | undefined {
        const { groups, points, weights, supportersWeight } = this.tally.entries[entry]!;
        const { money, moneyError } = this;
        const cost = ratio(this.costs[entry]!, this.share);
        const terms = groups.length;

        let all = 0;
        for (let index = 0; index < terms; index += 1) all += weights[index]! * money[groups[index]!]!;
        // Each product and each addition errs by ETA relatively, each summand by the error of money.
        const margin = (terms + 16) * ETA * (all + cost) + supportersWeight * moneyError * 1.01;
        if (all < cost - margin) return undefined;
        if (all <= cost + margin && this.exactMoney(groups) < this.costs[entry]! * this.denominator) return undefined;

        let rate = lowest;
        let error = 0;
        let known = -1;
        for (let pass = 0; pass < MAX_PASSES; pass += 1) {
            let poorMoney = 0;
            let poorWeight = 0;
            let richPoints = 0;
            let certain = true;
            for (let index = 0; index < terms; index += 1) {
                const left = money[groups[index]!]!;
                const point = points[index]!;
                const due = rate * point;
                const tolerance = moneyError + error * point + 4 * ETA * (Math.abs(left) + due);
                if (!(Math.abs(left - due) > tolerance)) certain = false;
                if (left < due) {
                    poorMoney += weights[index]! * left;
                    poorWeight += weights[index]!;
                } else {
                    richPoints += weights[index]! * point;
                }
            }
            // Poverty grows with the rate, so the same weight means the same poor.
            if (known === poorWeight) {
                if (!certain) break;
                return { entry, rate, error };
            }
            known = poorWeight;
            rate = (cost - poorMoney) / richPoints;
            error = (((terms + 16) * ETA * cost + poorWeight * moneyError) * 1.01) / richPoints;
            if (richPoints === 0 || !(rate > 0)) break;
        }
        return this.evaluateExactly(entry);
    }

    /** The same with integers; the entry must be affordable. Doubles only tell who is clearly poor or clearly not. */
    private evaluateExactly(entry: number): Evaluation {
        const { groups, points } = this.tally.entries[entry]!;
        let poor = new Uint8Array(groups.length);
        for (;;) {
            const exact = this.exactRate(entry, poor);
            const rate = ratio(exact.numerator, this.denominator * this.share * exact.points);
            const now = new Uint8Array(groups.length);
            for (let index = 0; index < groups.length; index += 1) {
                const left = this.money[groups[index]!]!;
                const due = rate * points[index]!;
                const tolerance = this.moneyError + 16 * ETA * (Math.abs(left) + due);
                if (Math.abs(left - due) > tolerance) {
                    now[index] = left < due ? 1 : 0;
                } else {
                    const money = this.exactMoneyOfOne(groups[index]!);
                    now[index] = money * exact.points < exact.numerator * BigInt(points[index]!) ? 1 : 0;
                }
            }
            // From below, each round makes more voters poor, and an affordable entry never makes all of them so.
            if (now.every((value, index) => value === poor[index])) return { entry, rate, error: 8 * ETA * rate, exact };
            poor = now;
        }
    }

    /** (cost - money of the poor) × denominator, and the points of the others. */
    private exactRate(entry: number, poor: Uint8Array): Exact {
        const { groups, points, weights } = this.tally.entries[entry]!;
        let richPoints = 0;
        for (let index = 0; index < groups.length; index += 1) {
            if (poor[index] === 0) richPoints += weights[index]! * points[index]!;
        }
        const poorGroups = groups.filter((_, index) => poor[index] === 1);
        const numerator = this.costs[entry]! * this.denominator - this.exactMoney(poorGroups);
        return { numerator, points: BigInt(richPoints), poor };
    }

    private exactly(evaluation: Evaluation): Exact {
        if (evaluation.exact === undefined) {
            // All comparisons were certain.
            const { groups, points } = this.tally.entries[evaluation.entry]!;
            const poor = Uint8Array.from(groups, (group, index) =>
                this.money[group]! < evaluation.rate * points[index]! ? 1 : 0,
            );
            evaluation.exact = this.exactRate(evaluation.entry, poor);
        }
        return evaluation.exact;
    }

    /** Money left of these groups, times the denominator. */
    exactMoney(groups: Uint32Array): bigint {
        let weight = 0;
        const paidPoints = new Float64Array(this.purchases.length);
        for (const index of groups) {
            if (this.broke[index] === 1) continue;
            const group = this.tally.groups[index]!;
            weight += group.weight;
            for (let place = 0; place < group.choices.length; place += 1) {
                const purchase = this.bought[group.choices[place]!]!;
                if (purchase >= 0) paidPoints[purchase]! += group.weight * group.points[place]!;
            }
        }
        let money = this.share * BigInt(weight) * this.denominator;
        this.purchases.forEach(({ numerator }, index) => {
            if (paidPoints[index]! > 0) money -= numerator * BigInt(paidPoints[index]!);
        });
        return money;
    }

    /** Money left of one unit of weight of a group, times the denominator. */
    private exactMoneyOfOne(index: number): bigint {
        if (this.broke[index] === 1) return 0n;
        const group = this.tally.groups[index]!;
        let money = this.share * this.denominator;
        group.choices.forEach((entry, place) => {
            const purchase = this.bought[entry]!;
            if (purchase >= 0) money -= this.purchases[purchase]!.numerator * BigInt(group.points[place]!);
        });
        return money;
    }

    private buy(evaluation: Evaluation): void {
        const { numerator: whole, points, poor } = this.exactly(evaluation);
        const common = gcd(points, whole % points);
        const factor = points / common;
        const numerator = whole / common;
        if (factor > 1n) {
            this.denominator *= factor;
            for (const purchase of this.purchases) purchase.numerator *= factor;
        }
        const rate = ratio(numerator, this.denominator * this.share);
        const entry = this.tally.entries[evaluation.entry]!;
        for (let index = 0; index < entry.groups.length; index += 1) {
            const group = entry.groups[index]!;
            if (poor[index] === 1) {
                this.money[group] = 0;
                this.broke[group] = 1;
                this.nobodyPoor = false;
            } else {
                this.money[group]! -= rate * entry.points[index]!;
            }
        }
        this.bought[evaluation.entry] = this.purchases.length;
        this.purchases.push({ entry: evaluation.entry, numerator });
    }

    totalCost(): bigint {
        return this.purchases.reduce((sum, { entry }) => sum + this.tally.entries[entry]!.cost, 0n);
    }

    /** Entries that could still win. */
    unsold(): number[] {
        return [...this.tally.entries.keys()].filter(
            (entry) => this.bought[entry] === -1 && this.tally.entries[entry]!.eligible,
        );
    }

    /** The first step after `steps` whose outcome may differ from this one of `steps`. */
    unchangedBefore(steps: number): number {
        const next = steps + 1;
        const unsold = this.unsold();
        const isAbove = (entry: number): boolean => {
            const mine = this.tally.entries[entry]!;
            return this.purchases.every((purchase) => {
                const other = this.tally.entries[purchase.entry]!;
                const [mineCost, otherCost] = this.tally.approval ? [1n, 1n] : [mine.cost, other.cost];
                return mineCost * BigInt(other.support) > otherCost * BigInt(mine.support);
            });
        };
        if (!this.nobodyPoor || !unsold.every(isAbove)) return next;
        const affordableAfter = unsold.map((entry) => {
            const { groups, supportersWeight } = this.tally.entries[entry]!;
            const missing = this.costs[entry]! * this.denominator - this.exactMoney(groups);
            const step = this.tally.budget * this.denominator * BigInt(supportersWeight);
            return (missing + step - 1n) / step;
        });
        const least = affordableAfter.reduce((least, more) => (more < least ? more : least));
        return Math.max(next, least > BigInt(MAX_RAISE_STEPS) ? MAX_RAISE_STEPS + 1 : steps + Number(least));
    }
}
