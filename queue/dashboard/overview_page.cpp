// SPDX-License-Identifier: Apache-2.0
// The overview: states, rates, the live charts' places, destinations by age, failures and accounts.
#include "base/encoding.h"
#include "base/time_text.h"
#include "dashboard_files.h"
#include "queue/dashboard/routes.h"
#include "queue/queue_summary.h"

namespace sealpost::dashboard {
namespace {

namespace files = dashboard_files;

constexpr std::size_t max_rows_shown = 50;

/// /operator/deliveries?state=waiting&NAME=VALUE…
std::string search_path(const Site& site, const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string path = site.path("/deliveries?state=waiting");
  for (const auto& [name, value] : parts) path += "&" + name + "=" + percent_encode(value, "-_.@");
  return path;
}

/// "<td>12</td>", linked when there is something to look at. Classes grow with the number of digits.
std::string cell(std::size_t count, const std::string& target) {
  if (count == 0) return "<td class=\"none\">0</td>";
  const std::string digits = std::to_string(count);
  return "<td class=\"heat-" + std::to_string(std::min<std::size_t>(digits.size(), 5)) + "\"><a href=\"" +
         html_escape(target) + "\">" + digits + "</a></td>";
}

std::string age_cells(const Site& site, const DestinationSummary& row) {
  std::string cells;
  for (std::size_t i = 0; i < row.ages.size(); ++i) {
    std::vector<std::pair<std::string, std::string>> parts = {{"domain", row.domain}};
    if (i > 0) parts.emplace_back("older_than", age_names[i - 1]);
    if (i < age_bounds.size()) parts.emplace_back("newer_than", age_names[i]);
    cells += cell(row.ages[i], search_path(site, parts));
  }
  return cells;
}

/// As the command line and the API name them: "< 5m", …, "older".
std::string age_headings() {
  std::string headings;
  for (std::size_t i = 0; i < age_names.size(); ++i) {
    const std::string text = (i < age_bounds.size() ? "< " : "") + std::string(age_names[i]);
    headings += "<th scope=\"col\">" + html_escape(text) + "</th>";
  }
  return headings;
}

std::string destinations(Draw& draw, const Site& site, const QueueSummary& summary, Time now) {
  if (summary.destinations.empty()) return draw(files::nothing_html, {{"text", "Nothing waits."}});
  std::string lines;
  for (const auto& row : summary.destinations) {
    lines += draw(files::heat_row_html, {{"target", search_path(site, {{"domain", row.domain}})},
                                         {"domain", row.domain},
                                         {"waiting", std::to_string(row.waiting())},
                                         {"cells", age_cells(site, row)},
                                         {"held", std::to_string(row.held)},
                                         {"sending", std::to_string(row.sending)},
                                         {"concurrency", std::to_string(row.concurrency)},
                                         {"rate", decimal_text(row.delivered_per_minute)},
                                         {"next", to_short(row.next_attempt, now)},
                                         {"error", row.last_error}});
  }
  const std::string more =
      summary.more_destinations == 0
          ? std::string()
          : draw(files::nothing_html,
                 {{"text", "And " + std::to_string(summary.more_destinations) + " destinations with less."}});
  return draw(files::heat_html, {{"ages", age_headings()}, {"rows", lines}, {"more", more}});
}

std::string errors(Draw& draw, const Site& site, const QueueSummary& summary) {
  if (summary.errors.empty()) return draw(files::nothing_html, {{"text", "Nothing has failed."}});
  std::string lines;
  for (const auto& row : summary.errors) {
    // The class has # for digits, which stand in no reply: its longest piece without them is looked for.
    std::string piece;
    for (std::size_t begin = 0; begin < row.error.size();) {
      const auto end = std::min(row.error.find('#', begin), row.error.size());
      if (end - begin > piece.size()) piece = row.error.substr(begin, end - begin);
      begin = end + 1;
    }
    const std::string part(trimmed(piece));
    const std::string name = row.error.empty() ? "others, too different to be counted apart" : row.error;
    lines +=
        draw(files::counted_row_html,
             {{"name", part.empty() ? html_escape(name)
                                    : link_to(site.path("/deliveries?error=" + percent_encode(part, "-_.@")), name)},
              {"cells", "<td>" + std::to_string(row.count) + "</td>"}});
  }
  return draw(files::counted_html,
              {{"title", "Last failure"}, {"columns", "<th scope=\"col\">Deliveries</th>"}, {"rows", lines}});
}

std::string accounts(Draw& draw, const Site& site, const QueueSummary& summary) {
  if (summary.accounts.empty()) return draw(files::nothing_html, {{"text", "No account’s mail waits."}});
  std::string lines;
  for (const auto& row : summary.accounts) {
    lines +=
        draw(files::counted_row_html, {{"name", link_to(search_path(site, {{"account", row.account}}), row.account)},
                                       {"cells", "<td>" + std::to_string(row.waiting) + "</td><td>" +
                                                     decimal_text(row.accepted_per_minute) + "</td>"}});
  }
  return draw(files::counted_html,
              {{"title", "Account"},
               {"columns", "<th scope=\"col\">Waiting</th><th scope=\"col\">Accepted a minute</th>"},
               {"rows", lines}});
}

/// What ends within 30 days or has ended; nothing when that is none.
std::string certificates(Draw& draw, const QueueSummary& summary) {
  if (!summary.keys || summary.keys->certificates.soonest.empty()) {
    return draw(files::nothing_html, {{"text", "None ends within 30 days."}});
  }
  std::string lines;
  for (const auto& one : summary.keys->certificates.soonest) {
    const std::string whose = one.of == "tls"          ? "the relay’s TLS certificate"
                              : one.of == "issuing_ca" ? "the issuing CA"
                                                       : one.address + ", of the recipient’s own";
    lines += draw(files::counted_row_html,
                  {{"name", html_escape(whose)}, {"cells", "<td>" + html_escape(to_second(one.ends)) + "</td>"}});
  }
  return draw(files::counted_html,
              {{"title", "Certificate of"}, {"columns", "<th scope=\"col\">Ends (UTC)</th>"}, {"rows", lines}});
}

TemplateValues tiles(const QueueSummary& summary, Time now) {
  const auto& keys = summary.keys;
  const auto state = [&](DeliveryState which) {
    const auto found = summary.states.find(which);
    return std::to_string(found == summary.states.end() ? 0 : found->second);
  };
  return {{"queued", state(DeliveryState::Queued)},
          {"sending", state(DeliveryState::Sending)},
          {"deferred", state(DeliveryState::Deferred)},
          {"held", state(DeliveryState::Held)},
          {"oldest", summary.oldest ? to_age(now - *summary.oldest) : "–"},
          {"pool_ready", keys ? std::to_string(keys->pool.ready) : "–"},
          {"pool_wanted", keys ? std::to_string(keys->pool.wanted) : "–"},
          {"not_picked_up", keys ? std::to_string(keys->pickups.waiting) : "–"},
          {"pickup_age", keys && keys->pickups.oldest ? "the oldest " + to_age(now - *keys->pickups.oldest) : ""},
          {"ending", keys ? std::to_string(keys->certificates.ending) : "–"},
          {"ended", keys ? std::to_string(keys->certificates.ended) : "–"},
          {"accepted", decimal_text(summary.rates.accepted)},
          {"delivered", decimal_text(summary.rates.delivered)},
          {"deferrals", decimal_text(summary.rates.deferred)},
          {"bounced", decimal_text(summary.rates.bounced)},
          {"time", to_second(now) + " UTC"}};
}

}  // namespace

http::Response show_overview(Context& context, const http::Request& /*request*/, const OperatorSession& session) {
  auto summary = context.overview(max_rows_shown);
  if (!summary) return context.site.failure(session, summary.error());
  const Site& site = context.site;
  Draw draw;
  TemplateValues values = tiles(*summary, context.clock.now());
  values["list"] = site.path("/deliveries");
  values["root"] = site.path();
  values["stream"] = site.path("/stream");
  values["destinations"] = destinations(draw, site, *summary, context.clock.now());
  values["errors"] = errors(draw, site, *summary);
  values["accounts"] = accounts(draw, site, *summary);
  values["certificates"] = certificates(draw, *summary);
  return site.show(200, {"Queue", &session, Site::Page::Overview, true}, draw, draw(files::overview_html, values));
}

}  // namespace sealpost::dashboard
