// SPDX-License-Identifier: Apache-2.0
// sealpostctl queue verify.
#include "queue/queue_verify.h"

#include <ostream>

#include "relay/ctl/command.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

/// Exit code 1 for faults that are still there, as `check` has it.
int verify_queue(Context& context, const Options& options) {
  const bool repair = options.count("repair") > 0;
  auto found = verify_queue(context.services.redis(), context.services.clock(), repair,
                            [&](std::size_t seen, std::size_t all) { draw_progress(context.err, seen, all); });
  if (!found) return fail(context, found.error());
  if (repair && found->faults > 0) {
    auto noted = context.services.audit().append(
        AuditTrail::operators_shard,
        {context.services.clock().now(), "operator", "queue.repair", {}, std::to_string(found->faults) + " faults"});
    if (!noted) return fail(context, noted.error());
  }
  if (context.json) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    object.set("deliveries", found->deliveries);
    object.set("entries", found->entries);
    object.set("faults", found->faults);
    object.set("repaired", repair);
    Poco::JSON::Array told;
    for (const auto& fault : found->told) told.add(printable(fault));
    object.set("told", told);
    print_json(context.out, object);
  } else {
    for (const auto& fault : found->told) context.out << printable(fault) << '\n';
    if (found->faults > found->told.size()) context.out << "… and " << found->faults - found->told.size() << " more\n";
    context.out << found->deliveries << " deliveries and " << found->entries << " entries of indexes: " << found->faults
                << (found->faults == 1 ? " fault" : " faults") << (repair ? " repaired" : "") << '\n';
  }
  return found->faults == 0 || repair ? EX_OK : 1;
}

}  // namespace

std::vector<Subcommand> queue_verify_commands() {
  const auto declare = [](boost::program_options::options_description& options) {
    options.add_options()("repair", "mend what is found");
  };
  return {{"queue verify", "[--repair]", "compare the queue's indexes with its records", {}, declare, verify_queue}};
}

}  // namespace sealpost::ctl
