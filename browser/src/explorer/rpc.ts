// JSON-RPC 2.0 over POST, and the logs of a span of blocks in as many requests as the node wants.

import { Failure } from "./failure.ts";

/** Asks a node. Throws a Failure: "refused" if it answers with an error, "unreachable" if it does not answer properly. */
export type Call = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** Longest wait for an answer. */
const TIMEOUT_MS = 60_000;

/** A node at a web address. */
export function nodeAt(url: string): Call {
    let id = 0;
    return async (method, params) => {
        id += 1;
        let response: Response;
        let answer: { result?: unknown; error?: { message?: unknown } } | null | undefined;
        try {
            response = await fetch(url, {
                method: "POST",
                headers: { "content-type": "application/json" },
                body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
                // Neither this site's cookies nor its address are the node's business.
                credentials: "omit",
                referrerPolicy: "no-referrer",
                signal: AbortSignal.timeout(TIMEOUT_MS),
            });
            answer = await response.json().catch(() => undefined);
        } catch (error) {
            throw new Failure("unreachable", { detail: String(error) });
        }
        if (typeof answer === "object" && answer !== null && answer.error !== undefined && answer.error !== null) {
            throw new Failure("refused", { method, detail: String(answer.error.message ?? "") });
        }
        // A node that is overrun is asked again later, one that finds a question too large is asked for less.
        if (response.status === 429) throw new Failure("unreachable", { detail: "HTTP 429" });
        if (!response.ok) throw new Failure("refused", { method, detail: `HTTP ${response.status}` });
        if (typeof answer !== "object" || answer === null || !("result" in answer)) {
            throw new Failure("unreachable", { detail: "no JSON-RPC" });
        }
        return answer.result;
    };
}

/** A number as JSON-RPC writes it. */
export function quantity(value: number): string {
    return `0x${value.toString(16)}`;
}

/** The number in an answer. */
export function parseQuantity(value: unknown): number {
    const number = typeof value === "string" && /^0x[0-9a-fA-F]+$/.test(value) ? Number.parseInt(value, 16) : NaN;
    if (!Number.isSafeInteger(number)) throw new Failure("unreachable", { detail: "no number" });
    return number;
}

/** A log whose form is checked; what it says is not. */
export interface Log {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
    readonly block: number;
    readonly index: number;
    readonly tx: string;
    readonly removed: boolean;
}

function parseLog(value: unknown): Log {
    const log = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    const { address, topics, data, transactionHash } = log;
    if (typeof address !== "string" || typeof data !== "string" || !Array.isArray(topics)) {
        throw new Failure("unreachable", { detail: "no logs" });
    }
    return {
        address: address.toLowerCase(),
        topics: topics.map(String),
        data,
        block: parseQuantity(log["blockNumber"]),
        index: parseQuantity(log["logIndex"]),
        tx: String(transactionHash),
        removed: log["removed"] === true,
    };
}

/** Blocks asked for at first in one request; halved when the node refuses. */
export const BLOCK_RANGE = 2_000;
/** Answers in a row after which twice as many blocks are asked for again. */
const PATIENCE = 8;
/** Waits before asking an unreachable node again. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000];

export interface LogSpan {
    readonly address: string;
    /** First topics, any of which will do. */
    readonly topics: readonly string[];
    readonly first: number;
    readonly last: number;
}

/** The logs of a span, oldest first; `through` is the last block that has been read. */
export async function* logsOf(
    call: Call,
    { address, topics, first, last }: LogSpan,
    pause: (ms: number) => Promise<void> = (ms) => new Promise((resume) => setTimeout(resume, ms)),
): AsyncGenerator<{ through: number; logs: Log[] }> {
    let range = BLOCK_RANGE;
    let answered = 0;
    let paused = 0;
    for (let from = first; from <= last; ) {
        const through = Math.min(last, from + range - 1);
        let answer: unknown;
        try {
            const filter = { address, topics: [topics], fromBlock: quantity(from), toBlock: quantity(through) };
            answer = await call("eth_getLogs", [filter]);
        } catch (error) {
            if (!(error instanceof Failure)) throw error;
            answered = 0;
            if (error.code === "unreachable") {
                const wait = PAUSES_MS[paused];
                if (wait === undefined) throw error;
                paused += 1;
                await pause(wait);
            } else if (range > 1) {
                range = Math.floor(Math.min(range, through - from + 1) / 2) || 1;
            } else {
                throw new Failure("no-logs", { block: from, detail: String(error.values["detail"]) });
            }
            continue;
        }
        if (!Array.isArray(answer)) throw new Failure("unreachable", { detail: "no logs" });
        const logs = answer.map(parseLog);
        logs.sort((left, right) => left.block - right.block || left.index - right.index);
        yield { through, logs };
        from = through + 1;
        paused = 0;
        answered += 1;
        if (answered >= PATIENCE && range < BLOCK_RANGE) {
            range = Math.min(BLOCK_RANGE, range * 2);
            answered = 0;
        }
    }
}
