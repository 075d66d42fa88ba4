// SPDX-License-Identifier: Apache-2.0
// All that webhooks' receivers deal with, put together: events, their schedule in the queue, and who delivers them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/log.h"
#include "conf/settings.h"
#include "notify/webhook_events.h"
#include "queue/mail_queue.h"
#include "queue/permits.h"
#include "relay/delivery/deliverer.h"
#include "relay/delivery/pollable_flag.h"
#include "relay/delivery/webhook_hop.h"
#include "relay/services.h"

namespace sealpost {

/// Has workers of its own: however slow or dead the receivers are, no mail waits for them.
class WebhookSide final {
 public:
  static constexpr std::size_t workers = 16;

  /// `holder` as Permits has it. `full`: Redis is beyond its watermark.
  WebhookSide(Services& services, const Settings& settings, const NoticeSender& sender, const std::string& holder,
              std::function<bool()> full, Log& log);

  [[nodiscard]] WebhookEvents& events() { return events_; }
  void start() { deliverer_.start(); }
  /// As Deliverer::stop.
  void stop(Deadline abandon_at) { deliverer_.stop(abandon_at); }

 private:
  PollableFlag abandon_;  ///< not the mail's: each deliverer raises its own when its time is over
  MailQueue queue_;       ///< a life of its own in the same queue
  Permits permits_;
  WebhookHop hop_;
  Deliverer deliverer_;
  WebhookEvents events_;
};

}  // namespace sealpost
