// SPDX-License-Identifier: Apache-2.0
// notify.code_to = sender: the recipient is sent a link, the sender the code; both fit together, through crashes and
// requests for new codes, and nobody else is told.
#include <algorithm>

#include "notify/codes.h"
#include "tests/unit/notify/notifier_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::SentNotice;

class CodeToSender : public test::NotifierTest {
 protected:
  void SetUp() override {
    notify_settings.code_to = CodeTo::Sender;
    NotifierTest::SetUp();
  }
  /// Of an assignment for somebody's mail: the code that the sender is answered with.
  Secret assign_for(const std::string& mailbox, const std::string& sender) {
    auto made = keys->directory.find_or_assign(address(mailbox), {"crm", sender}).value();
    EXPECT_TRUE(made.assigned);
    EXPECT_TRUE(keys->directory.release_notification(address(mailbox)));
    return sender_code(keys->master, made.row_id);
  }
  static std::vector<SentNotice> to(const std::vector<SentNotice>& notices, const std::string& mailbox) {
    std::vector<SentNotice> found;
    std::copy_if(notices.begin(), notices.end(), std::back_inserter(found),
                 [&](const SentNotice& notice) { return notice.recipient == mailbox; });
    return found;
  }
  /// A message of another sender to a pair whose code is locked.
  std::vector<SentNotice> introduced_by(const std::string& sender, const SentNotice& before) {
    lock_latest(before);
    const auto key = keys->directory.find(address("bob@example.net")).value();
    EXPECT_TRUE(notifier->remind(*key, address("bob@example.net"), {"crm", sender}));
    return serve();
  }
};

TEST_F(CodeToSender, LinkGoesToTheRecipientAndCodeToTheSender) {
  const Secret answered = assign_for("Bob@example.net", "alice@example.com");
  const auto notices = serve();
  ASSERT_EQ(notices.size(), 2U);
  const auto links = to(notices, "Bob@example.net");
  const auto codes = to(notices, "alice@example.com");
  ASSERT_TRUE(links.size() == 1 && codes.size() == 1);
  EXPECT_TRUE(links[0].notification);
  EXPECT_EQ(links[0].code, "");
  EXPECT_EQ(links[0].raw.find(answered.reveal()), std::string::npos);
  EXPECT_FALSE(codes[0].notification) << "what becomes of it says nothing of the sender's own links";
  EXPECT_EQ(codes[0].code, answered.reveal()) << "as in the answer";
  EXPECT_EQ(codes[0].token, "");
  EXPECT_NE(codes[0].raw.find("Bob@example.net"), std::string::npos);
  EXPECT_TRUE(open(links[0].token, codes[0].code));
  EXPECT_EQ(all_of_redis().find(answered.reveal()), std::string::npos);
  EXPECT_EQ(log_file.text().find(answered.reveal()), std::string::npos);
}

TEST_F(CodeToSender, WhoAskedTheKeyServerIsAnsweredAndGetsNoMail) {
  const Secret answered = assign_for("bob@example.net", "");
  const auto notices = serve();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].code, "");
  EXPECT_TRUE(open(notices[0].token, std::string(answered.reveal())));
  const auto sent_code = notifier->send_new_code(address("bob@example.net")).value().value();
  ASSERT_TRUE(sent_code.code) << "nobody is known who could pass it on: the operator may";
  const auto again = sent();
  ASSERT_EQ(again.size(), 1U) << "the link alone";
  EXPECT_EQ(again[0].code, "");
  EXPECT_TRUE(open(again[0].token, std::string(sent_code.code->reveal())));
}

TEST_F(CodeToSender, WhoWroteLastPassesNewCodesOnWhenNoLinkKnowsAnybody) {
  assign_for("bob@example.net", "");
  const auto link = to(serve(), "bob@example.net").at(0);
  // Mail to a key that needs no notification.
  const auto key = keys->directory.find(address("bob@example.net")).value().value();
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(notifier->remind(key, address("bob@example.net"), {"crm", "s" + std::to_string(i) + "@example.com"}));
  }
  ASSERT_TRUE(notifier->remind(key, address("bob@example.net"), {"crm", "s4@example.com"}));
  EXPECT_EQ(sent().size(), 0U);
  const auto told = notifier->send_new_code(address("bob@example.net")).value().value();
  EXPECT_FALSE(told.code) << "not the operator's to tell";
  EXPECT_EQ(told.senders, (std::vector<std::string>{"s2@example.com", "s3@example.com", "s5@example.com",
                                                    "s6@example.com", "s4@example.com"}));
  const auto notices = sent();
  EXPECT_TRUE(open(to(notices, "bob@example.net").at(0).token, to(notices, "s4@example.com").at(0).code));
}

