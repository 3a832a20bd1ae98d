// A round rebuilt from its events alone: the twin of cli/src/election.rs.

import type { Election } from "../settlement/index.ts";
import { AbiError } from "./abi.ts";
import { decodeEvent, type RoundConfig, type RoundEvent } from "./events.ts";
import { Failure, type FailureCode, type FailureValues } from "./failure.ts";
import type { Log } from "./rpc.ts";

/** A proposed or final result in the events. */
export interface Announced {
    /** Ascending ids. */
    readonly winners: readonly number[];
    readonly digest: string;
    readonly totalCost: bigint;
    readonly isFinal: boolean;
}

/** The allocation that counts: the last recorded one of an account. */
interface Recorded {
    readonly version: number;
    readonly initiatives: readonly number[];
    readonly points: readonly number[];
}

/** Everything that the events of a round say about its result. Give it all events in order, then ask. */
export class ChainRound {
    /** From `PledgingOpened`; undefined before. */
    budget: bigint | undefined;
    /** The latest result that was not withdrawn. */
    announced: Announced | undefined;
    events = 0;
    allocationEvents = 0;
    /** Weights by class. */
    private readonly weights: number[] = [];
    /** Costs by initiative. */
    private readonly costs = new Map<number, bigint>();
    /** Classes by account. */
    private readonly registrations = new Map<string, number>();
    private readonly allocations = new Map<string, Recorded>();

    /** `round` is the address in lower case. */
    constructor(private readonly round: string) {}

    get registered(): number {
        return this.registrations.size;
    }

    /** Takes the next event. Throws a Failure that names its place if it contradicts an earlier one. */
    apply(log: Log): void {
        const fail = (code: FailureCode, values: FailureValues = {}): never => {
            throw new Failure(code, { ...values, block: log.block, log: log.index, tx: log.tx });
        };
        if (log.removed) fail("event-removed");
        if (log.address !== this.round) fail("event-foreign");
        let event: RoundEvent;
        try {
            event = decodeEvent(log.topics, log.data);
        } catch (error) {
            if (error instanceof AbiError) return fail("event-malformed", { detail: error.message });
            throw error;
        }
        this.events += 1;
        switch (event.name) {
            case "ClassAdded":
                if (event.class !== this.weights.length) fail("class-out-of-order", { class: event.class });
                this.weights.push(event.weight);
                break;
            case "InitiativeAdded":
                if (this.costs.has(event.initiative)) fail("initiative-twice", { initiative: event.initiative });
                this.costs.set(event.initiative, event.cost);
                break;
            case "Registered":
                if (this.registrations.has(event.account)) fail("registered-twice", { account: event.account });
                if (event.class >= this.weights.length) fail("class-unknown", { class: event.class });
                this.registrations.set(event.account, event.class);
                break;
            case "PledgingOpened":
                this.budget = event.budget;
                break;
            case "AllocationRecorded": {
                const { account, version, initiatives, points } = event;
                if (!this.registrations.has(account)) fail("never-registered", { account });
                const before = this.allocations.get(account)?.version ?? 0;
                if (version <= before) fail("version-not-higher", { account, version, before });
                this.allocations.set(account, { version, initiatives, points });
                this.allocationEvents += 1;
                break;
            }
            case "SettlementWithdrawn":
                this.announced = undefined;
                break;
            case "SettlementProposed":
            case "SettlementFinalized": {
                const { winners, digest, totalCost } = event;
                this.announced = { winners, digest, totalCost, isFinal: event.name === "SettlementFinalized" };
                break;
            }
        }
    }

    /** The election that the settlement is computed from; allocations that took everything back are no ballots. */
    election(config: RoundConfig): Election {
        if (this.budget === undefined) throw new Failure("not-pledged");
        return {
            budget: this.budget.toString(),
            ...config,
            initiatives: [...this.costs].map(([id, cost]) => ({ id, cost: cost.toString() })),
            ballots: [...this.allocations]
                .filter(([, recorded]) => recorded.initiatives.length > 0)
                .map(([account, { initiatives, points }]) => ({
                    account,
                    // Registered in a known class: `apply` checked both.
                    weight: this.weights[this.registrations.get(account)!]!,
                    initiatives,
                    points,
                })),
        };
    }
}
