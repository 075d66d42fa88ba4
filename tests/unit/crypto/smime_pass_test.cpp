// SPDX-License-Identifier: Apache-2.0
// What passes as S/MIME that is encrypted already, made by real programs; and what only looks like it, which must be
// sealed.
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <array>
#include <cstdio>
#include <functional>
#include <ostream>

#include "base/encoding.h"
#include "crypto/certificate.h"
#include "crypto/der.h"
#include "crypto/sealer.h"
#include "tests/support/gnupg_home.h"
#include "tests/unit/crypto/seal_fixture.h"

namespace sealpost {
namespace {

using Argv = std::vector<std::string>;

std::string to_crlf(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n' && !result.ends_with('\r')) result += '\r';
    result += c;
  }
  return result;
}

bool passes(const std::string& message) {
  const auto split = split_message(message);
  return split && is_already_encrypted(*split);
}

std::string base64_lines(const std::string& octets) {
  const std::string symbols = to_base64(octets);
  std::string lines;
  for (std::size_t at = 0; at < symbols.size(); at += 64) lines += symbols.substr(at, 64) + "\r\n";
  return lines;
}

const std::string smime_fields =
    "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
    "Content-Transfer-Encoding: base64\r\n";
std::string smime(const std::string& der) { return smime_fields + "\r\n" + base64_lines(der); }

/// Recipients' files and one sealed structure for all cases.
class SmimeTest : public ::testing::Test {
 protected:
  struct Shared {
    test::TempDir dir;
    test::Recipient rsa = test::make_recipient("rsa", KeyType::Rsa2048);
    test::Recipient ec = test::make_recipient("ec", KeyType::P256);
    std::string cbc = sealed(ContentCipher::Aes256Cbc);
    std::string gcm = sealed(ContentCipher::Aes256Gcm);
    Shared() {
      for (const auto* recipient : {&rsa, &ec}) {
        dir.write(recipient->name + ".pem", *to_pem(parse_certificate(recipient->certificate)->get()));
      }
      dir.write("key.der", std::string(view(*to_der(rsa.key.get()))));
    }
    [[nodiscard]] std::string sealed(ContentCipher cipher) const {
      const auto message = split_message("Subject: x\r\n\r\nDear Bob").value();
      return test::cms_of(Sealer({KeyType::Rsa2048, cipher}).seal(message, {{rsa.certificate}}, {}).value(), 0);
    }
  };
  static void SetUpTestSuite() {
    if (!shared_) shared_ = std::make_unique<Shared>();
  }
  static void TearDownTestSuite() { shared_.reset(); }
  static std::unique_ptr<Shared> shared_;
};
std::unique_ptr<SmimeTest::Shared> SmimeTest::shared_;

struct SmimePassToolCase {
  std::string name;
  Argv options;  ///< DIR/ stands for the folder of files
  bool passes;
};
void PrintTo(const SmimePassToolCase& value, std::ostream* out) { *out << value.name; }

class OpensslMade : public SmimeTest, public ::testing::WithParamInterface<SmimePassToolCase> {};

TEST_P(OpensslMade, PassesOrIsSealed) {
  Argv argv = {"openssl"};
  for (auto option : GetParam().options) {
    const auto at = option.find("DIR/");
    if (at != std::string::npos) option.replace(at, 4, shared_->dir.path().string() + "/");
    argv.push_back(option);
  }
  const auto made = test::run(argv, "Content-Type: text/plain\r\n\r\nDear Bob,\r\n");
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(passes(to_crlf(made.out)), GetParam().passes) << made.out;
}

Argv encrypt(const Argv& options, const Argv& recipients = {"DIR/rsa.pem"}) {
  Argv argv = {"cms", "-encrypt"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), recipients.begin(), recipients.end());
  return argv;
}
const Argv kek = {"-secretkey", "000102030405060708090a0b0c0d0e0f", "-secretkeyid", "01"};

