// SPDX-License-Identifier: Apache-2.0
// sealpostctl key history|revoke|resend: what becomes of a key after it was assigned.
#include <functional>
#include <ostream>

#include "notify/key_shutout.h"
#include "notify/notifier.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/delivery/routes.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

/// Sends the relay's own mail from here; the daemon delivers it.
class Post final {
 public:
  Post(Context& context, const Templates& templates, Log& log)
      : links_(context.services.redis(), context.services.wrapper()),
        pending_(context.services.redis(), context.services.wrapper()),
        notifier_(context.services.directory(), links_, context.services.queue(), context.services.wrapper(),
                  context.services.clock(), context.services.random(), log,
                  options(context.services, context.settings, templates), [] {}) {}
  Notifier& notifier() { return notifier_; }
  PickupStore& links() { return links_; }
  PendingCertificates& pending() { return pending_; }

 private:
  static NotifierOptions options(Services& services, const Settings& settings, const Templates& templates) {
    return {settings.notify,
            {settings.notify.from_name, settings.notify.from_address, settings.relay.hostname},
            settings.crypto.content_cipher,
            settings.http.public_url,
            route_name(settings.delivery.route),
            [&services](std::string_view content) { return services.sign(content); },
            templates,
            settings.recipient_domains};
  }
  PickupStore links_;
  PendingCertificates pending_;
  Notifier notifier_;
};

/// Does something with a Post.
int with_post(Context& context, const std::function<int(Post&)>& work) {
  auto templates = load_templates(context.settings.notify, context.settings.recipient_domains);
  if (!templates) return fail(context, templates.error());
  Log log(LogLevel::Warning, LogFormat::Text, context.services.clock());
  Post post(context, *templates, log);
  return work(post);
}

std::string time_text(const std::optional<Time>& time) { return time ? to_rfc3339(*time) : std::string("-"); }

std::string origin_of(const KeyRecord& key) {
  if (key.own) return "own";
  return key.available ? "relay" : "relay, destroyed";
}

int history(Context& context, const Options& options) {
  auto address = EmailAddress::parse(options["ADDRESS"].as<std::string>());
  if (!address) return fail(context, address.error());
  auto keys = context.services.directory().history(address->directory_key());
  if (!keys) return fail(context, keys.error());
  if (context.json) {
    Poco::JSON::Array rows;
    for (const auto& key : *keys) {
      Poco::JSON::Object row(Poco::JSON_PRESERVE_KEY_ORDER);
      const auto time = [](const std::optional<Time>& value) {
        return value ? Poco::Dynamic::Var(to_rfc3339(*value)) : Poco::Dynamic::Var();
      };
      row.set("fingerprint", key.fingerprint);
      row.set("state", std::string(to_text(key.state)));
      row.set("own", key.own);
      row.set("available", key.available);
      row.set("assigned", to_rfc3339(key.assigned));
      row.set("expires", time(key.expires));
      row.set("picked_up", time(key.picked_up));
      rows.add(row);
    }
    print_json(context.out, rows);
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& key : *keys) {
    rows.push_back({std::string(to_text(key.state)), origin_of(key), to_rfc3339(key.assigned), time_text(key.expires),
                    time_text(key.picked_up), key.fingerprint});
  }
  print_table(context.out, {"STATE", "KEY FROM", "ASSIGNED", "EXPIRES", "PICKED UP", "FINGERPRINT"}, rows);
  return EX_OK;
}

/// The spelling that the address's mail goes to.
std::string spelling(Post& post, const EmailAddress& address) {
  auto latest = post.links().latest(address.directory_key());
  return latest && *latest ? (*latest)->recipient : address.text();
}

int revoke_and_tell(Context& context, Post& post, const EmailAddress& address, const std::string& fingerprint,
                    RevocationReason reason) {
  KeyLife& life = context.services.key_life();
  auto key = life.may(KeyChange::Revoke, address.directory_key(), fingerprint);
  if (!key) return fail(context, key.error().error);
  auto told = post.notifier().tell({KeyEvent::Revoked, spelling(post, address), *key, "revoked:" + key->fingerprint});
  if (!told) return fail(context, told.error());
  const auto current = life.may(KeyChange::Retire, address.directory_key(), {});
  auto shut = shut_out(post.links(), post.pending(), address.directory_key(),
                       current && current->fingerprint == key->fingerprint, reason, context.services.clock().now());
  if (!shut) return fail(context, shut.error());
  auto revoked = life.revoke(address.directory_key(), key->fingerprint, reason);
  if (!revoked) return fail(context, revoked.error().error);
  auto object = outcome("address", address.directory_key(), "revoked");
  object.set("fingerprint", revoked->fingerprint);
  return done(context, "The key " + revoked->fingerprint + " of " + address.text() + " is revoked.", object);
}

int revoke_key(Context& context, const Options& options) {
  auto address = EmailAddress::parse(options["ADDRESS"].as<std::string>());
  if (!address) return fail(context, address.error());
  const auto& text = options["reason"].as<std::string>();
  const auto reason = parse_revocation_reason(text);
  if (!reason) {
    return fail(context, Error::invalid("not one of unspecified, keyCompromise, affiliationChanged, superseded, "
                                        "cessationOfOperation: " +
                                        text));
  }
  const std::string fingerprint =
      options.count("fingerprint") > 0 ? options["fingerprint"].as<std::string>() : std::string();
  return with_post(context, [&](Post& post) { return revoke_and_tell(context, post, *address, fingerprint, *reason); });
}

/// Of a new code; with notify.code_to=sender the recipient gets the link alone.
std::string where_it_went(const Notifier::SentCode& sent, Poco::JSON::Object& object) {
  if (sent.code) {
    object.set("code", std::string(sent.code->reveal()));
    return "A new link is on its way to " + sent.recipient +
           ". No sender is known who could pass the code on: " + std::string(sent.code->reveal());
  }
  if (sent.senders.empty()) return "A new code is on its way to " + sent.recipient + ".";
  Poco::JSON::Array senders;
  std::string names;
  for (const auto& sender : sent.senders) {
    senders.add(sender);
    names += (names.empty() ? "" : ", ") + sender;
  }
  object.set("code_to", senders);
  return "A new link is on its way to " + sent.recipient + ", and its code to " + names + ".";
}

int resend(Context& context, const Options& options) {
  auto address = EmailAddress::parse(options["ADDRESS"].as<std::string>());
  if (!address) return fail(context, address.error());
  return with_post(context, [&](Post& post) {
    auto sent = post.notifier().send_new_code(*address);
    if (!sent) return fail(context, sent.error());
    if (!*sent) return fail(context, Error::not_found("there is no key for " + address->text()));
    auto object = outcome("address", address->directory_key(), "sent");
    const std::string told = where_it_went(**sent, object);
    return done(context, told, object);
  });
}

}  // namespace

std::vector<Subcommand> key_life_commands() {
  return {
      {"key history", "ADDRESS", "all keys that an address ever had", {"ADDRESS"}, {}, history},
      {"key resend", "ADDRESS", "send a new code to an address that has a key", {"ADDRESS"}, {}, resend},
      {"key revoke",
       "ADDRESS",
       "revoke a key: the next message brings a new one",
       {"ADDRESS"},
       [](po::options_description& options) {
         options.add_options()("reason", po::value<std::string>()->default_value("unspecified"),
                               "unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation")(
             "fingerprint", po::value<std::string>(), "an earlier key instead of the current one");
       },
       revoke_key},
  };
}

}  // namespace sealpost::ctl
