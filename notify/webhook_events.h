// SPDX-License-Identifier: Apache-2.0
// Tells webhooks: makes an event of what happened and puts it into the queue, once, where it is delivered like mail but
// by workers of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "crypto/key_record.h"
#include "notify/minute_tally.h"
#include "notify/webhooks.h"
#include "queue/mail_queue.h"
#include "queue/queue_view.h"

namespace sealpost {

/// An event that nobody took for so long is given up.
inline constexpr std::chrono::hours webhook_max_age{72};

/// The destination of a webhook's events in the queue, which no domain can be.
std::string webhook_destination(const std::string& id);
/// The webhook's id; empty for another destination.
std::string webhook_of_destination(std::string_view destination);

/// How an attempt to deliver mail ended.
struct DeliveryEvent {
  EventType type;
  const DeliveryRecord& delivery;  ///< as it was before the attempt
  std::string response;
  std::optional<Time> next_attempt = {};  ///< of a deferral
};

class WebhookEvents final {
 public:
  /// `full`: Redis is beyond its watermark; events are dropped then, and counted in the log.
  WebhookEvents(Webhooks& webhooks, MailQueue& queue, QueueView& view, Wrapper& wrapper, const Clock& clock, Log& log,
                std::function<bool()> full, std::function<void()> queued);

  /// Durable when it returns; once for each webhook, however often it is called for the same attempt. Notices are
  /// nobody's mail, and tell nobody. Webhooks are looked up anew once a second.
  Status ended(const DeliveryEvent& event);
  /// The recipient took the key for the first time: told to each account whose mail it opens.
  Status picked_up(const std::string& recipient, const KeyRecord& key);

 private:
  using Known = std::shared_ptr<const std::vector<Webhook>>;
  Result<Known> known();
  /// The account's latest messages that the key opens.
  Result<std::vector<std::string>> opened_by(const KeyRecord& key, const EmailAddress& recipient,
                                             const Webhook& webhook);
  Status put(const Webhook& webhook, const std::string& name, const std::string& json);

  Webhooks& webhooks_;
  MailQueue& queue_;
  QueueView& view_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Log& log_;
  std::function<bool()> full_;
  std::function<void()> queued_;
  std::mutex mutex_;
  Known known_;
  std::chrono::steady_clock::time_point looked_{};
  MinuteTally dropped_;
};

}  // namespace sealpost
