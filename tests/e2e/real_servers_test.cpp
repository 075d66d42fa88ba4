// SPDX-License-Identifier: Apache-2.0
// Debian's mail servers as next hops: of a hundred messages each arrives, once, and decrypts.
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <set>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/dovecot.h"
#include "tests/support/mail_sink.h"
#include "tests/support/postfix.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

constexpr std::size_t messages = 100;

class RealServers : public ::testing::Test {
 protected:
  RealServers() : certificate(TestCertificates::get().good()) {}  // before the relay starts, which inherits the trust

  RelayFixture::Settings with_login(const std::string& route) const {
    return {{"delivery.route", route},
            {"delivery.tls", "verify"},
            {"delivery.username", "relay"},
            {"delivery.password_file", secrets.write("password", "s3cret-password\n")}};
  }
  static void expect_a_hundred(const RelayFixture::Settings& settings, const std::string& folder) {
    RelayFixture relay(settings);
    relay.read_mail_from(folder);
    auto sender = Submitter::logged_in(relay);
    std::set<std::string> sent;
    for (std::size_t i = 0; i < messages; ++i) {
      const std::string mail = message("Number", "..message " + std::to_string(i) + "\r\n.\r\n");
      ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, mail).starts_with("250 2.6.0"));
      sent.insert("Content-Type: text/plain\r\n\r\n" + body_of(mail));
    }
    const auto sealed = relay.sealed_mail("bob@example.net", messages);
    ASSERT_EQ(sealed.size(), messages) << relay.log();
    const auto key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
    std::set<std::string> arrived;
    for (const auto& mail : sealed) arrived.insert(relay.decrypt(mail, key));
    EXPECT_EQ(arrived, sent);
  }

  const std::string certificate;
  const TempDir secrets;
};

TEST_F(RealServers, AiosmtpdWithStarttlsAndAuth) {
  MailSink sink({"smtp", certificate, "relay", "s3cret-password"});
  expect_a_hundred(with_login("smtp://localhost:" + std::to_string(sink.port())), sink.folder());
}

TEST_F(RealServers, DovecotOverLmtp) {
  if (!Dovecot::possible()) GTEST_SKIP() << "needs root and the package dovecot-lmtpd";
  const Dovecot dovecot("relay", "s3cret-password");
  expect_a_hundred({{"delivery.route", "lmtp://127.0.0.1:" + std::to_string(dovecot.lmtp_port())}}, dovecot.mail());
}

TEST_F(RealServers, PostfixWithStarttlsAndAuth) {
  if (!Dovecot::possible() || !Postfix::possible())
    GTEST_SKIP() << "needs root and the packages postfix, dovecot-lmtpd";
  const Dovecot logins("relay", "s3cret-password");
  const passwd* owner = getpwnam("nobody");
  const Postfix postfix(
      "mynetworks =\nsmtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\nsmtpd_tls_chain_files = " +
          certificate +
          "\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = " + logins.auth_socket() +
          "\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\nvirtual_mailbox_domains = example.net\n"
          "virtual_mailbox_base = " +
          logins.mail() + "\nvirtual_mailbox_maps = static:bob@example.net/\nvirtual_minimum_uid = 1\n" +
          "virtual_uid_maps = static:" + std::to_string(owner->pw_uid) +
          "\nvirtual_gid_maps = static:" + std::to_string(owner->pw_gid) + "\n",
      "virtual unix - n n - - virtual\ntlsmgr unix - - n 1000? 1 tlsmgr\n");
  expect_a_hundred(with_login("smtp://localhost:" + std::to_string(postfix.port())), logins.mail());
  if (HasFailure()) ADD_FAILURE() << postfix.log();
}

}  // namespace
}  // namespace sealpost::test
