// The citizen's whole way through a round: key, credential, registration, ballot, receipt. At every load the page finds
// out anew where the citizen stands (see ../portal/flow.ts), so that a lost session, network or tab loses nothing.

import { deriveKeys, encodeWords, newMasterSecret, type Hex, type PartialSignature, type ScopeKeys } from "../credential/index.ts";
import { signAllocation, toAllocation, toChoices, sameDistribution, type Choices } from "../portal/allocation.ts";
import { chosenCount, given, worth } from "../portal/ballot.ts";
import { BallotForm, fillChoices } from "../portal/ballot-form.ts";
import { RoundOnChain, type Citizen } from "../portal/chain.ts";
import { blindedOf, checkPartial, combineCredential, obtainCredential, scopeOf } from "../portal/credential.ts";
import { byId, download, element, onClick, pause, show } from "../portal/dom.ts";
import { nextStep, type Step } from "../portal/flow.ts";
import { dateTime, money, percent } from "../portal/format.ts";
import { coSignUrl, homeUrl, parseAnswer, remaining, takePartUrl } from "../portal/group.ts";
import { getRound, getSession, type Phase, type RoundInfo, type Session } from "../portal/portal.ts";
import { asProblem, Problem, problem } from "../portal/problem.ts";
import { makeReceipt, type Receipt } from "../portal/receipt.ts";
import { isUnknownMessage, Relayer } from "../portal/relayer.ts";
import { Storage, type Progress } from "../portal/storage.ts";
import { hasText, text } from "../portal/texts.ts";
import { showWork, workIsSlow } from "../portal/working.ts";
import { askWords, hideWords, showWords } from "../portal/words-view.ts";

const SECTIONS = [
    "loading", "elsewhere", "login", "ineligible", "keys", "restore", "words", "words-check", "credential", "group", "working", "wait", "ballot", "confirm",
    "receipt", "closed", "refused",
] as const;
type Section = (typeof SECTIONS)[number];

/** Which of the four marks at the top belongs to a section. */
const MARKS: Partial<Record<Section, number>> = {
    keys: 0, restore: 0, words: 0, "words-check": 0, login: 1, credential: 1, group: 1, wait: 1, ballot: 2, confirm: 2, receipt: 3,
};

interface Loaded {
    readonly round: RoundInfo;
    readonly session: Session | null;
    readonly chain: RoundOnChain;
    readonly phase: Phase;
    readonly keys: ScopeKeys | null;
    readonly citizen: Citizen | null;
}

const flow = byId("flow");
const address = flow.dataset["round"] as Hex;
const storage = new Storage(localStorage);
let loaded: Loaded | undefined;
let ballot: BallotForm | undefined;
/** Set when the citizen wants to change a recorded choice. */
let changing = false;
let otherPerson = false;
let lostSession = false;

function display(section: Section, focus = true): void {
    for (const name of SECTIONS) show(`step-${name}`, name === section);
    flow.dataset["state"] = section;
    const mark = section === "working" ? (loaded?.citizen?.registered ? 2 : 1) : MARKS[section];
    flow.querySelectorAll("[data-flow]").forEach((item, index) => {
        item.toggleAttribute("data-done", mark !== undefined && index < mark && storage.master() !== undefined);
        if (index === mark) item.setAttribute("aria-current", "step");
        else item.removeAttribute("aria-current");
    });
    const nags = storage.master() !== undefined && !storage.wordsChecked();
    show("words-nag", nags && ["credential", "group", "wait", "ballot", "receipt"].includes(section));
    if (section !== "words") hideWords();
    if (focus) byId(`step-${section}`).querySelector<HTMLElement>("h2")?.focus();
}

function refuse(error: unknown): void {
    const refusal = asProblem(error);
    byId("refused-title").textContent = text("js-refused-title");
    byId("refused-what").textContent = refusal.message;
    byId("refused-what").dataset["problem"] = refusal.kind;
    byId("refused-details").textContent = refusal.details;
    show("refused-details-box", refusal.details !== "");
    show("refused-restore", refusal.kind === "credential-already-issued");
    show("refused-again", refusal.kind !== "key-differs");
    display("refused");
}

