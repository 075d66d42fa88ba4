// SPDX-License-Identifier: Apache-2.0
// The life of a delivery: put, claim, open, outcome; once keys, fences, limits; and that content is gone or unreadable.
#include "queue/mail_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "queue/body_store.h"
#include "queue/keys.h"
#include "queue/scripts.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;

/// The header block that a delivery leaves with.
std::string header_of(const SealedMessage& message, std::size_t recipient) {
  return std::string(sealpost::view(message.header_block())) +
         message.contents().at(message.heads().at(recipient).content).mime_fields;
}

class MailQueueTest : public test::QueueTest {
 protected:
  /// What openssl makes of a delivered message with one recipient's key.
  std::string decrypt(const std::string& message, std::size_t recipient) {
    const auto& certificates = test::Certificates::get();
    const auto done = test::run({"openssl", "cms", "-decrypt", "-inkey", certificates.key_file(recipient), "-recip",
                                 certificates.certificate_file(recipient)},
                                message);
    return done.status == 0 ? done.out : "openssl: " + done.err;
  }
  std::unique_ptr<MailQueue> queue = process();
};

TEST_F(MailQueueTest, DeliversToEachRecipientItsOwnMessage) {
  for (const std::size_t recipients : {1U, 2U, 7U}) {
    std::vector<std::string> mailboxes;
    for (std::size_t i = 0; i < recipients; ++i) mailboxes.push_back("r" + std::to_string(i) + "@d.example");
    const SealedMessage sealed = test::seal(recipients);
    const MessageId id = queue->new_id();
    ASSERT_TRUE(queue->put(sealed, envelope(id), addressees(mailboxes)));
    const auto claims = claim_all(*queue);
    ASSERT_EQ(claims.size(), recipients);
    for (const auto& claim : claims) {
      const std::size_t index = claim.delivery.id.number() - 1;
      EXPECT_EQ(claim.delivery.recipient, mailboxes[index]);
      auto body = queue->open(claim);
      ASSERT_TRUE(body) << body.error().internal_detail;
      EXPECT_EQ((*body)->header_block(), header_of(sealed, index));
      const std::string text = read_all(**body);
      EXPECT_EQ(text.size(), claim.delivery.size);
      std::string expected = header_of(sealed, index) + "\r\n";
      const std::string der = sealed.heads()[index].der + sealed.contents()[0].octets;
      const std::string base64 = to_base64(der);
      for (std::size_t at = 0; at < base64.size(); at += 76) expected += base64.substr(at, 76) + "\r\n";
      EXPECT_EQ(text, expected);
      EXPECT_NE(decrypt(text, index % 2).find(test::canary), std::string::npos) << decrypt(text, index % 2);
      EXPECT_TRUE(queue->delivered(claim, "250 2.0.0 ok"));
      EXPECT_EQ(state(id, claim.delivery.id.number()), DeliveryState::Delivered);
    }
  }
  EXPECT_TRUE(keys("queue:*:body:*").empty()) << "content outlives its last delivery";
}

TEST_F(MailQueueTest, EachDeliveryHasTheFieldsOfItsOwnCipher) {
  const auto& certificates = test::Certificates::get();
  const std::array ciphers = {ContentCipher::Aes256Gcm, ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm};
  const std::vector<std::string> der = {certificates.der[0], certificates.der[1], certificates.der[1]};
  const auto message = split_message("From: a@example.com\r\nSubject: x\r\n\r\ntext\r\n").value();
  const auto sealed = Sealer(CryptoSettings{}).seal(message, der, {}, ciphers).value();
  ASSERT_TRUE(
      queue->put(sealed, envelope(queue->new_id()), addressees({"a@gcm.example", "b@cbc.example", "c@gcm.example"})));
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 3U);
  for (const auto& claim : claims) {
    const std::size_t index = claim.delivery.id.number() - 1;
    auto body = queue->open(claim).value();
    EXPECT_EQ(body->header_block(), header_of(sealed, index));
    const std::string text = read_all(*body);
    EXPECT_EQ(text.size(), claim.delivery.size);
    const bool gcm = ciphers[index] == ContentCipher::Aes256Gcm;
    EXPECT_EQ(text.find("smime-type=authEnveloped-data;") != std::string::npos, gcm) << text;
    EXPECT_EQ(text.find("smime-type=enveloped-data;") != std::string::npos, !gcm) << text;
    EXPECT_EQ(text.find("MIME-Version"), text.rfind("MIME-Version"));
    EXPECT_NE(decrypt(text, index == 0 ? 0 : 1).find("text\r\n"), std::string::npos);
  }
}

