// «Проверить мой голос»: asks the chain through a public node what is recorded, and compares it with the receipt.

import { deriveKeys, type Hex } from "../credential/index.ts";
import { toChoices } from "../portal/allocation.ts";
import { fillChoices } from "../portal/ballot-form.ts";
import { RoundOnChain, type Citizen } from "../portal/chain.ts";
import { scopeOf } from "../portal/credential.ts";
import { byId, onClick, show } from "../portal/dom.ts";
import { getRound, getSession, type RoundInfo } from "../portal/portal.ts";
import { asProblem } from "../portal/problem.ts";
import { compare, parseReceipt, type Receipt } from "../portal/receipt.ts";
import { Storage } from "../portal/storage.ts";
import { text } from "../portal/texts.ts";

const root = byId("check");
const address = root.dataset["round"] as Hex;
const storage = new Storage(localStorage);
let fromFile: Receipt | undefined;

type Tone = "good" | "info" | "warning" | "bad";

function verdict(tone: Tone, state: string, message: string): void {
    const box = byId("check-verdict");
    box.className = `notice notice-${tone}`;
    byId("check-verdict-text").textContent = message;
    root.dataset["state"] = state;
    show("check-loading", false);
    show(box);
}

async function check(): Promise<void> {
    show("check-loading");
    show("check-verdict", false);
    show("check-chain", false);
    root.dataset["state"] = "loading";
    try {
        const [round, session] = await Promise.all([getRound(address), getSession().catch(() => null)]);
        if (session) storage.open(session.profile);
        const master = storage.master();
        const receipt = fromFile ?? storage.progress(round.chain_id, round.contract).receipt;
        const account = fromFile?.account ?? (master ? deriveKeys(master, scopeOf(round, 0)).address : receipt?.account);
        if (!account) return verdict("info", "no-key", text("js-check-no-key"));
        const chain = new RoundOnChain(round.rpc_url, round.contract);
        const citizen = await chain.citizen(account);
        display(round, account, citizen, receipt);
        judge(citizen, receipt && receipt.account.toLowerCase() === account.toLowerCase() ? receipt : undefined);
    } catch (error) {
        verdict("warning", "failed", asProblem(error).message);
    }
}

function judge(citizen: Citizen, receipt: Receipt | undefined): void {
    if (!citizen.registered) return verdict("warning", "not-registered", text("js-check-not-registered"));
    if (!receipt) {
        if (citizen.version === 0) return verdict("info", "registered", text("js-check-registered"));
        return verdict("info", "no-receipt", text("js-check-no-receipt"));
    }
    const result = compare(receipt, citizen);
    const tones: Record<typeof result, Tone> = { ok: "good", newer: "warning", differs: "bad", missing: "warning" };
    verdict(tones[result], result, text(`js-check-${result}`, { version: citizen.version }));
}

function display(round: RoundInfo, account: Hex, citizen: Citizen, receipt: Receipt | undefined): void {
    if (!citizen.registered) return;
    const explorer = round.explorer_url.replace(/\/+$/, "");
    fillChoices(byId("check-rows"), toChoices(citizen), round, null);
    const link = (id: string, path: string, content: string) => {
        const anchor = byId<HTMLAnchorElement>(id);
        anchor.href = `${explorer}/${path}/${content}`;
        anchor.rel = "noreferrer";
        anchor.textContent = content;
    };
    link("check-account", "address", account);
    byId("check-version").textContent = String(citizen.version);
    const tx = receipt?.version === citizen.version ? receipt.tx_hash : null;
    show("check-tx-row", Boolean(tx));
    if (tx) link("check-tx", "tx", tx);
    byId("check-source").textContent = round.rpc_url;
    show("check-chain");
}

byId<HTMLInputElement>("check-file").addEventListener("change", async (event) => {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (!file) return;
    const receipt = parseReceipt(await file.text());
    if (!receipt) return verdict("warning", "file-bad", text("js-check-file-bad"));
    if (receipt.round.toLowerCase() !== address.toLowerCase()) {
        return verdict("warning", "file-other", text("js-check-file-other"));
    }
    fromFile = receipt;
    await check();
});
onClick("check-again", check);
void check();
