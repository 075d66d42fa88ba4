// SPDX-License-Identifier: Apache-2.0
// The only place that holds plaintext: checks a submission, finds or assigns every recipient's key, seals, and puts the result into the queue.
// SMTP and REST both end here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/email_address.h"
#include "base/log.h"
#include "base/result.h"
#include "base/secret.h"
#include "conf/settings.h"
#include "crypto/key_directory.h"
#include "crypto/sealer.h"
#include "queue/mail_queue.h"
#include "relay/accounts.h"

namespace sealpost {

/// Why a submission was refused, in terms that SMTP and HTTP each translate by a table of their own.
enum class Refusal {
  Malformed,         ///< 550 5.6.0
  SenderNotAllowed,  ///< 550 5.7.1
  BadRecipient,      ///< 553 5.1.3
  TooManyNew,        ///< 452 4.5.3: more recipients without a key than the pool can serve
  RateOfNew,         ///< 452 4.7.1: notify.max_new_per_account
  CannotSeal,        ///< 550 5.6.0 or, by kind, 451
  StoreAway,         ///< 451 4.3.0
  StoreFull,         ///< 452 4.3.1
  Conflict           ///< idempotency key used with another message
};

struct IntakeError {
  Refusal refusal;
  std::string public_text;
  std::string internal_detail;
};

struct SubmissionRecipient {
  EmailAddress address;
  DsnRequest dsn;
};

struct Submission {
  Account account;
  std::optional<EmailAddress> mail_from;  ///< nothing for <>
  std::string envid;
  bool smtputf8 = false;
  std::string protocol;  ///< for the Received field: ESMTPSA, UTF8SMTPSA, HTTPS…
  std::string greeting;  ///< the name the client gave at EHLO; not put into Received, only logged
  std::vector<SubmissionRecipient> recipients;
  WipedBuffer message;
};

struct AcceptedRecipient {
  EmailAddress address;
  DeliveryId delivery;
  bool passed_through = false;
  std::string fingerprint;
  std::string key_state;
  bool assigned = false;
};

struct Accepted {
  MessageId id;
  std::string message_id_field;
  std::vector<AcceptedRecipient> recipients;
};

class Intake final {
 public:
  Intake(KeyDirectory& directory, const Sealer& sealer, MailQueue& queue, const Clock& clock, Log& log,
         RelaySettings relay, Route route, NotifySettings notify, redis::Client& redis);
  ~Intake();

  /// For RCPT: can this address be given a key in a transaction that already has `unassigned` recipients without one?
  /// The value says whether the address has no key yet.
  Result<bool, IntakeError> admit(const Account& account, const EmailAddress& address, std::size_t unassigned);
  /// When this returns a value, the message is sealed for every recipient and durable.
  Result<Accepted, IntakeError> accept(Submission submission);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealpost
