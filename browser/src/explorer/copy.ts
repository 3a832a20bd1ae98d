// Buttons that copy an address or hash: `<button class="copy" data-copy="0x…" data-copied="Copied" hidden>Copy</button>`
// as crates/web, components.rs, writes them. Without JavaScript they stay hidden.

/** How long a button says that it has copied. */
const SAID_MS = 2_000;

/** Shows the copy buttons below an element and makes them work. */
export function enableCopying(root: ParentNode): void {
    for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy][hidden]")) {
        button.hidden = false;
        // A screen reader says the changed text.
        button.setAttribute("aria-live", "polite");
        const text = button.textContent;
        let timer: ReturnType<typeof setTimeout> | undefined;
        button.addEventListener("click", async () => {
            if (!(await copy(button.dataset["copy"] ?? "", button))) return;
            button.textContent = button.dataset["copied"] ?? text;
            clearTimeout(timer);
            timer = setTimeout(() => (button.textContent = text), SAID_MS);
        });
    }
}

async function copy(text: string, button: HTMLElement): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        // No permission, or a site without https, where there is no clipboard: the old way, which needs a selection.
        // If that is refused too, the value stays selected for the reader's own shortcut.
        const shown = button.previousElementSibling;
        if (shown === null) return false;
        getSelection()?.selectAllChildren(shown);
        return document.execCommand("copy");
    }
}