INSTANTIATE_TEST_SUITE_P(
    Messages, OpensslMade,
    ::testing::Values(
        SmimePassToolCase{"Aes128", encrypt({"-aes-128-cbc"}), true},
        SmimePassToolCase{"Aes192", encrypt({"-aes-192-cbc"}), true},
        SmimePassToolCase{"Aes256", encrypt({"-aes-256-cbc"}), true},
        SmimePassToolCase{"TripleDes", encrypt({"-des3"}), true},
        SmimePassToolCase{"Aes256Gcm", encrypt({"-aes-256-gcm"}), true},
        SmimePassToolCase{"Aes128Gcm", encrypt({"-aes-128-gcm"}), true},
        SmimePassToolCase{"IndefiniteLength", encrypt({"-aes-256-cbc", "-stream"}), true},
        SmimePassToolCase{"KeyIdentifier", encrypt({"-aes-256-cbc", "-keyid"}, {"DIR/rsa.pem"}), true},
        SmimePassToolCase{
            "Oaep", encrypt({"-aes-256-cbc", "-recip", "DIR/rsa.pem", "-keyopt", "rsa_padding_mode:oaep"}, {}), true},
        SmimePassToolCase{"Ec", encrypt({"-aes-256-cbc"}, {"DIR/ec.pem"}), true},
        SmimePassToolCase{"TwoRecipients", encrypt({"-aes-256-cbc"}, {"DIR/rsa.pem", "DIR/ec.pem"}), true},
        SmimePassToolCase{"Password", encrypt({"-aes-256-cbc", "-pwri_password", "secret"}, {}), true},
        SmimePassToolCase{"KeyEncryptionKey", encrypt({"-aes-128-cbc", kek[0], kek[1], kek[2], kek[3]}, {}), true},
        SmimePassToolCase{"OlderCommand", {"smime", "-encrypt", "-aes-256-cbc", "DIR/rsa.pem"}, true},
        SmimePassToolCase{
            "SignedOpaque",
            {"cms", "-sign", "-nodetach", "-signer", "DIR/rsa.pem", "-inkey", "DIR/key.der", "-keyform", "DER"},
            false},
        SmimePassToolCase{"SignedDetached",
                          {"cms", "-sign", "-signer", "DIR/rsa.pem", "-inkey", "DIR/key.der", "-keyform", "DER"},
                          false},
        SmimePassToolCase{"Data", {"cms", "-data_create"}, false},
        SmimePassToolCase{"Digested", {"cms", "-digest_create"}, false},
        SmimePassToolCase{
            "EncryptedForNobody", {"cms", "-EncryptedData_encrypt", "-aes-128-cbc", kek[0], kek[1]}, false},
        SmimePassToolCase{"Camellia", encrypt({"-camellia256"}), false},
        SmimePassToolCase{"SingleDes", encrypt({"-provider", "legacy", "-provider", "default", "-des"}), false},
        SmimePassToolCase{"Rc2", encrypt({"-provider", "legacy", "-provider", "default", "-rc2-40"}), false}),
    [](const auto& info) { return info.param.name; });

TEST_F(SmimeTest, GpgsmMadePasses) {
  const test::GnupgHome home;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  const auto& der = shared_->rsa.certificate;
  SHA1(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest.data());
  std::string fingerprint;
  for (const auto octet : digest) {
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02X", octet);
    fingerprint += hex.data();
  }
  home.trust(fingerprint);
  ASSERT_EQ(home.gpgsm({"--import", home.write("rsa.der", der)}).status, 0);
  const auto made = home.gpgsm({"--encrypt", "--base64", "--recipient", "0x" + fingerprint}, "Dear Bob");
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(passes(smime_fields + "\r\n" + to_crlf(made.out)));
}

/// One change to a message that passes.
struct MimeCase {
  std::string name;
  std::string fields;
  std::function<std::string(const std::string& der)> body;
  bool passes;
};
void PrintTo(const MimeCase& value, std::ostream* out) { *out << value.name; }

class SmimeAround : public SmimeTest, public ::testing::WithParamInterface<MimeCase> {};

