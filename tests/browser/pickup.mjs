// SPDX-License-Identifier: Apache-2.0
// A recipient's whole walk in Chromium: code, key file, import, keep, replace, forget: pickup.mjs CASE. Started by
// browser_test.cpp.
import { readFileSync } from "node:fs";

import { Visitor, check, runCase } from "./browser.mjs";
import { opensInGpgsm, opensInJava, opensInNss, opensInOpenssl } from "./programs.mjs";
import { OwnCertificate, Recipient } from "./recipient.mjs";

const FILE = "mail-key.p12";
const WRONG = "ZZZZ-ZZZZ-ZZZZ";

async function enterCode(visitor, recipient) {
  await visitor.open(recipient.path);
  await visitor.heading("Open your encrypted mail");
  check(!(await visitor.main()).includes("@"), "nothing of the address is shown before the code");
  await visitor.look("1-code");
  await visitor.page.getByLabel("Authentication code").fill(WRONG);
  await visitor.press("Continue");
  await visitor.page.getByRole("alert").waitFor();
  check((await visitor.page.getByRole("alert").innerText()).includes("Attempts left: 4"), "the attempts are told");
  await visitor.look("2-wrong-code");
  await visitor.page.getByLabel("Authentication code").fill(recipient.code.toLowerCase());
  // Right or wrong, after a wrong code the next one may have to wait.
  while (await visitor.answerTo("Continue") === "Please wait a moment") {
    await visitor.follow("Try again");
    await visitor.page.getByLabel("Authentication code").fill(recipient.code);
  }
  await visitor.heading("Your key is ready");
  await visitor.look("3-key");
}

/// The key file of one format; { file, password }.
async function takeKey(visitor, format = /Thunderbird/) {
  await visitor.page.getByLabel(format).check();
  await visitor.press("Make my key file");
  await visitor.heading("Your key file");
  const password = await visitor.page.locator(".password code").innerText();
  const file = await visitor.download(() => visitor.follow(`Download ${FILE}`), `${visitor.screen}-${visitor.script}-${FILE}`);
  return { file, password };
}

async function keep(visitor, recipient) {
  await visitor.follow("Back to your key");
  await visitor.follow("Keep, replace or forget the key");
  await visitor.heading("Your keys");
  check((await visitor.main()).includes("For the time being, until "), "the state is told in words");
  await visitor.look("5-keys");
  await visitor.follow("Keep it");
  await visitor.heading("Keep the key?");
  await visitor.look("6-keep");
  check(recipient.keys()[0].state === "interim", "a look changes nothing");
  await visitor.press("Keep the key");
  await visitor.heading("Your key is kept");
  await visitor.look("7-kept");
  check(recipient.keys()[0].state === "permanent", "the key is kept");
}

async function toReplace(visitor) {
  await visitor.follow("Back to your key");
  await visitor.follow("Keep, replace or forget the key");
  await visitor.follow("Replace it");
  await visitor.heading("Use a certificate of your own");
}

