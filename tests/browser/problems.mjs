// SPDX-License-Identifier: Apache-2.0
// Whatever may go wrong on the pickup pages, met in Chromium: each page says what happened and leads on, and nothing was
// changed: problems.mjs CASE. Started by browser_test.cpp.
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";

import { PLACE, URL_OF_RELAY, Visitor, check, runCase } from "./browser.mjs";
import { OwnCertificate, Recipient, fileOf, operator, run } from "./recipient.mjs";

const WRONG = "ZZZZ-ZZZZ-ZZZZ";

/// The page as it stands on a desk and on a phone; leaves it at the desk's.
async function lookInBoth(visitor, name) {
  await visitor.look(name);
  await visitor.page.setViewportSize({ width: 360, height: 700 });
  visitor.screen = "phone";
  await visitor.look(name);
  visitor.screen = "desk";
  await visitor.page.setViewportSize({ width: 1280, height: 800 });
}

async function enter(visitor, recipient, code = recipient.code) {
  await visitor.open(recipient.path);
  await visitor.page.getByLabel("Authentication code").fill(code);
  return visitor.answerTo("Continue");
}

async function opened(browser, address) {
  const recipient = await Recipient.of(address);
  const visitor = await Visitor.at(browser);
  await enter(visitor, recipient);
  await visitor.heading("Your key is ready");
  return { recipient, visitor };
}

/// Another window of the same browser.
async function secondWindow(visitor) {
  return new Visitor(visitor.context, await visitor.context.newPage(), "desk", true);
}

async function says(visitor, heading, text) {
  await visitor.heading(heading);
  check((await visitor.main()).includes(text), `"${heading}" says: ${text}`);
}

async function unknownLink(browser) {
  const visitor = await Visitor.at(browser);
  for (const path of [`/pickup/${"A".repeat(32)}`, "/pickup/not-a-link"]) {
    const answer = await visitor.open(path);
    check(answer.status() === 404, `${path} is not known`);
    await says(visitor, "This link is not known", "copied the whole link");
  }
  await lookInBoth(visitor, "30-unknown-link");
  await visitor.page.getByLabel("Your e-mail address").fill("nobody@example.net");
  await visitor.press("Ask for a new code");
  await says(visitor, "Look into your mailbox", "If there is a key for this address");
  await lookInBoth(visitor, "31-code-asked");
  await visitor.open("/pickup/resend");
  await visitor.heading("A new code");
  await lookInBoth(visitor, "32-ask-for-a-code");
  await visitor.leave();
}

/// Wrong codes until the link is locked, and how its owner gets in all the same.
async function locked(browser) {
  const recipient = await Recipient.of("bob@example.net");
  const visitor = await Visitor.at(browser);
  let waited = false;
  for (let left = 4; left >= 0;) {
    if (await enter(visitor, recipient, WRONG) === "Please wait a moment") {
      if (!waited) await lookInBoth(visitor, "33-wait");
      waited = true;
      await visitor.follow("Try again");
      continue;
    }
    if (left > 0) {
      const alert = await visitor.page.getByRole("alert").innerText();
      check(alert.includes(`Attempts left: ${left}`), `after a wrong code ${left} are left: ${alert}`);
      const field = visitor.page.getByLabel("Authentication code");
      check(await field.getAttribute("aria-invalid") === "true", "the field is marked as wrong");
      await visitor.page.waitForFunction(() => document.activeElement?.id === "code"); // ready for the next try
    }
    left -= 1;
  }
  check(waited, "wrong codes have to wait");
  await says(visitor, "This link is locked", "Ask for a new code");
  await lookInBoth(visitor, "34-locked");
  await visitor.page.getByLabel("Your e-mail address").fill(recipient.address);
  await visitor.press("Ask for a new code");
  await visitor.heading("Look into your mailbox");
  await recipient.notified();
  while (await enter(visitor, recipient) === "Please wait a moment");
  await visitor.heading("Your key is ready");
  await visitor.leave();
}

/// Of a relay whose codes live for a second.
async function expired(browser) {
  const recipient = await Recipient.of("bob@example.net");
  const visitor = await Visitor.at(browser);
  for (let status = 200; status !== 410;) status = (await visitor.open(recipient.path)).status();
  await says(visitor, "This code has expired", "Your key is still there");
  await lookInBoth(visitor, "35-expired");
  await visitor.leave();
}

