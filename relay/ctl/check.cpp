// SPDX-License-Identifier: Apache-2.0
// sealpostctl check: prints what the doctor finds, one line per finding; exit 1 when anything is wrong.
#include <ostream>

#include "relay/ctl/command.h"
#include "relay/ctl/doctor.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

Poco::JSON::Array to_json(const Findings& findings) {
  Poco::JSON::Array array;
  for (const auto& finding : findings) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    object.set("check", finding.check);
    object.set("finding", finding.text);
    object.set("hint", finding.hint);
    array.add(object);
  }
  return array;
}

void print(std::ostream& out, const Findings& findings) {
  if (findings.empty()) out << "All is well.\n";
  for (const auto& finding : findings) {
    const std::string hint = finding.hint.empty() ? std::string() : " (" + finding.hint + ")";
    out << printable(finding.check + ": " + finding.text + hint) << '\n';
  }
}

int check(const Surroundings& surroundings, const Options& options) {
  const SystemClock clock;
  Log log(LogLevel::Warning, LogFormat::Text, clock);
  const auto findings = examine(surroundings.settings, clock, log);
  if (options.count("json") > 0) {
    print_json(surroundings.out, to_json(findings));
  } else {
    print(surroundings.out, findings);
  }
  return findings.empty() ? EX_OK : 1;
}

}  // namespace

std::vector<Subcommand> check_commands() {
  Subcommand row{"check", "", "look for what is wrong; exit 1 when anything is", {}, {}, {}};
  row.run_alone = check;
  return {row};
}

}  // namespace sealpost::ctl
