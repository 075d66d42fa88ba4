// SPDX-License-Identifier: Apache-2.0
// `sealpostctl queue summary`: the contract's shape from a relay that runs, with rates of its mail and the pool of key
// pairs.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

using Poco::JSON::Object;

TEST(QueueSummary, HasStatesRatesPoolAndDestinations) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  ASSERT_EQ(relay.mail("bob@example.net", 2).size(), 2U) << "mail and notification";
  const auto parse = [](const std::string& text) { return Poco::JSON::Parser().parse(text).extract<Object::Ptr>(); };
  Object::Ptr summary;
  ASSERT_TRUE(eventually([&] {  // the outcome is recorded after the file is there
    const auto shown = relay.ctl({"queue", "summary", "--json"});
    EXPECT_EQ(shown.status, 0) << shown.err;
    summary = parse(shown.out);
    return summary->getObject("states")->getValue<int>("sending") == 0;
  }));
  EXPECT_EQ(summary->getNames(),
            (Object::NameList{"accounts", "ages", "certificates", "destinations", "errors", "more_destinations",
                              "oldest", "pickups", "pool", "rates", "states"}));
  EXPECT_EQ(summary->getObject("states")->getValue<int>("delivered"), 2);
  EXPECT_TRUE(summary->isNull("oldest"));
  const auto rates = summary->getObject("rates");
  EXPECT_DOUBLE_EQ(rates->getValue<double>("accepted"), 0.2) << "the notification is nobody's";
  EXPECT_DOUBLE_EQ(rates->getValue<double>("delivered"), 0.4);
  EXPECT_DOUBLE_EQ(rates->getValue<double>("deferred"), 0);
  EXPECT_DOUBLE_EQ(rates->getValue<double>("bounced"), 0);
  EXPECT_EQ(summary->getObject("pool")->getValue<int>("wanted"), 2);
  EXPECT_LE(summary->getObject("pool")->getValue<int>("ready"), 3);

  const std::string text = relay.ctl({"queue", "summary"}).out;
  EXPECT_NE(text.find("\nper minute: 0.2 accepted, 0.4 delivered, 0.0 deferred, 0.0 bounced\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("\nkey pairs: "), std::string::npos) << text;
  EXPECT_NE(text.find(" ready, 2 wanted\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace sealpost::test