async function endedVisit(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  const other = await Recipient.of("carol@example.net");
  // A visit is bound to its link: its cookie, planted at another's, opens nothing.
  const [cookie] = await visitor.context.cookies(URL_OF_RELAY + recipient.path);
  check(cookie.httpOnly && cookie.sameSite === "Strict", "the cookie is for the server alone");
  await visitor.context.addCookies([{ ...cookie, path: other.path }]);
  for (const page of ["", "/keys", "/keep", "/certificate", "/forget"]) {
    await visitor.open(other.path + page);
    await visitor.heading("Open your encrypted mail");
    check(!(await visitor.main()).includes("carol"), `${page}: the visit of one link is none of another`);
  }
  // While a form is open the visit ends.
  await visitor.open(`${recipient.path}/forget`);
  await visitor.page.getByLabel("I understand that this cannot be undone.").check();
  await visitor.context.clearCookies();
  await visitor.press("Forget the key");
  await says(visitor, "Open your encrypted mail", "Your visit has ended.");
  await lookInBoth(visitor, "36-visit-ended");
  check(recipient.keys()[0].state === "interim", "nothing is forgotten");
  await visitor.leave();
}

/// Forms that are not from this visit: sent by another site, or with another visit's field.
async function foreignForms(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  for (const [page, button] of [["keep", "Keep the key"], ["certificate", "Check the certificate"], ["forget", "Forget the key"]]) {
    await visitor.open(`${recipient.path}/${page}`);
    await visitor.page.locator("[name=csrf]").evaluate((field) => { field.value = "0".repeat(64); });
    if (page === "forget") await visitor.page.getByLabel("I understand that this cannot be undone.").check();
    await visitor.press(button);
    await visitor.page.getByRole("alert").waitFor();
    check((await visitor.page.getByRole("alert").innerText()).includes("Please send the form once more."), `${page} is asked for again`);
    await lookInBoth(visitor, `37-send-again-${page}`);
  }
  await visitor.open(recipient.path);
  await visitor.page.locator("[name=csrf]").evaluate((field) => { field.value = "0".repeat(64); });
  await visitor.press("Make my key file");
  await visitor.page.getByRole("alert").waitFor();
  await lookInBoth(visitor, "37-send-again-key");

  const form = (action, fields) => `<form method="post" action="${URL_OF_RELAY}${recipient.path}/${action}">${
    Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`).join("")}<button>Win</button></form>`;
  const site = createServer((request, answer) => {
    if (!request.url.startsWith("/%5B")) return answer.writeHead(404).end();
    answer.setHeader("Content-Type", "text/html");
    return answer.end(form(...JSON.parse(decodeURIComponent(request.url.slice(1)))));
  });
  await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
  try {
    const evil = (...what) => `http://localhost:${site.address().port}/${encodeURIComponent(JSON.stringify(what))}`;
    const victim = await secondWindow(visitor);
    await victim.open(evil("session", { code: recipient.code }));
    await victim.press("Win");
    await says(victim, "This did not work", "The form came from another site. Nothing was changed.");
    await lookInBoth(victim, "38-foreign-form");
    for (const [action, fields] of [["keep", {}], ["forget", { confirm: "yes" }], ["pkcs12", { format: "modern" }]]) {
      await victim.open(evil(action, fields));
      await victim.press("Win");
      await victim.heading("Open your encrypted mail"); // no cookie comes along: to the relay there is no visit
    }
  } finally {
    site.close();
  }
  check(recipient.keys()[0].state === "interim", "nothing is changed");
  await visitor.context.close();
}

