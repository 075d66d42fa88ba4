// SPDX-License-Identifier: Apache-2.0
// Every command offers --json, and prints JSON then: commands that change something tell what they did.
#include <gmock/gmock.h>

#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

class JsonOutput : public CtlTest {
 protected:
  static Poco::JSON::Object::Ptr object(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.emplace_back("--json");
    const Ran ran = ctl(arguments, input);
    EXPECT_EQ(ran.status, EX_OK) << arguments[1] << ": " << ran.err;
    return Poco::JSON::Parser().parse(ran.out).extract<Poco::JSON::Object::Ptr>();
  }
};

TEST_F(JsonOutput, OfAccountsTellsWhatWasDone) {
  const auto added =
      object({"account", "add", "crm", "--send-as", "Sales@Example.com", "--password-stdin"}, "long enough\n");
  EXPECT_EQ(added->getValue<std::string>("name"), "crm");
  EXPECT_EQ(added->getArray("send_as")->getElement<std::string>(0), "sales@example.com") << "as it counts from now on";
  EXPECT_EQ(names_of(added), (std::vector<std::string>{"admin", "created", "name", "send_as"})) << "as in the listing";
  const auto changed = object({"account", "password", "crm", "--password-stdin"}, "longer\n");
  EXPECT_EQ(changed->getValue<std::string>("name"), "crm");
  EXPECT_TRUE(changed->getValue<bool>("password_changed"));
  const auto token = object({"token", "create", "crm"})->getValue<std::string>("id");
  const auto revoked = object({"token", "revoke", token});
  EXPECT_EQ(revoked->getValue<std::string>("id"), token);
  EXPECT_TRUE(revoked->getValue<bool>("revoked"));
  const auto removed = object({"account", "remove", "crm"});
  EXPECT_EQ(removed->getValue<std::string>("name"), "crm");
  EXPECT_TRUE(removed->getValue<bool>("removed"));
}

TEST_F(JsonOutput, OfTheCaIsItsPem) {
  EXPECT_EQ(object({"key", "ca"})->getValue<std::string>("pem"), ctl({"key", "ca"}).out);
}

TEST_F(JsonOutput, AnAccountThatCannotBeIsRefusedBeforeItsPasswordIsAskedFor) {
  ASSERT_EQ(ctl({"account", "add", "crm", "--send-as", "@example.com", "--password-stdin"}, "long enough\n").status, 0);
  // Without a terminal the question for the password would be what is complained of.
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"account", "add", "crm", "--send-as", "@example.com"},
                                             {"account", "add", "new", "--send-as", "no-address"},
                                             {"account", "add", "a b", "--send-as", "@example.com"}}) {
    const Ran ran = ctl(wrong);
    EXPECT_EQ(ran.status, EX_USAGE);
    EXPECT_THAT(ran.err, testing::Not(testing::HasSubstr("password"))) << wrong[2];
  }
  EXPECT_EQ(ctl({"account", "password", "nobody"}).status, EX_DATAERR);
  EXPECT_EQ(ctl({"account", "remove", "crm"}).status, 0);
}

}  // namespace
}  // namespace sealpost::test
