// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium (its headless shell) as the browser tests use it: visitors with a screen, a language, with or without script, who look
// at each page closely.
import axe from "axe-core";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

export const PLACE = process.env.PLACE; // an empty directory: pictures, downloads, Chromium's own files
export const URL_OF_RELAY = process.env.RELAY;

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 700 };
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export function check(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

/// Runs a case in a Chromium of its own, which ends with it.
export async function inChromium(work) {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium-headless-shell",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    downloadsPath: PLACE,
  });
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

/// A window of its own, without a cookie yet. `screen`: "desk" or "phone".
export class Visitor {
  static async at(browser, { screen = "desk", script = true, language = "en" } = {}) {
    const phone = screen === "phone";
    const context = await browser.newContext({
      viewport: phone ? PHONE : DESK, isMobile: phone, hasTouch: phone, javaScriptEnabled: script, locale: language,
    });
    context.setDefaultTimeout(90_000); // a busy machine takes long to draw a long page
    return new Visitor(context, await context.newPage(), screen, script);
  }

  constructor(context, page, screen, script) {
    Object.assign(this, { context, page, screen, script, asked: [], said: [] });
    context.on("request", (request) => this.asked.push(request.url()));
    page.on("console", (message) => {
      // A page that says what went wrong has the status that says so, too.
      if (!/the server responded with a status of (4\d\d|503) /.test(message.text())) this.said.push(message.text());
    });
    page.on("pageerror", (error) => this.said.push(String(error)));
  }

  async open(path) {
    return this.page.goto(path.startsWith("/") ? URL_OF_RELAY + path : path);
  }

  /// Waits for the page that has this first heading.
  async heading(text) {
    await this.page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor().catch(async (error) => {
      throw new Error(`${error.message}\nThe page says: ${await this.page.locator("body").innerText()}`);
    });
  }

  async press(name) {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /// Presses a button and waits for the page that answers, whichever it is; its first heading.
  async answerTo(name) {
    await Promise.all([this.page.waitForEvent("load"), this.press(name)]);
    return this.page.locator("h1").innerText();
  }

  async follow(name) {
    await this.page.getByRole("link", { name, exact: true }).click();
  }

  async main() {
    return this.page.locator("main").innerText();
  }

  /// What a click downloads; the file's path.
  async download(click, name) {
    const [download] = await Promise.all([this.page.waitForEvent("download"), click()]);
    const path = `${PLACE}/${name}`;
    await download.saveAs(path);
    return path;
  }

  /// Nothing was asked of another host, and no script or style was stopped or failed.
  quiet() {
    const host = new URL(URL_OF_RELAY).host;
    check(this.asked.length > 0, "the requests were seen");
    for (const url of this.asked) check(new URL(url).host === host, `no request leaves to another host: ${url}`);
  }

  /// Looks at the page as it stands, light on a desk and dark on a phone, and keeps a picture of it.
  async look(name) {
    const suffix = this.script ? this.screen : `${this.screen}-no-script`;
    await this.page.emulateMedia({ colorScheme: this.screen === "phone" ? "dark" : "light" });
    if (this.script) await this.accessible(`${name}, ${suffix}`); // axe-core is a script
    await this.fits(`${name}, ${suffix}`);
    mkdirSync(`${PLACE}/pictures`, { recursive: true });
    await this.page.screenshot({ path: `${PLACE}/pictures/${name}-${suffix}.png`, fullPage: true });
  }

  /// Nothing that axe-core knows of WCAG 2.2 AA is violated; headings are in order, fields are described.
  async accessible(what) {
    await this.page.evaluate(axe.source);
    const found = await this.page.evaluate((tags) => axe.run(document, { runOnly: tags }), WCAG);
    check(found.passes.length > 10, `axe-core looked at ${what}`);
    const violations = found.violations.map(
      (rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html).join(" | ")}`);
    check(violations.length === 0, `${what}: ${violations.join("\n")}`);
    const open = found.incomplete.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(" | ")}`);
    check(open.length === 0, `axe-core could decide all of ${what}: ${open.join("\n")}`);
    const seen = await this.page.evaluate(() => ({
      levels: [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1])),
      undescribed: [...document.querySelectorAll("[aria-describedby]")]
        .flatMap((field) => field.getAttribute("aria-describedby").split(" "))
        .filter((id) => !document.getElementById(id)?.innerText),
    }));
    const { levels } = seen;
    check(levels[0] === 1 && levels.filter((level) => level === 1).length === 1, `${what}: one first heading`);
    check(levels.every((level, at) => at === 0 || level <= levels[at - 1] + 1), `${what}: headings in order: ${levels}`);
    check(seen.undescribed.length === 0, `${what}: what describes a field is there: ${seen.undescribed}`);
  }

  /// Nothing is wider than the window.
  async fits(what) {
    const devtools = await this.context.newCDPSession(this.page);
    const { cssContentSize, cssLayoutViewport } = await devtools.send("Page.getLayoutMetrics");
    await devtools.detach();
    check(cssContentSize.width <= cssLayoutViewport.clientWidth, `${what}: nothing is wider than the window`);
  }

  async leave() {
    this.quiet();
    await this.context.close();
  }
}

/// The program's last word: runs the case that the command line names.
export async function runCase(cases) {
  await inChromium(cases[process.argv[2]]);
}
