// SPDX-License-Identifier: Apache-2.0
// Short words for the tests of KeyChoices: bob has a key and a session, makes certificates of his own, and returns
// their codes.
#pragma once

#include <algorithm>
#include <string>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "tests/support/process.h"
#include "tests/unit/notify/pickup_fixture.h"

namespace sealpost::test {

inline const std::string bob = "bob@example.net";

class KeyChoicesTest : public PickupTest {
 protected:
  void SetUp() override {
    PickupTest::SetUp();
    notice = notified(bob);
    session = session_of(notice);
    fingerprint = current().fingerprint;
  }

  KeyRecord current() { return keys->directory.find(address(bob)).value().value(); }
  bool opens(const std::string& which) {
    return keys->directory.export_pkcs12(bob, which, Pkcs12Format::Modern, {}).ok();
  }

  /// A certificate of bob's own, made by openssl, and its key, as files.
  std::string own_certificate(const std::string& name = "own", const std::string& mailbox = bob) {
    const auto made = run({"openssl",  "req",
                           "-x509",    "-newkey",
                           "rsa:2048", "-nodes",
                           "-keyout",  dir / (name + ".key"),
                           "-out",     dir / (name + ".pem"),
                           "-days",    "365",
                           "-subj",    "/CN=Bob",
                           "-addext",  "subjectAltName=email:" + mailbox,
                           "-addext",  "keyUsage=digitalSignature,keyEncipherment",
                           "-addext",  "basicConstraints=critical,CA:FALSE"});
    EXPECT_EQ(made.status, 0) << made.err;
    // openssl goes by the machine's clock: what it makes is valid from now on.
    const auto behind = std::chrono::duration_cast<Duration>(SystemClock().now() - clock.now());
    clock.advance(std::max(behind, Duration(0)));
    return read_file(dir / (name + ".pem"));
  }
  /// The code in the mail that is sealed to it, as openssl reads it with its key.
  std::string code_in(const SentNotice& mail, const std::string& name = "own") {
    dir.write("mail.eml", mail.raw);
    const auto opened = run({"openssl", "cms", "-decrypt", "-in", dir / "mail.eml", "-recip", dir / (name + ".pem"),
                             "-inkey", dir / (name + ".key")});
    EXPECT_EQ(opened.status, 0) << opened.err;
    return after(opened.out, "Authentication code: ");
  }
  /// Uploads, and what was sent then: the news, and the code.
  std::string uploaded(const std::string& pem, const std::string& name = "own") {
    auto pending = choices->upload(notice.token, session, pem);
    EXPECT_TRUE(pending) << (pending ? "" : pending.error().error.public_text);
    const auto mails = sent();
    EXPECT_EQ(mails.size(), 2U);
    for (const auto& mail : mails) {
      if (mail.raw.find("enveloped-data") != std::string::npos) return code_in(mail, name);
    }
    return {};
  }
  /// As a recipient does who waits as long as they are told to.
  Result<KeyRecord, PickupError> confirm(const std::string& code) {
    auto current = choices->confirm(notice.token, code, network);
    while (!current && current.error().fault == PickupFault::TooFast) {
      clock.advance(current.error().error.retry_after.value());
      current = choices->confirm(notice.token, code, network);
    }
    return current;
  }
  template <class T>
  PickupFault fault(const Result<T, PickupError>& result) {
    EXPECT_FALSE(result);
    return result ? PickupFault::Failed : result.error().fault;
  }
  std::string subject_of(const SentNotice& mail) { return after(mail.raw, "\nSubject: "); }

  static inline const std::string network = "192.0.2.7";
  SentNotice notice;
  std::string session;
  std::string fingerprint;
};

}  // namespace sealpost::test
