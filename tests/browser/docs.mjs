// SPDX-License-Identifier: Apache-2.0
// The page of the API in Chromium, on a desk and on a phone. Started by browser_test.cpp.
import { Visitor, check, runCase } from "./browser.mjs";

async function linksLeadSomewhere(page) {
  const { ids, targets } = await page.evaluate(() => ({
    ids: [...document.querySelectorAll("[id]")].map((element) => `#${element.id}`),
    targets: [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href")),
  }));
  check(new Set(ids).size === ids.length, "no id is given twice");
  check(new Set(targets).size > 50, "there are links within the page");
  check(targets.every((target) => ids.includes(target)), "links lead somewhere");
}

async function readable(browser) {
  for (const screen of ["desk", "phone"]) {
    const visitor = await Visitor.at(browser, { screen });
    await visitor.open("/docs");
    await linksLeadSomewhere(visitor.page);
    const unfolded = visitor.page.locator("#calls section").first().locator("summary");
    for (const summary of await unfolded.all()) await summary.click();
    // For axe-core it is a very large page; one look at its colours and names does.
    if (screen === "desk") await visitor.look("docs");
    await visitor.fits(`docs, ${screen}`);
    const ground = (scheme) => visitor.page.emulateMedia({ colorScheme: scheme })
      .then(() => visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    check(await ground("dark") !== await ground("light"), "dark or light as wished");
    check(visitor.said.length === 0, `the console is silent: ${visitor.said}`);
    await visitor.leave();
  }
}

await runCase({ readable });
