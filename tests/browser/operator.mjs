// SPDX-License-Identifier: Apache-2.0
// An operator at the dashboard in Chromium: login, live charts, search, one delivery, bulk actions, and what goes wrong
// on the way: operator.mjs CASE. Started by browser_test.cpp.
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { URL_OF_RELAY, Visitor, check, runCase } from "./browser.mjs";
import { Recipient, eventually, operator, run } from "./recipient.mjs";

const { CTL, CONFIG } = process.env;
const PASSWORD = "correct-horse-battery";

function addOperator(name = "olga") {
  run(CTL, ["--config", CONFIG, "account", "add", name, "--send-as", "@example.org", "--admin", "--password-stdin"],
    { input: `${PASSWORD}\n` });
}

const send = (recipient) => new Recipient(recipient).sent("figures");

const listed = (...filters) => JSON.parse(operator("queue", "list", "--json", ...filters)).deliveries;

/// Waits until so many deliveries are in this state.
const settled = (state, count) => eventually(() => listed("--state", state).length >= count, `${count} ${state}`);

async function logIn(visitor, { name = "olga", password = PASSWORD, path = "/operator" } = {}) {
  await visitor.open(path);
  await visitor.heading("Log in");
  await visitor.page.getByLabel("Account", { exact: true }).fill(name);
  await visitor.page.getByLabel("Password", { exact: true }).fill(password);
  return visitor.answerTo("Log in");
}

async function loggedIn(browser, options = {}) {
  const visitor = await Visitor.at(browser, options);
  await logIn(visitor);
  await visitor.heading("Queue");
  return visitor;
}

const alert = (visitor) => visitor.page.getByRole("alert").innerText();
/// How many deliveries the overview counts in a state.
const counted = (visitor, state) => visitor.page.locator(`[data-state=${state}]`).innerText();

/// The page as it stands on a desk in light and on a phone in the dark.
async function look(visitor, name) {
  await visitor.look(name);
  if (!visitor.script) return;
  await visitor.page.setViewportSize({ width: 390, height: 780 });
  visitor.screen = "phone";
  await visitor.look(name);
  visitor.screen = "desk";
  await visitor.page.setViewportSize({ width: 1280, height: 800 });
}

/// Waits until the live table's newest row, as numbers by heading, is as wanted.
async function liveRow(visitor, wanted, what) {
  const summary = visitor.page.getByText("The charts as a table");
  if (!await visitor.page.locator("#numbers[open]").count()) await summary.click();
  for (const end = Date.now() + 60_000; Date.now() < end; await wait(100)) {
    const rows = await visitor.page.evaluate(() => {
      const names = [...document.querySelectorAll("#numbers thead th")].map((cell) => cell.textContent);
      return [...document.querySelectorAll("#numbers tbody tr")].map((row) =>
        Object.fromEntries([...row.children].map((cell, at) => [names[at], cell.textContent])));
    });
    if (rows.some(wanted)) return;
  }
  throw new Error(`does not come: ${what}`);
}

async function login(browser) {
  addOperator();
  const visitor = await Visitor.at(browser);
  await visitor.open("/operator/deliveries?state=held");
  await visitor.heading("Log in");
  await look(visitor, "50-login");
  await logIn(visitor, { name: "app", password: "correct-horse", path: "/operator/deliveries?state=held" });
  check((await alert(visitor)).includes("no operator"), "senders are told that it is not theirs");
  await logIn(visitor, { password: "wrong" });
  check(await alert(visitor) === "Wrong account or password.", "a wrong password is told");
  check(await visitor.page.getByLabel("Account", { exact: true }).inputValue() === "olga", "the name stays");
  check(await visitor.page.getByLabel("Password", { exact: true }).inputValue() === "", "the password does not");
  await look(visitor, "51-wrong-login");
  let said = "";
  for (const end = Date.now() + 60_000; Date.now() < end && !said.startsWith("Too many"); said = await alert(visitor)) {
    await logIn(visitor, { password: "wrong" });
  }
  check(said.startsWith("Too many wrong logins."), `guessers wait: ${said}`);
  await look(visitor, "52-throttled");
  while (await logIn(visitor, { path: "/operator/deliveries?state=held" }) === "Log in") await wait(500);
  await visitor.heading("Deliveries");
  check(new URL(visitor.page.url()).search === "?state=held", "the login leads where one wanted to go");
  const [cookie] = await visitor.context.cookies();
  check(cookie.httpOnly && cookie.sameSite === "Strict" && cookie.path === "/operator", "the cookie is for these pages only");
  const other = await visitor.page.evaluate((url) => fetch(url).then((answer) => answer.status), `${URL_OF_RELAY}/v1/suppressions`);
  check(other === 401, `the session is none for the API: ${other}`);
  visitor.said.length = 0; // the browser tells of every 401
  const key = await visitor.page.content();
  check(!key.includes(cookie.value), "the cookie's value stands on no page");
  await visitor.press("Log out");
  await visitor.heading("Log in");
  check((await visitor.context.cookies()).length === 0, "the cookie is gone");
  check((await visitor.open("/operator/deliveries")).status() === 401, "logged out is out");
  await visitor.leave();
}

