// Calls of the relayer: without cookies, without a login, without a referrer, so that nothing joins an account to a citizen.

import type { Hex } from "../credential/index.ts";
import type { SignedAllocation } from "./allocation.ts";
import { pause } from "./dom.ts";
import { asProblem, fetchJson, problem, Problem } from "./problem.ts";

export interface MessageView {
    readonly id: Hex;
    readonly status: "queued" | "submitted" | "mined" | "finalized" | "failed";
    readonly reason?: string;
    readonly tx_hash?: Hex;
    readonly block_number?: number;
}

/** Asked every second at first, then more rarely. */
const EVERY = 1000;
const AT_MOST_EVERY = 4000;
/** After this long the citizen is told that it takes long. */
const SLOW = 60_000;
/** After this long the page stops waiting; the message stays with the relayer. */
const LIMIT = 15 * 60_000;

export class Relayer {
    readonly #base: string;

    constructor(base: string) {
        this.#base = base.replace(/\/+$/, "");
    }

    /** Hands over a credential; returns the message's id. */
    async register(round: Hex, scopeClass: number, account: Hex, signature: Hex): Promise<Hex> {
        return (await this.#post("/v1/registrations", { round, class: scopeClass, account, signature })).id;
    }

    /** Hands over an allocation; returns the message's id. */
    async allocate(round: Hex, allocation: SignedAllocation): Promise<Hex> {
        const { account, version, initiatives, points, signature } = allocation;
        return (await this.#post("/v1/allocations", { round, account, version, initiatives, points, signature })).id;
    }

    message(id: Hex): Promise<MessageView> {
        return this.#call<MessageView>(`/v1/messages/${id}`, {});
    }

    /**
     * Waits until a message is in a block. A lost connection is waited out. `onSlow` is called once if it takes long.
     * A message that the relayer does not know is told to the caller, who sends it again.
     */
    async waitMined(id: Hex, onSlow: () => void): Promise<MessageView> {
        const began = Date.now();
        let every = EVERY;
        let told = false;
        for (;;) {
            try {
                const view = await this.message(id);
                if (view.status === "failed" || ((view.status === "mined" || view.status === "finalized") && view.reason)) {
                    throw problem(view.reason ?? "other", `message ${id}: ${view.status} ${view.reason ?? ""}`);
                }
                if (view.status === "mined" || view.status === "finalized") return view;
            } catch (error) {
                const kind = asProblem(error).kind;
                if (kind !== "offline" && kind !== "unavailable") throw error;
            }
            const waited = Date.now() - began;
            if (waited > LIMIT) throw problem("slow", `message ${id}`);
            if (waited > SLOW && !told) {
                told = true;
                onSlow();
            }
            await pause(every);
            every = Math.min(every * 1.1, AT_MOST_EVERY);
        }
    }

    #post(path: string, body: unknown): Promise<{ id: Hex }> {
        return this.#call<{ id: Hex }>(path, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        });
    }

    #call<T>(path: string, init: RequestInit): Promise<T> {
        return fetchJson<T>(
            `${this.#base}${path}`,
            { ...init, credentials: "omit", referrerPolicy: "no-referrer", mode: "cors" },
            { localized: false },
        );
    }
}

/** Whether the relayer has no such message, for instance after its database was rebuilt. */
export function isUnknownMessage(error: unknown): boolean {
    return error instanceof Problem && error.kind === "message-unknown";
}