/** Runs a step of the way; a refusal is shown, a lost session leads back to the login. */
async function attempt(action: () => Promise<void>): Promise<void> {
    try {
        await action();
    } catch (error) {
        if (asProblem(error).kind === "login-needed") {
            lostSession = true;
            await decide();
        } else {
            refuse(error);
        }
    }
}

function progressOf(round: RoundInfo): Progress {
    return storage.progress(round.chain_id, round.contract);
}

function classOf(round: RoundInfo, citizen: Citizen | null): number {
    return citizen?.registered ? citizen.class : (progressOf(round).class ?? round.class ?? 0);
}

async function load(): Promise<Loaded> {
    const [round, session] = await Promise.all([getRound(address), getSession()]);
    if (session) otherPerson = storage.open(session.profile) || otherPerson;
    byId("round-title").textContent = round.title ?? byId("round-title").textContent;
    const chain = new RoundOnChain(round.rpc_url, round.contract);
    const master = storage.master();
    // The account is the same for all classes of a round.
    const keys = master ? deriveKeys(master, scopeOf(round, round.class ?? 0)) : null;
    const [phase, citizen] = await Promise.all([chain.phase(), keys ? chain.citizen(keys.address) : null]);
    return { round, session, chain, phase, keys, citizen };
}

async function decide(): Promise<void> {
    await attempt(async () => {
        loaded = await load();
        takeAnswer(loaded.round);
        const { round, session, phase, keys, citizen } = loaded;
        const step = nextStep({
            round,
            phase,
            session,
            citizen,
            hasKey: keys !== null,
            wordsSettled: storage.wordsChecked() || storage.wordsLater(),
            progress: progressOf(round),
        });
        await perform(step, loaded);
    });
}

async function perform(step: Step, now: Loaded): Promise<void> {
    const { round, keys } = now;
    switch (step.name) {
        case "login":
            show("login-lost", lostSession);
            return display("login");
        case "elsewhere": {
            const group = round.classes[round.class ?? 0]?.group;
            byId<HTMLAnchorElement>("elsewhere-go").href = (group && homeUrl(group, round.contract)) ?? "/";
            return display("elsewhere");
        }
        case "ineligible":
            byId("ineligible-reason").textContent = text(`js-ineligible-${step.reason}`);
            return display("ineligible");
        case "keys":
            if (!storage.works()) throw new Problem("no-storage", text("js-no-storage"));
            if (otherPerson) byId("step-keys").querySelector("p")?.prepend(`${text("js-other-person")} `);
            return display("keys");
        case "restore":
            return display("restore");
        case "words":
            return displayWords();
        case "credential":
            return display("credential");
        case "group":
            return displayGroup(now);
        case "register":
            return register(now);
        case "wait":
            byId("wait-account").textContent = keys?.address ?? "";
            byId("wait-when").textContent =
                round.registration_until * 1000 > Date.now()
                    ? text("js-wait-until", { time: dateTime(round.registration_until) })
                    : text("js-wait-soon");
            display("wait");
            void watchPhase(now.chain, now.phase);
            return;
        case "ballot":
            return displayBallot(now, new Map());
        case "deliver":
            return deliver(now);
        case "receipt":
            if (changing && step.canChange && now.citizen) return displayBallot(now, toChoices(now.citizen));
            return displayReceipt(now, step.canChange);
        case "closed": {
            const key = `js-closed-${step.why}`;
            byId("closed-what").textContent = text(hasText(key) ? key : `now-${step.why}`);
            show("closed-restore", step.why === "no-key");
            return display("closed");
        }
    }
}

// --- Key and words ---

function displayWords(): void {
    const master = storage.master();
    if (!master) return;
    byId("words-copied").textContent = "";
    display("words");
    showWords(master);
}

onClick("create-key", async () => {
    await attempt(async () => {
        storage.keep(newMasterSecret(), false);
        await decide();
    });
});
// Browsers offer no clipboard to pages without https.
show("words-copy", "clipboard" in navigator);
onClick("words-copy", async () => {
    const master = storage.master();
    if (!master) return;
    await navigator.clipboard.writeText(encodeWords(master).join(" "));
    byId("words-copied").textContent = text("js-copied");
});
onClick("words-print", () => window.print());
onClick("words-later", postpone);
onClick("words-check-later", postpone);
onClick("words-nag-button", displayWords);
onClick("words-back", displayWords);