async function replace(visitor, recipient) {
  const own = new OwnCertificate(recipient.address);
  const first = recipient.keys()[0].fingerprint;
  await toReplace(visitor);
  await visitor.look("8-replace");
  await visitor.page.getByLabel("Or the certificate as text").fill(own.privateKey() + own.pem());
  await visitor.press("Check the certificate");
  check((await visitor.page.getByRole("alert").innerText()).includes("It holds a private key."), "it says what is wrong");
  check(!(await visitor.page.content()).includes("PRIVATE KEY"), "the private key is not shown again");
  await visitor.look("9-refused");
  await visitor.page.getByLabel("File with your certificate").setInputFiles(own.file);
  await visitor.press("Check the certificate");
  await visitor.heading("Enter the second code");
  check((await visitor.main()).includes(own.fingerprint()), "the certificate's fingerprint is shown");
  await visitor.look("10-second-code");
  await visitor.page.getByLabel("Code from the encrypted mail").fill(WRONG);
  await visitor.press("Use this certificate");
  await visitor.page.getByRole("alert").waitFor();
  await visitor.look("11-wrong-second-code");
  check(recipient.keys()[0].fingerprint === first, "nothing is changed without the code");
  const code = await own.code(recipient);
  // Who has just entered a wrong one is told to wait a moment: where the browser is quick, it comes too early.
  do {
    await visitor.page.getByLabel("Code from the encrypted mail").fill(code);
  } while (await visitor.answerTo("Use this certificate") === "Enter the second code");
  await visitor.heading("Your certificate is in use");
  await visitor.look("12-replaced");
  check(recipient.keys()[0].fingerprint === own.fingerprint(), "the own certificate is in use");
  await recipient.sent("for my own");
  check(own.opens(await recipient.mail("\nSubject: for my own")).includes("text of for my own"), "mail is sealed to it");
  await visitor.follow("Back to your key");
  await visitor.follow("Keep, replace or forget the key");
  await visitor.look("13-keys-with-earlier");
}

async function forget(visitor, recipient) {
  await visitor.follow("Forget it");
  await visitor.heading("Have the key forgotten?");
  await visitor.look("14-forget");
  await visitor.press("Forget the key");
  check(await visitor.page.locator("input:invalid").count() === 1, "without the tick the browser sends nothing");
  await visitor.page.getByLabel("I understand that this cannot be undone.").check();
  await visitor.press("Forget the key");
  await visitor.heading("Your key is forgotten");
  await visitor.look("15-forgotten");
  const receipt = await visitor.download(() => visitor.follow("Download the receipt"), `receipt-${visitor.screen}.eml`);
  check(readFileSync(receipt, "utf8").includes(recipient.keys()[1].fingerprint), "the receipt names the key");
  await visitor.follow("Back to your key");
  check((await visitor.main()).includes("The server holds no private key for you."), "there is nothing to take");
  await visitor.look("16-nothing-to-take");
}

const walk = (screen, script) => async (browser) => {
  const recipient = await Recipient.of(`bob-${screen}@example.net`);
  const visitor = await Visitor.at(browser, { screen, script });
  if (!script) {
    await visitor.open("data:text/html,<title>off</title><script>document.title = 'on'</script>");
    check(await visitor.page.title() === "off", "script is off");
    visitor.asked.length = 0;
  }
  await enterCode(visitor, recipient);
  const taken = await takeKey(visitor);
  opensInOpenssl(taken);
  await visitor.look("4-file");
  await keep(visitor, recipient);
  await replace(visitor, recipient);
  await forget(visitor, recipient);
  check(visitor.said.length === 0, `the console is silent: ${visitor.said}`);
  await visitor.leave();
};

const programs = (...those) => async (browser) => {
  const recipient = await Recipient.of("carol@example.net");
  const visitor = await Visitor.at(browser);
  await visitor.open(recipient.path);
  await visitor.page.getByLabel("Authentication code").fill(recipient.code);
  await visitor.press("Continue");
  for (const [name, format] of [["modern", /Thunderbird/], ["compatible", /iPhone/]]) {
    const taken = await takeKey(visitor, format);
    for (const opens of those) opens(taken, name);
    await visitor.follow("Back to your key");
  }
  await visitor.leave();
};

