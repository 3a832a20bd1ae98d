// The explorer's scripts in Chromium, under the site's policy, on the elements that its templates write.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import nodeModule from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import vectors from "../../crates/domain/vectors/settlement.json";
import { FAILURES } from "../src/explorer/failure.ts";
import type { Election, Outcome } from "../src/settlement/index.ts";
import { STAFF, TestChain } from "./explorer-chain.ts";

const executablePath = process.env["KOPILKA_CHROMIUM"] ?? "/usr/bin/chromium";
const skip = existsSync(executablePath) ? false : `no Chromium at ${executablePath}: name one in KOPILKA_CHROMIUM`;

// These two cannot be bundled into a test.
const fromRoot = nodeModule.createRequire(path.join(process.cwd(), "package.json"));
const { chromium } = fromRoot("playwright-core") as typeof import("playwright-core");
const { build } = fromRoot("esbuild") as typeof import("esbuild");

const { election, outcome } = (vectors as unknown as { name: string; election: Election; outcome: Outcome }[]).find(
    ({ name }) => name === "random with many ballots",
)!;
const winners = outcome.winners.map(({ id }) => id).sort((left, right) => left - right);
const POLICY =
    "default-src 'none'; script-src 'self' 'nonce-test'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
    "connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'none'; object-src 'none'";

let chain: TestChain;
let content = "";
const streams = new Set<ServerResponse>();
let opened = 0;
let slow: Promise<void> | undefined;
const assets = mkdtempSync(path.join(tmpdir(), "kopilka-explorer-pages-"));
let browser: Browser;
let page: Page;
let origin = "";
const faults: string[] = [];

const server = createServer(async (request, response) => {
    response.setHeader("content-security-policy", POLICY);
    const url = request.url ?? "/";
    if (url.startsWith("/assets/")) {
        const file = path.join(assets, path.basename(url));
        response.writeHead(existsSync(file) ? 200 : 404, { "content-type": "text/javascript; charset=utf-8" });
        response.end(existsSync(file) ? readFileSync(file) : "");
    } else if (url.startsWith("/events")) {
        opened += 1;
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
        streams.add(response);
        request.on("close", () => streams.delete(response));
    } else if (url === "/api/eth-rpc") {
        let body = "";
        for await (const part of request) body += part;
        const { id, method, params } = JSON.parse(body);
        if (method === "eth_getLogs") await slow;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ jsonrpc: "2.0", id, ...chain.answer(method, params) }));
    } else {
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.end(`<!doctype html><html lang="en"><head><title>Test</title><link rel="icon" href="data:,"></head>${content}</html>`);
    }
});

before(async () => {
    if (skip) return;
    const pages = path.join(process.cwd(), "browser/src/pages");
    await build({
        entryPoints: ["explorer", "explorer-result", "explorer-recount"].map((name) => path.join(pages, `${name}.ts`)),
        outdir: assets,
        bundle: true,
        splitting: true,
        format: "esm",
        target: ["es2022"],
    });
    await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
    });
});
after(async () => {
    await browser?.close();
    server.close();
    rmSync(assets, { recursive: true });
});

const templates = path.join(process.cwd(), "explorer/templates");

/** A section of a page's template; each text is its key, and its arguments if they are placeholders. */
function section(template: string, mark: string, values: Record<string, string>): string {
    const text = readFileSync(path.join(templates, "pages", template), "utf8");
    const start = text.lastIndexOf("<section", text.indexOf(mark));
    const end = text.indexOf("</section>", start);
    assert.ok(start >= 0 && end > start, `${template} has no section with ${mark}`);
    return text
        .slice(start, end + "</section>".length)
        .replace(/\{% include "([^"]+)" %\}/g, (_, included: string) => readFileSync(path.join(templates, included), "utf8"))
        .replace(/\{\{ page\.text\("([^"]+)"\)(.*?) \}\}/g, (_, key: string, rest: string) =>
            [key, ...(rest.match(/\{\w+\}/g) ?? [])].join(" "),
        )
        .replace(/\{% [^%]*%\}/g, "")
        .replace(/\{\{ ([^}]+) \}\}/g, (_, expression: string) => values[expression] ?? "");
}

async function open(html: string, script: string): Promise<void> {
    content = `<body>${html}<script type="module" src="/assets/${script}" nonce="test"></script></body>`;
    faults.length = 0;
    await page.goto(origin);
}

