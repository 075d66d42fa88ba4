// SPDX-License-Identifier: Apache-2.0
// Implements mx_next_hop.h.
#include "relay/delivery/mx_next_hop.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/net/network.h"

namespace sealpost {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t max_hosts = 10;       ///< of a domain that names more, the best are asked for
constexpr std::size_t max_candidates = 10;  ///< connections that one attempt tries at most
constexpr std::size_t max_addresses = 4;    ///< of one host
constexpr std::chrono::seconds host_lookup{15};
/// Longer than a destination rests: else its dead hosts would be the first again, and the living ones behind them never
/// be reached in time.
constexpr std::chrono::minutes dead_for{20};
constexpr std::size_t max_dead = 10'000;

/// The next hop's word is final, but for a notification that a better equipped host may take.
bool settles(const Attempt& attempt) {
  const auto* deferred = std::get_if<Deferred>(&attempt.outcome);
  if (deferred == nullptr) return true;
  return attempt.reached && (deferred->code != 0 || deferred->enhanced != "4.7.10");
}

/// What a domain's hosts come to when none of them has an address that may be tried.
Outcome nobody_there(const std::string& domain, bool by_mx, bool refused_private) {
  if (refused_private) {
    return Deferred{"the mail servers of " + domain + " have private addresses only (delivery.allow_private)", "4.4.4"};
  }
  if (by_mx) return Failed{0, "5.4.4", "none of the mail servers that " + domain + " names has an address"};
  return Failed{0, "5.1.2", "the domain " + domain + " has no mail server"};
}

}  // namespace

Result<MxNextHop::Candidates, Outcome> MxNextHop::candidates(const std::string& domain, Deadline deadline) {
  auto hosts = mail_hosts(*resolver_, domain, policy_.own_name, random_, deadline, stop_);
  if (!hosts) return std::move(hosts).error();
  if (hosts->size() > max_hosts) hosts->resize(max_hosts);
  Candidates found;
  std::optional<Error> unanswered;
  bool refused_private = false;
  for (const auto& host : *hosts) {
    auto addresses = resolver_->addresses(host.host, std::min(deadline, steady_clock::now() + host_lookup), &stop_);
    if (!addresses) {
      unanswered = addresses.error();
      continue;
    }
    if (addresses->records.size() > max_addresses) addresses->records.resize(max_addresses);
    for (const auto& address : addresses->records) {
      const Poco::Net::SocketAddress place(address, policy_.port);
      if (own_.contain(place)) {
        // What comes after ourselves would only bring the mail back (RFC 5321 section 5.1).
        std::erase_if(found, [&](const MxCandidate& other) { return other.host.preference >= host.preference; });
        if (!found.empty()) return found;
        if (unanswered) return dns_failed(*unanswered, stop_);
        return loops_back(domain);
      }
      if (!policy_.allow_private && net::is_private(address)) {
        refused_private = true;
      } else {
        found.push_back({host, place});
      }
    }
  }
  if (!found.empty()) return found;
  if (unanswered) return dns_failed(*unanswered, stop_);
  const bool by_mx = hosts->size() > 1 || hosts->front().host != domain;
  return nobody_there(domain, by_mx, refused_private);
}

void MxNextHop::put_in_order(Candidates& candidates) {
  {
    const std::lock_guard lock(mutex_);
    std::stable_partition(candidates.begin(), candidates.end(), [&](const MxCandidate& candidate) {
      const auto found = dead_.find(candidate.address.toString());
      return found == dead_.end() || steady_clock::now() - found->second >= dead_for;
    });
  }
  if (candidates.size() > max_candidates) candidates.resize(max_candidates);
}

void MxNextHop::note_dead(const Poco::Net::SocketAddress& address) {
  const std::lock_guard lock(mutex_);
  if (dead_.size() < max_dead) dead_[address.toString()] = steady_clock::now();
}

void MxNextHop::tidy() {
  connections_.tidy();
  const std::lock_guard lock(mutex_);
  std::erase_if(dead_, [](const auto& entry) { return steady_clock::now() - entry.second >= dead_for; });
}

std::shared_ptr<const SmtpTarget> MxNextHop::target(const std::string& domain, const MxCandidate& candidate) const {
  auto target = std::make_shared<SmtpTarget>();
  target->host = candidate.host.host;
  target->port = policy_.port;
  target->addresses = {candidate.address};
  target->helo = policy_.own_name;
  const auto own_policy = policy_.domain_tls.find(domain);
  target->tls = own_policy == policy_.domain_tls.end() ? policy_.tls : own_policy->second;
  target->timeouts = policy_.timeouts;
  return target;
}

Attempt MxNextHop::attempt(const Claim& claim, DeliveryBody& body) {
  const std::string& domain = claim.delivery.domain;
  const Deadline deadline = steady_clock::now() + policy_.search;
  auto found = candidates(domain, deadline);
  if (!found) {
    // That DNS does not say holds for the whole destination; all else is about the recipient's domain.
    const bool unknown = !std::holds_alternative<Failed>(found.error());
    return {std::move(found).error(), {}, !unknown};
  }
  put_in_order(*found);
  Attempt best{Deferred{"no time was left to try the mail servers of " + domain, "4.4.1"}, {}, false};
  bool tried = false;
  for (const auto& candidate : *found) {
    if (steady_clock::now() >= deadline) break;
    Attempt ended = connections_.attempt(target(domain, candidate), claim, body);
    // Ourselves behind hosts that are only away now: they will take the mail.
    if (tried && !ended.reached && std::holds_alternative<Failed>(ended.outcome)) return best;
    if (settles(ended)) return ended;
    const auto* deferred = std::get_if<Deferred>(&ended.outcome);
    if (deferred != nullptr && deferred->enhanced == "4.4.1") note_dead(candidate.address);
    // The word of a host that let us in counts for more than that others did not.
    if (!best.reached || ended.reached) best = std::move(ended);
    tried = true;
  }
  return best;
}

}  // namespace sealpost