/// As bodies were stored before a message could have several ciphers: the wrapped header block is the whole of it.
TEST_F(MailQueueTest, BodiesOfEarlierVersionsAreRead) {
  const SealedMessage sealed = test::seal(2);
  const MessageId id = queue->new_id();
  ASSERT_TRUE(queue->put(sealed, envelope(id), addressees({"a@d.example", "b@d.example"})));
  // Two octets less than now, since no empty line stands in it; a longer name keeps the blob's size.
  const std::string earlier = "XY" + header_of(sealed, 0);
  const std::string sender = "sender@example.com";
  const auto blob = master.wrap(
      Purpose::HeaderBlock,
      std::to_string(id.text().size()) + ":" + id.text() + std::to_string(sender.size()) + ":" + sender, earlier);
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 2U);
  ASSERT_EQ(blob->size(), claims[0].message.header_octets);
  ASSERT_TRUE(redis.command({"SETRANGE", queue_keys::chunk(id, 0), "0", *blob}));
  for (const auto& claim : claims) {
    auto body = queue->open(claim);
    ASSERT_TRUE(body) << body.error().internal_detail;
    EXPECT_EQ((*body)->header_block(), earlier);
    const std::string text = read_all(**body);
    EXPECT_NE(decrypt(text, claim.delivery.id.number() - 1).find(test::canary), std::string::npos) << text;
  }
}

TEST_F(MailQueueTest, CarriesEnvelopeAndDsn) {
  const MessageId id = queue->new_id();
  Addressee who = addressee(
      "J\xc3\xbcrgen@b\xc3\xbc"
      "cher.example");
  who.dsn = {false, true, false, true, "rfc822;x@example.com"};
  Envelope from = envelope(id);
  from.smtputf8 = true;
  ASSERT_TRUE(queue->put(test::seal(1), from, std::vector<Addressee>{who}));
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  const auto& record = claims[0].delivery;
  EXPECT_EQ(record.id.message(), id);
  EXPECT_EQ(record.account, "crm");
  EXPECT_EQ(record.mail_from, "sender@example.com");
  EXPECT_EQ(record.recipient, who.address.text());
  EXPECT_EQ(record.domain, "xn--bcher-kva.example");
  EXPECT_EQ(record.destination, "xn--bcher-kva.example");
  EXPECT_EQ(record.state, DeliveryState::Sending);
  EXPECT_EQ(record.fingerprint, std::string(64, 'a'));
  EXPECT_EQ(record.key_state, "interim");
  EXPECT_EQ(record.envid, "envid");
  EXPECT_TRUE(record.smtputf8);
  EXPECT_FALSE(record.notice);
  EXPECT_TRUE(record.dsn.success && record.dsn.delay);
  EXPECT_FALSE(record.dsn.failure || record.dsn.never);
  EXPECT_EQ(record.dsn.orcpt, "rfc822;x@example.com");
  EXPECT_EQ(record.created, clock.now());
}

TEST_F(MailQueueTest, ANoticeLeavesAsItWas) {
  const std::string text = std::string("Subject: x\r\n\r\ncode ") + test::canary + "\r\n";
  const Notice notice(Notice::Kind::Notification, WipedBuffer(text.begin(), text.end()));
  Envelope from = envelope(queue->new_id(), "");
  from.mail_from.reset();
  ASSERT_TRUE(queue->put(notice, from, addressee("a@d.example")));
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_TRUE(claims[0].delivery.notice);
  EXPECT_TRUE(claims[0].delivery.notification);
  EXPECT_EQ(claims[0].delivery.mail_from, "");
  auto body = queue->open(claims[0]);
  ASSERT_TRUE(body);
  EXPECT_EQ((*body)->header_block(), "Subject: x\r\n");
  EXPECT_EQ(read_all(**body), text);
}

