// SPDX-License-Identifier: Apache-2.0
// The key vault: pairs from the pool and fresh ones, bound to an address for good; what a damaged pool does.
#include "crypto/key_vault.h"

#include <gmock/gmock.h>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "tests/support/metrics_text.h"
#include "tests/support/process.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class KeyVaultTest : public test::KeyTest {
 protected:
  static std::string public_key_of(const std::string& der) {
    const auto certificate = parse_certificate(der).value();
    const BioPtr memory(BIO_new(BIO_s_mem()));
    i2d_PUBKEY_bio(memory.get(), X509_get0_pubkey(certificate.get()));
    char* octets = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &octets);
    return {octets, static_cast<std::size_t>(size)};
  }
};

TEST_F(KeyVaultTest, MakingAPairIsTimedByItsType) {
  auto one = node();
  metrics::Registry registry;
  const auto timing = [&](const char* type) {
    return registry.timing("made_seconds", "Made.", {30}, {{"type", type}});
  };
  KeyVault vault(one->redis, one->master, one->authority, clock, one->random, {KeyType::P256, ContentCipher::Aes256Cbc},
                 log, {}, {{KeyType::P256, timing("p256")}, {KeyType::Rsa2048, timing("rsa2048")}});
  ASSERT_TRUE(vault.add_to_pool());
  EXPECT_EQ(pool_stock(one->redis, KeyType::P256).value(), 1U);
  EXPECT_EQ(pool_stock(one->redis, KeyType::Rsa2048).value(), 0U);
  ASSERT_TRUE(vault.bind(address("pooled@example.com")));
  ASSERT_TRUE(vault.bind(address("fresh@example.com")));
  const std::string text = registry.text({});
  EXPECT_EQ(test::sample(text, "made_seconds_count{type=\"p256\"}"), 2) << "for the pool, and for want of one there";
  EXPECT_EQ(test::sample(text, "made_seconds_count{type=\"rsa2048\"}"), 0);
}

class KeyVaultTypes : public KeyVaultTest, public ::testing::WithParamInterface<KeyType> {};
INSTANTIATE_TEST_SUITE_P(Types, KeyVaultTypes,
                         ::testing::Values(KeyType::Rsa2048, KeyType::Rsa3072, KeyType::Rsa4096, KeyType::P256),
                         [](const auto& info) { return std::string(to_text(info.param)); });

TEST_P(KeyVaultTypes, PairIsOfTheConfiguredTypeAndOpensAsPkcs12) {
  auto one = node(GetParam());
  const auto pair = one->vault.bind(address("bob@example.com")).value();
  const auto certificate = parse_certificate(pair.certificate).value();
  EXPECT_TRUE(is_of_type(X509_get0_pubkey(certificate.get()), GetParam()));
  EXPECT_EQ(pair.fingerprint, certificate_fingerprint(pair.certificate));
  const auto file = one->vault
                        .export_pkcs12("bob@example.com", pair.fingerprint, pair.certificate, pair.wrapped_key,
                                       Pkcs12Format::Modern, Secret::copy_of("my own password"))
                        .value();
  EXPECT_TRUE(file.password.equals("my own password"));
  const auto shown = test::run({"openssl", "pkcs12", "-nodes", "-nocerts", "-passin", "env:P"},
                               std::string(view(file.octets)), {{"P", "my own password"}});
  EXPECT_EQ(shown.status, 0) << shown.err;
  const auto own = test::run({"openssl", "pkey", "-pubout", "-outform", "DER"}, shown.out);
  EXPECT_EQ(own.out, public_key_of(pair.certificate));
}

TEST_F(KeyVaultTest, PairFromThePoolIsBoundToTheAddressAndLeavesThePool) {
  auto one = node();
  ASSERT_TRUE(one->vault.add_to_pool());
  ASSERT_TRUE(one->vault.add_to_pool());
  EXPECT_EQ(*one->vault.pool_stock(), 2U);
  const auto pair = one->vault.bind(address("bob@example.com")).value();
  EXPECT_THAT(pair.placeholder, MatchesRegex("pool-[0-9A-Z]{26}@pool[.]invalid"));
  EXPECT_EQ(*one->vault.pool_stock(), 1U);
  EXPECT_EQ(X509_check_email(parse_certificate(pair.certificate)->get(), "bob@example.com", 0, 0), 1);
  EXPECT_EQ(pair.certificate.find("pool.invalid"), std::string::npos);
}

TEST_F(KeyVaultTest, EmptyPoolMeansAFreshPair) {
  auto one = node();
  const auto a = one->vault.bind(address("a@example.com")).value();
  const auto b = one->vault.bind(address("b@example.com")).value();
  EXPECT_TRUE(a.placeholder.empty());
  EXPECT_NE(public_key_of(a.certificate), public_key_of(b.certificate));
}

TEST_F(KeyVaultTest, PairThatWasNotUsedServesTheNext) {
  auto one = node();
  ASSERT_TRUE(one->vault.add_to_pool());
  const auto unused = one->vault.bind(address("a@example.com")).value();
  ASSERT_TRUE(one->vault.give_back(unused));
  EXPECT_EQ(*one->vault.pool_stock(), 1U);
  const auto next = one->vault.bind(address("b@example.com")).value();
  EXPECT_EQ(next.placeholder, unused.placeholder);
  EXPECT_NE(next.fingerprint, unused.fingerprint);
}

