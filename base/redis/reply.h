// SPDX-License-Identifier: Apache-2.0
// What Redis answered, as a value that owns hiredis' reply.
#pragma once

#include <hiredis/hiredis.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sealpost::redis {

/// A look at one reply or a part of one; lives as long as the Reply it came from.
class ReplyView {
 public:
  explicit ReplyView(const redisReply* reply) : reply_(reply) {}
  [[nodiscard]] bool is_nil() const { return reply_->type == REDIS_REPLY_NIL; }
  [[nodiscard]] bool is_error() const { return reply_->type == REDIS_REPLY_ERROR; }
  [[nodiscard]] bool is_integer() const { return reply_->type == REDIS_REPLY_INTEGER; }
  [[nodiscard]] bool is_array() const { return reply_->type == REDIS_REPLY_ARRAY; }
  /// 0 when the reply is no integer.
  [[nodiscard]] std::int64_t integer() const { return is_integer() ? reply_->integer : 0; }
  /// The octets of a string, status or error; empty otherwise.
  [[nodiscard]] std::string_view text() const;
  /// Elements of an array; 0 otherwise.
  [[nodiscard]] std::size_t size() const { return is_array() ? reply_->elements : 0; }
  [[nodiscard]] ReplyView operator[](std::size_t index) const { return ReplyView(reply_->element[index]); }

 private:
  const redisReply* reply_;
};

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

class Reply final : public ReplyView {
 public:
  explicit Reply(redisReply* reply) : ReplyView(reply), owner_(reply) {}

 private:
  std::unique_ptr<redisReply, ReplyDeleter> owner_;
};

}  // namespace sealpost::redis
