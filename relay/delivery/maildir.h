// SPDX-License-Identifier: Apache-2.0
// Delivers into a maildir per recipient (https://cr.yp.to/proto/maildir.html); for demos, tests and archives.
#pragma once

#include <string>

#include "relay/delivery/next_hop.h"

namespace sealpost {

class Maildir final : public NextHop {
 public:
  Maildir(std::string root, std::string hostname) : root_(std::move(root)), hostname_(std::move(hostname)) {}

  Attempt attempt(const Claim& claim, DeliveryBody& body) override;

 private:
  Outcome deliver(const Claim& claim, DeliveryBody& body);
  std::string root_;
  std::string hostname_;
};

}  // namespace sealpost
