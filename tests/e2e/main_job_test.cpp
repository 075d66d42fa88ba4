// SPDX-License-Identifier: Apache-2.0
// The main job with real programs: submit over TLS, seal, queue, deliver, notify, pick up, read.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/encoding.h"
#include "base/openssl.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/gnupg_home.h"

namespace sealpost::test {
namespace {

const std::string text_part = "Content-Type: text/plain\r\n\r\n";

/// RSA, as most recipients will have it; the other tests do with P-256, which costs less.
const RelayFixture::Settings rsa = {{"crypto.key_type", "rsa2048"}};

/// The serial numbers in a sealed mail's RecipientInfos, lower-case hex.
std::vector<std::string> recipient_serials(const std::string& mail_file) {
  const auto shown = run({"openssl", "cms", "-cmsout", "-print", "-in", mail_file});
  EXPECT_EQ(shown.status, 0) << shown.err;
  std::vector<std::string> serials;
  const std::regex line("serialNumber: ([0-9]+)\n");  // 127 bits are printed in decimal
  for (std::sregex_iterator at(shown.out.begin(), shown.out.end(), line); at != std::sregex_iterator(); ++at) {
    BIGNUM* raw = nullptr;
    BN_dec2bn(&raw, (*at)[1].str().c_str());
    const BignumPtr number(raw);
    std::string octets(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
    BN_bn2bin(raw, reinterpret_cast<unsigned char*>(octets.data()));
    serials.push_back(to_hex(octets));
  }
  return serials;
}

std::string serial_of(const std::string& certificate_file) {
  const auto shown = run({"openssl", "x509", "-noout", "-serial", "-in", certificate_file});
  std::smatch match;
  EXPECT_TRUE(std::regex_search(shown.out, match, std::regex("^serial=([0-9A-F]+)\n"))) << shown.err;
  return ascii_lower(match[1].str());
}

TEST(MainJob, NewRecipientsFirstMailIsDecryptedByOpenssl) {
  RelayFixture relay(rsa);
  auto sender = Submitter::logged_in(relay);
  const std::string mail = message("Numbers", "Line one\r\n..dots\r\n\tTabs, 8-bit: \xc3\xa9\r\n.");
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, mail).starts_with("250 2.6.0"));
  const auto sealed = relay.sealed_mail("bob@example.net", 1);
  const auto notified = relay.notifications("bob@example.net", 1);
  ASSERT_EQ(sealed.size(), 1U);
  ASSERT_EQ(notified.size(), 1U);
  const auto key = relay.pick_up(notified[0]);
  EXPECT_EQ(relay.decrypt(sealed[0], key), text_part + body_of(mail));
}

TEST(MainJob, NewRecipientsFirstMailIsDecryptedByGpgsm) {
  RelayFixture relay(rsa);
  auto sender = Submitter::logged_in(relay);
  const std::string mail = message("Numbers", "For gpgsm.");
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, mail).starts_with("250"));
  const auto key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0), "compatible");
  const GnupgHome home;
  const auto imported = home.gpgsm({"--passphrase-fd", "0", "--import", key.p12_file}, key.password + "\n");
  EXPECT_EQ(imported.status, 0) << imported.err;
  const std::string body = home.write("body", body_of(read_file(relay.sealed_mail("bob@example.net", 1).at(0))));
  const auto plain = home.gpgsm({"--passphrase-fd", "0", "--assume-base64", "--decrypt", body}, key.password + "\n");
  EXPECT_EQ(plain.out, text_part + "For gpgsm.\r\n") << plain.err;
}

