// SPDX-License-Identifier: Apache-2.0
// /readyz speaks of the certificate that is served: one that ends while it is in use takes the relay out of service, a
// file that SIGHUP could not load does not.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <poll.h>

#include <csignal>

#include "base/openssl.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

/// Key and self-signed certificate that ends in so many seconds.
std::string ending_in(long seconds) {
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const BioPtr pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_X509(pem.get(), certificate.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(pem.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

TEST(Readiness, IsThatOfTheServedCertificate) {
  const TempDir dir;
  const std::string file = dir.write("tls.pem", read_file(TestCertificates::get().good()));
  RelayFixture relay({{"tls.certificate", file}, {"tls.private_key", file}});
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200);

  static_cast<void>(dir.write("tls.pem", read_file(TestCertificates::get().expired())));
  ::kill(relay.pid(), SIGHUP);
  ASSERT_TRUE(relay.wait_for_log("tls.reload_failed"));
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200) << "the good one is still served";

  static_cast<void>(dir.write("tls.pem", ending_in(10)));
  ::kill(relay.pid(), SIGHUP);
  ASSERT_TRUE(relay.wait_for_log("tls.reloaded"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  HttpAnswer answer = relay.http("GET", "/readyz");
  while (answer.status == 200 && std::chrono::steady_clock::now() < deadline) {
    poll(nullptr, 0, 50);
    answer = relay.http("GET", "/readyz");
  }
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("the TLS certificate has expired"), std::string::npos) << answer.body;
  EXPECT_EQ(relay.http("GET", "/healthz").status, 200);

  static_cast<void>(dir.write("tls.pem", read_file(TestCertificates::get().good())));
  ::kill(relay.pid(), SIGHUP);
  while (relay.http("GET", "/readyz").status == 503 && std::chrono::steady_clock::now() < deadline) {
    poll(nullptr, 0, 50);
  }
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200) << "renewed, without a restart";
}

}  // namespace
}  // namespace sealpost::test
