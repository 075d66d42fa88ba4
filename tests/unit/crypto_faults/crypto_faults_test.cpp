// SPDX-License-Identifier: Apache-2.0
// Every OpenSSL call of ours is failed once, and every allocation of OpenSSL's: the outcome is an Error or a sound
// result, never a crash, a half-done one or plaintext, and the next try succeeds.
#include <gmock/gmock.h>
#include <openssl/err.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <optional>
#include <ostream>
#include <sstream>

#include "crypto/cms_seal.h"
#include "crypto/der.h"
#include "crypto/master_key.h"
#include "crypto/pkcs12.h"
#include "crypto/sealer.h"
#include "tests/support/build.h"
#include "tests/unit/crypto/seal_fixture.h"
#include "tests/unit/crypto_faults/faults.h"

namespace sealpost {
namespace {

const std::string canary = "CANARY-0b5e";
const std::string entity = "Content-Type: text/plain\r\n\r\nDear Bob, " + canary + "\r\n";
const std::string message = "Subject: x\r\n\r\nDear Bob, " + canary + "\r\n";

/// What one run of the action under test came to.
struct Outcome {
  std::optional<Error> error;
  std::string product;
};
using Action = std::function<Outcome()>;
/// Empty when a product is whole; else what is wrong with it.
using Check = std::function<std::string(const std::string& product)>;

template <class T>
Outcome outcome(Result<T> result) {
  if (!result) return {result.error(), {}};
  return {{}, std::string(result->data(), result->size())};
}

std::string quoted(const Error& error) { return error.public_text + " / " + error.internal_detail; }

void expect_clean(const Outcome& outcome, const Check& check, const std::string& what) {
  if (outcome.error) {
    EXPECT_EQ(quoted(*outcome.error).find(canary), std::string::npos) << what;
    EXPECT_NE(outcome.error->kind, ErrorKind::NotFound) << what;
  } else {
    EXPECT_EQ(check(outcome.product), "") << what;
  }
}

/// "No such key type" is what most keys are; a certificate that cannot be shared is parsed anew.
bool is_also_an_answer(const std::string& function) { return function == "EVP_PKEY_is_a" || function == "X509_up_ref"; }

/// The last pushes put both recipients back into the room that they had, which cannot fail.
int put_back(const std::string& function) { return function == "OPENSSL_sk_push" ? 2 : 0; }

int sum_of(const std::map<std::string, int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0, [](int sum, const auto& row) { return sum + row.second; });
}

/// `prepare` makes what an action needs afresh (a certificate that was not seen yet); its own calls never fail.
void fail_every_call(const Action& action, const Check& check, const std::function<void()>& prepare) {
  Outcome whole;
  const auto count = [&] {
    prepare();
    return faults::calls_of([&] { whole = action(); });
  };
  // The shorter of two ways: a file for gpgsm has to be made once more now and then.
  const auto counts = std::min(count(), count(), [](const auto& a, const auto& b) { return sum_of(a) < sum_of(b); });
  ASSERT_FALSE(whole.error) << quoted(*whole.error);
  expect_clean(whole, check, "without a fault");
  ASSERT_FALSE(counts.empty());
  for (const auto& [function, calls] : counts) {
    for (int nth = 1; nth <= calls - put_back(function); ++nth) {
      const std::string what = "call " + std::to_string(nth) + " of " + function;
      SCOPED_TRACE(what);
      prepare();
      Outcome failed;
      ASSERT_TRUE(faults::with_failing_call(function, nth, [&] { failed = action(); })) << "never came";
      EXPECT_TRUE(failed.error.has_value() || is_also_an_answer(function)) << "went on after a failed call";
      expect_clean(failed, check, what);
      const auto next = action();
      EXPECT_FALSE(next.error.has_value()) << "the next try: " << quoted(*next.error);
    }
  }
}

/// OpenSSL survives the loss of some allocations (error texts, caches): such a product must be whole all the same.
void fail_every_allocation(const Action& action, const Check& check, const std::function<void()>& prepare,
                           int stride = 1) {
  int one_by_one = 300;  // where structures are made; behind them numbers and digests come in long rows
  if (test::sanitized()) {
    one_by_one = 0;
    stride *= 7;  // each run costs several times as much
  }
  prepare();
  expect_clean(action(), check, "warm-up: what is made once per process is not at stake");
  int errors = 0;
  for (int nth = 1;; nth += nth < one_by_one ? 1 : stride) {
    prepare();
    Outcome failed;
    const bool came = faults::with_failing_allocation(nth, [&] { failed = action(); });
    if (!came) {
      ASSERT_FALSE(failed.error) << quoted(*failed.error);
      break;
    }
    errors += failed.error ? 1 : 0;
    expect_clean(failed, check, "allocation " + std::to_string(nth));
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  EXPECT_GT(errors, 0);
  const auto next = action();
  EXPECT_FALSE(next.error.has_value());
}

const auto nothing = [] {};

struct SealCase {
  std::string name;
  ContentCipher cipher;
  KeyType key;
};
void PrintTo(const SealCase& value, std::ostream* out) { *out << value.name; }

class SealFaults : public ::testing::TestWithParam<SealCase> {
 protected:
  void SetUp() override { refresh(); }

  /// Two recipients, so that a mix-up of heads would show; new certificates, so that none is known to be sound.
  void refresh() {
    certificates_.clear();
    for (const auto* key : {&first_, &second_}) certificates_.push_back(test::self_signed("bob", key->get()));
  }

  Outcome seal() {
    const Sealer sealer({KeyType::Rsa2048, GetParam().cipher});
    auto sealed = sealer.seal(split_message(message).value(), certificates_, {});
    if (!sealed) return {sealed.error(), {}};
    std::string all = std::to_string(sealed->heads().size());
    for (std::size_t i = 0; i < sealed->heads().size(); ++i) {
      const auto cms = test::cms_of(*sealed, i);
      all += " " + std::to_string(cms.size()) + " " + cms;
    }
    return {{}, all};
  }

  std::string wrong_with(const std::string& product) {
    if (product.find(canary) != std::string::npos) return "plaintext";
    std::istringstream stream(product);
    std::size_t heads = 0;
    stream >> heads;
    if (heads != 2) return "a recipient is missing";
    for (const auto* key : {&first_, &second_}) {
      std::size_t size = 0;
      stream >> size;
      stream.get();
      std::string cms(size, '\0');
      stream.read(cms.data(), static_cast<std::streamsize>(size));
      if (auto wrong = wrong_with_cms(cms, key->get()); !wrong.empty()) return wrong;
    }
    return {};
  }

  std::string wrong_with_cms(const std::string& der, EVP_PKEY* key) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
    if (!cms) return "no CMS";
    if (sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get())) != 1) return "more or fewer than one recipient";
    const std::string sha256_kdf("\x2b\x81\x04\x01\x0b\x01", 6);
    if (GetParam().key == KeyType::P256 && der.find(sha256_kdf) == std::string::npos) return "another KDF";
    const BioPtr out(BIO_new(BIO_s_mem()));
    if (CMS_decrypt(cms.get(), key, nullptr, nullptr, out.get(), CMS_BINARY) != 1) return "it does not open";
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return std::string_view(text, static_cast<std::size_t>(size)) == entity ? "" : "another text";
  }

  const Action action_ = [this] { return seal(); };
  const Check check_ = [this](const std::string& product) { return wrong_with(product); };
  PkeyPtr first_ = generate_key(GetParam().key).value();
  PkeyPtr second_ = generate_key(GetParam().key).value();
  std::vector<std::string> certificates_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, SealFaults,
                         ::testing::Values(SealCase{"CbcRsa", ContentCipher::Aes256Cbc, KeyType::Rsa2048},
                                           SealCase{"CbcEc", ContentCipher::Aes256Cbc, KeyType::P256},
                                           SealCase{"GcmRsa", ContentCipher::Aes256Gcm, KeyType::Rsa2048},
                                           SealCase{"GcmEc", ContentCipher::Aes256Gcm, KeyType::P256}),
                         [](const auto& info) { return info.param.name; });

