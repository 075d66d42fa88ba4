// SPDX-License-Identifier: Apache-2.0
// The queue's commands on messages that wait: which deliveries filters and ids name, for people and for programs.
#include <gmock/gmock.h>

#include "crypto/sealer.h"
#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two messages that wait: one from a sender to two recipients, one from <>.
class QueueCommands : public CtlTest {
 protected:
  void SetUp() override {
    const auto loaded = load_settings({*directory_ / "sealpost.conf", {}, {}});
    const auto services = Services::open(loaded->settings, clock_, log_, Services::Role::Tool);
    ASSERT_TRUE(services);
    to_two_ = put(**services, "alice@example.com", {"bob@example.net", "dora@example.org"});
    from_nobody_ = put(**services, "", {"carol@example.net"});
  }
  void TearDown() override { ASSERT_EQ(ctl({"queue", "drop", to_two_, from_nobody_}).status, EX_OK); }

  std::string put(Services& services, const std::string& from, const std::vector<std::string>& to) {
    Envelope envelope{services.queue().new_id(), {}, {}, {}, false, clock_.now()};
    if (!from.empty()) envelope.mail_from = EmailAddress::parse(from).value();
    std::vector<Addressee> addressees;
    std::vector<std::string> certificates;
    for (const auto& mailbox : to) {
      const auto address = EmailAddress::parse(mailbox).value();
      const auto assigned = services.directory().find_or_assign(address, {}).value();
      certificates.push_back(assigned.key.certificate);
      addressees.push_back({address, address.domain().a_label(), assigned.key.fingerprint, "interim", {}});
    }
    const auto message = split_message("From: alice@example.com\r\n\r\ntext\r\n").value();
    const auto sealed = Sealer(CryptoSettings{}).seal(message, certificates, {"Received: by relay\r\n", {}}).value();
    EXPECT_TRUE(services.queue().put(sealed, envelope, addressees));
    return envelope.id.text();
  }
  /// "3 matched, 3 would change"
  static std::string would_drop(std::vector<std::string> what) {
    what.insert(what.begin(), {"queue", "drop", "--dry-run"});
    return ctl(what).out;
  }

  SystemClock clock_;
  Log log_{LogLevel::Error, LogFormat::Text, clock_};
  std::string to_two_;
  std::string from_nobody_;
};

TEST_F(QueueCommands, AnEmptyFilterValueIsRefusedRatherThanMatchingAll) {
  for (const char* filter : {"--domain", "--sender", "--recipient", "--error", "--state", "--older-than"}) {
    for (const auto& command :
         std::vector<std::vector<std::string>>{{"queue", "list"}, {"queue", "drop", "--dry-run"}}) {
      auto arguments = command;
      // The other filter makes it a valid call when the empty one means nothing.
      arguments.insert(arguments.end(), {"--limit", "5", filter, ""});
      if (command[1] == "drop") arguments.erase(arguments.end() - 4, arguments.end() - 2);
      const Ran ran = ctl(arguments);
      EXPECT_EQ(ran.status, EX_USAGE) << command[1] << " " << filter;
      EXPECT_EQ(ran.out, "") << command[1] << " " << filter;
    }
  }
  EXPECT_EQ(ctl({"queue", "drop", "--dry-run", "--state", "queued", "--domain", ""}).status, EX_USAGE);
  EXPECT_THAT(ctl({"queue", "drop", "--dry-run", "--state", "queued", "--domain", ""}).err,
              HasSubstr("--domain is empty"));
}

TEST_F(QueueCommands, TheNullSenderIsNamedAsItIsPrinted) {
  EXPECT_THAT(ctl({"queue", "list"}).out, HasSubstr("  <>  "));
  EXPECT_EQ(would_drop({"--sender", "<>"}), "1 matched, 1 would change\n");
  EXPECT_EQ(would_drop({"--sender", "alice@example.com"}), "2 matched, 2 would change\n");
}

