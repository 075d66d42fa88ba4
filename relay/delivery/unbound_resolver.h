// SPDX-License-Identifier: Apache-2.0
// The resolver over libunbound, which keeps answers as long as their TTL says.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "relay/delivery/resolver.h"

struct ub_ctx;

namespace sealpost {

class UnboundResolver final : public Resolver {
 public:
  static constexpr int max_descriptors = 256;  ///< at most, at once

  /// `server` is dns.server: "address:port" of a resolver that is asked for everything; empty: those of
  /// /etc/resolv.conf as it is now, and none there: the root servers. Internal when libunbound cannot be set up so.
  static Result<std::unique_ptr<UnboundResolver>> make(const std::string& server);
  /// No question may be under way any more.
  ~UnboundResolver() override;
  UnboundResolver(const UnboundResolver&) = delete;
  UnboundResolver& operator=(const UnboundResolver&) = delete;

  Result<DnsAnswer<MxRecord>> mx(const std::string& domain, Deadline deadline, const PollableFlag* stop) override;
  Result<DnsAnswer<Poco::Net::IPAddress>> addresses(const std::string& host, Deadline deadline,
                                                    const PollableFlag* stop) override;

 private:
  class Question;
  struct ContextDeleter {
    void operator()(ub_ctx* context) const;
  };

  UnboundResolver() = default;
  Status configure(const std::string& server);
  /// Takes answers from libunbound and wakes who waits for them.
  void pump();

  std::unique_ptr<ub_ctx, ContextDeleter> context_;
  PollableFlag ending_;
  std::thread pump_;
};

}  // namespace sealpost