TEST_P(SealFaults, EveryCallFailsOnceForANewCertificate) {
  fail_every_call(action_, check_, [this] { refresh(); });
}
TEST_P(SealFaults, EveryCallFailsOnceForAKnownCertificate) {
  ASSERT_FALSE(seal().error);
  fail_every_call(action_, check_, nothing);
}
TEST_P(SealFaults, EveryAllocationFailsOnceForAKnownCertificate) { fail_every_allocation(action_, check_, nothing); }
TEST_P(SealFaults, EveryAllocationFailsOnceForANewCertificate) {
  int ours = 0;
  const Action check_only = [&]() -> Outcome {
    auto usable = usable_certificate(certificates_.front());
    if (!usable) ours += usable.error().kind == ErrorKind::Internal ? 1 : 0;
    if (!usable) return {usable.error(), {}};
    return {{}, "usable"};
  };
  const Check is_usable = [](const std::string& product) { return product == "usable" ? "" : "nothing"; };
  // The search for a prime modulus allocates thousands of numbers, one like the other, and costs milliseconds.
  const int stride = GetParam().key == KeyType::P256 ? 3 : 17;
  fail_every_allocation(
      check_only, is_usable, [this] { refresh(); }, stride);
}

class MasterKeyFaults : public ::testing::Test {
 protected:
  MasterKeyFaults() { EXPECT_TRUE(MasterKey::create(path_, random_)); }
  SystemRandom random_;
  test::TempDir dir_;
  const std::string path_ = dir_ / "master.key";
};

