// SPDX-License-Identifier: Apache-2.0
// Reading MessagePack that somebody else may have written. Includes msgpack-c: for the files that read records only.
#pragma once

#include <msgpack.hpp>
#include <string_view>

namespace sealpost {

/// Throws msgpack's exceptions. Every element takes at least an octet, so that no array or map can have more of them;
/// without that limit five octets make msgpack-c ask for a hundred gigabytes before it reads on.
inline msgpack::object_handle unpack_record(std::string_view octets) {
  constexpr std::size_t depth = 16;
  const std::size_t size = octets.size();
  return msgpack::unpack(octets.data(), size, nullptr, nullptr,
                         msgpack::unpack_limit(size, size, size, size, size, depth));
}

}  // namespace sealpost
