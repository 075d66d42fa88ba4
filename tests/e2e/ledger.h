// SPDX-License-Identifier: Apache-2.0
// The ledger of a run with crashes: what senders were told of each message, to be compared with what arrived and what
// waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "tests/e2e/submitter.h"

namespace sealpost::test {

/// What a sender knows when a message is over.
enum class Told {
  Accepted,  ///< 250 after the final dot
  Refused,   ///< refused, or cut off before the final dot was sent: must never arrive
  Doubtful   ///< 451 or nothing after the final dot: a crash fell between the store and the answer, so it may arrive
};

struct LedgerEntry {
  std::string token;  ///< in Message-ID and body
  std::vector<std::string> recipients;
  std::string id;  ///< of the message, when it was accepted
  Told told = Told::Refused;
  std::string answer;
};

inline constexpr const char* ledger_sender = "alice@example.com";
inline constexpr const char* ledger_nobody = "nobody@example.net";
inline std::string ledger_recipient(unsigned number) { return "r" + std::to_string(number) + "@example.net"; }
inline constexpr unsigned ledger_recipients = 4;
inline std::string ledger_message_id(const std::string& token) { return "<" + token + "@ledger.example.com>"; }
/// The body that a recipient must find after decryption.
inline std::string ledger_body(const std::string& token) { return "This is " + token + ".\r\n"; }

/// Sends messages of all sorts without pause, over as many connections as the relay's deaths make necessary.
class LedgerSender final {
 public:
  LedgerSender(std::string name, std::uint32_t seed, const std::atomic<int>& port, std::atomic<std::size_t>& answers)
      : name_(std::move(name)), random_(seed), port_(port), answers_(answers) {}

  /// Until `stop`.
  void run(const std::atomic<bool>& stop);
  [[nodiscard]] const std::vector<LedgerEntry>& entries() const { return entries_; }

 private:
  bool connect();
  LedgerEntry next_entry();
  void submit(LedgerEntry& entry);
  void hang_up_unless_alive(const std::string& answer);

  std::string name_;
  std::mt19937 random_;
  const std::atomic<int>& port_;
  std::atomic<std::size_t>& answers_;
  std::unique_ptr<Submitter> session_;
  std::vector<LedgerEntry> entries_;
};

}  // namespace sealpost::test
