// At another issuer's portal: the citizen logs in here as well, the issuer adds its part of the blind signature, and the browser
// goes back to the portal where the citizen began. Neither account nor choice comes here, only the blinded message.

import type { Hex } from "../credential/index.ts";
import { byId, onClick, show } from "../portal/dom.ts";
import { answerUrl, homeUrl, leadsBack, parseRequest, type CoSignRequest } from "../portal/group.ts";
import { getRound, getSession, requestCredential, type RoundInfo, type Session } from "../portal/portal.ts";
import { asProblem, Problem } from "../portal/problem.ts";
import { text } from "../portal/texts.ts";

const SECTIONS = ["loading", "login", "ask", "refused"] as const;

const root = byId("co-sign");
const address = root.dataset["round"] as Hex;
/** Logging in loses what stands behind the `#`; this tab remembers it. */
const REMEMBERED = `kopilka-co-sign:${address}`;

let asked: { readonly request: CoSignRequest; readonly round: RoundInfo; readonly session: Session } | undefined;

function display(section: (typeof SECTIONS)[number]): void {
    for (const name of SECTIONS) show(`step-${name}`, name === section);
    root.dataset["state"] = section;
}

function refuse(error: unknown): void {
    const refusal = asProblem(error);
    byId("refused-what").textContent = refusal.message;
    byId("refused-what").dataset["problem"] = refusal.kind;
    byId("refused-details").textContent = refusal.details;
    show("refused-details-box", refusal.details !== "");
    display("refused");
}

/** What was asked, if it comes from a portal of the same group; nobody else is sent anything. */
function requested(round: RoundInfo): CoSignRequest {
    if (parseRequest(location.hash)) {
        sessionStorage.setItem(REMEMBERED, location.hash);
        history.replaceState(null, "", location.pathname);
    }
    const request = parseRequest(sessionStorage.getItem(REMEMBERED) ?? "");
    const group = round.classes[request?.class ?? 0]?.group;
    if (!group) throw new Problem("group-away", text("js-group-away"));
    offerBack(homeUrl(group, round.contract) ?? "/");
    // Where citizens begin, the page of the round itself signs, for the key of its own browser.
    if (!request || group.issuer === group.home || !leadsBack(group, round.contract, request.back)) {
        throw new Problem("group-foreign", text("js-group-foreign"));
    }
    return request;
}

/** The way back to the portal where citizens begin. */
function offerBack(url: string): void {
    byId<HTMLAnchorElement>("co-sign-back").href = url;
    show("co-sign-back-row");
}

async function begin(): Promise<void> {
    const [round, session] = await Promise.all([getRound(address), getSession()]);
    const request = requested(round);
    byId("co-sign-from").textContent = text("js-co-sign-from", { host: new URL(request.back).host });
    if (!session) return display("login");
    if (round.class === null) throw new Problem("ineligible", text(`js-ineligible-${round.ineligible ?? "municipality"}`));
    asked = { request, round, session };
    display("ask");
}

onClick("co-sign-sign", async () => {
    if (!asked) return;
    const { request, round, session } = asked;
    try {
        const { class: scopeClass, blinded, first } = request;
        const { issuer, signature } = await requestCredential(round.contract, session.csrf, scopeClass, blinded, first);
        if (issuer === undefined) throw new Problem("group-away", text("js-group-away"));
        sessionStorage.removeItem(REMEMBERED);
        location.replace(answerUrl(request.back, { issuer, signature }));
    } catch (error) {
        const { kind } = asProblem(error);
        if (kind === "login-needed") display("login");
        else if (kind === "credential-already-issued") refuse(new Problem(kind, text("js-co-sign-other-key")));
        else refuse(error);
    }
});

begin().catch(refuse);
