// SPDX-License-Identifier: Apache-2.0
// Mail that a real next hop does not take: reports to its sender as RFC 3464 says, or more attempts; and to whom
// nothing must be reported.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_sink.h"

namespace sealpost::test {
namespace {

/// What a mail client would make of it: python3's email package.
Poco::JSON::Object::Ptr parse_report(const std::string& file) {
  const auto parsed = run({python, "-c", R"(
import email, email.policy, json, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
assert not m.defects, m.defects
parts = list(m.iter_parts())
recipient = list(parts[1].iter_parts())[1] if parts[1].is_multipart() else parts[1].get_payload()[1]
print(json.dumps({
  "return_path": m["Return-Path"], "to": m["To"], "auto": m["Auto-Submitted"], "type": m.get_content_type(),
  "report": m.get_param("report-type"), "parts": " ".join(p.get_content_type() for p in parts),
  "status": recipient["Status"], "action": recipient["Action"], "final": recipient["Final-Recipient"],
  "diagnostic": str(recipient["Diagnostic-Code"]), "returned": parts[2].as_string(), "human": parts[0].get_content()}))
)",
                           file});
  if (parsed.status != 0) throw std::runtime_error("python: " + parsed.err + read_file(file));
  return Poco::JSON::Parser().parse(parsed.out).extract<Poco::JSON::Object::Ptr>();
}

/// One relay and one sink for all; every test has a sender and recipients of its own.
class Bounces : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    sink = new MailSink({"smtp"});
    relay = new RelayFixture({{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink->port())},
                              {"delivery.retry", "1s"},
                              {"notify.max_new_per_account", "1000/h"}});
    relay->read_mail_from(sink->folder());
  }
  static void TearDownTestSuite() {
    delete relay;
    delete sink;
  }

  static std::string submit(const std::string& envelope_from, const std::string& to) {
    auto sender = Submitter::logged_in(*relay);
    return sender.submit(envelope_from, {to}, message("Subject that is returned", "BODY-CANARY"));
  }
  /// Waits until `queue list` shows so many deliveries in that state.
  static bool reaches(const std::string& recipient, const std::string& state, std::size_t count) {
    return eventually([&] { return relay->deliveries(recipient, state) >= count; });
  }

  static inline MailSink* sink = nullptr;
  static inline RelayFixture* relay = nullptr;
};

struct BounceCase {
  const char* name;
  const char* recipient;
  const char* status;
  const char* diagnostic;
};
void PrintTo(const BounceCase& c, std::ostream* out) { *out << c.name; }
class PermanentFailures : public Bounces, public ::testing::WithParamInterface<BounceCase> {};

TEST_P(PermanentFailures, ComeBackAsAReportWithoutContent) {
  const BounceCase& c = GetParam();
  const std::string sender = std::string(c.name) + "@example.com";
  ASSERT_TRUE(submit(sender, c.recipient).starts_with("250"));
  const auto files = relay->mail(ascii_lower(sender), 1);
  ASSERT_EQ(files.size(), 1U) << relay->log();
  const auto report = parse_report(files[0]);
  const auto value = [&](const char* name) { return report->getValue<std::string>(name); };
  EXPECT_EQ(value("return_path"), "<>");
  EXPECT_EQ(value("to"), sender);
  EXPECT_EQ(value("auto"), "auto-replied");
  EXPECT_EQ(value("type"), "multipart/report");
  EXPECT_EQ(value("report"), "delivery-status");
  EXPECT_EQ(value("parts"), "text/plain message/delivery-status text/rfc822-headers");
  EXPECT_EQ(value("action"), "failed");
  EXPECT_EQ(value("status"), c.status);
  EXPECT_NE(value("diagnostic").find(c.diagnostic), std::string::npos) << value("diagnostic");
  EXPECT_NE(value("final").find(c.recipient), std::string::npos);
  EXPECT_NE(value("returned").find("Subject: Subject that is returned"), std::string::npos) << value("returned");
  const std::string whole = read_file(files[0]);
  EXPECT_EQ(whole.find("BODY-CANARY"), std::string::npos);
  EXPECT_EQ(value("returned").find("\n\nMI"), std::string::npos) << "not even sealed content comes back";
}

INSTANTIATE_TEST_SUITE_P(
    All, PermanentFailures,
    ::testing::Values(BounceCase{"AtRcpt", "refused1@example.net", "5.1.1", "550 5.1.1 there is no such user"},
                      BounceCase{"AtTheFinalDot", "rejected1@example.net", "5.6.0", "554 5.6.0 we do not like it"}),
    [](const auto& info) { return info.param.name; });

TEST_F(Bounces, ATemporaryRefusalIsTriedAgainUntilItIsTaken) {
  ASSERT_TRUE(submit("patient@example.com", "later1@example.net").starts_with("250"));
  EXPECT_EQ(relay->sealed_mail("later1@example.net", 1).size(), 1U) << relay->log();
  EXPECT_TRUE(reaches("later1@example.net", "delivered", 1));
}

TEST_F(Bounces, TheNullSenderIsToldNothing) {
  ASSERT_TRUE(submit("", "refused2@example.net").starts_with("250"));
  // A report is put before its delivery counts as bounced, and to nobody it could not be put.
  EXPECT_TRUE(reaches("refused2@example.net", "bounced", 2)) << "the mail and its notification";
}

TEST(Bounce, AtMaxAgeTheMailComesBack) {
  MailSink sink({"smtp"});
  RelayFixture relay({{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink.port())},
                      {"delivery.retry", "1s"},
                      {"delivery.max_age", "2s"}});
  relay.read_mail_from(sink.folder());
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"never@example.net"}, message("x", "y")).starts_with("250"));
  const auto files = relay.mail("alice@example.com", 1);
  ASSERT_EQ(files.size(), 1U) << relay.log();
  const auto report = parse_report(files[0]);
  EXPECT_EQ(report->getValue<std::string>("status"), "4.4.7");
  EXPECT_NE(report->getValue<std::string>("diagnostic").find("450 4.2.1 not now"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::test
