// SPDX-License-Identifier: Apache-2.0
// The server side of TLS: certificate and key from PEM files, TLS 1.2 or newer, session resumption, reload without a
// restart.
#pragma once

#include <Poco/Net/Context.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sealpost::net {

class TlsContext final {
 public:
  /// Invalid when a file cannot be read, the key does not fit the certificate, or the certificate has expired.
  static Result<std::unique_ptr<TlsContext>> load(std::string certificate_file, std::string private_key_file);
  /// Reads the files again; on an error the old context stays in use.
  Status reload();
  /// The context for the next handshake.
  [[nodiscard]] Poco::Net::Context::Ptr current() const;
  /// When the certificate that is served ends.
  [[nodiscard]] Result<Time> not_after() const;

 private:
  TlsContext(std::string certificate_file, std::string private_key_file, Poco::Net::Context::Ptr context);
  std::string certificate_file_;
  std::string private_key_file_;
  mutable std::mutex mutex_;
  Poco::Net::Context::Ptr context_;
};

/// Writes a self-signed P-256 certificate for the host name (10 years) and its key (mode 0600), unless both files
/// exist.
Status make_self_signed(const std::string& certificate_file, const std::string& private_key_file,
                        const std::string& hostname);

}  // namespace sealpost::net
