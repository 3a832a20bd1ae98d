// Recovery words on the page, and the check that they were written down.

import { encodeDigits, encodeWords, type MasterSecret } from "../credential/index.ts";
import { byId, element } from "./dom.ts";
import { text } from "./texts.ts";

/** Shows the words and the digits. */
export function showWords(master: MasterSecret): void {
    byId("words").replaceChildren(...encodeWords(master).map((word) => element("li", {}, word)));
    byId("digits").textContent = encodeDigits(master).join(" ");
}

/** Takes the words off the page again. */
export function hideWords(): void {
    byId("words").replaceChildren();
    byId("digits").textContent = "";
}

/** Asks for three words at random places; the function returned tells whether they are right. */
export function askWords(master: MasterSecret, fields: HTMLElement): () => boolean {
    const words = encodeWords(master);
    const places = pick(words.length, 3);
    const inputs = places.map((place) => {
        const input = element("input", {
            id: `word-${place}`,
            type: "text",
            autocomplete: "off",
            autocapitalize: "none",
            spellcheck: "false",
            "data-testid": "words-check-input",
            "data-place": String(place + 1),
        });
        return { place, input };
    });
    fields.replaceChildren(
        ...inputs.map(({ place, input }) =>
            element("div", { class: "field" }, element("label", { for: input.id }, text("js-word", { number: place + 1 })), input),
        ),
    );
    return () => {
        let right = true;
        for (const { place, input } of inputs) {
            const same = matches(input.value, words[place] ?? "");
            input.setAttribute("aria-invalid", String(!same));
            right &&= same;
        }
        return right;
    };
}

/** Whether a word was written: any case, ё or е, at least its first four letters. */
export function matches(written: string, word: string): boolean {
    const plain = written.trim().toLowerCase().replaceAll("ё", "е");
    return plain === word || (plain.length >= 4 && word.startsWith(plain));
}

function pick(count: number, wanted: number): number[] {
    const places = Array.from({ length: count }, (_, index) => index);
    for (let index = 0; index < wanted; index++) {
        const other = index + ((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % (count - index));
        [places[index], places[other]] = [places[other] ?? 0, places[index] ?? 0];
    }
    return places.slice(0, wanted).sort((left, right) => left - right);
}
