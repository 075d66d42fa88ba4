// SPDX-License-Identifier: Apache-2.0
// The contract's JSON shapes, octet for octet: names, order, units, and null for what there is not.
#include "queue/delivery_json.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sealpost {
namespace {

using namespace std::chrono_literals;

const Time noon = from_milliseconds(1'769'860'800'000);  // 2026-01-31T12:00:00Z

std::string text(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

TEST(DeliveryJson, OfANewDelivery) {
  DeliveryRecord record(DeliveryId::parse("01ARYZ6S410000000000000000-2").value());
  record.account = "crm";
  record.mail_from = "alice@example.com";
  record.recipient = "Bob@D.example";
  record.domain = "d.example";
  record.created = noon;
  record.next_attempt = noon + 60'007ms;
  record.size = 5'000'000'000;
  record.fingerprint = "ab";
  record.key_state = "interim";
  record.history = {{noon, "queued"}};
  const std::string shared =
      R"({"id":"01ARYZ6S410000000000000000-2","message":"01ARYZ6S410000000000000000","account":"crm",)"
      R"("from":"alice@example.com","recipient":"Bob@D.example","domain":"d.example","state":"queued","attempts":0,)"
      R"("created":"2026-01-31T12:00:00.000Z","next_attempt":"2026-01-31T12:01:00.007Z","last_response":null,)"
      R"("size":5000000000,"key":{"fingerprint":"ab","state":"interim"})";
  EXPECT_EQ(text(to_json(record, false)), shared + "}");
  EXPECT_EQ(text(to_json(record, true)),
            shared + R"(,"history":[{"time":"2026-01-31T12:00:00.000Z","text":"queued"}]})");
}

TEST(DeliveryJson, OfANoticeThatBounced) {
  DeliveryRecord record(DeliveryId::parse("01ARYZ6S410000000000000000-1").value());
  record.recipient = "bob@d.example";
  record.domain = "d.example";
  record.state = DeliveryState::Bounced;
  record.attempts = 3;
  record.created = noon;
  record.last_response = "550 \"no\"";
  EXPECT_EQ(
      text(to_json(record, true)),
      R"({"id":"01ARYZ6S410000000000000000-1","message":"01ARYZ6S410000000000000000","account":null,"from":"",)"
      R"("recipient":"bob@d.example","domain":"d.example","state":"bounced","attempts":3,)"
      R"("created":"2026-01-31T12:00:00.000Z","next_attempt":null,"last_response":"550 \"no\"","size":0,"key":null,)"
      R"("history":[]})");
}

TEST(DeliveryJson, OfASummary) {
  QueueSummary summary;
  for (unsigned state = 0; state < 7; ++state) summary.states[static_cast<DeliveryState>(state)] = state;
  summary.oldest = noon - 90s;
  summary.rates = {12.3456, 3, 0.2, 0};
  summary.keys =
      KeyStatus{{5, 64}, {3, noon - 100s}, {1, 2, {{"tls", {}, noon}, {"recipient", "bob@d.example", noon + 1s}}}};
  DestinationSummary row;
  row.domain = "d.example";
  row.queued = 1;
  row.sending = 2;
  row.deferred = 3;
  row.held = 4;
  row.oldest = noon - 30s;
  row.ages = {10};
  row.concurrency = 5;
  row.delivered_per_minute = 1.006;
  row.last_error = "451 later";
  row.next_attempt = noon + 1s;
  summary.ages = {10};
  summary.destinations.push_back(row);
  summary.more_destinations = 7;
  summary.accounts.push_back({"crm", 10, 2.5});
  summary.errors.push_back({"451 later", 3});
  EXPECT_EQ(
      text(to_json(summary, noon)),
      R"({"states":{"queued":0,"sending":1,"deferred":2,"held":3,"delivered":4,"bounced":5,"dropped":6},"oldest":90,)"
      R"("ages":{"5m":10,"20m":0,"80m":0,"320m":0,"1280m":0,"older":0},)"
      R"("rates":{"accepted":12.35,"delivered":3,"deferred":0.2,"bounced":0},"pool":{"ready":5,"wanted":64},)"
      R"("pickups":{"waiting":3,"oldest":100},"certificates":{"ended":1,"ending":2,"soonest":[)"
      R"({"of":"tls","address":null,"ends":"2026-01-31T12:00:00.000Z"},)"
      R"({"of":"recipient","address":"bob@d.example","ends":"2026-01-31T12:00:01.000Z"}]},)"
      R"("destinations":[{"domain":"d.example","queued":1,"sending":2,"deferred":3,"held":4,"oldest":30,)"
      R"("ages":{"5m":10,"20m":0,"80m":0,"320m":0,"1280m":0,"older":0},"concurrency":5,"delivered_per_minute":1.01,)"
      R"("last_error":"451 later","next_attempt":"2026-01-31T12:00:01.000Z"}],"more_destinations":7,)"
      R"("accounts":[{"account":"crm","waiting":10,"accepted_per_minute":2.5}],)"
      R"("errors":[{"error":"451 later","count":3}]})");
}

TEST(DeliveryJson, OfAnEmptySummary) {
  EXPECT_EQ(
      text(to_json(QueueSummary{}, noon)),
      R"({"states":{},"oldest":null,"ages":{"5m":0,"20m":0,"80m":0,"320m":0,"1280m":0,"older":0},)"
      R"("rates":{"accepted":0,"delivered":0,"deferred":0,"bounced":0},"pool":null,"pickups":null,"certificates":null,)"
      R"("destinations":[],)"
      R"("more_destinations":0,"accounts":[],"errors":[]})");
}

}  // namespace
}  // namespace sealpost
