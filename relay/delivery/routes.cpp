// SPDX-License-Identifier: Apache-2.0
// Implements routes.h.
#include "relay/delivery/routes.h"

#include <vector>

#include "conf/loader.h"
#include "conf/values.h"
#include "relay/delivery/maildir.h"
#include "relay/delivery/mx_next_hop.h"
#include "relay/delivery/rerouting_hop.h"
#include "relay/delivery/smtp_next_hop.h"
#include "relay/delivery/unbound_resolver.h"

namespace sealpost {
namespace {

/// Where this relay takes mail, as far as the settings tell: what listens on a free port is nobody's MX host.
OwnAddresses own_addresses(const SmtpSettings& smtp) {
  std::vector<Poco::Net::SocketAddress> listeners;
  for (const auto& listen : {smtp.listen, smtp.listen_tls}) {
    auto place = parse_host_port(listen);
    if (!place || place->port == 0 || !is_numeric_address(place->host)) continue;
    // Poco's parser refuses "::".
    const auto host = place->host == "::" ? Poco::Net::IPAddress(Poco::Net::IPAddress::IPv6)
                                          : Poco::Net::IPAddress::parse(place->host);
    listeners.emplace_back(host, place->port);
  }
  return OwnAddresses(std::move(listeners));
}

Result<std::unique_ptr<NextHop>> make_mx(const Settings& settings, const SmtpConnectionsOptions& connections,
                                         Random& random, const PollableFlag& stop) {
  auto resolver = UnboundResolver::make(settings.dns.server);
  if (!resolver) return resolver.error();
  MxPolicy policy;
  policy.own_name = settings.relay.hostname;
  policy.port = settings.delivery.port;
  policy.tls = settings.delivery.tls;
  policy.domain_tls = settings.delivery.domain_tls;
  policy.allow_private = settings.delivery.allow_private;
  return std::unique_ptr<NextHop>(std::make_unique<MxNextHop>(std::move(policy), own_addresses(settings.smtp),
                                                              connections, *std::move(resolver), random, stop));
}

}  // namespace

std::string route_name(const Route& route) {
  switch (route.kind) {
    case Route::Kind::Mx:
      return {};
    case Route::Kind::Maildir:
      return "maildir";
    default:
      return to_text(route);
  }
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

Result<std::unique_ptr<NextHop>> make_next_hop(const Settings& settings, Random& random, const PollableFlag& stop,
                                               net::TlsCounts tls) {
  SmtpConnectionsOptions connections;
  connections.notify_tls = settings.notify.tls;
  connections.max_kept = settings.delivery.workers;
  connections.tls = tls;
  const Route& route = settings.delivery.route;
  Result<std::unique_ptr<NextHop>> usual = Error::internal("no next hop");
  if (route.kind == Route::Kind::Maildir) {
    usual = std::unique_ptr<NextHop>(std::make_unique<Maildir>(route.path, settings.relay.hostname));
  } else if (route.kind == Route::Kind::Mx) {
    usual = make_mx(settings, connections, random, stop);
  } else {
    auto target = smtp_target(settings);
    if (!target) return target.error();
    usual = std::unique_ptr<NextHop>(std::make_unique<SmtpNextHop>(std::move(*target), connections, stop));
  }
  if (!usual) return usual;
  const auto make_other = [&settings, connections, &random,
                           &stop](const Route& other) -> Result<std::unique_ptr<NextHop>> {
    if (other.kind == Route::Kind::Mx) return make_mx(settings, connections, random, stop);
    SmtpTarget target;
    target.kind = other.kind;
    target.host = other.host;
    target.port = other.port;
    target.helo = settings.relay.hostname;
    target.tls = settings.delivery.tls;
    return std::unique_ptr<NextHop>(std::make_unique<SmtpNextHop>(std::move(target), connections, stop));
  };
  return std::unique_ptr<NextHop>(std::make_unique<ReroutingHop>(route_name(route), std::move(*usual), make_other));
}

}  // namespace sealpost
