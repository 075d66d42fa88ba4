// SPDX-License-Identifier: Apache-2.0
// Implements connection.h.
#include "relay/smtp/connection.h"

#include <algorithm>
#include <utility>

namespace sealpost::smtp {
namespace {

using std::chrono::steady_clock;

/// How long a login is held back before it is answered 454: longer than the longest delay, shorter than clients wait.
constexpr std::chrono::seconds longest_hold{60};
/// The throttle may let a check through earlier than it said, once this client has proved itself on another connection.
constexpr Duration ask_again{250};
/// How long a client may take until it has logged in; RFC 5321 section 4.5.3.2 gives a client as long for one command.
constexpr std::chrono::minutes longest_login{5};

/// Whose password or proof an action checks; the other actions have none.
const std::string& account_of(const CheckLogin& what) { return what.name; }
const std::string& account_of(const CheckProof& what) { return what.exchange.name(); }

class Connection final : public net::Conversation {
 public:
  explicit Connection(ConnectionContext& context)
      : context_(context),
        deadline_(steady_clock::now() + std::min<std::chrono::milliseconds>(longest_login, context.idle_timeout)) {}

  net::Step opened(const net::Peer& peer) override {
    peer_ = peer;
    session_ = std::make_unique<Session>(context_.options, context_.budget, context_.random, peer.tls);
    return step(session_->open());
  }
  net::Step received(std::string_view octets) override { return step(session_->receive(octets)); }
  net::Step tls_established() override { return step(session_->tls_started()); }
  net::Step timed_out() override { return step(session_->time_out()); }
  [[nodiscard]] steady_clock::time_point deadline() const override { return deadline_; }

 private:
  /// A login, and after it what was completed, gives new time; before it nothing does.
  void renew_deadline() {
    if (!session_->logged_in() || session_->progress() == progress_) return;
    progress_ = session_->progress();
    deadline_ = steady_clock::now() + context_.idle_timeout;
  }

  net::Step step(Session::Output output) {
    renew_deadline();
    net::Step step;
    append(step.output, output.replies);
    if (output.next == Session::Next::Close) step.then = net::Step::Then::Close;
    if (output.next == Session::Next::StartTls) step.then = net::Step::Then::StartTls;
    for (const int code : output.refusals) context_.counts.refuse(code);
    if (output.action) {
      const auto now = steady_clock::now();
      if (auto* message = std::get_if<TakeMessage>(&*output.action)) message->ended = now;
      // Shared, since std::function wants copies and an action holds secrets that have none.
      step.job = job(std::make_shared<Action>(std::move(*output.action)), now + longest_hold);
    }
    return step;
  }

  net::Job job(std::shared_ptr<Action> action, steady_clock::time_point give_up) {
    return [this, &context = context_, peer = peer_, action = std::move(action), give_up] {
      return std::visit(
          [&](auto& what) {
            if constexpr (requires { account_of(what); }) {
              return guess(
                  context, peer, what, [&](Duration delay) { return later(action, give_up, delay); }, give_up);
            } else {
              return run(context, peer, what);
            }
          },
          *action);
    };
  }

  // On a worker: these must not touch the session, but may hand it results from the Resume, which runs on the loop.

  /// A password or proof is looked at when the throttle lets it; until then the connection is held back and no worker
  /// waits.
  template <class Guess, class Later>
  net::Resume guess(ConnectionContext& context, const net::Peer& peer, Guess& what, Later later,
                    steady_clock::time_point give_up) {
    auto attempt = context.throttle.begin(account_of(what), peer.network);
    if (attempt) return check(context, peer, what, *attempt);
    if (steady_clock::now() < give_up) return later(std::min(attempt.error(), ask_again));
    context.log.info("smtp.auth_throttled",
                     {{"account", loggable(context, account_of(what))}, {"client", peer.address}});
    return [this] { return step(session_->login_result(Error::temporary("too many wrong logins"))); };
  }

  net::Resume later(std::shared_ptr<Action> action, steady_clock::time_point give_up, Duration delay) {
    return [this, action = std::move(action), give_up, delay] {
      net::Step again;
      again.delay = delay;
      again.job = job(action, give_up);
      return again;
    };
  }

  net::Resume check(ConnectionContext& context, const net::Peer& peer, CheckProof& what,
                    GuessThrottle::Attempt& attempt) {
    auto checked = std::make_shared<Result<std::string>>(what.exchange.finish(what.client_final));
    settle(context, peer, account_of(what), attempt, checked->ok() ? nullptr : &checked->error());
    return [this, checked] { return step(session_->proof_result(std::move(*checked))); };
  }

  net::Resume check(ConnectionContext& context, const net::Peer& peer, CheckLogin& what,
                    GuessThrottle::Attempt& attempt) {
    auto checked = std::make_shared<Result<Account>>(context.accounts.verify(what.name, what.password));
    settle(context, peer, account_of(what), attempt, checked->ok() ? nullptr : &checked->error());
    return [this, checked] { return step(session_->login_result(std::move(*checked))); };
  }

  static void settle(ConnectionContext& context, const net::Peer& peer, const std::string& name,
                     GuessThrottle::Attempt& attempt, const Error* refused) {
    if (refused == nullptr) return attempt.right();
    if (refused->kind != ErrorKind::Invalid) return context.log.failure("smtp.auth_unavailable", *refused);
    attempt.wrong();
    context.auth_failures.add();
    context.log.info("smtp.auth_failed", {{"account", loggable(context, name)}, {"client", peer.address}});
  }

  /// A password typed into the field of the name must not reach the log: only names that exist are logged.
  static std::string loggable(ConnectionContext& context, const std::string& name) {
    return context.accounts.find(name) ? name : "-";
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, FindVerifier& what) {
    auto found = std::make_shared<Result<ScramVerifier>>(context.accounts.scram_verifier(what.name));
    return [this, found] { return step(session_->verifier_result(std::move(*found))); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, FindAccount& what) {
    auto found = std::make_shared<Result<Account>>(context.accounts.find(what.name));
    return [this, found] { return step(session_->login_result(std::move(*found))); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer& peer, CheckRoom& what) {
    std::optional<IntakeError> refusal;
    if (auto unchanged = context.accounts.unchanged(what.account); !unchanged) {
      const Error& why = unchanged.error();
      if (why.kind == ErrorKind::Invalid) {
        context.log.info("smtp.account_changed", {{"account", what.account.name}, {"client", peer.address}});
        return [this] { return step(session_->account_changed()); };
      }
      refusal = IntakeError{Refusal::StoreAway, "temporarily unavailable", why.internal_detail};
    }
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
    auto result = std::make_shared<Result<Admission, IntakeError>>(std::move(admitted));
    return [this, result] { return step(session_->recipient_result(std::move(*result))); };
  }

  net::Resume run(ConnectionContext& context, const net::Peer&, TakeMessage& what) {
    const std::string account = what.submission.account.name;
    const std::size_t size = what.submission.message.size();
    auto taken = context.sink.accept(std::move(what.submission));
    if (taken && !taken->first_answer) context.counts.accept(what.ended);
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
  std::uint64_t progress_ = 0;  ///< the session's, when the deadline was set
  steady_clock::time_point deadline_;
};

}  // namespace

std::unique_ptr<net::Conversation> make_connection(ConnectionContext& context) {
  return std::make_unique<Connection>(context);
}

}  // namespace sealpost::smtp
