// Calls of the portal, with the session cookie. Nothing here ever carries an account or a choice.

import type { Hex } from "../credential/index.ts";
import type { IssuerGroup } from "./group.ts";
import { fetchJson, Problem } from "./problem.ts";

export type Phase = "draft" | "registration" | "pledging" | "tallying" | "objection" | "settled" | "closed" | "cancelled";
export type BallotKind = "cumulative" | "approval";

export interface Session {
    readonly confirmed: boolean;
    readonly municipality_id: number | null;
    readonly profile: string;
    readonly csrf: string;
}

export interface RoundInitiative {
    readonly id: number;
    readonly title: string | null;
    readonly place: string | null;
    readonly cost: string;
    readonly wallet: Hex;
}

export interface RoundInfo {
    readonly chain_id: number;
    readonly contract: Hex;
    readonly round_id: number;
    readonly municipality_id: number;
    readonly title: string | null;
    readonly phase: Phase;
    readonly issuing: boolean;
    readonly class: number | null;
    readonly ineligible: "municipality" | "age" | "age-unknown" | null;
    readonly issuer_key: Hex | null;
    /** Whether the citizen had a credential of this round: only the same key can have it again. */
    readonly issued: boolean;
    readonly classes: readonly {
        readonly weight: number;
        readonly issuer_key: Hex;
        /** Null with one issuer, and when nothing is issued. */
        readonly group: IssuerGroup | null;
    }[];
    readonly ballot_kind: BallotKind;
    readonly allotment: "fixed" | "equal";
    readonly share_points: number;
    readonly fixed_amount: string;
    readonly registration_until: number;
    readonly pledging_until: number;
    readonly initiatives: readonly RoundInitiative[];
    readonly relayer_url: string;
    readonly rpc_url: string;
    readonly explorer_url: string;
    readonly registration_delay_ms: number;
}

export interface RoundEntry {
    readonly chain_id: number;
    readonly contract: Hex;
    readonly round_id: number;
    readonly title: string | null;
    readonly phase: Phase;
}

const LOCALIZED = { localized: true };

/** Who is logged in; null for nobody. */
export async function getSession(): Promise<Session | null> {
    try {
        return await fetchJson<Session>("/api/v1/session", {}, LOCALIZED);
    } catch (error) {
        if (error instanceof Problem && error.kind === "login-needed") return null;
        throw error;
    }
}

export function getRound(address: string): Promise<RoundInfo> {
    return fetchJson<RoundInfo>(`/api/v1/rounds/${address}`, {}, LOCALIZED);
}

export function getRounds(): Promise<RoundEntry[]> {
    return fetchJson<RoundEntry[]>("/api/v1/rounds", {}, LOCALIZED);
}

/** The blind signature; with an issuer's number it is that issuer's part of one. */
export interface IssuerAnswer {
    readonly signature: Hex;
    readonly issuer?: number;
}

/** Has a blinded message signed; `first` is the home issuer's part, which other issuers ask for. */
export function requestCredential(
    round: Hex,
    csrf: string,
    scopeClass: number,
    blinded: Hex,
    first?: Hex,
): Promise<IssuerAnswer> {
    return fetchJson<IssuerAnswer>(
        `/api/v1/rounds/${round}/credential`,
        {
            method: "POST",
            headers: { "content-type": "application/json", "x-csrf-token": csrf },
            body: JSON.stringify({ class: scopeClass, blinded, first }),
        },
        LOCALIZED,
    );
}
