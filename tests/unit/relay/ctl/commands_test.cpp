// SPDX-License-Identifier: Apache-2.0
// Every command on a store: what it prints for people and for programs, what it changes, and what it refuses.
#include <gmock/gmock.h>

#include <regex>

#include "tests/support/process.h"
#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

class Commands : public CtlTest {
 protected:
  static Ran add(const std::string& name, const std::vector<std::string>& more = {"--send-as", "@example.com"},
                 const std::string& password = "correct-horse\n") {
    std::vector<std::string> arguments = {"account", "add", name, "--password-stdin"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ctl(arguments, password);
  }
  void TearDown() override {
    const auto accounts = json({"account", "list"}).extract<Poco::JSON::Array::Ptr>();
    for (const auto& account : *accounts) {
      const auto name = account.extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("name");
      EXPECT_EQ(ctl({"account", "remove", name}).status, 0);
    }
  }
};

TEST_F(Commands, AccountsAreAddedListedAndRemoved) {
  EXPECT_EQ(add("crm", {"--send-as", "Sales@Example.COM", "@Bücher.example", "--admin"}).out, "Account crm added.\n");
  const auto list = json({"account", "list"}).extract<Poco::JSON::Array::Ptr>();
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(names_of(list->get(0)), (std::vector<std::string>{"admin", "created", "name", "send_as"}));
  const auto account = list->getObject(0);
  EXPECT_TRUE(account->getValue<bool>("admin"));
  EXPECT_THAT(account->getValue<std::string>("created"),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z"));
  EXPECT_EQ(account->getArray("send_as")->getElement<std::string>(0), "sales@example.com");
  EXPECT_EQ(account->getArray("send_as")->getElement<std::string>(1), "@xn--bcher-kva.example");
  EXPECT_THAT(ctl({"account", "list"}).out, HasSubstr("crm   admin"));
  EXPECT_EQ(ctl({"account", "remove", "crm"}).out, "Account crm removed.\n");
  EXPECT_EQ(json({"account", "list"}).extract<Poco::JSON::Array::Ptr>()->size(), 0U);
}

TEST_F(Commands, AccountsThatCannotBeAreRefused) {
  ASSERT_EQ(add("crm").status, EX_OK);
  const Ran taken = add("crm");
  EXPECT_EQ(taken.status, EX_USAGE);
  EXPECT_THAT(taken.err, Not(IsEmpty()));
  EXPECT_EQ(add("a b").status, EX_USAGE);
  EXPECT_EQ(add("other", {"--send-as", "no-address"}).status, EX_USAGE);
  EXPECT_EQ(add("other", {}).status, EX_USAGE) << "an account that may send as nobody is of no use";
  EXPECT_EQ(add("other", {"--send-as", "@example.com"}, "").status, EX_USAGE) << "no password";
  EXPECT_EQ(ctl({"account", "remove", "nobody"}).status, EX_DATAERR);
  EXPECT_EQ(ctl({"account", "password", "nobody", "--password-stdin"}, "x\n").status, EX_DATAERR);
  EXPECT_EQ(json({"account", "list"}).extract<Poco::JSON::Array::Ptr>()->size(), 1U);
}

TEST_F(Commands, PasswordsAreNeverShown) {
  const Ran added = add("crm");
  const Ran changed = ctl({"account", "password", "crm", "--password-stdin"}, "battery-staple\r\n");
  EXPECT_EQ(changed.out, "Password of crm changed.\n");
  for (const Ran& ran : {added, changed, ctl({"account", "list"}), ctl({"account", "list", "--json"})}) {
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("correct-horse")));
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("battery-staple")));
  }
}

