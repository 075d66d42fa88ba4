// SPDX-License-Identifier: Apache-2.0
// The queue takes nothing that was not sealed: shown to the compiler, so that a build that would let octets in fails.
#include <string>
#include <type_traits>

#include "queue/mail_queue.h"

namespace sealpost {
namespace {

template <class Message>
concept Queueable = requires(MailQueue queue, const Message& message, const Envelope& envelope,
                             std::span<const Addressee> many, const Addressee& one) {
  queue.put(message, envelope, many);
}
|| requires(MailQueue queue, const Message& message, const Envelope& envelope, const Addressee& one) {
  queue.put(message, envelope, one);
};

static_assert(Queueable<SealedMessage> && Queueable<Notice>);
static_assert(!Queueable<std::string> && !Queueable<std::string_view> && !Queueable<WipedBuffer> && !Queueable<Secret>);
static_assert(!std::is_convertible_v<WipedBuffer, Notice> && !std::is_convertible_v<std::string, Notice>);

using SealedOnlyParts = std::vector<std::string>;
using Heads = std::vector<SealedMessage::Head>;
static_assert(!std::is_default_constructible_v<SealedMessage> && !std::is_copy_constructible_v<SealedMessage>);
static_assert(!std::is_constructible_v<SealedMessage, SealedMessage::Form, WipedBuffer, SealedOnlyParts, Heads>);

}  // namespace
}  // namespace sealpost
