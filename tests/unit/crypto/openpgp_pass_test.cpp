// SPDX-License-Identifier: Apache-2.0
// What passes as OpenPGP that is encrypted already, made by gpg; and what only looks like it, which must be sealed.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>

#include "base/encoding.h"
#include "crypto/openpgp_packets.h"
#include "crypto/submitted_message.h"
#include "tests/support/gnupg_home.h"

namespace sealpost {
namespace {

using Argv = std::vector<std::string>;

std::string with_crlf(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n' && !result.ends_with('\r')) result += '\r';
    result += c;
  }
  return result;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// A key, and one message in both forms, for all cases.
class OpenPgpTest : public ::testing::Test {
 protected:
  struct Shared {
    test::GnupgHome home;
    std::string binary;
    std::string armour;
    Shared() {
      const auto made =
          home.gpg({"--passphrase", "", "--quick-gen-key", "bob@example.com", "future-default", "default", "never"});
      EXPECT_EQ(made.status, 0) << made.err;
      binary = encrypt({});
      armour = with_crlf(encrypt({"--armor"}));
    }
    [[nodiscard]] std::string encrypt(Argv options) const {
      options.insert(options.end(), {"--trust-model", "always", "--recipient", "bob@example.com", "--encrypt"});
      const auto made = home.gpg(options, "Dear Bob,\r\n");
      EXPECT_EQ(made.status, 0) << made.err;
      return made.out;
    }
  };
  static void SetUpTestSuite() {
    if (!shared_) shared_ = std::make_unique<Shared>();
  }
  static void TearDownTestSuite() { shared_.reset(); }
  static std::unique_ptr<Shared> shared_;
};
std::unique_ptr<OpenPgpTest::Shared> OpenPgpTest::shared_;

struct OpenpgpPassToolCase {
  std::string name;
  Argv options;
  bool passes;
  std::size_t size = 100;
};
void PrintTo(const OpenpgpPassToolCase& value, std::ostream* out) { *out << value.name; }

class GpgMade : public OpenPgpTest, public ::testing::WithParamInterface<OpenpgpPassToolCase> {};

TEST_P(GpgMade, PassesOrNot) {
  std::string input;
  for (int line = 0; input.size() < GetParam().size; ++line) input += "line " + std::to_string(line * 7919) + "\r\n";
  const auto made = shared_->home.gpg(GetParam().options, input);
  ASSERT_EQ(made.status, 0) << made.err;
  const bool armoured = made.out.starts_with("-----");
  EXPECT_EQ(is_openpgp_encrypted(armoured ? with_crlf(made.out) : made.out), GetParam().passes);
}

Argv to_bob(Argv options) {
  options.insert(options.end(), {"--trust-model", "always", "-r", "bob@example.com", "--encrypt"});
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Messages, GpgMade,
    ::testing::Values(OpenpgpPassToolCase{"Binary", to_bob({}), true},
                      OpenpgpPassToolCase{"Armoured", to_bob({"--armor"}), true},
                      OpenpgpPassToolCase{"HiddenRecipient", to_bob({"--throw-keyids"}), true},
                      OpenpgpPassToolCase{"Uncompressed", to_bob({"--compress-algo", "none"}), true},
                      OpenpgpPassToolCase{"Signed", to_bob({"--sign"}), true},
                      OpenpgpPassToolCase{"VersionLine", to_bob({"--armor", "--emit-version"}), true},
                      OpenpgpPassToolCase{"TripleDes", to_bob({"--cipher-algo", "3DES"}), true},
                      OpenpgpPassToolCase{"PartialLengths", to_bob({"--compress-algo", "none"}), true, 300'000},
                      OpenpgpPassToolCase{"PartialLengthsArmoured", to_bob({"--armor"}), true, 300'000},
                      OpenpgpPassToolCase{"Password", {"--passphrase", "x", "--symmetric"}, true},
                      OpenpgpPassToolCase{"PasswordAndKey",
                                          {"--passphrase", "x", "--trust-model", "always", "-r", "bob@example.com",
                                           "--symmetric", "--encrypt"},
                                          true},
                      OpenpgpPassToolCase{"CommentInTheArmour", to_bob({"--armor", "--comment", "Dear Bob"}), false},
                      OpenpgpPassToolCase{"SignedOnly", {"--sign"}, false},
                      OpenpgpPassToolCase{"SignedOnlyArmoured", {"--armor", "--sign"}, false},
                      OpenpgpPassToolCase{"ClearSigned", {"--clear-sign"}, false},
                      OpenpgpPassToolCase{"DetachedSignature", {"--armor", "--detach-sign"}, false},
                      OpenpgpPassToolCase{"Literal", {"--store"}, false},
                      OpenpgpPassToolCase{"LiteralUncompressed", {"--compress-algo", "none", "--store"}, false},
                      OpenpgpPassToolCase{"PublicKey", {"--export", "bob@example.com"}, false}),
    [](const auto& info) { return info.param.name; });

/// A packet of the new format with a length of one, two or five octets.
std::string packet(unsigned tag, const std::string& body) {
  std::string head(1, static_cast<char>(0xc0U | tag));
  if (body.size() < 192) return head + static_cast<char>(body.size()) + body;
  const auto size = static_cast<unsigned>(body.size());
  head += '\xff';
  for (const unsigned shift : {24U, 16U, 8U, 0U}) head += static_cast<char>(size >> shift & 255U);
  return head + body;
}

const std::string letter = "Dear Bob, this is a letter in clear text, of some length. ";
const std::string noise = [] {
  std::string octets;
  for (unsigned i = 0; i < 120; ++i) octets += static_cast<char>((i * 73U + 129U) | 0x80U);
  return octets;
}();
const std::string session_key = packet(1, std::string("\x03"
                                                      "12345678"
                                                      "\x01",
                                                      10) +
                                              noise);
const std::string password_key = packet(3, std::string("\x04\x09\x03\x08"
                                                       "saltsalt"
                                                       "\x60",
                                                       13));
const std::string data = packet(18, "\x01" + noise);
const std::string literal = packet(11, std::string("b\0\0\0\0\0", 6) + letter);

struct PacketCase {
  std::string name;
  std::string octets;
  bool passes;
};
void PrintTo(const PacketCase& value, std::ostream* out) { *out << value.name; }

class Packets : public ::testing::TestWithParam<PacketCase> {};

TEST_P(Packets, AreOneEncryptedMessageOrNot) { EXPECT_EQ(is_openpgp_encrypted(GetParam().octets), GetParam().passes); }

INSTANTIATE_TEST_SUITE_P(
    Sequences, Packets,
    ::testing::Values(PacketCase{"KeyThenData", session_key + data, true},
                      PacketCase{"PasswordThenData", password_key + data, true},
                      PacketCase{"SeveralKeysThenData", session_key + password_key + session_key + data, true},
                      PacketCase{"DataWithoutIntegrity", session_key + packet(9, noise), true},
                      PacketCase{"DataOfVersion2", session_key + packet(18, "\x02" + noise), true},
                      PacketCase{"AeadData", session_key + packet(20, "\x01" + noise), true},
                      PacketCase{"Empty", "", false}, PacketCase{"Text", letter, false},
                      PacketCase{"KeyOnly", session_key, false}, PacketCase{"DataOnly", data, false},
                      PacketCase{"KeyBehindTheData", data + session_key, false},
                      PacketCase{"LiteralBehindTheData", session_key + data + literal, false},
                      PacketCase{"LiteralInsteadOfData", session_key + literal, false},
                      PacketCase{"LiteralInFront", literal + session_key + data, false},
                      PacketCase{"LiteralBetween", session_key + literal + data, false},
                      PacketCase{"TwoMessages", session_key + data + session_key + data, false},
                      PacketCase{"TwoDataPackets", session_key + data + data, false},
                      PacketCase{"MarkerInFront", packet(10, "PGP") + session_key + data, false},
                      PacketCase{"UnknownPacketInFront", packet(60, letter) + session_key + data, false},
                      PacketCase{"TextBehind", session_key + data + letter, false},
                      PacketCase{"OctetBehind", session_key + data + "\n", false},
                      PacketCase{"TextForData", session_key + packet(18, "\x01" + letter), false},
                      PacketCase{"TextForDataWithoutIntegrity", session_key + packet(9, letter), false},
                      PacketCase{"DataOfUnknownVersion", session_key + packet(18, "\x07" + noise), false},
                      PacketCase{"DataTooShort", session_key + packet(18, "\x01\xff"), false},
                      PacketCase{"DataWithoutContent", session_key + packet(18, ""), false},
                      PacketCase{"TextForAKey", packet(1, letter) + data, false},
                      PacketCase{"TextForAPassword", packet(3, letter) + data, false},
                      PacketCase{"LongTextInAKey", packet(1, "\x03" + std::string(5000, 'x')) + data, false},
                      PacketCase{"LongTextInAPassword", packet(3, "\x04" + std::string(300, 'x')) + data, false},
                      PacketCase{"KeyWithoutContent", packet(1, "") + data, false},
                      PacketCase{"LengthBeyondTheEnd", session_key + "\xd2\xff\xff\xff\xff\xff" + noise, false},
                      PacketCase{"LengthCutOff", session_key + "\xd2\xff\x01", false},
                      PacketCase{"TwoOctetLengthCutOff", session_key + "\xd2\xc1", false},
                      PacketCase{"NoLength", session_key + "\xd2", false},
                      PacketCase{"PartialWithoutEnd", session_key + "\xd2\xe4\x01" + noise.substr(0, 15), false},
                      PacketCase{"OldFormatIndeterminateLength", session_key + "\xa7" + noise, false},
                      PacketCase{"OldFormatCutOff", session_key + "\xa5\x01", false},
                      PacketCase{"OldFormatOfData", session_key + std::string("\xa4\x78", 2) + noise, true}),
    [](const auto& info) { return info.param.name; });

/// One change to a message that passes: `from` is replaced by `to`.
struct ChangeCase {
  std::string name;
  std::string from;
  std::string to;
  bool passes;
};
void PrintTo(const ChangeCase& value, std::ostream* out) { *out << value.name; }

class PgpMime : public OpenPgpTest, public ::testing::WithParamInterface<ChangeCase> {
 protected:
  [[nodiscard]] static std::string message() {
    return "MIME-Version: 1.0\r\n"
           "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=\"b1\"\r\n"
           "\r\n"
           "--b1\r\n"
           "Content-Type: application/pgp-encrypted\r\n"
           "\r\n"
           "Version: 1\r\n"
           "\r\n"
           "--b1\r\n"
           "Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\n"
           "\r\n" +
           shared_->armour +
           "\r\n"
           "--b1--\r\n";
  }
};

TEST_P(PgpMime, PassesOrIsSealed) {
  const auto changed = replaced(message(), GetParam().from, GetParam().to);
  const auto split = split_message(changed);
  ASSERT_TRUE(split);
  EXPECT_EQ(is_already_encrypted(*split), GetParam().passes) << changed;
}

const std::string control = "Content-Type: application/pgp-encrypted\r\n";
const std::string octets = "Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\n";
const std::string begin = "-----BEGIN PGP MESSAGE-----\r\n";
const std::string end = "-----END PGP MESSAGE-----\r\n";
const std::string part = "\r\n--b1\r\nContent-Type: text/plain\r\n\r\nDear Bob\r\n--b1--\r\n";

INSTANTIATE_TEST_SUITE_P(
    Accepted, PgpMime,
    ::testing::Values(ChangeCase{"Unchanged", "b1", "b1", true},
                      ChangeCase{"FoldedOtherCaseUnquoted",
                                 "multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n boundary=\"b1\"",
                                 "Multipart/ENCRYPTED;\r\n\tBOUNDARY=b1;\r\n protocol=x", true},
                      ChangeCase{"EmptyLineInFront", "\r\n\r\n--b1", "\r\n\r\n\r\n--b1", true},
                      ChangeCase{"EmptyLinesBehind", "--b1--\r\n", "--b1--\r\n\r\n\r\n", true},
                      ChangeCase{"NoLineEndBehind", "--b1--\r\n", "--b1--", true},
                      ChangeCase{"DescribedParts", control,
                                 control + "Content-Description: PGP/MIME version identification\r\n", true},
                      ChangeCase{"InlineDisposition", octets,
                                 octets + "Content-Description: OpenPGP encrypted message\r\nContent-Disposition: "
                                          "inline; filename=\"encrypted.asc\"\r\n",
                                 true},
                      ChangeCase{"SevenBitPart", octets, octets + "Content-Transfer-Encoding: 7bit\r\n", true},
                      ChangeCase{"SevenBitMessage", "MIME-Version: 1.0\r\n",
                                 "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7Bit\r\n", true},
                      ChangeCase{"EmptyLineBeforeTheArmour", begin, "\r\n" + begin, true},
                      ChangeCase{"ArmourVersion", begin, begin + "Version: GnuPG v2\r\n", true}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    SealedForItsMime, PgpMime,
    ::testing::Values(
        ChangeCase{"Preamble", "\r\n\r\n--b1", "\r\n\r\nDear Bob\r\n--b1", false},
        ChangeCase{"Epilogue", "--b1--\r\n", "--b1--\r\nDear Bob\r\n", false},
        ChangeCase{"TextBehindTheLastBoundary", "--b1--\r\n", "--b1--Dear Bob\r\n", false},
        ChangeCase{"ThirdPart", "\r\n--b1--\r\n", part, false},
        ChangeCase{"PartInFront", "--b1\r\n", "--b1\r\nContent-Type: text/plain\r\n\r\nDear Bob\r\n--b1\r\n", false},
        ChangeCase{"OnePartMissing", "--b1\r\n" + control + "\r\nVersion: 1\r\n\r\n", "", false},
        ChangeCase{"NoLastBoundary", "--b1--\r\n", "", false},
        ChangeCase{"OtherType", "multipart/encrypted", "multipart/mixed", false},
        ChangeCase{"CommentInTheType", "multipart/encrypted;", "multipart/encrypted (Dear Bob);", false},
        ChangeCase{"TwoTypes", "MIME-Version: 1.0\r\n", "Content-Type: text/plain\r\n", false},
        ChangeCase{"TwoBoundaries", "boundary=\"b1\"", "boundary=\"b1\"; boundary=\"b2\"", false},
        ChangeCase{"NoBoundary", "; protocol=\"application/pgp-encrypted\";\r\n boundary=\"b1\"", "", false},
        ChangeCase{"EmptyBoundary", "boundary=\"b1\"", "boundary=\"\"", false},
        ChangeCase{"OtherBoundary", "boundary=\"b1\"", "boundary=\"b2\"", false},
        ChangeCase{"Base64Message", "MIME-Version: 1.0\r\n", "Content-Transfer-Encoding: base64\r\n", false},
        ChangeCase{"Base64Part", octets, octets + "Content-Transfer-Encoding: base64\r\n", false},
        ChangeCase{"QuotedPrintablePart", octets, octets + "Content-Transfer-Encoding: quoted-printable\r\n", false},
        ChangeCase{"ControlOfOtherType", control, "Content-Type: text/plain\r\n", false},
        ChangeCase{"DataOfOtherType", octets, "Content-Type: text/plain\r\n", false},
        ChangeCase{"OtherVersion", "Version: 1\r\n", "Version: 2\r\n", false},
        ChangeCase{"TextBehindTheVersion", "Version: 1\r\n", "Version: 1\r\nDear Bob\r\n", false},
        ChangeCase{"ForeignFieldInAPart", octets, octets + "X-Text: Dear Bob\r\n", false},
        ChangeCase{"SubjectInAPart", control, control + "Subject: Dear Bob\r\n", false},
        ChangeCase{"LongDescription", octets, octets + "Content-Description: " + letter + letter + letter + "\r\n",
                   false},
        ChangeCase{"FoldedLongDescription", octets,
                   octets + "Content-Description: " + letter + "\r\n " + letter + "\r\n " + letter + "\r\n", false},
        ChangeCase{"ManyDescriptions", octets, octets + "Content-Description: Dear\r\nContent-Description: Bob\r\n",
                   false},
        ChangeCase{"LongFileName", "encrypted.asc", letter + letter + letter, false}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    SealedForItsArmour, PgpMime,
    ::testing::Values(ChangeCase{"TextInFrontOfTheArmour", begin, "Dear Bob\r\n" + begin, false},
                      ChangeCase{"TextBehindTheArmour", end, end + "Dear Bob\r\n", false},
                      ChangeCase{"TextBehindTheEndLine", end, "-----END PGP MESSAGE-----Dear Bob\r\n", false},
                      ChangeCase{"SecondArmour", end, end + begin + "\r\nAAAA\r\n" + end, false},
                      ChangeCase{"PlaintextInArmour", begin + "\r\n", begin + "\r\nDear Bob\r\n", false},
                      ChangeCase{"Comment", begin, begin + "Comment: Dear Bob\r\n", false},
                      ChangeCase{"Hash", begin, begin + "Hash: SHA256\r\n", false},
                      ChangeCase{"UnknownArmourHeader", begin, begin + "Dear: Bob\r\n", false},
                      ChangeCase{"LongVersion", begin, begin + "Version: " + letter + letter + "\r\n", false},
                      ChangeCase{"ManyVersions", begin, begin + "Version: Dear\r\nVersion: Bob\r\n", false},
                      ChangeCase{"NoEmptyLineBehindTheHeaders", begin + "\r\n", begin, false},
                      ChangeCase{"NoBegin", begin, "", false}, ChangeCase{"NoEnd", end, "", false},
                      ChangeCase{"WrongChecksum", "\r\n=", "\r\n=A", false},
                      ChangeCase{"SignatureArmour", "BEGIN PGP MESSAGE", "BEGIN PGP SIGNATURE", false},
                      ChangeCase{"SplitMessage", "BEGIN PGP MESSAGE", "BEGIN PGP MESSAGE, PART 1/2", false}),
    [](const auto& info) { return info.param.name; });

TEST_F(OpenPgpTest, BinaryPartPassesAndTextBehindItDoesNot) {
  EXPECT_TRUE(is_openpgp_encrypted(shared_->binary));
  EXPECT_FALSE(is_openpgp_encrypted(shared_->binary + letter));
  EXPECT_FALSE(is_openpgp_encrypted(shared_->binary + shared_->binary));
  EXPECT_FALSE(is_openpgp_encrypted(shared_->binary.substr(0, shared_->binary.size() - 1)));
}

TEST_F(OpenPgpTest, ArmourWithoutChecksumPasses) {
  const auto at = shared_->armour.rfind("\r\n=") + 2;
  auto without = shared_->armour;
  without.erase(at, shared_->armour.find("\r\n", at) + 2 - at);
  EXPECT_TRUE(is_openpgp_encrypted(without));
}

}  // namespace
}  // namespace sealpost
