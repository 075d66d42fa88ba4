// SPDX-License-Identifier: Apache-2.0
// Implements body_encoder.h.
#include "base/body_encoder.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace sealpost {
namespace {

constexpr std::size_t line_octets = 57;
constexpr std::size_t line_characters = 76;

void append_line(std::string& out, std::string_view octets) {
  std::array<unsigned char, line_characters + 1> text{};  // EVP_EncodeBlock also writes a NUL
  const int size = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(octets.data()),
                                   static_cast<int>(octets.size()));
  out.append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
  out += "\r\n";
}

}  // namespace

std::string BodyEncoder::update(std::string_view octets) {
  std::string out;
  out.reserve(encoded_size(rest_.size() + octets.size()));
  if (!rest_.empty()) {
    const std::size_t wanted = std::min(line_octets - rest_.size(), octets.size());
    rest_ += octets.substr(0, wanted);
    octets.remove_prefix(wanted);
    if (rest_.size() < line_octets) return out;
    append_line(out, rest_);
    rest_.clear();
  }
  while (octets.size() >= line_octets) {
    append_line(out, octets.substr(0, line_octets));
    octets.remove_prefix(line_octets);
  }
  rest_ = octets;
  return out;
}

std::string BodyEncoder::finish() {
  std::string out;
  if (!rest_.empty()) append_line(out, rest_);
  rest_.clear();
  return out;
}

std::uint64_t encoded_size(std::uint64_t octets) {
  const std::uint64_t rest = octets % line_octets;
  return octets / line_octets * (line_characters + 2) + (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}

}  // namespace sealpost
