// SPDX-License-Identifier: Apache-2.0
// Implements recipient_side.h.
#include "notify/recipient_side.h"

#include <algorithm>
#include <utility>

#include "notify/bounce.h"
#include "notify/waiting_notices.h"

namespace sealpost {

RecipientSide::RecipientSide(Parts parts, const NotifierOptions& options, OwnCertificatePolicy policy, Hooks hooks)
    : parts_(parts),
      sender_(options.sender),
      public_url_(options.public_url),
      hooks_(std::move(hooks)),
      notices_(parts.queue, parts.wrapper, parts.clock, options.destination, hooks_.queued),
      links_(parts.redis, parts.wrapper),
      pending_(parts.redis, parts.wrapper),
      owed_(parts.redis, parts.wrapper),
      throttle_(parts.clock),
      rewrite_(parts.redis, parts.clock, parts.log),
      notifier_(parts.directory, links_, parts.queue, parts.wrapper, parts.clock, parts.random, parts.log, options,
                hooks_.queued, [this] { return rewrite_.serve(); }),
      pickup_(links_, parts.directory, parts.life, throttle_, parts.clock, parts.random, parts.log,
              [this](const KeyNews& news) { return tell(news); }),
      choices_(pickup_, parts.life, pending_, std::move(policy), owed_, throttle_, parts.clock, parts.random, parts.log,
               choice_hooks()),
      routes_{pickup_,
              choices_,
              notifier_,
              parts.wrapper,
              PageSite(options.templates, options.sender.hostname, options.public_url, options.settings.code_to),
              options.public_url,
              options.settings.language} {}

std::vector<http::Route> recipient_routes(PickupRoutesContext& context) {
  std::vector<http::Route> all;
  for (auto& some : {pickup_page_routes(context), key_page_routes(context), pickup_api_routes(context)}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Status RecipientSide::tell(const KeyNews& news) {
  if (auto told = notifier_.tell(news); !told) return told;
  return news.event == KeyEvent::PickedUp ? hooks_.picked_up(news.recipient, news.key) : Status();
}

void RecipientSide::release_held(const KeyRecord& current, const std::string& before) {
  const auto note = [&](const Error& why) {
    parts_.log.failure("key_choice.mail_still_held", why, {{"address", current.address}});
  };
  auto keys = parts_.directory.history(current.address);
  if (!keys) return note(keys.error());
  // What was sealed to a certificate that was revoked since is the operator's to release, whatever it was held for.
  const bool revoked = std::any_of(keys->begin(), keys->end(), [&](const KeyRecord& key) {
    return key.fingerprint == before && key.state == PairState::Revoked;
  });
  if (revoked) return;
  auto released = release_for_certificate(parts_.view, current.address, before);
  if (!released) return note(released.error());
  if (*released == 0) return;
  parts_.log.info("key_choice.mail_released", {{"address", current.address}, {"deliveries", *released}});
  hooks_.queued();
}

/// The message is durable and visibly held, whatever fails here.
void RecipientSide::waits(const HeldMail& mail) {
  const auto note = [&](const Status& told) {
    if (!told) parts_.log.failure("held.not_told", told.error(), {{"delivery", mail.delivery.id.text()}});
  };
  // The certificate may have been replaced, and what it held released, while this message was on its way into the
  // queue.
  if (auto recipient = EmailAddress::parse(mail.delivery.recipient)) {
    auto current = parts_.directory.find(*recipient);
    if (!current) note(current.error());
    if (current && *current && (*current)->fingerprint != mail.key.fingerprint) {
      return release_held(**current, mail.key.fingerprint);
    }
  }
  const std::string day = to_utc_day(parts_.clock.now());
  note(notifier_.tell({KeyEvent::CertificateEnded, mail.delivery.recipient, mail.key,
                       "ended:" + mail.key.fingerprint + ":" + day, public_url_ + "/pickup/resend"}));
  if (!wants_warning(mail.delivery)) return;
  auto sender = EmailAddress::parse(mail.delivery.mail_from);
  if (!sender) return note(sender.error());
  const ReportFacts facts{.delivery = mail.delivery,
                          .action = ReportAction::Delayed,
                          .enhanced = "4.7.5",
                          .response = mail.reason + "; it waits until the recipient has set another",
                          .remote_host = {},
                          .header_block = mail.header_block};
  auto put = notices_.put(compose_report(sender_, facts, parts_.clock, parts_.random), *sender,
                          "held:" + mail.delivery.id.text());
  note(put ? Status() : Status(put.error()));
}

/// Which pair one of them brings cannot be told, so all of them go: the next message to an address whose latest
/// notification failed brings another.
Status RecipientSide::withdraw(const KeyRecord& key) {
  auto attached = links_.has_attached(key.address, key.fingerprint);
  if (!attached) return attached.error();
  if (!*attached) return {};
  auto dropped = drop_waiting_notifications(parts_.view, key.address);
  if (!dropped) return dropped.error();
  if (*dropped == 0) return {};
  parts_.log.info("key_choice.notifications_dropped", {{"address", key.address}, {"deliveries", *dropped}});
  return links_.mark_failed(key.address);
}

KeyChoices::Hooks RecipientSide::choice_hooks() {
  return {[this](const KeyNews& news) { return tell(news); },
          [this](const CodeForCertificate& code) { return notifier_.send_code(code); },
          [this](const KeyRecord& current, const std::string& before) { release_held(current, before); },
          [this](const KeyRecord& key) { return withdraw(key); },
          [this](const DestroyedKey& destroyed) { return notifier_.send_receipt(destroyed); }};
}

}  // namespace sealpost
