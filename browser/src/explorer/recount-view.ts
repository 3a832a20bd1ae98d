// The recount on the page of a round's result. All sentences are the page's. What it contains:
//
//   <section id="recount"
//       data-round="0x…"                      address of the round
//       data-rpc="/api/eth-rpc"               JSON-RPC that is asked if the reader names no other
//       data-from-block="12"                  block in which the round was created
//       data-lang="ru"                        language of numbers and money
//       data-chain-id="31337"                 optional: a node of another chain is refused
//       data-shown-winners="1 4 7"            optional, together: what the page shows as standing on chain;
//       data-shown-digest="0x…">              the recount then also tells when the node's chain says otherwise
//     <… data-recount-actions hidden>         shown by this script: without JavaScript there is no recount here
//       <input id="recount-rpc" type="url">   optional: another node; the site's policy must let scripts connect to it
//       <button type="button" data-recount-start>, <button type="button" data-recount-stop hidden>  (stop: optional)
//     <… data-recount-progress hidden>        shown during a recount
//       <label for="recount-bar" data-recount-step data-reading="…" data-counting="…"></label>
//       <progress id="recount-bar"></progress>
//     <div role="status" data-recount-result  filled at the end: a notice, then facts under these labels
//         data-same="…" data-different="…" data-unproposed="…" data-failed="…"
//         data-winners="…" data-chain-winners="…" data-digest="…" data-chain-digest="…" data-ballots="…" data-seconds="…">
//     <template data-recount-texts>           optional: sentences that say more
//       <p data-text="failure-other-chain">The node follows chain {found}, the round is on {expected}.</p> …
//   </section>
//
// Any text may have placeholders in braces:
//   reading {block} {head} {events} · counting {ballots}
//   difference-missing {initiative} · difference-extra {initiative} · difference-digest {announced} {counted}
//   difference-total-cost {announced} {counted} · difference-page · difference-more {count}
//   stopped · failure-CODE for each code in failure.ts, with the placeholders named there
// Without its text a difference is left to the facts, and a failure shows its code and values.
//
// An initiative is called as in the page's first link to /initiative/ID.

import type { Failure, FailureCode, FailureValues } from "./failure.ts";
import type { Difference, Progress, Recount, RecountRequest } from "./recount.ts";

/** A request for the worker: which node to ask, and for what. */
export interface Order extends RecountRequest {
    /** Absolute address of the JSON-RPC. */
    readonly rpc: string;
}

/** What the worker says: progress, then one of the others. */
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
    const button = root?.querySelector<HTMLButtonElement>("[data-recount-start]");
    if (root && button) new RecountView(page, root, button, start);
}

class RecountView {
    private readonly number: Intl.NumberFormat;
    private readonly money: Intl.NumberFormat;
    private readonly texts = new Map<string, string>();
    private readonly stop: HTMLButtonElement | null;
    private readonly input: HTMLInputElement | null;
    private readonly step: HTMLElement | null;
    private readonly bar: HTMLProgressElement | null;
    private readonly result: HTMLElement | null;
    private stopWork: (() => void) | undefined;
    private startedAt = 0;

    constructor(
        private readonly page: Document,
        private readonly root: HTMLElement,
        private readonly button: HTMLButtonElement,
        private readonly start: Start,
    ) {
        const language = root.dataset["lang"] || page.documentElement.lang || "ru";
        this.number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
        this.money = new Intl.NumberFormat(language, { style: "currency", currency: "RUB" });
        this.stop = root.querySelector("[data-recount-stop]");
        this.input = root.querySelector("#recount-rpc");
        this.step = root.querySelector("[data-recount-step]");
        this.bar = root.querySelector("progress");
        this.result = root.querySelector("[data-recount-result]");
        for (const element of [this.step, this.result]) {
            for (const [name, text = ""] of Object.entries(element?.dataset ?? {})) this.texts.set(name, text);
        }
        for (const template of root.querySelectorAll<HTMLTemplateElement>("template[data-recount-texts]")) {
            for (const text of template.content.querySelectorAll<HTMLElement>("[data-text]")) {
                this.texts.set(text.dataset["text"]!, text.textContent.trim());
            }
        }
        this.show("[data-recount-actions]", true);
        button.addEventListener("click", () => this.begin());
        this.input?.addEventListener("keydown", (event) => {
            if (event.key === "Enter") this.begin();
        });
        this.stop?.addEventListener("click", () => {
            this.stopWork?.();
            this.end();
            const text = this.text("stopped");
            if (text !== undefined) this.result?.replaceChildren(this.element("p", "", text));
        });
    }

    private begin(): void {
        if (this.stopWork !== undefined) return;
        this.result?.replaceChildren();
        this.input?.removeAttribute("aria-invalid");
        const rpc = this.rpc();
        if (rpc === undefined) {
            this.input?.setAttribute("aria-invalid", "true");
            return this.fail("address-malformed", {});
        }
        const { round = "", fromBlock, chainId, shownWinners = "", shownDigest } = this.root.dataset;
        const shown = shownDigest && { winners: (shownWinners.match(/\d+/g) ?? []).map(Number), digest: shownDigest };
        // Not disabled, which would lose the focus.
        this.button.setAttribute("aria-disabled", "true");
        if (this.stop !== null) this.stop.hidden = false;
        this.bar?.removeAttribute("value");
        this.say("reading");
        this.show("[data-recount-progress]", true);
        this.startedAt = performance.now();
        this.stopWork = this.start(
            {
                rpc,
                round,
                firstBlock: Number(fromBlock),
                ...(chainId ? { chainId: Number(chainId) } : {}),
                ...(shown ? { shown } : {}),
            },
            (report) => {
                if ("progress" in report) this.showProgress(report.progress);
                else if ("recount" in report) this.showRecount(report.recount);
                else this.fail(report.failure.code, report.failure.values);
            },
        );
    }

