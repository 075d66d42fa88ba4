// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a certificate that a recipient uploads. What is accepted must read as itself, and no more of it than
// what is uploaded decides.
#include "crypto/own_certificate.h"

#include <cstdint>
#include <string>

#include "crypto/certificate.h"
#include "crypto/cms_seal.h"
#include "crypto/private_key_traces.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sealpost::fuzz::require;
  const std::string upload(reinterpret_cast<const char*>(data), size);
  static const auto address = sealpost::EmailAddress::parse("bob@example.com").value();
  static const auto policy = [] {
    sealpost::OwnCertificatePolicy made;
    made.accept_self_signed = true;
    return made;
  }();
  // When the corpus was made.
  const auto now = sealpost::from_milliseconds(1'790'000'000'000);
  const auto judged = sealpost::judge_own_certificate(upload, address, now, policy);
  require(judged.ok(), "nothing in an upload is a fault of ours");
  const auto& verdict = *judged;
  if (!verdict) {
    require(!verdict.error().sentence.empty(), "a refusal has words");
    return 0;
  }
  require(!sealpost::holds_private_key(upload), "private keys are refused before all else");
  require(sealpost::usable_certificate(verdict->der).ok(), "a mail can be sealed to it");
  require(verdict->not_after >= now, "not expired");
  const auto again = sealpost::judge_own_certificate(verdict->der, address, now, policy);
  require(again && *again, "accepted alone, too");
  require((*again)->fingerprint == verdict->fingerprint, "the same one");
  const auto pem = sealpost::to_pem(verdict->der);
  require(pem.ok(), "PEM can be made of it");
  const auto in_text = sealpost::judge_own_certificate("text\n" + *pem + "text", address, now, policy);
  require(in_text && *in_text, "accepted as PEM, too");
  return 0;
}