async function postpone(): Promise<void> {
    storage.setWords({ later: true });
    await decide();
}

let wordsAreRight: () => boolean = () => false;
onClick("words-written", () => {
    const master = storage.master();
    if (!master) return;
    wordsAreRight = askWords(master, byId("words-check-fields"));
    show("words-check-error", false);
    display("words-check");
});
byId<HTMLFormElement>("words-check-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const right = wordsAreRight();
    show("words-check-error", !right);
    if (!right) return;
    storage.setWords({ checked: true });
    void decide();
});

// --- Credential and registration ---

onClick("get-credential", () =>
    attempt(async () => {
        if (!loaded?.session || !loaded.keys) return decide();
        const { round, chain, session } = loaded;
        const master = storage.master();
        const scopeClass = round.class;
        if (!master || scopeClass === null) return decide();
        const mark = credentialWork(round, round.classes[scopeClass]?.group != null);
        const obtained = await obtainCredential(round, chain, master, session.csrf, scopeClass, mark);
        if ("partial" in obtained) {
            keepPartial(round, scopeClass, obtained.partial);
            return decide();
        }
        await keepCredential(loaded, scopeClass, obtained.signature, mark);
    }),
);

async function keepCredential(now: Loaded, scopeClass: number, signature: Hex, mark: (step: string) => void): Promise<void> {
    const { round } = now;
    storage.setProgress(round.chain_id, round.contract, { class: scopeClass, signature, partials: undefined });
    if (round.registration_delay_ms > 0) {
        mark("delay");
        await pause(randomBelow(round.registration_delay_ms));
    }
    await register(now, mark);
}

// --- Several issuers ---

function keepPartial(round: RoundInfo, scopeClass: number, partial: PartialSignature): void {
    const others = (progressOf(round).partials ?? []).filter(({ issuer }) => issuer !== partial.issuer);
    storage.setProgress(round.chain_id, round.contract, { class: scopeClass, partials: [...others, partial] });
}

/** Takes what the citizen brings back from another issuer's portal. A wrong part is refused and forgotten. */
function takeAnswer(round: RoundInfo): void {
    const partial = parseAnswer(location.hash);
    if (!partial) return;
    history.replaceState(null, "", location.pathname);
    const master = storage.master();
    const { class: scopeClass = 0, signature } = progressOf(round);
    const group = round.classes[scopeClass]?.group;
    if (!master || !group || signature) return;
    checkPartial(round, group, master, scopeClass, partial);
    keepPartial(round, scopeClass, partial);
}

/** Sends the citizen to other issuers, or combines when enough have signed. */
async function displayGroup(now: Loaded): Promise<void> {
    const { round, chain } = now;
    const master = storage.master();
    const { class: scopeClass = 0, partials = [] } = progressOf(round);
    const group = round.classes[scopeClass]?.group;
    const first = partials.find(({ issuer }) => issuer === group?.home);
    if (!master || !group || !first) return;
    if (partials.length >= group.needed) {
        const mark = credentialWork(round);
        mark("verify");
        const signature = await combineCredential(round, chain, master, scopeClass, group, partials);
        return keepCredential(now, scopeClass, signature, mark);
    }
    byId("group-signed").textContent = text("js-group-signed", { signed: String(partials.length), needed: String(group.needed) });
    const request = {
        class: scopeClass,
        blinded: blindedOf(round, master, scopeClass),
        first: first.signature,
        back: homeUrl(group, round.contract) ?? takePartUrl(location.origin, round.contract),
    };
    const links = remaining(group, partials).map(({ issuer, portal }) =>
        element(
            "a",
            { class: "button", href: coSignUrl(portal, round.contract, request), "data-testid": `group-go-${issuer}` },
            text("js-group-go", { host: new URL(portal).host }),
        ),
    );
    byId("group-list").replaceChildren(...links);
    display("group");
}

function credentialWork(round: RoundInfo, inPart = false): (step: string) => void {
    const delay = round.registration_delay_ms > 0 ? ["delay"] : [];
    const rest = inPart ? [] : [...delay, "register", "registered"];
    const mark = showWork("credential", ["blind", "issue", "verify", ...rest]);
    display("working");
    return mark;
}

