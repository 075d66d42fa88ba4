// SPDX-License-Identifier: Apache-2.0
// /readyz as a load balancer asks it: each certificate that has ended or is not there is the reason that it names.
#include "relay/health_routes.h"

#include <gmock/gmock.h>

#include "tests/support/fakes.h"
#include "tests/support/redis_server.h"

namespace sealpost {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

class Readiness : public testing::Test {
 protected:
  std::pair<int, std::string> ask() {
    const auto routes = health_routes(
        redis_, watermark_, clock_,
        {{"the TLS certificate", [this] { return tls_; }}, {"the issuing CA", [this] { return issuing_; }}});
    for (const auto& route : routes) {
      if (route.pattern != "/readyz") continue;
      const auto answer = route.handle({});
      return {answer.status, std::string(view(answer.body))};
    }
    return {};
  }

  test::RedisServer server_;
  redis::Client redis_{server_.endpoint(), std::chrono::seconds(10)};
  StoreWatermark watermark_{redis_, {}};
  test::ManualClock clock_;
  Result<Time> tls_{clock_.now() + hours(1)};
  Result<Time> issuing_{clock_.now() + hours(3)};
};

TEST_F(Readiness, CertificatesEnd) {
  EXPECT_EQ(ask().first, 200);
  clock_.advance(hours(1));
  EXPECT_EQ(ask().first, 200) << "valid to its last second";
  clock_.advance(hours(1));
  EXPECT_EQ(ask().first, 503);
  EXPECT_THAT(ask().second, HasSubstr("\"the TLS certificate has expired\""));
  tls_ = clock_.now() + hours(24);
  EXPECT_EQ(ask().first, 200) << "renewed";
  clock_.advance(hours(2));
  EXPECT_THAT(ask().second, HasSubstr("\"the issuing CA has expired\""));
}

TEST_F(Readiness, ACertificateIsMissing) {
  tls_ = Error::not_found("there is no certificate");
  EXPECT_EQ(ask().first, 503);
  EXPECT_THAT(ask().second, HasSubstr("the TLS certificate: there is no certificate"));
}

}  // namespace
}  // namespace sealpost
