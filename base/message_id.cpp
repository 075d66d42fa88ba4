// SPDX-License-Identifier: Apache-2.0
// Implements message_id.h.
#include "base/message_id.h"

#include <array>
#include <charconv>

namespace sealpost {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t ulid_length = 26;

/// 128 bits as 26 symbols of five bits each, the first of them three bits short.
std::string encode(const std::array<unsigned char, 16>& value) {
  std::string text(ulid_length, '0');
  unsigned bits = 0;
  unsigned count = 0;
  std::size_t octet = value.size();
  for (std::size_t i = ulid_length; i-- > 0;) {
    if (count < 5 && octet > 0) {
      bits |= static_cast<unsigned>(value[--octet]) << count;
      count += 8;
    }
    text[i] = alphabet[bits & 31U];
    bits >>= 5U;
    count = count < 5 ? 0 : count - 5;
  }
  return text;
}

}  // namespace

MessageId MessageId::generate(const Clock& clock, Random& random) {
  return generate_in(static_cast<unsigned char>(random.octets(1)[0]) % shard_count, clock, random);
}

MessageId MessageId::generate_in(unsigned shard, const Clock& clock, Random& random) {
  std::array<unsigned char, 16> value{};
  random.fill(value);
  const auto now = static_cast<std::uint64_t>(to_milliseconds(clock.now()));
  for (unsigned i = 0; i < 6; ++i) value[i] = static_cast<unsigned char>(now >> (40U - 8U * i));
  value[15] = static_cast<unsigned char>((value[15] & 0xf0U) | (shard % shard_count));
  return MessageId(encode(value));
}

Result<MessageId> MessageId::parse(std::string_view text) {
  const bool fits =
      text.size() == ulid_length && text.front() <= '7' && text.find_first_not_of(alphabet) == std::string_view::npos;
  if (!fits) return Error::invalid("not a message id");
  return MessageId(std::string(text));
}

unsigned MessageId::shard() const { return static_cast<unsigned>(alphabet.find(text_.back())) % shard_count; }

Result<DeliveryId> DeliveryId::parse(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return Error::invalid("not a delivery id");
  auto message = MessageId::parse(text.substr(0, dash));
  if (!message) return Error::invalid("not a delivery id");
  const auto digits = text.substr(dash + 1);
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = code == std::errc() && end == digits.data() + digits.size();
  if (!whole || number == 0 || digits.front() == '0') return Error::invalid("not a delivery id");
  return DeliveryId(std::move(*message), number);
}

}  // namespace sealpost
