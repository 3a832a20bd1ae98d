// Where several issuers hold a key together: how a browser goes from one issuer's portal to another and brings back its part of
// the signature. What travels stands behind the `#` of addresses, which browsers send to nobody, and is worth nothing without
// the blinding that never leaves this browser. Pure functions.

import type { Hex, PartialSignature } from "../credential/index.ts";

/** The issuers of a class, of whom `needed` must sign. */
export interface IssuerGroup {
    readonly needed: number;
    /** The number of the issuer whose portal says this, from 1. */
    readonly issuer: number;
    /** The number of the issuer at whose portal citizens begin: it signs first, and the others only what it has signed. */
    readonly home: number;
    /** All of them, the first issuer first. */
    readonly members: readonly { readonly portal: string; readonly share_key: Hex }[];
}

/** What another issuer is asked to sign, and where to go afterwards. */
export interface CoSignRequest {
    readonly class: number;
    readonly blinded: Hex;
    /** The home issuer's part of the signature. */
    readonly first: Hex;
    readonly back: string;
}

/** The issuers who have not signed yet. */
export function remaining(group: IssuerGroup, partials: readonly PartialSignature[]): { issuer: number; portal: string }[] {
    return group.members
        .map(({ portal }, place) => ({ issuer: place + 1, portal }))
        .filter(({ issuer }) => issuer !== group.issuer && !partials.some((partial) => partial.issuer === issuer));
}

/** Address of the page at another issuer's portal. */
export function coSignUrl(portal: string, round: Hex, request: CoSignRequest): string {
    const url = new URL(`rounds/${round}/co-sign`, portal);
    url.hash = new URLSearchParams({
        class: String(request.class),
        blinded: request.blinded,
        first: request.first,
        back: request.back,
    }).toString();
    return url.href;
}

/** What [`coSignUrl`] wrote; null if the address holds nothing of the kind. */
export function parseRequest(hash: string): CoSignRequest | null {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const [scopeClass, blinded, first, back] = ["class", "blinded", "first", "back"].map((name) => given.get(name));
    if (!scopeClass || !/^\d{1,3}$/.test(scopeClass) || !isPoint(blinded) || !isPoint(first) || !back) return null;
    return { class: Number(scopeClass), blinded, first, back };
}

/** A point of G1 as it travels. Whether it is one is for those who compute with it. */
function isPoint(given: string | null | undefined): given is Hex {
    return /^0x[0-9a-f]{96}$/.test(given ?? "");
}

/** The page on which citizens of the group begin; null if the portal names no issuer of that number. */
export function homeUrl(group: IssuerGroup, round: Hex): string | null {
    const home = group.members[group.home - 1];
    return home ? takePartUrl(home.portal, round) : null;
}

/** Whether the way back leads to the page where citizens of the group begin, and nowhere else. */
export function leadsBack(group: IssuerGroup, round: Hex, back: string): boolean {
    return back === homeUrl(group, round);
}

/** The page of a portal on which a citizen takes part in a round. */
export function takePartUrl(portal: string, round: Hex): string {
    return new URL(`rounds/${round}/take-part`, portal).href;
}

/** The way back, with the issuer's part. */
export function answerUrl(back: string, partial: PartialSignature): string {
    const url = new URL(back);
    url.hash = new URLSearchParams({ issuer: String(partial.issuer), signature: partial.signature }).toString();
    return url.href;
}

/** What [`answerUrl`] wrote; null if the address holds nothing of the kind. */
export function parseAnswer(hash: string): PartialSignature | null {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const [issuer, signature] = [given.get("issuer"), given.get("signature")];
    if (!issuer || !/^\d{1,3}$/.test(issuer) || !isPoint(signature)) return null;
    return { issuer: Number(issuer), signature };
}
