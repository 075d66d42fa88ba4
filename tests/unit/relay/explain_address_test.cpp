// SPDX-License-Identifier: Apache-2.0
// What the next message to an address would meet: each kind of key, and none.
#include "relay/explain_address.h"

#include <gmock/gmock.h>

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const Time explained_at = from_milliseconds(1'769'860'800'000);  // 2026-01-31T12:00:00Z

class ExplainAddress : public ::testing::Test {
 protected:
  ExplainAddress() {
    key.address = "bob@d.example";
    key.fingerprint = "ab12";
    key.assigned = explained_at - 3h;
  }
  std::string told() {
    facts.key = key;
    return explain(EmailAddress::parse("Bob@D.example").value(), facts, settings, explained_at);
  }
  KeyRecord key;
  AddressFacts facts;
  Settings settings;
};

TEST_F(ExplainAddress, WithoutAKey) {
  facts.in_pool = 5;
  EXPECT_EQ(
      explain(EmailAddress::parse("Bob@D.example").value(), facts, settings, explained_at),
      "bob@d.example has no key. The next message gives it a new interim rsa3072 pair from the pool (5 ready), and "
      "sends it a notification with link and code. It is delivered to the MX hosts of d.example.");
  facts.in_pool = 0;
  settings.recipient_domains["d.example"].policy = KeyPolicy::Permanent;
  settings.recipient_domains["d.example"].mode = NotifyMode::Attach;
  EXPECT_THAT(explain(EmailAddress::parse("bob@d.example").value(), facts, settings, explained_at),
              AllOf(HasSubstr("a new permanent rsa3072 pair, generated while the sender waits"),
                    HasSubstr("and the key file itself.")));
}

TEST_F(ExplainAddress, APairThatNobodyPickedUp) {
  key.expires = explained_at + 48h;
  EXPECT_THAT(told(),
              AllOf(StartsWith("bob@d.example. The next message is sealed with aes256-cbc to the interim pair ab12, "
                               "assigned 2026-01-31T09:00:00Z (3 h ago); nobody has picked it up yet"),
                    HasSubstr("After 2026-02-02T12:00:00Z (in 2 d) the next message gets a new pair.")));
}

TEST_F(ExplainAddress, WhetherTheNextMessageTellsAgain) {
  EXPECT_THAT(told(), HasSubstr("It waits for its notification; the next message has it sent"));
  facts.link = PickupLink{};
  facts.link->fingerprint = "ab12";
  facts.link->expires = explained_at + 48h;
  EXPECT_THAT(told(),
              HasSubstr("works until 2026-02-02T12:00:00Z (in 2 d); until then no message has another one sent."));
  facts.notification_failed = true;
  EXPECT_THAT(told(), HasSubstr("did not arrive; the next message has a new one sent."));
  facts.link->attempts = max_code_attempts;
  EXPECT_THAT(told(), HasSubstr("is locked, after too many wrong ones; the next message has a new one sent."));
  facts.link->attempts = 0;
  facts.link->expires = explained_at - 1s;
  EXPECT_THAT(told(), HasSubstr("works no longer; the next message has a new one sent."));
  facts.link->fingerprint = "of an earlier pair";
  EXPECT_THAT(told(), HasSubstr("It waits for its notification"));
}

TEST_F(ExplainAddress, APairInUse) {
  key.state = PairState::Permanent;
  key.picked_up = explained_at - 1h;
  settings.recipient_domains["d.example"].content_cipher = ContentCipher::Aes256Gcm;
  EXPECT_THAT(told(), HasSubstr("sealed with aes256-gcm to the permanent pair ab12, assigned 2026-01-31T09:00:00Z (3 h "
                                "ago) and picked up first at 2026-01-31T11:00:00Z (60 min ago)."));
}

TEST_F(ExplainAddress, APairThatIsOver) {
  facts.in_pool = 5;
  key.expires = explained_at - 1s;
  EXPECT_THAT(told(),
              HasSubstr("Its pair ab12 expired 2026-01-31T11:59:59Z (1 s ago). The next message gives it a new"));
  key.state = PairState::Revoked;
  EXPECT_THAT(told(), HasSubstr("Its pair ab12 was revoked. The next message gives it a new"));
}

TEST_F(ExplainAddress, ACertificateOfTheirOwnThatEnded) {
  key.own = true;
  key.state = PairState::Permanent;
  key.expires = explained_at - 1h;
  EXPECT_THAT(told(),
              AllOf(HasSubstr("the certificate of their own (ab12), which ended 2026-01-31T11:00:00Z (60 min ago)"),
                    HasSubstr("and held")));
  key.expires = explained_at + 1h;
  EXPECT_THAT(told(), HasSubstr("The certificate ends 2026-01-31T13:00:00Z (in 60 min); from then on mail is held."));
}

TEST_F(ExplainAddress, BouncesAndTheRoute) {
  facts.bounces = BounceRun{"bob@d.example", 3, explained_at - 1h, explained_at + 48h, "550 5.1.1 no such user"};
  settings.delivery.route = {Route::Kind::Smtp, "hub.example", 25, {}};
  EXPECT_THAT(told(),
              AllOf(HasSubstr("It is delivered to the fixed route smtp://hub.example:25."),
                    HasSubstr("3 deliveries in a row to it bounced, the last 2026-01-31T11:00:00Z (60 min ago) with: "
                              "550 5.1.1 no such user."),
                    HasSubstr("Senders hear 550 until 2026-02-02T12:00:00Z (in 2 d); `sealpostctl suppression clear "
                              "bob@d.example` ends that.")));
}

}  // namespace
}  // namespace sealpost
