// SPDX-License-Identifier: Apache-2.0
// Implements delivery_filter.h.
#include "queue/delivery_filter.h"

#include <set>

#include "base/email_address.h"
#include "base/encoding.h"
#include "base/hmac.h"
#include "base/redis/number.h"

namespace sealpost {
namespace {

/// As long as common.lua leaves a class: what is as long may have been cut.
constexpr std::size_t class_max = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A reply code (RFC 5321) or an enhanced one (RFC 3463), which says more than the same digits elsewhere in a reply.
enum class Code { None, Reply, Enhanced };
Code code_in(std::string_view part) {
  const bool begins = !part.empty() && (part[0] == '2' || part[0] == '4' || part[0] == '5');
  if (begins && part.size() == 3 && is_digit(part[1]) && is_digit(part[2])) return Code::Reply;
  if (!begins || part.size() < 5 || part[1] != '.') return Code::None;
  const auto dot = part.find('.', 2);
  const bool numbers = part.find_first_not_of("0123456789.") == std::string_view::npos;
  const bool three = dot != std::string_view::npos && dot > 2 && dot + 1 < part.size() &&
                     part.find('.', dot + 1) == std::string_view::npos;
  return numbers && three ? Code::Enhanced : Code::None;
}

/// "451 4.7.1 text" has each of its codes at one place.
bool has_code(std::string_view text, std::string_view part, Code code) {
  const std::size_t at = code == Code::Reply ? 0 : 4;
  if (text.size() < at || !text.substr(at).starts_with(part)) return false;
  return text.size() == at + part.size() || !is_digit(text[at + part.size()]);
}

bool contains(std::string_view failure, const std::string& part) {
  const Code code = code_in(part);
  if (code != Code::None) return has_code(failure, part, code);
  return ascii_lower(failure).find(ascii_lower(part)) != std::string::npos;
}

bool same(const std::optional<std::string>& wanted, const std::string& value) {
  return !wanted || ascii_iequals(*wanted, value);
}

bool same_address(const std::optional<std::string>& wanted, const std::string& value) {
  if (!wanted) return true;
  const auto key = [](const std::string& text) {
    auto address = EmailAddress::parse(text);
    return address ? address->directory_key() : ascii_lower(text);
  };
  return key(*wanted) == key(value);
}

/// Tells one filter's cursors from another's.
std::string mark_of(const DeliveryFilter& filter) {
  std::string all;
  const auto add = [&all](const std::optional<std::string>& part) {
    all += part ? std::to_string(part->size()) + ":" + *part : "-";
  };
  const auto count = [](const std::optional<Duration>& age) {
    return age ? std::optional(std::to_string(age->count())) : std::nullopt;
  };
  add(filter.state ? std::optional(std::string(to_text(*filter.state))) : std::nullopt);
  add(std::string(filter.waiting ? "waiting" : "") + (filter.order == WalkOrder::NewestFirst ? "newest" : ""));
  for (const auto& part : {filter.domain, filter.sender, filter.recipient, filter.account, filter.error}) add(part);
  add(filter.message ? std::optional(filter.message->text()) : std::nullopt);
  add(count(filter.older_than));
  add(count(filter.newer_than));
  return to_hex(hmac_sha256("cursor", all)).substr(0, 8);
}

}  // namespace

bool DeliveryFilter::is_empty() const {
  return !state && !waiting && !domain && !sender && !recipient && !account && !message && !older_than && !newer_than &&
         !error;
}

bool matches(const DeliveryFilter& filter, const DeliveryRecord& record, Time now) {
  if (filter.state && record.state != *filter.state) return false;
  if (filter.waiting && !is_waiting(record.state)) return false;
  if (filter.message && record.id.message() != *filter.message) return false;
  if (filter.older_than && now - record.created < *filter.older_than) return false;
  if (filter.newer_than && now - record.created > *filter.newer_than) return false;
  if (filter.error && !contains(failure_text(record), *filter.error)) return false;
  return same(filter.domain, record.domain) && same(filter.sender, record.mail_from) &&
         same_address(filter.recipient, record.recipient) && same(filter.account, record.account);
}

/// The same as in common.lua: "host [address] tls: reply", in which an address may have brackets of its own.
std::string failure_text(const DeliveryRecord& record) {
  const std::string& text = record.last_response;
  if (record.state == DeliveryState::Delivered) return {};
  if (text.starts_with(left_out)) return text.substr(left_out.size());
  const auto blank = text.find(' ');
  if (blank == 0 || blank == std::string::npos || text.compare(blank, 2, " [") != 0) return text;
  const auto bracket = text.rfind(']', text.find(' ', blank + 1));
  if (bracket == std::string::npos || bracket < blank) return text;
  const auto colon = text.find(':', bracket);
  if (colon == std::string::npos || text.compare(colon, 2, ": ") != 0) return text;
  return text.substr(colon + 2);
}

/// All places of the class at once at which the part so far may have ended.
bool class_may_contain(std::string_view error_class, std::string_view part) {
  if (const Code code = code_in(part); code != Code::None) {
    return error_class.empty() || has_code(error_class, part, code);
  }
  std::set<std::size_t> places;
  for (std::size_t i = 0; i <= error_class.size(); ++i) places.insert(i);
  const bool open_end = error_class.size() >= class_max || error_class.empty();
  for (const char c : ascii_lower(std::string(part))) {
    std::set<std::size_t> next;
    for (const std::size_t at : places) {
      if (at == error_class.size()) {
        if (open_end) next.insert(at);
        continue;
      }
      const bool wild = error_class[at] == '#' && is_digit(c);
      if (wild) next.insert(at);
      if (wild || error_class[at] == c) next.insert(at + 1);
    }
    places = std::move(next);
  }
  return !places.empty();
}

std::string cursor_behind(const DeliveryFilter& filter, const IndexPosition& last) {
  return to_base64url(mark_of(filter) + " " + std::to_string(last.created) + " " + last.id);
}

Result<std::optional<IndexPosition>> parse_cursor(const DeliveryFilter& filter, const std::string& cursor) {
  if (cursor.empty()) return std::optional<IndexPosition>();
  const Error foreign = Error::invalid("this cursor is not one of ours");
  const auto text = from_base64url(cursor);
  const auto first = text ? text->find(' ') : std::string::npos;
  const auto second = first == std::string::npos ? first : text->find(' ', first + 1);
  if (second == std::string::npos) return foreign;
  const std::string time = text->substr(first + 1, second - first - 1);
  if (time.empty() || time.size() > 15 || time.find_first_not_of("0123456789") != std::string::npos) return foreign;
  if (!DeliveryId::parse(std::string_view(*text).substr(second + 1))) return foreign;
  if (text->substr(0, first) != mark_of(filter)) return Error::invalid("this cursor is one of another search");
  return std::optional(IndexPosition{redis::to_number(time), text->substr(second + 1)});
}

}  // namespace sealpost
