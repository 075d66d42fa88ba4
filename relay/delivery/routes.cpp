// SPDX-License-Identifier: Apache-2.0
// Implements routes.h.
#include "relay/delivery/routes.h"

#include "conf/loader.h"
#include "relay/delivery/maildir.h"
#include "relay/delivery/smtp_next_hop.h"

namespace sealpost {
namespace {

/// delivery.route = mx: nothing leaves until MX hosts can be looked up. Mail waits visibly, with the reason.
class NoRoute final : public NextHop {
 public:
  Attempt attempt(const Claim&, DeliveryBody&) override {
    return {Deferred{"this version does not look up MX hosts: set delivery.route to a next hop", "4.4.4"}, {}};
  }
};

}  // namespace

std::string route_name(const Route& route) {
  const std::string place = route.host + ":" + std::to_string(route.port);
  switch (route.kind) {
    case Route::Kind::Mx:
      return {};
    case Route::Kind::Smtp:
      return "smtp://" + place;
    case Route::Kind::Smtps:
      return "smtps://" + place;
    case Route::Kind::Lmtp:
      return "lmtp://" + place;
    case Route::Kind::Maildir:
      return "maildir";
  }
  return {};
}

Result<SmtpTarget> smtp_target(const Settings& settings) {
  SmtpTarget target;
  target.kind = settings.delivery.route.kind;
  target.host = settings.delivery.route.host;
  target.port = settings.delivery.route.port;
  target.helo = settings.relay.hostname;
  target.tls = settings.delivery.tls;
  target.username = settings.delivery.username;
  if (!settings.delivery.password_file.empty()) {
    auto password = read_secret_file(settings.delivery.password_file);
    if (!password) return password.error();
    target.password = std::move(*password);
  }
  return target;
}

Result<std::unique_ptr<NextHop>> make_next_hop(const Settings& settings, const PollableFlag& stop, Log& log) {
  const Route& route = settings.delivery.route;
  if (route.kind == Route::Kind::Mx) {
    log.warning("delivery.no_route", {{"hint", "set delivery.route to smtp://, smtps://, lmtp:// or maildir:"}});
    return std::unique_ptr<NextHop>(std::make_unique<NoRoute>());
  }
  if (route.kind == Route::Kind::Maildir) {
    return std::unique_ptr<NextHop>(std::make_unique<Maildir>(route.path, settings.relay.hostname));
  }
  auto target = smtp_target(settings);
  if (!target) return target.error();
  return std::unique_ptr<NextHop>(std::make_unique<SmtpNextHop>(std::move(*target), settings.notify.tls, stop));
}

}  // namespace sealpost