/// The id that a sender is told ("250 2.0.0 queued as ID") is the message's.
TEST_F(QueueCommands, AMessagesIdStandsForAllItsDeliveries) {
  const Ran shown = ctl({"queue", "show", to_two_});
  EXPECT_EQ(shown.status, EX_OK) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("id:            " + to_two_ + "-1\n"));
  EXPECT_THAT(shown.out, HasSubstr("id:            " + to_two_ + "-2\n"));
  const auto page = json({"queue", "show", to_two_});
  EXPECT_EQ(names_of(page), (std::vector<std::string>{"cursor", "deliveries"}));
  const auto deliveries = page.extract<Poco::JSON::Object::Ptr>()->getArray("deliveries");
  ASSERT_EQ(deliveries->size(), 2U);
  EXPECT_EQ(deliveries->getObject(0)->getValue<std::string>("recipient"), "bob@example.net");
  EXPECT_TRUE(deliveries->getObject(1)->isArray("history"));
  EXPECT_EQ(would_drop({to_two_}), "2 matched, 2 would change\n");
  EXPECT_EQ(would_drop({to_two_ + "-2", from_nobody_}), "2 matched, 2 would change\n");
  EXPECT_EQ(ctl({"queue", "hold", to_two_}).out, "2 matched, 2 changed\n");
  EXPECT_EQ(ctl({"queue", "release", to_two_}).out, "2 matched, 2 changed\n");
}

TEST_F(QueueCommands, AMessageThatIsNotThereIsToldFromWhatIsNoId) {
  const std::string unknown = "01JAAAAAAAAAAAAAAAAAAAAAAA";
  EXPECT_EQ(ctl({"queue", "show", unknown}).status, EX_DATAERR);
  EXPECT_EQ(ctl({"queue", "hold", unknown}).status, EX_DATAERR);
  const Ran no_id = ctl({"queue", "show", "no-id"});
  EXPECT_EQ(no_id.status, EX_USAGE);
  EXPECT_THAT(no_id.err, HasSubstr("neither a delivery's id nor a message's: no-id"));
}

TEST_F(QueueCommands, WhyTellsOfDeliveriesMessagesAndDomains) {
  EXPECT_THAT(ctl({"queue", "why", to_two_}).out,
              testing::AllOf(HasSubstr(to_two_ + "-1 to bob@example.net is queued"),
                             HasSubstr(to_two_ + "-2 to dora@example.org is queued"),
                             HasSubstr("\n  sealpostctl queue retry " + to_two_ + "-1\n")));
  EXPECT_THAT(ctl({"queue", "why", "Example.NET"}).out, HasSubstr("For example.net 2 deliveries wait: 2 queued"));
  const auto rows = json({"queue", "why", "example.org"}).extract<Poco::JSON::Array::Ptr>();
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(names_of(rows->get(0)), (std::vector<std::string>{"remedies", "subject", "text", "until"}));
  EXPECT_EQ(ctl({"queue", "why", "no domain"}).status, EX_USAGE);
  EXPECT_EQ(ctl({"queue", "why", "01JAAAAAAAAAAAAAAAAAAAAAAA-1"}).status, EX_DATAERR);
}

TEST_F(QueueCommands, ExplainTellsOfAnAddress) {
  EXPECT_THAT(
      ctl({"explain", "Bob@example.net"}).out,
      testing::AllOf(HasSubstr("bob@example.net. The next message is sealed with aes256-cbc to the interim pair"),
                     HasSubstr("nobody has picked it up yet")));
  EXPECT_THAT(ctl({"explain", "nobody@example.net"}).out, HasSubstr("nobody@example.net has no key."));
  EXPECT_EQ(names_of(json({"explain", "bob@example.net"})), (std::vector<std::string>{"address", "key", "text"}));
  EXPECT_EQ(ctl({"explain", "nobody"}).status, EX_USAGE);
}

TEST_F(QueueCommands, TopIsASnapshotWhereThereIsNoTerminal) {
  const std::string shown = ctl({"top"}).out;
  EXPECT_THAT(shown, HasSubstr("queued 3   sending 0"));
  EXPECT_THAT(shown, HasSubstr("\nexample.net                                    2"));
  EXPECT_THAT(shown, testing::Not(HasSubstr("\033")));
  EXPECT_THAT(ctl({"top", "--interval", "0"}).status, EX_USAGE);
}

}  // namespace
}  // namespace sealpost::test
