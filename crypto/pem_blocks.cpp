// SPDX-License-Identifier: Apache-2.0
// Implements pem_blocks.h.
#include "crypto/pem_blocks.h"

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_mark = "-----END ";
constexpr std::string_view dashes = "-----";
constexpr std::size_t max_label = 64;

}  // namespace

std::optional<WipedBuffer> decode_base64_lines(std::string_view text) {
  WipedBuffer packed;
  packed.reserve(text.size());
  for (const char octet : text) {
    if (std::string_view(" \t\r\n\v\f").find(octet) == std::string_view::npos) packed.push_back(octet);
  }
  if (packed.empty()) return std::nullopt;
  return from_base64_wiped(view(packed));
}

std::vector<PemBlock> find_pem_blocks(std::string_view text) {
  std::vector<PemBlock> blocks;
  for (;;) {
    const auto begin = text.find(begin_mark);
    if (begin == std::string_view::npos) return blocks;
    text.remove_prefix(begin + begin_mark.size());
    const auto label_end = text.substr(0, max_label + dashes.size()).find(dashes);
    if (label_end == std::string_view::npos) continue;
    PemBlock block{std::string(text.substr(0, label_end)), std::nullopt};
    text.remove_prefix(label_end + dashes.size());
    // Not beyond the next block: of one without an end the rest is still read.
    const auto end = text.find(dashes);
    if (end != std::string_view::npos && text.substr(end).starts_with(end_mark)) {
      block.der = decode_base64_lines(text.substr(0, end));
      text.remove_prefix(end);
    }
    blocks.push_back(std::move(block));
  }
}

}  // namespace sealpost
