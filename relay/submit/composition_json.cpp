// SPDX-License-Identifier: Apache-2.0
// Implements composition_json.h.
#include "relay/submit/composition_json.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "base/encoding.h"
#include "base/http/json_body.h"
#include "base/mime_text.h"

namespace sealpost::submit {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::size_t max_name = 320;
constexpr std::size_t max_subject = 4096;
constexpr std::size_t max_header_value = 16UL * 1024;
constexpr std::size_t max_headers = 100;
constexpr std::size_t max_attachments = 500;
constexpr std::size_t max_filename = 1024;
/// Enough to mend a message by; a body of 50,000 wrong values is not answered with as many lines.
constexpr std::size_t max_errors = 100;

/// What stands in a header field, or in a part's: no line end gets out of it.
bool is_one_line(std::string_view text) {
  return without_controls(text, '\0') == text && text.find('\0') == std::string_view::npos &&
         !has_unicode_control(text);
}

/// RFC 5322 section 2.2: printable ASCII without the colon.
bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 76 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

/// Fields that the relay or another member writes.
bool is_reserved_field(std::string_view name) {
  const std::string lower = ascii_lower(name);
  constexpr std::array<std::string_view, 12> reserved = {"from",        "sender",       "to",       "cc",
                                                         "bcc",         "received",     "reply-to", "subject",
                                                         "return-path", "mime-version", "date",     "idempotency-key"};
  return std::find(reserved.begin(), reserved.end(), lower) != reserved.end() || lower.starts_with("resent-") ||
         lower.starts_with("content-");
}

/// RFC 5322 section 3.6: at most one of each; a JSON object takes two that differ in case.
bool is_single_field(const std::string& lower) {
  return lower == "message-id" || lower == "in-reply-to" || lower == "references";
}

bool is_token_character(char c) {
  constexpr std::string_view specials = "()<>@,;:\\\"/[]?=";  // tspecials of RFC 2045 section 5.1
  return c > ' ' && c < 0x7f && specials.find(c) == std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

/// A parameter's value: a token, or a quoted string.
bool is_parameter_value(std::string_view value) {
  if (is_token(value)) return true;
  if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) return false;
  value = value.substr(1, value.size() - 2);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"' || (value[i] == '\\' && ++i == value.size())) return false;
  }
  return true;
}

/// Up to the next semicolon that stands in no quotes.
std::string_view cut_parameter(std::string_view& rest) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ';'); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (quoted && rest[end] == '\\') ++end;
  }
  end = std::min(end, rest.size());
  const auto piece = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return trimmed(piece);
}

/// RFC 2045 section 5.1: type "/" subtype *(";" attribute "=" value).
bool is_content_type(std::string_view text) {
  if (text.size() > 255 || !is_ascii(text) || !is_one_line(text) || text.ends_with(';')) return false;
  const auto type = cut_parameter(text);
  const auto slash = type.find('/');
  if (slash == std::string_view::npos || !is_token(type.substr(0, slash)) || !is_token(type.substr(slash + 1))) {
    return false;
  }
  while (!text.empty()) {
    const auto parameter = cut_parameter(text);
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !is_token(parameter.substr(0, equals)) ||
        !is_parameter_value(parameter.substr(equals + 1))) {
      return false;
    }
  }
  return true;
}

/// What can stand between angle brackets and behind "cid:" alike.
bool is_content_id(std::string_view text) {
  constexpr std::string_view allowed = "!#$&'*+-/=?^_`{|}~.@";
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           allowed.find(c) != std::string_view::npos;
  });
}

/// RFC 5322 section 3.6.4, as far as others compare it.
bool is_message_id(std::string_view text) {
  if (text.size() < 5 || text.size() > 500 || !text.starts_with('<') || !text.ends_with('>')) return false;
  text = text.substr(1, text.size() - 2);
  const auto at = text.find('@');
  return at != 0 && at + 1 < text.size() && text.find('@', at + 1) == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>'; });
}

/// Reads one message; what is wrong gathers in `errors`.
class Reader final {
 public:
  explicit Reader(std::size_t max_recipients) : max_recipients_(max_recipients) {}

