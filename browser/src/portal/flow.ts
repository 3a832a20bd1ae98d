// Where a citizen stands in a round, decided from what the chain, the portal and this browser know. A pure function.

import type { Citizen } from "./chain.ts";
import type { Phase, RoundInfo, Session } from "./portal.ts";
import type { Progress } from "./storage.ts";

/** What the page shows next. */
export type Step =
    /** Of several issuers another one's portal is where citizens begin: here they would make a second key. */
    | { readonly name: "elsewhere" }
    | { readonly name: "login" }
    | { readonly name: "ineligible"; readonly reason: "municipality" | "age" | "age-unknown" }
    | { readonly name: "keys" }
    /** The citizen has a key on another device, or lost it: a new one would be of no use. */
    | { readonly name: "restore" }
    | { readonly name: "words" }
    | { readonly name: "credential" }
    /** Of several issuers some have signed: others must. */
    | { readonly name: "group" }
    /** The credential is there, the chain does not know it yet. */
    | { readonly name: "register" }
    | { readonly name: "wait" }
    | { readonly name: "ballot" }
    /** An allocation was signed and is on its way. */
    | { readonly name: "deliver" }
    | { readonly name: "receipt"; readonly canChange: boolean }
    | { readonly name: "closed"; readonly why: Phase | "not-registered" | "no-key" };

export interface Situation {
    readonly round: RoundInfo;
    readonly phase: Phase;
    readonly session: Session | null;
    /** Whether this browser has a key of the citizen. */
    readonly hasKey: boolean;
    readonly wordsSettled: boolean;
    readonly citizen: Citizen | null;
    readonly progress: Progress;
}

export function nextStep(situation: Situation): Step {
    const { round, phase, session, hasKey, wordsSettled, citizen, progress } = situation;
    if (citizen?.registered) {
        const delivered = progress.pending && citizen.version >= progress.pending.allocation.version;
        switch (phase) {
            case "draft":
            case "registration":
                return { name: "wait" };
            case "pledging":
                if (progress.pending && !delivered) return { name: "deliver" };
                return citizen.version > 0 ? { name: "receipt", canChange: true } : { name: "ballot" };
            case "cancelled":
                return { name: "closed", why: phase };
            default:
                return citizen.version > 0 ? { name: "receipt", canChange: false } : { name: "closed", why: phase };
        }
    }
    const open = phase === "registration" || (phase === "pledging" && round.allotment === "fixed");
    if (!open) {
        if (phase !== "pledging") return { name: "closed", why: phase };
        return { name: "closed", why: hasKey ? "not-registered" : "no-key" };
    }
    if (hasKey && progress.signature) return { name: "register" };
    // What other issuers still have to sign needs no login here.
    const group = round.classes[progress.class ?? round.class ?? 0]?.group;
    if (group && group.issuer !== group.home) return { name: "elsewhere" };
    if (hasKey && group && progress.partials?.some(({ issuer }) => issuer === group.home)) return { name: "group" };
    if (!session) return { name: "login" };
    if (round.class === null) return { name: "ineligible", reason: round.ineligible ?? "municipality" };
    if (!hasKey) return { name: round.issued ? "restore" : "keys" };
    if (!wordsSettled) return { name: "words" };
    return { name: "credential" };
}
