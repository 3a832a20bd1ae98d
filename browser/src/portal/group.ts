// Where several issuers hold a key together: how a browser goes from one issuer's portal to another and brings back its part of
// the signature. What travels stands behind the `#` of addresses, which browsers send to nobody, and is worth nothing without
// the blinding that never leaves this browser. Pure functions.

import type { Hex, PartialSignature } from "../credential/index.ts";

/** The issuers of a class, of whom `needed` must sign. */
export interface IssuerGroup {
    readonly needed: number;
    /** The number of the issuer whose portal says this, from 1. */
    readonly issuer: number;
    /** All of them, the first issuer first. */
    readonly members: readonly { readonly portal: string; readonly share_key: Hex }[];
}

/** What another issuer is asked to sign, and where to go afterwards. */
export interface CoSignRequest {
    readonly class: number;
    readonly blinded: Hex;
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
    url.hash = new URLSearchParams({ class: String(request.class), blinded: request.blinded, back: request.back }).toString();
    return url.href;
}

/** What [`coSignUrl`] wrote; null if the address holds nothing of the kind. */
export function parseRequest(hash: string): CoSignRequest | null {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const [scopeClass, blinded, back] = [given.get("class"), given.get("blinded"), given.get("back")];
    if (!scopeClass || !/^\d{1,3}$/.test(scopeClass) || !blinded || !/^0x[0-9a-f]{96}$/.test(blinded) || !back) return null;
    return { class: Number(scopeClass), blinded: blinded as Hex, back };
}

/** Whether the way back leads to the same round at the portal of one of the group's issuers, and nowhere else. */
export function leadsBack(group: IssuerGroup, round: Hex, back: string): boolean {
    return group.members.some(({ portal }) => back === takePartUrl(portal, round));
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
    if (!issuer || !/^\d{1,3}$/.test(issuer) || !signature || !/^0x[0-9a-f]{96}$/.test(signature)) return null;
    return { issuer: Number(issuer), signature: signature as Hex };
}
