// SPDX-License-Identifier: Apache-2.0
// The key server's HTTP routes: look a public key up, have one assigned, fetch the CA certificates.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/http/router.h"
#include "crypto/crl_publisher.h"
#include "crypto/key_directory.h"

namespace sealpost {

struct KeyRoutesContext {
  KeyDirectory& directory;
  CrlPublisher& crl;
  const Clock& clock;
  std::string ca_pem;  ///< issuing and root CA
  /// Counts the new address against the account's limit (notify.max_new_per_account); false beyond it.
  std::function<Result<bool>(const std::string& account, const EmailAddress& address)> may_assign;
  /// A notification became due.
  std::function<void()> assigned;
  /// The code of a notification that keeps it back for the sender (notify.code_to), by its row (Assignment::row_id).
  std::function<std::optional<Secret>(const std::string& row_id)> code_of = [](const std::string&) {
    return std::nullopt;
  };
};

/// GET /v1/ca and /v1/crl, GET and PUT /v1/keys/{address}, POST /v1/keys. The context must outlive the routes.
std::vector<http::Route> key_routes(KeyRoutesContext& context);

}  // namespace sealpost
