// SPDX-License-Identifier: Apache-2.0
// Changes of accounts take effect at once, on connections that are open already, too.
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"

namespace sealpost::test {
namespace {

constexpr const char* changed = "421 4.7.0 relay.example.org the account was changed, log in again";

TEST(AccountChanges, EndOpenConnections) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  const auto submit = [&] { return sender.submit("alice@example.com", {"bob@example.net"}, message("x", "text")); };
  EXPECT_EQ(submit().substr(0, 9), "250 2.6.0");
  ASSERT_EQ(relay.ctl({"account", "password", RelayFixture::account, "--password-stdin"}, "correct-horse\n").status, 0);
  EXPECT_EQ(submit(), changed);
  EXPECT_EQ(sender.reply(), "closed");

  sender = Submitter::logged_in(relay);
  EXPECT_EQ(submit().substr(0, 9), "250 2.6.0");
  ASSERT_EQ(relay.ctl({"account", "remove", RelayFixture::account}).status, 0);
  EXPECT_EQ(submit(), changed);
  EXPECT_EQ(sender.reply(), "closed");
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 2).size(), 2U);
}

}  // namespace
}  // namespace sealpost::test
