// SPDX-License-Identifier: Apache-2.0
// Implements values.h.
#include "conf/values.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/URI.h>
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/email_address.h"
#include "base/encoding.h"

namespace sealpost {
namespace {

struct NumberAndUnit {
  std::uint64_t number = 0;
  std::string_view unit;
};

std::optional<NumberAndUnit> split_number(std::string_view text) {
  NumberAndUnit result;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), result.number);
  if (code != std::errc() || end == text.data()) return std::nullopt;
  result.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return result;
}

/// The product, or nothing when it does not fit.
std::optional<std::uint64_t> times(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > std::numeric_limits<std::int64_t>::max() / b) return std::nullopt;
  return a * b;
}

std::optional<std::uint64_t> milliseconds_of(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return std::nullopt;
}

Error bad_duration(std::string_view text) {
  return Error::invalid("not a duration: " + std::string(text) + " (a number with s, m, h or d, such as 30s or 5d)");
}

Error bad_route(std::string_view text) {
  // A text with an @ may hold a password: it is not repeated.
  const std::string shown = text.find('@') == std::string_view::npos ? ": " + std::string(text) : std::string();
  return Error::invalid("not a route" + shown +
                        " (mx, smtp://host:port, smtps://host:port, lmtp://host:port or maildir:/path)");
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto split = split_number(text);
  if (!split) return bad_duration(text);
  if (split->number == 0 && split->unit.empty()) return std::chrono::milliseconds(0);
  const auto unit = milliseconds_of(split->unit);
  const auto total = unit ? times(split->number, *unit) : std::nullopt;
  constexpr std::uint64_t ten_years = 10ULL * 366 * 86'400'000;
  if (!total || *total > ten_years) return bad_duration(text);
  return std::chrono::milliseconds(*total);
}

Result<std::vector<std::chrono::milliseconds>> parse_durations(std::string_view text) {
  std::vector<std::chrono::milliseconds> durations;
  const bool gap = text.starts_with(',') || text.ends_with(',') || text.find(",,") != std::string_view::npos;
  if (gap) return Error::invalid("a step is missing between commas: " + std::string(text));
  for (const auto& word : parse_words(text)) {
    auto duration = parse_duration(word);
    if (!duration) return duration.error();
    if (duration->count() == 0) return Error::invalid("a step of 0 would retry without a pause");
    durations.push_back(*duration);
  }
  if (durations.empty()) return Error::invalid("needs at least one duration");
  return durations;
}

Result<std::uint64_t> parse_size(std::string_view text, std::uint64_t whole) {
  const auto split = split_number(text);
  const auto bad = [&] {
    return Error::invalid("not a size: " + std::string(text) +
                          " (octets, or a number with k, m or g, or a percentage)");
  };
  if (!split) return bad();
  if (split->unit == "%") {
    if (split->number == 0 || split->number > 100) return bad();
    return whole / 100 * split->number;
  }
  std::uint64_t factor = 0;
  const std::string unit = ascii_lower(split->unit);
  if (unit.empty()) factor = 1;
  if (unit == "k") factor = 1024;
  if (unit == "m") factor = 1024ULL * 1024;
  if (unit == "g") factor = 1024ULL * 1024 * 1024;
  const auto total = times(split->number, factor);
  if (factor == 0 || !total) return bad();
  return *total;
}

Result<std::size_t> parse_count(std::string_view text, std::size_t least, std::size_t most) {
  const auto split = split_number(text);
  if (!split || !split->unit.empty() || split->number < least || split->number > most) {
    return Error::invalid("not a number from " + std::to_string(least) + " to " + std::to_string(most) + ": " +
                          std::string(text));
  }
  return static_cast<std::size_t>(split->number);
}

Result<Rate> parse_rate(std::string_view text) {
  const auto split = split_number(text);
  if (split && split->number > 0 && split->unit.starts_with('/')) {
    if (const auto period = milliseconds_of(split->unit.substr(1))) {
      return Rate{static_cast<std::size_t>(split->number), std::chrono::milliseconds(*period)};
    }
  }
  return Error::invalid("not a rate: " + std::string(text) + " (such as 1000/h)");
}

Result<bool> parse_yes_no(std::string_view text) {
  if (text == "yes" || text == "true" || text == "on") return true;
  if (text == "no" || text == "false" || text == "off") return false;
  return Error::invalid("neither yes nor no: " + std::string(text));
}

bool is_numeric_address(std::string_view text) {
  const std::string address(text.substr(0, text.find('%')));  // a scope may follow (RFC 4007 section 11)
  in6_addr parsed{};
  const bool v4 = address.size() == text.size() && inet_pton(AF_INET, address.c_str(), &parsed) == 1;
  return v4 || (!text.ends_with('%') && inet_pton(AF_INET6, address.c_str(), &parsed) == 1);
}

namespace {

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const auto bad = [&] { return Error::invalid("not host:port: " + std::string(text)); };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return bad();
    host = host.substr(1, host.size() - 2);
    if (!is_numeric_address(host)) return bad();
  } else if (host.find_first_of(":/ ") != std::string_view::npos || has_controls(host)) {
    return bad();
  }
  auto port = parse_count(text.substr(colon + 1), 0, 65535);
  if (!port || host.empty()) return bad();
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

