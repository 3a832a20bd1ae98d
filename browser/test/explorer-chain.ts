// A chain in memory for tests of the recount: logs of a round as ethers encodes them, served over JSON-RPC.

import { Interface, type InterfaceAbi } from "ethers";
import abi from "../../abi/BudgetRound.json";
import type { Election } from "../src/settlement/index.ts";

export const roundAbi = new Interface(abi.abi as InterfaceAbi);

export interface RpcLog {
    address: string;
    topics: string[];
    data: string;
    blockNumber: string;
    logIndex: string;
    transactionHash: string;
    removed: boolean;
}

/** Whoever proposes or withdraws. */
export const STAFF = `0x${"57".repeat(20)}`;

const hex = (value: number) => `0x${value.toString(16)}`;
const IGNORED = `0x${"77".repeat(32)}`;

export class TestChain {
    readonly round = `0x${"Ab".repeat(20)}`;
    readonly logs: RpcLog[] = [];
    /** Every span of blocks that was asked for, refused ones included. */
    readonly spans: [number, number][] = [];
    /** Longest span of blocks that is served. */
    mostBlocks = Infinity;
    /** How often the next requests fail as if the network were down. */
    failures = 0;
    chainId = 31_337;
    head: number;
    config: unknown[] = [];
    registered = 0;

    constructor(readonly first: number) {
        this.head = first;
    }

    emit(name: string, ...values: unknown[]): void {
        const { topics, data } = roundAbi.encodeEventLog(name, values);
        this.logs.push({
            address: this.round,
            topics,
            data,
            blockNumber: hex(this.head),
            logIndex: hex(this.logs.length),
            transactionHash: `0x${"cd".repeat(32)}`,
            removed: false,
        });
        if (name === "Registered") this.registered += 1;
        // Several logs a block, and long stretches without any.
        if (this.logs.length % 5 === 0) this.head += 37;
    }

    /** Emits a whole round up to the close of pledging, with events that do not matter and allocations that are replaced. */
    hold(election: Election): void {
        const { completion, ballots } = election;
        this.config = [
            1,
            election.kind === "approval" ? 1 : 0,
            1,
            election.rule === "greedy" ? 1 : 0,
            completion.raise,
            completion.fill,
            election.sharePoints,
            election.threshold,
            0,
            1,
            2,
            3,
            IGNORED,
        ];
        const weights = [...new Set(ballots.map(({ weight }) => weight))];
        weights.forEach((weight, index) => this.emit("ClassAdded", index, weight, `0x${"5a".repeat(256)}`));
        for (const { id, cost } of election.initiatives) this.emit("InitiativeAdded", id, cost, IGNORED, `0x${"11".repeat(20)}`);
        this.emit("PhaseChanged", 1);
        for (const { account, weight } of ballots) this.emit("Registered", account, weights.indexOf(weight));
        const total = ballots.reduce((sum, { weight }) => sum + weight, 0);
        this.emit("PledgingOpened", election.budget, total);
        ballots.forEach((ballot, index) => {
            // Some are replaced; an account that never allocated has no event at all.
            const first = ballots[(index + 1) % ballots.length]!;
            if (index % 3 === 0) this.allocate(ballot.account, 1, first.initiatives, first.points);
            if (ballot.initiatives.length > 0 || index % 3 === 0) this.allocate(ballot.account, 7, ballot.initiatives, ballot.points);
            if (index % 4 === 0) this.emit("AllocationSkipped", ballot.account, 7, 5);
        });
        this.emit("PhaseChanged", 3);
        this.head += 5_000;
    }

    allocate(account: string, version: number, initiatives: readonly number[], points: readonly number[] = []): void {
        this.emit("AllocationRecorded", account, version, initiatives, points);
    }

    /** Answers a call of JSON-RPC. */
    answer(method: string, params: unknown[]): { result: unknown } | { error: { code: number; message: string } } {
        switch (method) {
            case "eth_chainId":
                return { result: hex(this.chainId) };
            case "eth_blockNumber":
                return { result: hex(this.head) };
            case "eth_call":
                return { result: this.view(params[0] as { to: string; data: string }) };
            case "eth_getLogs":
                return this.getLogs(params[0] as Parameters<TestChain["getLogs"]>[0]);
            default:
                return { error: { code: -32601, message: `${method} is not offered` } };
        }
    }

    private view({ to, data }: { to: string; data: string }): string {
        if (to !== this.round.toLowerCase()) return "0x";
        const name = roundAbi.getFunction(data)!.name;
        return roundAbi.encodeFunctionResult(name, name === "config" ? [this.config] : [this.registered]);
    }

    private getLogs(filter: { address: string; topics: [string[]]; fromBlock: string; toBlock: string }): ReturnType<TestChain["answer"]> {
        const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)];
        this.spans.push([from, to]);
        if (to - from + 1 > this.mostBlocks) {
            return { error: { code: -32005, message: `at most ${this.mostBlocks} blocks` } };
        }
        const found = this.logs.filter(
            ({ address, topics, blockNumber }) =>
                address.toLowerCase() === filter.address &&
                filter.topics[0].includes(topics[0]!) &&
                Number(blockNumber) >= from &&
                Number(blockNumber) <= to,
        );
        return { result: found };
    }
}