TEST_F(MasterKeyFaults, Wrap) {
  auto key = MasterKey::load(path_, random_).value();
  const Action wrap = [&] { return outcome(key.wrap(Purpose::HeaderBlock, "context", entity)); };
  const Check check = [&](const std::string& blob) -> std::string {
    if (blob.find(canary) != std::string::npos) return "plaintext";
    const auto opened = key.unwrap(Purpose::HeaderBlock, "context", blob);
    return opened && view(*opened) == entity ? "" : "it does not open";
  };
  fail_every_call(wrap, check, nothing);
  fail_every_allocation(wrap, check, nothing);
}

TEST_F(MasterKeyFaults, Unwrap) {
  auto key = MasterKey::load(path_, random_).value();
  const auto blob = key.wrap(Purpose::HeaderBlock, "context", entity).value();
  const Action unwrap = [&] { return outcome(key.unwrap(Purpose::HeaderBlock, "context", blob)); };
  const Check check = [](const std::string& opened) { return opened == entity ? "" : "another text"; };
  fail_every_call(unwrap, check, nothing);
  fail_every_allocation(unwrap, check, nothing);
}

TEST_F(MasterKeyFaults, Load) {
  auto key = MasterKey::load(path_, random_).value();
  const auto blob = key.wrap(Purpose::Notice, "", entity).value();
  std::optional<MasterKey> loaded;
  const Action load = [&]() -> Outcome {
    loaded.reset();
    auto result = MasterKey::load(path_, random_);
    if (!result) return {result.error(), {}};
    loaded.emplace(std::move(*result));
    return {};
  };
  const Check check = [&](const std::string&) {
    return loaded->unwrap(Purpose::Notice, "", blob) ? "" : "another key";
  };
  fail_every_call(load, check, nothing);
  fail_every_allocation(load, check, nothing);
}

struct FileCase {
  std::string name;
  Pkcs12Format format;
};
void PrintTo(const FileCase& value, std::ostream* out) { *out << value.name; }

class Pkcs12Faults : public ::testing::TestWithParam<FileCase> {};
INSTANTIATE_TEST_SUITE_P(Formats, Pkcs12Faults,
                         ::testing::Values(FileCase{"Modern", Pkcs12Format::Modern},
                                           FileCase{"Compatible", Pkcs12Format::Compatible}),
                         [](const auto& info) { return info.param.name; });

TEST_P(Pkcs12Faults, FileIsWholeOrNone) {
  const auto bob = test::make_recipient("bob", KeyType::P256);
  const auto ca = test::make_recipient("ca", KeyType::P256);
  const auto certificate = usable_certificate(bob.certificate).value().certificate;
  const auto chain = usable_certificate(ca.certificate).value().certificate;
  const Pkcs12Content content{bob.key.get(), certificate.get(), {chain.get()}, "bob"};
  const std::string password = "a-password-" + canary;
  const Action make = [&] { return outcome(make_pkcs12(content, GetParam().format, Secret::copy_of(password))); };
  const Check check = [&](const std::string& file) -> std::string {
    const auto* at = reinterpret_cast<const unsigned char*>(file.data());
    const Pkcs12Ptr parsed(d2i_PKCS12(nullptr, &at, static_cast<long>(file.size())));
    EVP_PKEY* key = nullptr;
    X509* own = nullptr;
    STACK_OF(X509)* others = nullptr;
    if (!parsed || PKCS12_parse(parsed.get(), password.c_str(), &key, &own, &others) != 1) return "it does not open";
    const PkeyPtr key_owner(key);
    const X509Ptr own_owner(own);
    const X509StackPtr others_owner(others);
    const bool whole = EVP_PKEY_eq(key, bob.key.get()) == 1 && own != nullptr && sk_X509_num(others) == 1;
    return whole ? "" : "something is missing";
  };
  fail_every_call(make, check, nothing);
  // 100,000 iterations each: the modern form's allocations, of the same calls, would take minutes; and each iteration
  // of the older key derivation allocates.
  constexpr int stride = 97;
  if (GetParam().format == Pkcs12Format::Compatible) fail_every_allocation(make, check, nothing, stride);
}

