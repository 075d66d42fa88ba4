// SPDX-License-Identifier: Apache-2.0
// Implements body_encoder.h.
#include "base/body_encoder.h"

#include <openssl/evp.h>

#include <algorithm>

namespace sealpost {
namespace {

constexpr std::size_t line_octets = 57;
constexpr std::size_t line_characters = 76;

/// In place: EVP_EncodeBlock's NUL falls on the CR.
void append_line(std::string& out, std::string_view octets) {
  const std::size_t begin = out.size();
  const std::size_t characters = (octets.size() + 2) / 3 * 4;
  out.resize(begin + characters + 2);
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                  reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()));
  out.replace(begin + characters, 2, "\r\n");
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
