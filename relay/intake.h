// SPDX-License-Identifier: Apache-2.0
// The only place that holds plaintext: checks a submission, finds or assigns every recipient's key, seals, and puts the
// result into the queue. SMTP and REST both end here.
#pragma once

#include <functional>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/key_directory.h"
#include "crypto/sealer.h"
#include "notify/certificate_holds.h"
#include "queue/mail_queue.h"
#include "queue/suppressions.h"
#include "relay/message_sink.h"
#include "relay/new_address_rate.h"

namespace sealpost {

struct IntakeOptions {
  std::string hostname;     ///< relay.hostname
  std::string destination;  ///< the fixed route's name; empty under MX routing: each recipient's domain
  ContentCipher cipher = ContentCipher::Aes256Cbc;  ///< crypto.content_cipher
  RecipientDomains domains = {};
  CodeTo code_to = CodeTo::Recipient;  ///< notify.code_to
  metrics::Timing seal = {};           ///< of a message for all its recipients
};

/// What happens beside the way of a message; each may be called from many threads at once.
struct IntakeHooks {
  /// A message went to a pair that exists: orders a new notification when the recipient needs one (Notifier::remind).
  std::function<Status(const KeyRecord&, const EmailAddress&, const Introduction&)> remind;
  /// Deliveries became due.
  std::function<void()> queued;
  /// Notifications became due.
  std::function<void()> assigned;
  /// A delivery is held for a certificate that has ended (RecipientSide::waits).
  std::function<void(const HeldMail&)> waits;
};

class Intake final : public MessageSink {
 public:
  Intake(KeyDirectory& directory, const Sealer& sealer, MailQueue& queue, NewAddressRate& rate,
         Suppressions& suppressions, Wrapper& wrapper, const Clock& clock, Log& log, IntakeOptions options,
         IntakeHooks hooks);

  Result<Admission, IntakeError> admit(const Account& account, const EmailAddress& address,
                                       std::size_t unassigned) override;
  Result<std::optional<Accepted>, IntakeError> answered_before(const Submission& submission) override;
  Result<Accepted, IntakeError> accept(Submission submission) override;

 private:
  struct Keys;
  /// Nothing when the submission has no idempotency key.
  Result<std::optional<Once>, IntakeError> once_of(const Submission& submission, const SubmittedMessage& message);
  /// What was answered under this key, when it is known.
  Result<std::optional<Accepted>, IntakeError> find(const Once& once);
  Result<Accepted, IntakeError> replay(const Once& once, const PutResult& first);
  Result<std::string, IntakeError> keep(const Once& once, const Accepted& accepted);
  /// Whether each address bounced before; an error for the first to which mail is refused now.
  Result<std::vector<bool>, IntakeError> bounced_before(const std::vector<EmailAddress>& addresses);
  Result<void, IntakeError> look_at_bounces(Submission& submission);
  Result<Keys, IntakeError> keys_for(const Submission& submission, const Introduction& introduction);
  Result<SealedMessage, IntakeError> seal(const Submission& submission, const SubmittedMessage& message,
                                          const Keys* keys, const Sealer::Additions& additions) const;
  /// Puts, and lets happen what follows from it.
  Result<Accepted, IntakeError> put(const SealedMessage& sealed, const Envelope& envelope, const Submission& submission,
                                    const Keys* keys, const std::optional<Once>& once, Accepted accepted);
  [[nodiscard]] std::vector<Addressee> addressees(const Submission& submission, const Keys* keys) const;
  static Accepted describe(const Submission& submission, const Keys* keys, const MessageId& id, std::string message_id);
  /// Behind what is kept for repetitions: the codes that the sender is to pass on are told once.
  void tell_codes(Accepted& accepted, const Keys& keys) const;
  /// The submission is refused: the pairs stay, but nobody is told of those that it was given.
  void take_back(const Submission& submission, const Keys& keys);
  void follow_up(const Submission& submission, const Keys& keys);
  void tell_of_held(const SealedMessage& sealed, const Envelope& envelope, const Submission& submission,
                    const Keys& keys);

  KeyDirectory& directory_;
  const Sealer& sealer_;
  MailQueue& queue_;
  NewAddressRate& rate_;
  Suppressions& suppressions_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Log& log_;
  IntakeOptions options_;
  IntakeHooks hooks_;
};

}  // namespace sealpost
