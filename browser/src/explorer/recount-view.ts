// The recount on the page of a round's result. All sentences are the page's. What it has to contain:
//
//   <section id="recount" hidden                        shown by this script: without JavaScript there is no recount here
//       data-round="0x…"                                address of the round
//       data-rpc="/api/eth-rpc"                         JSON-RPC that is asked if the reader names no other
//       data-first-block="12"                           block in which the round was created
//       data-chain-id="31337"                           optional: a node of another chain is refused
//       data-shown-winners="1 4 7"                      optional, together: what the page shows as announced; then the
//       data-shown-digest="0x…">                        recount also tells when the page differs from the chain
//     <form>                                            starts when submitted
//       <label for="recount-rpc">…</label>
//       <input id="recount-rpc" type="url">             optional: another node; the site's policy must let scripts
//                                                       connect there (connect-src https: http://localhost:* …)
//       <button>…</button>
//       <button type="button" data-stop hidden>         optional: shown during a recount
//     </form>
//     <progress data-progress hidden aria-label="…"></progress>
//     <p role="status" data-status></p>                 how far it is, in words
//     <div data-verdict="same" hidden>…</div>           one of these is shown at the end: all agrees;
//     <div data-verdict="different" hidden>…</div>      it differs;
//     <div data-verdict="unannounced" hidden>…</div>    no result stands on chain yet;
//     <div data-verdict="failed" hidden>…</div>         no recount, see data-value="reason"
//     <div data-counted hidden>…</div>                  optional: shown with the first three verdicts
//     <template data-texts>
//       <p data-text="reading">Block {block} of {head}, {events} events</p> …
//     </template>
//   </section>
//
// Within it, any number of elements with data-value get values:
//   winners         a list (ol, ul): an item for each winner
//   differences     a list: an item for each difference, twenty at most
//   reason          why there is no recount
//   digest, announced-digest, total-cost, head, events, registered, allocations, ballots    text
// Elements anywhere on the page with data-initiative-title="7" name an initiative; others are called by their number.
//
// Texts, with placeholders in braces:
//   reading {block} {head} {events} · counting {ballots} · stopped · initiative {id}
//   same {winners} · different {differences} · unannounced · failed       status at the end (numbers of items)
//   difference-missing {initiative} · difference-extra {initiative} · difference-digest {announced} {counted}
//   difference-total-cost {announced} {counted} · difference-page · difference-more {count}
//   failure-CODE for each code in failure.ts, with the placeholders named there

import type { Failure, FailureCode, FailureValues } from "./failure.ts";
import type { Difference, Progress, Recount, RecountRequest } from "./recount.ts";

/** A request for the worker: which node to ask, and for what. */
export interface Order extends RecountRequest {
    /** Absolute address of the JSON-RPC. */
    readonly rpc: string;
}

/** What the worker says: reports, then one of the others. */
export type Report =
    | { readonly progress: Progress }
    | { readonly recount: Recount }
    | { readonly failure: Pick<Failure, "code" | "values"> };

/** Starts a recount and says how to stop it. */
export type Start = (order: Order, hear: (report: Report) => void) => () => void;

const MOST_DIFFERENCES = 20;

/** Makes the recount on the page work, if there is one. */
export function enableRecount(page: Document, start: Start): void {
    const root = page.querySelector<HTMLElement>("#recount");
    const form = root?.querySelector("form");
    if (!root || !form) return;
    new RecountView(page, root, form, start);
    root.hidden = false;
}

class RecountView {
    private readonly number: Intl.NumberFormat;
    private readonly money: Intl.NumberFormat;
    private readonly texts = new Map<string, string>();
    private readonly submit: HTMLButtonElement | null;
    private readonly stop: HTMLButtonElement | null;
    private readonly input: HTMLInputElement | null;
    private readonly progress: HTMLProgressElement | null;
    private stopWork: (() => void) | undefined;

