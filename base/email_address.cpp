// SPDX-License-Identifier: Apache-2.0
// Implements email_address.h.
#include "base/email_address.h"

#include <idn2.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::size_t max_local_octets = 64;    // RFC 5321 section 4.5.3.1.1
constexpr std::size_t max_domain_octets = 253;  // as text, without the root's dot
constexpr std::size_t max_label_octets = 63;    // RFC 1035 section 2.3.4

struct Idn2Deleter {
  void operator()(char* text) const { idn2_free(text); }
};
using Idn2Text = std::unique_ptr<char, Idn2Deleter>;

/// IDNA 2008 after the mapping of UTS 46 (non-transitional): case and width are folded, nothing else is guessed.
std::optional<std::string> to_a_label(const std::string& domain) {
  char* out = nullptr;
  const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
  if (idn2_to_ascii_8z(domain.c_str(), &out, flags) != IDN2_OK) return std::nullopt;
  const Idn2Text owner(out);
  return ascii_lower(out);
}

std::optional<std::string> to_u_label(const std::string& domain) {
  char* out = nullptr;
  if (idn2_to_unicode_8z8z(domain.c_str(), &out, 0) != IDN2_OK) return std::nullopt;
  const Idn2Text owner(out);
  return std::string(out);
}

bool is_ldh_label(std::string_view label) {
  return !label.empty() && label.size() <= max_label_octets && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_ldh_domain(std::string_view domain) {
  if (domain.size() > max_domain_octets) return false;
  while (true) {
    const auto dot = domain.find('.');
    if (!is_ldh_label(domain.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    domain.remove_prefix(dot + 1);
  }
}

/// atext of RFC 5322 section 3.2.3, UTF-8 included (RFC 6531).
bool is_atext(char c) {
  if (static_cast<unsigned char>(c) >= 0x80) return true;
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_string(std::string_view local) {
  if (local.empty() || local.front() == '.' || local.back() == '.') return false;
  if (local.find("..") != std::string_view::npos) return false;
  return std::all_of(local.begin(), local.end(), [](char c) { return c == '.' || is_atext(c); });
}

/// What a reader takes for a blank beside ASCII's own: NBSP, U+1680, U+2000 to U+200A, U+202F, U+205F, U+3000.
bool has_unicode_space(std::string_view utf8) {
  for (const char* space : {"\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"}) {
    if (utf8.find(space) != std::string_view::npos) return true;
  }
  for (std::string last = "\x80"; last <= "\x8a"; ++last[0]) {
    if (utf8.find("\xe2\x80" + last) != std::string_view::npos) return true;
  }
  return false;
}

/// The content of a Quoted-string (RFC 5321 section 4.1.2), or nothing when it is not one.
std::optional<std::string> unquote(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return std::nullopt;
  std::string content;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    char c = quoted[i];
    if (c == '"') return std::nullopt;
    if (c == '\\') {
      if (++i + 1 >= quoted.size()) return std::nullopt;
      c = quoted[i];
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    content += c;
  }
  if (content.empty()) return std::nullopt;
  return content;
}

/// Where the domain's '@' stands: behind the closing quote of a quoted local part, else the only one.
std::optional<std::size_t> find_at(std::string_view mailbox) {
  if (!mailbox.starts_with('"')) {
    const auto at = mailbox.find('@');
    if (at == std::string_view::npos || mailbox.find('@', at + 1) != std::string_view::npos) return std::nullopt;
    return at;
  }
  for (std::size_t i = 1; i < mailbox.size(); ++i) {
    if (mailbox[i] == '\\') {
      ++i;
    } else if (mailbox[i] == '"') {
      if (mailbox.substr(i + 1, 1) == "@") return i + 1;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<DomainName> DomainName::parse(std::string_view text) {
  if (text.starts_with('[')) return Error::invalid("address literals are not accepted");
  if (text.empty() || text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    return Error::invalid("not a domain name");
  }
  const auto a_label = to_a_label(std::string(text));
  if (!a_label || !is_ldh_domain(*a_label)) return Error::invalid("not a domain name");
  // No top-level domain is a number (RFC 3696 section 2); what looks so is an IPv4 address without its brackets.
  const auto dot = a_label->rfind('.');
  if (dot != std::string::npos && a_label->find_first_not_of("0123456789", dot + 1) == std::string::npos) {
    return Error::invalid("an address is not a domain name");
  }
  return DomainName(std::string(text), *a_label);
}

EmailAddress::EmailAddress(std::string text, std::string local, std::string local_text, DomainName domain)
    : text_(std::move(text)),
      local_(std::move(local)),
      local_text_(std::move(local_text)),
      domain_(std::move(domain)),
      directory_key_(ascii_lower(local_) + "@" + domain_.a_label()) {}

Result<EmailAddress> EmailAddress::parse(std::string_view mailbox) {
  if (!is_utf8(mailbox)) return Error::invalid("the address is not valid UTF-8");
  if (has_unicode_control(mailbox)) return Error::invalid("the address holds control characters");
  const auto at = find_at(mailbox);
  if (!at) return Error::invalid("the address needs one @ between a local part and a domain");
  const std::string_view written = mailbox.substr(0, *at);
  std::string local(written);
  if (written.starts_with('"')) {
    auto content = unquote(written);
    if (!content) return Error::invalid("the quoted local part is not well-formed");
    local = std::move(*content);
  } else if (!is_dot_string(written)) {
    return Error::invalid("the local part is not well-formed");
  }
  if (written.size() > max_local_octets) return Error::invalid("the local part has more than 64 octets");
  auto domain = DomainName::parse(mailbox.substr(*at + 1));
  if (!domain) return domain.error();
  return EmailAddress(std::string(mailbox), std::move(local), std::string(written), std::move(*domain));
}

bool EmailAddress::needs_smtputf8() const { return !is_ascii(local_) || !is_ascii(domain_.text()); }

std::string EmailAddress::ascii_domain_form() const { return local_text_ + "@" + domain_.a_label(); }

EmailAddress::SanForm EmailAddress::san_form() const {
  return is_ascii(local_) ? SanForm::Rfc822Name : SanForm::SmtpUtf8Mailbox;
}

std::string EmailAddress::san_value() const {
  if (san_form() == SanForm::Rfc822Name) return local_ + "@" + domain_.a_label();
  const auto u_label = to_u_label(domain_.a_label());
  return local_ + "@" + u_label.value_or(domain_.a_label());
}

bool EmailAddress::has_plain_local() const { return is_dot_string(local_) && !has_unicode_space(local_); }

bool EmailAddress::fits_certificate() const { return is_dot_string(local_); }

std::string EmailAddress::folder_name() const {
  std::string name = percent_encode(local_ + "@" + domain_.a_label(), "@._+-");
  if (name.starts_with('.')) name.replace(0, 1, "%2E");
  return name;
}

}  // namespace sealpost