/** Hands the credential to the relayer, as often as needed, and waits until the chain knows the account. */
async function register(now: Loaded, mark = credentialWork(now.round)): Promise<void> {
    const { round, keys, chain } = now;
    const { signature, class: scopeClass = 0 } = progressOf(round);
    if (!keys || !signature) throw problem("other", "no credential to register");
    const relayer = new Relayer(round.relayer_url);
    for (let tries = 0; ; tries++) {
        mark("register");
        let id = progressOf(round).registrationId;
        try {
            id ??= await relayer.register(round.contract, scopeClass, keys.address, signature);
            storage.setProgress(round.chain_id, round.contract, { registrationId: id });
            mark("registered");
            await relayer.waitMined(id, workIsSlow);
            break;
        } catch (error) {
            const { kind } = asProblem(error);
            if (kind === "account-registered" || kind === "already-registered") break;
            storage.setProgress(round.chain_id, round.contract, { registrationId: undefined });
            if (kind === "credential-invalid") storage.setProgress(round.chain_id, round.contract, { signature: undefined });
            if (kind === "phase-wrong") throw problem("registration-over", asProblem(error).details);
            if (!isUnknownMessage(error) || tries > 0) throw error;
        }
    }
    mark("registered");
    await until(async () => (await chain.citizen(keys.address)).registered);
    await decide();
}

// --- Ballot ---

async function displayBallot(now: Loaded, recorded: Choices): Promise<void> {
    const { round, chain, keys, citizen } = now;
    if (!keys) return;
    const share = await shareOf(now);
    const draft = progressOf(round).draft;
    const initial = draft ? new Map(Object.entries(draft).map(([id, points]) => [Number(id), points])) : recorded;
    ballot = new BallotForm(round, share, initial, (choices) => {
        storage.setProgress(round.chain_id, round.contract, { draft: Object.fromEntries(choices) });
    });
    show("ballot-replaces", (citizen?.version ?? 0) > 0);
    display("ballot");
    void watchPhase(chain, now.phase);
}

async function shareOf({ round, chain, keys, citizen }: Loaded): Promise<bigint> {
    const onChain = keys ? await chain.allotment(keys.address) : 0n;
    if (onChain > 0n) return onChain;
    const weight = round.classes[classOf(round, citizen)]?.weight ?? 1;
    return BigInt(round.fixed_amount) * BigInt(weight);
}

byId<HTMLFormElement>("ballot").addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(async () => {
        if (!ballot || !loaded) return;
        const { round, citizen } = loaded;
        const count = chosenCount(ballot.choices);
        if (count === 0 && (citizen?.version ?? 0) === 0) return ballot.setError(text("js-ballot-empty-error"));
        const share = await shareOf(loaded);
        fillChoices(byId("confirm-rows"), ballot.choices, round, share);
        const left = round.share_points - given(ballot.choices);
        byId("confirm-rest").textContent =
            count === 0
                ? text("js-confirm-take-back")
                : round.ballot_kind === "cumulative" && left > 0
                  ? text("js-confirm-rest", {
                        percent: percent(left, round.share_points),
                        amount: money(worth(share, left, round.share_points)),
                    })
                  : "";
        display("confirm");
    });
});
onClick("confirm-back", () => display("ballot"));
onClick("confirm-sign", () =>
    attempt(async () => {
        if (!ballot || !loaded?.keys) return;
        const { round, chain, keys } = loaded;
        const mark = allocationWork();
        mark("sign");
        const recorded = await chain.citizen(keys.address);
        const version = Math.max(recorded.version, progressOf(round).signedVersion ?? 0) + 1;
        const allocation = toAllocation(keys.address, version, ballot.choices, round.ballot_kind === "cumulative");
        const signed = signAllocation(round.chain_id, round.contract, allocation, keys.privateKey);
        storage.setProgress(round.chain_id, round.contract, { pending: { allocation: signed }, signedVersion: version });
        await deliver(loaded, mark);
    }),
);

function allocationWork(): (step: string) => void {
    const mark = showWork("allocation", ["sign", "send", "recorded", "compare"]);
    display("working");
    return mark;
}

