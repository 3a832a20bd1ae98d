// «Мой ключ»: brings a key back from recovery words, shows where it took part, shows the words, deletes the key.

import { decodeRecovery, deriveKeys, RecoveryError, toHex, type MasterSecret } from "../credential/index.ts";
import { RoundOnChain } from "../portal/chain.ts";
import { scopeOf } from "../portal/credential.ts";
import { byId, element, onClick, show } from "../portal/dom.ts";
import { getRound, getRounds, getSession, type RoundEntry } from "../portal/portal.ts";
import { asProblem } from "../portal/problem.ts";
import { Storage } from "../portal/storage.ts";
import { text } from "../portal/texts.ts";
import { hideWords, showWords } from "../portal/words-view.ts";

const root = byId("restore");
const storage = new Storage(localStorage);

async function display(): Promise<void> {
    const session = await getSession().catch(() => null);
    if (session) storage.open(session.profile);
    const master = storage.master();
    show("restore-have", master !== undefined);
    show("restore-replaces", master !== undefined);
    show("restore-unconfirmed", master !== undefined && !storage.wordsChecked());
    root.dataset["state"] = master ? "have" : "none";
    if (master) await displayRounds(master);
}

async function displayRounds(master: MasterSecret): Promise<void> {
    const list = byId("restore-list");
    show("restore-loading");
    list.replaceChildren();
    try {
        const rounds = await getRounds();
        const items = await Promise.all(rounds.map((round) => roundItem(master, round)));
        list.replaceChildren(...items);
        show("restore-none", items.length === 0);
    } catch (error) {
        list.replaceChildren(element("li", { class: "card" }, asProblem(error).message));
    }
    show("restore-loading", false);
    root.dataset["state"] = "listed";
}

async function roundItem(master: MasterSecret, entry: RoundEntry): Promise<HTMLLIElement> {
    const title = entry.title ?? `№ ${entry.round_id}`;
    let status: string;
    let name = "failed";
    try {
        const round = await getRound(entry.contract);
        const { address } = deriveKeys(master, scopeOf(round, 0));
        const citizen = await new RoundOnChain(round.rpc_url, round.contract).citizen(address);
        name = !citizen.registered ? "none" : citizen.version === 0 ? "registered" : "allocated";
        status = text(`js-restore-status-${name}`, { version: citizen.version });
    } catch (error) {
        status = asProblem(error).message;
    }
    const open = element("a", { href: `/rounds/${entry.contract}/take-part` }, title);
    return element(
        "li",
        { class: "card", "data-round": entry.contract, "data-status": name, "data-testid": "restored-round" },
        element("h3", {}, open),
        element("p", {}, status),
    );
}

function explain(error: unknown): string {
    if (!(error instanceof RecoveryError)) return asProblem(error).message;
    const { problem } = error;
    switch (problem.kind) {
        case "word-count":
        case "digit-count":
            return text(`js-restore-${problem.kind}`, { expected: problem.expected, actual: problem.actual });
        case "unknown-word": {
            const words = problem.suggestions.join(", ");
            const suggestions = words ? text("js-restore-suggestions", { words }) : "";
            return text("js-restore-unknown-word", { place: problem.place, word: problem.word, suggestions });
        }
        case "wrong-group":
            return text("js-restore-wrong-group", { place: problem.place });
        case "checksum":
            return text("js-restore-checksum");
    }
}

byId<HTMLFormElement>("restore-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId<HTMLTextAreaElement>("restore-words");
    const message = byId("restore-error");
    try {
        const master = decodeRecovery(field.value);
        const earlier = storage.master();
        if (!storage.works()) throw new Error(text("js-no-storage"));
        storage.keep(master, true);
        field.value = "";
        field.setAttribute("aria-invalid", "false");
        show(message, false);
        if (!earlier || toHex(earlier) !== toHex(master)) byId("restore-have").querySelector("p")!.textContent = text("js-restore-done");
        void display().then(() => byId("restore-have").scrollIntoView());
    } catch (error) {
        message.textContent = explain(error);
        field.setAttribute("aria-invalid", "true");
        show(message);
        field.focus();
    }
});

byId<HTMLDetailsElement>("show-words-box").addEventListener("toggle", (event) => {
    const master = storage.master();
    if ((event.target as HTMLDetailsElement).open && master) showWords(master);
    else hideWords();
});
onClick("words-print", () => window.print());
onClick("forget", async () => {
    storage.forget();
    byId<HTMLDetailsElement>("show-words-box").open = false;
    await display();
    window.scrollTo(0, 0);
});
void display();
