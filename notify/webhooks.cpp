// SPDX-License-Identifier: Apache-2.0
// Implements webhooks.h. Redis holds of each webhook its account in clear, and all else wrapped.
#include "notify/webhooks.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/URI.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/email_address.h"
#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::string_view webhooks_key = "account:{0}:webhooks";
constexpr std::size_t id_octets = 6;
constexpr std::size_t key_octets = 32;
constexpr std::size_t max_url = 2000;
constexpr std::array<std::string_view, 4> event_names = {"delivered", "deferred", "bounced", "picked_up"};

/// Nobody who can write to Redis can give a webhook to another account.
std::string context_of(const std::string& id, std::string_view account) { return id + '\0' + std::string(account); }

Result<std::string> host_of(const Poco::URI& uri) {
  std::string host = uri.getHost();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  Poco::Net::IPAddress address;
  if (Poco::Net::IPAddress::tryParse(host, address)) return address.toString();
  auto domain = DomainName::parse(host);
  if (!domain) return Error::invalid("the URL's host is none: " + domain.error().public_text);
  return domain->a_label();
}

}  // namespace

std::string_view to_text(EventType type) { return event_names[static_cast<std::size_t>(type)]; }

std::optional<EventType> parse_event_type(std::string_view text) {
  const auto found = std::find(event_names.begin(), event_names.end(), text);
  if (found == event_names.end()) return std::nullopt;
  return static_cast<EventType>(found - event_names.begin());
}

Result<WebhookUrl> WebhookUrl::parse(const std::string& text) {
  if (text.size() > max_url) return Error::invalid("the URL is longer than " + std::to_string(max_url) + " octets");
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return Error::invalid("a URL is printable ASCII; other characters are percent-encoded in it");
  }
  try {
    const Poco::URI uri(text);
    if (uri.getScheme() != "https" && uri.getScheme() != "http") return Error::invalid("not an https URL");
    if (!uri.getUserInfo().empty())
      return Error::invalid("a URL with a user or password; the signature tells who calls");
    if (!uri.getFragment().empty()) return Error::invalid("a URL with a fragment, which no server is told");
    auto host = host_of(uri);
    if (!host) return host.error();
    if (uri.getPort() == 0) return Error::invalid("the URL's port is 0");
    // As it stands: Poco would decode what is encoded in it.
    const auto authority = text.find("//") + 2;
    std::string target = text.substr(std::min(text.find_first_of("/?", authority), text.size()));
    if (!target.starts_with('/')) target.insert(0, 1, '/');
    return WebhookUrl{std::move(*host), uri.getPort(), uri.getScheme() == "https", std::move(target), text};
  } catch (const Poco::Exception& why) {
    return Error::invalid("not a URL", why.displayText());
  }
}

Result<Webhook> Webhooks::add(const std::string& account, Time since, const WebhookUrl& url,
                              const std::set<EventType>& events, bool allow_private) {
  if (!url.tls && !allow_private) return Error::invalid("http is for private addresses only: --allow-private");
  if (events.empty()) return Error::invalid("a webhook without events");
  Webhook made{to_hex(random_.octets(id_octets)), account, url, events, allow_private, since, clock_.now(),
               random_.secret(key_octets)};
  Poco::JSON::Object object;
  object.set("url", url.text);
  Poco::JSON::Array names;
  for (const auto event : events) names.add(std::string(to_text(event)));
  object.set("events", names);
  object.set("allow_private", allow_private);
  object.set("since", to_milliseconds(made.since));
  object.set("created", to_milliseconds(made.created));
  object.set("key", to_base64(made.key.reveal()));
  std::ostringstream text;
  object.stringify(text);
  auto wrapped = wrapper_.wrap(Purpose::Webhook, context_of(made.id, account), text.str());
  if (!wrapped) return wrapped.error();
  auto stored = redis_.command({"HSET", std::string(webhooks_key), made.id, account + '\0' + *wrapped});
  if (!stored) return stored.error();
  return made;
}

Result<Webhook> Webhooks::read(const std::string& id, std::string_view value) {
  const auto altered = [&] {
    log_.error("webhook.altered", {{"webhook", id}});
    return Error::permanent("the record of webhook " + id + " was altered");
  };
  const auto end = value.find('\0');
  if (end == std::string_view::npos) return altered();
  const std::string account(value.substr(0, end));
  auto plain = wrapper_.unwrap(Purpose::Webhook, context_of(id, account), value.substr(end + 1));
  if (!plain) return altered();
  try {
    const auto object = Poco::JSON::Parser().parse(std::string(view(*plain))).extract<Poco::JSON::Object::Ptr>();
    auto url = WebhookUrl::parse(object->getValue<std::string>("url"));
    auto key = from_base64(object->getValue<std::string>("key"));
    if (!url || !key) return altered();
    std::set<EventType> events;
    for (const auto& name : *object->getArray("events")) {
      if (const auto type = parse_event_type(name.convert<std::string>())) events.insert(*type);
    }
    return Webhook{id,
                   account,
                   std::move(*url),
                   std::move(events),
                   object->getValue<bool>("allow_private"),
                   from_milliseconds(object->getValue<Poco::Int64>("since")),
                   from_milliseconds(object->getValue<Poco::Int64>("created")),
                   Secret::copy_of(*key)};
  } catch (const Poco::Exception&) {
    return altered();  // wrapped by us, and of another version
  }
}

Result<std::vector<Webhook>> Webhooks::list() {
  auto reply = redis_.command({"HGETALL", std::string(webhooks_key)});
  if (!reply) return reply.error();
  std::vector<Webhook> all;
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
    auto webhook = read(std::string((*reply)[i].text()), (*reply)[i + 1].text());
    if (webhook) all.push_back(std::move(*webhook));
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.created != b.created ? a.created < b.created : a.id < b.id; });
  return all;
}

Result<Webhook> Webhooks::find(const std::string& id) {
  auto reply = redis_.command({"HGET", std::string(webhooks_key), id});
  if (!reply) return reply.error();
  if (reply->is_nil()) return Error::not_found("there is no such webhook");
  return read(id, reply->text());
}

Status Webhooks::remove(const std::string& id) {
  auto removed = redis_.command({"HDEL", std::string(webhooks_key), id});
  if (!removed) return removed.error();
  if (removed->integer() == 0) return Error::not_found("there is no such webhook");
  return {};
}

Status Webhooks::remove_all_of(const std::string& account) {
  auto reply = redis_.command({"HGETALL", std::string(webhooks_key)});
  if (!reply) return reply.error();
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
    if (!(*reply)[i + 1].text().starts_with(account + '\0')) continue;
    if (auto removed = remove(std::string((*reply)[i].text()));
        !removed && removed.error().kind != ErrorKind::NotFound) {
      return removed;
    }
  }
  return {};
}

Secret to_shown_key(const Webhook& webhook) {
  WipedBuffer text;
  append(text, "whsec_");
  append(text, to_base64(webhook.key.reveal()));
  return Secret(std::move(text));
}

}  // namespace sealpost
