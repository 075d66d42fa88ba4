// SPDX-License-Identifier: Apache-2.0
// The directory's entries as octets: MessagePack behind a MAC over all of it, so that whoever can write Redis cannot
// swap a certificate.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/wrapper.h"
#include "crypto/key_record.h"

namespace sealpost {

/// MAC (32 octets) ‖ MessagePack array {address, fingerprint, state, certificate, placeholder, assigned, expires,
/// picked up, own}; times in ms, 0 = none. Entries of earlier versions end before own.
std::string encode_entry(Wrapper& wrapper, const KeyRecord& record);
/// Permanent when the MAC does not fit, or the entry is another address's.
Result<KeyRecord> decode_entry(Wrapper& wrapper, std::string_view address_key, std::string_view entry);

/// The shard of an address, and the hash tag that all its keys share: "keys:{n}:".
unsigned directory_shard(std::string_view address_key);
std::string directory_prefix(std::string_view address_key);

}  // namespace sealpost
