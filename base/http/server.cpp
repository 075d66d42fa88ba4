// SPDX-License-Identifier: Apache-2.0
// Implements server.h: one conversation per connection, one request at a time; the route runs on a worker.
#include "base/http/server.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Timestamp.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "base/encoding.h"
#include "base/http/request_parser.h"

namespace sealpost::http {
namespace {

using std::chrono::steady_clock;

struct Exchange {
  const Route* route = nullptr;
  Request request;
  bool head_only = false;
};

bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

bool needs_credential(Access access) { return access != Access::Public && access != Access::PublicSecure; }

bool has_scope(const Caller& caller, Access access) {
  switch (access) {
    case Access::Submit:
      return caller.scopes.contains(Scope::Submit);
    case Access::Keys:
      return caller.scopes.contains(Scope::Keys);
    case Access::Operator:
    case Access::OperatorOrLoopback:
      return caller.scopes.contains(Scope::Operator);
    default:
      return true;
  }
}

/// The gate in front of every handler; nothing means: pass.
std::optional<Response> check_access(ServerContext& context, const Route& route, Request& request) {
  const bool carries_secret = route.access == Access::PublicSecure || !request.field("authorization").empty();
  if (carries_secret && !request.secure) {
    return Response::problem(403, "HTTPS required", "codes and credentials are not taken over plain HTTP from afar");
  }
  if (!needs_credential(route.access)) return std::nullopt;
  if (route.access == Access::OperatorOrLoopback && request.direct_loopback) return std::nullopt;
  auto caller = context.authenticator.authenticate(request.field("authorization"), request.client_network);
  if (!caller && caller.error().kind == ErrorKind::Temporary) return Response::from(caller.error());
  if (!caller) {
    return Response::problem(401, "Not authenticated", caller.error().public_text)
        .with("WWW-Authenticate", "Bearer, Basic realm=\"Sealpost\", charset=\"UTF-8\"");
  }
  if (!has_scope(*caller, route.access)) {
    return Response::problem(403, "Missing scope", "this credential may not do that");
  }
  request.caller = std::move(*caller);
  return std::nullopt;
}

Response answer(ServerContext& context, Exchange& exchange) {
  try {
    if (auto refused = check_access(context, *exchange.route, exchange.request)) return std::move(*refused);
    return exchange.route->handle(exchange.request);
  } catch (const std::exception& why) {
    context.log.error("http.handler_failed", {{"route", exchange.route->pattern}, {"detail", why.what()}});
    return Response::problem(500, "Internal error", "the fault is ours");
  }
}

void add_defaults(Response& response) {
  const auto has = [&](std::string_view name) {
    return std::any_of(response.fields.begin(), response.fields.end(),
                       [&](const auto& field) { return ascii_iequals(field.first, name); });
  };
  const auto add = [&](const char* name, const char* value) {
    if (!has(name)) response.fields.emplace_back(name, value);
  };
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("Referrer-Policy", "no-referrer");
  add("Content-Security-Policy",
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
}

WipedBuffer serialise(Response response, bool head_only, bool close) {
  add_defaults(response);
  std::string head =
      "HTTP/1.1 " + std::to_string(response.status) + " " +
      Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(response.status)) +
      "\r\n";
  for (const auto& [name, value] : response.fields) {
    // A value that would end its line can only come from a fault of ours: it must not become a field of somebody else's.
    if (value.find_first_of("\r\n") == std::string::npos) head += name + ": " + value + "\r\n";
  }
  head += "Date: " + Poco::DateTimeFormatter::format(Poco::Timestamp(), Poco::DateTimeFormat::HTTP_FORMAT) +
          "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n";
  head += close ? "Connection: close\r\n\r\n" : "\r\n";
  WipedBuffer out;
  out.reserve(head.size() + response.body.size());
  append(out, head);
  if (!head_only) append(out, view(response.body));
  return out;
}

class HttpConversation final : public net::Conversation {
 public:
  explicit HttpConversation(ServerContext& context) : context_(context) {}

  net::Step opened(const net::Peer& peer) override {
    peer_ = peer;
    deadline_ = steady_clock::now() + context_.options.idle_timeout;
    return {};
  }
  net::Step tls_established() override { return {}; }
  void ended() override {}
  [[nodiscard]] steady_clock::time_point deadline() const override { return deadline_; }

  net::Step received(std::string_view octets) override {
    append(input_, octets);
    return advance();
  }

  net::Step timed_out() override {
    if (state_ == State::Idle && input_.empty()) return close_with({});
    return refuse({408, "the request took too long"});
  }

 private:
  enum class State { Idle, Head, Body, Working };

  net::Step advance() {
    if (state_ == State::Idle && !input_.empty()) {
      state_ = State::Head;
      deadline_ = steady_clock::now() + context_.options.header_deadline;
    }
    if (state_ == State::Head) {
      const auto end = view(input_).find("\r\n\r\n");
      if (end == std::string_view::npos) {
        if (input_.size() > context_.options.max_header_octets) return refuse({431, "the header is too large"});
        return {};
      }
      if (end > context_.options.max_header_octets) return refuse({431, "the header is too large"});
      auto head = parse_request_head(view(input_).substr(0, end + 4));
      if (!head) return refuse(head.error());
      input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(end + 4));
      return begin(std::move(*head));
    }
    if (state_ == State::Body) return continue_body({});
    return {};
  }

