// SPDX-License-Identifier: Apache-2.0
// A destroyed private key leaves Redis' files, too.
#include "crypto/store_rewrite.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "crypto/address_entries.h"
#include "crypto/directory_entry.h"
#include "tests/support/eventually.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
const std::string bob_address = "bob@example.com";

class StoreRewriteTest : public test::KeyTest {
 protected:
  std::string files() const {
    std::string octets;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(server.directory().path())) {
      std::error_code gone;  // a rewrite removes what it replaced
      if (entry.is_regular_file(gone)) octets += test::read_file(entry.path());
    }
    return octets;
  }
  bool marked(const std::string& mailbox = bob_address) {
    return !one->redis.command({"GET", directory_prefix(mailbox) + "rewrite"})->is_nil();
  }
  std::string forget(const std::string& mailbox = bob_address) {
    const auto key = one->directory.find_or_assign(address(mailbox), introduction)->key;
    std::string wrapped(
        one->redis.command({"HGET", AddressEntries::hash_key(mailbox), "key:" + key.fingerprint})->text());
    EXPECT_TRUE(one->life.forget(mailbox, {}));
    return wrapped;
  }

  std::unique_ptr<test::Node> one = node();
  StoreRewrite rewrite{one->redis, clock, log};
};

TEST_F(StoreRewriteTest, WithoutAMarkNothingIsRewritten) {
  ASSERT_TRUE(rewrite.serve());
  EXPECT_EQ(log_file.text().find("store.rewrite_begun"), std::string::npos);
}

TEST_F(StoreRewriteTest, TheKeyLeavesTheFilesAndThenTheMarkGoes) {
  const std::string wrapped = forget();
  ASSERT_NE(files().find(wrapped), std::string::npos) << "the file still tells of it";
  ASSERT_TRUE(marked());
  ASSERT_TRUE(test::eventually([&] { return rewrite.serve().ok() && !marked(); }));
  EXPECT_TRUE(test::eventually([&] { return files().find(wrapped) == std::string::npos; }));
}

TEST_F(StoreRewriteTest, AnotherOneBeginsAfterThePauseOnly) {
  forget();
  ASSERT_TRUE(test::eventually([&] { return rewrite.serve().ok() && !marked(); }));
  forget();
  ASSERT_TRUE(rewrite.serve());
  EXPECT_TRUE(marked());
  clock.advance(StoreRewrite::pause);
  EXPECT_TRUE(test::eventually([&] { return rewrite.serve().ok() && !marked(); }));
}

TEST_F(StoreRewriteTest, AKeyThatIsDestroyedWhileItRunsKeepsItsMark) {
  forget();
  ASSERT_TRUE(rewrite.serve());
  forget();  // after it began
  const std::string key = directory_prefix(bob_address) + "rewrite";
  const auto finished = [&] {
    EXPECT_TRUE(rewrite.serve());
    return log_file.text().find("store.rewritten") != std::string::npos;
  };
  ASSERT_TRUE(test::eventually(finished));
  EXPECT_EQ(one->redis.command({"GET", key})->text(), "2");
}

TEST_F(StoreRewriteTest, ARedisThatWasStartedAnewHasRewrittenNothing) {
  forget();
  ASSERT_TRUE(rewrite.serve());
  server.kill();
  server.start();
  // To the new one nothing ever went wrong.
  ASSERT_TRUE(test::eventually([&] { return one->redis.command({"PING"}).ok(); }));
  const auto looked = rewrite.serve();
  EXPECT_TRUE(marked());
  EXPECT_FALSE(looked);
  EXPECT_EQ(log_file.text().find("store.rewritten"), std::string::npos);
  clock.advance(StoreRewrite::pause);
  EXPECT_TRUE(test::eventually([&] { return rewrite.serve().ok() && !marked(); })) << "it is begun anew";
}

}  // namespace
}  // namespace sealpost
