// SPDX-License-Identifier: Apache-2.0
// Implements mail_hosts.h.
#include "relay/delivery/mail_hosts.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace sealpost {
namespace {

/// By preference, equal ones at random: so a domain's hosts share its mail.
void put_in_order(std::vector<MxRecord>& hosts, Random& random) {
  std::vector<std::tuple<std::uint16_t, std::string, std::string>> keyed;
  keyed.reserve(hosts.size());
  for (auto& host : hosts) keyed.emplace_back(host.preference, random.octets(8), std::move(host.host));
  std::sort(keyed.begin(), keyed.end());
  hosts.clear();
  for (auto& [preference, chance, host] : keyed) hosts.push_back({preference, std::move(host)});
}

}  // namespace

Outcome loops_back(const std::string& domain) {
  return Failed{0, "5.4.6", "the mail servers of " + domain + " are this relay itself, which does not take its mail"};
}

Outcome dns_failed(const Error& why, const PollableFlag& stop) {
  if (stop.raised()) return Abandoned{why.public_text};
  return Deferred{why.public_text + " (" + why.internal_detail + ")", "4.4.3"};
}

Result<std::vector<MxRecord>, Outcome> mail_hosts(Resolver& resolver, const std::string& domain,
                                                  const std::string& own_name, Random& random, Deadline deadline,
                                                  const PollableFlag& stop) {
  auto answer = resolver.mx(domain, deadline, &stop);
  if (!answer) return dns_failed(answer.error(), stop);
  if (!answer->name_exists) return Outcome(Failed{0, "5.1.2", "the domain " + domain + " does not exist"});
  auto& hosts = answer->records;
  if (hosts.empty()) return std::vector<MxRecord>{{0, domain}};
  // "." beside others is a mistake of the zone (RFC 7505 section 3), and no host either way.
  std::erase_if(hosts, [](const MxRecord& record) { return record.host.empty(); });
  if (hosts.empty()) return Outcome(Failed{0, "5.1.10", "the domain " + domain + " takes no mail (null MX)"});
  std::optional<std::uint16_t> own;
  for (const auto& record : hosts) {
    if (record.host == own_name) own = std::min(own.value_or(record.preference), record.preference);
  }
  if (own) std::erase_if(hosts, [&](const MxRecord& record) { return record.preference >= *own; });
  if (hosts.empty()) return loops_back(domain);
  put_in_order(hosts, random);
  return std::move(hosts);
}

}  // namespace sealpost
