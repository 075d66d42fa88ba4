// SPDX-License-Identifier: Apache-2.0
// The relay's certificates and the recipients' own in one list of what ends.
#include "relay/queue_overview.h"

#include <gmock/gmock.h>

namespace sealpost {
namespace {

using namespace std::chrono_literals;

const Time now = from_milliseconds(1'769'860'800'000);

WatchedCertificate ends(const char* name, Result<Time> end) {
  return {name, [end = std::move(end)] { return end; }};
}

std::vector<std::string> names(const CertificateStatus& status) {
  std::vector<std::string> all;
  for (const auto& one : status.soonest) all.push_back(one.of + one.address);
  return all;
}

TEST(CertificateStatusOf, CountsBoth) {
  KeySummary recipients;
  recipients.ended = 1;
  recipients.ending = 7;
  recipients.soonest = {{"a@example.net", now - 1h}, {"b@example.net", now + 3h}};
  const auto status = certificate_status(
      recipients, {ends("tls", now + 2h), ends("issuing_ca", now + ends_soon + 1ms), ends("other", now)}, now, 10);
  EXPECT_EQ(status.ended, 2U);
  EXPECT_EQ(status.ending, 8U);
  EXPECT_THAT(names(status), testing::ElementsAre("recipienta@example.net", "other", "tls", "recipientb@example.net"));
  EXPECT_THAT(names(certificate_status(recipients, {ends("tls", now + 2h)}, now, 1)),
              testing::ElementsAre("recipienta@example.net"));
}

TEST(CertificateStatusOf, LeavesOutWhatCannotBeRead) {
  const auto status = certificate_status({}, {ends("tls", Error::not_found("there is none"))}, now, 10);
  EXPECT_EQ(status.ended + status.ending, 0U);
  EXPECT_TRUE(status.soonest.empty());
}

}  // namespace
}  // namespace sealpost
