// A citizen's whole way in Chromium on a phone-sized screen: log-in, keys, credential, registration, allocation, receipt, the explorer's
// page of the pledge, the check against the chain; then a fresh browser profile restores the secret and changes the allocation.
// Called with the data folder of a running system and the kopilka program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launch, logInBy, openPhone, shoot } from "./phone.mjs";

const [dataDir, kopilka] = process.argv.slice(2);
const system = JSON.parse(readFileSync(path.join(dataDir, "system.json"), "utf8"));
const run = (...args) => execFileSync(kopilka, [...args, "--data-dir", dataDir], { encoding: "utf8" });

// The clerk's part: a round with the example's plan, registration open.
const plan = JSON.parse(execFileSync(kopilka, ["round", "example"], { encoding: "utf8" }));
plan.municipality = { oktmo: "16701000", name: "Зареченск" };
plan.objection_seconds = 1;
const planFile = path.join(dataDir, "plan.json");
writeFileSync(planFile, JSON.stringify(plan));
const created = run("round", "create", planFile);
const round = /round (0x[0-9a-fA-F]{40})/.exec(created)[1];
run("round", "approve-mint", "--round", round, "--mint", /mint (\d+)/.exec(created)[1]);
run("round", "open-registration", "--round", round);

const browser = await launch();

const logIn = async (phone) => {
  await phone.page.goto(new URL(`rounds/${round}`, system.portal_url).href);
  await phone.look("round");
  await phone.by("take-part-link").click();
  await logInBy(phone, "flow-login", system.esia_url, system.portal_url);
};

const allocate = async ({ page, by, look }, shares) => {
  await by("ballot").waitFor();
  for (const [id, points] of Object.entries(shares)) await by(`points-${id}`).fill(String(points));
  await look("ballot");
  await by("ballot-review").click();
  await by("sign-and-send").waitFor();
  await look("confirm");
  await by("sign-and-send").click();
  await by("receipt").waitFor();
  await look("receipt");
};

/** The issuer key whose secret is 1: its blind signature of a point is the point itself. */
const TAG =
  "0x93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e" +
  "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8";

/** A portal that signs for one citizen with a key of its own, to know the credential again, gets nowhere: whether it names that key or not. */
const refuseTaggedKey = async ({ page, by, look }) => {
  const named = async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    for (const one of json.classes) one.issuer_key = TAG;
    await route.fulfill({ response, json: { ...json, issuer_key: TAG } });
  };
  const silent = async (route) => {
    const { class: scopeClass, blinded } = route.request().postDataJSON();
    await route.fulfill({ json: { class: scopeClass, signature: blinded } });
  };
  for (const [where, answer, problem] of [
    ["**/api/v1/rounds/*", named, "key-differs"],
    ["**/api/v1/rounds/*/credential", silent, "signature-wrong"],
  ]) {
    await page.route(where, answer);
    await page.reload();
    await by("get-credential").click();
    await by("refused").waitFor();
    assert.equal(await by("refused").getAttribute("data-problem"), problem);
    await look(problem);
    await page.unroute(where, answer);
  }
  await page.reload();
  await by("get-credential").waitFor();
};

try {
  const first = await openPhone(browser);
  await first.page.goto(system.portal_url);
  await first.look("home");
  await logIn(first);
  await first.by("create-key").click();
  await first.by("recovery-words").waitFor();
  await first.look("words");
  const words = (await first.by("recovery-words").locator("li").allInnerTexts()).map((word) => word.trim().split(/\s+/).at(-1));
  assert.ok(words.length >= 12, `recovery words: ${words.length}`);
  await first.by("words-later").click();
  await refuseTaggedKey(first);
  await first.by("get-credential").click();
  await first.by("registered").waitFor();
  await first.look("registered");

  run("round", "open-pledging", "--round", round);
  await first.page.reload();
  await allocate(first, { 1: 70, 2: 30 });
  assert.equal((await first.by("receipt-version").innerText()).trim(), "1");
  const account = (await first.by("receipt-account").innerText()).trim();
  assert.match(account, /^0x[0-9a-fA-F]{40}$/);

  // The explorer shows the pledge.
  const transaction = await first.by("receipt-tx").getAttribute("href");
  const explorer = await first.context.newPage();
  await explorer.goto(transaction);
  const shown = await explorer.content();
  assert.ok(shown.toLowerCase().includes(account.toLowerCase()), `the explorer's transaction page names the account: ${shown.slice(0, 3000)}`);
  await shoot(explorer, "explorer-tx");
  await explorer.goto(new URL(`address/${account}`, system.explorer_url).href);
  assert.match(await explorer.locator("main").innerText(), /70/, "the explorer shows the citizen's allocation");
  await shoot(explorer, "explorer-account");

  // «Проверить мой голос» agrees with the chain.
  await first.by("receipt-check").click();
  await first.by("check-verdict").waitFor();
  await first.look("check");
  assert.equal(await first.by("check").getAttribute("data-state"), "ok");
  assert.deepEqual(first.faults, []);
  await first.context.close();

  // Another phone: the words bring everything back, and the allocation can be changed.
  const second = await openPhone(browser);
  await second.page.goto(new URL("restore", system.portal_url).href);
  await second.by("restore-words").fill(words.join(" "));
  await second.look("restore");
  await second.by("restore-submit").click();
  await second.by("restore-have").waitFor();
  await second.look("restored");
  // No log-in is needed any more: the words are the right to change the allocation.
  await second.page.goto(new URL(`rounds/${round}/take-part`, system.portal_url).href);
  await second.by("change-allocation").click();
  await allocate(second, { 1: 20, 2: 80 });
  assert.equal((await second.by("receipt-version").innerText()).trim(), "2");
  assert.equal((await second.by("receipt-account").innerText()).trim(), account, "the same account came back");
  assert.deepEqual(second.faults, []);
  await second.context.close();
} finally {
  await browser.close();
}

// The chain agrees with what the citizen saw.
const audit = JSON.parse(run("audit", "--round", round, "--json"));
assert.equal(audit.registered, 1);
assert.equal(audit.allocations, 1);
