// SPDX-License-Identifier: Apache-2.0
// sealpostctl webhook add|list|remove.
#include <ostream>

#include "notify/webhooks.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

Poco::JSON::Object to_json(const Webhook& webhook) {
  Poco::JSON::Array events;
  for (const auto event : webhook.events) events.add(std::string(to_text(event)));
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("id", webhook.id);
  object.set("account", webhook.account);
  object.set("url", webhook.url.text);
  object.set("events", events);
  object.set("allow_private", webhook.allow_private);
  object.set("created", to_rfc3339(webhook.created));
  return object;
}

int add_webhook(Context& context, const Options& options) {
  const auto& account = options["ACCOUNT"].as<std::string>();
  auto url = WebhookUrl::parse(options["URL"].as<std::string>());
  if (!url) return fail(context, url.error());
  std::set<EventType> events;
  for (const auto& text : options["event"].as<std::vector<std::string>>()) {
    const auto event = parse_event_type(text);
    if (!event) return fail(context, Error::invalid("unknown event: " + text));
    events.insert(*event);
  }
  auto known = context.services.accounts().find(account);
  if (!known) return fail(context, known.error());
  auto webhook =
      context.services.webhooks().add(account, known->created, *url, events, options.count("allow-private") > 0);
  if (!webhook) return fail(context, webhook.error());
  const Secret key = to_shown_key(*webhook);
  if (context.json) {
    auto object = to_json(*webhook);
    object.set("key", std::string(key.reveal()));
    print_json(context.out, object);
  } else {
    context.out << key.reveal() << '\n';
    context.err << "This is the key that signs for webhook " << webhook->id << "; it is not shown again.\n";
  }
  return EX_OK;
}

int list_webhooks(Context& context, const Options&) {
  auto webhooks = context.services.webhooks().list();
  if (!webhooks) return fail(context, webhooks.error());
  Poco::JSON::Array array;
  std::vector<std::vector<std::string>> rows;
  for (const auto& webhook : *webhooks) {
    std::string events;
    for (const auto event : webhook.events) events += (events.empty() ? "" : " ") + std::string(to_text(event));
    array.add(to_json(webhook));
    rows.push_back({webhook.id, webhook.account, events, to_rfc3339(webhook.created), webhook.url.text});
  }
  if (context.json) {
    print_json(context.out, array);
  } else {
    print_table(context.out, {"ID", "ACCOUNT", "EVENTS", "CREATED", "URL"}, rows);
  }
  return EX_OK;
}

int remove_webhook(Context& context, const Options& options) {
  const auto& id = options["ID"].as<std::string>();
  if (auto removed = context.services.webhooks().remove(id); !removed) return fail(context, removed.error());
  return done(context, "Webhook " + id + " removed.", outcome("id", id, "removed"));
}

}  // namespace

std::vector<Subcommand> webhook_commands() {
  return {
      {"webhook add",
       "ACCOUNT URL [--event EVENT]...",
       "tell an https URL what becomes of the account's mail; shows the signing key, once",
       {"ACCOUNT", "URL"},
       [](po::options_description& options) {
         options.add_options()("event",
                               po::value<std::vector<std::string>>()->composing()->default_value(
                                   {"delivered", "bounced", "picked_up"}, "delivered bounced picked_up"),
                               "delivered, deferred, bounced or picked_up (repeatable)");
         options.add_options()("allow-private", "loopback and private addresses may be called, and http");
       },
       add_webhook},
      {"webhook list", "", "list the webhooks, not their keys", {}, {}, list_webhooks},
      {"webhook remove", "ID", "tell that URL no more", {"ID"}, {}, remove_webhook},
  };
}

}  // namespace sealpost::ctl