TEST_P(SmimeAround, DecidesAsTheWholeBodyIsOneStructure) {
  EXPECT_EQ(passes(GetParam().fields + "\r\n" + GetParam().body(shared_->cbc)), GetParam().passes);
}

const std::string type = "Content-Type: application/pkcs7-mime\r\n";
const std::string base64 = "Content-Transfer-Encoding: base64\r\n";
std::string itself(const std::string& der) { return der; }

INSTANTIATE_TEST_SUITE_P(
    Messages, SmimeAround,
    ::testing::Values(
        MimeCase{"Plain", type + base64, base64_lines, true},
        MimeCase{"OldType", "Content-Type: application/x-pkcs7-mime\r\n" + base64, base64_lines, true},
        MimeCase{"OtherCase",
                 "CONTENT-type: Application/PKCS7-Mime;SMIME-TYPE=x\r\ncontent-TRANSFER-encoding: BASE64\r\n",
                 base64_lines, true},
        MimeCase{"FoldedType", "Content-Type:\r\n application/pkcs7-mime;\r\n\tname=x\r\n" + base64, base64_lines,
                 true},
        MimeCase{"FoldedEncoding", type + "Content-Transfer-Encoding:\r\n\tbase64 \r\n", base64_lines, true},
        MimeCase{"Binary", type + "Content-Transfer-Encoding: binary\r\n", itself, true},
        MimeCase{"OneLongLine", type + base64, [](const auto& der) { return to_base64(der); }, true},
        MimeCase{"EmptyLinesAround", type + base64,
                 [](const auto& der) { return "\r\n" + base64_lines(der) + "\r\n\r\n"; }, true},
        MimeCase{"PlaintextUnderTheType", type + base64, [](const auto&) { return "Dear Bob"; }, false},
        MimeCase{"PlaintextInBase64", type + base64, [](const auto&) { return base64_lines("Dear Bob, the secret"); },
                 false},
        MimeCase{"PlaintextInBinary", type + "Content-Transfer-Encoding: binary\r\n",
                 [](const auto&) { return "Dear Bob"; }, false},
        MimeCase{"EmptyBody", type + base64, [](const auto&) { return ""; }, false},
        MimeCase{"TextInFront", type + base64, [](const auto& der) { return "Dear\r\n" + base64_lines(der); }, false},
        MimeCase{"TextBehind", type + base64, [](const auto& der) { return base64_lines(der) + "Dear Bob!\r\n"; },
                 false},
        MimeCase{"Base64TextBehind", type + base64,
                 [](const auto& der) { return base64_lines(der) + base64_lines("Dear Bob"); }, false},
        MimeCase{"OctetBehindTheStructure", type + base64, [](const auto& der) { return base64_lines(der + "x"); },
                 false},
        MimeCase{"TwoStructures", type + base64, [](const auto& der) { return base64_lines(der + der); }, false},
        MimeCase{"Truncated", type + base64,
                 [](const auto& der) { return base64_lines(der.substr(0, der.size() - 1)); }, false},
        MimeCase{"TextBehindBinary", type + "Content-Transfer-Encoding: binary\r\n",
                 [](const auto& der) { return der + "Dear Bob"; }, false},
        MimeCase{
            "Pem", type + base64,
            [](const auto& der) { return "-----BEGIN CMS-----\r\n" + base64_lines(der) + "-----END CMS-----\r\n"; },
            false},
        MimeCase{"NoEncodingNamed", type, base64_lines, false},
        MimeCase{"QuotedPrintable", type + "Content-Transfer-Encoding: quoted-printable\r\n", base64_lines, false},
        MimeCase{"SevenBitWithBase64Text", type + "Content-Transfer-Encoding: 7bit\r\n", base64_lines, false},
        MimeCase{"CommentInTheEncoding", type + "Content-Transfer-Encoding: base64 (text)\r\n", base64_lines, false},
        MimeCase{"TwoEncodings", type + base64 + base64, base64_lines, false},
        MimeCase{"TwoTypes", type + "Content-Type: text/plain\r\n" + base64, base64_lines, false},
        MimeCase{"TheSameTypeTwice", type + type + base64, base64_lines, false},
        MimeCase{"CommentInTheType", "Content-Type: application/pkcs7-mime (Dear Bob)\r\n" + base64, base64_lines,
                 false},
        MimeCase{"CommentForAType", "Content-Type: (application/pkcs7-mime) text/plain\r\n" + base64, base64_lines,
                 false},
        MimeCase{"NoType", base64, base64_lines, false},
        MimeCase{"EmptyType", "Content-Type:\r\n" + base64, base64_lines, false},
        MimeCase{"TextType", "Content-Type: text/plain\r\n" + base64, base64_lines, false},
        MimeCase{"OctetStream", "Content-Type: application/octet-stream; name=smime.p7m\r\n" + base64, base64_lines,
                 false},
        MimeCase{"LongerType", "Content-Type: application/pkcs7-mime-x\r\n" + base64, base64_lines, false},
        MimeCase{"TypeInAParameter", "Content-Type: text/plain; x=application/pkcs7-mime\r\n" + base64, base64_lines,
                 false},
        MimeCase{"InsideMultipart", "Content-Type: multipart/mixed; boundary=b\r\n",
                 [](const auto& der) { return "--b\r\n" + smime(der) + "\r\n--b--\r\n"; }, false}),
    [](const auto& info) { return info.param.name; });