TEST_F(MailQueueTest, NothingInRedisShowsContent) {
  put(*queue, {"a@d.example", "b@d.example"});
  const std::string text = std::string("Subject: x\r\n\r\n") + test::canary;
  ASSERT_TRUE(queue->put(Notice(Notice::Kind::Bounce, WipedBuffer(text.begin(), text.end())), envelope(queue->new_id()),
                         addressee("a@d.example")));
  const std::string in_base64 = to_base64(test::canary).substr(0, 12);
  std::size_t seen = 0;
  for (const auto& key : keys("*")) {
    const auto dump =
        redis.command({"EVAL",
                       "local t = redis.call('TYPE', KEYS[1]).ok "
                       "if t == 'string' then return redis.call('GET', KEYS[1]) end "
                       "if t == 'hash' then return table.concat(redis.call('HGETALL', KEYS[1]), ' ') end "
                       "if t == 'zset' then return table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), ' ') end "
                       "return 'unknown type'",
                       "1", key});
    ASSERT_TRUE(dump);
    ++seen;
    EXPECT_NE(dump->text(), "unknown type") << key;
    for (const std::string& needle : {std::string(test::canary), in_base64, std::string("Subject:")}) {
      EXPECT_EQ(dump->text().find(needle), std::string_view::npos) << key;
    }
  }
  EXPECT_GT(seen, 8U);
  EXPECT_EQ(test::read_file(server.directory() / "appendonlydir/appendonly.aof.1.incr.aof").find(test::canary),
            std::string::npos);
}

/// docs/redis.md is the record of every key: a new kind of key must be written down there first.
TEST_F(MailQueueTest, EveryKindOfKeyStandsInTheDocument) {
  const Once once{random.octets(32), random.octets(32), 60s};
  ASSERT_TRUE(queue->put(test::seal(1), envelope(queue->new_id(once)), addressees({"a@d.example"}), once));
  put(*queue, {"b@d.example", "c@d.example", "d@d.example"});
  ASSERT_TRUE(queue->heartbeat());
  auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 4U);
  ASSERT_TRUE(queue->held(claims[0], "look"));
  ASSERT_TRUE(queue->delivered(claims[1], "250 ok"));
  ASSERT_TRUE(queue->release(claims[2]));
  const std::string document = test::read_file(std::string(SOURCE_DIR) + "/docs/redis.md");
  std::set<std::string> kinds;
  for (const auto& key : keys("queue:*")) {
    const std::string rest = key.substr(key.find('}') + 2);
    const auto colon = rest.find(':');
    kinds.insert(colon == std::string::npos ? rest : rest.substr(0, colon + 1));
  }
  EXPECT_GE(kinds.size(), 15U);
  for (const auto& kind : kinds) EXPECT_NE(document.find("| `" + kind), std::string::npos) << kind;
}

TEST_F(MailQueueTest, ALargeBodyGoesInChunksAndComesBack) {
  std::string content = random.octets(3 << 20U);
  for (char& c : content) c = static_cast<char>('a' + (static_cast<unsigned char>(c) % 26));
  for (std::size_t i = 78; i < content.size(); i += 80) content.replace(i, 2, "\r\n");
  const SealedMessage sealed = test::seal(2, content);
  const MessageId id = queue->new_id();
  ASSERT_TRUE(queue->put(sealed, envelope(id), addressees({"a@d.example", "b@d.example"})));
  EXPECT_GE(keys("queue:*:body:*").size(), 12U);
  for (const auto& key : keys("queue:*:body:*")) EXPECT_EQ(redis.command({"TTL", key})->integer(), -1) << key;
  for (const auto& claim : claim_all(*queue)) {
    auto body = queue->open(claim);
    ASSERT_TRUE(body);
    const std::string text = read_all(**body);
    EXPECT_EQ(text.size(), claim.delivery.size);
    EXPECT_NE(decrypt(text, claim.delivery.id.number() - 1).find(content.substr(0, 2 << 20U)), std::string::npos);
    EXPECT_TRUE(queue->delivered(claim, "250 ok"));
  }
  EXPECT_TRUE(keys("queue:*:body:*").empty());
}

