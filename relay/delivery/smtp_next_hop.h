// SPDX-License-Identifier: Apache-2.0
// A fixed SMTP or LMTP next hop, which takes everything.
#pragma once

#include <memory>

#include "relay/delivery/next_hop.h"
#include "relay/delivery/smtp_connections.h"

namespace sealpost {

class SmtpNextHop final : public NextHop {
 public:
  SmtpNextHop(SmtpTarget target, SmtpConnectionsOptions options, const PollableFlag& stop)
      : target_(std::make_shared<const SmtpTarget>(std::move(target))), connections_(options, stop) {}

  Attempt attempt(const Claim& claim, DeliveryBody& body) override {
    return connections_.attempt(target_, claim, body);
  }
  void tidy() override { connections_.tidy(); }

 private:
  std::shared_ptr<const SmtpTarget> target_;
  SmtpConnections connections_;
};

}  // namespace sealpost
