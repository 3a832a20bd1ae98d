// Pages that change while they are read. The page says where the changes come from, and marks what changes:
//
//   <section data-live-source="/round/0x…/events?lang=ru">    one on a page; with data-live-still nothing is followed
//     <p class="live-state" hidden>                            shown by this script
//       <span role="status" data-live-on="Live" data-live-off="Paused" data-live-lost="Connection lost"></span>
//       <button type="button" data-live-pause="Pause" data-live-resume="Go on"></button>
//     </p>
//   data-live="7"                      a piggy bank (components/fill.html of crates/web): bar, amount, percentage, surplus
//   data-live="registered"             text: also "allocated", "in_wallets"
//   data-live-supporters="7"           text: supporters of an initiative
//
// Marked elements may stand anywhere on the page, any number of times. The events are those of explorer/src/live.rs; all their
// texts come in the reader's language. When the round enters another phase, more changes than is marked: the page is loaded anew.

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
export function enableLive(page: Document): void {
    const region = page.querySelector<HTMLElement>("[data-live-source]:not([data-live-still])");
    if (region !== null) new Live(page, region);
}

class Live {
    private readonly url: string;
    private readonly status: HTMLElement | null;
    private readonly button: HTMLButtonElement | null;
    private source: EventSource | undefined;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private paused = false;
    private phase: string | undefined;

    constructor(
        private readonly page: Document,
        region: HTMLElement,
    ) {
        this.url = region.dataset["liveSource"]!;
        this.status = region.querySelector("[data-live-on]");
        this.button = region.querySelector("button[data-live-pause]");
        for (const state of region.querySelectorAll<HTMLElement>(".live-state")) state.hidden = false;
        this.button?.addEventListener("click", () => {
            this.paused = !this.paused;
            this.follow();
        });
        page.addEventListener("visibilitychange", () => this.follow());
        // A page left in the history keeps no connection.
        addEventListener("pagehide", () => this.close());
        addEventListener("pageshow", ({ persisted }) => {
            if (persisted) this.follow();
        });
        this.follow();
    }

    private close(): void {
        clearTimeout(this.timer);
        this.source?.close();
        this.source = undefined;
    }

    private follow(): void {
        this.close();
        if (this.button !== null) setText(this.button, this.button.dataset[this.paused ? "liveResume" : "livePause"] ?? "");
        if (this.paused) return this.say("liveOff");
        if (this.page.visibilityState === "hidden") return;
        const source = new EventSource(this.url);
        source.addEventListener("open", () => this.say("liveOn"));
        source.addEventListener("wallets", (event) => this.show(JSON.parse(event.data) as Wallets));
        source.addEventListener("error", () => {
            this.say("liveLost");
            // A lost connection is opened again by the browser; one that was answered with an error is not.
            if (source.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.follow(), AGAIN_MS);
        });
        this.source = source;
    }

    private say(state: "liveOn" | "liveOff" | "liveLost"): void {
        if (this.status !== null) setText(this.status, this.status.dataset[state] ?? "");
    }

    private show(wallets: Wallets): void {
        if (this.phase !== undefined && this.phase !== wallets.phase) return location.reload();
        this.phase = wallets.phase;
        for (const total of ["registered", "allocated", "in_wallets"] as const) {
            for (const element of this.page.querySelectorAll(`[data-live="${total}"]`)) showTotal(element, wallets[total]);
        }
        for (const wallet of wallets.initiatives) {
            for (const fill of this.page.querySelectorAll<HTMLElement>(`.fill[data-live="${wallet.id}"]`)) showFill(fill, wallet);
            for (const element of this.page.querySelectorAll(`[data-live-supporters="${wallet.id}"]`)) {
                setText(element, wallet.supporters);
            }
        }
    }
}

/** The number, or the money inside, whose exact value in the title is then out of date. */
function showTotal(element: Element, total: string): void {
    const shown = element.querySelector(".money") ?? element;
    if (shown.textContent !== total) shown.removeAttribute("title");
    setText(shown, total);
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