TEST_F(Commands, TokensAreShownOnce) {
  ASSERT_EQ(add("crm").status, EX_OK);
  const Ran made = ctl({"token", "create", "crm", "--scope", "submit", "--scope", "keys"});
  ASSERT_EQ(made.status, EX_OK) << made.err;
  EXPECT_THAT(made.out, MatchesRegex("spt_[0-9a-f]{12}_[0-9a-f]{48}\n"));
  const std::string id = made.out.substr(4, 12);
  const std::string secret = made.out.substr(17, 48);
  EXPECT_EQ(made.err, "This is token " + id + "; it is not shown again.\n");
  const auto list = json({"token", "list"}).extract<Poco::JSON::Array::Ptr>();
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(names_of(list->get(0)), (std::vector<std::string>{"account", "created", "id", "scopes"}));
  EXPECT_EQ(list->getObject(0)->getValue<std::string>("id"), id);
  EXPECT_EQ(list->getObject(0)->getArray("scopes")->size(), 2U);
  EXPECT_THAT(ctl({"token", "list"}).out, Not(HasSubstr(secret)));
  EXPECT_THAT(ctl({"token", "list", "--json"}).out, Not(HasSubstr(secret)));
  EXPECT_EQ(ctl({"token", "revoke", id}).out, "Token " + id + " revoked.\n");
  EXPECT_EQ(json({"token", "list"}).extract<Poco::JSON::Array::Ptr>()->size(), 0U);
  EXPECT_EQ(ctl({"token", "revoke", id}).status, EX_DATAERR);
}

TEST_F(Commands, TokensNeedAnAccountAndAKnownScope) {
  EXPECT_EQ(ctl({"token", "create", "nobody"}).status, EX_DATAERR);
  ASSERT_EQ(add("crm").status, EX_OK);
  const Ran ran = ctl({"token", "create", "crm", "--scope", "everything"});
  EXPECT_EQ(ran.status, EX_USAGE);
  EXPECT_THAT(ran.err, HasSubstr("unknown scope: everything"));
  const auto made = json({"token", "create", "crm"}).extract<Poco::JSON::Object::Ptr>();
  EXPECT_EQ(made->size(), 2U);
  EXPECT_TRUE(made->getValue<std::string>("token").starts_with("spt_" + made->getValue<std::string>("id") + "_"));
  EXPECT_EQ(ctl({"token", "revoke", made->getValue<std::string>("id")}).status, EX_OK);
}

TEST_F(Commands, QueueListingsOfAnEmptyQueue) {
  const auto list = json({"queue", "list"});
  EXPECT_EQ(names_of(list), (std::vector<std::string>{"cursor", "deliveries"}));
  EXPECT_TRUE(list.extract<Poco::JSON::Object::Ptr>()->isNull("cursor"));
  EXPECT_EQ(list.extract<Poco::JSON::Object::Ptr>()->getArray("deliveries")->size(), 0U);
  EXPECT_TRUE(json({"queue", "summary"}).extract<Poco::JSON::Object::Ptr>()->isObject("states"));
  EXPECT_EQ(ctl({"queue", "list"}).out.substr(0, 2), "ID");
}

TEST_F(Commands, QueueActionsNeedToBeToldOnWhat) {
  for (const char* action : {"retry", "hold", "release", "drop", "bounce"}) {
    const Ran refused = ctl({"queue", action});
    EXPECT_EQ(refused.status, EX_USAGE) << action;
    EXPECT_THAT(refused.err, HasSubstr("or say --all")) << action;
    EXPECT_EQ(ctl({"queue", action, "--dry-run"}).status, EX_USAGE) << action;
    const auto result = json({"queue", action, "--all"});
    EXPECT_EQ(names_of(result), (std::vector<std::string>{"changed", "cursor", "matched"})) << action;
    EXPECT_EQ(ctl({"queue", action, "--all", "--dry-run"}).out, "0 matched, 0 would change\n") << action;
    EXPECT_EQ(ctl({"queue", action, "no-id"}).status, EX_USAGE) << action;
    const std::string unknown = "01JAAAAAAAAAAAAAAAAAAAAAAA-1";
    EXPECT_EQ(ctl({"queue", action, unknown}).status, EX_DATAERR) << action;
    EXPECT_EQ(ctl({"queue", action, unknown, "--domain", "example.net"}).status, EX_USAGE) << action;
    EXPECT_EQ(ctl({"queue", action, unknown, "--all"}).status, EX_USAGE) << action;
  }
}

TEST_F(Commands, ReroutingNeedsToBeToldWhereTo) {
  EXPECT_THAT(ctl({"queue", "reroute", "--all"}).err, HasSubstr("--to is missing"));
  for (const char* nowhere : {"maildir:/tmp", "backup.example", ""}) {
    EXPECT_EQ(ctl({"queue", "reroute", "--all", "--to", nowhere}).status, EX_USAGE) << nowhere;
  }
  EXPECT_EQ(ctl({"queue", "reroute", "--all", "--to", "smtp://backup.example"}).out, "0 matched, 0 changed\n");
}

