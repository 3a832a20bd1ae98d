// A citizen's way to a credential that two of three issuers must sign, in Chromium on a phone-sized screen: the first part at the
// portal where the citizen begins, the second at another issuer's portal after a login there, and back. Wrong parts and
// addresses that lead elsewhere are refused. Called with JSON: round, the home portal and its ESIA, the other portal and its ESIA.
import assert from "node:assert/strict";
import { launch, logInBy, openPhone } from "./phone.mjs";

const { round: checksummed, home, homeEsia, other, otherEsia } = JSON.parse(process.argv[2]);
const round = checksummed.toLowerCase();
const takePart = new URL(`rounds/${round}/take-part`, home).href;
const coSign = new URL(`rounds/${round}/co-sign`, other).href;
const browser = await launch();
try {
  const phone = await openPhone(browser);
  const { page, by, look } = phone;
  // At the other issuer's portal nobody begins.
  await page.goto(new URL(`rounds/${round}/take-part`, other).href);
  await by("elsewhere-go").waitFor();
  await look("elsewhere");
  await by("elsewhere-go").click();
  await logInBy(phone, "flow-login", homeEsia, home);
  assert.equal(page.url(), takePart);
  await by("create-key").click();
  await by("words-later").click();
  await by("get-credential").click();
  await by("group-list").waitFor();
  await look("group");
  assert.match(await by("group-signed").innerText(), /1 из 2/);
  const links = await by("group-list").locator("a").evaluateAll((all) => all.map((link) => link.href));
  assert.equal(links.length, 2, "the two other issuers are offered");

  // One issuer's part under another's number, and a part that is no point, are refused; nothing is lost by it.
  const progress = await page.evaluate(() => Object.values(JSON.parse(localStorage.getItem("kopilka")).profiles)[0].rounds);
  const [{ partials }] = Object.values(progress);
  for (const wrong of [`issuer=2&signature=${partials[0].signature}`, `issuer=2&signature=0x${"ab".repeat(48)}`, `issuer=9&signature=${partials[0].signature}`]) {
    await page.goto("about:blank");
    await page.goto(`${takePart}#${wrong}`);
    await by("refused").waitFor();
    assert.equal(await by("refused").getAttribute("data-problem"), "group-wrong");
    assert.equal(new URL(page.url()).hash, "", "the address keeps nothing");
  }
  await look("group-wrong");
  await by("try-again").click();
  await by("group-list").waitFor();

  // Nobody is sent to a place that is no issuer's portal, and nothing is signed for it.
  const [link] = links.filter((href) => href.startsWith(other));
  const asked = new URLSearchParams(new URL(link).hash.slice(1));
  const foreign = new URLSearchParams(asked);
  foreign.set("back", "https://elsewhere.example/");
  // The portal where citizens begin signs for the key of its own page alone, whatever a link says.
  const atHome = new URL(`rounds/${round}/co-sign#${asked}`, home).href;
  for (const address of [coSign, `${coSign}#${foreign}`, atHome]) {
    await page.goto("about:blank");
    await page.goto(address);
    await by("refused").waitFor();
    assert.equal(await by("refused").getAttribute("data-problem"), "group-foreign");
    assert.equal(await by("co-sign-back").getAttribute("href"), takePart);
  }
  await look("co-sign-foreign");

  await page.goto(takePart);
  await by("group-go-2").click();
  await by("co-sign-login").waitFor();
  await look("co-sign-login");
  await logInBy(phone, "co-sign-login", otherEsia, other);
  await by("co-sign-sign").waitFor();
  await look("co-sign");
  assert.equal(new URL(page.url()).hash, "", "the address keeps nothing");
  await by("co-sign-sign").click();
  await by("registered").waitFor();
  await look("registered");
  assert.equal(new URL(page.url()).origin, new URL(home).origin);
  assert.deepEqual(phone.faults, []);
} finally {
  await browser.close();
}