std::string tlv(int tag, const std::string& content) {
  std::string size;
  if (content.size() < 128) {
    size = static_cast<char>(content.size());
  } else {
    size = {static_cast<char>(0x82), static_cast<char>(content.size() >> 8U), static_cast<char>(content.size() & 255U)};
  }
  return std::string(1, static_cast<char>(tag)) + size + content;
}

/// A sealed structure in pieces, to be put together with one of them changed.
struct Pieces {
  std::string type, version, originator, infos, content_type, algorithm, content, mac, attributes;
  explicit Pieces(const std::string& cms) {
    auto rest = read_der(cms).value().content;
    type = take_der(rest).value().whole;
    auto data = read_der(read_der(rest).value().content).value().content;
    version = take_der(data).value().whole;
    infos = take_der(data).value().whole;
    auto encrypted = take_der(data).value().content;
    content_type = take_der(encrypted).value().whole;
    algorithm = take_der(encrypted).value().whole;
    content = take_der(encrypted).value().whole;
    mac = data;
  }
  [[nodiscard]] std::string join() const {
    const auto info = tlv(0x30, content_type + algorithm + content);
    return tlv(0x30, type + tlv(0xa0, tlv(0x30, version + originator + infos + info + attributes + mac)));
  }
  /// Parameters of the cipher replaced.
  void parameters(const std::string& octets) {
    auto fields = read_der(algorithm).value().content;
    algorithm = tlv(0x30, std::string(take_der(fields).value().whole) + octets);
  }
};

struct SurgeryCase {
  std::string name;
  std::function<void(Pieces&)> change;
  bool passes;
};
void PrintTo(const SurgeryCase& value, std::ostream* out) { *out << value.name; }

const std::string attribute =  // SEQUENCE { OID 1.2.3, SET { UTF8String } }
    tlv(0x30, std::string("\x06\x02\x2a\x03", 4) + tlv(0x31, tlv(0x0c, "Dear Bob, in clear")));
const std::string smime_letter = "Dear Bob, this is a letter in clear text, of 48 octets";

class CbcSurgery : public SmimeTest, public ::testing::WithParamInterface<SurgeryCase> {};
class GcmSurgery : public SmimeTest, public ::testing::WithParamInterface<SurgeryCase> {};

TEST_P(CbcSurgery, LeavesNoRoomForText) {
  Pieces pieces(shared_->cbc);
  GetParam().change(pieces);
  EXPECT_EQ(passes(smime(pieces.join())), GetParam().passes);
}
TEST_P(GcmSurgery, LeavesNoRoomForText) {
  Pieces pieces(shared_->gcm);
  GetParam().change(pieces);
  EXPECT_EQ(passes(smime(pieces.join())), GetParam().passes);
}

