// SPDX-License-Identifier: Apache-2.0
// Implements explain_address.h.
#include "relay/explain_address.h"

#include <array>

#include "base/time_text.h"
#include "conf/recipient_domains.h"
#include "crypto/private_key.h"
#include "relay/delivery/routes.h"

namespace sealpost {
namespace {

std::string whose(const KeyRecord& key) {
  return key.own ? "the certificate of their own (" + key.fingerprint + ")"
                 : "the " + std::string(to_text(key.state)) + " pair " + key.fingerprint;
}

/// Why the current pair, if there is one, is used no more.
std::string ended(const KeyRecord& key, Time now) {
  if (key.state == PairState::Revoked) return "was revoked";
  if (key.state == PairState::Forgotten) return "was forgotten before it was picked up";
  if (key.expires && *key.expires <= now) return "expired " + moment_text(*key.expires, now);
  return "is not used any more";
}

std::string new_pair(const EmailAddress& address, const AddressFacts& facts, const Settings& settings) {
  const RecipientDomain& domain = domain_of(settings.recipient_domains, address);
  const bool permanent = domain.policy.value_or(settings.keys.policy) == KeyPolicy::Permanent;
  const std::string type(to_text(domain.key_type.value_or(settings.crypto.key_type)));
  std::string text =
      " The next message gives it a new " + std::string(permanent ? "permanent" : "interim") + " " + type + " pair";
  if (!facts.in_pool) {
    text += ", made at once";
  } else if (*facts.in_pool > 0) {
    text += " from the pool (" + std::to_string(*facts.in_pool) + " ready)";
  } else {
    text += ", generated while the sender waits, since the pool is empty";
  }
  const bool attach = domain.mode.value_or(settings.notify.mode) == NotifyMode::Attach;
  text += settings.notify.code_to == CodeTo::Sender
              ? ", and sends a notification with the link to it and the code to the sender."
              : std::string(", and sends it a notification with link and code") +
                    (attach ? " and the key file itself." : ".");
  return text;
}

/// What it was told, and whether the next message has it told again: as Notifier::remind decides.
std::string notification(const KeyRecord& key, const AddressFacts& facts, Time now) {
  const std::string again = "; the next message has a new one sent.";
  switch (state_of(facts.link, key.fingerprint, now)) {
    case LinkState::None:
      return " It waits for its notification; the next message has it sent if it is not on its way.";
    case LinkState::Over:
      return " The code of its latest notification works no longer" + again;
    case LinkState::Locked:
      return " The code of its latest notification is locked, after too many wrong ones" + again;
    case LinkState::Works:
      break;
  }
  if (facts.notification_failed) return " Its latest notification did not arrive" + again;
  return " The code of its latest notification works until " + moment_text(facts.link->expires, now) +
         "; until then no message has another one sent.";
}

std::string sealed_to(const EmailAddress& address, const KeyRecord& key, const AddressFacts& facts,
                      const Settings& settings, Time now) {
  const std::string cipher =
      domain_of(settings.recipient_domains, address).content_cipher.value_or(settings.crypto.content_cipher) ==
              ContentCipher::Aes256Gcm
          ? "aes256-gcm"
          : "aes256-cbc";
  switch (use_of(key, now)) {
    case KeyUse::Assign:
      return " Its pair " + key.fingerprint + " " + ended(key, now) + "." + new_pair(address, facts, settings);
    case KeyUse::Hold:
      return " It has " + whose(key) + ", which " +
             (key.state == PairState::Revoked ? std::string("was revoked")
                                              : "ended " + moment_text(*key.expires, now)) +
             ". The next message is sealed to it with " + cipher +
             " and held: nobody but the recipient replaces it, and both sides are told.";
    case KeyUse::Seal:
      break;
  }
  std::string text = " The next message is sealed with " + cipher + " to " + whose(key) + ", assigned " +
                     moment_text(key.assigned, now);
  if (key.own) {
    text += ".";
  } else if (key.picked_up) {
    text += " and picked up first at " + moment_text(*key.picked_up, now) + ".";
  } else {
    text += "; nobody has picked it up yet." + notification(key, facts, now);
  }
  if (key.destroyed) text += " The server's copy of its private key is destroyed.";
  if (key.expires) {
    text += key.own ? " The certificate ends " : " After ";
    text += moment_text(*key.expires, now);
    text += key.own ? "; from then on mail is held." : " the next message gets a new pair.";
  }
  return text;
}

}  // namespace

std::string explain(const EmailAddress& address, const AddressFacts& facts, const Settings& settings, Time now) {
  std::string text = address.directory_key() + (facts.key ? "." : " has no key.");
  text += facts.key ? sealed_to(address, *facts.key, facts, settings, now) : new_pair(address, facts, settings);
  const std::string route = route_name(settings.delivery.route);
  text += " It is delivered to " +
          (route.empty() ? "the MX hosts of " + address.domain().a_label() : "the fixed route " + route) + ".";
  if (facts.bounces) {
    text += " " + std::to_string(facts.bounces->bounces) +
            (facts.bounces->bounces == 1 ? " delivery" : " deliveries in a row") + " to it bounced, the last " +
            moment_text(facts.bounces->last, now) + " with: " + facts.bounces->response + ".";
    if (facts.bounces->until) {
      text += " Senders hear 550 until " + moment_text(*facts.bounces->until, now) +
              "; `sealpostctl suppression clear " + address.directory_key() + "` ends that.";
    }
  }
  return text;
}

Result<AddressExplanation> explain_address(Services& services, const Settings& settings, const EmailAddress& address) {
  AddressExplanation explanation{address.directory_key(), {}, {}};
  auto key = services.directory().find(address);
  if (!key) return key.error();
  explanation.facts.key = std::move(*key);
  if (!explanation.facts.key) {
    auto earlier = services.directory().history(address.directory_key());
    if (!earlier) return earlier.error();
    if (!earlier->empty()) explanation.facts.key = std::move(earlier->front());
  }
  const std::array one = {address};
  auto bounces = services.suppressions().look(one);
  if (!bounces) return bounces.error();
  explanation.facts.bounces = std::move(bounces->front());
  PickupStore links(services.redis(), services.wrapper());
  auto link = links.latest(address.directory_key());
  // One that was altered in the store counts as none, as with Notifier.
  if (!link && link.error().kind != ErrorKind::Permanent) return link.error();
  if (link) explanation.facts.link = std::move(*link);
  auto failed = links.failed(address.directory_key());
  if (!failed) return failed.error();
  explanation.facts.notification_failed = *failed;
  auto stock = services.vault().stock_for(address);
  if (!stock) return stock.error();
  explanation.facts.in_pool = *stock;
  explanation.text = explain(address, explanation.facts, settings, services.clock().now());
  return explanation;
}

}  // namespace sealpost
