// SPDX-License-Identifier: Apache-2.0
// sealpostctl check: the doctor. One line per finding; exit 1 when anything is wrong.
#include <charconv>
#include <cstdlib>
#include <ostream>

#include "base/net/tls_context.h"
#include "queue/durability.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/delivery/client_stream.h"

namespace sealpost::ctl {
namespace {

constexpr std::int64_t tolerated_skew_s = 5;

using Findings = std::vector<std::string>;

void check_tls(const Settings& settings, Findings& findings) {
  if (settings.tls.certificate.empty()) {
    findings.emplace_back("TLS: the certificate is self-signed; set tls.certificate and tls.private_key");
    return;
  }
  auto loaded = net::TlsContext::load(settings.tls.certificate, settings.tls.private_key);
  if (!loaded) findings.push_back("TLS: " + loaded.error().public_text);
}

void check_redis(Context& context, Findings& findings) {
  auto found = check_durability(context.services.redis());
  if (!found) {
    findings.push_back("Redis: " + found.error().public_text);
    return;
  }
  findings.insert(findings.end(), found->begin(), found->end());
}

/// Redis' clock is the other clock at hand.
void check_clock(Context& context, Findings& findings) {
  auto time = context.services.redis().command({"TIME"});
  if (!time || time->size() != 2) return;  // said by check_redis
  std::int64_t theirs = 0;
  const auto text = (*time)[0].text();
  std::from_chars(text.data(), text.data() + text.size(), theirs);
  const std::int64_t ours = to_milliseconds(context.services.clock().now()) / 1000;
  if (std::abs(ours - theirs) > tolerated_skew_s) {
    findings.push_back("Clock: this machine and Redis differ by " + std::to_string(std::abs(ours - theirs)) +
                       " s; run an NTP client on both");
  }
}

void check_next_hop(const Settings& settings, Findings& findings) {
  const Route& route = settings.delivery.route;
  if (route.kind == Route::Kind::Maildir) return;
  if (route.kind == Route::Kind::Mx) {
    findings.emplace_back("Next hop: delivery.route is mx, which this version cannot do yet; set a next hop");
    return;
  }
  auto stream =
      ClientStream::connect(route.host, route.port, std::chrono::steady_clock::now() + std::chrono::seconds(5));
  if (!stream) {
    findings.push_back("Next hop: " + route.host + ":" + std::to_string(route.port) + ": " +
                       stream.error().public_text + " (" + stream.error().internal_detail + ")");
  }
}

void check_accounts(Context& context, Findings& findings) {
  auto accounts = context.services.accounts().list();
  if (accounts && accounts->empty())
    findings.emplace_back("Accounts: there is none; add one with sealpostctl account add");
}

int check(Context& context, const Options&) {
  Findings findings;
  check_tls(context.settings, findings);
  check_redis(context, findings);
  check_clock(context, findings);
  check_next_hop(context.settings, findings);
  check_accounts(context, findings);
  if (context.json) {
    Poco::JSON::Array array;
    for (const auto& finding : findings) array.add(finding);
    print_json(context.out, array);
  } else if (findings.empty()) {
    context.out << "All is well.\n";
  } else {
    for (const auto& finding : findings) context.out << finding << '\n';
  }
  return findings.empty() ? EX_OK : 1;
}

}  // namespace

std::vector<Subcommand> check_commands() {
  return {{"check", "", "look for what is wrong; exit 1 when anything is", {}, {}, check}};
}

}  // namespace sealpost::ctl
