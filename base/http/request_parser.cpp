// SPDX-License-Identifier: Apache-2.0
// Implements request_parser.h.
#include "base/http/request_parser.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace sealpost::http {
namespace {

constexpr std::size_t max_target = 4096;

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

/// An absolute-form target names us, as far as we know (RFC 9112 section 3.2.2): only its path and query matter.
std::string_view without_authority(std::string_view target) {
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos || target.starts_with('/')) return target;
  const auto name = target.substr(0, scheme);
  if (!ascii_iequals(name, "http") && !ascii_iequals(name, "https")) return target;
  target.remove_prefix(scheme + 3);
  const auto path = target.find('/');
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

/// Every escape is whole and none hides an end of string; nothing that another program would resolve to another path.
std::optional<BadRequest> check_target(std::string_view path, std::string_view query) {
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);  // the slash
    const auto end = std::min(rest.find('/'), rest.size());
    const auto segment = percent_decode(rest.substr(0, end));
    if (!segment || segment->find('\0') != std::string::npos) return BadRequest{400, "malformed escape in the path"};
    if (*segment == "." || *segment == "..") return BadRequest{400, "dot segments in the path"};
    rest.remove_prefix(end);
  }
  const auto decoded = percent_decode(query);
  if (!decoded || decoded->find('\0') != std::string::npos) return BadRequest{400, "malformed escape in the query"};
  return std::nullopt;
}

std::optional<BadRequest> read_version(std::string_view version, RequestHead& head) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(version[5]) || version[6] != '.' ||
      !digit(version[7])) {
    return BadRequest{400, "malformed request line"};
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return BadRequest{505, "send HTTP/1.1"};
  head.keep_alive = version == "HTTP/1.1";
  return std::nullopt;
}

std::optional<BadRequest> read_request_line(std::string_view line, RequestHead& head) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return BadRequest{400, "malformed request line"};
  head.method = line.substr(0, first);
  if (!is_token(head.method)) return BadRequest{400, "malformed method"};
  if (auto bad = read_version(line.substr(last + 1), head)) return bad;
  const auto target = without_authority(line.substr(first + 1, last - first - 1));
  if (target.size() > max_target) return BadRequest{414, "the request target is too long"};
  const bool printable =
      std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!target.starts_with('/') || !printable) return BadRequest{400, "malformed request target"};
  const auto question = target.find('?');
  head.target = target.substr(0, question);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  return check_target(head.target, head.query);
}

std::optional<BadRequest> read_field(std::string_view line, RequestHead& head) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  // No white space before the colon, no folded lines (RFC 9112 section 5.1 and 5.2).
  if (colon == std::string_view::npos || !is_token(name)) return BadRequest{400, "malformed header field"};
  const auto value = trimmed(line.substr(colon + 1));
  if (has_control(value)) return BadRequest{400, "control character in a header field"};
  const std::string key = ascii_lower(name);
  const auto [at, fresh] = head.fields.emplace(key, value);
  if (fresh) return std::nullopt;
  if (key == "content-length" || key == "host" || key == "authorization" || key == "content-type") {
    return BadRequest{400, "doubled header field: " + key};
  }
  at->second += ", " + std::string(value);
  return std::nullopt;
}

std::optional<BadRequest> check_framing(RequestHead& head) {
  if (head.fields.contains("transfer-encoding")) {
    return BadRequest{411, "send a Content-Length; chunked bodies are not read"};
  }
  const bool http_1_1 = head.keep_alive;
  if (http_1_1 && !head.fields.contains("host")) return BadRequest{400, "Host is missing"};
  const auto length = head.fields.find("content-length");
  if (length != head.fields.end()) {
    const std::string& text = length->second;
    std::size_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size()) return BadRequest{400, "malformed Content-Length"};
    head.content_length = value;
  }
  const auto connection = head.fields.find("connection");
  if (connection != head.fields.end() && ascii_lower(connection->second).find("close") != std::string::npos) {
    head.keep_alive = false;
  }
  const auto expect = head.fields.find("expect");
  if (http_1_1 && expect != head.fields.end()) {
    if (!ascii_iequals(expect->second, "100-continue")) return BadRequest{417, "unknown expectation"};
    head.expects_continue = true;
  }
  return std::nullopt;
}

}  // namespace

Result<RequestHead, BadRequest> parse_request_head(std::string_view text) {
  RequestHead head;
  bool first = true;
  while (true) {
    const auto end = text.find("\r\n");
    const auto line = text.substr(0, end);
    if (end == std::string_view::npos || line.find('\n') != std::string_view::npos) {
      return BadRequest{400, "bare line feed in the header"};
    }
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    auto bad = first ? read_request_line(line, head) : read_field(line, head);
    if (bad) return std::move(*bad);
    first = false;
  }
  if (first) return BadRequest{400, "empty request"};
  if (auto bad = check_framing(head)) return std::move(*bad);
  return head;
}

}  // namespace sealpost::http
