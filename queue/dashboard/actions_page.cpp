// SPDX-License-Identifier: Apache-2.0
// Actions: first the count, then the deed, in steps that fit into one answer and can be gone on with. One delivery's
// own page says which state it showed: what has changed since is told, and left alone.
#include <chrono>
#include <utility>

#include "base/encoding.h"
#include "base/redis/number.h"
#include "dashboard_files.h"
#include "queue/dashboard/action_names.h"
#include "queue/dashboard/filter_form.h"
#include "queue/dashboard/routes.h"

namespace sealpost::dashboard {
namespace {

namespace files = dashboard_files;
using std::chrono::steady_clock;

/// What one answer may take; then it says how far it came.
constexpr std::chrono::seconds patience{8};
constexpr std::size_t act_at_once = 2000;
constexpr std::size_t max_ticked = 1000;
constexpr std::size_t unreached_shown = 10;

/// What a form asks for.
struct FormWish {
  QueueOrder order = QueueAction::Retry;
  std::vector<std::string> ids;  ///< none: the filter
  Parts parts;
  std::optional<DeliveryState> seen;  ///< the state that the delivery's page showed
  bool confirmed = false;
  ActionResult before;  ///< what earlier steps did, and where they ended
  DeliveryChoice choice;
};

std::string value(const Parts& form, const std::string& name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string() : found->second;
}

Result<QueueOrder> read_order(const Parts& form) {
  const auto action = parse_queue_action(value(form, "action"));
  if (!action) return Error::invalid("Choose an action.");
  QueueOrder order(*action);
  if (*action != QueueAction::Reroute) return order;
  auto route = parse_reroute(value(form, "route"));
  if (!route) return route.error();
  order.route = std::move(*route);
  return order;
}

Status read_choice(FormWish& wish, const std::string& what) {
  if (what == "all") {
    wish.ids.clear();
    auto filter = parse_filter(wish.parts);
    if (!filter) return filter.error();
    if (auto fits = check_action_filter(*filter); !fits) return fits;
    wish.choice = std::move(*filter);
    return {};
  }
  if (wish.ids.empty()) return Error::invalid("No delivery was ticked.");
  if (wish.ids.size() > max_ticked) return Error::invalid("More deliveries are ticked than one form can name.");
  std::vector<DeliveryId> ids;
  for (const auto& text : wish.ids) {
    auto id = DeliveryId::parse(text);
    if (!id) return Error::invalid("This is no delivery’s id: " + text);
    ids.push_back(std::move(*id));
  }
  wish.choice = std::move(ids);
  return {};
}

std::size_t number(const Parts& form, const std::string& name) {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, redis::to_number(value(form, name))));
}

Result<FormWish> read_wish(const http::Request& request) {
  const auto posted = http::parse_form(view(request.body));
  Parts form;
  FormWish wish;
  wish.parts = filter_parts_of(posted, &form);
  for (auto [at, end] = posted.equal_range("id"); at != end; ++at) wish.ids.push_back(at->second);
  auto order = read_order(form);
  if (!order) return order.error();
  wish.order = std::move(*order);
  if (auto chosen = read_choice(wish, value(form, "what")); !chosen) return chosen.error();
  wish.seen = parse_delivery_state(value(form, "seen"));
  wish.confirmed = value(form, "confirm") == "yes";
  wish.before = {number(form, "matched"), number(form, "changed"), value(form, "cursor")};
  return wish;
}

std::string back_path(const Site& site, const FormWish& wish) {
  const std::string list = site.path("/deliveries");
  return wish.seen && wish.ids.size() == 1 ? list + "/" + percent_encode(wish.ids.front(), "-")
                                           : list + query_of(wish.parts);
}

/// "Retry: domain example.net".
std::string sentence(const FormWish& wish) {
  const ActionName& name = name_of(wish.order.action);
  std::string text = std::string(name.label) + ", " + name.meaning;
  if (!wish.order.route.empty()) text += " (" + wish.order.route + ")";
  if (wish.ids.size() == 1) return text + ": " + wish.ids.front();
  return text + ": " + (wish.ids.empty() ? described(wish.parts) : counted(wish.ids.size()) + " that were ticked");
}

std::string hidden(Draw& draw, const FormWish& wish) {
  std::string all = draw.hidden("action", std::string(to_text(wish.order.action)));
  if (!wish.order.route.empty()) all += draw.hidden("route", wish.order.route);
  all += draw.hidden("what", wish.ids.empty() ? "all" : "ticked");
  for (const auto& id : wish.ids) all += draw.hidden("id", id);
  if (wish.seen) all += draw.hidden("seen", std::string(to_text(*wish.seen)));
  return all + hidden_filter(draw, wish.parts);
}

/// Calls until the end, or until patience ends; adds up.
template <class Call>
void repeat(ActionResult& total, const Call& call) {
  const auto until = steady_clock::now() + patience;
  do {
    total.add(call(total.cursor));
  } while (total.goes_on() && steady_clock::now() < until);
}

http::Response refuse(const Site& site, const OperatorSession& session, const Error& error) {
  if (error.kind != ErrorKind::Invalid) return site.failure(session, error);
  return site.message(422, {"This cannot be done", &session}, error.public_text + " Nothing was changed.",
                      site.path("/deliveries"), "To the deliveries");
}

/// Why some of those that were named are not reached.
std::string unreached_text(const ActionResult& result) {
  std::string text;
  for (std::size_t i = 0; i < result.unreached.size() && i < unreached_shown; ++i) {
    text.append(i == 0 ? " Not reached: " : "; ").append(result.unreached[i].id.text());
    text.append(" (").append(result.unreached[i].why).append(")");
  }
  if (result.unreached.size() > unreached_shown) text += "; and others";
  return text.empty() ? text : text + ".";
}

