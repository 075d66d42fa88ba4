// SPDX-License-Identifier: Apache-2.0
// How setting values are written: durations, sizes, rates, listen addresses, routes, places of Redis, mailboxes. Pure
// parsers; Invalid with a reason that reads well behind "file: key: ".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/settings.h"

namespace sealpost {

/// A whole number with ms, s, m, h or d; a bare 0 is zero.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
Result<std::vector<std::chrono::milliseconds>> parse_durations(std::string_view text);
/// Octets: a whole number with k, m or g (powers of 1024), or a percentage of `whole`.
Result<std::uint64_t> parse_size(std::string_view text, std::uint64_t whole);
Result<std::size_t> parse_count(std::string_view text, std::size_t least, std::size_t most);
/// "1000/h": a count per s, m, h or d.
Result<Rate> parse_rate(std::string_view text);
Result<bool> parse_yes_no(std::string_view text);

/// An IPv4 or IPv6 address in its usual form, without brackets. (Poco's parser refuses "::" and takes "10" for an
/// address.)
bool is_numeric_address(std::string_view text);

struct HostPort {
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
};
/// host:port or [v6]:port.
Result<HostPort> parse_host_port(std::string_view text);
/// The same as text, or empty for `off`.
Result<std::string> parse_listen(std::string_view text);
Result<Route> parse_route(std::string_view text);
/// What parse_route reads, with the port: "mx", "smtp://[2001:db8::1]:25", "maildir:/path".
std::string to_text(const Route& route);
Result<RedisUrl> parse_redis_url(std::string_view text);
/// http or https, host, optional port and path; no query; without a trailing slash. https unless the host is loopback.
Result<std::string> parse_public_url(std::string_view text);

struct Mailbox {
  std::string name;
  std::string address;
};
/// "Name <local@domain>" or "local@domain".
Result<Mailbox> parse_mailbox(std::string_view text);
/// Words between commas or white space.
std::vector<std::string> parse_words(std::string_view text);
/// True for 127.0.0.0/8, ::1 and localhost.
bool is_loopback_host(std::string_view host);

}  // namespace sealpost
