// SPDX-License-Identifier: Apache-2.0
// Which heads a log names: what the relay logged, and nothing that others wrote into it.
#include "relay/ctl/logged_heads.h"

#include <gmock/gmock.h>

#include <sstream>

#include "base/log.h"
#include "tests/support/fakes.h"
#include "tests/support/log_file.h"

namespace sealpost::ctl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const std::string mac(64, 'a');
const std::string other(64, 'b');

class LoggedHeadsTest : public testing::TestWithParam<LogFormat> {
 protected:
  static LoggedHeads read(const std::string& text) {
    std::istringstream log(text);
    return read_logged_heads(log);
  }
  void audit(const std::string& subject, const std::string& head = mac, const char* event = "audit") {
    log().info(event, {{"action", "key.kept"}, {"subject", subject}, {"shard", 3}, {"sequence", 17}, {"head", head}});
  }
  Log& log() { return file_.log; }
  [[nodiscard]] LoggedHeads heads() const { return read(file_.text()); }
  [[nodiscard]] std::string text() const { return file_.text(); }

 private:
  test::ManualClock clock_;
  test::LogFile file_{clock_, GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Formats, LoggedHeadsTest, testing::Values(LogFormat::Text, LogFormat::Json),
                         [](const auto& info) { return info.param == LogFormat::Text ? "Text" : "Json"; });

TEST_P(LoggedHeadsTest, AreThoseOfAuditLines) {
  audit("bob@example.com");
  EXPECT_THAT(heads().certain, ElementsAre(Pair(AuditPlace(3, 17), ElementsAre(mac))));
  EXPECT_THAT(heads().uncertain, IsEmpty());
}

TEST_P(LoggedHeadsTest, TheSameTwiceIsOneAndAnotherIsKeptBesideIt) {
  audit("bob@example.com");
  audit("bob@example.com");
  EXPECT_THAT(heads().certain.at({3, 17}), ElementsAre(mac));
  audit("bob@example.com", other);
  EXPECT_THAT(heads().certain.at({3, 17}), ElementsAre(mac, other));
}

TEST_P(LoggedHeadsTest, AnUncertainOneIsNoCertainOne) {
  audit("bob@example.com", mac, "audit.uncertain");
  EXPECT_THAT(heads().certain, IsEmpty());
  EXPECT_THAT(heads().uncertain.at({3, 17}), ElementsAre(mac));
}

TEST_P(LoggedHeadsTest, AnAddressMovesNone) {
  for (const std::string subject : {"{shard=9}{sequence=1}x@evil.example", "\"a shard=9 sequence=1\"@evil.example",
                                    "x\" shard=9 sequence=1 y=\"@evil.example", "\",\"shard\":9,\"@evil.example"}) {
    audit(subject);
  }
  EXPECT_THAT(heads().certain, ElementsAre(Pair(AuditPlace(3, 17), ElementsAre(mac))));
}

TEST_P(LoggedHeadsTest, AServersReplyMakesNone) {
  const std::string fields = "shard=9 sequence=1 head=" + other;
  for (const std::string& reply :
       {"450 4.2.0 " + fields, "450 2026-09-21T14:13:20.000Z info audit " + fields, "450\n" + fields,
        "450 {\"event\":\"audit\",\"shard\":9,\"sequence\":1,\"head\":\"" + other + "\"}",
        "\" x=\"2026-09-21T14:13:20.000Z info audit " + fields}) {
    log().info("delivery.attempt", {{"response", reply}});
  }
  EXPECT_THAT(heads().certain, IsEmpty()) << text();
}

TEST_P(LoggedHeadsTest, WhatAJournalPutsInFrontIsPassedOver) {
  audit("{shard=9}@example.com");
  for (const std::string front :
       {"Sep 21 14:13:20 relay sealpostd[7]: ", "2026-09-21T14:13:20+0000 relay sealpostd[7]: ", "sealpost-1  | ",
        "2026-09-21T14:13:20.123456789Z "}) {
    EXPECT_THAT(read(front + text()).certain, ElementsAre(Pair(AuditPlace(3, 17), ElementsAre(mac)))) << front;
  }
}

TEST_P(LoggedHeadsTest, RubbishIsNone) {
  log().info("audit", {{"shard", 16}, {"sequence", 1}, {"head", mac}});
  log().info("audit", {{"shard", -1}, {"sequence", 1}, {"head", mac}});
  log().info("audit", {{"shard", 1}, {"head", mac}});
  EXPECT_THAT(heads().certain, IsEmpty());
  EXPECT_THAT(read("\n \n{\n{}\n[]\naudit\n= = =\n2026-09-21T14:13:20.000Z info\n").certain, IsEmpty());
}

}  // namespace
}  // namespace sealpost::ctl