http::Response count(Context& context, const FormWish& wish, const OperatorSession& session) {
  ActionResult total;
  repeat(total, [&](const std::string& cursor) { return context.actions.count(wish.order, wish.choice, cursor); });
  if (total.broken) return refuse(context.site, session, *total.broken);
  const ActionName& name = name_of(wish.order.action);
  std::string note = "Nothing was changed yet.";
  if (!total.cursor.empty()) note += " There are too many to be counted at once: at least so many.";
  if (name.final) note += " This cannot be taken back.";
  if (wish.ids.empty()) note += " What comes to match until you confirm is reached, too.";
  note += unreached_text(total);
  Draw draw;
  const std::string button =
      total.changed == 0
          ? std::string()
          : draw(files::confirm_button_html, {{"kind", name.final ? "danger" : ""},
                                              {"label", std::string(name.label) + " " + counted(total.changed)}});
  const std::string content = draw(files::dry_run_html, {{"what", sentence(wish)},
                                                         {"matched", std::to_string(total.matched)},
                                                         {"changed", std::to_string(total.changed)},
                                                         {"note", note},
                                                         {"root", context.site.path()},
                                                         {"csrf", session.csrf},
                                                         {"hidden", hidden(draw, wish)},
                                                         {"button", button},
                                                         {"back", back_path(context.site, wish)}});
  return context.site.show(200, {"Dry run", &session, Site::Page::Deliveries}, draw, content);
}

/// What is left is not forgotten: the form that goes on knows where.
http::Response result(const Site& site, const FormWish& wish, const OperatorSession& session,
                      const ActionResult& total) {
  Draw draw;
  std::string more;
  if (!total.cursor.empty()) {
    more = draw(files::go_on_html, {{"text", "This is not the end: more deliveries match."},
                                    {"root", site.path()},
                                    {"csrf", session.csrf},
                                    {"hidden", hidden(draw, wish) + draw.hidden("cursor", total.cursor) +
                                                   draw.hidden("matched", std::to_string(total.matched)) +
                                                   draw.hidden("changed", std::to_string(total.changed))}});
  }
  const std::string problem =
      !total.broken ? std::string()
                    : draw(files::problem_html,
                           {{"text", "It stopped: " + total.broken->public_text +
                                         ". What is counted below is done, and some of the step that failed may be."}});
  const std::string content = draw(files::result_html, {{"problem", problem},
                                                        {"what", sentence(wish)},
                                                        {"matched", std::to_string(total.matched)},
                                                        {"changed", std::to_string(total.changed)},
                                                        {"more", more},
                                                        {"back", back_path(site, wish)}});
  const int status = !total.broken ? 200 : total.broken->kind == ErrorKind::Temporary ? 503 : 500;
  auto response =
      site.show(status, {total.broken ? "Not all was done" : "Done", &session, Site::Page::Deliveries}, draw, content);
  response.fault = total.broken;
  return response;
}

http::Response has_changed(const Site& site, const FormWish& wish, const OperatorSession& session, DeliveryState now) {
  return site.message(409, {"It has just changed", &session},
                      "This delivery is " + std::string(to_text(now)) + " now, and was " +
                          std::string(to_text(*wish.seen)) +
                          " when you looked. Nothing was changed; look again before you act.",
                      back_path(site, wish), "Look again");
}

/// The delivery that was looked at; nothing when it still is as it was shown.
std::optional<http::Response> overtaken(Context& context, const FormWish& wish, const OperatorSession& session) {
  if (!wish.seen || wish.ids.size() != 1) return std::nullopt;
  auto record = context.view.show(std::get<std::vector<DeliveryId>>(wish.choice).front());
  if (!record && record.error().kind == ErrorKind::NotFound) {
    return context.site.message(404, {"No such delivery", &session}, "There is no delivery with this id any more.",
                                context.site.path("/deliveries"), "To the deliveries");
  }
  if (!record) return context.site.failure(session, record.error());
  if (record->state != *wish.seen) return has_changed(context.site, wish, session, record->state);
  return std::nullopt;
}

http::Response carry_out(Context& context, const FormWish& wish, const OperatorSession& session) {
  ActionResult total = wish.before;
  repeat(total, [&](const std::string& cursor) {
    return context.actions.act(wish.order, wish.choice, "account " + session.account, act_at_once, cursor);
  });
  if (total.broken && total.broken->kind == ErrorKind::Invalid) return refuse(context.site, session, *total.broken);
  if (total.broken || !wish.seen) return result(context.site, wish, session, total);
  if (total.changed == 1) {
    const std::string said = "?done=" + std::string(to_text(wish.order.action));
    return http::Response::see_other(back_path(context.site, wish) + said);
  }
  // Between the look and the deed: a worker, or another operator, was quicker.
  if (auto changed = overtaken(context, wish, session)) return std::move(*changed);
  return context.site.message(409, {"This cannot be done", &session}, "Nothing was changed." + unreached_text(total),
                              back_path(context.site, wish), "To the delivery");
}

}  // namespace

http::Response act(Context& context, const http::Request& request, const OperatorSession& session) {
  auto wish = read_wish(request);
  if (!wish) return refuse(context.site, session, wish.error());
  if (auto changed = overtaken(context, *wish, session)) return std::move(*changed);
  // What can be taken back needs no second thought for one delivery that is before one's eyes.
  const bool at_once = wish->seen && !name_of(wish->order.action).final;
  return wish->confirmed || at_once ? carry_out(context, *wish, session) : count(context, *wish, session);
}

}  // namespace sealpost::dashboard