TEST_F(CodeToSender, WhatAStrangerWroteAboutSendersCountsForNothing) {
  ASSERT_TRUE(store->remember_sender("bob@example.net", "alice@example.com"));
  EXPECT_EQ(store->senders("bob@example.net").value(), std::vector<std::string>{"alice@example.com"});
  EXPECT_EQ(store->senders("carol@example.net").value(), std::vector<std::string>{});
  const auto key = pickup_address_key(keys->master, "bob@example.net", "senders");
  ASSERT_TRUE(keys->redis.command({"HSET", key, "senders", "mallory@example.com\n"}));
  EXPECT_EQ(store->senders("bob@example.net").value(), std::vector<std::string>{});
}

TEST_F(CodeToSender, CrashBetweenPutAndSettleTellsBothOnceAndAlike) {
  const Secret answered = assign_for("bob@example.net", "alice@example.com");
  for (const int puts : {1, 2}) {
    int done = 0;
    auto victim = make_notifier(random, [&] {
      if (++done == puts) throw std::runtime_error("crash");
    });
    EXPECT_THROW(static_cast<void>(victim->serve_outbox()), std::runtime_error) << puts;
    victim.reset();
    clock.advance(claim_lifetime);
  }
  const auto notices = serve();
  ASSERT_EQ(notices.size(), 2U);
  const auto links = to(notices, "bob@example.net");
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(to(notices, "alice@example.com").at(0).code, answered.reveal());
  EXPECT_TRUE(open(links[0].token, std::string(answered.reveal())));
}

TEST_F(CodeToSender, NewCodeGoesToTheSendersOnly) {
  assign_for("bob@example.net", "alice@example.com");
  const auto first = serve();
  auto link = to(first, "bob@example.net").at(0);
  const auto second = introduced_by("carol@example.com", link);
  EXPECT_EQ(to(second, "alice@example.com").size(), 0U) << "not her message";
  link = to(second, "bob@example.net").at(0);
  EXPECT_TRUE(open(link.token, to(second, "carol@example.com").at(0).code));

  EXPECT_TRUE(notifier->send_new_code(address("BOB@example.net")).value());
  const auto third = sent();
  ASSERT_EQ(third.size(), 3U);
  const auto alices = to(third, "alice@example.com").at(0);
  const auto bobs = to(third, "bob@example.net").at(0);
  EXPECT_EQ(alices.code, to(third, "carol@example.com").at(0).code);
  EXPECT_NE(alices.raw.find("needs a new code"), std::string::npos) << alices.raw;
  EXPECT_EQ(bobs.code, "");
  EXPECT_TRUE(open(bobs.token, alices.code));
  EXPECT_TRUE(notifier->send_new_code(address("bob@example.net")).value());
  EXPECT_EQ(sent().size(), 3U) << "nobody is forgotten by it";
}

TEST_F(CodeToSender, RequestOnThePageCountsAndBringsLinkAndCode) {
  assign_for("bob@example.net", "alice@example.com");
  ASSERT_EQ(serve().size(), 2U);
  notifier->start();
  notifier->resend(address("bob@example.net"), network);
  ASSERT_TRUE(test::eventually([&] { return deliveries() == 4; }));
  notifier->stop();
  const auto notices = sent();
  EXPECT_TRUE(open(to(notices, "bob@example.net").at(0).token, to(notices, "alice@example.com").at(0).code));
  EXPECT_FALSE(store->take_resend("bob@example.net").value()) << "one in a quarter of an hour, as ever";
}

TEST_F(CodeToSender, FiveSendersAreRemembered) {
  assign_for("bob@example.net", "s0@example.com");
  auto link = to(serve(), "bob@example.net").at(0);
  for (int i = 1; i <= 6; ++i) {
    clock.advance(day * 2);
    link = to(introduced_by("s" + std::to_string(i) + "@example.com", link), "bob@example.net").at(0);
  }
  const auto latest = store->latest("bob@example.net").value();
  EXPECT_EQ(latest->senders, (std::vector<std::string>{"s2@example.com", "s3@example.com", "s4@example.com",
                                                       "s5@example.com", "s6@example.com"}));
}

TEST_F(CodeToSender, SenderWhomSomebodyWroteIntoRedisIsToldNothing) {
  assign_for("bob@example.net", "alice@example.com");
  ASSERT_EQ(serve().size(), 2U);
  const auto names = keys->redis.command({"KEYS", "pickup:*:link:*"}).value();
  ASSERT_EQ(names.size(), 1U);
  ASSERT_TRUE(keys->redis.command({"HSET", std::string(names[0].text()), "senders", "eve@example.com\n"}));
  EXPECT_EQ(store->latest("bob@example.net").error().kind, ErrorKind::Permanent);
  const auto made = notifier->send_new_code(address("bob@example.net")).value().value();
  EXPECT_TRUE(made.code) << "the operator's to tell";
  const auto notices = sent();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].recipient, "bob@example.net");
}

}  // namespace
}  // namespace sealpost
