// SPDX-License-Identifier: Apache-2.0
// The heads of the audit trail that a log of sealpostd names, in text or JSON, with or without what journals put in
// front of a line. Addresses and remote servers' replies stand in the log, too, and name none.
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace sealpost::ctl {

/// Shard and sequence of an entry.
using AuditPlace = std::pair<unsigned, std::uint64_t>;

struct LoggedHeads {
  /// More than one for a place: the trail was cut short behind the first of them, and grew again.
  std::map<AuditPlace, std::set<std::string>> certain;
  /// Of entries whose writing brought no answer: they may stand there or not.
  std::map<AuditPlace, std::set<std::string>> uncertain;
};

LoggedHeads read_logged_heads(std::istream& log);

}  // namespace sealpost::ctl