TEST_F(KeyVaultTest, AddressThatCannotStandInACertificateCostsThePoolNothing) {
  auto one = node();
  ASSERT_TRUE(one->vault.add_to_pool());
  const auto refused = one->vault.bind(address("\"a b\"@example.com"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(*one->vault.pool_stock(), 1U);
}

TEST_F(KeyVaultTest, DomainsHaveKeyTypesOfTheirOwn) {
  key_domains["p256.example"].key_type = KeyType::P256;
  key_domains["rsa.example"].key_type = KeyType::Rsa2048;
  auto ec = node(KeyType::P256);
  auto rsa = node(KeyType::Rsa2048);
  ASSERT_TRUE(ec->vault.add_to_pool());
  ASSERT_TRUE(rsa->vault.add_to_pool());
  const auto type_of = [](const BoundPair& pair, KeyType type) {
    return is_of_type(X509_get0_pubkey(parse_certificate(pair.certificate)->get()), type);
  };
  EXPECT_EQ(rsa->vault.stock_for(address("a@example.com")).value(), 1U);
  EXPECT_EQ(rsa->vault.stock_for(address("a@p256.example")).value(), std::nullopt) << "made at once";
  EXPECT_EQ(ec->vault.stock_for(address("a@p256.example")).value(), 1U);
  EXPECT_EQ(ec->vault.stock_for(address("a@rsa.example")).value(), 1U);
  auto pair = ec->vault.bind(address("a@rsa.example")).value();
  EXPECT_TRUE(type_of(pair, KeyType::Rsa2048));
  EXPECT_FALSE(pair.placeholder.empty()) << "a pair that is ready is used, whoever made it";
  EXPECT_EQ(ec->vault.stock_for(address("a@rsa.example")).value(), 0U);
  ASSERT_TRUE(ec->vault.give_back(pair));
  EXPECT_EQ(ec->vault.stock_for(address("a@rsa.example")).value(), 1U) << "where it came from";
  EXPECT_EQ(*ec->vault.pool_stock(), 1U);
  EXPECT_TRUE(type_of(ec->vault.bind(address("a@sub.rsa.example")).value(), KeyType::P256)) << "the very domain";
  EXPECT_TRUE(type_of(rsa->vault.bind(address("a@P256.example")).value(), KeyType::P256)) << "made afresh";
}

TEST_F(KeyVaultTest, PoolOfAnotherKeyTypeIsNotUsed) {
  auto rsa = node(KeyType::Rsa2048);
  ASSERT_TRUE(rsa->vault.add_to_pool());
  auto ec = node(KeyType::P256);
  EXPECT_EQ(*ec->vault.pool_stock(), 0U);
  EXPECT_TRUE(ec->vault.bind(address("a@example.com"))->placeholder.empty());
  // Not even when somebody moved the entry.
  ASSERT_TRUE(ec->redis.command({"RENAME", "keys:pool:rsa2048", "keys:pool:p256"}));
  const auto pair = ec->vault.bind(address("b@example.com")).value();
  EXPECT_TRUE(pair.placeholder.empty());
  EXPECT_TRUE(is_of_type(X509_get0_pubkey(parse_certificate(pair.certificate)->get()), KeyType::P256));
}

TEST_F(KeyVaultTest, DamagedEntriesAreSkipped) {
  auto one = node();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(one->redis.command({"RPUSH", "keys:pool:p256", "pool-x@pool.invalid garbage"}));
  ASSERT_TRUE(one->redis.command({"RPUSH", "keys:pool:p256", "no-space"}));
  ASSERT_TRUE(one->vault.add_to_pool());
  EXPECT_FALSE(one->vault.bind(address("a@example.com"))->placeholder.empty());
  EXPECT_EQ(*one->vault.pool_stock(), 0U);
}

TEST_F(KeyVaultTest, PoolFullOfGarbageHoldsNobodyUp) {
  auto one = node();
  redis::Command push = {"RPUSH", "keys:pool:p256"};
  push.insert(push.end(), 1000, "garbage");
  ASSERT_TRUE(one->redis.command(push));
  EXPECT_TRUE(one->vault.bind(address("a@example.com"))->placeholder.empty());
  EXPECT_GT(*one->vault.pool_stock(), 900U);
}

TEST_F(KeyVaultTest, WrappedKeyOpensForItsAddressAndCertificateOnly) {
  auto one = node();
  const auto a = one->vault.bind(address("a@example.com")).value();
  const auto b = one->vault.bind(address("a@example.com")).value();
  const auto opens = [&](const std::string& mailbox, const BoundPair& certificate, const std::string& key) {
    return one->vault
        .export_pkcs12(mailbox, certificate.fingerprint, certificate.certificate, key, Pkcs12Format::Compatible, {})
        .ok();
  };
  EXPECT_TRUE(opens("a@example.com", a, a.wrapped_key));
  EXPECT_FALSE(opens("eve@example.com", a, a.wrapped_key));
  EXPECT_FALSE(opens("a@example.com", b, a.wrapped_key));
}

TEST_F(KeyVaultTest, GenerationIsAbandonedOnRequest) {
  std::stop_source stop;
  stop.request_stop();
  auto one = node(KeyType::Rsa4096);
  const auto added = one->vault.add_to_pool(stop.get_token());
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::Temporary);
  EXPECT_EQ(*one->vault.pool_stock(), 0U);
}

}  // namespace
}  // namespace sealpost
