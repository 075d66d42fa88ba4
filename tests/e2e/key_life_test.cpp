// SPDX-License-Identifier: Apache-2.0
// What becomes of a recipient's key, from outside: each change by HTTP or sealpostctl, what mail from before and after
// it is readable with, what the address is told, and what the audit trail says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "base/encoding.h"
#include "tests/e2e/key_life_relay.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class KeyLife : public KeyLifeRelay {
 protected:
  static std::string login() { return "Basic " + to_base64(std::string("app:") + RelayFixture::password); }
  /// Whether a mail with that subject tells the address.
  static bool told(const Recipient& whom, const std::string& subject) { return !whom.mail(subject).empty(); }
  static std::string text_of(const HttpAnswer& answer, const std::string& member) {
    return json_of(answer.body)->optValue<std::string>(member, "");
  }
  /// The relay's CA certificates as a file.
  static std::string ca() { return place->write("ca.pem", relay->http("GET", "/v1/ca").body); }
  /// The current certificate of the address, and another's, as files.
  static std::string certificate_of(const std::string& address, const std::string& name) {
    const auto key = relay->http("GET", "/v1/keys/" + address, {}, {{"Authorization", login()}});
    return place->write(name, text_of(key, "certificate"));
  }
  void SetUp() override { place = std::make_unique<TempDir>(); }

  static std::unique_ptr<TempDir> place;
};

std::unique_ptr<TempDir> KeyLife::place;

TEST_F(KeyLife, KeepingMakesAKeyPermanent) {
  Recipient bob(*relay, "keeps@example.net");
  const auto kept = bob.keep();
  ASSERT_EQ(kept.status, 200) << kept.body;
  EXPECT_EQ(text_of(kept, "state"), "permanent");
  EXPECT_EQ(text_of(kept, "expires"), "");
  EXPECT_TRUE(bob.sent("second").starts_with("250"));
  const auto key = bob.pick_up();
  EXPECT_TRUE(bob.reads("first", key));
  EXPECT_TRUE(bob.reads("second", key));
  EXPECT_TRUE(told(bob, "Your key is kept for good"));
  const auto trail = bob.audit();
  EXPECT_THAT(trail, ElementsAre("key.assigned by account app: " + bob.first(), "key.kept by recipient: " + bob.first(),
                                 "key.picked_up by recipient: " + bob.first()));
  EXPECT_EQ(bob.keep().status, 200) << "once more is no change";
  EXPECT_EQ(bob.audit(), trail);
}

TEST_F(KeyLife, ForgettingBeforePickupMakesMailUnreadableAndTheNextOneBringsANewKey) {
  Recipient bob(*relay, "never-took@example.net");
  const auto forgotten = bob.forget();
  ASSERT_EQ(forgotten.status, 200) << forgotten.body;
  EXPECT_EQ(text_of(forgotten, "state"), "forgotten");
  EXPECT_EQ(bob.call("POST", "pkcs12", R"({"format":"modern"})").status, 404);
  EXPECT_TRUE(bob.sent("second").starts_with("250"));
  EXPECT_EQ(relay->notifications(bob.address(), 2).size(), 2U);
  EXPECT_NE(bob.current(), bob.first());
  EXPECT_EQ(bob.state(), "forgotten");
  const auto key = bob.pick_up();
  EXPECT_FALSE(bob.reads("first", key));
  EXPECT_TRUE(bob.reads("second", key));
  EXPECT_TRUE(told(bob, "Your key is forgotten"));
  EXPECT_THAT(bob.audit(), Contains("key.forgotten by recipient: " + bob.first()));
}

TEST_F(KeyLife, ForgettingAfterPickupLeavesTheKeyInUseAndInTheRecipientsHandsOnly) {
  Recipient bob(*relay, "took@example.net");
  const auto key = bob.pick_up();
  ASSERT_EQ(bob.forget().status, 200);
  EXPECT_EQ(bob.call("POST", "pkcs12", R"({"format":"modern"})").status, 404);
  EXPECT_TRUE(bob.sent("second").starts_with("250"));
  EXPECT_TRUE(bob.reads("first", key));
  EXPECT_TRUE(bob.reads("second", key));
  EXPECT_EQ(bob.current(), bob.first());
  EXPECT_EQ(bob.forget().status, 409) << "it cannot be done twice";
  EXPECT_TRUE(told(bob, "Your key is forgotten"));
  EXPECT_THAT(bob.audit(),
              ElementsAre("key.assigned by account app: " + bob.first(), "key.picked_up by recipient: " + bob.first(),
                          "key.forgotten by recipient: " + bob.first()));
}

