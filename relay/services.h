// SPDX-License-Identifier: Apache-2.0
// The parts that daemon and operator's tool share, made from the settings in the right order: store, master key, CA,
// directory, accounts, queue.
#pragma once

#include <memory>

#include "base/audit_trail.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/certificate_authority.h"
#include "crypto/key_directory.h"
#include "crypto/key_life.h"
#include "crypto/key_vault.h"
#include "crypto/master_key.h"
#include "crypto/relay_identity.h"
#include "notify/webhooks.h"
#include "queue/mail_queue.h"
#include "queue/queue_actions.h"
#include "queue/queue_view.h"
#include "queue/queue_why.h"
#include "queue/suppressions.h"
#include "relay/accounts.h"
#include "relay/tokens.h"

namespace sealpost {

/// What the shared parts count.
struct ServicesCounts {
  metrics::Timing redis;
  GenerationTimes generation;
};

class Services final {
 public:
  enum class Role {
    Daemon,  ///< makes what is missing at a first start: master key, CA, signing pair
    Tool     ///< only uses what a daemon has made
  };

  static constexpr std::size_t redis_connections = 256;  ///< at most, at once

  /// Invalid: a setting or file stops the start (exit 78); Temporary: Redis cannot be reached.
  static Result<std::unique_ptr<Services>> open(const Settings& settings, const Clock& clock, Log& log, Role role,
                                                ServicesCounts counts = {});
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] Random& random();
  [[nodiscard]] redis::Client& redis();
  [[nodiscard]] Wrapper& wrapper();
  [[nodiscard]] CertificateAuthority& authority();
  /// Of the daemon alone: tools send no mail.
  /// A detached signature of the relay's own (RelayIdentity). Permanent in a tool that could not open the pair.
  Result<std::string> sign(std::string_view content);
  [[nodiscard]] KeyVault& vault();
  [[nodiscard]] AuditTrail& audit();
  [[nodiscard]] KeyDirectory& directory();
  [[nodiscard]] KeyLife& key_life();
  [[nodiscard]] Accounts& accounts();
  [[nodiscard]] Tokens& tokens();
  [[nodiscard]] MailQueue& queue();
  [[nodiscard]] QueueView& queue_view();
  [[nodiscard]] QueueActions& queue_actions();
  [[nodiscard]] QueueWhy& queue_why();
  [[nodiscard]] Suppressions& suppressions();
  [[nodiscard]] Webhooks& webhooks();

 private:
  struct Parts;
  static Result<RelayIdentity> open_identity(Parts& parts, const std::string& from, Log& log);
  explicit Services(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace sealpost