async function keyboardOnly(browser) {
  const recipient = await Recipient.of("dora@example.net");
  const visitor = await Visitor.at(browser);
  const { keyboard } = visitor.page;
  const focused = () => visitor.page.evaluate(() => {
    const { id, name, value, tagName, textContent } = document.activeElement;
    return { id, name, value, tag: tagName, text: textContent, outline: getComputedStyle(document.activeElement).outlineStyle };
  });
  const tabTo = async (what, holds) => {
    await keyboard.press("Tab");
    const found = await focused();
    check(holds(found), `Tab leads to ${what}: ${JSON.stringify(found)}`);
    check(found.outline !== "none", `the focus on ${what} can be seen`);
  };
  await visitor.open(recipient.path);
  await tabTo("the code", ({ id }) => id === "code");
  await keyboard.type(recipient.code);
  await keyboard.press("Enter");
  await visitor.heading("Your key is ready");
  await tabTo("the choice of programs", ({ name }) => name === "format");
  await keyboard.press("ArrowDown");
  check((await focused()).value === "compatible", "arrows choose");
  await tabTo("the button", ({ tag }) => tag === "BUTTON");
  await keyboard.press("Enter");
  await visitor.heading("Your key file");
  const password = await visitor.page.locator(".password code").innerText();
  await tabTo("the download", ({ text }) => text === `Download ${FILE}`);
  const file = await visitor.download(() => keyboard.press("Enter"), FILE);
  opensInOpenssl({ file, password });
  await tabTo("the programs that are folded", ({ tag }) => tag === "SUMMARY");
  await keyboard.press("Enter");
  check(await visitor.page.locator("details[open] li").first().isVisible(), "Enter unfolds how to import it there");
  await visitor.leave();
}

/// How to import the key stands first for the program that belongs to the visitor's platform.
async function platforms(browser) {
  const recipient = await Recipient.of("erin@example.net");
  const agents = {
    "Mail on iPhone and iPad": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mail on Mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "FairEmail on Android": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
    "Outlook for Windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
  };
  for (const [program, agent] of Object.entries(agents)) {
    const context = await browser.newContext({ userAgent: agent });
    const visitor = new Visitor(context, await context.newPage(), "desk", true);
    // Chromium tells its true platform in a field of its own, unlike the browsers that are meant here.
    await context.route("**", (route) => {
      const headers = { ...route.request().headers() };
      delete headers["sec-ch-ua-platform"];
      return route.continue({ headers });
    });
    await visitor.open(recipient.path);
    await visitor.page.getByLabel("Authentication code").fill(recipient.code);
    await visitor.press("Continue");
    await visitor.press("Make my key file");
    await visitor.heading("Your key file");
    const first = await visitor.page.locator(".guide h3").first().innerText();
    check(first === program, `the guide begins with ${program}, not with ${first}`);
    await visitor.leave();
  }
}

async function languages(browser) {
  const recipient = await Recipient.of("frank@example.net");
  for (const language of ["de-CH", "fr-CA", "es-MX", "ja-JP"]) {
    const visitor = await Visitor.at(browser, { screen: "phone", language });
    await visitor.open(recipient.path);
    check(await visitor.page.locator("html").getAttribute("lang") === language.slice(0, 2), `${language} is spoken`);
    await visitor.look(`17-code-${language}`);
    await visitor.page.locator("#code").fill(recipient.code);
    await visitor.page.locator("form button").first().click();
    await visitor.page.locator("[name=format]").first().waitFor();
    await visitor.look(`18-key-${language}`);
    await visitor.page.locator("form button").first().click();
    await visitor.page.locator(".password").waitFor();
    await visitor.look(`19-file-${language}`);
    for (const [number, page] of ["keys", "keep", "certificate", "forget"].entries()) {
      await visitor.open(`${recipient.path}/${page}`);
      await visitor.look(`${20 + number}-${page}-${language}`);
    }
    await visitor.leave();
  }
}

await runCase({
  desk: walk("desk", true),
  desk_without_script: walk("desk", false),
  phone: walk("phone", true),
  phone_without_script: walk("phone", false),
  rsa_in_programs: programs(opensInOpenssl, opensInNss, opensInJava, opensInGpgsm),
  p256_in_programs: programs(opensInOpenssl, opensInNss, opensInJava), // gpgsm 2.2 crashes on it
  keyboard_only: keyboardOnly,
  platforms,
  languages,
});
