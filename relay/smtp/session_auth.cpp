// SPDX-License-Identifier: Apache-2.0
// AUTH of session.h (RFC 4954): PLAIN (RFC 4616), LOGIN and SCRAM-SHA-256. Responses are never logged and wiped after
// use.
#include "base/encoding.h"
#include "relay/smtp/session.h"

namespace sealpost::smtp {

void Session::auth(std::string_view argument) {
  if (account_) return fault(503, "5.5.1", "already authenticated");
  if (argument.empty()) return fault(501, "5.5.4", "AUTH needs a mechanism");
  const auto space = argument.find(' ');
  const std::string mechanism = ascii_lower(argument.substr(0, space));
  if (mechanism == "plain") {
    auth_step_ = AuthStep::Plain;
  } else if (mechanism == "login") {
    auth_step_ = AuthStep::LoginName;
  } else if (mechanism == "scram-sha-256") {
    auth_step_ = AuthStep::ScramFirst;
  } else {
    return fault(504, "5.5.4", "mechanism not offered");
  }
  if (space != std::string_view::npos) {
    const auto initial = argument.substr(space + 1);
    return auth_line(initial == "=" ? std::string_view() : initial);  // "=" is an empty initial response
  }
  challenge(auth_step_ == AuthStep::LoginName ? "Username:" : "");
}

void Session::challenge(std::string_view text) {
  output_.replies += "334 " + to_base64(text) + "\r\n";
  mode_ = Mode::AuthLine;
}

void Session::auth_line(std::string_view line) {
  mode_ = Mode::Command;
  if (line == "*") {
    auth_step_ = AuthStep::None;
    return reply(501, "5.7.0", "authentication cancelled");
  }
  const auto response = from_base64_wiped(line);
  if (!response) {
    auth_step_ = AuthStep::None;
    return fault(501, "5.5.2", "not base64");
  }
  auth_response(*response);
}

void Session::auth_response(const WipedBuffer& response) {
  switch (auth_step_) {
    case AuthStep::Plain:
      return plain(response);
    case AuthStep::LoginName:
      login_name_ = view(response);
      auth_step_ = AuthStep::LoginPassword;
      return challenge("Password:");
    case AuthStep::LoginPassword:
      auth_step_ = AuthStep::None;
      return act(CheckLogin{login_name_, Secret::copy_of(view(response))});
    case AuthStep::ScramFirst:
      return scram_first(response);
    case AuthStep::ScramFinal:
      return scram_final(response);
    case AuthStep::ScramDone:
      auth_step_ = AuthStep::None;
      if (!response.empty()) return auth_failed();
      return act(FindAccount{login_name_});
    case AuthStep::None:
      return auth_failed();
  }
}

/// [authzid] NUL authcid NUL password; another identity than one's own cannot be assumed.
void Session::plain(const WipedBuffer& response) {
  auth_step_ = AuthStep::None;
  const auto text = view(response);
  const auto first = text.find('\0');
  const auto second = first == std::string_view::npos ? first : text.find('\0', first + 1);
  if (second == std::string_view::npos) return fault(501, "5.5.2", "malformed PLAIN response");
  const auto authzid = text.substr(0, first);
  const auto name = text.substr(first + 1, second - first - 1);
  if (!authzid.empty() && authzid != name) return auth_failed();
  act(CheckLogin{std::string(name), Secret::copy_of(text.substr(second + 1))});
}

void Session::scram_first(const WipedBuffer& response) {
  auto exchange = ScramExchange::begin(view(response), random_);
  if (!exchange) {
    auth_step_ = AuthStep::None;
    return auth_failed();
  }
  scram_ = std::move(*exchange);
  login_name_ = scram_->name();
  act(FindVerifier{login_name_});
}

Session::Output Session::verifier_result(Result<ScramVerifier> result) {
  go_on();
  if (!result) return login_result(result.error());
  auth_step_ = AuthStep::ScramFinal;
  challenge(scram_->challenge(std::move(*result)));
  return advance();
}

void Session::scram_final(const WipedBuffer& response) {
  CheckProof check{std::move(*scram_), std::string(view(response))};
  scram_.reset();
  act(std::move(check));
}

Session::Output Session::proof_result(Result<std::string> result) {
  if (!result) return login_result(result.error());
  go_on();
  auth_step_ = AuthStep::ScramDone;
  challenge(*result);
  return advance();
}

void Session::auth_failed() { fault(535, "5.7.8", "authentication failed"); }

Session::Output Session::login_result(Result<Account> result) {
  go_on();
  auth_step_ = AuthStep::None;
  scram_.reset();
  login_name_.clear();
  if (result) {
    account_ = std::move(*result);
    reply(235, "2.7.0", "authentication succeeded");
  } else if (result.error().kind == ErrorKind::Temporary || result.error().kind == ErrorKind::Internal) {
    reply(454, "4.7.0", "temporary authentication failure");
  } else {
    auth_failed();
  }
  return advance();
}

}  // namespace sealpost::smtp
