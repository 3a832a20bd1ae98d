// Reads the chain through a public node, without the portal: the issuer's key, the citizen's record, the phase.

import { Interface } from "ethers";
import { encodePoint, fromHex, parseG2Eip2537, type Hex } from "../credential/index.ts";
import { fetchJson, problem } from "./problem.ts";
import type { Phase } from "./portal.ts";

const ROUND = new Interface([
    "function phase() view returns (uint8)",
    "function classInfo(uint8 class) view returns (tuple(uint32 weight, bytes issuerKey, uint32 registered, uint32 issued))",
    "function citizen(address account) view returns (tuple(bool registered, uint8 class, uint32 version, uint16[] initiatives, uint16[] points))",
    "function allotmentOf(address account) view returns (uint256)",
]);

const PHASES: readonly Phase[] = ["draft", "registration", "pledging", "tallying", "objection", "settled", "closed", "cancelled"];

/** What the chain has recorded of an account. */
export interface Citizen {
    readonly registered: boolean;
    readonly class: number;
    readonly version: number;
    readonly initiatives: readonly number[];
    readonly points: readonly number[];
}

export class RoundOnChain {
    constructor(
        readonly rpcUrl: string,
        readonly round: Hex,
    ) {}

    async chainId(): Promise<number> {
        return Number(BigInt(await this.#rpc<string>("eth_chainId", [])));
    }

    async phase(): Promise<Phase> {
        const [phase] = await this.#call("phase", []);
        return PHASES[Number(phase)] ?? "draft";
    }

    /** The class's issuer key in its compressed form, checked to be a point of the group. */
    async issuerKey(scopeClass: number): Promise<Hex> {
        const [info] = await this.#call("classInfo", [scopeClass]);
        return encodePoint(parseG2Eip2537(fromHex((info as { issuerKey: string }).issuerKey)));
    }

    async citizen(account: Hex): Promise<Citizen> {
        const [citizen] = await this.#call("citizen", [account]);
        const { registered, class: scopeClass, version, initiatives, points } = citizen as Record<string, unknown> & {
            initiatives: bigint[];
            points: bigint[];
        };
        return {
            registered: Boolean(registered),
            class: Number(scopeClass),
            version: Number(version),
            initiatives: [...initiatives].map(Number),
            points: [...points].map(Number),
        };
    }

    /** The whole share in kopecks; 0 before it is known. */
    async allotment(account: Hex): Promise<bigint> {
        const [amount] = await this.#call("allotmentOf", [account]);
        return BigInt(amount as bigint);
    }

    async #call(name: string, values: unknown[]): Promise<unknown[]> {
        const data = ROUND.encodeFunctionData(name, values);
        const answer = await this.#rpc<string>("eth_call", [{ to: this.round, data }, "latest"]);
        try {
            return [...ROUND.decodeFunctionResult(name, answer)] as unknown[];
        } catch (error) {
            throw problem("rpc", `${name}: ${String(error)}`);
        }
    }

    async #rpc<T>(method: string, params: unknown[]): Promise<T> {
        let answer: { result?: T; error?: { message?: string } };
        try {
            answer = await fetchJson(
                this.rpcUrl,
                {
                    method: "POST",
                    headers: { "content-type": "application/json" },
                    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
                    credentials: "omit",
                    referrerPolicy: "no-referrer",
                    mode: "cors",
                },
                { localized: false },
            );
        } catch (error) {
            throw problem("rpc", `${this.rpcUrl}: ${String(error)}`);
        }
        if (answer.result === undefined || answer.result === null) {
            throw problem("rpc", `${method}: ${answer.error?.message ?? "no result"}`);
        }
        return answer.result;
    }
}
