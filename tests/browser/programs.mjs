// SPDX-License-Identifier: Apache-2.0
// The programs that read a key file (PKCS#12), each in a home of its own: OpenSSL, NSS, Java, GnuPG.
import { mkdtempSync, writeFileSync } from "node:fs";

import { PLACE, check } from "./browser.mjs";
import { run } from "./recipient.mjs";

const home = (name) => mkdtempSync(`${PLACE}/${name}-`);

export function opensInOpenssl({ file, password }) {
  const opened = run("openssl", ["pkcs12", "-in", file, "-passin", "stdin", "-nodes"], { input: `${password}\n` });
  check(opened.includes("PRIVATE KEY") && opened.includes("BEGIN CERTIFICATE"), "openssl opens the file");
}

export function opensInNss({ file, password }) {
  const database = `sql:${home("nss")}`;
  run("certutil", ["-N", "--empty-password", "-d", database]);
  run("pk12util", ["-i", file, "-d", database, "-W", password]);
  const keys = run("certutil", ["-K", "-d", database]);
  check((keys.match(/^<\s*\d+>/gm) ?? []).length === 1, `NSS has the private key: ${keys}`);
}

export function opensInJava({ file, password }) {
  const listed = run("keytool", ["-list", "-v", "-storetype", "PKCS12", "-keystore", file], { input: `${password}\n` });
  check(listed.includes("Entry type: PrivateKeyEntry"), `keytool lists the private key: ${listed}`);
  // To copy the entry into another store it has to decrypt the key.
  const copy = `${home("java")}/copy.p12`;
  run("keytool", ["-importkeystore", "-srcstoretype", "PKCS12", "-srckeystore", file, "-srcstorepass:env", "PASSWORD",
    "-deststoretype", "PKCS12", "-destkeystore", copy, "-deststorepass:env", "PASSWORD"], { env: { PASSWORD: password } });
}

/// gpgsm 2.2 reads the compatible format only.
export function opensInGpgsm({ file, password }, format) {
  if (format !== "compatible") return;
  const folder = home("gnupg");
  writeFileSync(`${folder}/gpg-agent.conf`, "allow-loopback-pinentry\n");
  writeFileSync(`${folder}/gpgsm.conf`, "disable-crl-checks\ndisable-dirmngr\n");
  const env = { GNUPGHOME: folder };
  try {
    run("gpgsm", ["--batch", "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import", file], { input: `${password}\n`, env });
    const keys = run("gpgsm", ["--batch", "--list-secret-keys", "--with-colons"], { env });
    check(/^crs:/m.test(keys), `gpgsm has the private key: ${keys}`);
  } finally {
    run("gpgconf", ["--kill", "all"], { env });
  }
}