  net::Step begin(RequestHead head) {
    auto match = context_.router.match(head.method, head.target);
    exchange_ = {};
    exchange_.head_only = head.method == "HEAD";
    keep_alive_ = head.keep_alive;
    wanted_ = head.content_length.value_or(0);
    if (match.route == nullptr) return refuse_route(match, head.method);
    exchange_.route = match.route;
    if (wanted_ > match.route->max_body) return refuse({413, "the body is too large"});
    if (!reservation_.grow_to(context_.budget, wanted_)) {
      return respond(Response::problem(503, "Busy", "too much is in flight").with("Retry-After", "5"), true);
    }
    fill_request(head, std::move(match.parameters));
    state_ = State::Body;
    deadline_ = steady_clock::now() + context_.options.body_deadline;
    WipedBuffer go_on;
    if (head.expects_continue && input_.size() < wanted_) append(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    return continue_body(std::move(go_on));
  }

  net::Step continue_body(WipedBuffer output) {
    if (input_.size() < wanted_) return {std::move(output), {}, net::Step::Then::Read};
    auto& body = exchange_.request.body;
    body.assign(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(wanted_));
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(wanted_));
    state_ = State::Working;
    auto exchange = std::make_shared<Exchange>(std::move(exchange_));
    net::Step step{std::move(output), {}, net::Step::Then::Read};
    step.job = [this, &context = context_, exchange]() -> net::Resume {
      auto response = std::make_shared<Response>(answer(context, *exchange));
      return [this, response, exchange] { return finish(*exchange, std::move(*response)); };
    };
    return step;
  }

  net::Step finish(const Exchange& exchange, Response response) {
    context_.log.debug(
        "http.request",
        {{"method", exchange.request.method}, {"route", exchange.route->pattern}, {"status", response.status}});
    exchange_.head_only = exchange.head_only;
    return respond(std::move(response), !keep_alive_);
  }

  net::Step respond(Response response, bool close) {
    reservation_.release();
    WipedBuffer output = serialise(std::move(response), exchange_.head_only, close);
    if (close) return close_with(std::move(output));
    state_ = State::Idle;
    deadline_ = steady_clock::now() + context_.options.idle_timeout;
    net::Step step = advance();  // a pipelined request may be there already
    append(output, view(step.output));
    step.output = std::move(output);
    return step;
  }

  net::Step close_with(WipedBuffer output) {
    state_ = State::Working;
    return {std::move(output), {}, net::Step::Then::Close};
  }

  /// What is wrong with the framing cannot be followed by another request on this connection.
  net::Step refuse(const BadRequest& bad) {
    const std::string title =
        Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(bad.status));
    return respond(Response::problem(bad.status, title, bad.reason), true);
  }

  net::Step refuse_route(const Router::Match& match, const std::string& method) {
    // The body is not read: nothing behind it may be taken for a request.
    const bool close = wanted_ > 0 || !keep_alive_;
    if (match.allowed.empty()) return respond(Response::problem(404, "Not found", "there is no such resource"), close);
    std::string allow;
    for (const auto& name : match.allowed) allow += (allow.empty() ? "" : ", ") + name;
    return respond(Response::problem(405, "Method not allowed", method + " is not possible here").with("Allow", allow),
                   close);
  }

  void fill_request(RequestHead& head, std::map<std::string, std::string> parameters) {
    Request& request = exchange_.request;
    request.method = std::move(head.method);
    request.path = percent_decode(head.target).value_or(head.target);
    request.query = parse_form(head.query);
    request.fields = std::move(head.fields);
    request.parameters = std::move(parameters);
    request.client = peer_.address;
    request.client_network = peer_.network;
    const auto& proxies = context_.options.trusted_proxies;
    const bool proxied = std::find(proxies.begin(), proxies.end(), peer_.address) != proxies.end();
    const bool forwarded = request.fields.contains("x-forwarded-for") || request.fields.contains("x-forwarded-proto") ||
                           request.fields.contains("forwarded");
    request.secure = peer_.tls || is_loopback(peer_.address);
    request.direct_loopback = is_loopback(peer_.address) && !forwarded;
    if (!proxied) return;
    request.secure = peer_.tls || ascii_iequals(request.field("x-forwarded-proto"), "https");
    const auto chain = request.field("x-forwarded-for");
    const auto comma = chain.rfind(',');
    auto client = comma == std::string_view::npos ? chain : chain.substr(comma + 1);
    while (client.starts_with(' ')) client.remove_prefix(1);
    if (!client.empty()) request.client = request.client_network = std::string(client);
  }

  ServerContext& context_;
  net::Peer peer_;
  State state_ = State::Idle;
  WipedBuffer input_;
  Exchange exchange_;
  std::size_t wanted_ = 0;
  bool keep_alive_ = true;
  MemoryBudget::Reservation reservation_;
  steady_clock::time_point deadline_ = steady_clock::time_point::max();
};

}  // namespace

std::unique_ptr<net::Conversation> make_conversation(ServerContext& context) {
  return std::make_unique<HttpConversation>(context);
}

}  // namespace sealpost::http
