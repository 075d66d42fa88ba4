// SPDX-License-Identifier: Apache-2.0
// Recipients' own certificates: which are taken, in every shape of upload, and which check refuses each of the others.
#include "crypto/own_certificate.h"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include <functional>
#include <ostream>

#include "crypto/cms_seal.h"
#include "tests/unit/crypto/made_certificate.h"

namespace sealpost {
namespace {

using namespace std::string_literals;
using test::day_seconds;
using test::ec_key;
using test::Made;
using test::make_ca;
using test::make_certificate;
using test::rsa_key;
using test::Wanted;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr time_t made_at = 1'790'000'000;
const Time now = from_milliseconds(made_at * 1000);

const EmailAddress& bob() {
  static const auto address = EmailAddress::parse("bob@example.com").value();
  return address;
}

const Made& root() {
  static const Made made = make_ca("Root", made_at);
  return made;
}
const Made& intermediate() {
  static const Made made = make_ca("Intermediate", made_at, &root());
  return made;
}
/// By the intermediate authority.
Made issued(const Wanted& wanted, PkeyPtr key = ec_key("P-256")) {
  return make_certificate(std::move(key), wanted, made_at, &intermediate());
}

enum class Roots { None, Ours };
OwnCertificatePolicy policy(Roots roots, bool self_signed = false) {
  OwnCertificatePolicy made;
  if (roots == Roots::Ours) made.accepted_roots.push_back(parse_certificate(root().der()).value());
  made.accept_self_signed = self_signed;
  return made;
}

OwnCertificateVerdict judge(const std::string& upload, const OwnCertificatePolicy& by = policy(Roots::None),
                            const EmailAddress& address = bob()) {
  auto judged = judge_own_certificate(upload, address, now, by);
  EXPECT_TRUE(judged) << judged.error().internal_detail;
  EXPECT_EQ(ERR_peek_error(), 0U) << "nothing is left behind for the thread's next call";
  return std::move(*judged);
}

std::string verdict_of(const OwnCertificateVerdict& verdict) {
  return verdict ? "accepted" : std::string(to_text(verdict.error().check));
}

struct UploadCase {
  std::string name;
  std::function<std::string()> upload;
  std::string verdict = "accepted";  ///< or the check that refuses it
  Roots roots = Roots::None;
  bool self_signed = false;
};
void PrintTo(const UploadCase& value, std::ostream* out) { *out << value.name; }

std::function<std::string()> leaf(
    Wanted wanted, std::function<PkeyPtr()> key = [] { return ec_key("P-256"); }) {
  return [wanted = std::move(wanted), key = std::move(key)] { return issued(wanted, key()).pem(); };
}
Wanted with(const std::function<void(Wanted&)>& change) {
  Wanted wanted;
  change(wanted);
  return wanted;
}
std::function<PkeyPtr()> rsa(unsigned bits) {
  return [bits] { return rsa_key(bits); };
}
std::function<PkeyPtr()> ec(const char* curve) {
  return [curve] { return ec_key(curve); };
}
std::string utf16(const std::string& ascii) {
  std::string wide = "\xff\xfe";
  for (const char octet : ascii) (wide += octet) += '\0';
  return wide;
}
std::string self_signed(const Wanted& wanted = {}) { return make_certificate(ec_key("P-256"), wanted, made_at).pem(); }

class OwnCertificateUpload : public ::testing::TestWithParam<UploadCase> {};

TEST_P(OwnCertificateUpload, IsJudged) {
  const auto& test = GetParam();
  const auto verdict = judge(test.upload(), policy(test.roots, test.self_signed));
  EXPECT_EQ(verdict_of(verdict), test.verdict);
  if (verdict) {
    EXPECT_TRUE(usable_certificate(verdict->der)) << "a mail can be sealed to it";
    EXPECT_EQ(verdict->fingerprint, certificate_fingerprint(verdict->der));
    EXPECT_EQ(verdict->not_after, now + std::chrono::seconds(30 * day_seconds));
    return;
  }
  EXPECT_THAT(verdict.error().sentence, ::testing::EndsWith("."));
  EXPECT_THAT(verdict.error().sentence, HasSubstr("lease ")) << "says what to do";
}

std::string upload_name(const ::testing::TestParamInfo<UploadCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Shapes, OwnCertificateUpload,
    ::testing::Values(
        UploadCase{"Pem", leaf({})}, UploadCase{"Der", [] { return issued({}).der(); }},
        UploadCase{"Pkcs7Pem",
                   [] {
                     return test::pkcs7_of({intermediate().pem(), issued({}).pem(), root().pem()}, "PEM");
                   }},
        UploadCase{"Pkcs7Der",
                   [] {
                     return test::pkcs7_of({intermediate().pem(), issued({}).pem()}, "DER");
                   }},
        UploadCase{"PemChain", [] { return root().pem() + intermediate().pem() + issued({}).pem(); }},
        UploadCase{"TextAround", [] { return "Dear server,\r\n \r\n" + issued({}).pem() + "\r\n\r\n Yours, Bob"; }},
        UploadCase{"ByteOrderMark", [] { return "\xef\xbb\xbf" + issued({}).pem(); }},
        UploadCase{"BareBase64",
                   [] {
                     const auto pem = issued({}).pem();
                     const auto begin = pem.find('\n');
                     return pem.substr(begin, pem.rfind("-----END") - begin);
                   }},
        UploadCase{"TwiceTheSame",
                   [] {
                     const auto pem = issued({}).pem();
                     return pem + pem;
                   }},
        UploadCase{"Empty", [] { return ""s; }, "no_certificate"},
        UploadCase{"Prose", [] { return "I have no certificate."s; }, "no_certificate"},
        UploadCase{"Image", [] { return "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"s; }, "no_certificate"},
        UploadCase{"PublicKeyOnly", [] { return "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"s; },
                   "no_certificate"},
        UploadCase{"EmptyBundle", [] { return test::pkcs7_of({}, "DER"); }, "no_certificate"},
        UploadCase{"TooLarge", [] { return issued({}).pem() + std::string(262'144, ' '); }, "too_large"},
        UploadCase{"TwentyOne",
                   [] {
                     std::string all;
                     for (int i = 0; i < 21; ++i) all += issued({}).pem();
                     return all;
                   },
                   "too_many"},
        UploadCase{"CutDer",
                   [] {
                     const auto der = issued({}).der();
                     return der.substr(0, der.size() - 1);
                   },
                   "malformed"},
        UploadCase{"SomethingBehindDer", [] { return issued({}).der() + "x"; }, "malformed"},
        UploadCase{"SomethingBehindBundle", [] { return test::pkcs7_of({issued({}).pem()}, "DER") + "x"; },
                   "malformed"},
        UploadCase{"PemWithoutEnd",
                   [] {
                     const auto pem = issued({}).pem();
                     return pem.substr(0, pem.find("-----END"));
                   },
                   "malformed"},
        UploadCase{"PemOfOtherThings", [] { return "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"s; },
                   "malformed"}),
    upload_name);

/// `openssl` and what else it is told, with the key as input.
std::function<std::string()> key_as(std::vector<std::string> command, std::function<PkeyPtr()> key = rsa(2048)) {
  return [command = std::move(command), key = std::move(key)] { return test::private_key_as(key().get(), command); };
}
std::string pkcs12() {
  const test::TempDir dir;
  const auto pair = issued({});
  const auto key = test::private_key_as(pair.key.get(), {"openssl", "pkey"});
  return test::run({"openssl", "pkcs12", "-export", "-passout", "pass:secret"}, key + pair.pem()).out;
}

INSTANTIATE_TEST_SUITE_P(
    PrivateKeys, OwnCertificateUpload,
    ::testing::Values(
        UploadCase{"Pkcs8Pem", key_as({"openssl", "pkey"}), "private_key"},
        UploadCase{"Pkcs8Der", key_as({"openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"}), "private_key"},
        UploadCase{"EncryptedPem", key_as({"openssl", "pkcs8", "-topk8", "-passout", "pass:x"}), "private_key"},
        UploadCase{"EncryptedDer", key_as({"openssl", "pkcs8", "-topk8", "-passout", "pass:x", "-outform", "DER"}),
                   "private_key"},
        UploadCase{"Pkcs1Pem", key_as({"openssl", "rsa", "-traditional"}), "private_key"},
        UploadCase{"Pkcs1Der", key_as({"openssl", "rsa", "-traditional", "-outform", "DER"}), "private_key"},
        UploadCase{"Sec1Pem", key_as({"openssl", "ec"}, ec("P-384")), "private_key"},
        UploadCase{"Sec1Der", key_as({"openssl", "ec", "-outform", "DER"}, ec("P-384")), "private_key"},
        UploadCase{"Pkcs12", pkcs12, "private_key"},
        UploadCase{"Pkcs12OfIndefiniteLength", [] { return "\x30\x80\x02\x01\x03\x30\x80\x06\x09"s; }, "private_key"},
        UploadCase{"CutOff",
                   [] {
                     return key_as({"openssl", "rsa", "-traditional", "-outform", "DER"})().substr(0, 300);
                   },
                   "private_key"},
        UploadCase{"BehindCertificate",
                   [] {
                     return issued({}).pem() + key_as({"openssl", "pkey"}, ec("P-256"))();
                   },
                   "private_key"},
        UploadCase{"BehindCertificateInDer",
                   [] {
                     return issued({}).der() + key_as({"openssl", "ec", "-outform", "DER"}, ec("P-256"))();
                   },
                   "private_key"},
        UploadCase{"UnderAnotherName",
                   [] {
                     auto pem = key_as({"openssl", "pkey"}, ec("P-256"))();
                     while (pem.find("PRIVATE KEY") != std::string::npos) {
                       pem.replace(pem.find("PRIVATE KEY"), 11, "CERTIFICATE");
                     }
                     return pem;
                   },
                   "private_key"},
        UploadCase{"InUtf16",
                   [] {
                     return utf16(key_as({"openssl", "pkey"}, ec("P-256"))());
                   },
                   "private_key"},
        UploadCase{"BareBase64",
                   [] {
                     const auto pem = key_as({"openssl", "pkey"}, ec("P-256"))();
                     const auto begin = pem.find('\n');
                     return pem.substr(begin, pem.rfind("-----END") - begin);
                   },
                   "private_key"},
        UploadCase{"OpenSsh", [] { return "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"s; }, "private_key"},
        UploadCase{"OpenPgp", [] { return "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n"s; }, "private_key"},
        UploadCase{"JavaKeyStore", [] { return "\xfe\xed\xfe\xed\0\0\0\2"s; }, "private_key"}),
    upload_name);

const std::string utf8_name = "otherName:1.3.6.1.5.5.7.8.9;UTF8:";

INSTANTIATE_TEST_SUITE_P(
    Contents, OwnCertificateUpload,
    ::testing::Values(
        UploadCase{"Rsa2048", leaf(with([](auto& w) { w.usage = "critical,keyEncipherment"; }), rsa(2048))},
        UploadCase{"P256", leaf(with([](auto& w) { w.usage = "critical,digitalSignature,keyAgreement"; }))},
        UploadCase{"P384", leaf({}, ec("P-384"))},
        UploadCase{"UpperCaseLocalPart", leaf(with([](auto& w) { w.alternative = "email:BOB@Example.COM"; }))},
        UploadCase{"SeveralAddresses",
                   leaf(with([](auto& w) { w.alternative = "email:a@b.example,DNS:x.example,email:bob@example.com"; }))},
        UploadCase{"Utf8Mailbox", leaf(with([](auto& w) { w.alternative = utf8_name + "bob@example.com"; }))},
        UploadCase{"SubjectAddress", leaf(with([](auto& w) {
                     w.alternative.clear();
                     w.subject_address = "bob@example.com";
                   }))},
        UploadCase{"SubjectAddressBesideHostName", leaf(with([](auto& w) {
                     w.alternative = "DNS:example.com";
                     w.subject_address = "bob@example.com";
                   }))},
        UploadCase{"AnyExtendedUsage", leaf(with([](auto& w) { w.extended = "anyExtendedKeyUsage"; }))},
        UploadCase{"EmailProtection", leaf(with([](auto& w) { w.extended = "clientAuth,emailProtection"; }))},
        UploadCase{"AmongOthersPeoples",
                   [] {
                     return issued(with([](auto& w) { w.alternative = "email:eve@example.com"; })).pem() +
                            issued({}).pem();
                   }},
        UploadCase{"BesideOneForSignatures",
                   [] {
                     return issued(with([](auto& w) { w.usage = "digitalSignature"; })).pem() +
                            issued(with([](auto& w) { w.usage = "keyAgreement"; })).pem();
                   }},
        UploadCase{"TwoForTheAddress", [] { return issued({}).pem() + issued({}).pem(); }, "ambiguous"},
        UploadCase{"OnlyAuthorities", [] { return root().pem() + intermediate().pem(); }, "ca_certificate"},
        UploadCase{"Authority", leaf(with([](auto& w) { w.basic = "CA:TRUE"; })), "ca_certificate"},
        UploadCase{"OtherAddress", leaf(with([](auto& w) { w.alternative = "email:eve@example.com"; })),
                   "wrong_address"},
        UploadCase{"NoAddress", leaf(with([](auto& w) { w.alternative.clear(); })), "wrong_address"},
        UploadCase{"NameIsNoAddress", leaf(with([](auto& w) {
                     w.subject = "bob@example.com";
                     w.alternative.clear();
                   })),
                   "wrong_address"},
        UploadCase{"SubjectAddressBesideAnother", leaf(with([](auto& w) {
                     w.alternative = "email:eve@example.com";
                     w.subject_address = "bob@example.com";
                   })),
                   "wrong_address"},
        UploadCase{"NulBehindAddress", leaf(with([](auto& w) {
                     w.alternative_der = "\x30\x1b\x81\x19" "bob@example.com\0.evil.com"s;
                   })),
                   "wrong_address"},
        UploadCase{"NulInSubjectAddress", leaf(with([](auto& w) {
                     w.alternative.clear();
                     w.subject_address = "bob@example.com\0.evil.example"s;
                   })),
                   "wrong_address"},
        UploadCase{"Utf8InRfc822Name", leaf(with([](auto& w) {
                     w.alternative_der = "\x30\x13\x81\x11" "bob@ex\xef\xbd\x81mple.com"s;  // full-width
                   })),
                   "wrong_address"},
        UploadCase{"WideLettersInUtf8Mailbox",
                   leaf(with([](auto& w) { w.alternative = utf8_name + "bob@ex\xef\xbd\x81mple.com"; })), "wrong_address"},
        UploadCase{"Utf8InSubjectAddress", leaf(with([](auto& w) {
                     w.alternative.clear();
                     w.subject_address = "bob@ex\xef\xbd\x81mple.com";
                   })),
                   "wrong_address"},
        UploadCase{"NotYetValid", leaf(with([](auto& w) { w.begins = 1; })), "not_yet_valid"},
        UploadCase{"ExpiredASecondAgo", leaf(with([](auto& w) { w.ends = -1; })), "expired"},
        UploadCase{"RsaForSignatures", leaf(with([](auto& w) { w.usage = "digitalSignature"; }), rsa(2048)),
                   "key_usage"},
        UploadCase{"RsaForAgreement", leaf(with([](auto& w) { w.usage = "keyAgreement"; }), rsa(2048)), "key_usage"},
        UploadCase{"EcForEncipherment", leaf(with([](auto& w) { w.usage = "keyEncipherment"; })), "key_usage"},
        UploadCase{"ForServers", leaf(with([](auto& w) { w.extended = "serverAuth"; })), "extended_key_usage"},
        UploadCase{"UnknownCritical", leaf(with([](auto& w) { w.unknown_oid = "1.3.6.1.4.1.99999.1"; })),
                   "critical_extension"},
        UploadCase{"BrokenExtension", leaf(with([](auto& w) { w.usage = "DER:04020101"; })), "malformed"},
        UploadCase{"Rsa1024", leaf({}, rsa(1024)), "key_size"}, UploadCase{"P521", leaf({}, ec("P-521")), "key_kind"},
        UploadCase{"Brainpool", leaf({}, ec("brainpoolP256r1")), "key_kind"},
        UploadCase{"Ed25519", leaf({}, [] { return PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }),
                   "key_kind"},
        UploadCase{"Sha1", leaf(with([](auto& w) { w.digest = EVP_sha1(); })), "signature_algorithm"},
        UploadCase{"Md5",
                   [] {
                     const auto wanted = with([](auto& w) { w.digest = EVP_md5(); });
                     return make_certificate(rsa_key(2048), wanted, made_at).pem();
                   },
                   "signature_algorithm", Roots::None, true}),
    upload_name);

Made under(const Made& issuer) { return make_certificate(ec_key("P-256"), {}, made_at, &issuer); }
std::string under_weak_intermediate() {
  const auto weak = make_ca("Weak", made_at, &root(), EVP_sha1());
  return under(weak).pem() + weak.pem();
}
std::string with_broken_signature() {
  const auto pair = make_certificate(ec_key("P-256"), {}, made_at);
  X509_set_pubkey(pair.certificate.get(), ec_key("P-256").get());
  return to_pem(pair.certificate.get()).value();
}

INSTANTIATE_TEST_SUITE_P(
    Trust, OwnCertificateUpload,
    ::testing::Values(
        UploadCase{"ByIntermediate", [] { return issued({}).pem() + intermediate().pem(); }, "accepted", Roots::Ours},
        UploadCase{"RsaByIntermediate", [] { return issued({}, rsa_key(2048)).pem() + intermediate().pem(); },
                   "accepted", Roots::Ours},
        UploadCase{"AgreementOnly",
                   [] { return issued(with([](auto& w) { w.usage = "keyAgreement"; })).pem() + intermediate().pem(); },
                   "accepted", Roots::Ours},
        UploadCase{"AnyExtendedUsageOnly",
                   [] {
                     return issued(with([](auto& w) { w.extended = "anyExtendedKeyUsage"; })).pem() +
                            intermediate().pem();
                   },
                   "accepted", Roots::Ours},
        UploadCase{"ByRootItself", [] { return under(root()).pem(); }, "accepted", Roots::Ours},
        UploadCase{"IntermediateMissing", [] { return issued({}).pem(); }, "untrusted", Roots::Ours},
        UploadCase{"ForeignRoot",
                   [] {
                     const auto foreign = make_ca("Foreign", made_at);
                     return under(foreign).pem() + foreign.pem();
                   },
                   "untrusted", Roots::Ours},
        UploadCase{"RootOfTheSameName", [] { return under(make_ca("Root", made_at)).pem(); }, "untrusted", Roots::Ours},
        UploadCase{"ByNoAuthority",
                   [] {
                     const auto person = under(root());
                     const auto forged = with([](auto& w) { w.subject = "Bob too"; });
                     const auto eve = make_certificate(ec_key("P-256"), with([](auto& w) {
                                                         w.alternative = "email:eve@example.com";
                                                         w.subject = "Eve";
                                                       }),
                                                       made_at, &root());
                     return make_certificate(ec_key("P-256"), forged, made_at, &eve).pem() + eve.pem();
                   },
                   "untrusted", Roots::Ours},
        UploadCase{"WeakIntermediate", under_weak_intermediate, "signature_algorithm", Roots::Ours},
        UploadCase{"WeakIntermediateThatNobodyAskedAbout", under_weak_intermediate},
        UploadCase{"SmallKeyOfIntermediate",
                   [] {
                     const auto small = test::make_ca("Small", made_at, &root(), EVP_sha256(), rsa_key(1024));
                     return under(small).pem() + small.pem();
                   },
                   "signature_algorithm", Roots::Ours},
        UploadCase{"SelfSigned", [] { return self_signed(); }, "untrusted"},
        UploadCase{"SelfSignedDespiteRoots", [] { return self_signed(); }, "untrusted", Roots::Ours},
        UploadCase{"SelfSignedAccepted", [] { return self_signed(); }, "accepted", Roots::None, true},
        UploadCase{"SelfSignedAcceptedBesideRoots", [] { return self_signed(); }, "accepted", Roots::Ours, true},
        UploadCase{"SelfSignatureWrong", with_broken_signature, "untrusted", Roots::None, true},
        UploadCase{"SelfSignatureWrongBesideRoots", with_broken_signature, "untrusted", Roots::Ours, true}),
    upload_name);

TEST(OwnCertificate, WeakRootIsBelievedForItself) {
  const auto weak = make_ca("Old root", made_at, nullptr, EVP_sha1());
  OwnCertificatePolicy by;
  by.accepted_roots.push_back(parse_certificate(weak.der()).value());
  EXPECT_EQ(verdict_of(judge(under(weak).pem(), by)), "accepted");
}

TEST(OwnCertificate, SmallKeyOfARootVouchesForNothing) {
  const auto small = make_ca("Small root", made_at, nullptr, EVP_sha256(), rsa_key(1024));
  OwnCertificatePolicy by;
  by.accepted_roots.push_back(parse_certificate(small.der()).value());
  EXPECT_EQ(verdict_of(judge(under(small).pem(), by)), "signature_algorithm");
}

TEST(OwnCertificate, RefusingSelfSignedOnesWantsRoots) {
  KeysSettings settings;
  settings.accept_self_signed = true;
  EXPECT_TRUE(load_own_certificate_policy(settings));
  settings.accept_self_signed = false;
  const auto refused = load_own_certificate_policy(settings);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().public_text, HasSubstr("keys.accept_self_signed"));
  const test::TempDir dir;
  settings.accepted_roots = dir.write("roots.pem", root().pem());
  EXPECT_TRUE(load_own_certificate_policy(settings));
}

TEST(OwnCertificate, AuthorityUnderARootMayBeTheAcceptedOne) {
  OwnCertificatePolicy by;
  by.accepted_roots.push_back(parse_certificate(intermediate().der()).value());
  EXPECT_EQ(verdict_of(judge(issued({}).pem(), by)), "accepted");
  EXPECT_EQ(verdict_of(judge(under(root()).pem(), by)), "untrusted");
}

TEST(OwnCertificate, UnsoundKeyIsToldFromAnUnknownOne) {
  auto der = issued({}).der();
  const auto parsed = parse_certificate(der).value();
  const auto* bits = X509_get0_pubkey_bitstr(parsed.get());
  const std::string point(reinterpret_cast<const char*>(bits->data), static_cast<std::size_t>(bits->length));
  der[der.find(point) + point.size() - 1] ^= 1;
  EXPECT_EQ(verdict_of(judge(der)), "key_unsound");
}

TEST(OwnCertificate, Utf8LocalPartMatches) {
  const auto juergen = EmailAddress::parse("jürgen@bücher.example").value();
  auto wanted = with([](auto& w) { w.alternative_der = "x"; });
  wanted.alternative_der = subject_alt_name(juergen);
  EXPECT_EQ(verdict_of(judge(issued(wanted).pem(), policy(Roots::None), juergen)), "accepted");
  EXPECT_EQ(verdict_of(judge(issued(wanted).pem())), "wrong_address");
}

TEST(OwnCertificate, RefusalNamesWhatVaries) {
  const auto refused = [](const std::function<void(Wanted&)>& change, PkeyPtr key = ec_key("P-256")) {
    return judge(issued(with(change), std::move(key)).pem()).error();
  };
  const auto other = refused([](auto& w) { w.alternative = "email:eve@example.com,email:Al@x.example"; });
  EXPECT_THAT(other.addresses, ElementsAre("eve@example.com", "Al@x.example"));
  EXPECT_THAT(other.sentence, HasSubstr("not for bob@example.com: it names eve@example.com, Al@x.example."));
  EXPECT_THAT(refused([](auto& w) { w.alternative.clear(); }).sentence, HasSubstr("names no mail address"));
  const auto expired = refused([](auto& w) { w.ends = -day_seconds / 2; });
  EXPECT_EQ(expired.date, now - std::chrono::hours(12));
  EXPECT_THAT(expired.sentence, HasSubstr("expired on 2026-09-2"));
  EXPECT_EQ(refused([](auto& w) { w.begins = day_seconds; }).date, now + std::chrono::hours(24));
  const auto small = refused([](auto&) {}, rsa_key(1024));
  EXPECT_EQ(small.bits, 1024);
  EXPECT_THAT(small.sentence, HasSubstr("1024 bits"));
  EXPECT_EQ(judge(std::string(300'000, 'x')).error().limit, 256 * 1024);
}

TEST(OwnCertificate, OneThatIsLargeByItselfIsRefused) {
  const auto named = [](int addresses) {
    std::string names = "email:bob@example.com";
    for (int i = 0; i < addresses; ++i) names += ",email:" + std::string(40, 'u') + "@example.com";
    return judge(issued(with([&](auto& w) { w.alternative = names; })).pem());
  };
  EXPECT_EQ(verdict_of(named(250)), "accepted");
  const auto refused = named(300);
  ASSERT_EQ(verdict_of(refused), "too_large");
  EXPECT_EQ(refused.error().limit, 16 * 1024);
  EXPECT_THAT(refused.error().sentence, HasSubstr("larger than 16 KiB. Please"));
}

TEST(OwnCertificate, ThousandsOfAddressesAreNotAllTold) {
  std::string names;
  for (int i = 0; i < 500; ++i) names += (i == 0 ? "email:u" : ",email:u") + std::to_string(i) + "@example.com";
  const auto refused = judge(issued(with([&](auto& w) { w.alternative = names; })).pem()).error();
  EXPECT_EQ(refused.addresses.size(), 10U);
}

}  // namespace
}  // namespace sealpost