async function live(browser) {
  addOperator();
  const visitor = await loggedIn(browser);
  await visitor.page.getByText("Live", { exact: true }).last().waitFor();
  await liveRow(visitor, (row) => row["Accepted/s"] === "0", "a sample at rest");
  const ink = () => visitor.page.evaluate(() => document.querySelector("[data-chart=rates] canvas").toDataURL());
  const before = await ink();
  await Promise.all(["bob", "carol", "dora"].map((name) => send(`${name}@example.net`)));
  await liveRow(visitor, (row) => Number(row["Accepted/s"]) > 0, "mail that is accepted");
  await liveRow(visitor, (row) => Number(row["Delivered/s"]) > 0, "mail that is delivered");
  check(await ink() !== before, "the chart moves");
  await look(visitor, "53-live");
  // A new page begins with what was so before.
  await visitor.page.reload();
  await liveRow(visitor, () => true, "a sample");
  const samples = await visitor.page.locator("#numbers tbody tr").count();
  check(samples > 1, `the charts are filled at once: ${samples}`);
  const looks = (scheme) => visitor.page.emulateMedia({ colorScheme: scheme })
    .then(() => visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  check(await looks("dark") !== await looks("light"), "dark or light as wished");
  check(visitor.said.length === 0, `the console is silent: ${visitor.said}`);
  await visitor.leave();
}

/// Between browser and relay, so that a test can cut the stream.
async function wire() {
  const { port } = new URL(URL_OF_RELAY);
  const { connect } = await import("node:net");
  const open = new Set();
  let down = false;
  const server = createServer((near) => {
    if (down) return near.destroy();
    const far = connect(Number(port), "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      open.add(from);
      from.on("error", () => to.destroy()).on("close", () => { open.delete(from); to.destroy(); });
      from.pipe(to);
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() { down = true; for (const socket of open) socket.destroy(); },
    mend() { down = false; },
    end() { this.cut(); server.close(); },
  };
}

async function droppedStream(browser) {
  addOperator();
  const between = await wire();
  const visitor = await Visitor.at(browser);
  await logIn(visitor, { path: `${between.url}/operator` });
  await visitor.heading("Queue");
  const pulse = visitor.page.locator("#pulse");
  await pulse.getByText("Live", { exact: true }).waitFor();
  between.cut();
  await pulse.getByText("The connection to the relay is lost").waitFor();
  await look(visitor, "54-lost");
  between.mend();
  await pulse.getByText("Live", { exact: true }).waitFor();
  // Redis hangs: no numbers, and it is said.
  process.kill(Number(process.env.REDIS), "SIGSTOP");
  try {
    await pulse.getByText("No numbers").waitFor();
    await visitor.page.screenshot({ path: `${process.env.PLACE}/pictures/55-no-numbers.png` });
  } finally {
    process.kill(Number(process.env.REDIS), "SIGCONT");
  }
  await pulse.getByText("Live", { exact: true }).waitFor({ timeout: 60_000 });
  // The account gets another password: the open page is out at once.
  run(CTL, ["--config", CONFIG, "account", "password", "olga", "--password-stdin"], { input: "another-password\n" });
  await pulse.getByText("The session has ended.").waitFor({ timeout: 60_000 });
  await visitor.follow("Log in again");
  await visitor.heading("Log in");
  between.end();
  await visitor.context.close();
}

/// Six deliveries that a next hop refuses for now.
async function deferred() {
  addOperator();
  for (const name of ["bob@example.net", "carol@example.net", "dora@example.org"]) await send(name);
  await settled("deferred", 6); // a notification for each
}

const search = (screen, script) => async (browser) => {
  await deferred();
  const visitor = await loggedIn(browser, { screen, script });
  check(await counted(visitor, "deferred") === "6", "the states are counted");
  await visitor.look("56-overview");
  await visitor.page.locator("table.heat").getByRole("link", { name: "example.net", exact: true }).click();
  await visitor.heading("Deliveries");
  check(await visitor.page.getByLabel("Domain", { exact: true }).inputValue() === "example.net", "a destination leads to its deliveries");
  check(await visitor.page.locator("tbody tr").count() === 4, "and to no others");
  await visitor.look("57-deliveries");
  await visitor.page.getByLabel("Recipient", { exact: true }).fill("carol@example.net");
  await visitor.page.getByLabel("Last failure", { exact: true }).fill("refused");
  await visitor.page.getByLabel("Order", { exact: true }).selectOption("newest first");
  await visitor.answerTo("Search");
  check(await visitor.page.locator("tbody tr").count() === 2, "the search finds");
  await visitor.page.getByLabel("Older than", { exact: true }).fill("soon");
  await visitor.answerTo("Search");
  check((await alert(visitor)).includes("older_than"), "a wrong filter is told");
  check(await visitor.page.getByLabel("Older than", { exact: true }).inputValue() === "soon", "and can be mended");
  await visitor.look("58-wrong-filter");
  await visitor.page.getByLabel("Older than", { exact: true }).fill("");
  await visitor.answerTo("Search");
  await visitor.page.locator("tbody th a").first().click();
  await visitor.heading("Delivery");
  check((await visitor.page.locator(".timeline").innerText()).includes("deferred"), "the timeline tells the attempt");
  check(!(await visitor.main()).includes("figures"), "no subject is shown");
  await visitor.look("59-delivery");
  await visitor.press("Hold");
  await visitor.page.getByText("Hold: done.").waitFor();
  check((await visitor.main()).includes("held"), "it is held");
  await visitor.look("60-held");
  await visitor.press("Drop…");
  await visitor.heading("Dry run");
  check(await visitor.page.locator("#would").innerText() === "1", "it says what it would do");
  await visitor.look("61-drop");
  await visitor.follow("Change nothing");
  await visitor.heading("Delivery");
  check((await visitor.page.locator(".lead").innerText()).startsWith("held"), "nothing was changed");
  check(visitor.said.length === 0, `the console is silent: ${visitor.said}`);
  await visitor.leave();
};

async function bulk(browser) {
  await deferred();
  const visitor = await loggedIn(browser);
  await visitor.open("/operator/deliveries?domain=example.net");
  await visitor.page.getByLabel("Action", { exact: true }).selectOption("retry");
  await visitor.press("Count first");
  await visitor.heading("Dry run");
  check(await visitor.page.locator("#matched").innerText() === "4", "the dry run counts");
  const attempts = () => listed("--domain", "example.net").map(({ attempts: tried }) => tried);
  check(attempts().every((tried) => tried === 1), "and changes nothing");
  await look(visitor, "62-dry-run");
  await visitor.press("Retry 4 deliveries");
  await visitor.heading("Done");
  check(await visitor.page.locator("#changed").innerText() === "4", "all were retried");
  await look(visitor, "63-done");
  await eventually(() => attempts().every((tried) => tried === 2), "a second attempt of each");
  check(listed("--domain", "example.org").every(({ attempts: tried }) => tried === 1), "and of no other");
  // Two that are ticked.
  await visitor.follow("Back to the deliveries");
  for (const row of [0, 1]) await visitor.page.locator("tbody input[type=checkbox]").nth(row).check();
  await visitor.page.getByLabel("Those ticked above", { exact: true }).check();
  await visitor.page.getByLabel("Action", { exact: true }).selectOption("hold");
  await visitor.press("Count first");
  await visitor.press("Hold 2 deliveries");
  await visitor.heading("Done");
  check(listed("--state", "held").length === 2, "those that were ticked are held");
  // Nothing ticked, and no next hop.
  await visitor.follow("Back to the deliveries");
  await visitor.page.getByLabel("Those ticked above", { exact: true }).check();
  await visitor.press("Count first");
  await visitor.heading("This cannot be done");
  await look(visitor, "64-nothing-ticked");
  await visitor.leave();
}

/// Two operators with the same delivery before them.
async function overtaken(browser) {
  await deferred();
  addOperator("omar");
  const olga = await loggedIn(browser);
  await olga.open("/operator/deliveries?recipient=dora@example.org");
  await olga.page.locator("tbody th a").first().click();
  await olga.heading("Delivery");
  const omar = await Visitor.at(browser);
  await logIn(omar, { name: "omar" });
  await omar.open(new URL(olga.page.url()).pathname);
  await omar.press("Hold");
  await omar.page.getByText("Hold: done.").waitFor();
  await olga.press("Retry");
  await olga.heading("It has just changed");
  check((await olga.main()).includes("is held now, and was deferred"), "she is told what it is now");
  await look(olga, "65-has-changed");
  await olga.follow("Look again");
  await olga.press("Release");
  await olga.page.getByText("Release: done.").waitFor();
  check((await olga.open("/operator/deliveries/no-such-id")).status() === 404, "an unknown id is not found");
  await look(olga, "66-unknown");
  check((await olga.open("/operator/deliveries?cursor=forged")).status() === 422, "a forged cursor is refused");
  await look(olga, "67-forged-cursor");
  await olga.leave();
  await omar.leave();
}

async function keyboard(browser) {
  await deferred();
  const visitor = await Visitor.at(browser);
  const { keyboard: keys } = visitor.page;
  const focused = () => visitor.page.evaluate(() => {
    const { id, tagName, textContent } = document.activeElement;
    return { id, tag: tagName, text: textContent.trim(), outline: getComputedStyle(document.activeElement).outlineStyle };
  });
  const tabTo = async (what, holds) => {
    for (let presses = 0; presses < 60; ++presses) {
      await keys.press("Tab");
      const found = await focused();
      check(found.tag === "BODY" || found.outline !== "none", `the focus can be seen on ${JSON.stringify(found)}`);
      if (holds(found)) return;
    }
    throw new Error(`Tab does not lead to ${what}`);
  };
  await visitor.open("/operator");
  check((await focused()).id === "name", "the login begins at the name");
  await keys.type("olga");
  await tabTo("the password", ({ id }) => id === "password");
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await visitor.heading("Queue");
  await keys.press("Tab");
  check((await focused()).text === "Skip to the content", "the head can be skipped");
  await keys.press("Enter");
  await tabTo("the deferred", ({ text }) => text === "Deferred");
  await keys.press("Enter");
  await visitor.heading("Deliveries");
  await tabTo("the recipient", ({ id }) => id === "recipient");
  await keys.type("dora@example.org");
  await keys.press("Enter");
  await visitor.page.waitForURL(/recipient=dora/);
  await tabTo("the action", ({ id }) => id === "action");
  await keys.press("ArrowDown");
  await tabTo("the count", ({ text }) => text === "Count first");
  await keys.press("Enter");
  await visitor.heading("Dry run");
  await tabTo("the deed", ({ text }) => text.startsWith("Hold 2"));
  await keys.press("Enter");
  await visitor.heading("Done");
  check(listed("--state", "held").length === 2, "held without a mouse");
  await visitor.leave();
}

await runCase({
  login, live, dropped_stream: droppedStream, bulk, overtaken, keyboard,
  search: search("desk", true), search_phone: search("phone", true), search_without_script: search("desk", false),
});