TEST(MainJob, NewRecipientsFirstMailIsDecryptedByNss) {
  RelayFixture relay(rsa);
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(
      sender.submit("alice@example.com", {"bob@example.net"}, message("Numbers", "For NSS.")).starts_with("250"));
  const auto notified = relay.notifications("bob@example.net", 1);
  const auto sealed = relay.sealed_mail("bob@example.net", 1);
  for (const char* format : {"modern", "compatible"}) {
    const auto key = relay.pick_up(notified.at(0), format);
    const TempDir database;
    const std::string place = "sql:" + database.path().string();
    ASSERT_EQ(run({"certutil", "-N", "-d", place, "--empty-password"}).status, 0);
    const auto imported = run({"pk12util", "-i", key.p12_file, "-d", place, "-W", key.password});
    ASSERT_EQ(imported.status, 0) << format << imported.out << imported.err;
    const std::string der = database.write(
        "m.der", from_base64(std::regex_replace(body_of(read_file(sealed.at(0))), std::regex("\r\n"), "")).value());
    const auto plain = run({"cmsutil", "-D", "-d", place, "-i", der});
    EXPECT_EQ(plain.out, text_part + "For NSS.\r\n") << format << plain.err;
  }
}

TEST(MainJob, NotificationIsSignedForTheAddressThatItComesFrom) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "first")).starts_with("250"));
  const std::string file = relay.notifications("bob@example.net", 1).at(0);
  const TempDir place;
  const auto verify = [&](const std::string& mail) {
    return run({"openssl", "cms", "-verify", "-in", mail, "-purpose", "smimesign", "-signer", place / "signer.pem",
                "-CAfile", place.write("ca.pem", relay.ctl({"key", "ca"}).out)});
  };
  const auto verified = verify(file);
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_NE(verified.out.find("\r\nLink: "), std::string::npos) << "what is signed is what matters";
  const auto signer = run({"openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", place / "signer.pem"});
  EXPECT_NE(signer.out.find("email:postmaster@relay.example.org\n"), std::string::npos) << signer.out;
  const auto altered = std::regex_replace(read_file(file), std::regex("Authentication code: ."), "$&0");
  EXPECT_NE(verify(place.write("altered", altered)).status, 0);
}

TEST(MainJob, RelayWhoseSigningPairWasAlteredDoesNotStart) {
  RelayFixture relay;
  redis::Client redis(relay.redis_endpoint(), std::chrono::seconds(10));
  ASSERT_TRUE(redis.command({"SET", "keys:signer:postmaster@relay.example.org", "altered"}));
  ASSERT_EQ(relay.stop(), 0);
  Process daemon({program("sealpostd"), "--config", relay.config()});
  EXPECT_GT(daemon.wait(), 0);
  EXPECT_NE(daemon.output().find("signing key in Redis was altered"), std::string::npos) << daemon.output();
}

TEST(MainJob, SecondMailUsesTheSameKeyAndSendsNoSecondNotification) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "first")).starts_with("250"));
  const auto notified = relay.notifications("bob@example.net", 1);
  ASSERT_TRUE(sender.submit("alice@example.com", {"Bob@EXAMPLE.net"}, message("2", "second")).starts_with("250"));
  const auto first = relay.sealed_mail("bob@example.net", 1);
  const auto second = relay.sealed_mail("Bob@example.net", 1);
  EXPECT_EQ(relay.deliveries("bob@example.net"), 3U) << "two mails and one notification, however spelled";
  const auto key = relay.pick_up(notified.at(0));
  EXPECT_EQ(relay.decrypt(first.at(0), key), text_part + "first\r\n");
  EXPECT_EQ(relay.decrypt(second.at(0), key), text_part + "second\r\n");
  EXPECT_EQ(relay.stop(), 0);
  EXPECT_EQ(relay.notifications("bob@example.net", 1).size(), 1U);
  EXPECT_TRUE(relay.notifications("Bob@example.net", 0).empty());
}

TEST(MainJob, PooledPairsPlaceholderIsChangedToTheRecipientsAddress) {
  RelayFixture relay;
  ASSERT_EQ(relay.ctl({"key", "pool", "fill", "2"}).status, 0);
  ASSERT_EQ(relay.ctl({"key", "assign", "carol@example.net"}).status, 0);
  const auto shown = relay.ctl({"key", "show", "carol@example.net"});
  EXPECT_TRUE(
      std::regex_search(shown.out, std::regex("bound: +pool-[0-9A-Z]{26}@pool\\.invalid → carol@example\\.net")))
      << shown.out;
  const auto certificate = run({"openssl", "x509", "-noout", "-ext", "subjectAltName", "-subject"},
                               shown.out.substr(shown.out.find("-----BEGIN")));
  EXPECT_NE(certificate.out.find("email:carol@example.net"), std::string::npos) << certificate.out;
  EXPECT_EQ(certificate.out.find("pool"), std::string::npos);
}

