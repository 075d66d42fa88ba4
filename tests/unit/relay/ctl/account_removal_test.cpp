// SPDX-License-Identifier: Apache-2.0
// A removed account leaves no tokens behind.
#include <sysexits.h>

#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

class AccountRemoval : public CtlTest {
 protected:
  static int ctl(std::vector<std::string> arguments, const std::string& input = {}) {
    const std::vector<std::string> config = {"--config", write_settings("removal.conf", {})};
    arguments.insert(arguments.begin(), config.begin(), config.end());
    last = run_ctl(arguments, input);
    return last.status;
  }
  static std::string token_of(const std::string& account) {
    EXPECT_EQ(ctl({"token", "create", account}), EX_OK) << last.err;
    return last.out.substr(4, 12);
  }
  static Ran last;
};
Ran AccountRemoval::last;

TEST_F(AccountRemoval, RevokesItsTokens) {
  for (const char* name : {"going", "staying"}) {
    ASSERT_EQ(ctl({"account", "add", name, "--send-as", "@example.com", "--password-stdin"}, "secret\n"), EX_OK);
  }
  const std::vector<std::string> gone = {token_of("going"), token_of("going")};
  const std::string kept = token_of("staying");
  ASSERT_EQ(ctl({"account", "remove", "going"}), EX_OK) << last.err;
  ASSERT_EQ(ctl({"token", "list"}), EX_OK);
  for (const auto& id : gone) EXPECT_EQ(last.out.find(id), std::string::npos);
  EXPECT_NE(last.out.find(kept), std::string::npos);
  EXPECT_EQ(ctl({"account", "remove", "going"}), EX_DATAERR) << "there is no such account";
}

}  // namespace
}  // namespace sealpost::test
