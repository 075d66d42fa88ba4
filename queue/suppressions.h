// SPDX-License-Identifier: Apache-2.0
// Addresses that bounced for good several times in a row: counted, refused at submission for a time, listed and cleared
// by an operator. All of it is in Redis and expires by itself; keys and fields stand in docs/redis.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/audit_trail.h"
#include "base/clock.h"
#include "base/email_address.h"
#include "base/message_id.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "conf/settings.h"

namespace sealpost {

/// The bounces of one address since its last successful delivery.
struct BounceRun {
  std::string address;  ///< directory key
  std::uint32_t bounces = 0;
  Time last{};
  std::optional<Time> until;  ///< mail to it is refused until then
  std::string response;       ///< of the last one; printable ASCII
};

struct SuppressionPage {
  std::vector<BounceRun> suppressions;
  std::string cursor;  ///< empty at the end
};

class Suppressions final {
 public:
  Suppressions(redis::Client& redis, const Clock& clock, SuppressSettings settings)
      : redis_(redis), clock_(clock), settings_(settings) {}

  /// What is known of each address, in their order and in one round trip. Nothing when suppression is off.
  Result<std::vector<std::optional<BounceRun>>> look(std::span<const EmailAddress> addresses);
  /// A delivery to the address failed for good, and the address is why. The same delivery again counts once.
  Status count(const EmailAddress& address, const DeliveryId& delivery, std::string_view response);
  /// Ends the run, whether mail is refused already or not: a delivery arrived, or an operator knows better. False when
  /// there is none.
  Result<bool> clear(const EmailAddress& address);

  /// The addresses to which mail is refused now, in the order of their directory keys.
  Result<SuppressionPage> list(std::size_t limit, const std::string& cursor);
  /// The same for one address: a page of one or none.
  Result<SuppressionPage> find(const EmailAddress& address);

 private:
  Result<std::vector<std::optional<BounceRun>>> read(const std::vector<std::string>& addresses);
  redis::Client& redis_;
  const Clock& clock_;
  SuppressSettings settings_;
};

/// What an operator asks for: clear(), and an entry in the audit trail when there was something.
Result<bool> clear_suppression(Suppressions& suppressions, AuditTrail& audit, const Clock& clock,
                               const EmailAddress& address, std::string_view actor);

}  // namespace sealpost