TEST(MainJob, WithoutAPoolThePairIsGeneratedAfterTheRequest) {
  RelayFixture relay(RelayFixture::Settings{{"keys.pool_size", "0"}});
  EXPECT_EQ(relay.ctl({"key", "pool", "status"}).out, "0 ready, 0 wanted\n");
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "fresh")).starts_with("250"));
  EXPECT_NE(relay.ctl({"key", "show", "bob@example.net"}).out.find("generated for the address"), std::string::npos);
  const auto key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
  EXPECT_EQ(relay.decrypt(relay.sealed_mail("bob@example.net", 1).at(0), key), text_part + "fresh\r\n");
}

TEST(MainJob, PolicyPermanentAssignsPermanentPairs) {
  RelayFixture relay(RelayFixture::Settings{{"keys.policy", "permanent"}});
  ASSERT_EQ(relay.ctl({"key", "assign", "bob@example.net"}).status, 0);
  const auto shown = relay.ctl({"key", "show", "bob@example.net"});
  EXPECT_NE(shown.out.find("state:       permanent"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("expires:     -"), std::string::npos) << shown.out;
}

TEST(MainJob, BccRecipientLeavesNoTraceInTheOthersMail) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  const std::string mail =
      "From: alice@example.com\r\nTo: bob@example.net\r\nCc: carol@example.net\r\nBcc: dora@example.net\r\n"
      "Subject: three\r\n\r\nsame text\r\n";
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net", "carol@example.net", "dora@example.net"}, mail)
                  .starts_with("250"));
  std::set<std::string> bodies;
  std::set<std::size_t> sizes;
  for (const char* name : {"bob", "carol", "dora"}) {
    SCOPED_TRACE(name);
    const std::string folder = std::string(name) + "@example.net";
    const auto files = relay.sealed_mail(folder, 1);
    ASSERT_EQ(files.size(), 1U);
    const std::string raw = read_file(files[0]);
    EXPECT_EQ(raw.find("dora@"), std::string::npos);
    EXPECT_EQ(raw.substr(0, raw.size() - body_of(raw).size()).find("Bcc"), std::string::npos)
        << "in the body three letters also come by chance";
    bodies.insert(body_of(raw));
    sizes.insert(body_of(raw).size());
    const auto key = relay.pick_up(relay.notifications(folder, 1).at(0));
    EXPECT_EQ(recipient_serials(files[0]), std::vector<std::string>{serial_of(key.pem_file)})
        << "one RecipientInfo, and that is the recipient's own";
    EXPECT_EQ(relay.decrypt(files[0], key), text_part + "same text\r\n");
  }
  EXPECT_EQ(bodies.size(), 3U) << "three separate CMS";
  EXPECT_LE(*sizes.rbegin() - *sizes.begin(), 8U) << "of one size, but for a serial number that begins with zeros";
}

TEST(MainJob, ManySimultaneousFirstMailsMakeOnePairAndOneNotification) {
  // Without a pool the pair takes a while; all of them are about one new address, which is all that the account may
  // have notified.
  RelayFixture relay(RelayFixture::Settings{
      {"delivery.workers", "32"}, {"keys.pool_size", "0"}, {"notify.max_new_per_account", "1/h"}});
  constexpr std::size_t count = 200;
  std::vector<Submitter> senders;
  for (std::size_t i = 0; i < count; ++i) {
    auto& sender = senders.emplace_back(Submitter::logged_in(relay));
    ASSERT_TRUE(sender.say("MAIL FROM:<alice@example.com>").starts_with("250"));
    ASSERT_TRUE(sender.say("RCPT TO:<new@example.net>").starts_with("250"));
    ASSERT_TRUE(sender.say("DATA").starts_with("354"));
    sender.send(message("x", "y"));
  }
  for (auto& sender : senders) sender.send(".\r\n");
  for (auto& sender : senders) EXPECT_EQ(sender.reply().substr(0, 9), "250 2.6.0");
  const auto sealed = relay.sealed_mail("new@example.net", count);
  EXPECT_EQ(sealed.size(), count);
  EXPECT_EQ(relay.notifications("new@example.net", 1).size(), 1U);
  EXPECT_EQ(relay.deliveries("new@example.net"), count + 1) << "and no other notification waits";
  ASSERT_EQ(relay.stop(), 0);
  ASSERT_EQ(relay.notifications("new@example.net", 1).size(), 1U);
  std::set<std::vector<std::string>> serials;
  for (const auto& file : sealed) serials.insert(recipient_serials(file));
  EXPECT_EQ(serials.size(), 1U);
  EXPECT_EQ(serials.begin()->size(), 1U);
}