INSTANTIATE_TEST_SUITE_P(
    Structures, CbcSurgery,
    ::testing::Values(
        SurgeryCase{"Nothing", [](Pieces&) {}, true},
        SurgeryCase{"NoRecipients", [](Pieces& p) { p.infos = tlv(0x31, ""); }, false},
        SurgeryCase{"RecipientOfUnknownForm",
                    [](Pieces& p) {
                      p.infos = tlv(0x31, tlv(0xa4, std::string("\x06\x02\x2a\x03", 4) + tlv(0x0c, "Dear Bob")));
                    },
                    false},
        SurgeryCase{"DetachedContent", [](Pieces& p) { p.content.clear(); }, false},
        SurgeryCase{"EmptyContent", [](Pieces& p) { p.content = tlv(0x80, ""); }, false},
        SurgeryCase{"TextForCiphertext", [](Pieces& p) { p.content = tlv(0x80, smime_letter.substr(0, 48)); }, false},
        SurgeryCase{"Utf8TextForCiphertext",
                    [](Pieces& p) {
                      p.content = tlv(0x80,
                                      "Gr\xc3\xbc\xc3\x9f"
                                      "e an Bob");
                    },
                    false},
        SurgeryCase{"BrokenBlock", [](Pieces& p) { p.content = tlv(0x80, std::string(47, '\xff')); }, false},
        SurgeryCase{"UnprotectedAttributes", [](Pieces& p) { p.attributes = tlv(0xa1, attribute); }, false},
        SurgeryCase{"OriginatorInfo", [](Pieces& p) { p.originator = tlv(0xa0, ""); }, false},
        SurgeryCase{"TextForParameters", [](Pieces& p) { p.parameters(tlv(0x0c, "Dear Bob, here 16")); }, false},
        SurgeryCase{"LongParameters", [](Pieces& p) { p.parameters(tlv(0x04, smime_letter)); }, false},
        SurgeryCase{"NoParameters", [](Pieces& p) { p.parameters(""); }, false},
        SurgeryCase{"AuthenticatedTypeOverCbc",
                    [](Pieces& p) {
                      p.type = std::string("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 13);
                      p.mac = tlv(0x04, std::string(16, '\xff'));
                    },
                    false},
        SurgeryCase{"EncryptedDataType", [](Pieces& p) { p.type.back() = 6; }, false},
        SurgeryCase{"SignedDataType", [](Pieces& p) { p.type.back() = 2; }, false},
        SurgeryCase{"UnknownType", [](Pieces& p) { p.type.back() = 77; }, false}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Structures, GcmSurgery,
    ::testing::Values(SurgeryCase{"Nothing", [](Pieces&) {}, true},
                      SurgeryCase{"AuthenticatedAttributes", [](Pieces& p) { p.attributes = tlv(0xa1, attribute); },
                                  false},
                      SurgeryCase{"UnauthenticatedAttributes", [](Pieces& p) { p.mac += tlv(0xa2, attribute); }, false},
                      SurgeryCase{"NoTag", [](Pieces& p) { p.mac.clear(); }, false},
                      SurgeryCase{"TextForCiphertext", [](Pieces& p) { p.content = tlv(0x80, smime_letter); }, false},
                      SurgeryCase{"LongTag", [](Pieces& p) { p.mac = tlv(0x04, smime_letter); }, false}),
    [](const auto& info) { return info.param.name; });

TEST_F(SmimeTest, CompressedDataIsSealed) {
  const std::string data =
      tlv(0x30, std::string("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 11) + tlv(0xa0, tlv(0x04, smime_letter)));
  const std::string zlib = tlv(0x30, std::string("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08", 13));
  const std::string compressed = tlv(0x30, std::string("\x02\x01\x00", 3) + zlib + data);
  EXPECT_FALSE(passes(smime(
      tlv(0x30, std::string("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 13) + tlv(0xa0, compressed)))));
}

}  // namespace
}  // namespace sealpost
