// SPDX-License-Identifier: Apache-2.0
// Names of messages and deliveries. A message id is a ULID whose last four bits name the Redis shard that holds all of
// the message's keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace sealpost {

/// Number of hash tags {0}…{15} that the queue and the directory are spread over.
inline constexpr unsigned shard_count = 16;

class MessageId final {
 public:
  static MessageId generate(const Clock& clock, Random& random);
  /// A fresh id in a chosen shard (idempotency keys decide the shard by themselves).
  static MessageId generate_in(unsigned shard, const Clock& clock, Random& random);
  /// 26 characters of Crockford's base32, upper case (https://github.com/ulid/spec).
  static Result<MessageId> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] unsigned shard() const;
  bool operator==(const MessageId&) const = default;

 private:
  explicit MessageId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// `<message-id>-<n>`, n from 1 in the order of the accepted recipients.
class DeliveryId final {
 public:
  DeliveryId(MessageId message, std::uint32_t number) : message_(std::move(message)), number_(number) {}
  static Result<DeliveryId> parse(std::string_view text);

  [[nodiscard]] const MessageId& message() const { return message_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] std::string text() const { return message_.text() + "-" + std::to_string(number_); }
  bool operator==(const DeliveryId&) const = default;

 private:
  MessageId message_;
  std::uint32_t number_;
};

}  // namespace sealpost
