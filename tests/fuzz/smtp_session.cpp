// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a whole session fed with arbitrary octets, whole and in pieces. The first octet decides how it starts
// and is cut; every action is answered by a fixed script. Both ways must say the same, in well-formed replies, and
// nothing is taken that was not logged in for.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "relay/smtp/session.h"

namespace {

using namespace sealpost;  // NOLINT(google-build-using-namespace): a program of one file

void require(bool condition) {
  if (!condition) std::abort();
}

class Counting final : public Random {
 public:
  void fill(std::span<unsigned char> out) override {
    for (auto& octet : out) octet = next_++;
  }

 private:
  unsigned char next_ = 0;
};

/// Every third of a kind of action is refused, so that refusals are walked, too.
class Script final {
 public:
  explicit Script(bool tls) : session_({"relay.example.org", 2000, 3}, budget_, random_, tls), tls_(tls) {}

  std::string run(std::string_view octets, std::size_t piece) {
    take(session_.open());
    while (!octets.empty() && !ended_) {
      take(session_.receive(octets.substr(0, piece)));
      octets.remove_prefix(std::min(piece, octets.size()));
    }
    return said_;
  }

 private:
  bool refuses() { return ++actions_ % 3 == 0; }

  void take(smtp::Session::Output output) {
    while (true) {
      require(output.replies.empty() || output.replies.ends_with("\r\n"));
      said_ += output.replies;
      if (output.next != smtp::Session::Next::Read) {
        require(!output.action);
        require(output.next == smtp::Session::Next::Close || !tls_);
        ended_ = true;
        said_ += output.next == smtp::Session::Next::Close ? "close" : "starttls";
      }
      if (!output.action) return;
      require(tls_);
      output = std::visit([this](auto& action) { return answer(action); }, *output.action);
    }
  }

  Result<Account> account(std::string name) {
    if (refuses()) return Error::invalid("wrong");
    logged_in_ = true;
    return Account{std::move(name), {"@example.com"}, false, {}};
  }
  smtp::Session::Output answer(smtp::CheckLogin& action) { return session_.login_result(account(action.name)); }
  smtp::Session::Output answer(smtp::FindAccount& action) { return session_.login_result(account(action.name)); }
  smtp::Session::Output answer(smtp::FindVerifier&) {
    return session_.verifier_result(ScramVerifier{"salt", 4096, std::string(32, 'k'), std::string(32, 's')});
  }
  smtp::Session::Output answer(smtp::CheckProof& action) {
    auto proof = action.exchange.finish(action.client_final);
    if (!refuses() && !proof) proof = std::string("v=");
    return session_.proof_result(std::move(proof));
  }
  smtp::Session::Output answer(smtp::CheckRoom&) {
    require(logged_in_);
    if (refuses()) return session_.admission_result(IntakeError{Refusal::StoreFull, "full", {}});
    return session_.admission_result(std::nullopt);
  }
  smtp::Session::Output answer(smtp::CheckRecipient& action) {
    require(logged_in_ && action.unassigned < 3);
    if (refuses()) return session_.recipient_result(IntakeError{Refusal::RateOfNew, "later", {}});
    return session_.recipient_result(Admission{true, false});
  }
  smtp::Session::Output answer(smtp::TakeMessage& action) {
    const Submission& submission = action.submission;
    require(logged_in_ && !submission.recipients.empty() && submission.recipients.size() <= 3);
    require(submission.message.size() <= 2000 && view(submission.message).find('\0') == std::string_view::npos);
    if (refuses()) return session_.message_result(IntakeError{Refusal::StoreAway, "away", {}});
    said_ += "[" + std::string(view(submission.message)) + "]";
    return session_.message_result(Accepted{MessageId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").value(), "", {}});
  }

  MemoryBudget budget_{1UL << 22U};
  Counting random_;
  smtp::Session session_;
  bool tls_;
  bool logged_in_ = false;
  bool ended_ = false;
  int actions_ = 0;
  std::string said_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool tls = (data[0] & 1U) != 0;
  const std::size_t piece = (data[0] >> 1U) % 32 + 1UL;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = Script(tls).run(octets, octets.size() + 1);
  const std::string cut = Script(tls).run(octets, piece);
  // In clear, what follows STARTTLS in the same packet closes the connection; in the next one it would be TLS.
  if (tls) require(cut == whole);
  return 0;
}
