// SPDX-License-Identifier: Apache-2.0
// All that a recipient deals with, put together: notifications, pickup, what they decide about their keys, and the
// routes to it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/guess_throttle.h"
#include "base/http/router.h"
#include "crypto/key_directory.h"
#include "crypto/key_life.h"
#include "crypto/store_rewrite.h"
#include "notify/certificate_holds.h"
#include "notify/key_choices.h"
#include "notify/notice_queue.h"
#include "notify/notifier.h"
#include "notify/owed_receipts.h"
#include "notify/pending_certificate.h"
#include "notify/pickup.h"
#include "notify/pickup_routes.h"
#include "notify/pickup_store.h"
#include "queue/mail_queue.h"
#include "queue/queue_view.h"

namespace sealpost {

class RecipientSide final {
 public:
  /// What it stands on.
  struct Parts {
    redis::Client& redis;
    Wrapper& wrapper;
    KeyDirectory& directory;
    KeyLife& life;
    MailQueue& queue;
    QueueView& view;
    const Clock& clock;
    Random& random;
    Log& log;
  };
  struct Hooks {
    std::function<void()> queued;  ///< mail of ours became due
    /// A pair is picked up for the first time, and the recipient was told: the last word before the key is handed out.
    std::function<Status(const std::string& recipient, const KeyRecord& key)> picked_up;
  };

  RecipientSide(Parts parts, const NotifierOptions& options, OwnCertificatePolicy policy, Hooks hooks);

  [[nodiscard]] Notifier& notifier() { return notifier_; }
  [[nodiscard]] PickupStore& links() { return links_; }
  /// Tells sender and recipient of a delivery that is held for a certificate that has ended; the recipient once a day.
  void waits(const HeldMail& mail);
  /// Rows of /pickup/… and /v1/pickup/….
  [[nodiscard]] std::vector<http::Route> routes() { return recipient_routes(routes_); }

 private:
  Status tell(const KeyNews& news);
  /// Mail that waited for a certificate of the recipient's own, sealed to the one that ended, can be read and may go.
  void release_held(const KeyRecord& current, const std::string& before);
  /// Waiting notifications of an address that was sent this pair's private key do not leave.
  Status withdraw(const KeyRecord& key);
  KeyChoices::Hooks choice_hooks();

  Parts parts_;
  NoticeSender sender_;
  std::string public_url_;
  Hooks hooks_;
  NoticeQueue notices_;
  PickupStore links_;
  PendingCertificates pending_;
  OwedReceipts owed_;
  GuessThrottle throttle_;
  StoreRewrite rewrite_;
  Notifier notifier_;
  Pickup pickup_;
  KeyChoices choices_;
  PickupRoutesContext routes_;
};

}  // namespace sealpost