/** Hands the signed allocation to the relayer and waits until the chain has it. */
async function deliver(now: Loaded, mark = allocationWork()): Promise<void> {
    const { round, chain, keys } = now;
    const pending = progressOf(round).pending;
    if (!pending || !keys) return decide();
    const relayer = new Relayer(round.relayer_url);
    const { allocation } = pending;
    let id = pending.id;
    let mined;
    try {
        for (let tries = 0; ; tries++) {
            mark("send");
            try {
                id ??= await relayer.allocate(round.contract, allocation);
                storage.setProgress(round.chain_id, round.contract, { pending: { allocation, id } });
                mark("recorded");
                mined = await relayer.waitMined(id, workIsSlow);
                break;
            } catch (error) {
                if (!isUnknownMessage(error) || tries > 0) throw error;
                id = undefined;
            }
        }
    } catch (error) {
        // What was chosen stays as a draft; only what cannot succeed any more is given up.
        const final = !["offline", "slow", "queue-full", "unavailable", "other"].includes(asProblem(error).kind);
        if (final) storage.setProgress(round.chain_id, round.contract, { pending: undefined });
        throw error;
    }
    mark("compare");
    let citizen: Citizen | undefined;
    await until(async () => (citizen = await chain.citizen(keys.address)).version >= allocation.version);
    const receipt = makeReceipt(round, allocation, { ...mined, id });
    storage.setProgress(round.chain_id, round.contract, { pending: undefined, draft: undefined, receipt });
    changing = false;
    if (citizen && citizen.version === allocation.version && !sameDistribution(citizen, allocation)) {
        throw new Problem("recorded-differs", text("js-recorded-differs"), JSON.stringify(citizen));
    }
    await decide();
}

// --- Receipt ---

async function displayReceipt(now: Loaded, canChange: boolean): Promise<void> {
    const { round, citizen, keys } = now;
    if (!citizen || !keys) return;
    const kept = progressOf(round).receipt;
    const receipt = kept && kept.version === citizen.version ? kept : undefined;
    fillChoices(byId("receipt-rows"), toChoices(citizen), round, await shareOf(now));
    byId("receipt-account").textContent = keys.address;
    byId("receipt-version").textContent = String(citizen.version);
    show("receipt-tx-row", Boolean(receipt?.tx_hash));
    show("receipt-block-row", Boolean(receipt?.block_number));
    if (receipt?.tx_hash) {
        const link = byId<HTMLAnchorElement>("receipt-tx");
        link.href = `${round.explorer_url.replace(/\/+$/, "")}/tx/${receipt.tx_hash}`;
        link.rel = "noreferrer";
        link.textContent = receipt.tx_hash;
    }
    byId("receipt-block").textContent = String(receipt?.block_number ?? "");
    show("receipt-download", receipt !== undefined);
    show("receipt-change", canChange);
    display("receipt");
}

onClick("receipt-download", () => {
    const receipt: Receipt | undefined = loaded && progressOf(loaded.round).receipt;
    if (receipt) download(`kopilka-${receipt.round.slice(2, 10)}-v${receipt.version}.json`, `${JSON.stringify(receipt, null, 2)}\n`);
});
onClick("receipt-print", () => window.print());
onClick("receipt-change", async () => {
    changing = true;
    await decide();
});
onClick("refused-again", async () => {
    display("loading", false);
    await decide();
});

// --- Waiting ---

/** Asks the chain until something is so; a lost connection is waited out. */
async function until(condition: () => Promise<boolean>): Promise<void> {
    const began = Date.now();
    for (;;) {
        try {
            if (await condition()) return;
        } catch (error) {
            if (asProblem(error).kind !== "rpc") throw error;
        }
        if (Date.now() - began > 120_000) throw problem("slow");
        await pause(1000);
    }
}

let watching = 0;

/** Turns the page when the round goes on to another phase. */
async function watchPhase(chain: RoundOnChain, phase: Phase): Promise<void> {
    const turn = ++watching;
    const state = flow.dataset["state"];
    for (;;) {
        await pause(5000);
        if (turn !== watching || flow.dataset["state"] !== state) return;
        const now = await chain.phase().catch(() => phase);
        if (now !== phase && turn === watching && flow.dataset["state"] === state) return decide();
    }
}

function randomBelow(limit: number): number {
    return Math.floor(((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32) * limit);
}

void decide();
