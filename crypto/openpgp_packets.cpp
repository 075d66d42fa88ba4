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

struct Packet {
  unsigned tag;
  std::string body;
};

/// Moves so many octets from the front of the data behind the header to the body; false when there are fewer.
bool take(std::string_view& data, std::size_t header, std::uint64_t length, std::string& body) {
  if (length > data.size() - header) return false;
  body += data.substr(header, static_cast<std::size_t>(length));
  data.remove_prefix(static_cast<std::size_t>(header + length));
  return true;
}

/// A packet of the old format (section 4.2.1). Indeterminate lengths are doubtful.
bool take_old(std::string_view& data, unsigned first, std::string& body) {
  const unsigned kind = first & 3U;
  if (kind == 3) return false;
  const std::size_t count = std::size_t{1} << kind;
  return data.size() >= 1 + count && take(data, 1 + count, big_endian(data, 1, count), body);
}

/// A packet of the new format (section 4.2.2), partial body lengths included.
bool take_new(std::string_view& data, std::string& body) {
  data.remove_prefix(1);
  while (!data.empty()) {
    const unsigned first = octet(data, 0);
    if (first >= 224 && first < 255) {
      if (!take(data, 1, std::uint64_t{1} << (first & 31U), body)) return false;
      continue;
    }
    if (first < 192) return take(data, 1, first, body);
    if (first == 255) return data.size() >= 5 && take(data, 5, big_endian(data, 1, 4), body);
    return data.size() >= 2 && take(data, 2, ((first - 192) << 8U) + octet(data, 1) + 192, body);
  }
  return false;
}

/// The packet at the front, which is removed.
std::optional<Packet> next_packet(std::string_view& data) {
  const unsigned first = octet(data, 0);
  if ((first & 0x80U) == 0) return std::nullopt;
  const bool is_new = (first & 0x40U) != 0;
  Packet packet{is_new ? first & 63U : first >> 2U & 15U, {}};
  if (!(is_new ? take_new(data, packet.body) : take_old(data, first, packet.body))) return std::nullopt;
  return packet;
}

/// PKESK of version 3 or 6, SKESK of version 4 to 6, no larger than the largest keys need: else it could carry text.
bool is_session_key(const Packet& packet) {
  constexpr std::size_t max_public = 2100;  // RSA of 16,384 bits
  constexpr std::size_t max_password = 256;
  if (packet.body.size() < 2) return false;
  const unsigned version = octet(packet.body, 0);
  if (packet.tag == Pkesk) return (version == 3 || version == 6) && packet.body.size() <= max_public;
  return packet.tag == Skesk && version >= 4 && version <= 6 && packet.body.size() <= max_password;
}

/// An encrypted-data packet whose content can be ciphertext: what reads as text is none.
bool is_encrypted_data(const Packet& packet) {
  if (packet.body.size() < 16) return false;
  if (packet.tag == EncryptedData) return !is_utf8(packet.body);
  const unsigned version = octet(packet.body, 0);
  const bool known = (packet.tag == IntegrityProtectedData && (version == 1 || version == 2)) ||
                     (packet.tag == AeadEncryptedData && version == 1);
  return known && !is_utf8(packet.body);
}

bool walk(std::string_view data) {
  bool session_key = false;
  while (!data.empty()) {
    const auto packet = next_packet(data);
    if (!packet) return false;
    if (!is_session_key(*packet)) return session_key && is_encrypted_data(*packet) && data.empty();
    session_key = true;
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

/// Version, once, names a program; any other armour header, Comment above all, could carry text for somebody to read.
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
  bool described = false;
  while (!lines.empty()) {
    const auto line_end = lines.find("\r\n");
    if (line_end == std::string_view::npos) return std::nullopt;
    const auto line = lines.substr(0, line_end);
    lines.remove_prefix(line_end + 2);
    if (in_header) {
      if (!line.empty() && (described || !is_harmless_header(line))) return std::nullopt;
      described = true;
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
