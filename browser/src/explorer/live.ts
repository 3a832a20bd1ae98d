// Pages that change while they are read. The page says where the changes come from, and marks what changes:
//
//   <div data-live-events="/round/0x…/events" data-live-phase="pledging">      one on a page; the phase as it was rendered
//     <button type="button" data-live-pause aria-pressed="false" hidden>       optional: pauses and goes on, shown by this script
//     <p data-live-outdated hidden>                                            optional: shown when the phase has changed
//   data-live="7"                        a piggy bank (components/fill.html of crates/web): bar, amount, percentage, surplus
//   data-live-supporters="7"             text: its supporters
//   data-live-total="registered"         text: also "allocated", "in_wallets"
//
// Marked elements may stand anywhere on the page, any number of times. The events are those of explorer/src/live.rs; all their
// texts come in the reader's language.

/** An initiative in an event. */
interface Wallet {
    readonly id: number;
    /** Thousandths of the bar. */
    readonly level: number;
    readonly pledged: string;
    readonly exact: string;
    readonly percent: string;
    readonly full: boolean;
    readonly supporters: string;
    /** What the bar says to a screen reader. */
    readonly label: string;
    /** What is over the cost, in words; absent or null if nothing is. */
    readonly surplus?: string | null;
}

interface Wallets {
    readonly phase: string;
    readonly registered: string;
    readonly allocated: string;
    readonly in_wallets: string;
    readonly initiatives: readonly Wallet[];
}

/** Wait before a connection that the server ended with an error is opened again. */
const AGAIN_MS = 10_000;

/** Keeps the page fresh if it says from where. Not while it is in the background or paused. */
export function enableLive(root: Document): void {
    const region = root.querySelector<HTMLElement>("[data-live-events]");
    const url = region?.dataset["liveEvents"];
    if (region === null || url === undefined) return;
    const pause = region.querySelector<HTMLButtonElement>("[data-live-pause]");
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const close = (): void => {
        clearTimeout(timer);
        source?.close();
        source = undefined;
    };
    const follow = (): void => {
        close();
        if (root.visibilityState === "hidden" || pause?.getAttribute("aria-pressed") === "true") return;
        source = new EventSource(url);
        source.addEventListener("wallets", (event) => show(root, region, JSON.parse(event.data) as Wallets));
        source.addEventListener("error", () => {
            // A lost connection is opened again by the browser; one that was answered with an error is not.
            if (source?.readyState === EventSource.CLOSED) timer = setTimeout(follow, AGAIN_MS);
        });
    };
    if (pause !== null) {
        pause.hidden = false;
        pause.addEventListener("click", () => {
            pause.setAttribute("aria-pressed", String(pause.getAttribute("aria-pressed") !== "true"));
            follow();
        });
    }
    root.addEventListener("visibilitychange", follow);
    // A page left in the history keeps no connection.
    addEventListener("pagehide", close);
    addEventListener("pageshow", follow);
    follow();
}

function show(root: Document, region: HTMLElement, wallets: Wallets): void {
    for (const element of root.querySelectorAll<HTMLElement>("[data-live-total]")) {
        const total = wallets[element.dataset["liveTotal"] as "registered" | "allocated" | "in_wallets"];
        if (typeof total === "string") setText(element, total);
    }
    for (const wallet of wallets.initiatives) {
        for (const fill of root.querySelectorAll<HTMLElement>(`[data-live="${wallet.id}"]`)) showFill(fill, wallet);
        for (const element of root.querySelectorAll(`[data-live-supporters="${wallet.id}"]`)) setText(element, wallet.supporters);
    }
    if (region.dataset["livePhase"] !== undefined && region.dataset["livePhase"] !== wallets.phase) {
        for (const notice of region.querySelectorAll<HTMLElement>("[data-live-outdated]")) notice.hidden = false;
    }
}

function showFill(fill: HTMLElement, wallet: Wallet): void {
    const over = wallet.full && wallet.level < 1000;
    fill.classList.toggle("fill-full", wallet.full);
    const bar = fill.querySelector("svg.fill-bar");
    const level = bar?.querySelector(".fill-level");
    if (bar && level) {
        bar.setAttribute("aria-label", wallet.label);
        level.setAttribute("width", String(wallet.level));
        part(bar, "fill-surplus", over, (surplus) => level.before(surplus), { width: 1000 });
        part(bar, "fill-mark", over, (mark) => level.after(mark), { width: 4, x: wallet.level });
    }
    const pledged = fill.querySelector<HTMLElement>(".fill-pledged");
    if (pledged !== null) {
        setText(pledged, wallet.pledged);
        pledged.title = wallet.exact;
    }
    const percent = fill.querySelector(".fill-percent");
    if (percent !== null) {
        const sign = document.createElement("span");
        sign.className = "fill-sign";
        sign.textContent = "✓";
        if (wallet.full) percent.replaceChildren(sign, ` ${wallet.percent}`);
        else setText(percent, wallet.percent);
    }
    showNote(fill, over && pledged !== null ? wallet.surplus : undefined);
}

/** A part of the bar that is only there while there is a surplus. */
function part(
    bar: Element,
    name: string,
    wanted: boolean,
    insert: (part: Element) => void,
    attributes: Readonly<Record<string, number>>,
): void {
    let rect = bar.querySelector(`.${name}`);
    if (!wanted) return rect?.remove();
    if (rect === null) {
        rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        rect.setAttribute("class", name);
        rect.setAttribute("height", "12");
        insert(rect);
    }
    for (const [attribute, value] of Object.entries(attributes)) rect.setAttribute(attribute, String(value));
}

/** The line about the surplus; one that is not known to be true any more is removed. */
function showNote(fill: HTMLElement, text: string | null | undefined): void {
    let note = fill.querySelector(".fill-note");
    if (text === undefined || text === null) return note?.remove();
    if (note === null) {
        note = document.createElement("p");
        note.className = "fill-note";
        fill.append(note);
    }
    setText(note, text);
}

/** Untouched text keeps a reader's selection. */
function setText(element: Element, text: string): void {
    if (element.textContent !== text) element.textContent = text;
}