TEST_F(KeyLife, TheReceiptHoldsAgainstTheRelaysCa) {
  Recipient bob(*relay, "receipt@example.net");
  const auto forgotten = bob.forget();
  ASSERT_EQ(forgotten.status, 200) << forgotten.body;
  const std::string receipt = text_of(forgotten, "receipt");
  EXPECT_THAT(receipt, HasSubstr(bob.first()));
  EXPECT_THAT(receipt, HasSubstr("Address: " + bob.address()));
  const std::string signature = place->write("receipt.der", from_base64(text_of(forgotten, "signature")).value());
  const auto verify = [&](const std::string& text) {
    return run({"openssl", "cms", "-verify", "-inform", "DER", "-in", signature, "-binary", "-content",
                place->write("receipt.txt", text), "-CAfile", ca(), "-out", "/dev/null"})
        .status;
  };
  EXPECT_EQ(verify(receipt), 0);
  EXPECT_NE(verify(receipt + " "), 0);
}

TEST_F(KeyLife, TheReceiptOfThePageIsASignedMail) {
  Recipient bob(*relay, "page-receipt@example.net");
  const std::string page = "/pickup/" + bob.link().token;
  const auto entered = relay->http("POST", page + "/session", "code=" + bob.link().code);
  const std::string set = entered.fields.at("set-cookie");
  const std::map<std::string, std::string> cookie = {{"Cookie", set.substr(0, set.find(';'))}};
  const std::string form = relay->http("GET", page + "/forget", {}, cookie).body;
  const auto at = form.find("name=\"csrf\" value=\"") + 19;
  const std::string csrf = form.substr(at, form.find('"', at) - at);
  const std::string fields = "csrf=" + csrf + "&fingerprint=" + bob.first() + "&confirm=yes";
  ASSERT_EQ(relay->http("POST", page + "/forget", fields, cookie).status, 200);
  const auto receipt = relay->http("GET", page + "/receipt", {}, cookie);
  ASSERT_EQ(receipt.status, 200);
  const auto verify = [](const std::string& mail) {
    return run({"openssl", "cms", "-verify", "-in", place->write("receipt.eml", mail), "-CAfile", ca()});
  };
  const auto signed_part = verify(receipt.body);
  EXPECT_EQ(signed_part.status, 0) << signed_part.err;
  EXPECT_THAT(signed_part.out, HasSubstr(bob.first())) << "in clear";
  std::string altered = receipt.body;
  altered.at(altered.find("Destroyed: ") + 11) ^= 1;
  EXPECT_NE(verify(altered).status, 0);
  EXPECT_TRUE(told(bob, "Receipt: a private key was destroyed"));
}

TEST_F(KeyLife, TheCodeForACertificateIsSignedWithinItsEncryption) {
  const Recipient bob(*relay, "signed-code@example.net");
  const OwnCertificate own({.address = bob.address()});
  ASSERT_EQ(bob.upload(own.pem()).status, 202);
  const std::string opened = relay->decrypt(bob.mail("The code for your certificate"), own.opener());
  const auto verify = [](const std::string& mail) {
    return run({"openssl", "cms", "-verify", "-in", place->write("code.eml", mail), "-CAfile", ca()});
  };
  const auto verified = verify(opened);
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("Authentication code: "));
  EXPECT_NE(verify(std::regex_replace(opened, std::regex("Link: "), "Link:  ")).status, 0);
}

