// SPDX-License-Identifier: Apache-2.0
// What a sender is told who asked for NOTIFY=SUCCESS (RFC 3461 section 5.2): by whom, what, once, and who is told
// nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "relay/delivery/deliverer.h"
#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost::test {
namespace {

const DsnRequest success{false, true, true, true, "rfc822;robert@example.net", true};

class Confirmations : public DelivererTest {
 protected:
  MessageId put_asking(const DsnRequest& dsn, bool null_sender = false) {
    Envelope from = envelope(queue->new_id());
    if (null_sender) from.mail_from.reset();
    Addressee to = addressee("bob@example.net");
    to.dsn = dsn;
    EXPECT_TRUE(queue->put(seal(1), from, std::vector<Addressee>{to}));
    return from.id;
  }
  /// The sender's message ends so; the relay's own mail is taken without a word.
  static PlayedHop::Play taken(Custody custody) {
    return [custody](const Claim& claim) -> Outcome {
      if (claim.delivery.notice) return Delivered{"250 ok"};
      return Delivered{"250 2.6.0 taken", "2.6.0", 250, custody};
    };
  }
};

struct ConfirmationCase {
  const char* name;
  Custody custody;
  DsnRequest dsn;
  bool null_sender;
  const char* action;  ///< of the one report; empty: nobody is told anything
};
void PrintTo(const ConfirmationCase& c, std::ostream* out) { *out << c.name; }
class EachCustody : public Confirmations, public ::testing::WithParamInterface<ConfirmationCase> {};

TEST_P(EachCustody, IsToldOnceOrNotAtAll) {
  const ConfirmationCase& c = GetParam();
  hop.play(taken(c.custody));
  start();
  const auto id = put_asking(c.dsn, c.null_sender);
  ASSERT_TRUE(becomes(id, DeliveryState::Delivered, 1));
  const std::string action = c.action;
  // A report is put before the state changes.
  ASSERT_EQ(keys("queue:*:message:*").size(), action.empty() ? 1U : 2U);
  if (action.empty()) return;
  ASSERT_TRUE(eventually([this] { return notices().size() == 1; }));
  EXPECT_NE(notices()[0].content.find("\r\nAction: " + action + "\r\nStatus: 2.6.0\r\n"), std::string::npos)
      << notices()[0].content;
}

INSTANTIATE_TEST_SUITE_P(
    All, EachCustody,
    ::testing::Values(ConfirmationCase{"Mailbox", Custody::Mailbox, success, false, "delivered"},
                      ConfirmationCase{"Relay", Custody::Relay, success, false, "relayed"},
                      ConfirmationCase{"RelayWithDsnAnswersItself", Custody::DsnRelay, success, false, ""},
                      ConfirmationCase{"NotAsked", Custody::Relay, {}, false, ""},
                      ConfirmationCase{"Never", Custody::Mailbox, {true, false, false, false, "", true}, false, ""},
                      ConfirmationCase{"NullSender", Custody::Mailbox, success, true, ""}),
    [](const auto& info) { return info.param.name; });

TEST_F(Confirmations, AreReportsToTheEnvelopeSenderThatNobodyReportsAbout) {
  hop.play(taken(Custody::Relay));
  start();
  put_asking(success);
  ASSERT_TRUE(eventually([this] { return notices().size() == 1; }));
  const auto report = notices()[0];
  EXPECT_EQ(report.delivery.recipient, "sender@example.com");
  EXPECT_EQ(report.delivery.mail_from, "");
  EXPECT_TRUE(report.delivery.dsn.never);
  for (const std::string line :
       {"Auto-Submitted: auto-replied", "Original-Envelope-Id: envid", "Original-Recipient: rfc822;robert@example.net",
        "Final-Recipient: rfc822; bob@example.net", "Remote-MTA: dns; mx.example.net",
        "Diagnostic-Code: smtp; 250 2.6.0 taken"}) {
    EXPECT_NE(report.content.find("\r\n" + line + "\r\n"), std::string::npos) << line << "\n" << report.content;
  }
  EXPECT_NE(report.content.find(std::string("Subject: ") + canary), std::string::npos) << "header fields";
  EXPECT_EQ(report.content.find("Content-Transfer-Encoding: base64\r\n\r\nMI"), std::string::npos) << "no content";
}

TEST_F(Confirmations, AreSentOnceThoughACrashRepeatsTheDelivery) {
  const auto other = process(std::chrono::seconds(0));
  std::atomic<bool> crashed = false;
  hop.play([&](const Claim& claim) -> Outcome {
    // The lease is lost between the attempt and its record, as after a crash that came just then.
    if (!claim.delivery.notice && !crashed.exchange(true)) {
      EXPECT_EQ(other->reap().value(), 1U);
    }
    return taken(Custody::Mailbox)(claim);
  });
  start();
  const auto id = put_asking(success);
  ASSERT_TRUE(becomes(id, DeliveryState::Delivered, 1));
  ASSERT_TRUE(hop.wait_for_attempts(3));
  EXPECT_EQ(keys("queue:*:message:*").size(), 2U) << "the message and one report";
  EXPECT_EQ(notices().size(), 1U);
}

TEST_F(Confirmations, WaitForARedisThatIsAway) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  hop.play([ended](const Claim& claim) -> Outcome {
    ended.wait();
    return taken(Custody::Mailbox)(claim);
  });
  start();
  const auto id = put_asking(success);
  ASSERT_TRUE(hop.wait_for_attempts(1));
  server.kill();
  end.set_value();
  server.start();
  ASSERT_TRUE(eventually([&] {
    const auto record = view.show(DeliveryId(id, 1));
    return record && record->state == DeliveryState::Delivered;
  }));
  ASSERT_TRUE(eventually([this] { return notices().size() == 1; }));
}

}  // namespace
}  // namespace sealpost::test