  Result<Composition, FieldErrors> read(const Var& json, const std::string& pointer) {
    if (json.type() != typeid(Object::Ptr)) return FieldErrors{{pointer, "not an object"}};
    std::optional<Mailbox> from;
    std::vector<Mailbox> to, cc, bcc, reply_to;
    std::optional<std::string> subject, text, html;
    std::vector<Attachment> attachments;
    std::vector<std::pair<std::string, std::string>> headers;
    const Members members = {
        {"from", [&](const Var& value, const std::string& at) { from = mailbox(value, at); }},
        {"to", [&](const Var& value, const std::string& at) { to = mailboxes(value, at); }},
        {"cc", [&](const Var& value, const std::string& at) { cc = mailboxes(value, at); }},
        {"bcc", [&](const Var& value, const std::string& at) { bcc = mailboxes(value, at); }},
        {"reply_to", [&](const Var& value, const std::string& at) { reply_to = mailboxes(value, at); }},
        {"subject", [&](const Var& value, const std::string& at) { subject = line(value, at, max_subject); }},
        {"text", [&](const Var& value, const std::string& at) { text = string(value, at); }},
        {"html", [&](const Var& value, const std::string& at) { html = string(value, at); }},
        {"attachments", [&](const Var& value, const std::string& at) { attachments = all_attachments(value, at); }},
        {"headers", [&](const Var& value, const std::string& at) { headers = all_headers(value, at); }},
    };
    members_of(*json.extract<Object::Ptr>(), pointer, members);
    if (!from && !fails_at(pointer + "/from")) fail(pointer + "/from", "missing: who the message is from");
    const std::size_t recipients = to.size() + cc.size() + bcc.size();
    if (recipients == 0 && errors_.empty()) fail(pointer + "/to", "missing: there is no recipient in to, cc or bcc");
    if (recipients > max_recipients_) {
      fail(pointer + "/to", "too many recipients: " + std::to_string(max_recipients_) + " at most in to, cc and bcc");
    }
    if (!errors_.empty()) return std::move(errors_);
    return Composition{std::move(*from),  std::move(to),       std::move(cc),
                       std::move(bcc),    std::move(reply_to), subject.value_or(std::string()),
                       std::move(text),   std::move(html),     std::move(attachments),
                       std::move(headers)};
  }

 private:
  using Members = std::map<std::string, std::function<void(const Var&, const std::string&)>, std::less<>>;

  void fail(const std::string& pointer, std::string detail) {
    if (errors_.size() < max_errors) errors_.push_back({pointer, std::move(detail)});
  }
  [[nodiscard]] bool fails_at(const std::string& pointer) const {
    return std::any_of(errors_.begin(), errors_.end(),
                       [&](const http::FieldError& error) { return error.pointer == pointer; });
  }

  /// A member that is null is one that is not there.
  void members_of(const Object& object, const std::string& pointer, const Members& members) {
    for (const auto& name : object.getNames()) {
      const std::string at = pointer + "/" + http::pointer_token(name);
      const auto member = members.find(name);
      if (member == members.end()) {
        fail(at, "there is no such member");
      } else if (const Var value = object.get(name); !value.isEmpty()) {
        member->second(value, at);
      }
    }
  }

  std::optional<std::string> string(const Var& value, const std::string& at) {
    if (value.isString()) return value.extract<std::string>();
    fail(at, "not a string");
    return std::nullopt;
  }

  std::optional<std::string> line(const Var& value, const std::string& at, std::size_t max_octets) {
    auto text = string(value, at);
    if (!text) return text;
    if (!is_one_line(*text)) {
      fail(at, "has a line end or another control character");
    } else if (text->size() > max_octets) {
      fail(at, "longer than " + std::to_string(max_octets) + " octets");
    }
    return text;
  }

  std::optional<Mailbox> mailbox(const Var& value, const std::string& at) {
    const auto text = string(value, at);
    if (!text) return std::nullopt;
    auto parsed = parse_mailbox(*text);
    if (parsed) return std::move(*parsed);
    fail(at, parsed.error().public_text);
    return std::nullopt;
  }

  /// A list, or one alone.
  std::vector<Mailbox> mailboxes(const Var& value, const std::string& at) {
    std::vector<Mailbox> all;
    const auto add = [&](const Var& one, const std::string& where) {
      if (auto parsed = mailbox(one, where)) all.push_back(std::move(*parsed));
    };
    if (value.isString()) {
      add(value, at);
    } else {
      each(value, at, max_recipients_, add);
    }
    return all;
  }

  void each(const Var& value, const std::string& at, std::size_t most,
            const std::function<void(const Var&, const std::string&)>& use) {
    if (value.type() != typeid(Array::Ptr)) return fail(at, "not an array");
    const auto& array = *value.extract<Array::Ptr>();
    if (array.size() > most) return fail(at, "more than " + std::to_string(most));
    for (std::size_t i = 0; i < array.size(); ++i) {
      use(array.get(static_cast<unsigned>(i)), at + "/" + std::to_string(i));
    }
  }

  std::vector<Attachment> all_attachments(const Var& value, const std::string& at) {
    std::vector<Attachment> all;
    std::set<std::string> ids;
    each(value, at, max_attachments, [&](const Var& one, const std::string& where) {
      if (one.type() != typeid(Object::Ptr)) return fail(where, "not an object");
      all.push_back(attachment(*one.extract<Object::Ptr>(), where));
      const std::string& id = all.back().content_id;
      if (!id.empty() && !ids.insert(id).second) fail(where + "/content_id", "an attachment before has this id");
    });
    return all;
  }

