// SPDX-License-Identifier: Apache-2.0
// Implements server.h: one conversation per connection, one request at a time. The loop finds the route; who calls, and
// with which scope, a worker.
#include "base/http/server.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/http/access.h"
#include "base/http/request_parser.h"
#include "base/http/response_writer.h"

namespace sealpost::http {
namespace {

using std::chrono::steady_clock;

/// One request on its way to its response. Shared with the worker, and outlives a connection that ends meanwhile.
struct Exchange {
  const Route* route = nullptr;
  Request request;
  MemoryBudget::Reservation reservation;  ///< for the body
  CallRate::Standing standing;            ///< the caller's
  bool keep_alive = false;
  bool expects_continue = false;
  bool head_only = false;
};
using ExchangePtr = std::shared_ptr<Exchange>;
using Refusal = std::shared_ptr<std::optional<Response>>;

/// At the worker's top: whatever a library throws ends this request, not the process.
template <class Answer, class Call>
Answer guarded(Call call) {
  try {
    return call();
  } catch (const std::exception& why) {
    return Response::failure(Error::internal(why.what()));
  }
}

std::optional<Response> check(ServerContext& context, Exchange& exchange) {
  return guarded<std::optional<Response>>([&]() -> std::optional<Response> {
    const Route& route = *exchange.route;
    auto refused = check_caller(context.authenticator, route, exchange.request);
    if (!refused && route.admit && exchange.request.announced > 0) refused = route.admit(exchange.request);
    if (!exchange.request.caller || context.call_rate == nullptr) return refused;
    exchange.standing = context.call_rate->take(exchange.request.caller->account, steady_clock::now());
    if (exchange.standing.allowed) return refused;
    return Response::problem(429, "Too many calls",
                             exchange.standing.crowded ? "too many calls of this account are not answered yet"
                                                       : "this account calls more often than it may");
  });
}

Response answer(const Exchange& exchange) {
  return guarded<Response>([&] { return exchange.route->handle(exchange.request); });
}

bool has_bare_line_feed(std::string_view text) {
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

class HttpConversation final : public net::Conversation {
 public:
  explicit HttpConversation(ServerContext& context) : context_(context) {}

  net::Step opened(const net::Peer& peer) override {
    peer_ = peer;
    set_deadline(context_.options.idle_timeout);
    return {};
  }
  net::Step tls_established() override { return {}; }
  [[nodiscard]] steady_clock::time_point deadline() const override { return deadline_; }

  net::Step received(std::string_view octets) override {
    if (state_ == State::Streaming) return listening({});  // nothing more can be asked here
    if (state_ == State::Body) octets.remove_prefix(add_to_body(octets));
    append(input_, octets);
    return go_on({});
  }

  net::Step woken() override { return events_->ended() ? closing({}) : listening(events_->take()); }

  net::Step timed_out() override {
    if (state_ == State::Streaming) return steady_clock::now() < stream_end_ ? listening(":\n\n") : closing({});
    if (state_ == State::Idle || state_ == State::Closing) return closing({});
    return refuse({408, "the request took too long"});
  }

 private:
  enum class State { Idle, Head, Body, Working, Streaming, Closing };

  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = steady_clock::now() + from_now; }

  /// Adds steps until there is a job, an end, or nothing more to read: a loop, since one packet may hold very many
  /// requests.
  net::Step go_on(net::Step all) {
    while (!all.job && all.then == net::Step::Then::Read) {
      auto step = next();
      if (!step) break;
      if (all.output.empty()) {
        all.output = std::move(step->output);
      } else {
        append(all.output, view(step->output));
      }
      all.job = std::move(step->job);
      all.then = step->then;
    }
    return all;
  }

  std::optional<net::Step> next() {
    if (state_ == State::Idle && !input_.empty()) {
      state_ = State::Head;
      exchange_ = std::make_shared<Exchange>();
      set_deadline(context_.options.header_deadline);
    }
    if (state_ == State::Head) return read_head();
    if (state_ == State::Body && exchange_->request.body.size() == exchange_->request.announced) return run_handler();
    return std::nullopt;
  }

  std::optional<net::Step> read_head() {
    const auto text = view(input_);
    const auto end = text.find("\r\n\r\n");
    if (std::min(end, text.size()) > context_.options.max_header_octets) {
      if (text.find("\r\n") > context_.options.max_header_octets) return refuse({414, "the request line is too long"});
      return refuse({431, "the header is too large"});
    }
    if (end == std::string_view::npos) {
      if (has_bare_line_feed(text)) return refuse({400, "bare line feed in the header"});
      return std::nullopt;
    }
    auto head = parse_request_head(text.substr(0, end + 4));
    if (!head) return refuse(head.error());
    take_input(end + 4);
    return begin(std::move(*head));
  }

  net::Step begin(RequestHead head) {
    auto match = context_.router.match(head.method, head.target);
    Exchange& exchange = *exchange_;
    exchange.route = match.route;
    exchange.head_only = head.method == "HEAD";
    exchange.keep_alive = head.keep_alive;
    exchange.expects_continue = head.expects_continue;
    exchange.request.announced = head.content_length.value_or(0);
    fill_request(exchange.request, head, std::move(match.parameters));
    if (match.route == nullptr) return no_route(match);
    if (auto refused = check_transport(*match.route, exchange.request)) return respond_early(std::move(*refused));
    const bool admits = static_cast<bool>(match.route->admit);
    if (exchange.request.announced > match.route->max_body && !admits) return refuse({413, "the body is too large"});
    if (exchange.request.announced == 0) return run_check_and_handler();
    // A stranger's body is not worth the memory: first the caller, then the body.
    return admits || needs_caller(*match.route, exchange.request) ? run_check() : expect_body();
  }

  void fill_request(Request& request, RequestHead& head, std::map<std::string, std::string> parameters) {
    request.method = std::move(head.method);
    request.query = parse_form(head.query);
    request.fields = std::move(head.fields);
    request.parameters = std::move(parameters);
    set_origin(request, peer_, context_.options.trusted_proxies);
  }

  net::Step no_route(const Router::Match& match) {
    if (match.allowed.empty()) return respond_early(Response::problem(404, "Not found", "there is no such resource"));
    std::string allow;
    for (const auto& name : match.allowed) allow += (allow.empty() ? "" : ", ") + name;
    return respond_early(Response::problem(405, "Method not allowed", "possible here: " + allow).with("Allow", allow));
  }

  net::Step expect_body() {
    Exchange& exchange = *exchange_;
    if (exchange.request.announced > exchange.route->max_body) return refuse({413, "the body is too large"});
    if (!exchange.reservation.grow_to(context_.budget, exchange.request.announced * exchange.route->memory_per_octet)) {
      return respond_early(Response::problem(503, "Busy", "too much is in flight").with("Retry-After", "5"));
    }
    state_ = State::Body;
    set_deadline(context_.options.body_deadline);
    exchange.request.body.reserve(exchange.request.announced);
    take_input(add_to_body(view(input_)));
    net::Step step;
    const bool begun = !exchange.request.body.empty();
    if (exchange.expects_continue && !begun) append(step.output, "HTTP/1.1 100 Continue\r\n\r\n");
    return step;
  }

  /// How many of the octets belonged to the body.
  std::size_t add_to_body(std::string_view octets) {
    WipedBuffer& body = exchange_->request.body;
    const auto count = std::min(octets.size(), exchange_->request.announced - body.size());
    append(body, octets.substr(0, count));
    return count;
  }

  void take_input(std::size_t count) {
    if (count == input_.size()) return WipedBuffer().swap(input_);
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  net::Step working(net::Job job) {
    state_ = State::Working;
    net::Step step;
    step.job = std::move(job);
    return step;
  }

  net::Step run_check() {
    return working([this, &context = context_, exchange = exchange_]() -> net::Resume {
      const Refusal refused = std::make_shared<std::optional<Response>>(check(context, *exchange));
      return [this, refused] { return go_on(*refused ? respond_early(std::move(**refused)) : expect_body()); };
    });
  }

  net::Step run_check_and_handler() {
    exchange_->request.received = steady_clock::now();
    return working([this, &context = context_, exchange = exchange_] {
      auto refused = check(context, *exchange);
      return finish_with(refused ? std::move(*refused) : answer(*exchange));
    });
  }

  net::Step run_handler() {
    exchange_->request.received = steady_clock::now();
    return working([this, exchange = exchange_] { return finish_with(answer(*exchange)); });
  }

  /// Called on a worker: touches nothing of ours before the loop runs the Resume.
  net::Resume finish_with(Response response) {
    return [this, response = std::make_shared<Response>(std::move(response))] {
      return go_on(respond(std::move(*response), !exchange_->keep_alive));
    };
  }

  /// Before the body was read: what follows on the connection could be taken for a request.
  net::Step respond_early(Response response) {
    return respond(std::move(response), exchange_->request.announced > 0 || !exchange_->keep_alive);
  }

  /// What is wrong with the framing cannot be followed by another request on this connection.
  net::Step refuse(const BadRequest& bad) {
    return respond(Response::problem(bad.status, reason_of(bad.status), bad.reason), true);
  }

  net::Step respond(Response response, bool close) {
    const Route* route = exchange_->route;
    std::shared_ptr<void> place;
    if (response.events) {
      place = context_.streams->take(response.listener, exchange_->request.client_network);
      if (!place) response = Response::problem(503, "Busy", "too many event streams").with("Retry-After", "30");
      close = close || place;
    }
    // The pattern, never the path: tokens stand in it.
    context_.log.debug("http.request", {{"method", route == nullptr ? "-" : exchange_->request.method},
                                        {"route", route == nullptr ? "-" : route->pattern},
                                        {"status", response.status}});
    if (response.fault && route != nullptr) {
      context_.log.failure("http.handler_failed", *response.fault, {{"route", route->pattern}});
    }
    for (auto& field : exchange_->standing.fields()) response.fields.push_back(std::move(field));
    auto events = exchange_->head_only ? nullptr : response.events;
    WipedBuffer output = write_response(std::move(response), exchange_->head_only, close);
    exchange_.reset();
    if (events) return begin_stream(std::move(events), std::move(place), std::move(output));
    if (close) return closing(std::move(output));
    state_ = State::Idle;
    set_deadline(context_.options.idle_timeout);
    net::Step step;
    step.output = std::move(output);
    return step;
  }

  net::Step begin_stream(std::shared_ptr<EventStream> events, std::shared_ptr<void> place, WipedBuffer head) {
    state_ = State::Streaming;
    events_ = std::move(events);
    place_ = std::move(place);
    WipedBuffer().swap(input_);
    stream_end_ = steady_clock::now() + context_.options.stream_lifetime;
    hear_until_heartbeat();
    net::Step step = listening({});
    step.output = std::move(head);
    step.subscribe = [this](const net::Waker& wake) {
      events_->subscribe(wake);
      wake();  // for what happened before
    };
    return step;
  }

  void hear_until_heartbeat() {
    deadline_ = std::min(steady_clock::now() + context_.options.stream_heartbeat, stream_end_);
  }

  /// Output moves the deadline; while some is not taken, no more is asked for, so it stands.
  net::Step listening(std::string_view events) {
    if (!events.empty()) hear_until_heartbeat();
    net::Step step;
    append(step.output, events);
    step.then = net::Step::Then::Listen;
    return step;
  }

  net::Step closing(WipedBuffer output) {
    state_ = State::Closing;
    set_deadline(context_.options.idle_timeout);
    net::Step step;
    step.output = std::move(output);
    step.then = net::Step::Then::Close;
    return step;
  }

  ServerContext& context_;
  net::Peer peer_;
  State state_ = State::Idle;
  WipedBuffer input_;
  ExchangePtr exchange_;  ///< from the first octet of a request to its response
  std::shared_ptr<EventStream> events_;
  std::shared_ptr<void> place_;  ///< among all streams
  steady_clock::time_point stream_end_;
  steady_clock::time_point deadline_ = steady_clock::time_point::max();
};

}  // namespace

std::unique_ptr<net::Conversation> make_conversation(ServerContext& context) {
  return std::make_unique<HttpConversation>(context);
}

}  // namespace sealpost::http
