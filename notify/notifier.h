// SPDX-License-Identifier: Apache-2.0
// Sends what recipients are owed: takes due rows of the directory's outbox, makes link and code, and puts the
// notification into the mail queue exactly once, whatever crashes in between.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/key_directory.h"
#include "notify/minute_tally.h"
#include "notify/notice_queue.h"
#include "notify/notification.h"
#include "notify/pickup_store.h"
#include "notify/receipt.h"
#include "notify/resend_queue.h"
#include "notify/templates.h"
#include "queue/mail_queue.h"

namespace sealpost {

struct NotifierOptions {
  NotifySettings settings;
  NoticeSender sender;
  ContentCipher cipher;     ///< crypto.content_cipher
  std::string public_url;   ///< http.public_url
  std::string destination;  ///< as IntakeOptions::destination
  SignDetached sign;        ///< as the sender
  const Templates& templates;
  RecipientDomains domains;  ///< their language, mode and cipher over the general ones
};

class Notifier final {
 public:
  Notifier(
      KeyDirectory& directory, PickupStore& store, MailQueue& queue, Wrapper& wrapper, const Clock& clock,
      Random& random, Log& log, NotifierOptions options, std::function<void()> queued,
      std::function<Status()> upkeep = [] { return Status(); });
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void start();
  /// Waits for the row in hand.
  void stop();
  /// Rows became due.
  void kick();

  /// Serves all rows that are due now; the number of notifications that were put.
  Result<std::size_t> serve_outbox();
  /// Orders a new notification for a pair that nobody picked up, when the latest one's code is over or locked, or did
  /// not arrive.
  Status remind(const KeyRecord& key, const EmailAddress& address, const Introduction& introduction);
  /// Somebody asks for a new code. Returns at once, and the same whether the address is known or not.
  void resend(const EmailAddress& address, const std::string& client_network);
  struct SentCode {
    std::string recipient;             ///< the spelling that the mail goes to
    std::vector<std::string> senders;  ///< with notify.code_to=sender: who gets the code
    std::optional<Secret> code;        ///< to be passed on by the caller, when no sender is known
  };
  /// The same at once and whatever was sent before, for the operator. Nothing when the address has no pair.
  Result<std::optional<SentCode>> send_new_code(const EmailAddress& address);
  /// Tells an address what becomes of its key; durable when it returns, and once for each `once` however often it is
  /// called.
  Status tell(const KeyNews& news);
  /// The mail, sealed to a certificate, with the code that makes it the current one; durable when it returns.
  Status send_code(const CodeForCertificate& code);
  /// Signs the receipt of a destroyed key; its mail is durable when it returns, and once as that of `tell`.
  Result<Receipt> send_receipt(const DestroyedKey& destroyed);
  /// The deliverer handed a notification over, or gave it up.
  void sent(const std::string& recipient, bool arrived);

 private:
  struct Issue;
  void run();
  /// A few, so that a flood of them does not hold up the outbox.
  void serve_resends();
  Status serve(const OutboxRow& row);
  Status serve_resend(const EmailAddress& address);
  Result<Issue> new_code_for(const EmailAddress& address, const std::vector<KeyRecord>& pairs);
  [[nodiscard]] bool code_is_for_sender() const { return options_.settings.code_to == CodeTo::Sender; }
  /// The code, which went to whom notify.code_to says.
  Result<Secret> issue(const Issue& order);
  Result<PickupLink> link_for(const Issue& order);
  /// The PKCS#12 where it is wanted (notify.mode); its password goes with the link.
  Result<std::optional<WipedBuffer>> attachment_for(const Issue& order, const Secret& token, PickupLink& link);
  /// Whom the link remembers for its codes: those of the pair's link before, and the one at hand.
  Result<std::vector<std::string>> senders_for(const Issue& order);
  Status tell_senders(const Issue& order, const PickupLink& link, const Secret& code);
  Status tell_sender(const Issue& order, const std::string& sender, const Secret& code, Time expires);
  [[nodiscard]] Wording wording_for(const EmailAddress& recipient) const;
  Status mark_sent(const std::string& address);
  Result<bool> wants_reminder(const KeyRecord& key);
  /// A link that was altered in Redis counts as none: the next notification takes its place.
  Result<std::optional<PickupLink>> latest_link(const std::string& address);

  KeyDirectory& directory_;
  PickupStore& store_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  NotifierOptions options_;
  NoticeQueue notices_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool kicked_ = false;
  bool stopping_ = false;
  ResendQueue resends_;
  MinuteTally dropped_resends_;
  MinuteTally failed_resends_;
  std::function<Status()> upkeep_;
  std::thread thread_;
};

}  // namespace sealpost
