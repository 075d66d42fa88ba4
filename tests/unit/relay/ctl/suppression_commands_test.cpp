// SPDX-License-Identifier: Apache-2.0
// sealpostctl suppression list|clear: what is printed for people and for programs, and what is refused.
#include <gmock/gmock.h>

#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SuppressionCommands : public CtlTest {
 protected:
  void TearDown() override {
    for (const auto& name : listed()) EXPECT_EQ(ctl({"suppression", "clear", name}).status, EX_OK);
  }

  void suppress(const std::string& mailbox, int times = 3) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(suppressions.count(EmailAddress::parse(mailbox).value(),
                                     DeliveryId(MessageId::generate(clock, random), 1), "550 5.1.1 no such user"));
    }
  }
  static std::vector<std::string> listed(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"suppression", "list"});
    const auto page = json(more).extract<Poco::JSON::Object::Ptr>();
    std::vector<std::string> names;
    for (const auto& row : *page->getArray("suppressions")) {
      names.push_back(row.extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("address"));
    }
    return names;
  }

  SystemClock clock;
  SystemRandom random;
  redis::Client redis{redis_->endpoint(), std::chrono::seconds(20)};
  Suppressions suppressions{redis, clock, {3, std::chrono::hours(24)}};
};

TEST_F(SuppressionCommands, ListShowsWhoIsRefusedAndWhy) {
  suppress("Bob@example.net");
  suppress("twice@example.net", 2);
  const Ran ran = ctl({"suppression", "list"});
  EXPECT_EQ(ran.status, EX_OK) << ran.err;
  EXPECT_THAT(ran.out, testing::StartsWith("ADDRESS"));
  EXPECT_THAT(ran.out, HasSubstr("\nbob@example.net  3        "));
  EXPECT_THAT(ran.out, HasSubstr("550 5.1.1 no such user\n"));
  EXPECT_THAT(ran.out, testing::Not(HasSubstr("twice")));
  const auto page = json({"suppression", "list"}).extract<Poco::JSON::Object::Ptr>();
  EXPECT_EQ(names_of(page->getArray("suppressions")->get(0)),
            (std::vector<std::string>{"address", "bounces", "last_bounce", "last_response", "until"}));
  EXPECT_TRUE(page->isNull("cursor"));
  ASSERT_EQ(ctl({"suppression", "clear", "twice@example.net"}).status, EX_OK);
}

TEST_F(SuppressionCommands, ListGoesOnWhereThePageEnded) {
  for (const char* mailbox : {"a@example.net", "b@example.net", "c@example.net"}) suppress(mailbox);
  EXPECT_THAT(listed({"--limit", "2"}), ElementsAre("a@example.net", "b@example.net"));
  const std::string out = ctl({"suppression", "list", "--limit", "2"}).out;
  const std::string mark = "More: --cursor ";
  const auto at = out.find(mark) + mark.size();
  EXPECT_THAT(listed({"--cursor", out.substr(at, out.find('\n', at) - at)}), ElementsAre("c@example.net"));
  EXPECT_THAT(listed({"--recipient", "B@example.net"}), ElementsAre("b@example.net"));
}

TEST_F(SuppressionCommands, ClearTakesMailAgain) {
  for (const char* mailbox : {"a@example.net", "b@example.net", "c@example.net"}) suppress(mailbox);
  EXPECT_EQ(ctl({"suppression", "clear", "A@example.net", "x@example.net"}).out, "2 named, 1 cleared\n");
  EXPECT_THAT(listed(), ElementsAre("b@example.net", "c@example.net"));
  const auto cleared = json({"suppression", "clear", "b@example.net"}).extract<Poco::JSON::Object::Ptr>();
  EXPECT_EQ(cleared->getValue<int>("matched"), 1);
  EXPECT_EQ(cleared->getValue<int>("cleared"), 1);
  const Ran none = ctl({"suppression", "clear", "b@example.net"});
  EXPECT_EQ(none.status, EX_DATAERR);
  EXPECT_THAT(none.err, HasSubstr("no bounces are known of b@example.net"));
}

TEST_F(SuppressionCommands, WrongWordsChangeNothing) {
  suppress("a@example.net");
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"suppression", "clear"},
                                             {"suppression", "clear", "a@example.net", "no-address"},
                                             {"suppression", "clear", ""},
                                             {"suppression", "list", "--recipient", ""},
                                             {"suppression", "list", "--limit", "0"},
                                             {"suppression", "list", "--cursor", "!"}}) {
    const Ran ran = ctl(wrong);
    EXPECT_EQ(ran.status, EX_USAGE) << wrong.back();
    EXPECT_EQ(ran.out, "") << wrong.back();
  }
  EXPECT_THAT(listed(), ElementsAre("a@example.net"));
}

}  // namespace
}  // namespace sealpost::test
