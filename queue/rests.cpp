// SPDX-License-Identifier: Apache-2.0
// Implements rests.h.
#include "queue/rests.h"

#include "base/encoding.h"
#include "base/redis/number.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::size_t longest_reason = 256;

}  // namespace

Status Rests::begin(const std::string& destination, Duration length, std::string_view why) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
  auto set = redis_.command(
      {"SET", queue_keys::rest(destination),
       std::to_string(to_milliseconds(clock_.now() + length)) + " " + printable_ascii(why.substr(0, longest_reason)),
       "PX", std::to_string(std::max<std::int64_t>(milliseconds, 1))});
  return set ? Status() : Status(set.error());
}

Status Rests::end(const std::string& destination) {
  auto removed = redis_.command({"DEL", queue_keys::rest(destination)});
  return removed ? Status() : Status(removed.error());
}

Result<std::optional<Rest>> Rests::find(const std::string& destination) {
  auto reply = redis_.command({"GET", queue_keys::rest(destination)});
  if (!reply) return reply.error();
  const std::string_view text = reply->is_nil() ? std::string_view() : reply->text();
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return std::optional<Rest>();
  return std::optional(Rest{from_milliseconds(redis::to_number(text)), printable_ascii(text.substr(blank + 1))});
}

}  // namespace sealpost
