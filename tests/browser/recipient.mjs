// SPDX-License-Identifier: Apache-2.0
// Somebody whom mail is sent to: what lies in their mailbox, the programs that they have, and the relay's operator.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

import { PLACE, URL_OF_RELAY, check } from "./browser.mjs";

const { MAIL, CTL, CONFIG } = process.env;

/// Standard output; an error that holds what the program said when it fails.
export function run(program, args, { input = "", env = {} } = {}) {
  return execFileSync(program, args, { input, env: { ...process.env, ...env }, encoding: "utf8", stdio: "pipe" });
}

/// What `sealpostctl` prints.
export const operator = (...args) => run(CTL, ["--config", CONFIG, ...args]);

/// Polls until `look` returns something.
export async function eventually(look, what) {
  for (const end = Date.now() + 60_000; Date.now() < end; await wait(50)) {
    const found = look();
    if (found) return found;
  }
  throw new Error(`does not come: ${what}`);
}

export class Recipient {
  constructor(address) {
    this.address = address;
  }

  /// With a first message, and the notification that it brings.
  static async of(address) {
    const recipient = new Recipient(address);
    await recipient.sent("first");
    await recipient.notified();
    return recipient;
  }

  async sent(subject) {
    const answer = await fetch(`${URL_OF_RELAY}/v1/messages`, {
      method: "POST",
      headers: {
        "Authorization": `Basic ${Buffer.from("app:correct-horse").toString("base64")}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ from: "alice@example.com", to: [this.address], subject, text: `text of ${subject}` }),
    });
    check(answer.status === 202, `the message is accepted: ${await answer.text()}`);
  }

  mails() {
    try {
      const folder = `${MAIL}/${this.address}/new`;
      return readdirSync(folder).sort().map((name) => `${folder}/${name}`);
    } catch (error) {
      if (error.code === "ENOENT") return [];
      throw error;
    }
  }

  /// The file of a mail with this text in it.
  async mail(text) {
    return eventually(() => this.mails().findLast((file) => readFileSync(file, "latin1").includes(text)), text);
  }

  /// Takes link and code from a notification that was not read before.
  async notified() {
    const pattern = /\nLink: https?:\/\/[^/]+(\/pickup\/[\w-]+)\r?\nAuthentication code: ([0-9A-Z-]{14})\r?\n/;
    const found = await eventually(
      () => this.mails().map((file) => readFileSync(file, "latin1").match(pattern)).find((read) => read && read[2] !== this.code),
      `a notification to ${this.address}`);
    [, this.path, this.code] = found;
  }

  /// All keys as `sealpostctl key history` tells them, the current one first: { state, fingerprint, … }.
  keys() {
    return JSON.parse(operator("key", "history", this.address, "--json"));
  }
}

/// A certificate of a recipient's own, P-256, as openssl makes it.
export class OwnCertificate {
  constructor(address) {
    this.codes = new Set();
    this.folder = mkdtempSync(`${PLACE}/own-`);
    this.file = `${this.folder}/own.pem`;
    // openssl's own configuration makes a CA of whoever signs for themselves.
    writeFileSync(`${this.folder}/own.conf`, `[req]\ndistinguished_name = name\n[name]\n[mail]\nsubjectAltName = email:${address}
basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyAgreement\n`);
    run("openssl", ["req", "-x509", "-config", `${this.folder}/own.conf`, "-extensions", "mail", "-newkey", "ec", "-pkeyopt",
      "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Bob", "-keyout", `${this.folder}/own.key`, "-out", this.file]);
  }

  pem() {
    return readFileSync(this.file, "utf8");
  }

  privateKey() {
    return readFileSync(`${this.folder}/own.key`, "utf8");
  }

  fingerprint() {
    const der = Buffer.from(this.pem().replace(/-----[^-]+-----|\s/g, ""), "base64");
    return createHash("sha256").update(der).digest("hex");
  }

  /// The text of a mail that is sealed to it.
  opens(mail) {
    return run("openssl", ["cms", "-decrypt", "-in", mail, "-inkey", `${this.folder}/own.key`, "-recip", this.file]);
  }

  /// The code of a mail that is sealed to it, and was not asked for before.
  async code(recipient) {
    const code = await eventually(() => {
      for (const name of recipient.mails()) {
        if (!readFileSync(name, "latin1").includes("smime-type=enveloped-data")) continue;
        try {
          const [, found] = this.opens(name).match(/Authentication code: ([0-9A-Z-]{14})/);
          if (!this.codes.has(found)) return found;
        } catch {
          continue; // sealed to another key
        }
      }
      return undefined;
    }, "the second code");
    this.codes.add(code);
    return code;
  }
}

/// A file with these octets, for an upload.
export function fileOf(name, octets) {
  const path = `${mkdtempSync(`${PLACE}/file-`)}/${name}`;
  writeFileSync(path, octets);
  return path;
}
