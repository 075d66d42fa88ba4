// SPDX-License-Identifier: Apache-2.0
// What the next message to an address would meet: which key, why that one, and what would happen. Changes nothing.
#pragma once

#include <optional>
#include <string>

#include "base/email_address.h"
#include "base/result.h"
#include "conf/settings.h"
#include "crypto/key_record.h"
#include "notify/pickup_store.h"
#include "queue/suppressions.h"
#include "relay/services.h"

namespace sealpost {

/// What is known of an address.
struct AddressFacts {
  std::optional<KeyRecord> key;        ///< the current pair, whatever its use
  std::optional<BounceRun> bounces;    ///< since its last success
  std::optional<std::size_t> in_pool;  ///< pairs that are ready for it; nothing: they are made at once
  std::optional<PickupLink> link;      ///< of its latest notification
  bool notification_failed = false;    ///< which did not arrive
};

struct AddressExplanation {
  std::string address;  ///< directory key
  AddressFacts facts;
  std::string text;  ///< a paragraph
};

Result<AddressExplanation> explain_address(Services& services, const Settings& settings, const EmailAddress& address);
/// The paragraph alone.
std::string explain(const EmailAddress& address, const AddressFacts& facts, const Settings& settings, Time now);

}  // namespace sealpost