    constructor(
        private readonly page: Document,
        private readonly root: HTMLElement,
        form: HTMLFormElement,
        private readonly start: Start,
    ) {
        const language = page.documentElement.lang || "ru";
        this.number = new Intl.NumberFormat(language);
        this.money = new Intl.NumberFormat(language, { style: "currency", currency: "RUB" });
        for (const template of root.querySelectorAll<HTMLTemplateElement>("template[data-texts]")) {
            for (const text of template.content.querySelectorAll<HTMLElement>("[data-text]")) {
                this.texts.set(text.dataset["text"]!, text.textContent.trim());
            }
        }
        this.submit = form.querySelector("button:not([type=button])");
        this.stop = root.querySelector("[data-stop]");
        this.input = root.querySelector("#recount-rpc");
        this.progress = root.querySelector("[data-progress]");
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.begin();
        });
        this.stop?.addEventListener("click", () => {
            this.stopWork?.();
            this.end("stopped");
        });
    }

    private begin(): void {
        if (this.stopWork !== undefined) return;
        for (const verdict of this.root.querySelectorAll<HTMLElement>("[data-verdict], [data-counted]")) verdict.hidden = true;
        this.input?.removeAttribute("aria-invalid");
        const rpc = this.rpc();
        if (rpc === undefined) {
            this.input?.setAttribute("aria-invalid", "true");
            return this.fail("address-malformed", {});
        }
        const { round = "", firstBlock, chainId, shownWinners, shownDigest } = this.root.dataset;
        const order: Order = {
            rpc,
            round,
            firstBlock: Number(firstBlock),
            ...(chainId ? { chainId: Number(chainId) } : {}),
            ...(shownDigest ? { shown: { winners: numbers(shownWinners), digest: shownDigest } } : {}),
        };
        // Not disabled, which would lose the focus.
        this.submit?.setAttribute("aria-disabled", "true");
        if (this.stop !== null) this.stop.hidden = false;
        if (this.progress !== null) {
            this.progress.hidden = false;
            this.progress.removeAttribute("value");
        }
        this.stopWork = this.start(order, (report) => {
            if ("progress" in report) this.showProgress(report.progress);
            else if ("recount" in report) this.showRecount(report.recount);
            else this.fail(report.failure.code, report.failure.values);
        });
    }

    /** The address of the node; undefined if what was typed is none. */
    private rpc(): string | undefined {
        try {
            const url = new URL(this.input?.value.trim() || (this.root.dataset["rpc"] ?? ""), this.page.baseURI);
            return /^https?:$/.test(url.protocol) ? url.href : undefined;
        } catch {
            return undefined;
        }
    }

    private showProgress(progress: Progress): void {
        if (progress.step === "counting") {
            this.progress?.removeAttribute("value");
            return this.say("counting", { ballots: progress.ballots });
        }
        const { block, first, head, events } = progress;
        if (this.progress !== null) {
            this.progress.max = Math.max(1, head - first);
            this.progress.value = block - first;
        }
        this.say("reading", { block, head, events });
    }

    private showRecount(recount: Recount): void {
        const { announced, differences, winners } = recount;
        const verdict = announced === undefined ? "unannounced" : differences.length === 0 ? "same" : "different";
        this.list("winners", winners.map((id) => this.title(id)));
        const items = differences.slice(0, MOST_DIFFERENCES).map((difference) => this.difference(difference));
        const more = differences.length - items.length;
        if (more > 0) items.push(this.text("difference-more", { count: more }));
        this.list("differences", items);
        this.value("digest", recount.digest);
        this.value("announced-digest", announced?.digest ?? "");
        this.value("total-cost", this.kopecks(recount.totalCost));
        for (const name of ["head", "events", "registered", "allocations", "ballots"] as const) {
            this.value(name, this.number.format(recount[name]));
        }
        for (const element of this.root.querySelectorAll<HTMLElement>("[data-counted]")) element.hidden = false;
        this.end(verdict, { winners: winners.length, differences: differences.length });
    }

    private difference(difference: Difference): string {
        const key = `difference-${difference.code}`;
        switch (difference.code) {
            case "missing":
            case "extra":
                return this.text(key, { initiative: this.title(difference.initiative) });
            case "digest":
                return this.text(key, { announced: difference.announced, counted: difference.counted });
            case "total-cost":
                return this.text(key, {
                    announced: this.kopecks(difference.announced),
                    counted: this.kopecks(difference.counted),
                });
            case "page":
                return this.text(key);
        }
    }

    private fail(code: FailureCode, values: FailureValues): void {
        this.value("reason", this.text(`failure-${code}`, values));
        this.end("failed");
    }

    private end(status: "same" | "different" | "unannounced" | "failed" | "stopped", values: FailureValues = {}): void {
        this.stopWork = undefined;
        this.submit?.removeAttribute("aria-disabled");
        if (this.progress !== null) this.progress.hidden = true;
        // The button that is about to vanish must not take the focus with it.
        if (this.stop !== null && this.page.activeElement === this.stop) this.submit?.focus();
        if (this.stop !== null) this.stop.hidden = true;
        for (const verdict of this.root.querySelectorAll<HTMLElement>(`[data-verdict="${status}"]`)) verdict.hidden = false;
        this.say(status, values);
    }

    private say(key: string, values: FailureValues = {}): void {
        const status = this.root.querySelector("[data-status]");
        if (status !== null) status.textContent = this.text(key, values);
    }

    /** A text of the page, numbers as its language writes them; the key if the page has no such text. */
    private text(key: string, values: FailureValues = {}): string {
        const text = this.texts.get(key) ?? key;
        return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
            const value = values[name];
            if (value === undefined) return placeholder;
            return typeof value === "number" ? this.number.format(value) : value;
        });
    }

    private title(id: number): string {
        const title = this.page.querySelector(`[data-initiative-title="${id}"]`)?.textContent.trim();
        return title || this.text("initiative", { id });
    }

    private kopecks(amount: string): string {
        return this.money.format(Number(amount) / 100);
    }

    private value(name: string, text: string): void {
        for (const element of this.root.querySelectorAll(`[data-value="${name}"]`)) element.textContent = text;
    }

    private list(name: string, items: readonly string[]): void {
        for (const list of this.root.querySelectorAll(`[data-value="${name}"]`)) {
            list.replaceChildren(
                ...items.map((item) => {
                    const entry = this.page.createElement("li");
                    entry.textContent = item;
                    return entry;
                }),
            );
        }
    }
}

function numbers(text = ""): number[] {
    return (text.match(/\d+/g) ?? []).map(Number).sort((left, right) => left - right);
}
