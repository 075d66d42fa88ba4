// SPDX-License-Identifier: Apache-2.0
// The seam between the protocols that take submissions (SMTP, REST) and the intake behind them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/email_address.h"
#include "base/message_id.h"
#include "base/result.h"
#include "base/secret.h"
#include "queue/delivery.h"
#include "relay/accounts.h"

namespace sealpost {

/// Why a submission was refused, in terms that SMTP and HTTP each translate by a table of their own.
enum class Refusal {
  Malformed,         ///< SMTP 550 5.6.0
  Loop,              ///< SMTP 550 5.4.6: it went through too many servers
  SenderNotAllowed,  ///< 550 5.7.1
  BadRecipient,      ///< 553 5.1.3
  Suppressed,        ///< 550 5.1.1: the address bounced again and again
  TooManyNew,        ///< 452 4.5.3: more recipients without a key than the pool can serve
  RateOfNew,         ///< 452 4.7.1: notify.max_new_per_account
  CannotSeal,        ///< 550 5.6.0
  CannotSealNow,     ///< 451 4.3.0
  StoreAway,         ///< 451 4.3.0
  StoreFull,         ///< 452 4.3.1
  Conflict           ///< idempotency key used with another message
};

struct IntakeError {
  Refusal refusal;
  std::string public_text;
  std::string internal_detail;
};

/// What admit() found out about a recipient.
struct Admission {
  bool unassigned = false;      ///< the address has no key yet, and its key is not made at once
  bool bounced_before = false;  ///< it bounced, but not often enough to be refused
};

struct SubmissionRecipient {
  EmailAddress address;
  DsnRequest dsn;
  std::optional<bool> bounced_before;  ///< as admit() said; nothing: accept() looks
};

/// One word of printable ASCII, at most 255 characters.
bool is_idempotency_key(std::string_view text);

struct Submission {
  Account account;
  std::optional<EmailAddress> mail_from;  ///< nothing for <>
  std::string envid;                      ///< RFC 3461 section 4.4, as submitted
  bool smtputf8 = false;
  std::string protocol;  ///< of the Received field (RFC 3848): ESMTPSA, UTF8SMTPSA
  std::vector<SubmissionRecipient> recipients;
  std::string idempotency_key = {};  ///< empty: what the message's Idempotency-Key field says, if there is one
  WipedBuffer message;               ///< header block, empty line, body; CRLF is the only line end in it
};

struct AcceptedRecipient {
  EmailAddress address;
  DeliveryId delivery;
  bool passed_through = false;
  bool held = false;  ///< for a certificate of the recipient's own that has ended
  std::string fingerprint;
  std::string key_state;
  bool assigned = false;
  std::optional<Secret> code = {};  ///< of an assigned key, for the sender to pass on (notify.code_to)
};

struct Accepted {
  MessageId id;
  std::string message_id_field;
  std::vector<AcceptedRecipient> recipients;
  /// Of a repeated submission: what was answered to the first one (to_json). The members above, but the id, are empty.
  std::optional<std::string> first_answer = {};
};

/// {id, message_id, recipients[{address, delivery, status, key}]}, with the codes that there are: what POST
/// /v1/messages answers.
std::string to_json(const Accepted& accepted);

class MessageSink {
 public:
  virtual ~MessageSink() = default;
  /// For RCPT: does mail to this address arrive as a rule, and can it be given a key, in a transaction that already has
  /// `unassigned` recipients without one?
  virtual Result<Admission, IntakeError> admit(const Account& account, const EmailAddress& address,
                                               std::size_t unassigned) = 0;
  /// What was answered to this submission before, when it comes with an idempotency key that is known. accept() looks,
  /// too: this is for who admits recipients only now, since a repetition wants no admission.
  virtual Result<std::optional<Accepted>, IntakeError> answered_before(const Submission& submission) = 0;
  /// When this returns a value, the message is sealed for every recipient and durable.
  virtual Result<Accepted, IntakeError> accept(Submission submission) = 0;
};

}  // namespace sealpost