TEST_F(MailQueueTest, APutWithAMissingChunkStoresNothing) {
  const MessageId id = queue->new_id();
  const std::string base = queue_keys::base(id.shard());
  ASSERT_TRUE(redis.command({"SET", queue_keys::chunk(id, 0), "x"}));
  const auto refused =
      redis.run(queue_scripts::put(), {base}, {id.text(), "", "", "0", "2", "", "record", "crm", "delivery"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().internal_detail.find("chunk 1 is missing"), std::string::npos);
  EXPECT_EQ(count("EXISTS", queue_keys::message(id)), 0U);
  for (const auto state : all_delivery_states) EXPECT_EQ(count("ZCARD", queue_keys::state(id.shard(), state)), 0U);
}

TEST_F(MailQueueTest, AChunkThatWentMissingIsAnErrorNotAShortMail) {
  const MessageId id = queue->new_id();
  ASSERT_TRUE(queue->put(test::seal(1, std::string(600'000, 'x')), envelope(id), addressees({"a@d.example"})));
  ASSERT_TRUE(redis.command({"DEL", queue_keys::chunk(id, 1)}));
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  auto body = queue->open(claims[0]);
  ASSERT_TRUE(body);
  Result<std::string> piece = (*body)->next();
  while (piece && !piece->empty()) piece = (*body)->next();
  EXPECT_FALSE(piece);
}

TEST_F(MailQueueTest, OnceReplaysAndTellsConflicts) {
  const Once once{random.octets(32), random.octets(32), 60s};
  const MessageId first = queue->new_id(once);
  const auto stored = queue->put(test::seal(1), envelope(first), addressees({"a@d.example"}), once);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->outcome, PutOutcome::Stored);
  const auto again = queue->put(test::seal(1), envelope(queue->new_id(once)), addressees({"a@d.example"}), once);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, PutOutcome::Replayed);
  EXPECT_EQ(again->id, first);
  Once other = once;
  other.body_mac = random.octets(32);
  const auto conflict = queue->put(test::seal(1), envelope(queue->new_id(other)), addressees({"a@d.example"}), other);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->outcome, PutOutcome::Conflict);
  EXPECT_EQ(claim_all(*queue).size(), 1U);
  const auto life = redis.command({"PTTL", queue_keys::once(first.shard(), to_hex(once.key_mac))});
  EXPECT_GT(life->integer(), 50'000);
  EXPECT_LE(life->integer(), 60'000);
}

TEST_F(MailQueueTest, AnAnswerIsKeptWithTheOnceKeyAndFoundBeforeAPut) {
  const Once once{random.octets(32), random.octets(32), 60s, "the answer"};
  EXPECT_FALSE(queue->find(once).value());
  const MessageId first = queue->new_id(once);
  ASSERT_TRUE(queue->put(test::seal(1), envelope(first), addressees({"a@d.example"}), once));
  Once later = once;
  later.answer = "another answer";
  const auto again = queue->put(test::seal(1), envelope(queue->new_id(later)), addressees({"a@d.example"}), later);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->answer, "the answer");
  const auto found = queue->find(later).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->outcome, PutOutcome::Replayed);
  EXPECT_EQ(found->id, first);
  EXPECT_EQ(found->answer, "the answer");
  later.body_mac = random.octets(32);
  const auto conflict = queue->find(later).value();
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->outcome, PutOutcome::Conflict);
  EXPECT_EQ(conflict->answer, "") << "it answers another submission";
}

TEST_F(MailQueueTest, AWrongNumberOfAddresseesIsRefused) {
  EXPECT_FALSE(queue->put(test::seal(2), envelope(queue->new_id()), addressees({"a@d.example"})));
  EXPECT_FALSE(queue->put(test::seal(1), envelope(queue->new_id()), std::vector<Addressee>{}));
  EXPECT_TRUE(keys("queue:*").empty());
}

TEST_F(MailQueueTest, ADeferredDeliveryComesBackWhenItIsDue) {
  const MessageId id = put(*queue, {"a@d.example"});
  auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  ASSERT_TRUE(queue->deferred(claims[0], "451 4.3.0 later\r\nX: y", clock.now() + 60s));
  auto record = view.show(DeliveryId(id, 1)).value();
  EXPECT_EQ(record.state, DeliveryState::Deferred);
  EXPECT_EQ(record.attempts, 1U);
  EXPECT_EQ(record.last_response, "451 4.3.0 later  X: y");
  EXPECT_EQ(record.next_attempt, clock.now() + 60s);
  EXPECT_TRUE(claim_all(*queue).empty());
  clock.advance(60s);
  put(*queue, {"b@d.example"});
  // Another process sweeps at once; this one within its interval.
  EXPECT_EQ(claim_all(*process()).size(), 2U);
}

TEST_F(MailQueueTest, OtherOutcomes) {
  const MessageId id = put(*queue, {"a@d.example", "b@d.example", "c@d.example"});
  for (const auto& claim : claim_all(*queue)) {
    if (claim.delivery.id.number() == 1) {
      ASSERT_TRUE(queue->warned(claim));
      ASSERT_TRUE(queue->bounced(claim, "550 5.1.1 unknown"));
    } else if (claim.delivery.id.number() == 2) {
      ASSERT_TRUE(queue->held(claim, "no certificate"));
    } else {
      ASSERT_TRUE(queue->release(claim));
    }
  }
  const auto bounced = view.show(DeliveryId(id, 1)).value();
  EXPECT_EQ(bounced.state, DeliveryState::Bounced);
  EXPECT_TRUE(bounced.warned);
  ASSERT_EQ(bounced.history.size(), 3U);
  EXPECT_EQ(bounced.history[0].text, "queued");
  EXPECT_EQ(bounced.history[1].text, "delay warning sent");
  EXPECT_EQ(bounced.history[2].text, "bounced: 550 5.1.1 unknown");
  EXPECT_EQ(view.show(DeliveryId(id, 2))->state, DeliveryState::Held);
  EXPECT_EQ(view.show(DeliveryId(id, 2))->attempts, 0U);
  EXPECT_EQ(view.show(DeliveryId(id, 3))->state, DeliveryState::Queued);
  EXPECT_EQ(view.show(DeliveryId(id, 3))->attempts, 0U);
  EXPECT_EQ(claim_all(*queue).size(), 1U);
  EXPECT_FALSE(keys("queue:*:body:*").empty()) << "content of deliveries that are not finished";
}

TEST_F(MailQueueTest, AnOutcomeIsRecordedOnce) {
  put(*queue, {"a@d.example"});
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  ASSERT_TRUE(queue->delivered(claims[0], "250 ok"));
  const auto second = queue->bounced(claims[0], "550 no");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(state(claims[0].delivery.id.message()), DeliveryState::Delivered);
}

TEST_F(MailQueueTest, ADestinationsLimitLeavesRoomForOthers) {
  for (int i = 0; i < 5; ++i) put(*queue, {"a" + std::to_string(i) + "@slow.example"});
  put(*queue, {"b@other.example"});
  const auto first = claim_all(*queue, 2);
  EXPECT_EQ(first.size(), 3U);
  EXPECT_TRUE(claim_all(*queue, 2).empty());
  for (const auto& claim : first) {
    if (claim.delivery.destination == "slow.example") {
      ASSERT_TRUE(queue->delivered(claim, "250 ok"));
    }
  }
  put(*queue, {"c@slow.example"});
  EXPECT_LE(claim_all(*queue, 2).size(), 2U);
}

TEST_F(MailQueueTest, OneDestinationMayHaveAnotherLimitThanTheRest) {
  for (int i = 0; i < 4; ++i) {
    for (const char* domain : {"more", "less", "none", "usual"}) put(*queue, {std::string("u@") + domain + ".example"});
  }
  const std::map<std::string, std::size_t> others = {{"more.example", 3}, {"less.example", 1}, {"none.example", 0}};
  const ClaimLimits limits(
      [&](const std::string& name) {
        const auto found = others.find(name);
        return ClaimLimits::Destination{found == others.end() ? 2 : found->second};
      },
      0);
  EXPECT_EQ(queue->claim(16, limits).value().size(), 6U);
  const auto in_flight = queue->in_flight();
  EXPECT_EQ(in_flight.at("more.example"), 3U);
  EXPECT_EQ(in_flight.at("less.example"), 1U);
  EXPECT_EQ(in_flight.at("usual.example"), 2U);
  EXPECT_FALSE(in_flight.contains("none.example"));
}

TEST_F(MailQueueTest, DoubtfulDestinationsHaveALimitTogether) {
  for (int i = 0; i < 12; ++i) put(*queue, {"u@doubtful" + std::to_string(i) + ".example", "u@known.example"});
  const ClaimLimits limits(
      [](const std::string& name) {
        return ClaimLimits::Destination{20, name.starts_with("doubtful")};
      },
      5);
  const auto first = claim_all(*queue, limits);
  EXPECT_EQ(first.size(), 5U + 12U) << "over all shards";
  const auto doubtful = std::find_if(first.begin(), first.end(), [](const Claim& claim) {
    return claim.delivery.destination.starts_with("doubtful");
  });
  ASSERT_TRUE(queue->delivered(*doubtful, "250 ok"));
  const auto next = queue->claim(10, limits).value();
  ASSERT_EQ(next.size(), 1U) << "at once: the place that became free is one for another shard's";
  EXPECT_TRUE(next[0].delivery.destination.starts_with("doubtful"));
}

TEST_F(MailQueueTest, DestinationsWithoutRoomHideNobody) {
  const ClaimLimits limits(
      [](const std::string& name) { return ClaimLimits::Destination{name == "free.example" ? 1U : 0U}; }, 0);
  const auto first = queue->new_id();
  std::vector<std::string> mailboxes;
  for (int i = 0; i < 600; ++i) mailboxes.push_back("u@d" + std::to_string(i) + ".example");
  ASSERT_TRUE(queue->put(test::seal(mailboxes.size()), envelope(first), addressees(mailboxes)));
  clock.advance(std::chrono::seconds(1));
  // The same shard, and due after all of those.
  const auto last = MessageId::generate_in(first.shard(), clock, random);
  ASSERT_TRUE(queue->put(test::seal(1), envelope(last), addressees({"u@free.example"})));
  const auto claims = queue->claim(10, limits).value();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].delivery.domain, "free.example");
}

/// The pages of a claim are few; the next one goes on behind them.
TEST_F(MailQueueTest, HoweverManyAreDueEachHasItsTurn) {
  const auto id = queue->new_id();
  std::vector<std::string> mailboxes;
  for (int i = 0; i < 1000; ++i) mailboxes.push_back("u@d" + std::to_string(i) + ".example");
  ASSERT_TRUE(queue->put(test::seal(mailboxes.size()), envelope(id), addressees(mailboxes)));
  std::set<std::string> served;
  for (int claim = 0; claim < 40; ++claim) {
    const auto claims = queue->claim(64, 1).value();
    for (const auto& one : claims) {
      served.insert(one.delivery.destination);
      ASSERT_TRUE(queue->deferred(one, "later", clock.now()));
    }
  }
  EXPECT_GT(served.size(), 800U) << "though the first ones are due again";
}

/// A destination with a long queue must not hold up those with little: each gets its share of every batch.
TEST_F(MailQueueTest, ManyDestinationsAreServedInTurn) {
  constexpr std::size_t small = 20;
  std::vector<std::string> mailboxes(300, "x@big.example");
  const MessageId big = put(*queue, mailboxes);
  clock.advance(1ms);
  for (std::size_t i = 0; i < small; ++i) {
    const MessageId id = MessageId::generate_in(big.shard(), clock, random);
    const std::vector<std::string> two(2, "x@small" + std::to_string(i) + ".example");
    ASSERT_TRUE(queue->put(test::seal(2), envelope(id), addressees(two)));
  }
  const auto first = queue->claim(2 * (small + 1), 1000).value();
  std::map<std::string, std::size_t> served;
  for (const auto& claim : first) ++served[claim.delivery.destination];
  EXPECT_EQ(served.size(), small + 1) << "every destination in the first batch";
  for (const auto& [destination, count] : served) EXPECT_EQ(count, 2U) << destination;
  EXPECT_EQ(queue->claim(50, 1000)->size(), 50U) << "what the small ones leave is the big one's";
}

TEST_F(MailQueueTest, AnOutcomeCanBeRecordedWhenRedisIsBack) {
  const MessageId id = put(*queue, {"a@d.example"});
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  server.kill();
  const auto away = queue->delivered(claims[0], "250 ok");
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().kind, ErrorKind::Temporary);
  server.start();
  EXPECT_TRUE(queue->delivered(claims[0], "250 ok")) << "the lease stands for as long as the process lives";
  EXPECT_EQ(state(id), DeliveryState::Delivered);
  EXPECT_EQ(view.show(DeliveryId(id, 1))->attempts, 1U);
}

/// While an outcome cannot be recorded the delivery still counts as one in flight for its destination.
TEST_F(MailQueueTest, AReleaseThatDidNotComeThroughIsMadeGoodByTheHeartbeat) {
  const auto id = put(*queue, {"bob@example.net"});
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  server.kill();
  EXPECT_FALSE(queue->release(claims[0]));
  EXPECT_TRUE(queue->in_flight().empty());
  server.start();
  for (int beat = 0; beat < 2; ++beat) ASSERT_TRUE(queue->heartbeat());
  EXPECT_EQ(view.show(DeliveryId(id, 1))->state, DeliveryState::Queued);
  EXPECT_EQ(claim_all(*queue).size(), 1U);
}

TEST_F(MailQueueTest, AnUnrecordedOutcomeKeepsItsPlaceAtTheDestination) {
  put(*queue, {"a@d.example"});
  const auto claims = claim_all(*queue, 1);
  ASSERT_EQ(claims.size(), 1U);
  server.kill();
  ASSERT_FALSE(queue->delivered(claims[0], "250 ok"));
  server.start();
  put(*queue, {"b@d.example"});
  EXPECT_TRUE(claim_all(*queue, 1).empty());
  ASSERT_TRUE(queue->delivered(claims[0], "250 ok"));
  std::vector<Claim> next;
  for (const auto end = std::chrono::steady_clock::now() + 30s;
       next.empty() && std::chrono::steady_clock::now() < end;) {
    next = claim_all(*queue, 1);  // found by the next sweep
  }
  EXPECT_EQ(next.size(), 1U);
}

TEST_F(MailQueueTest, HistoryIsTrimmedAndWaitingMailIsNot) {
  const MessageId done = put(*queue, {"a@d.example", "b@d.example"});
  for (const auto& claim : claim_all(*queue)) ASSERT_TRUE(queue->delivered(claim, "250 ok"));
  const MessageId waiting = put(*queue, {"c@d.example"});
  EXPECT_EQ(queue->trim_history(24h).value(), 0U);
  clock.advance(25h);
  EXPECT_EQ(queue->trim_history(24h).value(), 2U);
  EXPECT_EQ(view.show(DeliveryId(done, 1)).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(count("EXISTS", queue_keys::message(done)), 0U);
  EXPECT_EQ(count("ZCARD", queue_keys::finished(done.shard())), 0U);
  EXPECT_EQ(state(waiting), DeliveryState::Queued);
  EXPECT_EQ(view.summary()->states[DeliveryState::Delivered], 0U);
  EXPECT_EQ(view.list({}, 10, "")->deliveries.size(), 1U);
}

}  // namespace
}  // namespace sealpost
