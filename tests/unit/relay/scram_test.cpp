// SPDX-License-Identifier: Apache-2.0
// SCRAM-SHA-256 against RFC 7677's example, and against clients that get something wrong.
#include "relay/scram.h"

#include <gtest/gtest.h>

#include <ostream>

#include "base/encoding.h"
#include "tests/support/fakes.h"
#include "tests/support/scram_client.h"

namespace sealpost::test {
namespace {

/// Gives the octets whose base64url form is the server's part of the nonce in RFC 7677 section 3, cut to 18 octets.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::string octets) : octets_(std::move(octets)) {}
  void fill(std::span<unsigned char> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<unsigned char>(octets_[i % octets_.size()]);
  }

 private:
  std::string octets_;
};

const std::string salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();

/// The nonce of the RFC's server holds characters that ours never makes; so what is checked against the RFC is what
/// hangs on no nonce, and the whole exchange against a client written from the RFC, which is checked against the RFC's
/// example in turn.
TEST(ScramVector, VerifierOfRfc7677) {
  const ScramVerifier verifier = make_scram_verifier(Secret::copy_of("pencil"), salt, 4096);
  const std::string message =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i="
      "4096,"
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  EXPECT_EQ(to_base64(hmac_sha256(verifier.server_key, message)), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  const auto proof = from_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").value();
  std::string client_key = hmac_sha256(verifier.stored_key, message);
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ proof[i]);
  EXPECT_EQ(to_hex(sha256(client_key)), to_hex(verifier.stored_key));
}

TEST(ScramVector, TheTestsClientFollowsRfc7677) {
  ScramClient client("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(client.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(
      client.final("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_EQ(client.expected_signature(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramVerifierTest, FitsItsPasswordOnly) {
  const ScramVerifier verifier = make_scram_verifier(Secret::copy_of("pencil"), salt, 4096);
  EXPECT_TRUE(fits(verifier, Secret::copy_of("pencil")));
  for (const char* wrong : {"", "Pencil", "pencil ", "pencils"})
    EXPECT_FALSE(fits(verifier, Secret::copy_of(wrong))) << wrong;
}

class ScramExchangeTest : public testing::Test {
 protected:
  Result<std::string> run(const ScramClient& client_in, const std::string& first) {
    ScramClient client = client_in;
    auto exchange = ScramExchange::begin(first, random);
    if (!exchange) return exchange.error();
    name = exchange->name();
    const std::string challenge = exchange->challenge(verifier);
    return exchange->finish(client.final(challenge));
  }
  SeededRandom random;
  ScramVerifier verifier = make_scram_verifier(Secret::copy_of("pencil"), salt, 4096);
  std::string name;
};

TEST_F(ScramExchangeTest, TheRightPasswordIsAnsweredWithTheServersSignature) {
  ScramClient client("app", "pencil", "nonce");
  auto exchange = ScramExchange::begin(client.first(), random).value();
  const std::string final = client.final(exchange.challenge(verifier));
  EXPECT_EQ(exchange.finish(final).value(), client.expected_signature());
}

TEST_F(ScramExchangeTest, AWrongPasswordIsNot) {
  ScramClient client("app", "pencils", "nonce");
  EXPECT_FALSE(run(client, client.first()));
}

TEST_F(ScramExchangeTest, NamesAreDecoded) {
  ScramClient client("a,b=c", "pencil", "nonce");
  EXPECT_EQ(client.first(), "n,,n=a=2Cb=3Dc,r=nonce");
  EXPECT_TRUE(run(client, client.first()));
  EXPECT_EQ(name, "a,b=c");
}

TEST_F(ScramExchangeTest, NoncesAreNotRepeated) {
  const std::string first = "n,,n=app,r=nonce";
  EXPECT_NE(ScramExchange::begin(first, random).value().challenge(verifier),
            ScramExchange::begin(first, random).value().challenge(verifier));
}

struct First {
  const char* name;
  std::string message;
};
void PrintTo(const First& first, std::ostream* out) { *out << first.name; }
class BadFirst : public testing::TestWithParam<First> {};
TEST_P(BadFirst, IsRefused) {
  SeededRandom random;
  EXPECT_FALSE(ScramExchange::begin(GetParam().message, random));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadFirst,
    testing::Values(First{"Empty", ""}, First{"NoHeader", "n=app,r=nonce"},
                    First{"Binding", "p=tls-unique,,n=app,r=nonce"}, First{"OtherFlag", "x,,n=app,r=nonce"},
                    First{"OtherIdentity", "n,a=ceo,n=app,r=nonce"}, First{"NoName", "n,,r=nonce"},
                    First{"EmptyName", "n,,n=,r=nonce"}, First{"NoNonce", "n,,n=app"},
                    First{"EmptyNonce", "n,,n=app,r="}, First{"OverlongNonce", "n,,n=app,r=" + std::string(257, 'x')},
                    First{"Extension", "n,,m=x,n=app,r=nonce"}, First{"LowerCaseEscape", "n,,n=a=2c,r=nonce"},
                    First{"OtherEscape", "n,,n=a=41,r=nonce"}, First{"HalfEscape", "n,,n=a=2,r=nonce"},
                    First{"EscapeAtTheEnd", "n,,n=a=,r=nonce"}),
    [](const auto& info) { return info.param.name; });

/// What is changed in a right client-final-message.
struct Final {
  const char* name;
  std::string from;
  std::string to;
};
void PrintTo(const Final& final, std::ostream* out) { *out << final.name; }
class BadFinal : public testing::TestWithParam<Final> {};
TEST_P(BadFinal, IsRefused) {
  SeededRandom random;
  ScramClient client("app", "pencil", "nonce");
  auto exchange = ScramExchange::begin(client.first(), random).value();
  std::string final = client.final(exchange.challenge(make_scram_verifier(Secret::copy_of("pencil"), salt, 4096)));
  const auto at = final.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  final.replace(at, GetParam().to == "nothing" ? std::string::npos : GetParam().from.size(),
                GetParam().to == "nothing" ? "" : GetParam().to);
  EXPECT_FALSE(exchange.finish(final)) << final;
}
INSTANTIATE_TEST_SUITE_P(All, BadFinal,
                         testing::Values(Final{"OtherNonce", "r=nonce", "r=nonsense"},
                                         Final{"NoBinding", "c=biws,", ""}, Final{"OtherBinding", "c=biws", "c=eSws"},
                                         Final{"NoProof", ",p=", "nothing"}, Final{"EmptyProof", ",p=", ",p=,x="},
                                         Final{"ProofNotBase64", ",p=", ",p=!"},
                                         Final{"ShortProof", ",p=", ",p=AAAA,q="}, Final{"Extension", ",p=", ",x=y,p="},
                                         Final{"Empty", "c=", "nothing"}),
                         [](const auto& info) { return info.param.name; });

TEST(ScramVector, FixedRandomIsUsedForTheNonce) {
  FixedRandom random("octets");
  auto exchange = ScramExchange::begin("n,,n=user,r=client", random).value();
  EXPECT_EQ(exchange.challenge(make_scram_verifier(Secret::copy_of("pencil"), salt, 4096)),
            "r=client" + to_base64url("octetsoctetsoctets") + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
}

}  // namespace
}  // namespace sealpost::test
