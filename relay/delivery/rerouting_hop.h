// SPDX-License-Identifier: Apache-2.0
// The next hop of the settings, and those that operators sent deliveries to instead (`queue reroute`).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "conf/settings.h"
#include "relay/delivery/next_hop.h"

namespace sealpost {

class ReroutingHop final : public NextHop {
 public:
  using Make = std::function<Result<std::unique_ptr<NextHop>>(const Route&)>;
  /// `usual_name`: route_name of the settings; deliveries with another destination go to a hop that `make` gives for
  /// it.
  ReroutingHop(std::string usual_name, std::unique_ptr<NextHop> usual, Make make)
      : usual_name_(std::move(usual_name)), usual_(std::move(usual)), make_(std::move(make)) {}

  Attempt attempt(const Claim& claim, DeliveryBody& body) override;
  void tidy() override;

 private:
  struct Other {
    std::shared_ptr<NextHop> hop;
    std::chrono::steady_clock::time_point last;
  };
  [[nodiscard]] bool is_usual(const std::string& destination) const;
  Result<std::shared_ptr<NextHop>> other(const std::string& destination);

  std::string usual_name_;
  std::unique_ptr<NextHop> usual_;
  Make make_;
  std::mutex mutex_;
  std::map<std::string, Other> others_;  ///< by route as to_text gives it
};

}  // namespace sealpost
