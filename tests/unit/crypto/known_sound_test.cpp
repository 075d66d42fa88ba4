// SPDX-License-Identifier: Apache-2.0
// What is remembered of certificates is bounded by its size, and nothing is of those that were only shown.
#include "crypto/known_sound.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include "crypto/own_certificate.h"
#include "tests/unit/crypto/made_certificate.h"

namespace sealpost {
namespace {

using test::Made;
using test::Wanted;

constexpr time_t at = 1'790'000'000;

/// Of nearly the largest size, and only for signatures, which is found last.
Made large() {
  Wanted wanted;
  wanted.usage = "digitalSignature";
  for (int i = 0; i < 250; ++i) wanted.alternative += ",email:" + std::string(40, 'x') + "@example.com";
  static const auto* const key = new PkeyPtr(test::ec_key("P-256"));
  EVP_PKEY_up_ref(key->get());
  return test::make_certificate(PkeyPtr(key->get()), wanted, at);
}

TEST(KnownSound, RemembersAtMostSoManyOctets) {
  KnownSound known;
  const auto usable = usable_certificate(large().der()).value();
  std::string last;
  for (std::size_t i = 0; i < 1000; ++i) {
    last = std::to_string(i) + std::string(16'000, 'x');
    known.add(last, std::to_string(i), usable);
    ASSERT_LE(known.octets(), KnownSound::max_octets);
  }
  EXPECT_TRUE(known.find(last)) << "the latest has its place";
  EXPECT_GT(known.octets(), KnownSound::max_octets / 2) << "no more go than must";
  EXPECT_TRUE(known.was_checked("0")) << "the fingerprint stays";
  const auto before = known.octets();
  known.add(last, "999", usable);
  EXPECT_EQ(known.octets(), before) << "once more the same";
}

TEST(KnownSound, CertificatesThatAreOnlyJudgedAreNotKept) {
  const auto bob = EmailAddress::parse("bob@example.com").value();
  const auto judge = [&] {
    const auto judged = judge_own_certificate(large().der(), bob, from_milliseconds(at * 1000), {{}, true});
    EXPECT_EQ(to_text((*judged).error().check), "key_usage");
  };
  judge();
  const auto before = mallinfo2().uordblks;
  for (int i = 0; i < 200; ++i) judge();
  EXPECT_LT(mallinfo2().uordblks, before + 1'000'000) << "200 of them have 3 MB in DER alone";
}

}  // namespace
}  // namespace sealpost
