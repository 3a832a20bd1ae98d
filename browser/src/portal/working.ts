// The list of steps while something is on its way.

import { byId, element, show } from "./dom.ts";
import { text } from "./texts.ts";

/** Shows the steps; the function returned marks one as going on and all before it as done. */
export function showWork(title: string, steps: readonly string[]): (step: string) => void {
    byId("working-title").textContent = text(`js-work-${title}`);
    const items = steps.map((step) => element("li", { "data-step": step }, element("strong", {}, text(`js-work-${step}`))));
    byId("working-steps").replaceChildren(...items);
    byId("working-hint").textContent = text("js-work-hint");
    return (step) => {
        const current = steps.indexOf(step);
        items.forEach((item, index) => {
            item.className = index < current ? "step-done" : index === current ? "step-current" : "";
            if (index === current) item.setAttribute("aria-current", "step");
            else item.removeAttribute("aria-current");
        });
    };
}

/** Says that it takes longer than usual. */
export function workIsSlow(): void {
    byId("working-hint").textContent = text("js-problem-slow");
    show("working-hint");
}
