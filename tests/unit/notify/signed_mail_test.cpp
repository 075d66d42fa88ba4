// SPDX-License-Identifier: Apache-2.0
// The relay's signed mails, as openssl, gpgsm and NSS see them: whole, altered, and of text that servers would rewrite.
#include <gmock/gmock.h>

#include <array>
#include <ostream>
#include <sstream>

#include "base/encoding.h"
#include "tests/support/fakes.h"
#include "tests/support/gnupg_home.h"
#include "tests/support/mail_parser.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/notify/mail_signer.h"

namespace sealpost {
namespace {

using test::MailSigner;
using test::run;
using test::TempDir;
using ::testing::HasSubstr;

const NoticeSender signer{"Sealpost", "relay@example.org", "relay.example.org"};
const MailHeader signed_header{"bob@example.net", "Your key", "auto-generated", {}};

Result<WipedBuffer> compose_with(const MimePart& content, const SignDetached& sign) {
  const test::ManualClock clock;
  SystemRandom random;
  return compose_signed(signer, signed_header, content, sign, clock, random);
}

MimePart signed_text(std::string_view body) { return {"text/plain; charset=utf-8", body, {}, {}}; }

std::string signed_mail(const MimePart& content, const MailSigner& by = test::signer()) {
  return std::string(view(compose_with(content, by.sign()).value()));
}

/// What was signed, and the signature, cut out by the boundary as any reader does.
struct Cut {
  std::string entity;
  std::string signature;  ///< DER
};
Cut cut(const std::string& mail) {
  const auto mark = mail.find("boundary=\"") + 10;
  const std::string line = "\r\n--" + mail.substr(mark, mail.find('"', mark) - mark);
  const auto begin = mail.find(line) + line.size() + 2;
  const auto end = mail.find(line, begin);
  return {mail.substr(begin, end - begin), test::parse_mail(mail).parts.back().body};
}

std::string pem_of(const MailSigner& by) { return to_pem(by.root()).value(); }

bool openssl_verifies(const std::string& mail, const MailSigner& by) {
  const TempDir dir;
  const auto done = run({"openssl", "cms", "-verify", "-in", dir.write("mail", mail), "-CAfile",
                         dir.write("root.pem", pem_of(by)), "-purpose", "smimesign"});
  // What it prints is the text that was signed, canonical.
  return done.status == 0 && done.out == cut(mail).entity;
}

std::string sha1_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha1(), digest.data(), &size);
  return ascii_upper(to_hex({reinterpret_cast<const char*>(digest.data()), size}));
}

bool gpgsm_verifies(const std::string& mail, const MailSigner& by) {
  const test::GnupgHome home;
  home.trust(sha1_of(by.root()));
  const auto imported = home.gpgsm({"--import"}, pem_of(by));
  EXPECT_EQ(imported.status, 0) << imported.err;
  const auto [entity, signature] = cut(mail);
  const auto done = home.gpgsm({"--verify", home.write("signature", signature), home.write("entity", entity)});
  EXPECT_THAT(done.err, HasSubstr(done.status == 0 ? "Good signature" : "")) << done.err;
  return done.status == 0;
}

bool nss_verifies(const std::string& mail, const MailSigner& by) {
  const TempDir dir;
  const std::string database = "sql:" + dir.path().string();
  EXPECT_EQ(run({"certutil", "-N", "-d", database, "--empty-password"}).status, 0);
  EXPECT_EQ(run({"certutil", "-A", "-d", database, "-n", "root", "-t", ",C,", "-i", dir.write("root.pem", pem_of(by))})
                .status,
            0);
  const auto [entity, signature] = cut(mail);
  const auto done = run({"cmsutil", "-D", "-d", database, "-u", "4", "-n", "-c", dir.write("entity", entity), "-i",
                         dir.write("signature", signature), "-h", "0"});
  const auto status = done.out + done.err;
  return done.status == 0 && status.find("signer0.status=GoodSignature") != std::string::npos;
}

class SignedMailBy : public ::testing::TestWithParam<KeyType> {};

TEST_P(SignedMailBy, IsVerifiedByOpensslGpgsmAndNss) {
  const auto& by = test::signer(GetParam());
  const auto mail =
      signed_mail({"multipart/alternative", {}, {}, {signed_text("Hello\n"), signed_text("Grüße\n")}}, by);
  EXPECT_TRUE(openssl_verifies(mail, by));
  EXPECT_TRUE(gpgsm_verifies(mail, by));
  EXPECT_TRUE(nss_verifies(mail, by));
}

