// Refusals and failures, told in plain words.

import { hasText, text } from "./texts.ts";

const PREFIX = "urn:kopilka:problem:";

/** Something did not work. `message` is for the citizen, `details` for an expert. */
export class Problem extends Error {
    override readonly name = "Problem";

    constructor(
        /** The problem type without its prefix, or a name of our own. */
        readonly kind: string,
        message: string,
        readonly details = "",
    ) {
        super(message);
    }
}

/** A problem with a message of ours. */
export function problem(kind: string, details = ""): Problem {
    const key = `js-problem-${kind}`;
    return new Problem(kind, hasText(key) ? text(key) : text("js-problem-other"), details);
}

/** What a refusal's body says. The portal answers in the reader's language, the relayer in English only. */
async function refusal(response: Response, localized: boolean): Promise<Problem> {
    const body = (await response.json().catch(() => ({}))) as { type?: string; detail?: string; title?: string };
    const kind = (body.type ?? "").startsWith(PREFIX) ? (body.type ?? "").slice(PREFIX.length) : `http-${response.status}`;
    const details = `${response.status} ${kind}: ${body.detail ?? body.title ?? response.statusText}`;
    if (localized && body.detail) return new Problem(kind, body.detail, details);
    return problem(kind, details);
}

/** Fetches JSON; every failure becomes a Problem. */
export async function fetchJson<T>(url: string, init: RequestInit, { localized }: { localized: boolean }): Promise<T> {
    let response: Response;
    try {
        response = await fetch(url, { cache: "no-store", ...init, headers: { accept: "application/json", ...init.headers } });
    } catch (error) {
        throw problem("offline", `${new URL(url, location.href).origin}: ${String(error)}`);
    }
    if (!response.ok) throw await refusal(response, localized);
    try {
        return (await response.json()) as T;
    } catch (error) {
        throw problem("other", String(error));
    }
}

/** Any error as a Problem. */
export function asProblem(error: unknown): Problem {
    return error instanceof Problem ? error : problem("other", error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
