// SPDX-License-Identifier: Apache-2.0
// Implements queue_order.h.
#include "queue/queue_order.h"

#include <array>
#include <iterator>

#include "base/email_address.h"
#include "base/encoding.h"
#include "conf/values.h"

namespace sealpost {
namespace {

constexpr std::array<std::pair<QueueAction, std::string_view>, 6> names = {{{QueueAction::Retry, "retry"},
                                                                            {QueueAction::Hold, "hold"},
                                                                            {QueueAction::Release, "release"},
                                                                            {QueueAction::Drop, "drop"},
                                                                            {QueueAction::Bounce, "bounce"},
                                                                            {QueueAction::Reroute, "reroute"}}};

}  // namespace

std::string_view to_text(QueueAction action) {
  for (const auto& [known, name] : names) {
    if (known == action) return name;
  }
  return {};
}

std::optional<QueueAction> parse_queue_action(std::string_view text) {
  for (const auto& [known, name] : names) {
    if (name == text) return known;
  }
  return std::nullopt;
}

bool may_be_rerouted(const DeliveryRecord& record) { return !record.notice && !record.is_webhook_event(); }

void ActionResult::add(Result<ActionResult> step) {
  if (!step) {
    broken = std::move(step).error();
    return;
  }
  matched += step->matched;
  changed += step->changed;
  cursor = std::move(step->cursor);
  broken = std::move(step->broken);
  unreached.insert(unreached.end(), std::make_move_iterator(step->unreached.begin()),
                   std::make_move_iterator(step->unreached.end()));
}

Result<std::string> parse_reroute(std::string_view text) {
  auto route = parse_route(text);
  const bool somewhere = route && route->kind != Route::Kind::Maildir;
  const bool named = somewhere && (route->kind == Route::Kind::Mx || is_numeric_address(route->host) ||
                                   route->host == "localhost" || DomainName::parse(route->host));
  if (!named) {
    return Error::invalid("deliveries are rerouted to smtp://host:port, smtps://…, lmtp://…, or mx; not to " +
                          without_controls(text, '?'));
  }
  return to_text(*route);
}

}  // namespace sealpost
