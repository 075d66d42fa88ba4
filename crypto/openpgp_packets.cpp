// SPDX-License-Identifier: Apache-2.0
// Implements openpgp_packets.h.
#include "crypto/openpgp_packets.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/encoding.h"

namespace sealpost {
namespace {

enum Tag : unsigned { Pkesk = 1, Skesk = 3, EncryptedData = 9, IntegrityProtectedData = 18, AeadEncryptedData = 20 };

unsigned octet(std::string_view data, std::size_t at) { return static_cast<unsigned char>(data[at]); }

std::uint64_t big_endian(std::string_view data, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8U | octet(data, at + i);
  return value;
}

/// Removes a packet of the old format (section 4.2.1); false when it does not fit. Indeterminate lengths are doubtful.
bool skip_old(std::string_view& data, unsigned first) {
  const unsigned kind = first & 3U;
  if (kind == 3) return false;
  const std::size_t count = std::size_t{1} << kind;
  if (data.size() < 1 + count) return false;
  const std::uint64_t length = big_endian(data, 1, count);
  if (length > data.size() - 1 - count) return false;
  data.remove_prefix(static_cast<std::size_t>(1 + count + length));
  return true;
}

/// Removes a packet of the new format (section 4.2.2), partial body lengths included.
bool skip_new(std::string_view& data) {
  data.remove_prefix(1);
  while (!data.empty()) {
    const unsigned first = octet(data, 0);
    std::uint64_t length = first;
    std::size_t header = 1;
    bool partial = false;
    if (first >= 192 && first < 224) {
      if (data.size() < 2) return false;
      length = ((first - 192) << 8U) + octet(data, 1) + 192;
      header = 2;
    } else if (first == 255) {
      if (data.size() < 5) return false;
      length = big_endian(data, 1, 4);
      header = 5;
    } else if (first >= 224) {
      length = std::uint64_t{1} << (first & 31U);
      partial = true;
    }
    if (length > data.size() - header) return false;
    data.remove_prefix(static_cast<std::size_t>(header + length));
    if (!partial) return true;
  }
  return false;
}

/// The tag of the packet at the front, which is removed.
std::optional<unsigned> next_packet(std::string_view& data) {
  const unsigned first = octet(data, 0);
  if ((first & 0x80U) == 0) return std::nullopt;
  if ((first & 0x40U) == 0) {
    return skip_old(data, first) ? std::optional(first >> 2U & 15U) : std::nullopt;
  }
  return skip_new(data) ? std::optional(first & 63U) : std::nullopt;
}

bool walk(std::string_view data) {
  bool session_key = false;
  while (!data.empty()) {
    const auto tag = next_packet(data);
    if (!tag) return false;
    if (*tag == Pkesk || *tag == Skesk) {
      session_key = true;
      continue;
    }
    const bool encrypted = *tag == EncryptedData || *tag == IntegrityProtectedData || *tag == AeadEncryptedData;
    return session_key && encrypted && data.empty();
  }
  return false;
}

/// CRC-24 of section 6.1, as the four characters that stand in armour.
std::string armour_checksum(std::string_view octets) {
  std::uint32_t crc = 0xb704ceU;
  for (const char c : octets) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16U;
    for (int bit = 0; bit < 8; ++bit) {
      crc <<= 1U;
      if ((crc & 0x1000000U) != 0) crc ^= 0x1864cfbU;
    }
  }
  const std::string octets_of_crc = {static_cast<char>(crc >> 16U & 0xffU), static_cast<char>(crc >> 8U & 0xffU),
                                     static_cast<char>(crc & 0xffU)};
  return to_base64(octets_of_crc);
}

/// Version names a program; any other armour header, Comment above all, could carry text for somebody to read.
bool is_harmless_header(std::string_view line) {
  return line.starts_with("Version: ") && line.size() <= 64 && is_ascii(line);
}

/// The octets in ASCII armour (section 6.2), or nothing when anything else stands in or around it.
std::optional<std::string> unarmour(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN PGP MESSAGE-----\r\n";
  constexpr std::string_view end = "-----END PGP MESSAGE-----";
  while (text.starts_with("\r\n")) text.remove_prefix(2);
  if (!text.starts_with(begin)) return std::nullopt;
  const auto close = text.find(end);
  if (close == std::string_view::npos ||
      text.substr(close + end.size()).find_first_not_of("\r\n \t") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view lines = text.substr(begin.size(), close - begin.size());
  std::string symbols;
  std::string checksum;
  bool in_header = true;
  while (!lines.empty()) {
    const auto line_end = lines.find("\r\n");
    if (line_end == std::string_view::npos) return std::nullopt;
    const auto line = lines.substr(0, line_end);
    lines.remove_prefix(line_end + 2);
    if (in_header) {
      if (!line.empty() && !is_harmless_header(line)) return std::nullopt;
      in_header = !line.empty();
    } else if (line.starts_with('=') && lines.empty()) {
      checksum = line.substr(1);
    } else {
      symbols += line;
    }
  }
  auto octets = from_base64(symbols);
  if (!octets || (!checksum.empty() && checksum != armour_checksum(*octets))) return std::nullopt;
  return octets;
}

}  // namespace

bool is_openpgp_encrypted(std::string_view octets) {
  if (octets.empty()) return false;
  if ((octet(octets, 0) & 0x80U) != 0) return walk(octets);
  const auto binary = unarmour(octets);
  return binary && walk(*binary);
}

}  // namespace sealpost
