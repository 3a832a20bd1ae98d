// The ballot on the page: sliders and buttons that divide the share, or checkboxes. Works from the keyboard alone.

import type { Choices } from "./allocation.ts";
import { buttonStep, chosenCount, clamped, each, given, sliderStep, worth } from "./ballot.ts";
import { byId, element, show } from "./dom.ts";
import { money, percent } from "./format.ts";
import type { RoundInfo, RoundInitiative } from "./portal.ts";
import { text } from "./texts.ts";

/** More initiatives than this get a field to search them. */
const FILTER_FROM = 8;

interface Row {
    readonly element: HTMLLIElement;
    readonly words: string;
    readonly update: () => void;
}

export function titleOf(initiative: Pick<RoundInitiative, "id" | "title">): string {
    return initiative.title ?? `№ ${initiative.id}`;
}

export class BallotForm {
    readonly #choices = new Map<number, number>();
    readonly #rows: Row[] = [];
    readonly #cumulative: boolean;

    constructor(
        private readonly round: RoundInfo,
        private readonly share: bigint,
        initial: Choices,
        private readonly onChange: (choices: Choices) => void,
    ) {
        this.#cumulative = round.ballot_kind === "cumulative";
        for (const { id } of round.initiatives) {
            const wanted = initial.get(id) ?? 0;
            const points = this.#cumulative ? clamped(this.#choices, id, wanted, round.share_points) : Math.min(wanted, 1);
            if (points > 0) this.#choices.set(id, points);
        }
        this.#draw();
    }

    get choices(): Choices {
        return this.#choices;
    }

    /** Shows or hides the refusal of an empty ballot. */
    setError(message: string | null): void {
        const error = byId("ballot-error");
        error.textContent = message ?? "";
        show(error, message !== null);
    }

