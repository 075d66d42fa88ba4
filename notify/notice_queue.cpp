// SPDX-License-Identifier: Apache-2.0
// Implements notice_queue.h.
#include "notify/notice_queue.h"

namespace sealpost {
namespace {

/// How long a put of the same notice is recognised as the same.
constexpr std::chrono::hours notice_once_lifetime{24 * 7};

}  // namespace

Result<bool> NoticeQueue::put(const Notice& notice, const EmailAddress& recipient, const std::string& once_name) {
  const Once once{wrapper_.mac(Purpose::IdempotencyKey, once_name), wrapper_.mac(Purpose::IdempotencyBody, once_name),
                  notice_once_lifetime};
  const Envelope envelope{queue_.new_id(once), {}, std::nullopt, {}, recipient.needs_smtputf8(), clock_.now()};
  DsnRequest never;
  never.never = true;
  const std::string& destination = destination_.empty() ? recipient.domain().a_label() : destination_;
  auto result = queue_.put(notice, envelope, {recipient, destination, {}, {}, never}, once);
  if (!result) return result.error();
  queued_();
  return result->outcome == PutOutcome::Stored;
}

}  // namespace sealpost
