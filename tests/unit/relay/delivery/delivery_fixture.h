// SPDX-License-Identifier: Apache-2.0
// Claims and bodies as a next hop is given them, without a queue behind.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "relay/delivery/next_hop.h"
#include "tests/support/fakes.h"

namespace sealpost::test {

/// Gives out its pieces one by one; an Error when they run out and `fails` is set.
class PiecesBody final : public DeliveryBody {
 public:
  explicit PiecesBody(std::vector<std::string> pieces = {"Subject: x\r\n\r\n", "..body\r\n"}, bool fails = false)
      : pieces_(std::move(pieces)), fails_(fails) {}
  [[nodiscard]] std::string_view header_block() const override { return header; }
  Result<std::string> next() override {
    if (at_ < pieces_.size()) return pieces_[at_++];
    if (fails_) return Error::temporary("the queue's store cannot be reached");
    return std::string();
  }
  [[nodiscard]] std::size_t given() const { return at_; }

  std::string header = "Subject: x\r\n";

 private:
  std::vector<std::string> pieces_;
  bool fails_;
  std::size_t at_ = 0;
};

inline Claim make_claim(const std::string& recipient = "bob@example.net",
                        const std::string& mail_from = "alice@example.com") {
  static ManualClock clock;
  static SystemRandom random;  // several threads make claims
  DeliveryRecord delivery(DeliveryId(MessageId::generate(clock, random), 1));
  delivery.recipient = recipient;
  delivery.mail_from = mail_from;
  delivery.destination = "example.net";
  delivery.size = 1000;
  delivery.created = clock.now();
  return {std::move(delivery), 1, {}, {}};
}

inline std::string kind_of(const Outcome& outcome) {
  constexpr const char* names[] = {"delivered", "deferred", "failed", "abandoned"};
  return names[outcome.index()];
}

inline std::string enhanced_of(const Outcome& outcome) {
  if (const auto* deferred = std::get_if<Deferred>(&outcome)) return deferred->enhanced;
  const auto* failed = std::get_if<Failed>(&outcome);
  return failed != nullptr ? failed->enhanced : std::string();
}

inline int code_of(const Outcome& outcome) {
  if (const auto* deferred = std::get_if<Deferred>(&outcome)) return deferred->code;
  const auto* failed = std::get_if<Failed>(&outcome);
  return failed != nullptr ? failed->code : 0;
}

}  // namespace sealpost::test
