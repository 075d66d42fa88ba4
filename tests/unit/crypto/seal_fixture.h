// SPDX-License-Identifier: Apache-2.0
// Recipients with self-signed certificates, and sealed messages opened by the real openssl program.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/random.h"
#include "base/sealed_message.h"
#include "crypto/certificate_builder.h"
#include "crypto/private_key.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

struct Recipient {
  std::string name;
  PkeyPtr key;
  std::string certificate;  ///< DER
};

/// A self-signed certificate over any key.
inline std::string self_signed(const std::string& name, EVP_PKEY* key) {
  SystemRandom random;
  const Time now = SystemClock().now();
  return CertificateBuilder(key, nullptr)
      .serial(random)
      .validity(now - std::chrono::hours(1), now + std::chrono::hours(24))
      .subject(name)
      .extension(NID_ext_key_usage, "emailProtection")
      .sign(key)
      .value();
}

inline Recipient make_recipient(const std::string& name, KeyType type) {
  Recipient recipient{name, generate_key(type).value(), {}};
  recipient.certificate = self_signed(name, recipient.key.get());
  return recipient;
}

/// The CMS that leaves for one recipient.
inline std::string cms_of(const SealedMessage& sealed, std::size_t recipient) {
  const auto& head = sealed.heads().at(recipient);
  return head.der + sealed.contents().at(head.content).octets;
}

/// What `openssl cms -decrypt` makes of it with one recipient's key; nothing when it refuses.
inline std::optional<std::string> openssl_decrypt(const std::string& cms, const Recipient& recipient) {
  const TempDir dir;
  const auto key = to_der(recipient.key.get()).value();
  const auto opened = run({"openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", dir.write("cms", cms),
                           "-keyform", "DER", "-inkey", dir.write("key", std::string(view(key))), "-recip",
                           dir.write("certificate", recipient.certificate)});
  if (opened.status != 0) return std::nullopt;
  return opened.out;
}

}  // namespace sealpost::test
