// Live totals on the pages of rounds and initiatives. Without this script the pages show the totals of their loading.

import "../portal/portal.css";
import { money } from "../portal/format.ts";

interface Totals {
    readonly registered: number;
    readonly allocated: number;
    readonly pledged: string;
    readonly initiatives: readonly { readonly id: number; readonly cost: string; readonly pledged: string; readonly supporters: number }[];
}

function setText(selector: string, content: string): void {
    for (const target of document.querySelectorAll(selector)) if (target.textContent !== content) target.textContent = content;
}

function language(): string {
    return document.documentElement.lang === "en" ? "en-US" : "ru-RU";
}

/** The same picture as components/fill.html draws. */
function fill(box: Element, pledged: bigint, cost: bigint): void {
    const whole = pledged > cost ? pledged : cost > 0n ? cost : 1n;
    const filled = ((pledged < cost ? pledged : cost) * 1000n) / whole;
    box.querySelector(".fill-level")?.setAttribute("width", String(filled));
    const shown = box.querySelector(".fill-pledged");
    if (shown) shown.textContent = money(pledged);
    const part = cost > 0n ? Number((pledged * 10_000n) / cost) / 100 : 0;
    const percent = box.querySelector(".fill-percent");
    if (percent) {
        const full = pledged >= cost && cost > 0n;
        const digits = part.toLocaleString(language(), { maximumFractionDigits: 2 });
        percent.textContent = `${full ? "✓ " : ""}${digits}${language() === "en-US" ? "%" : "\u00a0%"}`;
        box.classList.toggle("fill-full", full);
    }
}

function update(totals: Totals): void {
    const number = (value: number) => value.toLocaleString(language());
    setText('[data-live-total="registered"]', number(totals.registered));
    setText('[data-live-total="allocated"]', number(totals.allocated));
    setText('[data-live-money="pledged"]', money(BigInt(totals.pledged)));
    for (const { id, cost, pledged, supporters } of totals.initiatives) {
        setText(`[data-live-supporters="${id}"]`, number(supporters));
        const box = document.querySelector(`[data-live="${id}"]`);
        if (box) fill(box, BigInt(pledged), BigInt(cost));
    }
}

const list = document.getElementById("initiative-list");
const round = list?.dataset["round"];
if (round) {
    let events: EventSource | undefined;
    const listen = (wanted: boolean) => {
        events?.close();
        events = undefined;
        if (!wanted) return;
        events = new EventSource(`/api/v1/rounds/${round}/totals/events`);
        events.addEventListener("totals", (event) => update(JSON.parse((event as MessageEvent<string>).data) as Totals));
    };
    // What moves by itself can be stopped.
    const live = document.querySelector<HTMLInputElement>("#live");
    live?.closest<HTMLElement>("[hidden]")?.removeAttribute("hidden");
    live?.addEventListener("change", () => listen(live.checked));
    const resume = () => listen(!document.hidden && (live?.checked ?? true));
    document.addEventListener("visibilitychange", resume);
    resume();
}