TEST_F(KeyLife, RevokingListsTheCertificateAndTheNextMailBringsANewKey) {
  Recipient bob(*relay, "lost@example.net");
  const Recipient carol(*relay, "fine@example.net");
  const auto key = bob.pick_up();
  const std::string revoked = certificate_of(bob.address(), "revoked.pem");
  const auto done = relay->ctl({"key", "revoke", bob.address(), "--reason", "keyCompromise"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto list = relay->http("GET", "/v1/crl");
  ASSERT_EQ(list.status, 200);
  const auto crl = run({"openssl", "crl", "-inform", "DER", "-in", place->write("crl.der", list.body), "-text"});
  ASSERT_EQ(crl.status, 0) << crl.err;
  std::string serial = run({"openssl", "x509", "-in", revoked, "-noout", "-serial"}).out;
  serial = serial.substr(7, serial.find('\n') - 7);
  EXPECT_THAT(crl.out, HasSubstr("Serial Number: " + serial));
  EXPECT_THAT(crl.out, HasSubstr("Key Compromise"));
  const std::string crl_file = place->write("crl.pem", crl.out);
  const auto verify = [&](const std::string& file) {
    return run({"openssl", "verify", "-crl_check", "-CAfile", ca(), "-CRLfile", crl_file, file});
  };
  EXPECT_THAT(verify(revoked).err, HasSubstr("certificate revoked"));
  EXPECT_EQ(bob.keep().status, 401) << "whoever has the key may have the visit, too";
  const std::string code = R"({"code":")" + bob.link().code + "\"}";
  EXPECT_EQ(relay->http("POST", "/v1/pickup/" + bob.link().token + "/session", code).status, 410);
  EXPECT_EQ(verify(certificate_of(carol.address(), "fine.pem")).status, 0);

  EXPECT_TRUE(bob.sent("second").starts_with("250"));
  const auto notifications = relay->notifications(bob.address(), 2);
  ASSERT_EQ(notifications.size(), 2U);
  const bool second_first = read_notification(notifications[0]).token != bob.link().token;
  const auto next = relay->pick_up(notifications[second_first ? 0 : 1], "modern");
  EXPECT_TRUE(bob.reads("first", key));
  EXPECT_FALSE(bob.reads("second", key));
  EXPECT_TRUE(bob.reads("second", next));
  EXPECT_TRUE(told(bob, "Your key was revoked"));
  EXPECT_EQ(bob.state(), "revoked");
  EXPECT_THAT(bob.audit(), Contains("key.revoked by operator: " + bob.first() + " keyCompromise"));
}

/// Mail to an address whose own certificate ended, from the sender's and the recipient's side.
void expect_held(RelayFixture& relay, Recipient& bob, const OwnCertificate& own, const std::string& reason) {
  const std::string login = "Basic " + to_base64(std::string("app:") + RelayFixture::password);
  EXPECT_TRUE(bob.sent("held").starts_with("250"));
  const auto taken = relay.http(
      "POST", "/v1/messages",
      R"({"from":"alice@example.com","to":")" + bob.address() + R"(","subject":"rest","text":"text of rest"})",
      {{"Authorization", login}, {"Content-Type", "application/json"}});
  ASSERT_EQ(taken.status, 202) << taken.body;
  EXPECT_THAT(taken.body, HasSubstr(R"("status":"held")"));
  EXPECT_EQ(relay.deliveries(bob.address(), "held"), 2U);
  EXPECT_FALSE(bob.mail("Your certificate has ended").empty());
  EXPECT_EQ(bob.current(), own.fingerprint()) << "never a pair of the relay's in its place";
  EXPECT_EQ(bob.count("Your key for encrypted mail"), 1U);
  EXPECT_EQ(relay.http("PUT", "/v1/keys/" + bob.address(), {}, {{"Authorization", login}}).status, 409);
  const std::filesystem::path senders = relay.directory() / "mail/alice@example.com/new";
  const auto sender_knows = [&] {
    std::error_code absent;
    for (const auto& report : std::filesystem::directory_iterator(senders, absent)) {
      const std::string text = read_file(report.path());
      if (text.find("rfc822; " + bob.address()) != std::string::npos && text.find("4.7.5") != std::string::npos &&
          text.find(reason) != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(eventually(sender_knows, std::chrono::seconds(20))) << "the sender is not told";
}

TEST_F(KeyLife, MailForAnExpiredOwnCertificateIsHeldUntilThereIsAnother) {
  Recipient bob(*relay, "expires@example.net");
  const OwnCertificate short_lived({.address = bob.address(), .ends = std::chrono::seconds(4)});
  const auto used = bob.replace(short_lived, short_lived.pem());
  ASSERT_EQ(used.status, 200) << used.body;
  EXPECT_TRUE(bob.sent("in time").starts_with("250"));
  EXPECT_TRUE(bob.reads("in time", short_lived.opener()));
  short_lived.wait_for_its_end();
  expect_held(*relay, bob, short_lived, "has expired");

  const OwnCertificate next({.address = bob.address()});
  const auto set = bob.replace(next, next.pem());
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_TRUE(bob.reads("held", short_lived.opener())) << "it was sealed before";
  EXPECT_TRUE(bob.reads("rest", short_lived.opener()));
  EXPECT_EQ(relay->deliveries(bob.address(), "held"), 0U);
  EXPECT_TRUE(bob.sent("after").starts_with("250"));
  EXPECT_TRUE(bob.reads("after", next.opener()));
  EXPECT_FALSE(bob.reads("after", short_lived.opener()));
  EXPECT_THAT(bob.audit(),
              Contains("key.replaced by recipient: " + short_lived.fingerprint() + " by " + next.fingerprint()));
}

TEST_F(KeyLife, MailForARevokedOwnCertificateIsHeldToo) {
  Recipient bob(*relay, "revoked-own@example.net");
  const OwnCertificate own({.address = bob.address()});
  ASSERT_EQ(bob.replace(own, own.pem()).status, 200);
  const auto done = relay->ctl({"key", "revoke", bob.address()});
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(told(bob, "Your key was revoked"));
  expect_held(*relay, bob, own, "was revoked");
  EXPECT_EQ(bob.upload(own.pem()).status, 409) << "not the revoked one again";
  const OwnCertificate next({.address = bob.address()});
  ASSERT_EQ(bob.replace(next, next.pem()).status, 200);
  EXPECT_TRUE(bob.sent("after").starts_with("250"));
  EXPECT_TRUE(bob.reads("after", next.opener()));
  EXPECT_EQ(relay->deliveries(bob.address(), "held"), 2U) << "what is sealed to a revoked one is the operator's matter";
}

TEST_F(KeyLife, AnOwnCertificateIsNoneToForget) {
  Recipient bob(*relay, "own@example.net");
  const OwnCertificate own({.address = bob.address()});
  ASSERT_EQ(bob.replace(own, own.pem()).status, 200);
  EXPECT_EQ(bob.forget(own.fingerprint()).status, 409);
  EXPECT_EQ(bob.keep(own.fingerprint()).status, 200);
  EXPECT_EQ(bob.call("POST", "pkcs12", R"({"format":"modern","fingerprint":")" + own.fingerprint() + "\"}").status,
            404);
  ASSERT_EQ(relay->ctl({"key", "revoke", bob.address()}).status, 0);
  EXPECT_EQ(bob.state(own.fingerprint()), "revoked");
  EXPECT_EQ(bob.forget(own.fingerprint()).status, 409);
}

struct OwnCase {
  const char* name;
  const char* kind;
  std::string (OwnCertificate::*form)() const;
};

class KeyLifeOwn : public KeyLife, public testing::WithParamInterface<OwnCase> {};

TEST_P(KeyLifeOwn, TakesThePlaceOfThePairOnceItsCodeIsReturned) {
  Recipient bob(*relay, std::string(GetParam().name) + "@example.net");
  const auto key = bob.pick_up();
  const OwnCertificate own({.address = bob.address(), .kind = GetParam().kind});
  const auto pending = bob.upload((own.*GetParam().form)());
  ASSERT_EQ(pending.status, 202) << pending.body;
  EXPECT_EQ(text_of(pending, "fingerprint"), own.fingerprint());
  EXPECT_TRUE(bob.sent("second").starts_with("250"));
  EXPECT_TRUE(bob.reads("second", key)) << "nothing changes before the code";
  EXPECT_TRUE(told(bob, "A certificate for your mail"));
  const auto used = bob.confirm(own);
  ASSERT_EQ(used.status, 200) << used.body;
  EXPECT_EQ(text_of(used, "state"), "permanent");
  EXPECT_TRUE(bob.sent("third").starts_with("250"));
  EXPECT_TRUE(bob.reads("third", own.opener()));
  EXPECT_FALSE(bob.reads("third", key));
  EXPECT_FALSE(bob.reads("first", own.opener()));
  EXPECT_TRUE(bob.reads("first", bob.pick_up(bob.first()))) << "the earlier pair stays at the pickup";
  EXPECT_EQ(bob.state(), "replaced");
  EXPECT_TRUE(told(bob, "Your certificate is in use"));
  EXPECT_THAT(bob.audit(), Contains("key.replaced by recipient: " + bob.first() + " by " + own.fingerprint()));
}

INSTANTIATE_TEST_SUITE_P(Forms, KeyLifeOwn,
                         testing::Values(OwnCase{"RsaAsPem", "RSA", &OwnCertificate::pem},
                                         OwnCase{"P256AsDer", "P-256", &OwnCertificate::der},
                                         OwnCase{"P384AsPkcs7", "P-384", &OwnCertificate::pkcs7}),
                         [](const auto& info) { return std::string(info.param.name); });

/// A relay of short-lived interim keys; and a key that was forgotten at its start, since Redis' files are rewritten
/// some seconds later.
class KeyLifeInterim : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay = std::make_unique<RelayFixture>(RelayFixture::Settings{{"keys.interim_lifetime", "2s"}});
    const Recipient gone(*relay, "gone@example.net");
    redis::Client redis(relay->redis_endpoint(), std::chrono::seconds(10));
    const auto names = redis.command({"KEYS", "keys:*:address:" + gone.address()}).value();
    const auto stored = redis.command({"HGET", std::string(names[0].text()), "key:" + gone.first()}).value();
    const std::string file = prepared_file(gone, redis);
    for (const auto& octets : {std::string(stored.text()), file}) {
      forgotten.push_back(octets);
      were_in_a_file = were_in_a_file && octets.size() > 32 && is_in_a_file(octets);
    }
    EXPECT_EQ(gone.forget().status, 200);
  }
  static void TearDownTestSuite() { relay.reset(); }

  /// The key file that waits for its download, as it is stored, wrapped.
  static std::string prepared_file(const Recipient& recipient, redis::Client& redis) {
    const std::string page = "/pickup/" + recipient.link().token;
    const auto entered = relay->http("POST", page + "/session", "code=" + recipient.link().code);
    const std::string set = entered.fields.at("set-cookie");
    const std::map<std::string, std::string> visit = {{"Cookie", set.substr(0, set.find(';'))}};
    const std::string html = relay->http("GET", page, {}, visit).body;
    const std::string mark = "name=\"csrf\" value=\"";
    const auto begin = html.find(mark) + mark.size();
    const std::string csrf = html.substr(begin, html.find('"', begin) - begin);
    EXPECT_EQ(relay->http("POST", page + "/pkcs12", "format=modern&csrf=" + csrf, visit).status, 200);
    const auto names = redis.command({"KEYS", "pickup:*:file:*"}).value();
    if (names.size() != 1) return {};
    return std::string(redis.command({"GET", std::string(names[0].text())}).value().text());
  }
  static bool is_in_a_file(const std::string& octets) {
    std::error_code gone;  // while Redis puts a new file in the place of another
    for (const auto& entry : std::filesystem::recursive_directory_iterator(relay->state_dir(), gone)) {
      if (entry.is_regular_file(gone) && read_file(entry.path()).find(octets) != std::string::npos) return true;
    }
    return false;
  }
  inline static std::unique_ptr<RelayFixture> relay;
  /// The private key, and the key file that waited, as they were stored, wrapped.
  inline static std::vector<std::string> forgotten;
  inline static bool were_in_a_file = true;
};

TEST_F(KeyLifeInterim, AKeyWhoseTimeIsOverIsFollowedByAnotherAndStaysAtThePickup) {
  Recipient kept(*relay, "kept@example.net");
  Recipient bob(*relay, "interim@example.net");
  ASSERT_EQ(kept.keep().status, 200);
  const auto key = bob.pick_up();
  const auto over = [&] {
    const std::string login = "Basic " + to_base64(std::string("app:") + RelayFixture::password);
    return relay->http("GET", "/v1/keys/" + bob.address(), {}, {{"Authorization", login}}).status == 404;
  };
  ASSERT_TRUE(eventually(over)) << "it does not expire";
  EXPECT_TRUE(bob.sent("second").starts_with("250"));
  EXPECT_TRUE(kept.sent("second").starts_with("250"));
  EXPECT_EQ(relay->notifications(bob.address(), 2).size(), 2U);
  const std::string second = bob.current();
  EXPECT_NE(second, bob.first());
  EXPECT_EQ(bob.state(), "replaced");
  const auto next = bob.pick_up(second);
  EXPECT_TRUE(bob.reads("first", key));
  EXPECT_FALSE(bob.reads("first", next));
  EXPECT_TRUE(bob.reads("second", next));
  EXPECT_FALSE(bob.reads("second", key));
  EXPECT_TRUE(bob.reads("first", bob.pick_up(bob.first())));
  EXPECT_THAT(bob.audit(),
              ElementsAre("key.assigned by account app: " + bob.first(), "key.picked_up by recipient: " + bob.first(),
                          "key.assigned by account app: " + second + " in place of " + bob.first(),
                          "key.picked_up by recipient: " + second));
  ASSERT_EQ(bob.forget(bob.first()).status, 200);
  EXPECT_EQ(bob.call("POST", "pkcs12", R"({"format":"modern","fingerprint":")" + bob.first() + "\"}").status, 404);
  EXPECT_TRUE(kept.reads("second", kept.pick_up()));
  EXPECT_EQ(kept.current(), kept.first()) << "what is kept does not expire";
}

TEST_F(KeyLifeInterim, AForgottenKeyIsInNoFileOfTheStore) {
  ASSERT_EQ(forgotten.size(), 2U);
  ASSERT_TRUE(were_in_a_file) << "nothing would be found";
  for (const auto& octets : forgotten) EXPECT_TRUE(eventually([&] { return !is_in_a_file(octets); }));
}

}  // namespace
}  // namespace sealpost::test
