// Small helpers over the page. No markup is ever made from text: elements get textContent.

/** The element with this id; a page without it is a programming error. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
    const found = document.getElementById(id);
    if (!found) throw new Error(`the page has no element #${id}`);
    return found as T;
}

/** A new element with attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
    name: K,
    attributes: Record<string, string> = {},
    ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

/** Shows or hides. */
export function show(target: HTMLElement | string, visible = true): void {
    (typeof target === "string" ? byId(target) : target).hidden = !visible;
}

/** Runs a handler on a click, once at a time: a second click while it runs does nothing. */
export function onClick(id: string, handler: () => void | Promise<void>): void {
    const target = byId(id);
    let running = false;
    target.addEventListener("click", () => {
        if (running) return;
        running = true;
        target.setAttribute("aria-disabled", "true");
        void Promise.resolve()
            .then(handler)
            .finally(() => {
                running = false;
                target.removeAttribute("aria-disabled");
            });
    });
}

/** Waits. */
export function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Hands a file to the reader. */
export function download(name: string, content: string): void {
    const url = URL.createObjectURL(new Blob([content], { type: "application/json" }));
    const link = element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
