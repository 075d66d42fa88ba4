// SPDX-License-Identifier: Apache-2.0
// Webhooks as operators add them: what may be called, what Redis shows of them, and that nobody else's word counts.
#include "notify/webhooks.h"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/unit/notify/notify_fixture.h"

namespace sealpost::test {
namespace {

using Events = std::set<EventType>;

class WebhooksTest : public NotifyTest {
 protected:
  Webhook add(const std::string& account, const std::string& url = "https://hooks.example.com/in") {
    return webhooks().add(account, since, WebhookUrl::parse(url).value(), {EventType::Delivered}, false).value();
  }
  Webhooks& webhooks() {
    if (!made) made = std::make_unique<Webhooks>(keys->redis, keys->master, clock, random, log);
    return *made;
  }
  std::string stored(const std::string& id) {
    return std::string(keys->redis.command({"HGET", "account:{0}:webhooks", id}).value().text());
  }
  void store(const std::string& id, const std::string& value) {
    ASSERT_TRUE(keys->redis.command({"HSET", "account:{0}:webhooks", id, value}));
  }
  std::unique_ptr<Webhooks> made;
  const Time since = from_milliseconds(1'700'000'000'000);
};

TEST_F(WebhooksTest, AreFoundAsTheyWereAdded) {
  const auto url = WebhookUrl::parse("https://hooks.example.com:8443/in?tenant=1").value();
  const Events events = {EventType::Bounced, EventType::PickedUp};
  const auto added = webhooks().add("crm", since, url, events, true).value();
  const auto found = webhooks().find(added.id).value();
  EXPECT_EQ(found.account, "crm");
  EXPECT_EQ(found.url.text, url.text);
  EXPECT_EQ(found.url.host, "hooks.example.com");
  EXPECT_EQ(found.url.port, 8443);
  EXPECT_EQ(found.url.target, "/in?tenant=1");
  EXPECT_EQ(found.events, events);
  EXPECT_TRUE(found.allow_private);
  EXPECT_EQ(found.created, clock.now());
  EXPECT_EQ(found.since, since);
  EXPECT_TRUE(found.key.equals(added.key.reveal()));
  EXPECT_EQ(added.key.size(), 32U);
  EXPECT_EQ(to_shown_key(added).reveal().substr(0, 6), "whsec_");
}

TEST_F(WebhooksTest, AreListedAndRemovedByIdAndByAccount) {
  const auto first = add("crm");
  clock.advance(std::chrono::milliseconds(1));
  const auto second = add("erp");
  clock.advance(std::chrono::milliseconds(1));
  const auto third = add("crm");
  const auto ids = [&] {
    std::vector<std::string> all;
    const auto listed = webhooks().list().value();
    for (const auto& webhook : listed) all.push_back(webhook.id);
    return all;
  };
  EXPECT_EQ(ids(), (std::vector{first.id, second.id, third.id}));
  ASSERT_TRUE(webhooks().remove(first.id));
  EXPECT_EQ(webhooks().remove(first.id).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(webhooks().find(first.id).error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(webhooks().remove_all_of("crm"));
  EXPECT_EQ(ids(), std::vector{second.id});
  ASSERT_TRUE(webhooks().remove_all_of("nobody"));
}

TEST_F(WebhooksTest, AThiefOfRedisLearnsNeitherKeyNorUrl) {
  const auto webhook = add("crm", "https://hooks.example.com/secret-path");
  const std::string value = stored(webhook.id);
  EXPECT_EQ(value.find("secret-path"), std::string::npos);
  EXPECT_EQ(value.find(std::string(webhook.key.reveal())), std::string::npos);
}

TEST_F(WebhooksTest, WhatWasAlteredIsLoggedAndLeftOut) {
  const auto mine = add("crm");
  const auto whole = add("crm");
  const std::string value = stored(mine.id);
  std::string damaged = value;
  damaged.back() ^= 1;
  for (const std::string& other :
       {damaged, "erp" + value.substr(3), std::string("nonsense"), std::string(), stored(whole.id)}) {
    store(mine.id, other);
    EXPECT_EQ(webhooks().find(mine.id).error().kind, ErrorKind::Permanent);
    const auto listed = webhooks().list().value();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].id, whole.id);
  }
  EXPECT_NE(log_file.text().find("webhook.altered webhook=" + mine.id), std::string::npos);
  EXPECT_TRUE(webhooks().remove(mine.id)) << "it can be removed all the same";
}

TEST_F(WebhooksTest, HttpIsForPrivateAddresses) {
  const auto url = WebhookUrl::parse("http://hooks.example.com/").value();
  EXPECT_EQ(webhooks().add("crm", since, url, {EventType::Delivered}, false).error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(webhooks().add("crm", since, url, {EventType::Delivered}, true));
  EXPECT_EQ(webhooks().add("crm", since, url, {}, true).error().kind, ErrorKind::Invalid) << "no events";
}

TEST(WebhookEventTypes, HaveTheContractsNames) {
  for (const auto& [type, name] : std::vector<std::pair<EventType, std::string>>{{EventType::Delivered, "delivered"},
                                                                                 {EventType::Deferred, "deferred"},
                                                                                 {EventType::Bounced, "bounced"},
                                                                                 {EventType::PickedUp, "picked_up"}}) {
    EXPECT_EQ(to_text(type), name);
    EXPECT_EQ(parse_event_type(name), type);
  }
  EXPECT_FALSE(parse_event_type("Delivered"));
  EXPECT_FALSE(parse_event_type(""));
}

struct Good {
  const char* name;
  const char* text;
  const char* host;
  int port;
  bool tls;
  const char* target;
};
void PrintTo(const Good& good, std::ostream* out) { *out << good.name; }
class GoodUrl : public testing::TestWithParam<Good> {};
TEST_P(GoodUrl, IsRead) {
  const auto url = WebhookUrl::parse(GetParam().text);
  ASSERT_TRUE(url) << url.error().public_text;
  EXPECT_EQ(url->host, GetParam().host);
  EXPECT_EQ(url->port, GetParam().port);
  EXPECT_EQ(url->tls, GetParam().tls);
  EXPECT_EQ(url->target, GetParam().target);
}
INSTANTIATE_TEST_SUITE_P(
    All, GoodUrl,
    testing::Values(Good{"Plain", "https://hooks.example.com/in", "hooks.example.com", 443, true, "/in"},
                    Good{"NoPath", "https://hooks.example.com", "hooks.example.com", 443, true, "/"},
                    Good{"QueryOnly", "https://hooks.example.com?a=b", "hooks.example.com", 443, true, "/?a=b"},
                    Good{"UpperCase", "HTTPS://Hooks.Example.COM/In", "hooks.example.com", 443, true, "/In"},
                    Good{"Port", "http://hooks.example.com:8080/", "hooks.example.com", 8080, false, "/"},
                    Good{"Http", "http://127.0.0.1/", "127.0.0.1", 80, false, "/"},
                    Good{"Six", "https://[2001:DB8::1]:8443/", "2001:db8::1", 8443, true, "/"},
                    Good{"Encoded", "https://hooks.example.com/a%2Fb%3Fc?x=%2Fq", "hooks.example.com", 443, true,
                         "/a%2Fb%3Fc?x=%2Fq"}),
    [](const auto& info) { return info.param.name; });

class BadUrl : public testing::TestWithParam<std::string> {};
TEST_P(BadUrl, IsRefusedWithTheReason) {
  const auto url = WebhookUrl::parse(GetParam());
  ASSERT_FALSE(url) << GetParam();
  EXPECT_EQ(url.error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(url.error().public_text.empty());
}
INSTANTIATE_TEST_SUITE_P(All, BadUrl,
                         testing::Values("", "hooks.example.com", "ftp://hooks.example.com/", "file:///etc/passwd",
                                         "https://", "https:///in", "https://user:pw@hooks.example.com/",
                                         "https://hooks.example.com/#x", "https://hooks.example.com:0/",
                                         "https://hooks.example.com:99999/", "https://hooks.example.com:x/",
                                         "https://hooks example.com/", "https://hooks.example.com/a b",
                                         "https://hooks.example.com/\r\nX: y", "https://hooks.example.com/\xc3\xa4",
                                         "https://-bad-.example/", "https://[::1/", "javascript:alert(1)",
                                         "https://hooks.example.com/" + std::string(2000, 'x')),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

}  // namespace
}  // namespace sealpost::test
