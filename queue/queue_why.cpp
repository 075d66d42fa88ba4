// SPDX-License-Identifier: Apache-2.0
// Implements queue_why.h.
#include "queue/queue_why.h"

#include <algorithm>
#include <initializer_list>

#include "base/encoding.h"
#include "base/time_text.h"
#include "queue/delivery_filter.h"
#include "queue/queue_order.h"

namespace sealpost {
namespace {

constexpr std::string_view own_expired = "certificate has expired";
constexpr std::string_view own_revoked = "certificate was revoked";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string ordinal(std::uint32_t number) {
  const auto tens = number % 100;
  const auto ones = number % 10;
  const char* ending = tens / 10 == 1 ? "th" : ones == 1 ? "st" : ones == 2 ? "nd" : ones == 3 ? "rd" : "th";
  return std::to_string(number) + ending;
}

std::string many(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// Those of these actions that the delivery takes, as commands: only sealed mail goes another way, and only a sender is
/// told that it was given up.
std::vector<std::string> commands(const DeliveryRecord& record, std::initializer_list<QueueAction> actions) {
  std::vector<std::string> all;
  for (const auto action : actions) {
    if (action == QueueAction::Reroute && !may_be_rerouted(record)) continue;
    if (action == QueueAction::Bounce && record.mail_from.empty()) continue;
    all.push_back("sealpostctl queue " + std::string(to_text(action)) + " " + record.id.text() +
                  (action == QueueAction::Reroute ? " --to ROUTE" : ""));
  }
  return all;
}

std::string resting(const std::string& destination, const Rest& rest, Time now) {
  return " " + destination + " could not be reached (" + rest.why + ") and is left alone until " +
         moment_text(rest.until, now) + "; then one attempt goes ahead of the others.";
}

/// When its last attempt ended: what an operator did later is no attempt.
std::string since_attempt(const DeliveryRecord& record, Time now) {
  for (auto event = record.history.rbegin(); event != record.history.rend(); ++event) {
    if (!event->text.starts_with("operator: ")) return " since " + moment_text(event->time, now);
  }
  return {};
}

/// What keeps one that is due.
std::string due_text(const DeliveryRecord& record, const DestinationSummary& destination, const WhySettings& settings) {
  if (record.is_webhook_event()) return " It is due, and goes out with the next free worker that webhooks have.";
  if (destination.sending >= std::max<std::size_t>(1, std::min(destination.concurrency, settings.concurrency))) {
    return " It waits for a place: " + many(destination.sending, "attempt") + " for " + record.destination +
           " run at this moment, of " + std::to_string(settings.concurrency) +
           " at most (delivery.destination_concurrency); a destination that is new or slow has fewer.";
  }
  return " It is due, and goes out with the next free worker. If it stays so, no sealpostd is delivering: see /readyz "
         "and the relay's log.";
}

/// When the last thing happened that made it what it is.
std::string since(const DeliveryRecord& record, Time now) {
  return record.history.empty() ? std::string() : " since " + moment_text(record.history.back().time, now);
}

void explain_queued(Why& why, const DeliveryRecord& record, const std::optional<Rest>& rest,
                    const DestinationSummary& destination, const WhySettings& settings, Time now) {
  const bool later = record.next_attempt && *record.next_attempt > now;
  why.text += " is queued" + since(record, now) + ", and has had " + many(record.attempts, "attempt") + ".";
  if (record.to_be_bounced) {
    why.text += " An operator gave it up: the next free worker reports that to the sender.";
    return;
  }
  why.remedies = commands(record, {QueueAction::Retry, QueueAction::Hold, QueueAction::Drop});
  if (later) {
    why.until = record.next_attempt;
    why.text += " It is due " + moment_text(*record.next_attempt, now) + ".";
  } else if (rest) {
    why.until = rest->until;
    why.text += resting(record.destination, *rest, now);
  } else {
    why.text += due_text(record, destination, settings);
  }
}

void explain_deferred(Why& why, const DeliveryRecord& record, const std::optional<Rest>& rest,
                      const DestinationSummary& destination, const WhySettings& settings, Time now) {
  const bool event = record.is_webhook_event();
  const Time end = record.created + (event ? settings.webhook_max_age : settings.max_age);
  const std::string reply = failure_text(record);
  why.text +=
      " waits" + since_attempt(record, now) + ", when its " + ordinal(std::max(record.attempts, 1U)) + " attempt ";
  if (std::string_view(record.last_response).starts_with(left_out)) {
    why.text += "was left out, since the destination could not be reached: " + reply + ".";
  } else {
    why.text += "ended with: " + reply + ".";
  }
  if (rest) why.text += resting(record.destination, *rest, now);
  if (record.next_attempt && *record.next_attempt <= now) {
    if (!rest) why.text += due_text(record, destination, settings);
  } else if (record.next_attempt) {
    why.until = record.next_attempt;
    why.text += std::string(event ? " As webhooks are, it" : " By delivery.retry it") + " is tried next at " +
                moment_text(*record.next_attempt, now) + ".";
  }
  why.text += (record.mail_from.empty() ? " It is given up at " : " It bounces at ") + moment_text(end, now) +
              (event ? "" : " (delivery.max_age)") + " if nothing changes.";
  why.remedies = commands(record, {QueueAction::Retry, QueueAction::Reroute,
                                   record.mail_from.empty() ? QueueAction::Drop : QueueAction::Bounce});
}

void explain_held(Why& why, const DeliveryRecord& record, Time now) {
  const std::string& reason = record.last_response;
  const bool by_operator = !record.history.empty() && record.history.back().text == "operator: hold";
  why.text += " is held" + since(record, now) + " until somebody decides";
  why.remedies = commands(record, {QueueAction::Release, QueueAction::Bounce, QueueAction::Drop});
  if (by_operator) {
    why.text += ": an operator set it aside.";
  } else if (contains(reason, own_expired)) {
    why.text += ": " + reason + ", and nobody but the recipient replaces it. It goes by itself once " +
                record.recipient + " has confirmed another certificate; both sides were told.";
    why.remedies.insert(why.remedies.begin(), "sealpostctl key resend " + record.recipient);
  } else if (contains(reason, own_revoked)) {
    why.text += ": " + reason + ". It can be read with the revoked key alone, so it is yours to decide.";
  } else if (contains(reason, "died")) {
    why.text += ": " + reason + ". The relay's log says what ended it; a release tries it again.";
  } else if (contains(reason, "cannot be read") || contains(reason, "altered")) {
    why.text += ": " + reason + ". It can only be dropped.";
    why.remedies = commands(record, {QueueAction::Drop});
  } else {
    why.text += ": " + (reason.empty() ? "no reason is known" : reason) + ".";
  }
}

void explain_finished(Why& why, const DeliveryRecord& record, Time now) {
  why.text += " does not wait: it was " + std::string(to_text(record.state)) + " at " +
              moment_text(record.history.empty() ? record.created : record.history.back().time, now);
  why.text += record.last_response.empty() ? "." : ", with: " + record.last_response + ".";
}

}  // namespace

Why explain_delivery(const DeliveryRecord& record, const std::optional<Rest>& rest,
                     const DestinationSummary& destination, const WhySettings& settings, Time now) {
  Why why{record.id.text(), record.id.text() + " to " + record.recipient, {}, {}};
  switch (record.state) {
    case DeliveryState::Queued:
      explain_queued(why, record, rest, destination, settings, now);
      break;
    case DeliveryState::Sending:
      why.text += " is being sent at this moment" +
                  (record.attempts > 0 ? ", for the " + ordinal(record.attempts + 1) + " time" : std::string()) +
                  "; a server may take ten minutes for its last reply. A process that dies over it loses it to another "
                  "one after a minute.";
      break;
    case DeliveryState::Deferred:
      explain_deferred(why, record, rest, destination, settings, now);
      break;
    case DeliveryState::Held:
      explain_held(why, record, now);
      break;
    default:
      explain_finished(why, record, now);
  }
  return why;
}

Why explain_domain(const DestinationSummary& destination, const std::string& route, const std::optional<Rest>& rest,
                   Time now) {
  Why why{destination.domain, {}, {}, {}};
  if (destination.waiting() == 0) {
    why.text = "Nothing waits for " + destination.domain + ".";
    return why;
  }
  why.text = "For " + destination.domain + " " + std::to_string(destination.waiting()) +
             (destination.waiting() == 1 ? " delivery waits: " : " deliveries wait: ") +
             std::to_string(destination.queued) + " queued, " + std::to_string(destination.sending) + " being sent, " +
             std::to_string(destination.deferred) + " deferred, " + std::to_string(destination.held) + " held.";
  if (destination.oldest) why.text += " The oldest came at " + moment_text(*destination.oldest, now) + ".";
  if (!route.empty()) why.text += " All mail goes through " + route + ".";
  if (rest) {
    why.until = rest->until;
    why.text += resting(route.empty() ? destination.domain : route, *rest, now);
  } else if (!destination.last_error.empty()) {
    why.text += " The last one that failed ended with: " + destination.last_error + ".";
  }
  if (destination.next_attempt && (!rest || *destination.next_attempt > rest->until)) {
    if (!why.until) why.until = destination.next_attempt;
    why.text += " The next attempt is due at " + moment_text(*destination.next_attempt, now) + ".";
  }
  if (destination.queued + destination.deferred > 0) {
    why.remedies.push_back("sealpostctl queue retry --domain " + destination.domain);
    if (destination.domain != webhook_domain) {
      why.remedies.push_back("sealpostctl queue reroute --to ROUTE --domain " + destination.domain);
    }
  }
  if (destination.held > 0)
    why.remedies.push_back("sealpostctl queue list --state held --domain " + destination.domain);
  return why;
}

Result<Why> QueueWhy::delivery(const DeliveryId& id) {
  auto record = view_.show(id);
  if (!record) return record.error();
  auto rest = rests_.find(record->destination);
  if (!rest) return rest.error();
  auto destination = read_destination(redis_, clock_.now(), record->domain);
  if (!destination) return destination.error();
  if (record->destination != record->domain) {  // through a fixed route, which all of its domains share
    auto counts = view_.counts();
    if (!counts) return counts.error();
    destination->sending = counts->states[DeliveryState::Sending];
    destination->concurrency = settings_.concurrency;
  }
  return explain_delivery(*record, *rest, *destination, settings_, clock_.now());
}

Result<Why> QueueWhy::domain(const std::string& domain) {
  const std::string name = ascii_lower(domain);
  auto destination = read_destination(redis_, clock_.now(), name);
  if (!destination) return destination.error();
  const std::string route = name == webhook_domain ? std::string() : settings_.route;
  auto rest = rests_.find(route.empty() ? name : route);
  if (!rest) return rest.error();
  return explain_domain(*destination, route, *rest, clock_.now());
}

}  // namespace sealpost
