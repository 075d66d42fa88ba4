// SPDX-License-Identifier: Apache-2.0
// The audit trail: who changed what, as entries that nobody can alter, reorder or take out unseen. It is kept in one
// chain per shard, so that the script that makes a change writes its entry with it: there is no change without one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/message_id.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"

namespace sealpost {

/// One event. None of it is secret.
struct AuditEvent {
  Time time{};
  std::string actor;    ///< "recipient", "operator", "relay", or "account NAME"
  std::string action;   ///< what was done: "key.kept"
  std::string subject;  ///< to what: an address
  std::string detail;   ///< a fingerprint, a reason
};

/// An event at its place in its shard's chain.
struct AuditEntry {
  unsigned shard = 0;
  std::uint64_t sequence = 0;  ///< from 1
  AuditEvent event;
  std::string mac;  ///< hex: HMAC-SHA256 over the MAC of the entry before and this one
};

/// Where a chain ends. Logged with each entry as `audit`, or as `audit.uncertain` when nobody knows whether it was
/// written, since nothing in Redis tells a chain from the same one cut short.
struct AuditHead {
  std::uint64_t sequence = 0;  ///< 0: there is no entry yet
  std::string mac;
};

/// A place at which a chain is not whole.
struct AuditFault {
  std::string text;
  std::string mac;  ///< hex: what stands there as the entry's
};
struct AuditChain {
  AuditHead head;
  std::vector<AuditFault> faults;  ///< none: every MAC fits
};

class AuditTrail final {
 public:
  /// Where what operators do stands that belongs to no address's shard.
  static constexpr unsigned operators_shard = 0;

  AuditTrail(redis::Client& redis, Wrapper& wrapper, Log& log) : redis_(redis), wrapper_(wrapper), log_(log) {}

  /// The list that holds a shard's chain; in one slot with everything else of the shard.
  static std::string key(unsigned shard);

  /// What a script answers when the chain does not end any more where its caller saw it end.
  static constexpr long long moved_on = -1;
  /// Runs a script that makes a change and appends its entry: it gets the MAC with which the chain must end (32 octets,
  /// empty for none) and the entry, and answers 1 when both were written, moved_on, or something else of its own. Tried
  /// anew while others append; Temporary when that takes too long.
  using Change = std::function<Result<redis::Reply>(const std::string& seen, const std::string& entry)>;
  Result<redis::Reply> record(unsigned shard, const AuditEvent& event, const Change& change);

  /// An entry for what has no script of its own, or is yet to be done.
  Status append(unsigned shard, const AuditEvent& event);

  /// Reads a whole chain in order, and shows each entry whose MAC fits. Behind one that does not it goes on from there:
  /// one fault hides no other.
  Result<AuditChain> verify(unsigned shard, const std::function<void(const AuditEntry&)>& visit);
  /// The latest entries of a shard, oldest first; their MACs are not compared.
  Result<std::vector<AuditEntry>> latest(unsigned shard, std::size_t count);

 private:
  void tell(std::string_view event, const AuditEntry& entry);
  [[nodiscard]] std::string next_entry(unsigned shard, std::string_view last, const AuditEvent& event) const;
  [[nodiscard]] std::string chain_mac(std::string_view before, std::string_view packed) const;

  redis::Client& redis_;
  Wrapper& wrapper_;
  Log& log_;
  std::array<std::mutex, shard_count> appending_;  ///< those of one process do not get in each other's way
};

}  // namespace sealpost
