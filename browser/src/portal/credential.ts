// Getting a credential: blind, have it signed, unblind, verify against the key that the chain has.

import { blind, deriveKeys, unblind, verify, type CredentialScope, type Hex, type MasterSecret } from "../credential/index.ts";
import type { RoundOnChain } from "./chain.ts";
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

/** The unblinded credential of the citizen's account, verified. */
export async function obtainCredential(
    round: RoundInfo,
    chain: RoundOnChain,
    master: MasterSecret,
    csrf: string,
    scopeClass: number,
    onStep: (step: CredentialStep) => void,
): Promise<Hex> {
    const scope = scopeOf(round, scopeClass);
    const key = await checkedIssuerKey(round, chain, scopeClass);
    onStep("blind");
    await paint();
    const keys = deriveKeys(master, scope);
    const blinded = blind(scope, keys.address, keys.blinding);
    onStep("issue");
    const answer = await requestCredential(round.contract, csrf, scopeClass, blinded);
    onStep("verify");
    await paint();
    let signature: Hex | undefined;
    try {
        signature = unblind(answer, keys.blinding);
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
