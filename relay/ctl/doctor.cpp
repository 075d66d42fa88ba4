// SPDX-License-Identifier: Apache-2.0
// Implements doctor.h: the table of checks, and which settings each rests on.
#include "relay/ctl/doctor.h"

#include <algorithm>

namespace sealpost::ctl {
namespace {

/// A check is left out when a setting that it rests on is wrong: its verdict would be about the default that stands in.
struct Check {
  std::vector<std::string> rests_on;
  void (*run)(const Examination&, Findings&);
};

const std::vector<Check>& checks() {
  static const std::vector<Check> all = {
      {{"relay.state_dir"}, check_files},
      {{"tls.certificate", "tls.private_key", "relay.hostname"}, check_tls},
      {{"smtp.listen", "smtp.listen_tls", "http.listen", "http.listen_tls", "relay.hostname"}, check_listen},
      {{"http.public_url", "delivery.route"}, check_links},
      {{"notify.templates", "notify.language"}, check_words},
      {{"dns.server", "relay.hostname"}, check_dns},
      {{"delivery.route", "delivery.tls", "delivery.username", "delivery.password_file", "relay.hostname"},
       check_next_hop},
      {{"relay.state_dir", "redis.url", "redis.username", "redis.password_file", "keys.master_key_file"}, check_store},
  };
  return all;
}

}  // namespace

Findings examine(const SettingsSource& source, const Clock& clock, Log& log) {
  const SettingsReport report = examine_settings(source);
  Findings findings;
  std::set<std::string> wrong;
  for (const auto& complaint : report.complaints) {
    findings.push_back({"settings", complaint.text, {}});
    wrong.insert(complaint.key);
  }
  // Without the file everything would be about defaults that nobody wanted.
  if (wrong.contains("")) return findings;
  for (const auto& check : checks()) {
    const bool possible = std::none_of(check.rests_on.begin(), check.rests_on.end(),
                                       [&](const std::string& key) { return wrong.contains(key); });
    if (possible) check.run({report.loaded.settings, clock, log}, findings);
  }
  return findings;
}

}  // namespace sealpost::ctl