TEST_F(Commands, TheQueueIsVerified) {
  EXPECT_EQ(ctl({"queue", "verify"}).out, "0 deliveries and 0 entries of indexes: 0 faults\n");
  redis::Client redis(redis_->endpoint(), std::chrono::seconds(20));
  ASSERT_TRUE(redis.command({"ZADD", "queue:{3}:domains", "7", "no.example"}));
  const Ran found = ctl({"queue", "verify"});
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(found.out, HasSubstr("shard 3: no.example counts 7 in domains, not 0\n"));
  EXPECT_EQ(names_of(json({"queue", "verify", "--repair"})),
            (std::vector<std::string>{"deliveries", "entries", "faults", "repaired", "told"}));
  EXPECT_EQ(ctl({"queue", "verify"}).status, EX_OK);
}

TEST_F(Commands, QueueFiltersThatCannotBeAreRefused) {
  for (const std::vector<std::string>& filter : std::vector<std::vector<std::string>>{
           {"--state", "lost"}, {"--older-than", "long"}, {"--limit", "many"}, {"--limit", "0"}}) {
    const Ran ran = ctl({"queue", "list", filter[0], filter[1]});
    EXPECT_EQ(ran.status, EX_USAGE) << filter[0];
    EXPECT_THAT(ran.err, HasSubstr(filter[1])) << filter[0];
  }
  EXPECT_EQ(ctl({"queue", "show", "no-id"}).status, EX_USAGE);
  EXPECT_EQ(ctl({"queue", "show", "01JAAAAAAAAAAAAAAAAAAAAAAA-1"}).status, EX_DATAERR);
}

TEST_F(Commands, KeysAreAssignedAndShown) {
  EXPECT_EQ(ctl({"key", "show", "bob@example.net"}).status, EX_DATAERR);
  EXPECT_EQ(ctl({"key", "show", "bob"}).status, EX_USAGE);
  EXPECT_EQ(ctl({"key", "assign", "bob"}).status, EX_USAGE);
  const Ran assigned = ctl({"key", "assign", "bob@example.net"});
  ASSERT_EQ(assigned.status, EX_OK) << assigned.err;
  const Ran again = ctl({"key", "assign", "Bob@EXAMPLE.net"});
  EXPECT_EQ(again.err, "There was a key already.\n");
  const Ran shown = ctl({"key", "show", "bob@example.net"});
  EXPECT_EQ(shown.out, again.out);
  EXPECT_EQ(shown.out, assigned.out);
  EXPECT_THAT(shown.out, HasSubstr("-----BEGIN CERTIFICATE-----"));
  EXPECT_THAT(shown.out, Not(HasSubstr("PRIVATE KEY")));
  const auto key = json({"key", "show", "bob@example.net"});
  EXPECT_EQ(names_of(key), (std::vector<std::string>{"address", "assigned", "certificate", "expires", "fingerprint",
                                                     "picked_up", "placeholder", "state"}));
  EXPECT_THAT(key.extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("fingerprint"),
              MatchesRegex("[0-9a-f]{64}"));
}

TEST_F(Commands, ThePoolIsFilledAndTold) {
  EXPECT_THAT(ctl({"key", "pool", "fill", "3"}).out, MatchesRegex("3 ready, 2 wanted\n"));
  EXPECT_EQ(ctl({"key", "pool", "fill", "1"}).out, "3 ready, 2 wanted\n") << "nothing is taken away";
  const auto status = json({"key", "pool", "status"});
  EXPECT_EQ(names_of(status), (std::vector<std::string>{"ready", "wanted"}));
  for (const char* wrong : {"0", "-1", "many", "3x", "100001"}) {
    EXPECT_EQ(ctl({"key", "pool", "fill", wrong}).status, EX_USAGE) << wrong;
  }
}

TEST_F(Commands, TheCaIsTwoCertificatesThatVerify) {
  const Ran pem = ctl({"key", "ca"});
  ASSERT_EQ(pem.status, EX_OK);
  EXPECT_THAT(pem.out, Not(HasSubstr("PRIVATE KEY")));
  const auto listed = run({"openssl", "storeutl", "-noout", "-certs", "/dev/stdin"}, pem.out);
  EXPECT_THAT(listed.out, HasSubstr("Total found: 2")) << listed.err;
}

}  // namespace
}  // namespace sealpost::test
