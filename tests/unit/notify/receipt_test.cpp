// SPDX-License-Identifier: Apache-2.0
// The receipt of a destroyed key in every language: what it says, that text, signature and mail agree, and that an
// operator may word it otherwise.
#include "notify/receipt.h"

#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "notify/text_wrap.h"
#include "tests/support/fakes.h"
#include "tests/support/mail_parser.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/notify/mail_signer.h"

namespace sealpost {
namespace {

using test::parse_mail;
using test::TempDir;

const NoticeSender receipt_from{"Sealpost", "postmaster@relay.example.org", "relay.example.org"};
const std::string mailbox = "bob@example.net";
const std::string fingerprint(64, 'a');
const std::string destroyed_at = "2026-01-31T09:30:00.123Z";

const Templates& templates() {
  static const Templates all = Templates::load({}).value();
  return all;
}

Receipt composed(const Wording& wording) {
  const test::ManualClock clock;
  SystemRandom random;
  DestroyedKey destroyed{"Bob@example.net", {}, parse_rfc3339(destroyed_at).value(), "once"};
  destroyed.key.address = mailbox;
  destroyed.key.fingerprint = fingerprint;
  return compose_receipt(wording, receipt_from, destroyed, test::signer().sign(), clock, random).value();
}

bool verifies(const std::string& text, const std::string& signature) {
  const TempDir dir;
  return test::run({"openssl", "cms", "-verify", "-inform", "DER", "-in", dir.write("signature", signature), "-binary",
                    "-content", dir.write("text", text), "-CAfile",
                    dir.write("root.pem", to_pem(test::signer().root()).value()), "-out", dir / "out"})
             .status == 0;
}

/// Whether the words stand in the text, wherever its lines are broken: in Japanese that is not at blanks.
bool says(const std::string& text, const std::string& words) {
  const auto without_blanks = [](const std::string& from) {
    std::istringstream in(from);
    std::string out;
    for (std::string word; in >> word;) out += word;
    return out;
  };
  return without_blanks(text).find(without_blanks(words)) != std::string::npos;
}

TEST(Receipt, InEnglishReads) {
  EXPECT_EQ(composed(templates().in("en")).text,
            "Receipt: a private key was destroyed\r\n\r\n"
            "Relay: relay.example.org\r\n"
            "Address: bob@example.net\r\n"
            "Key (SHA-256 of its certificate):\r\n"
            "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
            "Destroyed: 2026-01-31T09:30:00.123Z\r\n\r\n"
            "The relay's live store holds no copy of this private key any more, and\r\n"
            "nobody can have it made again. Backups that the operator took of the\r\n"
            "store before are not spoken of here.\r\n");
}

constexpr std::array sentences = {"receipt_subject", "receipt_relay",     "receipt_address",
                                  "receipt_key",     "receipt_destroyed", "receipt_scope"};

std::string sentence(const Wording& wording, const char* name) {
  return wording
      .sentence(name, {{"hostname", receipt_from.hostname}, {"address", mailbox}, {"destroyed", destroyed_at}})
      .value();
}

class EveryReceipt : public testing::TestWithParam<const char*> {
 protected:
  const Wording wording = templates().in(GetParam());
  const Receipt receipt = composed(wording);
};

TEST_P(EveryReceipt, StatesTheFactsAndWhatItDoesNotSpeakOf) {
  for (const auto& fact : {receipt_from.hostname, mailbox, fingerprint, destroyed_at}) {
    EXPECT_NE(receipt.text.find(fact), std::string::npos) << fact << " in " << receipt.text;
  }
  for (const char* name : sentences) {
    EXPECT_TRUE(says(receipt.text, sentence(wording, name))) << name << " in " << receipt.text;
  }
  EXPECT_EQ(receipt.text.find("{{"), std::string::npos) << receipt.text;
  EXPECT_EQ(composed(wording).text, receipt.text) << "however often it is composed";
}

TEST_P(EveryReceipt, HasShortLinesThatEndWithCrLf) {
  std::istringstream lines(receipt.text);
  for (std::string line; std::getline(lines, line);) {
    ASSERT_TRUE(line.ends_with('\r')) << line;
    line.pop_back();
    EXPECT_LE(columns_of(line), 72U) << line;
  }
  EXPECT_TRUE(receipt.text.ends_with("\r\n"));
}

TEST_P(EveryReceipt, IsSignedAsItStands) {
  EXPECT_TRUE(verifies(receipt.text, receipt.signature));
  EXPECT_FALSE(verifies(receipt.text + " ", receipt.signature));
}

TEST_P(EveryReceipt, IsTheTextOfItsMail) {
  const auto mail = parse_mail(view(receipt.message));
  EXPECT_EQ(mail.structure, "multipart/signed(text/plain,application/pkcs7-signature)");
  EXPECT_EQ(mail.parts.at(0).body, receipt.text);
  EXPECT_EQ(mail.field("subject"), sentence(wording, "receipt_subject"));
  EXPECT_EQ(mail.field("to"), "Bob@example.net");
  EXPECT_EQ(mail.field("auto-submitted"), "auto-generated");
  EXPECT_TRUE(mail.defects.empty());
}

INSTANTIATE_TEST_SUITE_P(Receipt, EveryReceipt, testing::Values("en", "de", "fr", "es", "ja"),
                         [](const auto& test) { return std::string(test.param); });

class TranslatedReceipt : public EveryReceipt {};

TEST_P(TranslatedReceipt, HoldsNoEnglish) {
  const Wording english = templates().in("en");
  for (const char* name : sentences) {
    EXPECT_FALSE(says(receipt.text, sentence(english, name))) << name << " in " << receipt.text;
  }
}

INSTANTIATE_TEST_SUITE_P(Receipt, TranslatedReceipt, testing::Values("de", "fr", "es", "ja"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Receipt, IsThatOfTheOperatorWhoHasAnOwnLayout) {
  const TempDir folder;
  folder.write("receipt.txt", "{{lang}}: {{address}} {{fingerprint}}\n{{destroyed}} {{hostname}}\n{{_receipt_key}}\n");
  const Templates own = Templates::load(folder.path().string()).value();
  const Receipt receipt = composed(own.in("de"));
  EXPECT_EQ(receipt.text, "de: " + mailbox + "\r\n" + fingerprint + "\r\n" + destroyed_at + " " +
                              receipt_from.hostname + "\r\nSchlüssel (SHA-256 seines Zertifikats):\r\n");
  EXPECT_TRUE(verifies(receipt.text, receipt.signature));
  EXPECT_EQ(parse_mail(view(receipt.message)).parts.at(0).body, receipt.text);
}

TEST(Receipt, IsNoneWithoutASignature) {
  const test::ManualClock clock;
  SystemRandom random;
  const auto receipt = compose_receipt(
      templates().in("en"), receipt_from, {mailbox, {}, clock.now(), "once"},
      [](std::string_view) -> Result<std::string> { return Error::internal("no signature"); }, clock, random);
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().internal_detail, "no signature");
}

}  // namespace
}  // namespace sealpost