TEST_P(SignedMailBy, AlteredIsRefusedByAll) {
  const auto& by = test::signer(GetParam());
  auto mail = signed_mail(signed_text("Hello\n"), by);
  mail.replace(mail.find("Hello"), 5, "Hallo");
  EXPECT_FALSE(openssl_verifies(mail, by));
  EXPECT_FALSE(gpgsm_verifies(mail, by));
  EXPECT_FALSE(nss_verifies(mail, by));
}

INSTANTIATE_TEST_SUITE_P(Keys, SignedMailBy, ::testing::Values(KeyType::P256, KeyType::Rsa2048),
                         [](const auto& test) { return std::string(to_text(test.param)); });

TEST(SignedMail, SaysWhatItIs) {
  const auto mail = signed_mail(signed_text("Hello\n"));
  EXPECT_THAT(mail, HasSubstr("\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
                              "\tmicalg=sha-256; boundary=\""));
  const auto parsed = test::parse_mail(mail);
  EXPECT_EQ(parsed.structure, "multipart/signed(text/plain,application/pkcs7-signature)");
  EXPECT_EQ(parsed.parts.back().filename, "smime.p7s");
  EXPECT_TRUE(parsed.defects.empty());
}

TEST(SignedMail, SignatureCarriesTimeAndCertificatesButNoContent) {
  const auto signature = cut(signed_mail(signed_text("Hello\n"))).signature;
  const auto shown = run({"openssl", "cms", "-cmsout", "-noout", "-print", "-inform", "DER"}, signature).out;
  EXPECT_THAT(shown, HasSubstr("eContent: <ABSENT>"));
  EXPECT_THAT(shown, HasSubstr("signingTime"));
  EXPECT_THAT(shown, HasSubstr("subject: CN=Relay"));
  EXPECT_THAT(shown, HasSubstr("subject: CN=Issuing"));
  EXPECT_EQ(shown.find("subject: CN=Root"), std::string::npos) << "readers trust the root they have";
  EXPECT_EQ(shown.find("S/MIME Capabilities"), std::string::npos) << "nothing is sealed to the relay";
}

struct FragileText {
  const char* name;
  std::string text;
};
void PrintTo(const FragileText& value, std::ostream* out) { *out << value.name; }

class Fragile : public ::testing::TestWithParam<FragileText> {};

TEST_P(Fragile, TextTravelsInBase64) {
  const auto& body = GetParam().text;
  const auto mail = signed_mail({"multipart/mixed", {}, {}, {signed_text(body), signed_text("short\n")}});
  EXPECT_TRUE(openssl_verifies(mail, test::signer()));
  const auto parsed = test::parse_mail(mail);
  EXPECT_EQ(parsed.parts.at(0).encoding, "base64");
  EXPECT_EQ(parsed.parts.at(1).encoding, "") << "the others stay as they are";
  std::istringstream lines(cut(mail).entity);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 77U) << line;  // with the CR
    EXPECT_FALSE(line.ends_with(" \r") || line.starts_with("From ")) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, Fragile,
                         ::testing::Values(FragileText{"LongLine", "x " + std::string(73, 'x') + " y\n"},
                                           FragileText{"BlankAtTheEnd", "x \ny\n"}, FragileText{"TabAtTheEnd", "x\t"},
                                           FragileText{"MailboxMark", "x\nFrom me\n"},
                                           FragileText{"BeyondAscii", "Grüße\n"}),
                         [](const auto& test) { return test.param.name; });

TEST(SignedMail, OfLinesThatFitStaysReadable) {
  const std::string line = "x " + std::string(72, 'x') + " y";
  const std::string link = "Link: https://relay.example.org/" + std::string(80, 'x');
  const auto mail = signed_mail(signed_text(line + "\n" + link + "\n"));
  EXPECT_THAT(mail, HasSubstr("\r\n" + line + "\r\n" + link + "\r\n"));
}

TEST(SignedMail, EightBitReportIsNotSigned) {
  const MimePart report{"message/global-headers", "Subject: Grüße\r\n", {}, {}};
  const auto mail = compose_with(report, test::signer().sign());
  ASSERT_FALSE(mail);
  EXPECT_EQ(mail.error().kind, ErrorKind::Internal);
}

TEST(SignedMail, WithoutASignatureThereIsNoMail) {
  const auto mail = compose_with(
      signed_text("x"), [](std::string_view) -> Result<std::string> { return Error::internal("no signature"); });
  ASSERT_FALSE(mail);
  EXPECT_EQ(mail.error().internal_detail, "no signature");
}

}  // namespace
}  // namespace sealpost
