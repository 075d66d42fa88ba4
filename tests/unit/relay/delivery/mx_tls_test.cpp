// SPDX-License-Identifier: Apache-2.0
// delivery.tls towards MX hosts, for all domains and for one, and where a notification goes.
#include "tests/unit/relay/delivery/mx_fixture.h"

namespace sealpost {
namespace {

using test::Answer;
using test::enhanced_of;
using test::kind_of;
using test::MxTest;
using test::PiecesBody;
using Tls = test::SmtpServerOptions::Tls;

test::SmtpServerOptions with_tls(const std::string& certificate = {}) {
  test::SmtpServerOptions options;
  options.tls = Tls::StartTls;
  options.certificate = certificate;
  return options;
}

TEST_F(MxTest, OpportunisticTakesTlsWhereItIsAndGoesOnWhereItIsNot) {
  serve(2, with_tls(test::TestCertificates::get().expired()));
  serve(3);
  resolve("tls MX 10 2.host\nplain MX 10 3.host\n");
  const Attempt secure = attempt("tls.example.com");
  EXPECT_EQ(kind_of(secure.outcome), "delivered");
  EXPECT_NE(secure.trace.tls, "") << "whoever answers: encrypted is better than not";
  const Attempt plain = attempt("plain.example.com");
  EXPECT_EQ(kind_of(plain.outcome), "delivered");
  EXPECT_EQ(plain.trace.tls, "");
}

TEST_F(MxTest, OpportunisticFallsBackWhereTlsIsBroken) {
  auto& server = serve(2, with_tls());
  server.answer("TLS", {Answer::close()});
  resolve("broken MX 10 2.host\n");
  const Attempt done = attempt("broken.example.com");
  EXPECT_EQ(kind_of(done.outcome), "delivered");
  EXPECT_EQ(done.trace.tls, "");
}

TEST_F(MxTest, RequiredTakesNoHostWithoutTls) {
  policy.tls = TlsPolicy::Required;
  auto& plain = serve(2);
  auto& secure = serve(3, with_tls());
  auto& broken = serve(4, with_tls());
  broken.answer("TLS", {Answer::close()});
  resolve("plain MX 10 2.host\nmixed MX 10 2.host\nmixed MX 20 3.host\nbroken MX 10 4.host\n");
  const Attempt refused = attempt("plain.example.com");
  EXPECT_EQ(kind_of(refused.outcome), "deferred");
  EXPECT_EQ(enhanced_of(refused.outcome), "4.7.10");
  EXPECT_EQ(kind_of(attempt("mixed.example.com").outcome), "delivered");
  EXPECT_EQ(kind_of(attempt("broken.example.com").outcome), "deferred");
  EXPECT_EQ(plain.messages().size() + broken.messages().size(), 0U);
  EXPECT_EQ(secure.messages().size(), 1U);
}

TEST_F(MxTest, OneDomainMayBeStricterThanTheRest) {
  policy.domain_tls = {{"strict.example.com", TlsPolicy::Required}};
  auto& plain = serve(2);
  resolve("strict MX 10 2.host\nrelaxed MX 10 2.host\n");
  // In this order: the connection that the relaxed domain leaves is not the strict one's.
  EXPECT_EQ(kind_of(attempt("relaxed.example.com").outcome), "delivered");
  EXPECT_EQ(kind_of(attempt("strict.example.com").outcome), "deferred");
  EXPECT_EQ(plain.messages().size(), 1U);
}

TEST_F(MxTest, VerifyWantsTheHostsNameInACertificateThatHolds) {
  policy.tls = TlsPolicy::Verify;
  const auto& certificates = test::TestCertificates::get();
  serve(2, with_tls(certificates.good()));
  serve(3, with_tls(certificates.foreign()));
  serve(4, with_tls(certificates.expired()));
  serve(5, with_tls(certificates.self_signed()));
  resolve("good MX 10 2.host\nforeign MX 10 3.host\nexpired MX 10 4.host\nown MX 10 5.host\n");
  EXPECT_EQ(kind_of(attempt("good.example.com").outcome), "delivered");
  for (const std::string name : {"foreign", "expired", "own"}) {
    const Attempt done = attempt(name + ".example.com");
    EXPECT_EQ(kind_of(done.outcome), "deferred") << name;
    EXPECT_EQ(enhanced_of(done.outcome), "4.7.5") << name;
  }
}

TEST_F(MxTest, OctetsBehindStarttlsEndTheAttempt) {
  policy.tls = TlsPolicy::Required;
  serve(2, with_tls()).answer("STARTTLS", {"220 go ahead\n250 injected"});
  resolve("injects MX 10 2.host\n");
  const Attempt done = attempt("injects.example.com");
  EXPECT_EQ(kind_of(done.outcome), "deferred");
  EXPECT_NE(response_of(done.outcome).find("STARTTLS"), std::string::npos);
}

}  // namespace
}  // namespace sealpost