TEST(CertificateFaults, CertificateIsWholeOrNone) {
  const auto ca = test::make_recipient("ca", KeyType::P256);
  const auto issuer = usable_certificate(ca.certificate).value().certificate;
  const auto key = generate_key(KeyType::P256).value();
  SystemRandom random;
  const Time now = SystemClock().now();
  const Action issue = [&] {
    return outcome(CertificateBuilder(key.get(), issuer.get())
                       .serial(random)
                       .validity(now, now + std::chrono::hours(1))
                       .subject("bob", "organisation")
                       .extension(NID_basic_constraints, "critical,CA:FALSE")
                       .extension(NID_key_usage, "critical,digitalSignature,keyAgreement")
                       .extension_der(NID_subject_alt_name, true, std::string("\x30\x00", 2))
                       .sign(ca.key.get()));
  };
  const Check check = [&](const std::string& der) -> std::string {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const X509Ptr made(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!made || X509_verify(made.get(), ca.key.get()) != 1) return "its signature does not hold";
    return X509_get_ext_count(made.get()) == 5 && X509_NAME_entry_count(X509_get_subject_name(made.get())) == 2
               ? ""
               : "something is missing";
  };
  fail_every_call(issue, check, nothing);
  fail_every_allocation(issue, check, nothing);
}

/// A call that is added to these files is added here, or this fails.
TEST(Coverage, EveryOpensslCallOfTheSealingPathCanFail) {
  const auto listed = test::run({"nm", "-u", "-A", test::build_directory() / "crypto/libsealpost_crypto.a"});
  ASSERT_EQ(listed.status, 0) << listed.err;
  const std::set<std::string> files = {"cms_seal",    "sealer", "aes_gcm", "pkcs12", "certificate_builder",
                                       "outer_header"};
  // These give nothing back that could tell a failure, or only read what stands there.
  const std::set<std::string> harmless = {// Addresses of constants.
                                          "BIO_s_null",
                                          "EVP_aes_256_cbc",
                                          "EVP_aes_256_gcm",
                                          "EVP_sha1",
                                          "EVP_sha256",
                                          "X509_ALGOR_get0",
                                          "ASN1_put_object",
                                          "CRYPTO_free",
                                          "ERR_clear_error",
                                          "ERR_get_error",
                                          "OPENSSL_cleanse",
                                          "OPENSSL_sk_pop_free",
                                          "OPENSSL_sk_zero",
                                          "OSSL_PARAM_construct_end",
                                          "X509V3_set_ctx",
                                          "X509_getm_notAfter",
                                          "X509_getm_notBefore",
                                          "OSSL_PARAM_construct_octet_string",
                                          "OSSL_PARAM_construct_utf8_string"};
  std::istringstream lines(listed.out);
  std::string line;
  std::size_t seen = 0;
  while (std::getline(lines, line)) {
    const auto object = line.find(".cpp.o:");
    if (object == std::string::npos) continue;
    const auto begin = line.find_last_of(":/", object - 1) + 1;
    const auto name = line.substr(line.rfind(' ') + 1);
    const bool openssl = std::isupper(name[0]) != 0 || name.starts_with("i2d_") || name.starts_with("d2i_");
    if (!files.contains(line.substr(begin, object - begin)) || !openssl) continue;
    ++seen;
    if (name.ends_with("_free") || name.ends_with("_free_all") || harmless.contains(name)) continue;
    EXPECT_TRUE(faults::interposed().contains(name)) << name;
  }
  EXPECT_GT(seen, 40U);
}

}  // namespace
}  // namespace sealpost

int main(int argc, char** argv) {
  if (!sealpost::faults::take_over_allocations()) return 70;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
