// Getting a credential: blind, have it signed, by one issuer or by several, unblind, verify against the key that the chain has.

import {
    blind,
    combine,
    deriveKeys,
    unblind,
    verify,
    verifyPartial,
    type CredentialScope,
    type GroupKeys,
    type Hex,
    type MasterSecret,
    type PartialSignature,
} from "../credential/index.ts";
import type { RoundOnChain } from "./chain.ts";
import type { IssuerGroup } from "./group.ts";
import { requestCredential, type RoundInfo } from "./portal.ts";
import { Problem } from "./problem.ts";
import { text } from "./texts.ts";

export type CredentialStep = "blind" | "issue" | "verify";

/** What a round's credential of a class is for. */
export function scopeOf(round: RoundInfo, scopeClass: number): CredentialScope {
    return { chainId: BigInt(round.chain_id), contract: round.contract, id: BigInt(round.round_id), class: scopeClass };
}

/** Compares the portal's issuer key with the chain's: one that differs could mark a citizen. */
export async function checkedIssuerKey(round: RoundInfo, chain: RoundOnChain, scopeClass: number): Promise<Hex> {
    const chainId = await chain.chainId();
    if (chainId !== round.chain_id) {
        throw new Problem("chain-differs", text("js-chain-differs"), `${chainId} ≠ ${round.chain_id}`);
    }
    const onChain = await chain.issuerKey(scopeClass);
    const offered = round.classes[scopeClass]?.issuer_key;
    if (offered?.toLowerCase() !== onChain.toLowerCase()) {
        throw new Problem("key-differs", text("js-key-differs"), `${offered ?? "none"} ≠ ${onChain}`);
    }
    return onChain;
}

/** What this portal's issuer gave: the verified credential, or its verified part where several issuers must sign. */
export type Obtained = { readonly signature: Hex } | { readonly partial: PartialSignature };

/** Asks this portal's issuer, and verifies what it answers. */
export async function obtainCredential(
    round: RoundInfo,
    chain: RoundOnChain,
    master: MasterSecret,
    csrf: string,
    scopeClass: number,
    onStep: (step: CredentialStep) => void,
): Promise<Obtained> {
    const key = await checkedIssuerKey(round, chain, scopeClass);
    onStep("blind");
    await paint();
    const blinded = blindedOf(round, master, scopeClass);
    onStep("issue");
    const answer = await requestCredential(round.contract, csrf, scopeClass, blinded);
    onStep("verify");
    await paint();
    const group = round.classes[scopeClass]?.group;
    if (!group) return { signature: credentialOf(round, master, scopeClass, key, answer.signature) };
    const partial = { issuer: answer.issuer ?? 0, signature: answer.signature };
    checkPartial(round, group, master, scopeClass, partial);
    return { partial };
}

/** The blinded message of the citizen's account: always the same, whichever issuer is asked, and however often. */
export function blindedOf(round: RoundInfo, master: MasterSecret, scopeClass: number): Hex {
    const scope = scopeOf(round, scopeClass);
    const keys = deriveKeys(master, scope);
    return blind(scope, keys.address, keys.blinding);
}

/** Refuses an issuer's part that is not under its own key; the citizen goes to another issuer then. */
export function checkPartial(
    round: RoundInfo,
    group: IssuerGroup,
    master: MasterSecret,
    scopeClass: number,
    partial: PartialSignature,
): void {
    let holds = false;
    try {
        holds = verifyPartial(keysOf(round, group, scopeClass), blindedOf(round, master, scopeClass), partial);
    } catch {
        // A malformed part, or one of an issuer that does not exist, is as bad as a wrong one.
    }
    if (!holds) throw wrongPartial(group, partial.issuer);
}

/** The verified credential from the parts of enough issuers. */
export async function combineCredential(
    round: RoundInfo,
    chain: RoundOnChain,
    master: MasterSecret,
    scopeClass: number,
    group: IssuerGroup,
    partials: readonly PartialSignature[],
): Promise<Hex> {
    const key = await checkedIssuerKey(round, chain, scopeClass);
    await paint();
    let signature: Hex;
    try {
        signature = combine({ ...keysOf(round, group, scopeClass), groupKey: key }, blindedOf(round, master, scopeClass), partials);
    } catch (error) {
        // Each part was under its issuer's key: then these keys are not those of the key on chain.
        throw new Problem("group-keys", text("js-group-keys"), String(error));
    }
    return credentialOf(round, master, scopeClass, key, signature);
}

function keysOf(round: RoundInfo, group: IssuerGroup, scopeClass: number): GroupKeys {
    const groupKey = round.classes[scopeClass]?.issuer_key ?? "0x";
    return { needed: group.needed, groupKey, shareKeys: group.members.map((member) => member.share_key) };
}

function wrongPartial(group: IssuerGroup, issuer: number): Problem {
    const portal = group.members[issuer - 1]?.portal;
    const host = portal ? new URL(portal).host : "?";
    return new Problem("group-wrong", text("js-group-wrong", { issuer: String(issuer), host }), `issuer ${issuer}`);
}

/** Unblinds and verifies under the key on chain. */
function credentialOf(round: RoundInfo, master: MasterSecret, scopeClass: number, key: Hex, answer: Hex): Hex {
    const scope = scopeOf(round, scopeClass);
    const keys = deriveKeys(master, scope);
    try {
        const signature = unblind(answer, keys.blinding);
        if (verify(key, scope, keys.address, signature)) return signature;
    } catch {
        // A malformed answer is as bad as a wrong one.
    }
    throw new Problem("signature-wrong", text("js-signature-wrong"), answer);
}

/** Lets the browser show the step before the processor is busy. */
function paint(): Promise<void> {
    return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
}
