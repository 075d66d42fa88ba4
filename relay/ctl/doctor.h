// SPDX-License-Identifier: Apache-2.0
// The doctor behind "sealpostctl check": looks at all that a relay rests on, runs every check that the findings so far
// allow, and changes nothing.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "conf/loader.h"

namespace sealpost::ctl {

/// One thing that is wrong.
struct Finding {
  /// settings, files, tls, listen, links, words, dns, next hop, redis, clock, master key, pool, ca, accounts
  std::string check;
  std::string text;  ///< what is wrong, with the file, setting or server
  std::string hint;  ///< what to do about it; empty where the text says it
};
using Findings = std::vector<Finding>;

/// What every check is given.
struct Examination {
  const Settings& settings;
  const Clock& clock;
  Log& log;
};

/// All of it, in seconds at most even when nothing answers.
Findings examine(const SettingsSource& source, const Clock& clock, Log& log);

/// relay.state_dir: there, a folder, closed to others.
void check_files(const Examination& examination, Findings& findings);
/// The certificate that senders see: readable, fitting its key, for relay.hostname, valid for two weeks more.
void check_tls(const Examination& examination, Findings& findings);
/// What sealpostd listens on can be taken, or sealpostd has it.
void check_listen(const Examination& examination, Findings& findings);
/// http.public_url can be opened by somebody who is not on this machine.
void check_links(const Examination& examination, Findings& findings);
/// Words, layouts and logo as a start wants them (notify.templates).
void check_words(const Examination& examination, Findings& findings);
/// A resolver answers, and relay.hostname has an address.
void check_dns(const Examination& examination, Findings& findings);
/// It takes a connection, greets, offers TLS where that is required, and takes our login.
void check_next_hop(const Examination& examination, Findings& findings);
/// Redis answers, is durable, has room and our time; master key, CA, pool and accounts in it.
void check_store(const Examination& examination, Findings& findings);

}  // namespace sealpost::ctl
