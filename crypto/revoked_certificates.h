// SPDX-License-Identifier: Apache-2.0
// The certificates of ours that were revoked, as they stand in Redis: one hash per shard, serial number → when and why.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "crypto/revocation_list.h"

namespace sealpost {

/// As operators write it and OpenSSL's tools show it: "keyCompromise".
std::string_view to_text(RevocationReason reason);
std::optional<RevocationReason> parse_revocation_reason(std::string_view text);

/// A row of the hash.
struct RevokedRow {
  std::string serial;  ///< hex
  std::string octets;  ///< MAC (32) ‖ MessagePack array {time, reason}
};
/// The row of a certificate of ours that is revoked from `time` on.
Result<RevokedRow> revoked_row(Wrapper& wrapper, std::string_view certificate_der, Time time, RevocationReason reason);

/// All of them, over all shards. A row that was altered is logged and left out: nobody revokes by writing to Redis.
Result<std::vector<RevokedCertificate>> revoked_certificates(redis::Client& redis, Wrapper& wrapper, Log& log);

}  // namespace sealpost