/// Certificates that cannot be used: each is told what is wrong with it.
async function refusedCertificates(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  const own = new OwnCertificate(recipient.address);
  const p12 = `${own.folder}/own.p12`;
  run("openssl", ["pkcs12", "-export", "-inkey", `${own.folder}/own.key`, "-in", own.file, "-passout", "pass:", "-out", p12]);
  const refusals = [
    ["text", "hello, this is no certificate", "There is no certificate in it."],
    ["private-key", own.privateKey(), "It holds a private key."],
    ["key-file", readFileSync(p12), "It holds a private key."],
    ["wrong-address", new OwnCertificate("mallory@example.net").pem(), "It is made out to mallory@example.net, not to your address."],
    ["damaged", own.pem().replace(/\n(.{20})/, "\nAAAAAAAAAAAAAAAAAAAA"), "It is damaged"],
    ["thousand", own.pem().repeat(1000), "It is larger than"],
    ["nothing", "", "There is no certificate in it."],
  ];
  for (const [name, octets, sentence] of refusals) {
    await visitor.open(`${recipient.path}/certificate`);
    await visitor.page.getByLabel("File with your certificate").setInputFiles(fileOf(`${name}.pem`, octets));
    await visitor.press("Check the certificate");
    await visitor.heading("Use a certificate of your own");
    const alert = await visitor.page.getByRole("alert").innerText();
    check(alert.includes(sentence) && alert.includes("Nothing was changed."), `${name}: ${alert}`);
    const file = visitor.page.getByLabel("File with your certificate");
    check(await file.getAttribute("aria-invalid") === "true", `${name}: the field is marked`);
    await lookInBoth(visitor, `39-refused-${name}`);
  }
  await visitor.open(`${recipient.path}/certificate`);
  await visitor.page.getByLabel("File with your certificate").setInputFiles(fileOf("large.pem", Buffer.alloc(10 << 20, "A")));
  await visitor.press("Check the certificate");
  await visitor.page.getByRole("alert").waitFor();
  check((await visitor.page.getByRole("alert").innerText()).includes("It is larger than"), "ten million octets are told to be too large");
  await lookInBoth(visitor, "39-refused-large");
  check(recipient.keys()[0].state === "interim", "nothing is changed");
  await visitor.leave();
}

/// Something else happened while a page was open.
async function overtaken(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  const own = new OwnCertificate(recipient.address);

  // A certificate waits, and is confirmed in another window: its second code counts once.
  await visitor.open(`${recipient.path}/keep`);
  const second = await secondWindow(visitor);
  const third = await secondWindow(visitor);
  await second.open(`${recipient.path}/certificate`);
  await second.page.getByLabel("Or the certificate as text").fill(own.pem());
  await second.press("Check the certificate");
  await second.heading("Enter the second code");
  await third.open(`${recipient.path}/certificate/confirm`);
  await third.heading("Enter the second code");
  const code = await own.code(recipient);
  await second.page.getByLabel("Code from the encrypted mail").fill(code);
  await second.press("Use this certificate");
  await second.heading("Your certificate is in use");
  await third.page.getByLabel("Code from the encrypted mail").fill(code);
  await third.press("Use this certificate");
  await says(third, "This did not work", "No certificate waits for a code.");
  await lookInBoth(third, "40-nothing-waits");

  await visitor.press("Keep the key");
  await says(visitor, "This did not work", "Another key has taken the place of this one.");
  await lookInBoth(visitor, "41-not-current");

  // Forgotten in one window, wanted in the other.
  await visitor.open(recipient.path);
  await second.open(`${recipient.path}/forget`);
  await second.page.getByLabel("I understand that this cannot be undone.").check();
  // What the browser itself would not send: the form without its tick.
  await third.open(`${recipient.path}/forget`);
  await third.page.locator("[name=confirm]").evaluate((box) => { box.required = false; });
  await third.press("Forget the key");
  await third.page.getByRole("alert").waitFor();
  check((await third.page.getByRole("alert").innerText()).includes("Please tick the box"), "the tick is asked for");
  await lookInBoth(third, "42-forget-without-tick");
  await second.press("Forget the key");
  await second.heading("Your key is forgotten");
  await visitor.press("Make my key file");
  await says(visitor, "This key is not here any more", "The server has destroyed its copy");
  await lookInBoth(visitor, "43-gone");
  await visitor.open(`${recipient.path}/file`);
  await says(visitor, "The file is not here any more", "A key file waits for ten minutes.");
  await lookInBoth(visitor, "44-file-gone");
  await visitor.leave();
}

async function revoked(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  await visitor.open(`${recipient.path}/keep`);
  operator("key", "revoke", recipient.address, "--reason", "superseded");
  await visitor.press("Keep the key");
  await says(visitor, "This did not work", "The operator of the relay has revoked this key.");
  await lookInBoth(visitor, "45-revoked");
  await visitor.leave();
}