function hold(proposed: readonly number[] = winners): void {
    chain = new TestChain(1_234);
    chain.hold(election);
    chain.emit("SettlementProposed", STAFF, proposed, outcome.transcript, outcome.totalCost, 99);
    slow = undefined;
}

async function openResult(): Promise<void> {
    const recount = section("result.html", 'id="recount"', {
        rpc_url: "/api/eth-rpc",
        "self.round_hex()": chain.round,
        "round.block_number": String(chain.first),
        "page.lang()": "en",
    });
    const links = winners.slice(1).map((id) => `<a href="/round/0x/initiative/${id}">Title of ${id}</a>`);
    await open(`<p>${links.join("")}</p>${recount}`, "explorer-result.js");
}

const result = () => page.locator("[data-recount-result]");
const facts = () =>
    page.$$eval("#recount .facts > div", (rows) =>
        Object.fromEntries(rows.map((row) => [row.children[0]!.textContent, row.children[1]!.textContent])),
    );

test("a recount in a worker agrees and says so", { skip }, async () => {
    hold();
    await openResult();
    let release = () => {};
    slow = new Promise((resume) => (release = resume));
    await page.locator("[data-recount-start]").click();
    await page.locator("[data-recount-progress]").waitFor();
    assert.equal(await page.locator("[data-recount-start]").getAttribute("aria-disabled"), "true");
    release();
    await result().locator(".notice-good").waitFor();
    assert.equal(await result().locator(".notice-good").textContent(), "recount-same");
    const { "recount-winners": list, "recount-digest": digest, "recount-ballots": ballots } = await facts();
    assert.equal(list, `${winners[0]}${winners.slice(1).map((id) => `Title of ${id}`).join("")}`);
    assert.equal(digest, outcome.transcript);
    assert.equal(ballots, String(outcome.voters));
    assert.equal(await page.locator("[data-recount-progress]").isHidden(), true);
    assert.deepEqual(faults, []);
});

test("a tampered winner is reported in the page's words", { skip }, async () => {
    const loser = outcome.losers[0]!.id;
    hold([...winners.slice(1), loser].sort((left, right) => left - right));
    await openResult();
    await page.locator("[data-recount-start]").click();
    await result().locator(".notice-bad").waitFor();
    const differences = await result().locator(".notice-bad + .items > li").allTextContents();
    assert.deepEqual(differences, [`recount-difference-missing ${winners[0]}`, `recount-difference-extra ${loser}`]);
    assert.notEqual((await facts())["recount-chain-winners"], (await facts())["recount-winners"]);
});

test("a failure shows its reason, and the recount can be tried again", { skip }, async () => {
    hold();
    await openResult();
    chain.mostBlocks = 0;
    await page.locator("[data-recount-start]").click();
    await result().locator(".notice-warning").waitFor();
    assert.equal(await result().textContent(), "recount-failed recount-failure-no-logs 1,234 at most 0 blocks");
    chain.mostBlocks = 500;
    await page.locator("[data-recount-start]").click();
    await result().locator(".notice-good").waitFor();
    chain.registered = 3;
    await page.locator("[data-recount-start]").click();
    await result().locator(".notice-warning").waitFor();
    assert.equal(await result().textContent(), "recount-failed recount-failure-registrations-missing 3 400");
    assert.deepEqual(faults, []);
});

test("another node can be named, and a recount stopped", { skip }, async () => {
    hold();
    await openResult();
    await page.locator("summary").click();
    for (const typed of ["localhost:8545", "http://"]) {
        await page.locator("#recount-rpc").fill(typed);
        await page.locator("#recount-rpc").press("Enter");
        await result().locator(".notice-warning").waitFor();
        assert.equal(await page.locator("#recount-rpc").getAttribute("aria-invalid"), "true");
    }
    slow = new Promise(() => {});
    await page.locator("#recount-rpc").fill(`${origin}/api/eth-rpc`);
    await page.locator("[data-recount-start]").click();
    await page.locator("[data-recount-stop]").click();
    assert.equal(await page.locator("[data-recount-progress]").isHidden(), true);
    assert.equal(await page.evaluate(() => document.activeElement?.hasAttribute("data-recount-start")), true);
    slow = undefined;
    await page.locator("[data-recount-start]").click();
    await result().locator(".notice-good").waitFor();
});

