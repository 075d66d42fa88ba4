// SPDX-License-Identifier: Apache-2.0
// Implements private_key_traces.h by the outermost elements of each structure, without parsing a key: OpenSSL would
// make copies, and would not know one that is cut off.
#include "crypto/private_key_traces.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "crypto/pem_blocks.h"

namespace sealpost {
namespace {

constexpr unsigned char tag_integer = 0x02;
constexpr unsigned char tag_octet_string = 0x04;
constexpr unsigned char tag_oid = 0x06;
constexpr unsigned char tag_sequence = 0x30;

struct Element {
  unsigned char tag;
  std::string_view content;  ///< as much of it as there is
  std::string_view rest;     ///< what follows it
};

/// Unlike read_der, takes BER of indefinite length, and elements whose end is missing.
std::optional<Element> peek(std::string_view octets) {
  if (octets.size() < 2) return std::nullopt;
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(octets[i]); };
  const unsigned char tag = octet(0);
  std::size_t header = 2;
  std::size_t length = octet(1);
  if (length == 0x80U) {
    length = octets.size();
  } else if (length > 0x80U) {
    const std::size_t more = length & 0x7fU;
    if (more > 4 || octets.size() < 2 + more) return std::nullopt;
    length = 0;
    for (; header < 2 + more; ++header) length = length << 8U | octet(header);
  }
  octets.remove_prefix(header);
  const std::size_t there = std::min(length, octets.size());
  return Element{tag, octets.substr(0, there), octets.substr(there)};
}

/// PKCS#8's EncryptedPrivateKeyInfo (RFC 5958 section 3): an algorithm, then the encrypted octets.
bool is_encrypted_key(const Element& first) {
  const auto algorithm = peek(first.content);
  const auto second = peek(first.rest);
  return algorithm && algorithm->tag == tag_oid && second && second->tag == tag_octet_string;
}

/// A version, and behind it what the kinds of key begin with: 0 or 1 in PKCS#1, PKCS#8, SEC 1 and DSA, 3 in PKCS#12.
bool is_versioned_key(const Element& first) {
  if (first.content.size() != 1) return false;
  const auto second = peek(first.rest);
  if (!second) return false;
  const char version = first.content.front();
  if (version == 3) return second->tag == tag_sequence;
  if (version != 0 && version != 1) return false;
  if (second->tag != tag_sequence) return second->tag == tag_integer || second->tag == tag_octet_string;
  // PKCS#8's third is the key; other structures with a version and a sequence (SignedData's inside) go on otherwise.
  const auto third = peek(second->rest);
  return third && third->tag == tag_octet_string;
}

bool is_private_key(std::string_view der) {
  if (der.starts_with("\xfe\xed\xfe\xed") || der.starts_with("\xce\xce\xce\xce")) return true;  // JKS, JCEKS
  const auto outer = peek(der);
  if (!outer || outer->tag != tag_sequence) return false;
  const auto first = peek(outer->content);
  if (!first) return false;
  return first->tag == tag_sequence ? is_encrypted_key(*first) : first->tag == tag_integer && is_versioned_key(*first);
}

/// One behind another, as some programs write certificate and key.
bool has_private_key(std::string_view der) {
  if (is_private_key(der)) return true;
  for (auto element = peek(der); element && element->tag == tag_sequence; element = peek(element->rest)) {
    if (is_private_key(element->rest)) return true;
  }
  return false;
}

/// Whatever is written between the dashes: RSA, EC, ENCRYPTED, OPENSSH and PGP keys among them.
bool names_private_key(std::string_view text) {
  for (auto at = text.find("BEGIN "); at != std::string_view::npos; at = text.find("BEGIN ", at + 1)) {
    const auto label = text.substr(at, 64);
    if (label.substr(0, label.find_first_of("\r\n")).find("PRIVATE KEY") != std::string_view::npos) return true;
  }
  return false;
}

bool text_holds_key(std::string_view text) {
  if (names_private_key(text)) return true;
  const auto blocks = find_pem_blocks(text);
  const auto holds = [](const PemBlock& block) { return block.der && has_private_key(view(*block.der)); };
  if (std::any_of(blocks.begin(), blocks.end(), holds)) return true;
  const auto bare = decode_base64_lines(text);
  return bare && has_private_key(view(*bare));
}

}  // namespace

bool holds_private_key(std::string_view octets) {
  if (has_private_key(octets) || text_holds_key(octets)) return true;
  if (octets.find('\0') == std::string_view::npos) return false;
  WipedBuffer narrow;  // UTF-16, as some editors save text
  narrow.reserve(octets.size());
  std::copy_if(octets.begin(), octets.end(), std::back_inserter(narrow), [](char octet) { return octet != '\0'; });
  return text_holds_key(view(narrow));
}

}  // namespace sealpost