  Attachment attachment(const Object& object, const std::string& pointer) {
    Attachment made{{}, "application/octet-stream", {}, {}};
    bool has_content = false;
    members_of(object, pointer,
               {{"filename",
                 [&](const Var& value, const std::string& at) {
                   made.filename = line(value, at, max_filename).value_or(std::string());
                 }},
                {"content_type", [&](const Var& value, const std::string& at) { made.content_type = type(value, at); }},
                {"content_id",
                 [&](const Var& value, const std::string& at) {
                   made.content_id = string(value, at).value_or("x");
                   if (!is_content_id(made.content_id)) {
                     fail(at, "not an id: at most 255 letters, digits and !#$&'*+-/=?^_`{|}~.@");
                   }
                 }},
                {"content", [&](const Var& value, const std::string& at) {
                   has_content = true;
                   made.content = content(value, at);
                 }}});
    if (!has_content) fail(pointer + "/content", "missing: the attachment's octets in base64");
    const bool message = ascii_lower(made.content_type).starts_with("message/");
    if (message && !is_8bit(made.content)) {
      fail(pointer + "/content", "a message wants CRLF at its lines' ends, and 998 octets in a line at most");
    }
    return made;
  }

  std::string type(const Var& value, const std::string& at) {
    // Blanks would hide from a reader of the first letters which type it is.
    std::string text(trimmed(string(value, at).value_or("a/b")));
    if (!is_content_type(text)) {
      fail(at, "not a content type");
    } else if (ascii_lower(text).starts_with("multipart/")) {
      fail(at, "an attachment is one part: no multipart");
    }
    return text;
  }

  std::string content(const Var& value, const std::string& at) {
    const auto text = string(value, at);
    if (!text) return {};
    auto octets = from_base64(*text);
    if (!octets) fail(at, "not base64 (RFC 4648 section 4, with its padding and without line ends)");
    return std::move(octets).value_or(std::string());
  }

  std::vector<std::pair<std::string, std::string>> all_headers(const Var& value, const std::string& pointer) {
    std::vector<std::pair<std::string, std::string>> all;
    if (value.type() != typeid(Object::Ptr)) {
      fail(pointer, "not an object");
      return all;
    }
    const auto& object = *value.extract<Object::Ptr>();
    std::set<std::string> single;
    if (object.size() > max_headers) fail(pointer, "more than " + std::to_string(max_headers));
    for (const auto& name : object.getNames()) {
      const std::string at = pointer + "/" + http::pointer_token(name);
      if (!is_field_name(name)) {
        fail(at, "not the name of a header field");
      } else if (is_reserved_field(name)) {
        fail(at, "this field cannot be set here");
      } else if (is_single_field(ascii_lower(name)) && !single.insert(ascii_lower(name)).second) {
        fail(at, "given twice: a message has this field once");
      } else if (auto text = line(object.get(name), at, max_header_value)) {
        if (ascii_iequals(name, "Message-ID") && !is_message_id(*text)) fail(at, "not a message id: <left@right>");
        all.emplace_back(name, std::move(*text));
      }
    }
    return all;
  }

  std::size_t max_recipients_;
  FieldErrors errors_;
};

/// What stands in front of the angle bracket: a quoted string, or words that no list could be read into.
Result<std::string> parse_name(std::string_view text) {
  if (!is_one_line(text)) return Error::invalid("the name has a line end or another control character");
  if (text.size() > max_name) return Error::invalid("the name is longer than " + std::to_string(max_name) + " octets");
  if (!text.starts_with('"')) {
    if (text.find_first_of("<>\"@,;:\\") != std::string_view::npos) {
      return Error::invalid("a name with one of <>\"@,;:\\ stands in double quotes");
    }
    return std::string(text);
  }
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i + 1 == text.size()) return name;
      break;
    }
    if (text[i] == '\\' && ++i == text.size()) break;
    name += text[i];
  }
  return Error::invalid("the quoted name does not end where the address begins");
}

}  // namespace

Result<Mailbox> parse_mailbox(std::string_view text) {
  text = trimmed(text, " ");
  if (!text.ends_with('>')) {
    auto address = EmailAddress::parse(text);
    if (!address) return address.error();
    return Mailbox{{}, std::move(*address)};
  }
  const auto angle = text.rfind('<');
  if (angle == std::string_view::npos) return Error::invalid("not an address: there is a > without a <");
  auto address = EmailAddress::parse(text.substr(angle + 1, text.size() - angle - 2));
  if (!address) return address.error();
  auto name = parse_name(trimmed(text.substr(0, angle), " "));
  if (!name) return name.error();
  return Mailbox{std::move(*name), std::move(*address)};
}

Result<Composition, FieldErrors> read_composition(const Var& json, const std::string& pointer,
                                                  std::size_t max_recipients) {
  return Reader(max_recipients).read(json, pointer);
}

}  // namespace sealpost::submit