async function tooManyCertificates(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  const own = new OwnCertificate(recipient.address);
  for (let upload = 0; upload < 6; ++upload) {
    await visitor.open(`${recipient.path}/certificate`);
    await visitor.page.getByLabel("Or the certificate as text").fill(own.pem());
    await visitor.press("Check the certificate");
    if (upload < 5) await visitor.heading("Enter the second code");
  }
  await says(visitor, "This did not work", "Too many certificates were sent for your address today.");
  await lookInBoth(visitor, "46-too-many-certificates");
  await visitor.leave();
}

/// The second code, entered where no visit is open: on another device, or after a click in a webmail page, which keeps
/// the cookie back. Wrong ones until the certificate is dropped, then the right one of another.
async function secondCodeElsewhere(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  const own = new OwnCertificate(recipient.address);
  const upload = async () => {
    await visitor.open(`${recipient.path}/certificate`);
    await visitor.page.getByLabel("Or the certificate as text").fill(own.pem());
    await visitor.press("Check the certificate");
    await visitor.heading("Enter the second code");
  };
  const elsewhere = await Visitor.at(browser);
  const enterSecond = async (code) => {
    await elsewhere.open(`${recipient.path}/certificate/confirm`);
    await elsewhere.page.getByLabel("Code from the encrypted mail").fill(code);
    return elsewhere.answerTo("Use this certificate");
  };
  await upload();
  await own.code(recipient); // which goes with the certificate
  await elsewhere.open(`${recipient.path}/certificate/confirm`);
  await elsewhere.heading("Enter the second code");
  check(!(await elsewhere.main()).includes("@"), "without a visit nothing of the address is shown");
  await lookInBoth(elsewhere, "48-second-code-elsewhere");
  while (await enterSecond(WRONG) !== "This did not work");
  await says(elsewhere, "This did not work", "The second code was entered wrongly five times");
  await lookInBoth(elsewhere, "49-second-codes-gone");
  await upload();
  const code = await own.code(recipient);
  while (await enterSecond(code) === "Enter the second code"); // wrong ones make the right one wait
  await elsewhere.heading("Your certificate is in use");
  check(recipient.keys()[0].fingerprint === own.fingerprint(), "the certificate is in use");
  await elsewhere.leave();
  await visitor.leave();
}

/// The store does not answer for a while.
async function busy(browser) {
  const { recipient, visitor } = await opened(browser, "bob@example.net");
  const redis = Number(process.env.REDIS);
  process.kill(redis, "SIGSTOP");
  try {
    await visitor.page.goto(URL_OF_RELAY + recipient.path, { timeout: 60_000 });
    await says(visitor, "This did not work", "The server is busy for a moment.");
    await lookInBoth(visitor, "47-busy");
  } finally {
    process.kill(redis, "SIGCONT");
  }
  await visitor.follow("Try again");
  await visitor.heading("Your key is ready");
  await visitor.leave();
}

/// Pages that the relay's code drew into files, one per message and language (browser_test.cpp): whatever takes a day to
/// come about is looked at here.
async function everyMessage(browser) {
  const visitor = await Visitor.at(browser, { screen: "phone" });
  const style = await (await fetch(`${URL_OF_RELAY}/pickup/style.css`)).text();
  const files = readdirSync(`${PLACE}/pages`).sort();
  check(files.length > 50, "the pages were drawn");
  await visitor.context.route("**/drawn/*", (route) => route.fulfill({
    contentType: "text/html; charset=utf-8",
    body: readFileSync(`${PLACE}/pages/${new URL(route.request().url()).pathname.split("/").at(-1)}`),
  }));
  await visitor.context.route("**/style.css", (route) => route.fulfill({ contentType: "text/css", body: style }));
  for (const file of files) {
    await visitor.open(`/drawn/${file}`);
    if (file.endsWith("-en.html")) await lookInBoth(visitor, `50-message-${file.replace(".html", "")}`);
    else await visitor.fits(file); // it is the same page in other words
  }
  await visitor.leave();
}

await runCase({
  unknown_link: unknownLink,
  locked,
  expired,
  ended_visit: endedVisit,
  foreign_forms: foreignForms,
  refused_certificates: refusedCertificates,
  overtaken,
  revoked,
  too_many_certificates: tooManyCertificates,
  second_code_elsewhere: secondCodeElsewhere,
  busy,
  every_message: everyMessage,
});
