// SPDX-License-Identifier: Apache-2.0
// Remembers certificates that were found sound, within bounds: the check of an RSA-3072 key (its modulus must not be
// prime) costs more than 5 ms, fifty times what sealing a small mail does; parsing alone costs twice as much as
// sealing.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "crypto/cms_seal.h"

namespace sealpost {

/// Safe from any thread. Certificates are kept in parsed form; of those that have no room in it the fingerprint is.
class KnownSound final {
 public:
  /// In DER: some 8,000 usual certificates. Parsed, each takes about four times as much.
  static constexpr std::size_t max_octets = 8U << 20U;

  std::optional<UsableCertificate> find(std::string_view der);
  [[nodiscard]] bool was_checked(const std::string& fingerprint);
  void add(std::string_view der, const std::string& fingerprint, const UsableCertificate& usable);
  /// Those that are kept in parsed form, in DER.
  [[nodiscard]] std::size_t octets();

 private:
  static constexpr std::size_t max_checked = 200'000;  // about 150 octets each

  void make_room(std::size_t octets);

  std::mutex mutex_;
  std::unordered_map<std::string, UsableCertificate> parsed_;  ///< by DER
  std::size_t octets_ = 0;
  std::unordered_set<std::string> checked_;  ///< fingerprints
};

}  // namespace sealpost