    private end(): void {
        this.stopWork = undefined;
        this.button.removeAttribute("aria-disabled");
        // The button that is about to vanish must not take the focus with it.
        if (this.stop !== null && this.page.activeElement === this.stop) this.button.focus();
        if (this.stop !== null) this.stop.hidden = true;
        this.show("[data-recount-progress]", false);
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
            this.bar?.removeAttribute("value");
            return this.say("counting", { ballots: progress.ballots });
        }
        const { block, first, head, events } = progress;
        if (this.bar !== null) {
            this.bar.max = Math.max(1, head - first);
            this.bar.value = block - first;
        }
        this.say("reading", { block, head, events });
    }

    private showRecount(recount: Recount): void {
        const { announced, differences, winners, digest, ballots } = recount;
        const seconds = (performance.now() - this.startedAt) / 1000;
        const facts = this.element("dl", "facts");
        this.fact(facts, "winners", this.initiatives(winners));
        if (announced !== undefined && announced.winners.join() !== winners.join()) {
            this.fact(facts, "chainWinners", this.initiatives(announced.winners));
        }
        this.fact(facts, "digest", this.element("span", "hash-full", digest));
        if (announced !== undefined) this.fact(facts, "chainDigest", this.element("span", "hash-full", announced.digest));
        this.fact(facts, "ballots", this.number.format(ballots));
        this.fact(facts, "seconds", this.number.format(seconds));
        this.end();
        if (announced === undefined) this.result?.replaceChildren(this.notice("unproposed", "info"), facts);
        else if (differences.length === 0) this.result?.replaceChildren(this.notice("same", "good"), facts);
        else this.result?.replaceChildren(this.notice("different", "bad"), ...this.differences(differences), facts);
    }

    private differences(differences: readonly Difference[]): HTMLElement[] {
        const texts = differences.map((difference) => this.difference(difference)).filter((text) => text !== undefined);
        const shown = texts.slice(0, MOST_DIFFERENCES);
        const more = texts.length > shown.length && this.text("difference-more", { count: texts.length - shown.length });
        if (more) shown.push(more);
        return shown.length === 0 ? [] : [this.list(shown)];
    }

    private difference(difference: Difference): string | undefined {
        const key = `difference-${difference.code}`;
        switch (difference.code) {
            case "missing":
            case "extra":
                return this.text(key, { initiative: this.initiative(difference.initiative).textContent });
            case "digest":
                return this.text(key, { announced: difference.announced, counted: difference.counted });
            case "total-cost": {
                const money = (kopecks: string) => this.money.format(Number(kopecks) / 100);
                return this.text(key, { announced: money(difference.announced), counted: money(difference.counted) });
            }
            case "page":
                return this.text(key);
        }
    }

    private fail(code: FailureCode, values: FailureValues): void {
        const notice = this.notice("failed", "warning");
        const reason = this.text(`failure-${code}`, values);
        const known = Object.entries(values).map(([name, value]) => `${name} ${value}`);
        notice.append(" ", reason ?? this.element("code", "", [code, ...known].join(", ")));
        this.end();
        this.result?.replaceChildren(notice);
    }

    private say(key: "reading" | "counting", values: FailureValues = {}): void {
        const text = this.text(key, values);
        if (this.step !== null && text !== undefined) this.step.textContent = text;
    }

    /** A text of the page, its numbers as the language writes them. */
    private text(key: string, values: FailureValues = {}): string | undefined {
        return this.texts.get(key)?.replace(/\{(\w+)\}/g, (_, name: string) => {
            const value = values[name] ?? "…";
            return typeof value === "number" ? this.number.format(value) : value;
        });
    }

    private initiative(id: number): HTMLElement {
        const link = this.page.querySelector<HTMLElement>(`a[href$="/initiative/${id}"]`);
        return (link?.cloneNode(true) as HTMLElement | undefined) ?? this.element("span", "", String(id));
    }

    private initiatives(ids: readonly number[]): HTMLElement | string {
        return ids.length === 0 ? "—" : this.list(ids.map((id) => this.initiative(id)));
    }

    private notice(key: string, tone: "good" | "bad" | "info" | "warning"): HTMLElement {
        return this.element("p", `notice notice-${tone}`, this.text(key) ?? key);
    }

    private fact(facts: HTMLElement, key: string, value: HTMLElement | string): void {
        const row = this.element("div");
        const description = this.element("dd");
        description.append(value);
        row.append(this.element("dt", "", this.text(key) ?? key), description);
        facts.append(row);
    }

    private list(items: readonly (HTMLElement | string)[]): HTMLElement {
        const list = this.element("ul", "items");
        for (const item of items) {
            const entry = this.element("li");
            entry.append(item);
            list.append(entry);
        }
        return list;
    }

    private element(name: string, classes = "", text = ""): HTMLElement {
        const element = this.page.createElement(name);
        if (classes !== "") element.className = classes;
        element.textContent = text;
        return element;
    }

    private show(selector: string, shown: boolean): void {
        for (const element of this.root.querySelectorAll<HTMLElement>(selector)) element.hidden = !shown;
    }
}
