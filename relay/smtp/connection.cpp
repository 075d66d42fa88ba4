// SPDX-License-Identifier: Apache-2.0
// Implements connection.h.
#include "relay/smtp/connection.h"

#include <utility>

namespace sealpost::smtp {
namespace {

using std::chrono::steady_clock;

class Connection final : public net::Conversation {
 public:
  explicit Connection(ConnectionContext& context) : context_(context) { touch(); }

  net::Step opened(const net::Peer& peer) override {
    peer_ = peer;
    session_ = std::make_unique<Session>(context_.options, context_.budget, context_.random, peer.tls);
    return step(session_->open());
  }
  net::Step received(std::string_view octets) override { return step(session_->receive(octets)); }
  net::Step tls_established() override { return step(session_->tls_started()); }
  void ended() override {}
  net::Step timed_out() override { return step(session_->time_out()); }
  [[nodiscard]] steady_clock::time_point deadline() const override { return deadline_; }

 private:
  void touch() { deadline_ = steady_clock::now() + context_.idle_timeout; }

  net::Step step(Session::Output output) {
    touch();
    net::Step step;
    append(step.output, output.replies);
    if (output.next == Session::Next::Close) step.then = net::Step::Then::Close;
    if (output.next == Session::Next::StartTls) step.then = net::Step::Then::StartTls;
    if (output.action) {
      // Shared, since std::function wants copies and an action holds secrets that have none.
      auto action = std::make_shared<Action>(std::move(*output.action));
      step.job = [this, &context = context_, peer = peer_, action]() -> net::Resume {
        return std::visit([&](auto& what) { return run(context, peer, what); }, *action);
      };
    }
    return step;
  }

  // On a worker: these must not touch the session, but may hand it results from the Resume, which runs on the loop.

  net::Resume run(ConnectionContext& context, const net::Peer& peer, CheckLogin& what) {
    auto checked = std::make_shared<Result<Account>>(context.accounts.verify(what.name, what.password));
    std::chrono::milliseconds delay{0};
    if (*checked) {
      context.throttle.succeeded(what.name, peer.network);
    } else if (checked->error().kind == ErrorKind::Invalid) {
      delay = context.throttle.failed(what.name, peer.network);
      context.log.info("smtp.auth_failed", {{"account", what.name}, {"client", peer.address}});
    } else {
      context.log.failure("smtp.auth_unavailable", checked->error());
    }
    return [this, checked, delay] {
      net::Step result = step(session_->login_result(std::move(*checked)));
      result.delay = delay;
      return result;
    };
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, FindVerifier& what) {
    auto found = std::make_shared<Result<ScramVerifier>>(context.accounts.scram_verifier(what.name));
    return [this, found] { return step(session_->verifier_result(std::move(*found))); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer& peer, FindAccount& what) {
    auto found = std::make_shared<Result<Account>>(context.accounts.find(what.name));
    if (*found) context.throttle.succeeded(what.name, peer.network);
    return [this, found] { return step(session_->login_result(std::move(*found))); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, CheckRoom&) {
    std::optional<IntakeError> refusal;
    if (context.store_full()) refusal = IntakeError{Refusal::StoreFull, "insufficient system storage", {}};
    return [this, refusal] { return step(session_->admission_result(refusal)); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, CheckRecipient& what) {
    auto admitted = context.sink.admit(what.account, what.address, what.unassigned);
    if (!admitted) {
      context.log.info("smtp.recipient_refused", {{"account", what.account.name},
                                                  {"recipient", what.address.text()},
                                                  {"reason", admitted.error().public_text},
                                                  {"detail", admitted.error().internal_detail}});
    }
    auto result = std::make_shared<Result<bool, IntakeError>>(std::move(admitted));
    return [this, result] { return step(session_->recipient_result(std::move(*result))); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, TakeMessage& what) {
    const std::string account = what.submission.account.name;
    const std::size_t size = what.submission.message.size();
    auto taken = context.sink.accept(std::move(what.submission));
    if (taken) {
      context.log.info("smtp.accepted", {{"message", taken->id.text()},
                                         {"account", account},
                                         {"recipients", taken->recipients.size()},
                                         {"size", size}});
    } else {
      context.log.info(
          "smtp.refused",
          {{"account", account}, {"reason", taken.error().public_text}, {"detail", taken.error().internal_detail}});
    }
    auto result = std::make_shared<Result<Accepted, IntakeError>>(std::move(taken));
    return [this, result] { return step(session_->message_result(std::move(*result))); };
  }

  ConnectionContext& context_;
  net::Peer peer_;
  std::unique_ptr<Session> session_;
  steady_clock::time_point deadline_;
};

}  // namespace

std::unique_ptr<net::Conversation> make_connection(ConnectionContext& context) {
  return std::make_unique<Connection>(context);
}

}  // namespace sealpost::smtp