test("the page has words for every failure and difference", { skip }, async () => {
    hold();
    await openResult();
    const known = await page.$eval("template[data-recount-texts]", (template) =>
        [...(template as HTMLTemplateElement).content.querySelectorAll("[data-text]")].map((text) => text.getAttribute("data-text")),
    );
    const wanted = FAILURES.map((code) => `failure-${code}`);
    wanted.push("stopped", "difference-missing", "difference-extra", "difference-digest", "difference-total-cost", "difference-more");
    assert.deepEqual(known.toSorted(), wanted.toSorted());
});

test("hashes are copied, and the button says so for a while", { skip }, async () => {
    await open('<span>0x12…</span><button class="copy" data-copy="0x1234" data-copied="Copied" hidden>Copy</button>', "explorer.js");
    const button = page.locator(".copy");
    await button.click();
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "0x1234");
    await page.getByText("Copy", { exact: true }).waitFor();
});

/** A bar as crates/web writes it. */
const fill = `<div class="fill" data-live="7" data-cost="1000"><svg class="fill-bar" viewBox="0 0 1000 12" role="img" aria-label="old">
<rect class="fill-ground" width="1000" height="12"/><rect class="fill-level" width="100" height="12"/></svg>
<p class="fill-texts"><span><strong class="fill-pledged" title="₽1.00">₽1</strong></span><span class="fill-percent">10%</span></p></div>`;

const wallets = (change: object, phase = "pledging") => ({
    phase,
    registered: "12",
    allocated: "11",
    in_wallets: "₽500",
    initiatives: [
        { id: 7, level: 500, pledged: "₽5", exact: "₽5.00", percent: "50%", full: false, supporters: "3 people", label: "half", ...change },
    ],
});

function send(event: object): void {
    for (const stream of streams) stream.write(`event: wallets\ndata: ${JSON.stringify(event)}\n\n`);
}

async function until(condition: () => boolean, what: string): Promise<void> {
    const end = Date.now() + 10_000;
    while (!condition()) {
        assert.ok(Date.now() < end, what);
        await new Promise((resume) => setTimeout(resume, 20));
    }
}

test("amounts stay fresh until paused, and a new phase loads the page anew", { skip }, async () => {
    const live = section("round.html", "data-live-source", { "w.urls.round_events(self.hex())": "/events" })
        .replace(/ data-live-still/, "")
        .replace("</section>", `<p data-live-supporters="7">old</p>${fill}</section>`);
    const totals = '<b data-live="registered">0</b><b data-live="in_wallets"><span class="money" title="₽0.00">₽0</span></b>';
    await open(totals + live, "explorer.js");
    await page.getByText("live-on").waitFor();
    await until(() => streams.size === 1, "the page follows");

    send(wallets({}));
    await page.getByText("3 people").first().waitFor();
    assert.equal(await page.locator('[data-live="registered"]').textContent(), "12");
    assert.equal(await page.locator('[data-live="in_wallets"] .money:not([title])').textContent(), "₽500");
    assert.equal(await page.locator(".fill-level").getAttribute("width"), "500");
    assert.equal(await page.locator(".fill-bar").getAttribute("aria-label"), "half");
    assert.equal(await page.locator(".fill-pledged").getAttribute("title"), "₽5.00");

    send(wallets({ level: 800, full: true, percent: "125%", supporters: "4 people", surplus: "₽2 over" }));
    await page.getByText("4 people").first().waitFor();
    assert.equal(await page.locator(".fill-full .fill-percent").textContent(), "✓ 125%");
    const parts = await page.$$eval(".fill-bar rect", (rects) => rects.map((rect) => rect.getAttribute("class")));
    assert.deepEqual(parts, ["fill-ground", "fill-surplus", "fill-level", "fill-mark"]);

    assert.equal(await page.locator(".fill > .fill-note").textContent(), "₽2 over");

    await page.getByRole("button", { name: "live-pause" }).click();
    await page.getByText("live-off").waitFor();
    await until(() => streams.size === 0, "a paused page is not connected");
    await page.getByRole("button", { name: "live-resume" }).click();
    await until(() => streams.size === 1, "the page follows again");

    send(wallets({ supporters: "5 people" }));
    await page.getByText("5 people").first().waitFor();
    assert.equal(await page.locator(".fill-surplus, .fill-mark, .fill-note").count(), 0);
    const before = opened;
    send(wallets({}, "tallying"));
    await until(() => opened > before, "the page is loaded anew");
    assert.deepEqual(faults, []);
});
