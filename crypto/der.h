// SPDX-License-Identifier: Apache-2.0
// One DER element after the other (X.690), as views; for the few places where OpenSSL keeps a structure's parts to
// itself.
#pragma once

#include <openssl/asn1.h>

#include <optional>
#include <string_view>

namespace sealpost {

struct DerElement {
  std::string_view whole;
  std::string_view content;
  int tag = 0;
};

/// The element at the front; nothing when it is broken or of indefinite length.
inline std::optional<DerElement> read_der(std::string_view der) {
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* at = begin;
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  const int result = ASN1_get_object(&at, &length, &tag, &tag_class, static_cast<long>(der.size()));
  if ((result & 0x80) != 0 || (result & 1) != 0) return std::nullopt;
  const auto header = static_cast<std::size_t>(at - begin);
  return DerElement{der.substr(0, header + static_cast<std::size_t>(length)),
                    der.substr(header, static_cast<std::size_t>(length)), tag};
}

/// Removes and returns the element at the front.
inline std::optional<DerElement> take_der(std::string_view& der) {
  auto element = read_der(der);
  if (element) der.remove_prefix(element->whole.size());
  return element;
}

}  // namespace sealpost
