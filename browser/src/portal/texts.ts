// Messages: the server puts them into the page in the reader's language, the script fills their placeholders.

let texts: Record<string, string> | undefined;

function load(): Record<string, string> {
    texts ??= JSON.parse(document.getElementById("texts")?.textContent ?? "{}") as Record<string, string>;
    return texts;
}

/** Whether a message exists. */
export function hasText(key: string): boolean {
    return key in load();
}

/** A message with its placeholders filled. */
export function text(key: string, values: Record<string, string | number> = {}): string {
    return fill(load()[key] ?? `〈${key}〉`, values);
}

/** Replaces `{name}` by the value of that name; unknown names stay. */
export function fill(pattern: string, values: Record<string, string | number>): string {
    return pattern.replace(/\{([a-z_]+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
