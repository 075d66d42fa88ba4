// SPDX-License-Identifier: Apache-2.0
// sealpostctl queue retry|hold|release|drop|bounce|reroute: counts, asks on a terminal, and acts in steps that Ctrl-C
// ends between two of them.
#include "queue/queue_actions.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <istream>
#include <ostream>

#include "queue/delivery_json.h"
#include "queue/filter_text.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/ctl/queue_choice.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

/// Deliveries between two looks at Ctrl-C, and of two entries of the audit trail.
constexpr std::size_t step = 5'000;

std::atomic<bool> interrupted = false;

/// Ctrl-C ends the work behind a step while this lives; a second one ends the program.
class Interruption final {
 public:
  Interruption() {
    interrupted = false;
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption() { sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

Result<DeliveryChoice> read_choice(Context& context, const Options& options) {
  auto filter = read_filter(options);
  if (!filter) return filter.error();
  if (auto fits = check_action_filter(*filter); !fits) return Error::invalid("--" + fits.error().public_text);
  const bool all = options.count("all") > 0;
  if (options.count("ID") == 0) {
    if (filter->is_empty() && !all) return Error::invalid("name deliveries by ID or filter, or say --all");
    return DeliveryChoice(std::move(*filter));
  }
  if (!filter->is_empty() || all) return Error::invalid("name deliveries either by ID or by filter");
  std::vector<DeliveryId> ids;
  for (const auto& text : options["ID"].as<std::vector<std::string>>()) {
    auto records = named_deliveries(context.services.queue_view(), text);
    if (!records) return records.error();
    if (records->empty()) return Error::not_found("there is no delivery " + text);
    for (const auto& record : *records) {
      if (std::find(ids.begin(), ids.end(), record.id) == ids.end()) ids.push_back(record.id);
    }
  }
  return DeliveryChoice(std::move(ids));
}

/// All that the order would reach.
ActionResult count_all(QueueActions& actions, const QueueOrder& order, const DeliveryChoice& choice,
                       const std::string& cursor) {
  ActionResult total;
  total.cursor = cursor;
  do {
    total.add(actions.count(order, choice, total.cursor));
  } while (total.goes_on());
  return total;
}

/// Nobody is asked where nobody sits.
bool confirmed(Context& context, const Options& options, const ActionResult& counted) {
  if (options.count("yes") > 0 || isatty(STDIN_FILENO) != 1) return true;
  context.err << counted.matched << " matched, " << counted.changed << " would change. Go on? [y/N] " << std::flush;
  std::string answer;
  std::getline(context.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// Before the error that ended it: what is done stays done.
void tell_progress(Context& context, const ActionResult& done) {
  if (done.matched == 0) return;
  context.err << '\n' << done.matched << " matched, " << done.changed << " changed, then it broke off";
  if (!done.cursor.empty()) context.err << "; go on with the same filter and --cursor " << done.cursor;
  context.err << '\n';
}

ActionResult act_on_all(Context& context, const QueueOrder& order, const DeliveryChoice& choice,
                        const ActionResult& counted, const std::string& cursor) {
  const Interruption interruption;
  ActionResult total;
  total.cursor = cursor;
  do {
    total.add(context.services.queue_actions().act(order, choice, "operator", step, total.cursor));
    const bool by_filter = std::holds_alternative<DeliveryFilter>(choice);
    if (by_filter) draw_progress(context.err, std::min(total.matched, counted.matched), counted.matched);
  } while (total.goes_on() && !interrupted);
  return total;
}

int report(Context& context, const ActionResult& result, bool dry_run) {
  for (const auto& [id, why] : result.unreached) context.err << id.text() << ": " << why << '\n';
  const int told = done(context,
                        std::to_string(result.matched) + " matched, " + std::to_string(result.changed) +
                            (dry_run ? " would change" : " changed"),
                        to_json(result));
  if (result.cursor.empty()) return told;
  context.err << "interrupted; go on with the same filter and --cursor " << result.cursor << '\n';
  return EX_TEMPFAIL;
}

int run(Context& context, const Options& options, QueueAction action) {
  QueueOrder order{action, {}};
  if (action == QueueAction::Reroute) {
    auto route = parse_reroute(options["to"].as<std::string>());
    if (!route) return fail(context, route.error());
    order.route = std::move(*route);
  }
  auto choice = read_choice(context, options);
  if (!choice) return fail(context, choice.error());
  const std::string cursor = options.count("cursor") > 0 ? options["cursor"].as<std::string>() : std::string();
  const auto counted = count_all(context.services.queue_actions(), order, *choice, cursor);
  if (counted.broken) return fail(context, *counted.broken);
  if (options.count("dry-run") > 0) return report(context, counted, true);
  if (!confirmed(context, options, counted)) {
    context.err << "nothing was changed\n";
    return EX_OK;
  }
  const auto result = act_on_all(context, order, *choice, counted, cursor);
  if (!result.broken) return report(context, result, false);
  tell_progress(context, result);
  return fail(context, *result.broken);
}

Subcommand action(QueueAction action, std::string summary) {
  const bool reroute = action == QueueAction::Reroute;
  return {"queue " + std::string(to_text(action)),
          reroute ? "[ID...] [filters] --to ROUTE" : "[ID...] [filters]",
          std::move(summary),
          {},
          [reroute](po::options_description& options) {
            declare_filters(options);
            options.add_options()("all", "every delivery that waits");
            options.add_options()("dry-run", "only count what would be acted on");
            options.add_options()("yes", "do not ask");
            options.add_options()("cursor", po::value<std::string>(), "go on where an interruption ended it");
            if (reroute) {
              options.add_options()("to", po::value<std::string>()->required(),
                                    "smtp://host:port, smtps://…, lmtp://…, or mx");
            }
          },
          [action](Context& context, const Options& options) { return run(context, options, action); },
          {},
          "ID"};
}

}  // namespace

std::vector<Subcommand> queue_action_commands() {
  return {
      action(QueueAction::Retry, "attempt waiting deliveries now"),
      action(QueueAction::Hold, "set deliveries aside until they are released"),
      action(QueueAction::Release, "let held deliveries go on"),
      action(QueueAction::Drop, "give deliveries up without a bounce"),
      action(QueueAction::Bounce, "give deliveries up with a bounce to their senders"),
      action(QueueAction::Reroute, "send deliveries to another next hop"),
  };
}

}  // namespace sealpost::ctl
