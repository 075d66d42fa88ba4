// SPDX-License-Identifier: Apache-2.0
// One message to recipients of two domains for which the operator decided differently: each gets a key of their
// domain's type and state, a notification of its mode, and mail in its cipher.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/mail_parser.h"

namespace sealpost::test {
namespace {

bool says(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

TEST(RecipientDomains, EachRecipientIsServedAsTheirDomainSays) {
  RelayFixture relay(RelayFixture::Settings{{"crypto.key_type", "rsa2048"}});
  ASSERT_EQ(relay.stop(), 0);
  std::ofstream(relay.config(), std::ios::app)
      << "\n[recipient.domain.modern.example]\nmode = attach\nkey_type = p256\n"
         "content_cipher = aes256-gcm\npolicy = permanent\n";
  relay.start();
  auto sender = Submitter::logged_in(relay);
  const std::string plain = message("x", "hello");
  ASSERT_TRUE(
      sender.submit("alice@example.com", {"bob@example.net", "carol@modern.example"}, plain).starts_with("250"));

  const auto bob = relay.ctl({"key", "show", "bob@example.net"}).out;
  EXPECT_TRUE(says(bob, "state:       interim")) << bob;
  const auto carol = relay.ctl({"key", "show", "carol@modern.example"}).out;
  EXPECT_TRUE(says(carol, "state:       permanent")) << carol;

  const auto bobs_note = relay.notifications("bob@example.net", 1).at(0);
  const auto carols_note = relay.notifications("carol@modern.example", 1).at(0);
  EXPECT_FALSE(says(parse_mail(read_file(bobs_note)).structure, "application/x-pkcs12"));
  EXPECT_TRUE(says(parse_mail(read_file(carols_note)).structure, "application/x-pkcs12"));
  const auto bobs_key = relay.pick_up(bobs_note, "compatible");
  const auto carols_key = relay.pick_up(carols_note, "compatible");
  EXPECT_TRUE(says(run({"openssl", "x509", "-noout", "-text", "-in", bobs_key.pem_file}).out, "(2048 bit)"));
  EXPECT_TRUE(says(run({"openssl", "x509", "-noout", "-text", "-in", carols_key.pem_file}).out, "P-256"));

  const auto bobs_mail = relay.sealed_mail("bob@example.net", 1).at(0);
  const auto carols_mail = relay.sealed_mail("carol@modern.example", 1).at(0);
  EXPECT_TRUE(says(read_file(bobs_mail), "smime-type=enveloped-data;"));
  EXPECT_TRUE(says(read_file(carols_mail), "smime-type=authEnveloped-data;"));
  EXPECT_TRUE(says(relay.decrypt(bobs_mail, bobs_key), "\r\n\r\nhello\r\n"));
  EXPECT_TRUE(says(relay.decrypt(carols_mail, carols_key), "\r\n\r\nhello\r\n"));
  EXPECT_FALSE(says(relay.decrypt(carols_mail, bobs_key), "hello"));
  EXPECT_FALSE(says(read_file(bobs_mail), "modern.example"));
}

}  // namespace
}  // namespace sealpost::test
