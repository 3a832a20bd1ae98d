// Chromium with the screen of a phone, and what every citizen's test does with it.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

export const shots = process.env.KOPILKA_SCREENSHOTS;
if (shots) mkdirSync(shots, { recursive: true });

const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: "ru-RU" };
let step = 0;

export const launch = () =>
  chromium.launch({
    executablePath: process.env.KOPILKA_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** A screenshot of the whole page, if they are wanted. */
export const shoot = async (page, name) => {
  if (shots) await page.screenshot({ path: path.join(shots, `${String(++step).padStart(2, "0")}-${name}.png`), fullPage: true });
};

/** A fresh phone: its page, what went wrong on it, and a look that fails where the page is wider than the screen. */
export const openPhone = async (browser) => {
  const context = await browser.newContext(phone);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
  });
  const look = async (name) => {
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= phone.viewport.width, `${name}: the page is ${width} px wide, the screen ${phone.viewport.width}`);
    await shoot(page, name);
  };
  return { context, page, faults, look, by: (id) => page.getByTestId(id) };
};

/** From a button that leads to ESIA, as its first citizen, back to the portal. */
export const logInBy = async ({ page, by, look }, button, esia, portal) => {
  await by(button).click();
  await page.waitForURL((url) => url.origin === new URL(esia).origin);
  await look("esia");
  await page.locator("button[name=oid]").first().click();
  await page.waitForURL((url) => url.origin === new URL(portal).origin);
};
