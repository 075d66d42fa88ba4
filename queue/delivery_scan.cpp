// SPDX-License-Identifier: Apache-2.0
// Implements delivery_scan.h.
#include "queue/delivery_scan.h"

#include <algorithm>
#include <charconv>

#include "base/email_address.h"
#include "base/encoding.h"
#include "queue/keys.h"
#include "queue/records.h"

namespace sealpost {
namespace {

constexpr std::size_t batch = 200;

bool is_finished(DeliveryState state) {
  return state == DeliveryState::Delivered || state == DeliveryState::Bounced || state == DeliveryState::Dropped;
}

std::function<std::string(unsigned)> index_for(const DeliveryFilter& filter) {
  if (filter.recipient) {
    auto address = EmailAddress::parse(*filter.recipient);
    const std::string key = address ? address->directory_key() : *filter.recipient;
    return [key](unsigned shard) { return queue_keys::recipient(shard, key); };
  }
  if (filter.account) {
    return [name = *filter.account](unsigned shard) { return queue_keys::account(shard, name); };
  }
  if (filter.state == DeliveryState::Held) return queue_keys::held;
  if (filter.state && is_finished(*filter.state)) return queue_keys::finished;
  return queue_keys::all;
}

/// What an operator sees of a record that somebody altered, or that another version wrote: claiming sets it aside.
DeliveryRecord unreadable(const DeliveryId& id, const Error& why) {
  DeliveryRecord record(id);
  record.state = DeliveryState::Held;
  record.last_response = "its records in the store cannot be read (" + why.internal_detail + ")";
  return record;
}

}  // namespace

Result<DeliveryScan> DeliveryScan::begin(redis::Client& redis, const DeliveryFilter& filter,
                                         const std::string& cursor) {
  DeliveryScan scan(redis, index_for(filter));
  if (cursor.empty()) return scan;
  const auto text = from_base64url(cursor);
  const auto space = text ? text->find(' ') : std::string::npos;
  auto last = space == std::string::npos ? Result<DeliveryId>(Error::invalid(""))
                                         : DeliveryId::parse(std::string_view(*text).substr(0, space));
  const std::string score = last ? text->substr(space + 1) : std::string();
  if (!last || score.empty() || score.find_first_not_of("0123456789") != std::string::npos) {
    return Error::invalid("this cursor is not one of ours");
  }
  scan.shard_ = last->message().shard();
  scan.after_ = last->text();
  scan.score_ = score;
  return scan;
}

std::string DeliveryScan::cursor_behind(const DeliveryRecord& last) const {
  const auto score = scores_.find(last.id.text());
  return to_base64url(last.id.text() + " " + (score == scores_.end() ? "0" : score->second));
}

Result<std::vector<DeliveryRecord>> DeliveryScan::next() {
  while (shard_ < shard_count) {
    auto reply = redis_->command({"ZRANGEBYSCORE", index_(shard_), score_, "+inf", "WITHSCORES", "LIMIT",
                                  std::to_string(offset_), std::to_string(batch)});
    if (!reply) return reply.error();
    std::vector<DeliveryId> ids;
    scores_.clear();
    for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
      const std::string member((*reply)[i].text());
      const std::string score((*reply)[i + 1].text());
      if (!after_.empty() && score == score_ && member <= after_) continue;
      auto id = DeliveryId::parse(member);
      if (!id) continue;  // none of ours
      ids.push_back(std::move(*id));
      scores_[member] = score;
    }
    if (ids.empty() && reply->size() == 2 * batch) {
      offset_ += batch;  // a whole batch of one score that was read before
      continue;
    }
    if (ids.empty()) {
      ++shard_;
      score_ = "-inf";
      after_.clear();
      offset_ = 0;
      continue;
    }
    const std::string last_score = scores_[ids.back().text()];
    if (last_score != score_) offset_ = 0;
    score_ = last_score;
    after_ = ids.back().text();
    auto records = read_delivery_records(*redis_, ids);
    if (!records || !records->empty()) return records;
  }
  return std::vector<DeliveryRecord>();
}

Result<std::vector<DeliveryRecord>> read_delivery_records(redis::Client& redis, const std::vector<DeliveryId>& ids) {
  std::vector<redis::Command> commands;
  for (const auto& id : ids) {
    commands.push_back({"GET", queue_keys::delivery(id)});
    commands.push_back({"GET", queue_keys::message(id.message())});
  }
  std::vector<DeliveryRecord> records;
  if (ids.empty()) return records;
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& delivery = (*replies)[2 * i];
    const auto& message = (*replies)[2 * i + 1];
    if (delivery.is_nil() || message.is_nil()) continue;  // trimmed meanwhile
    auto shared = decode_message(message.text());
    auto stored = shared ? decode_delivery(ids[i], delivery.text(), *shared) : shared.error();
    records.push_back(stored ? std::move(stored->record) : unreadable(ids[i], stored.error()));
  }
  return records;
}

Result<DeliveryRecord> read_delivery_record(redis::Client& redis, const DeliveryId& id) {
  auto records = read_delivery_records(redis, {id});
  if (!records) return records.error();
  if (records->empty()) return Error::not_found("there is no delivery " + id.text());
  return std::move(records->front());
}

Result<std::vector<DeliveryRecord>> read_deliveries_of(redis::Client& redis, const MessageId& message) {
  auto stored = redis.command({"GET", queue_keys::message(message)});
  if (!stored) return stored.error();
  if (stored->is_nil()) return std::vector<DeliveryRecord>();
  auto record = decode_message(stored->text());
  if (!record) return record.error();
  // Finished ones are forgotten one by one, which leaves gaps in the numbers; but all stand in the index by the time
  // at which the message was accepted.
  const std::string when = std::to_string(record->accepted);
  auto members = redis.command({"ZRANGEBYSCORE", queue_keys::all(message.shard()), when, when});
  if (!members) return members.error();
  std::vector<DeliveryId> ids;
  for (std::size_t i = 0; i < members->size(); ++i) {
    auto id = DeliveryId::parse((*members)[i].text());
    if (id && id->message() == message) ids.push_back(std::move(*id));
  }
  std::sort(ids.begin(), ids.end(), [](const DeliveryId& a, const DeliveryId& b) { return a.number() < b.number(); });
  return read_delivery_records(redis, ids);
}

}  // namespace sealpost