Result<std::string> parse_listen(std::string_view text) {
  if (text == "off") return std::string();
  auto parsed = parse_host_port(text);
  if (!parsed) return Error::invalid(parsed.error().public_text + " (or off)");
  if (parsed->host != "localhost" && !is_numeric_address(parsed->host)) {
    return Error::invalid("not a numeric address: " + parsed->host);
  }
  return std::string(text);
}

Result<Route> parse_route(std::string_view text) {
  if (text == "mx") return Route{};
  if (text.starts_with("maildir:")) {
    Route route{Route::Kind::Maildir, {}, 0, std::string(text.substr(8))};
    if (!route.path.starts_with('/')) return bad_route(text);
    return route;
  }
  struct Scheme {
    std::string_view prefix;
    Route::Kind kind;
    std::uint16_t port;
  };
  for (const auto& scheme : {Scheme{"smtp://", Route::Kind::Smtp, 25}, Scheme{"smtps://", Route::Kind::Smtps, 465},
                             Scheme{"lmtp://", Route::Kind::Lmtp, 24}}) {
    if (!text.starts_with(scheme.prefix)) continue;
    std::string authority(text.substr(scheme.prefix.size()));
    if (authority.find('@') != std::string::npos) return bad_route(text);
    if (authority.ends_with('/')) authority.pop_back();
    const bool has_port =
        authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string::npos;
    if (!has_port) authority += ":" + std::to_string(scheme.port);
    auto parsed = parse_host_port(authority);
    if (!parsed || parsed->port == 0) return bad_route(text);
    return Route{scheme.kind, parsed->host, parsed->port, {}};
  }
  return bad_route(text);
}

std::string to_text(const Route& route) {
  const bool bracketed = route.host.find(':') != std::string::npos;
  const std::string place = (bracketed ? "[" + route.host + "]" : route.host) + ":" + std::to_string(route.port);
  switch (route.kind) {
    case Route::Kind::Mx:
      return "mx";
    case Route::Kind::Smtp:
      return "smtp://" + place;
    case Route::Kind::Smtps:
      return "smtps://" + place;
    case Route::Kind::Lmtp:
      return "lmtp://" + place;
    case Route::Kind::Maildir:
      return "maildir:" + route.path;
  }
  return {};
}

Result<RedisUrl> parse_redis_url(std::string_view text) {
  RedisUrl url;
  url.text = text;
  if (url.embedded()) return url;
  if (text.starts_with("unix:///")) {
    url.unix_path = text.substr(7);
    return url;
  }
  const std::string in_text = ": " + std::string(text);
  if (!text.starts_with("redis://"))
    return Error::invalid("not embedded, redis://host:port/db or unix:///path" + in_text);
  if (text.find('@') != std::string_view::npos) {
    return Error::invalid("holds a user name or password; use redis.username and redis.password_file");
  }
  std::string_view authority = text.substr(8);
  if (const auto slash = authority.find('/'); slash != std::string_view::npos) {
    auto database = parse_count(authority.substr(slash + 1), 0, 65535);
    if (!database) return Error::invalid("not a database number behind the slash" + in_text);
    url.database = static_cast<int>(*database);
    authority = authority.substr(0, slash);
  }
  auto place = parse_host_port(authority);
  if (!place || place->port == 0) return Error::invalid("no host:port in " + std::string(text));
  url.host = place->host;
  url.port = place->port;
  return url;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Poco::Net::IPAddress address;
  return Poco::Net::IPAddress::tryParse(std::string(host), address) && address.isLoopback();
}

Result<std::string> parse_public_url(std::string_view text) {
  // It stands in lines of mails and in attributes of pages; what RFC 3986 does not allow could end those.
  const bool clean = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}").find(static_cast<char>(c)) == std::string_view::npos;
  });
  if (!clean) return Error::invalid("not a base URL: it holds characters that no URL has");
  try {
    const Poco::URI url{std::string(text)};
    const bool http = url.getScheme() == "http";
    if ((!http && url.getScheme() != "https") || url.getHost().empty() || !url.getQuery().empty() ||
        !url.getUserInfo().empty() || !url.getFragment().empty()) {
      return Error::invalid("not a base URL: " + std::string(text));
    }
    if (http && !is_loopback_host(url.getHost())) {
      return Error::invalid("must be https unless it names loopback: codes and keys travel over it");
    }
  } catch (const Poco::Exception& why) {
    return Error::invalid("not a URL: " + std::string(text), why.displayText());
  }
  std::string base(text);
  while (base.ends_with('/')) base.pop_back();
  return base;
}

Result<Mailbox> parse_mailbox(std::string_view text) {
  Mailbox mailbox;
  const auto open = text.find('<');
  if (open == std::string_view::npos) {
    mailbox.address = text;
  } else {
    if (!text.ends_with('>')) return Error::invalid("not a mailbox: " + std::string(text));
    mailbox.address = text.substr(open + 1, text.size() - open - 2);
    std::string_view name = text.substr(0, open);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
    const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (control || !is_utf8(name)) return Error::invalid("not a mailbox: the name holds control characters");
    mailbox.name = name;
  }
  auto address = EmailAddress::parse(mailbox.address);
  if (!address) return Error::invalid("not a mailbox: " + address.error().public_text);
  return mailbox;
}

std::vector<std::string> parse_words(std::string_view text) {
  std::vector<std::string> words;
  constexpr std::string_view separators = ", \t";
  while (true) {
    const auto begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const auto end = text.find_first_of(separators);
    words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text.remove_prefix(end);
  }
}

}  // namespace sealpost
