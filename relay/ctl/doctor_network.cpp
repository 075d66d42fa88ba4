// SPDX-License-Identifier: Apache-2.0
// Implements doctor.h: what lies outside of this machine, resolver and next hop; bounded in time.
#include "relay/ctl/dns_probe.h"
#include "relay/ctl/doctor.h"
#include "relay/delivery/routes.h"
#include "relay/delivery/smtp_client.h"

namespace sealpost::ctl {
namespace {

constexpr std::chrono::seconds dns_patience{5};
constexpr std::chrono::seconds patience{5};

std::string hint_of(const SmtpTarget& target) {
  std::string keys = "look at delivery.route";
  if (target.tls != TlsPolicy::Opportunistic) keys += ", delivery.tls";
  if (!target.username.empty()) keys += ", delivery.username";
  return keys;
}

void check_name(const DnsVerdict verdict, const std::string& server, const std::string& hostname, Findings& findings) {
  if (verdict == DnsVerdict::HasAddress) return;
  findings.push_back(
      {"dns",
       "relay.hostname: " + hostname +
           (verdict == DnsVerdict::NoSuchName ? " does not exist" : " has neither an A nor an AAAA record") +
           ", says the resolver " + server,
       "many servers refuse mail from a name without an address"});
}

}  // namespace

void check_dns(const Examination& examination, Findings& findings) {
  const std::string& given = examination.settings.dns.server;
  const std::string& hostname = examination.settings.relay.hostname;
  const auto servers = given.empty() ? resolvers_of() : std::vector<std::string>{given};
  std::string silent;
  for (const auto& server : servers) {
    const auto verdict = ask_for_address(server, hostname, dns_patience);
    if (verdict) return check_name(*verdict, server, hostname, findings);
    silent += (silent.empty() ? "" : "; ") + server + " " + verdict.error().public_text;
  }
  findings.push_back({"dns", "no resolver can be used: " + silent,
                      given.empty() ? "look at /etc/resolv.conf, or set dns.server" : "look at dns.server"});
}

void check_next_hop(const Examination& examination, Findings& findings) {
  const Settings& settings = examination.settings;
  const Route::Kind kind = settings.delivery.route.kind;
  // MX hosts differ by recipient: DNS, which names them, is looked at above.
  if (kind == Route::Kind::Maildir || kind == Route::Kind::Mx) return;
  auto target = smtp_target(settings);
  if (!target) {
    findings.push_back({"next hop", target.error().public_text, "look at delivery.route and delivery.password_file"});
    return;
  }
  target->timeouts = {patience, patience, patience, patience, patience, patience, patience};
  const std::string name = route_name(settings.delivery.route);
  const PollableFlag never_raised;
  auto client = SmtpClient::open(*target, never_raised);
  if (!client) {
    findings.push_back({"next hop", name + ": " + response_of(client.error()), hint_of(*target)});
    return;
  }
  const bool private_enough = (*client)->secure() || (*client)->loopback() || kind == Route::Kind::Lmtp;
  if (!private_enough && settings.notify.tls == NotifyTls::Required) {
    findings.push_back({"next hop", name + ": offers no TLS, so notifications cannot leave (notify.tls = required)",
                        "have it offer STARTTLS, or set notify.tls = opportunistic"});
  }
  (*client)->quit();
}

}  // namespace sealpost::ctl
