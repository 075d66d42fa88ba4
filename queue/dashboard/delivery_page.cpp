// SPDX-License-Identifier: Apache-2.0
// One delivery: its facts, its timeline, and what can be done with it in its state.
#include <algorithm>

#include "base/encoding.h"
#include "dashboard_files.h"
#include "queue/dashboard/action_names.h"
#include "queue/dashboard/routes.h"

namespace sealpost::dashboard {
namespace {

namespace files = dashboard_files;

std::string facts(Draw& draw, const Site& site, const DeliveryRecord& record, Time now) {
  std::string all;
  const auto markup = [&](const char* name, const std::string& value) {
    all += draw(files::fact_html, {{"name", name}, {"value", value}});
  };
  const auto text = [&](const char* name, const std::string& value) {
    markup(name, value.empty() ? "–" : html_escape(value));
  };
  const std::string message = record.id.message().text();
  text("Delivery", record.id.text());
  markup("Message", link_to(site.path("/deliveries?message=" + message), message));
  text("Sender", record.mail_from.empty() ? "<>" : record.mail_from);
  text("Account", record.notice ? "the relay itself" : record.account);
  text("Domain", record.domain);
  if (record.destination != record.domain) text("Next hop", record.destination);
  text("Created", to_second(record.created) + " UTC, " + to_age(now - record.created) + " ago");
  text("Attempts", std::to_string(record.attempts));
  if (record.next_attempt) text("Next attempt", to_second(record.next_attempt) + " UTC");
  text("Last response", record.last_response);
  text("Size", to_size(record.size));
  if (!record.fingerprint.empty()) text("Key", record.fingerprint + " (" + record.key_state + ")");
  return all;
}

std::string events(Draw& draw, const DeliveryRecord& record) {
  std::string all;
  for (const auto& event : record.history) {
    all += draw(files::event_html, {{"machine", to_rfc3339(event.time)},
                                    {"time", to_second(event.time)},
                                    {"since", "+" + to_age(event.time - record.created)},
                                    {"text", event.text}});
  }
  return all;
}

std::string actions(Draw& draw, const Site& site, const DeliveryRecord& record, const OperatorSession& session) {
  std::string buttons;
  for (const auto& name : action_names) {
    if (name.action == QueueAction::Reroute || !fits(name.action, record.state)) continue;
    if (name.action == QueueAction::Bounce && record.mail_from.empty()) continue;
    buttons += draw(files::single_button_html, {{"action", std::string(to_text(name.action))},
                                                {"label", std::string(name.label) + (name.final ? "…" : "")},
                                                {"kind", name.final ? "danger" : "quiet"}}) +
               " ";
  }
  if (buttons.empty()) return {};
  const std::string hidden = draw.hidden("csrf", session.csrf) + draw.hidden("what", "ticked") +
                             draw.hidden("id", record.id.text()) +
                             draw.hidden("seen", std::string(to_text(record.state)));
  const std::string reroute =
      may_be_rerouted(record) ? draw(files::reroute_html, {{"root", site.path()}, {"hidden", hidden}}) : std::string();
  return draw(files::single_html,
              {{"root", site.path()}, {"hidden", hidden}, {"buttons", buttons}, {"reroute", reroute}});
}

std::string why(Draw& draw, const Context& context, const DeliveryRecord& record) {
  if (!context.why || !is_waiting(record.state)) return {};
  // What the page is about is shown, whether the reason is known or not.
  auto told = context.why(record.id);
  return told ? draw_why(draw, *told) : std::string();
}

/// Only of what its history bears out: the word comes with the address of the page.
std::string done_text(const DeliveryRecord& record, const std::string& word) {
  const auto action = parse_queue_action(word);
  const bool true_word = action && std::any_of(record.history.begin(), record.history.end(), [&](const auto& event) {
                           return event.text.starts_with("operator: " + word);
                         });
  return true_word ? std::string(name_of(*action).label) + ": done." : std::string();
}

}  // namespace

std::string draw_why(Draw& draw, const Why& why) {
  std::string remedies;
  for (const auto& remedy : why.remedies) remedies += "<li><code>" + html_escape(remedy) + "</code></li>";
  return draw(files::why_html, {{"text", why.text}, {"remedies", remedies}});
}

http::Response show_delivery(Context& context, const http::Request& request, const OperatorSession& session) {
  const Site& site = context.site;
  const auto unknown = [&] {
    return site.message(404, {"No such delivery", &session},
                        "There is no delivery with this id, or its record was forgotten when its time was over.",
                        site.path("/deliveries"), "To the deliveries");
  };
  auto id = DeliveryId::parse(request.parameters.at("id"));
  if (!id) return unknown();
  auto record = context.view.show(*id);
  if (!record && record.error().kind == ErrorKind::NotFound) return unknown();
  if (!record) return site.failure(session, record.error());
  const auto done = request.query.find("done");
  const std::string said = done == request.query.end() ? std::string() : done_text(*record, done->second);
  Draw draw;
  const std::string content =
      draw(files::delivery_html, {{"notice", said.empty() ? said : draw(files::done_html, {{"text", said}})},
                                  {"state", std::string(to_text(record->state))},
                                  {"recipient", record->recipient},
                                  {"why", why(draw, context, *record)},
                                  {"actions", actions(draw, site, *record, session)},
                                  {"facts", facts(draw, site, *record, context.clock.now())},
                                  {"events", events(draw, *record)}});
  return site.show(200, {"Delivery", &session, Site::Page::Deliveries}, draw, content);
}

}  // namespace sealpost::dashboard
