// SPDX-License-Identifier: Apache-2.0
// What the cache of verified passwords takes for known.
#include "relay/password_cache.h"

#include <gtest/gtest.h>

#include "tests/support/fakes.h"

namespace sealpost::test {
namespace {

class PasswordCacheTest : public testing::Test {
 protected:
  static Secret secret(std::string_view text) { return Secret::copy_of(text); }
  SeededRandom random;
  ManualClock clock;
  PasswordCache cache{random, clock};
  ScramVerifier verifier{"salt", 4096, std::string(32, 'k'), std::string(32, 's')};
};

TEST_F(PasswordCacheTest, KnowsWhatItWasToldForThatAccountOnly) {
  EXPECT_FALSE(cache.knows("crm", verifier, secret("right")));
  cache.remember("crm", verifier, secret("right"));
  EXPECT_TRUE(cache.knows("crm", verifier, secret("right")));
  EXPECT_FALSE(cache.knows("crm", verifier, secret("wrong")));
  EXPECT_FALSE(cache.knows("erp", verifier, secret("right")));
}

TEST_F(PasswordCacheTest, AnotherVerifierMisses) {
  cache.remember("crm", verifier, secret("right"));
  verifier.stored_key[0] = 'x';
  EXPECT_FALSE(cache.knows("crm", verifier, secret("right"))) << "the password was changed meanwhile";
}

TEST_F(PasswordCacheTest, NothingShiftsBetweenNameAndPassword) {
  cache.remember("crm", verifier, secret(std::string("a\0b", 3)));
  EXPECT_FALSE(cache.knows("cr", verifier, secret(std::string("ma\0b", 4))));
}

TEST_F(PasswordCacheTest, ForgetsAfterMinutes) {
  cache.remember("crm", verifier, secret("right"));
  clock.advance(std::chrono::minutes(5) - Duration(1));
  EXPECT_TRUE(cache.knows("crm", verifier, secret("right")));
  clock.advance(Duration(1));
  EXPECT_FALSE(cache.knows("crm", verifier, secret("right")));
}

TEST_F(PasswordCacheTest, AnotherProcessKnowsNothing) {
  cache.remember("crm", verifier, secret("right"));
  SeededRandom other(2);
  EXPECT_FALSE(PasswordCache(other, clock).knows("crm", verifier, secret("right")));
}

}  // namespace
}  // namespace sealpost::test
