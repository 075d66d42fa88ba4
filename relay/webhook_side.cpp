// SPDX-License-Identifier: Apache-2.0
// Implements webhook_side.h.
#include "relay/webhook_side.h"

#include <utility>

namespace sealpost {
namespace {

/// At once, of one webhook: a slow receiver leaves workers to the others.
constexpr std::size_t calls_of_a_webhook = WebhookSide::workers / 4;

DelivererOptions options_of(const Settings& settings, const NoticeSender& sender) {
  using namespace std::chrono_literals;
  return {WebhookSide::workers,
          calls_of_a_webhook,
          {5s, 30s, 2min, 10min, 1h, 4h, 12h},
          webhook_max_age,
          webhook_max_age + 1h,  // nobody is warned
          settings.queue.history,
          sender,
          {}};
}

}  // namespace

WebhookSide::WebhookSide(Services& services, const Settings& settings, const NoticeSender& sender,
                         const std::string& holder, std::function<bool()> full, Log& log)
    : queue_(services.redis(), services.wrapper(), services.clock(), services.random(), log, std::chrono::seconds(60),
             Schedule::Webhooks),
      permits_(services.redis(), holder, calls_of_a_webhook),
      hop_(services.webhooks(), services.clock(), abandon_),
      deliverer_(queue_, permits_, services.suppressions(), hop_, abandon_, services.wrapper(), services.clock(),
                 services.random(), log, options_of(settings, sender),
                 {[](const std::string&, bool) {}, [](const DeliveryEvent&) { return Status(); }}),
      events_(services.webhooks(), queue_, services.queue_view(), services.wrapper(), services.clock(), log,
              std::move(full), [this] { deliverer_.kick(); }) {}

}  // namespace sealpost
