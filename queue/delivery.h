// SPDX-License-Identifier: Apache-2.0
// What the queue knows of a message and of each of its deliveries; plain data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/message_id.h"

namespace sealpost {

enum class DeliveryState : std::uint8_t { Queued, Sending, Deferred, Held, Delivered, Bounced, Dropped };
inline constexpr std::array all_delivery_states = {
    DeliveryState::Queued,    DeliveryState::Sending, DeliveryState::Deferred, DeliveryState::Held,
    DeliveryState::Delivered, DeliveryState::Bounced, DeliveryState::Dropped};
/// Queued, sending, deferred or held: it has not come to its end.
constexpr bool is_waiting(DeliveryState state) { return state <= DeliveryState::Held; }
std::string_view to_text(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view text);

/// What a response begins with that is the one of an attempt for another delivery: the destination rests.
inline constexpr std::string_view left_out = "not tried, since the attempt before ended so: ";
/// What a destination begins with to which no mail goes, but the events of a webhook.
inline constexpr std::string_view webhook_destinations = "webhook:";
/// The domain of their recipients.
inline constexpr std::string_view webhook_domain = "webhook.invalid";

/// Which of the queue's two schedules a destination stands in: mail, or the events of webhooks.
enum class Schedule : std::uint8_t { Mail, Webhooks };

/// DSN parameters of RCPT (RFC 3461); kept with the delivery.
struct DsnRequest {
  bool never = false;
  bool success = false;
  bool failure = true;
  bool delay = true;
  std::string orcpt;   ///< as submitted ("rfc822;…"), empty when absent
  bool given = false;  ///< NOTIFY was said: tells FAILURE,DELAY from the default

  [[nodiscard]] bool is_default() const { return !given && !never && !success && failure && delay; }
};

/// What one message's deliveries share.
struct Envelope {
  MessageId id;
  std::string account;                    ///< empty for the relay's own notices
  std::optional<EmailAddress> mail_from;  ///< nothing for <>
  std::string envid;                      ///< RFC 3461 section 4.4, as submitted
  bool smtputf8 = false;
  Time accepted{};
};

/// One recipient of a message that is put.
struct Addressee {
  EmailAddress address;
  std::string destination;  ///< what fairness counts by: the A-label domain, or the fixed route's name
  std::string fingerprint;  ///< of the certificate it is sealed to; empty for notices and passed-through messages
  std::string key_state;    ///< as to_text(PairState) says it, when the message was taken; or empty
  DsnRequest dsn;
  bool bounced_before = false;  ///< as DeliveryRecord::bounced_before
  std::string hold = {};        ///< why it is held from the beginning; empty: it is not
};

struct HistoryEvent {
  Time time{};
  std::string text;  ///< at most 256 octets, printable
};

/// A delivery as operators and deliverers see it; never content.
struct DeliveryRecord {
  explicit DeliveryRecord(DeliveryId delivery) : id(std::move(delivery)) {}
  DeliveryId id;
  std::string account;
  std::string mail_from;  ///< empty for <>
  std::string recipient;
  std::string domain;  ///< A-labels
  std::string destination;
  DeliveryState state = DeliveryState::Queued;
  std::uint32_t attempts = 0;
  Time created{};
  std::optional<Time> next_attempt;
  std::string last_response;
  std::uint64_t size = 0;  ///< octets of the submitted message's sealed form
  std::string fingerprint;
  std::string key_state;
  bool notice = false;
  bool notification = false;  ///< a notice that leads a recipient to their key
  bool sender_code = false;   ///< a notice with a code that a sender passes on
  bool warned = false;        ///< the delay warning went out
  std::string envid;
  bool smtputf8 = false;
  DsnRequest dsn;
  bool bounced_before = false;  ///< its address had bounced when it was submitted (queue/suppressions.h)
  bool to_be_bounced = false;   ///< an operator gave it up: whoever claims it next reports that to the sender
  std::vector<HistoryEvent> history;

  /// An event of a webhook, and no mail; as long as it waits.
  [[nodiscard]] bool is_webhook_event() const { return destination.starts_with(webhook_destinations); }
};

}  // namespace sealpost