TEST(MainJob, NullSenderIsKept) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("", {"bob@example.net"}, message("1", "report")).starts_with("250"));
  EXPECT_TRUE(read_file(relay.sealed_mail("bob@example.net", 1).at(0)).starts_with("Return-Path: <>\r\n"));
}

TEST(MainJob, SmtpUtf8SenderAndRecipient) {
  RelayFixture relay;
  ASSERT_EQ(
      relay.ctl({"account", "add", "intl", "--send-as", "@bücher.example", "--password-stdin"}, "pw-12345\n").status,
      0);
  Submitter sender(relay, "smtps");
  sender.reply();
  sender.say("EHLO c");
  ASSERT_TRUE(sender.log_in("intl", "pw-12345").starts_with("235"));
  EXPECT_TRUE(sender.say("MAIL FROM:<ä@bücher.example>").starts_with("553 5.6.7"));
  const std::string mail = "From: ä@bücher.example\r\nSubject: Grüße\r\n\r\ntext\r\n";
  ASSERT_TRUE(sender.submit("ä@bücher.example", {"jürgen@straße.example"}, mail, " SMTPUTF8").starts_with("250"));
  const std::string folder = "j%C3%BCrgen@xn--strae-oqa.example";
  const auto key = relay.pick_up(relay.notifications(folder, 1).at(0));
  EXPECT_EQ(relay.decrypt(relay.sealed_mail(folder, 1).at(0), key), text_part + "text\r\n");
  const auto certificate = run({"openssl", "x509", "-in", key.pem_file, "-noout", "-text"});
  EXPECT_NE(certificate.out.find("othername"), std::string::npos) << certificate.out;
}

TEST(MainJob, LargeAttachmentArrivesByteForByte) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  std::string attachment;
  for (std::uint32_t x = 1; attachment.size() < 24'500'000;) {
    std::string line;
    for (int i = 0; i < 76; ++i) line += static_cast<char>('!' + (x = x * 1664525 + 1013904223) % 90);
    attachment += line + "\r\n";
  }
  const std::string mail =
      "From: alice@example.com\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n\r\n" + attachment;
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, mail).starts_with("250"));
  const auto key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
  const std::string plain = relay.decrypt(relay.sealed_mail("bob@example.net", 1).at(0), key);
  EXPECT_TRUE(plain == "Content-Type: application/octet-stream\r\n\r\n" + attachment) << plain.size();
}

TEST(MainJob, AlreadyEncryptedMailPassesThrough) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "inner")).starts_with("250"));
  const auto key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
  std::string again = read_file(relay.sealed_mail("bob@example.net", 1).at(0));
  again.erase(0, again.find("From:"));
  ASSERT_TRUE(sender.submit("alice@example.com", {"eve@example.net"}, again).starts_with("250"));
  const auto passed = relay.sealed_mail("eve@example.net", 1);
  EXPECT_EQ(relay.deliveries("eve@example.net"), 1U) << "no pair, no notification";
  ASSERT_EQ(relay.stop(), 0);
  EXPECT_EQ(body_of(read_file(passed.at(0))), body_of(again));
  EXPECT_EQ(relay.decrypt(passed.at(0), key), text_part + "inner\r\n");
  EXPECT_EQ(relay.mail("eve@example.net", 1).size(), 1U);
}

}  // namespace
}  // namespace sealpost::test
