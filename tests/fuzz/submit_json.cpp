// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a message of REST from its JSON to its octets. Whatever the values hold, the message has the fields and
// parts that the composition has, and no others.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/http/json_body.h"
#include "crypto/submitted_message.h"
#include "relay/submit/composition_json.h"
#include "relay/submit/mime_composer.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sealpost;
using fuzz::require;
using submit::Composition;

constexpr std::size_t max_depth = 6;
constexpr std::size_t max_recipients = 1000;
/// Beyond it no message is split, and none is taken in (crypto/submitted_message.h).
constexpr std::size_t max_header_block = 1024UL * 1024;

void check_refusal(const submit::FieldErrors& errors) {
  require(!errors.empty() && errors.size() <= 100, "a refusal says why, and not without end");
  for (const auto& error : errors) {
    require(error.pointer.empty() || error.pointer.starts_with('/'), "a pointer of RFC 6901");
    require(!error.detail.empty() && without_controls(error.detail, '\0') == error.detail, "a reason on one line");
  }
}

/// In the order in which they stand there.
std::vector<std::string> fields_of(const Composition& composition) {
  std::vector<std::string> names = {"From"};
  if (!composition.to.empty()) names.emplace_back("To");
  if (!composition.cc.empty()) names.emplace_back("Cc");
  if (composition.to.empty() && composition.cc.empty()) names.emplace_back("To");
  if (!composition.reply_to.empty()) names.emplace_back("Reply-To");
  names.emplace_back("Subject");
  for (const auto& [name, value] : composition.headers) names.push_back(name);
  names.emplace_back("MIME-Version");
  names.emplace_back("Content-Type");
  return names;
}

void check_fields(const SubmittedMessage& message, const Composition& composition) {
  auto wanted = fields_of(composition);
  if (message.fields.size() > wanted.size()) wanted.emplace_back("Content-Transfer-Encoding");
  require(message.fields.size() == wanted.size(), "as many fields as the composition has");
  for (std::size_t i = 0; i < wanted.size(); ++i) require(message.fields[i].name == wanted[i], "and the same ones");
}

void check_lines(std::string_view header) {
  require(is_utf8(header), "a header block in UTF-8");
  while (!header.empty()) {
    const auto end = header.find("\r\n");
    require(end != std::string_view::npos && end > 0 && end <= 998, "lines of 1 to 998 octets");
    const std::string_view line = header.substr(0, end);
    require(line.find_first_not_of(" \t") != std::string_view::npos, "no blank line");
    require(line.find('\t') == std::string_view::npos || line.rfind('\t') == 0, "a tab begins a fold");
    require(without_controls(line.substr(1), '\0') == line.substr(1), "no control");
    require(!has_unicode_control(line), "none of Unicode either");
    header.remove_prefix(end + 2);
  }
}

std::size_t leaves_of(std::string_view entity, bool whole);

/// The parts of a multipart's body, which stand between its boundaries without a gap.
std::size_t leaves_between(std::string_view body, const std::string& boundary) {
  const std::string text = "\r\n" + std::string(body);
  const std::string delimiter = "\r\n--" + boundary;
  require(text.starts_with(delimiter), "a multipart begins with a part");
  std::size_t leaves = 0;
  for (std::size_t at = delimiter.size();;) {
    if (text.substr(at) == "--\r\n") return leaves;
    require(text.substr(at, 2) == "\r\n", "a boundary is a line");
    const auto end = text.find(delimiter, at);
    require(end != std::string::npos, "a multipart ends");
    leaves += leaves_of(std::string_view(text).substr(at + 2, end - at - 2), false);
    at = end + delimiter.size();
  }
}

std::size_t leaves_of(std::string_view entity, bool whole) {
  const auto part = split_message(entity);
  require(part.ok(), "a part has a header block and a body");
  check_lines(entity.substr(0, entity.size() - part->body.size() - 2));
  for (const auto& field : part->fields) require(whole || field.name.starts_with("Content-"), "a part's fields only");
  require(whole || part->fields.size() <= 4, "type, encoding, disposition and id");
  const auto types = part->find_all("Content-Type");
  require(types.size() == 1, "one type");
  constexpr std::string_view begin = "boundary=\"";
  const std::string_view type = types.front()->body;
  if (!type.starts_with(" multipart/")) return 1;
  const auto at = type.find(begin) + begin.size();
  return leaves_between(part->body, std::string(type.substr(at, type.find('"', at) - at)));
}

void check_message(const Composition& composition) {
  const WipedBuffer message = submit::compose(composition);
  require(message == submit::compose(composition), "the same makes the same octets");
  const std::string_view octets = view(message);
  if (octets.find("\r\n\r\n") > max_header_block - 4) return;
  const auto split = split_message(octets);
  require(split.ok(), "a message can be split");
  check_fields(*split, composition);
  const std::size_t texts = (composition.text ? 1 : 0) + (composition.html ? 1 : 0);
  require(leaves_of(octets, true) == std::max<std::size_t>(1, texts + composition.attachments.size()),
          "as many parts as the composition has");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto json = http::parse_json(octets, max_depth);
  if (!json) {
    require(json.error().kind == ErrorKind::Invalid, "a body that is not JSON is the caller's fault");
    const std::string& text = json.error().public_text;
    require(text.size() < 400 && printable_ascii(text) == text, "a short reason on one line");
    return 0;
  }
  const auto composition = submit::read_composition(*json, {}, max_recipients);
  if (composition) {
    check_message(*composition);
  } else {
    check_refusal(composition.error());
  }
  return 0;
}
