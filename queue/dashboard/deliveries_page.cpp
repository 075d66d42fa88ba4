// SPDX-License-Identifier: Apache-2.0
// The search: its form, what was found, page by page, and the form for bulk actions.
#include <utility>

#include "base/encoding.h"
#include "dashboard_files.h"
#include "queue/dashboard/action_names.h"
#include "queue/dashboard/filter_form.h"
#include "queue/dashboard/routes.h"

namespace sealpost::dashboard {
namespace {

namespace files = dashboard_files;

constexpr std::size_t page_rows = 50;

/// What was asked for, as far as it could be read.
struct Search {
  Parts parts;
  std::string cursor;
  std::string wrong;  ///< the part that the problem is about
  std::string problem;
};

Search read_search(const http::Request& request) {
  Parts rest;
  Search search{filter_parts_of(request.query, &rest), {}, {}, {}};
  const auto cursor = rest.extract("cursor");
  if (!cursor.empty()) search.cursor = cursor.mapped();
  if (!rest.empty()) search.problem = "There is no filter with the name " + rest.begin()->first + ".";
  return search;
}

std::string rows(Draw& draw, const Site& site, const DeliveryPage& page, Time now) {
  std::string all;
  for (const auto& record : page.deliveries) {
    all += draw(files::delivery_row_html, {{"id", record.id.text()},
                                           {"target", site.path("/deliveries/" + record.id.text())},
                                           {"recipient", record.recipient},
                                           {"state", std::string(to_text(record.state))},
                                           {"created", to_short(record.created, now)},
                                           {"attempts", std::to_string(record.attempts)},
                                           {"next", to_short(record.next_attempt, now)},
                                           {"sender", record.mail_from.empty() ? "<>" : record.mail_from},
                                           {"account", record.account.empty() ? "–" : record.account},
                                           {"size", to_size(record.size)},
                                           {"response", record.last_response}});
  }
  return all;
}

std::string button_to(const std::string& target, const std::string& text) {
  return "<a class=\"button quiet\" href=\"" + html_escape(target) + "\">" + html_escape(text) + "</a> ";
}

std::string page_links(Draw& draw, const Site& site, const Search& search, const DeliveryPage& page) {
  const std::string list = site.path("/deliveries");
  std::string links;
  if (!search.cursor.empty()) links += button_to(list + query_of(search.parts), "First page");
  if (!page.cursor.empty()) {
    Parts next = search.parts;
    next["cursor"] = page.cursor;
    links += button_to(list + query_of(next), "Next page");
  }
  return links.empty() ? links : draw(files::pages_html, {{"links", links}});
}

std::string bulk_form(Draw& draw, const Site& site, const Search& search, const OperatorSession& session) {
  std::string options;
  for (const auto& action : action_names) {
    options += draw(files::option_html, {{"value", std::string(to_text(action.action))},
                                         {"label", std::string(action.label) + " – " + action.meaning},
                                         {"selected", ""}});
  }
  return draw(files::bulk_html, {{"root", site.path()},
                                 {"csrf", session.csrf},
                                 {"hidden", hidden_filter(draw, search.parts)},
                                 {"described", described(search.parts)},
                                 {"options", options}});
}

std::string found(Draw& draw, const Site& site, const Search& search, const OperatorSession& session,
                  const DeliveryPage& page, Time now) {
  const std::string pages = page_links(draw, site, search, page);
  if (page.deliveries.empty()) {
    const char* text = page.cursor.empty() ? "No delivery matches."
                                           : "None matches among those looked at so far; the next page looks on.";
    return draw(files::nothing_html, {{"text", text}}) + pages;
  }
  Parts turned = search.parts;
  const bool newest = turned.contains("order") && turned["order"] == "newest";
  turned["order"] = newest ? "oldest" : "newest";
  return draw(files::found_html, {{"rows", rows(draw, site, page, now)},
                                  {"pages", pages},
                                  {"sorted", newest ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\""},
                                  {"other_order", site.path("/deliveries") + query_of(turned)},
                                  {"actions", bulk_form(draw, site, search, session)}});
}

http::Response show(const Site& site, int status, Draw& draw, const Search& search, const OperatorSession& session,
                    const std::string& results) {
  const std::string box =
      search.problem.empty() ? std::string() : draw(files::problem_html, {{"text", search.problem}});
  const std::string content = draw(files::deliveries_html, {{"problem", box},
                                                            {"list", site.path("/deliveries")},
                                                            {"fields", filter_fields(draw, search.parts, search.wrong)},
                                                            {"found", results}});
  return site.show(status, {"Deliveries", &session, Site::Page::Deliveries}, draw, content);
}

}  // namespace

http::Response list_deliveries(Context& context, const http::Request& request, const OperatorSession& session) {
  Search search = read_search(request);
  Draw draw;
  const auto refuse = [&] { return show(context.site, 422, draw, search, session, {}); };
  if (!search.problem.empty()) return refuse();
  auto filter = parse_filter(search.parts);
  if (!filter) {
    search.problem = filter.error().public_text;
    search.wrong = search.problem.substr(0, search.problem.find_first_of(": "));
    return refuse();
  }
  auto page = context.view.list(*filter, page_rows, search.cursor);
  if (!page && page.error().kind == ErrorKind::Invalid) {
    search.problem = "The place to go on from is none of this search: " + page.error().public_text + ". Search anew.";
    return refuse();
  }
  if (!page) return context.site.failure(session, page.error());
  std::string results;
  if (filter->domain && search.cursor.empty() && context.why_domain) {
    auto told = context.why_domain(*filter->domain);
    if (told && !told->remedies.empty()) results = draw_why(draw, *told);
  }
  results += found(draw, context.site, search, session, *page, context.clock.now());
  return show(context.site, 200, draw, search, session, results);
}

}  // namespace sealpost::dashboard
