// SPDX-License-Identifier: Apache-2.0
// Implements webhook_hop.h.
#include "relay/delivery/webhook_hop.h"

#include <Poco/Net/SocketAddress.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hmac.h"
#include "base/net/network.h"
#include "notify/webhook_events.h"
#include "relay/delivery/client_stream.h"
#include "relay/delivery/host_lookup.h"

namespace sealpost {
namespace {

using Addresses = std::vector<Poco::Net::SocketAddress>;

constexpr std::size_t max_event = 256UL * 1024;
constexpr std::size_t max_interim_answers = 8;  ///< 1xx, and the header lines of each

/// What an attempt needs, gathered step by step; whichever step fails ends it.
class WebhookCall final {
 public:
  WebhookCall(const PollableFlag& stop, Deadline deadline) : stop_(stop), deadline_(deadline) {}

  Attempt make(const Webhook& webhook, const std::string& id, std::int64_t seconds, std::string_view json) {
    attempt_.reached = false;
    attempt_.trace.host = webhook.url.host;
    attempt_.outcome = post(webhook, id, seconds, json);
    return std::move(attempt_);
  }

 private:
  Outcome post(const Webhook& webhook, const std::string& id, std::int64_t seconds, std::string_view json) {
    const WebhookUrl& url = webhook.url;
    auto addresses = look_up(url.host, url.port, deadline_, &stop_);
    if (!addresses) return later(addresses.error(), "4.4.3");
    if (!webhook.allow_private) {
      std::erase_if(*addresses, [](const auto& address) { return net::is_private(address.host()); });
      if (addresses->empty()) {
        return Deferred{url.host + " has private addresses only (webhook add --allow-private)", "4.4.4"};
      }
    }
    auto stream = ClientStream::connect(*addresses, deadline_, &stop_);
    if (!stream) return later(stream.error(), "4.4.1");
    attempt_.trace.address = (*stream)->address();
    if (url.tls) {
      auto secured = (*stream)->start_tls(url.host, TlsTrust::Verified, deadline_);
      if (!secured) return later(secured.error(), "4.7.5");
      attempt_.trace.tls = (*stream)->tls();
    }
    const std::string request = head(webhook, id, seconds, json) + std::string(json);
    if (auto written = (*stream)->write(request, deadline_); !written) return later(written.error(), "4.4.2");
    return answer(**stream);
  }

  static std::string head(const Webhook& webhook, const std::string& id, std::int64_t seconds, std::string_view json) {
    const WebhookUrl& url = webhook.url;
    const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    const bool usual = url.port == (url.tls ? 443 : 80);
    const std::string timestamp = std::to_string(seconds);
    return "POST " + url.target + " HTTP/1.1\r\nHost: " + host + (usual ? "" : ":" + std::to_string(url.port)) +
           "\r\nUser-Agent: Sealpost\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(json.size()) + "\r\nConnection: close\r\nwebhook-id: " + id +
           "\r\nwebhook-timestamp: " + timestamp +
           "\r\nwebhook-signature: " + webhook_signature(webhook.key, id, timestamp, json) + "\r\n\r\n";
  }

  /// The status is all that counts; what follows it is not read.
  Outcome answer(ClientStream& stream) {
    for (std::size_t interim = 0; interim < max_interim_answers; ++interim) {
      auto line = stream.read_line(deadline_);
      if (!line) return later(line.error(), "4.4.2");
      attempt_.reached = true;
      const bool http = line->starts_with("HTTP/1.") && line->size() >= 12 && (*line)[8] == ' ';
      if (!http || !std::all_of(line->begin() + 9, line->begin() + 12, [](char c) { return c >= '0' && c <= '9'; })) {
        return Deferred{"the answer is no HTTP", "4.5.0"};
      }
      const int status = std::stoi(line->substr(9, 3));
      if (status < 100 || status > 199) return judge(status, printable_ascii(*line));
      if (auto skipped = skip_fields(stream); !skipped) return later(skipped.error(), "4.4.2");
    }
    return Deferred{"the answer does not come to an end", "4.5.0"};
  }

  Status skip_fields(ClientStream& stream) const {
    constexpr std::size_t max_fields = 100;
    for (std::size_t i = 0; i < max_fields; ++i) {
      auto line = stream.read_line(deadline_);
      if (!line) return line.error();
      if (line->empty()) return {};
    }
    return Error::temporary("too many header fields");
  }

  static Outcome judge(int status, std::string line) {
    if (status >= 200 && status < 300) return Delivered{std::move(line), "2.0.0", status, Custody::Mailbox};
    if (status == 410) return Failed{status, "5.0.0", std::move(line)};
    if (status >= 300 && status < 400) return Deferred{line + " (redirects are not followed)", "4.0.0", status};
    return Deferred{std::move(line), "4.0.0", status};
  }

  [[nodiscard]] Outcome later(const Error& why, const char* enhanced) const {
    if (stop_.raised()) return Abandoned{why.public_text};
    const std::string more = why.internal_detail.empty() ? std::string() : " (" + why.internal_detail + ")";
    return Deferred{why.public_text + more, enhanced};
  }

  const PollableFlag& stop_;
  Deadline deadline_;
  Attempt attempt_{Deferred{}, {}};
};

/// The JSON behind the header block.
Result<std::string> json_of(DeliveryBody& body) {
  std::string message;
  while (true) {
    auto piece = body.next();
    if (!piece) return piece.error();
    if (piece->empty()) break;
    message += *piece;
    if (message.size() > max_event) return Error::permanent("the event is too large");
  }
  const auto end = message.find("\r\n\r\n");
  if (end == std::string::npos) return Error::permanent("the event has no body");
  return message.substr(end + 4);
}

}  // namespace

std::string webhook_signature(const Secret& key, const std::string& id, const std::string& timestamp,
                              std::string_view json) {
  return "v1," + to_base64(hmac_sha256(key.reveal(), id + "." + timestamp + "." + std::string(json)));
}

Attempt WebhookHop::attempt(const Claim& claim, DeliveryBody& body) {
  auto webhook = webhooks_.find(webhook_of_destination(claim.delivery.destination));
  if (!webhook && webhook.error().kind == ErrorKind::NotFound) {
    return {Failed{0, "5.1.0", "the webhook was removed"}, {}};
  }
  if (!webhook) return {Deferred{webhook.error().public_text, "4.3.0"}, {}};
  auto json = json_of(body);
  if (!json && json.error().kind != ErrorKind::Temporary) return {Unreadable{json.error().public_text}, {}};
  if (!json) return {Deferred{json.error().public_text, "4.3.0"}, {}};
  const std::int64_t seconds = to_milliseconds(clock_.now()) / 1000;
  WebhookCall call(stop_, std::chrono::steady_clock::now() + limit_);
  return call.make(*webhook, claim.delivery.id.message().text(), seconds, *json);
}

}  // namespace sealpost
