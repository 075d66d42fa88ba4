// SPDX-License-Identifier: Apache-2.0
// sealpostctl top: the queue, redrawn in place on a terminal until Ctrl-C; a snapshot elsewhere.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <ostream>

#include "conf/values.h"
#include "queue/delivery_json.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/ctl/top_screen.h"
#include "relay/queue_overview.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

constexpr std::size_t most_destinations = 200;

std::atomic<bool> ended = false;

/// Home, each line to its end, and what is left of an earlier picture below.
void draw(std::ostream& out, const std::vector<std::string>& lines) {
  out << "\033[H";
  for (const auto& line : lines) out << line << "\033[K\n";
  out << "\033[J" << std::flush;
}

Result<QueueSummary> look(Context& context) {
  auto summary = tool_overview(context.services, context.settings).read(most_destinations);
  if (!summary) return summary;
  // Of those with the most that waits, the slowest first.
  std::stable_sort(summary->destinations.begin(), summary->destinations.end(),
                   [](const auto& a, const auto& b) { return a.oldest && (!b.oldest || *a.oldest < *b.oldest); });
  return summary;
}

int snapshot(Context& context) {
  auto summary = look(context);
  if (!summary) return fail(context, summary.error());
  const Time now = context.services.clock().now();
  if (context.json) {
    print_json(context.out, to_json(*summary, now));
    return EX_OK;
  }
  for (const auto& line : top_screen(*summary, now, {most_destinations + 20, 1000})) context.out << line << '\n';
  return EX_OK;
}

/// A store that is away is told in the first line, and looked for again.
int watch(Context& context, std::chrono::seconds interval) {
  struct sigaction stop {};
  stop.sa_handler = [](int) { ended = true; };
  sigaction(SIGINT, &stop, nullptr);
  sigaction(SIGTERM, &stop, nullptr);
  context.out << "\033[?25l\033[2J";
  while (!ended) {
    auto summary = look(context);
    draw(context.out, summary
                          ? top_screen(*summary, context.services.clock().now(), terminal_size().value_or(ScreenSize()))
                          : std::vector<std::string>{printable(summary.error().public_text)});
    struct timespec pause {
      interval.count(), 0
    };
    nanosleep(&pause, nullptr);  // ended early by a signal
  }
  context.out << "\033[?25h" << std::flush;
  return EX_OK;
}

int top(Context& context, const Options& options) {
  auto interval = parse_count(options["interval"].as<std::string>(), 1, 3600);
  if (!interval) return fail(context, Error::invalid("--interval: " + interval.error().public_text));
  const bool live = isatty(STDOUT_FILENO) == 1 && !context.json;
  return live ? watch(context, std::chrono::seconds(*interval)) : snapshot(context);
}

}  // namespace

std::vector<Subcommand> top_commands() {
  const auto declare = [](po::options_description& options) {
    options.add_options()("interval", po::value<std::string>()->default_value("2"), "seconds between two looks");
  };
  return {{"top", "", "watch the queue: rates, states, slowest destinations", {}, declare, top}};
}

}  // namespace sealpost::ctl