    #draw(): void {
        byId("ballot-what").textContent = text(this.#cumulative ? "js-ballot-cumulative" : "js-ballot-approval", {
            share: money(this.share),
        });
        const list = byId("ballot-list");
        list.replaceChildren();
        for (const initiative of this.round.initiatives) {
            const row = this.#cumulative ? this.#sliderRow(initiative) : this.#checkboxRow(initiative);
            this.#rows.push(row);
            list.append(row.element);
        }
        const filter = byId<HTMLInputElement>("ballot-filter");
        show("ballot-filter-field", this.round.initiatives.length >= FILTER_FROM);
        filter.oninput = () => {
            const wanted = filter.value.trim().toLowerCase();
            for (const row of this.#rows) row.element.hidden = !row.words.includes(wanted);
        };
        this.#update();
    }

    #head(initiative: RoundInitiative, label: HTMLElement): HTMLElement {
        const about = element(
            "a",
            { href: `/rounds/${this.round.contract}/initiatives/${initiative.id}`, target: "_blank", class: "small ballot-about" },
            text("js-ballot-about"),
        );
        about.append(element("span", { class: "visually-hidden" }, `: ${titleOf(initiative)}`));
        const facts = [initiative.place, text("js-ballot-cost", { amount: money(BigInt(initiative.cost)) })].filter(Boolean).join(" · ");
        return element("div", { class: "ballot-head" }, label, element("p", { class: "small muted" }, facts), about);
    }

    #sliderRow(initiative: RoundInitiative): Row {
        const { id } = initiative;
        const title = titleOf(initiative);
        const { share_points: sharePoints } = this.round;
        const sliderId = `points-${id}`;
        const slider = element("input", {
            type: "range",
            id: sliderId,
            min: "0",
            max: String(sharePoints),
            step: String(sliderStep(sharePoints)),
            "aria-label": text("js-ballot-slider", { title }),
            "data-testid": `points-${id}`,
        });
        const button = (sign: string, label: string, testId: string, change: number) => {
            const made = element("button", { type: "button", class: "stepper", "aria-label": label, "data-testid": testId }, sign);
            made.addEventListener("click", () => this.#set(id, (this.#choices.get(id) ?? 0) + change));
            return made;
        };
        const step = buttonStep(sharePoints);
        const minus = button("−", text("js-ballot-minus", { title }), `minus-${id}`, -step);
        const plus = button("+", text("js-ballot-plus", { title }), `plus-${id}`, step);
        const output = element("output", { for: sliderId, class: "ballot-worth" });
        slider.addEventListener("input", () => this.#set(id, Number(slider.value)));
        const label = element("label", { for: sliderId, class: "ballot-title" }, title);
        const row = element(
            "li",
            { class: "ballot-row", "data-initiative": String(id), "data-testid": `ballot-row-${id}` },
            this.#head(initiative, label),
            element("div", { class: "ballot-controls" }, minus, element("div", { class: "slider" }, slider), plus),
            output,
        );
        const update = () => {
            const points = this.#choices.get(id) ?? 0;
            const part = percent(points, sharePoints);
            slider.value = String(points);
            slider.setAttribute("aria-valuetext", `${part}, ${money(worth(this.share, points, sharePoints))}`);
            output.textContent =
                points === 0 ? "—" : `${money(worth(this.share, points, sharePoints))} · ${text("js-ballot-points", { percent: part })}`;
            row.classList.toggle("is-chosen", points > 0);
            minus.disabled = points === 0;
            plus.disabled = given(this.#choices) >= sharePoints;
        };
        return { element: row, words: words(initiative), update };
    }

    #checkboxRow(initiative: RoundInitiative): Row {
        const { id } = initiative;
        const checkbox = element("input", { type: "checkbox", id: `choose-${id}`, "data-testid": `choose-${id}` });
        const label = element("label", { for: `choose-${id}`, class: "ballot-title ballot-choose" }, checkbox, element("span", {}, titleOf(initiative)));
        const row = element(
            "li",
            { class: "ballot-row", "data-initiative": String(id), "data-testid": `ballot-row-${id}` },
            this.#head(initiative, label),
        );
        checkbox.addEventListener("change", () => this.#set(id, checkbox.checked ? 1 : 0));
        const update = () => {
            checkbox.checked = (this.#choices.get(id) ?? 0) > 0;
            row.classList.toggle("is-chosen", checkbox.checked);
        };
        return { element: row, words: words(initiative), update };
    }

    #set(id: number, wanted: number): void {
        const points = this.#cumulative ? clamped(this.#choices, id, wanted, this.round.share_points) : wanted;
        if (points > 0) this.#choices.set(id, points);
        else this.#choices.delete(id);
        this.setError(null);
        this.#update();
        this.onChange(this.#choices);
    }

    #update(): void {
        for (const row of this.#rows) row.update();
        byId("ballot-remaining").textContent = this.#cumulative ? this.#remaining() : this.#ticked();
        const progress = byId<HTMLProgressElement>("ballot-progress");
        show(progress, this.#cumulative);
        progress.max = this.round.share_points || 1;
        progress.value = given(this.#choices);
    }

    #remaining(): string {
        const left = this.round.share_points - given(this.#choices);
        if (left === 0) return text("js-ballot-all");
        return text("js-ballot-remaining", {
            percent: percent(left, this.round.share_points),
            amount: money(worth(this.share, left, this.round.share_points)),
        });
    }

    #ticked(): string {
        const count = chosenCount(this.#choices);
        if (count === 0) return text("js-ballot-none");
        return text("js-ballot-chosen", { count, amount: money(each(this.share, count)) });
    }
}

function words(initiative: RoundInitiative): string {
    return `${titleOf(initiative)} ${initiative.place ?? ""} ${initiative.id}`.toLowerCase();
}

/** Fills a table with choices: title, part of the share, amount (left out where there is no third column). */
export function fillChoices(
    body: HTMLElement,
    choices: Choices,
    round: Pick<RoundInfo, "ballot_kind" | "share_points" | "initiatives">,
    share: bigint | null,
): void {
    const count = chosenCount(choices);
    const rows = [...choices]
        .filter(([, points]) => points > 0)
        .sort(([left], [right]) => left - right)
        .map(([id, points]) => {
            const initiative = round.initiatives.find((candidate) => candidate.id === id) ?? { id, title: null };
            const cumulative = round.ballot_kind === "cumulative";
            const part = cumulative ? percent(points, round.share_points) : percent(1, count);
            const row = element("tr", { "data-initiative": String(id), "data-points": String(points) });
            row.append(element("th", { scope: "row" }, titleOf(initiative)), element("td", { class: "number" }, part));
            if (share !== null) {
                const amount = cumulative ? worth(share, points, round.share_points) : each(share, count);
                row.append(element("td", { class: "number" }, money(amount)));
            }
            return row;
        });
    if (rows.length === 0) rows.push(element("tr", {}, element("td", { colspan: "3" }, text("js-ballot-none"))));
    body.replaceChildren(...rows);
}
