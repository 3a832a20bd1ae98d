// The recount: a round is read from a node, settled here, and held against what was announced on chain.

import { ElectionError, type Outcome, settle } from "../settlement/index.ts";
import { AbiError, Words } from "./abi.ts";
import { CONFIG_CALL, decodeConfig, REGISTERED_COUNT_CALL, type RoundConfig, TOPICS } from "./events.ts";
import { Failure } from "./failure.ts";
import { type Announced, ChainRound } from "./round.ts";
import { type Call, logsOf, parseQuantity, quantity } from "./rpc.ts";

export interface RecountRequest {
    /** Address of the round's contract. */
    readonly round: string;
    /** Block in which the round was created. */
    readonly firstBlock: number;
    /** The chain that the node must follow, if known. */
    readonly chainId?: number;
    /** What the page shows as announced, if it does. */
    readonly shown?: { readonly winners: readonly number[]; readonly digest: string };
}

/** How far a recount is. */
export type Progress =
    | { readonly step: "reading"; readonly block: number; readonly first: number; readonly head: number; readonly events: number }
    | { readonly step: "counting"; readonly ballots: number };

/** Where the recount and what was announced part. */
export type Difference =
    /** Won by the recount, not announced as a winner. */
    | { readonly code: "missing"; readonly initiative: number }
    /** Announced as a winner, did not win by the recount. */
    | { readonly code: "extra"; readonly initiative: number }
    | { readonly code: "digest"; readonly announced: string; readonly counted: string }
    /** Kopecks. */
    | { readonly code: "total-cost"; readonly announced: string; readonly counted: string }
    /** The page shows other winners or another digest than the chain has. */
    | { readonly code: "page" };

export interface Recount {
    /** Block up to which it was read. */
    readonly head: number;
    readonly events: number;
    readonly registered: number;
    /** Recorded allocations, those replaced later included. */
    readonly allocations: number;
    readonly ballots: number;
    /** Ascending ids. */
    readonly winners: readonly number[];
    readonly digest: string;
    /** Kopecks. */
    readonly totalCost: string;
    /** Undefined if no result stands on chain. */
    readonly announced: Announced | undefined;
    /** Empty if nothing was announced, or all agrees. */
    readonly differences: readonly Difference[];
}

/** Recounts a round. Throws a Failure. */
export async function recount(
    call: Call,
    request: RecountRequest,
    report: (progress: Progress) => void,
    pause?: (ms: number) => Promise<void>,
): Promise<Recount> {
    const address = request.round.toLowerCase();
    const first = request.firstBlock;
    const head = await checkedHead(call, request);
    const { config, registered } = await readViews(call, address, head);
    const round = new ChainRound(address);
    report({ step: "reading", block: first, first, head, events: 0 });
    let from = first;
    for await (const { through, logs } of logsOf(call, { address, topics: TOPICS, first, last: head }, pause)) {
        for (const log of logs) {
            if (log.block < from || log.block > through) {
                throw new Failure("event-foreign", { block: log.block, log: log.index, tx: log.tx });
            }
            round.apply(log);
        }
        from = through + 1;
        report({ step: "reading", block: through, first, head, events: round.events });
    }
    if (registered !== round.registered) {
        throw new Failure("registrations-missing", { counted: registered, registered: round.registered });
    }
    return count(round, config, head, request, report);
}

async function checkedHead(call: Call, { chainId }: RecountRequest): Promise<number> {
    if (chainId !== undefined) {
        const found = parseQuantity(await call("eth_chainId", []));
        if (found !== chainId) throw new Failure("other-chain", { expected: String(chainId), found: String(found) });
    }
    return parseQuantity(await call("eth_blockNumber", []));
}

/** What the contract itself says as of a block. */
async function readViews(call: Call, to: string, head: number): Promise<{ config: RoundConfig; registered: number }> {
    const view = (data: string) => call("eth_call", [{ to, data }, quantity(head)]);
    try {
        const config = decodeConfig(await view(CONFIG_CALL));
        return { config, registered: new Words(await view(REGISTERED_COUNT_CALL)).number(0, 32) };
    } catch (error) {
        if (error instanceof AbiError) throw new Failure("not-a-round", { detail: error.message });
        throw error;
    }
}

function count(
    round: ChainRound,
    config: RoundConfig,
    head: number,
    request: RecountRequest,
    report: (progress: Progress) => void,
): Recount {
    const election = round.election(config);
    const ballots = election.ballots.length;
    report({ step: "counting", ballots });
    let outcome: Outcome;
    try {
        outcome = settle(election);
    } catch (error) {
        if (error instanceof ElectionError) throw new Failure("election-malformed", { detail: error.message });
        throw error;
    }
    const winners = outcome.winners.map(({ id }) => id).sort((left, right) => left - right);
    const { totalCost, transcript: digest } = outcome;
    return {
        head,
        events: round.events,
        registered: round.registered,
        allocations: round.allocationEvents,
        ballots,
        winners,
        digest,
        totalCost,
        announced: round.announced,
        differences: round.announced === undefined ? [] : differences(round.announced, { winners, digest, totalCost }, request),
    };
}

function differences(
    announced: Announced,
    { winners, digest, totalCost }: Pick<Recount, "winners" | "digest" | "totalCost">,
    { shown }: RecountRequest,
): Difference[] {
    const found: Difference[] = [];
    for (const initiative of winners) {
        if (!announced.winners.includes(initiative)) found.push({ code: "missing", initiative });
    }
    for (const initiative of announced.winners) {
        if (!winners.includes(initiative)) found.push({ code: "extra", initiative });
    }
    if (announced.digest !== digest) found.push({ code: "digest", announced: announced.digest, counted: digest });
    if (announced.totalCost.toString() !== totalCost) {
        found.push({ code: "total-cost", announced: announced.totalCost.toString(), counted: totalCost });
    }
    if (shown !== undefined) {
        const same = shown.digest.toLowerCase() === announced.digest && shown.winners.join() === announced.winners.join();
        if (!same) found.push({ code: "page" });
    }
    return found;
}
