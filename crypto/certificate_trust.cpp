// SPDX-License-Identifier: Apache-2.0
// Implements certificate_trust.h with OpenSSL's path validation.
#include "crypto/certificate_trust.h"

#include <openssl/err.h>

namespace sealpost {
namespace {

using StorePtr = OpenSslPtr<X509_STORE, X509_STORE_free>;
using StoreCtxPtr = OpenSslPtr<X509_STORE_CTX, X509_STORE_CTX_free>;

/// Longest chain between leaf and root.
constexpr int max_depth = 10;

Refused ours() { return Error::internal("certificate trust: " + openssl_errors()); }

/// An unknown algorithm is not one that still holds.
bool signed_well(X509* certificate) {
  int digest = NID_undef;
  int kind = NID_undef;
  int bits = 0;
  std::uint32_t flags = 0;
  if (X509_get_signature_info(certificate, &digest, &kind, &bits, &flags) != 1) return false;
  for (const int weak : {NID_md2, NID_md4, NID_md5, NID_mdc2, NID_md5_sha1, NID_sha1, NID_sha}) {
    if (digest == weak) return false;
  }
  return true;
}

/// Whoever can factor an authority's key certifies any address; an accepted one's counts as well.
bool is_strong(X509* authority) {
  constexpr int least_bits = 112;  // RSA of 2048 bits
  const EVP_PKEY* key = X509_get0_pubkey(authority);
  return key != nullptr && EVP_PKEY_get_security_bits(key) >= least_bits;
}

/// The leaf's usages are judged by the kind of its key, which OpenSSL's purpose does not look at: it wants
/// keyEncipherment of EC keys, too, and does not know anyExtendedKeyUsage.
int forgive_purpose_of_leaf(int good, X509_STORE_CTX* context) {
  const bool forgiven = good == 0 && X509_STORE_CTX_get_error(context) == X509_V_ERR_INVALID_PURPOSE &&
                        X509_STORE_CTX_get_error_depth(context) == 0;
  if (forgiven) X509_STORE_CTX_set_error(context, X509_V_OK);
  return forgiven ? 1 : good;
}

StorePtr store_of(const std::vector<X509Ptr>& roots) {
  StorePtr store(X509_STORE_new());
  for (const auto& root : roots) {
    if (store && X509_STORE_add_cert(store.get(), root.get()) != 1) store.reset();
  }
  return store;
}

bool prepare(X509_STORE_CTX* context, X509_STORE* store, X509* leaf, STACK_OF(X509) * others, Time now) {
  if (X509_STORE_CTX_init(context, store, leaf, others) != 1) return false;
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(param, static_cast<time_t>(to_milliseconds(now) / 1000));
  X509_VERIFY_PARAM_set_depth(param, max_depth);
  X509_STORE_CTX_set_verify_cb(context, forgive_purpose_of_leaf);
  // An accepted root need not be self-signed: operators may accept one authority of many under a root.
  return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
         X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SMIME_ENCRYPT) == 1;
}

Result<void, Refused> check_chain(X509* leaf, const std::vector<X509Ptr>& bundle, Time now,
                                  const std::vector<X509Ptr>& roots) {
  const BorrowedX509StackPtr others(sk_X509_new_null());
  for (const auto& one : bundle) {
    if (!others || sk_X509_push(others.get(), one.get()) <= 0) return ours();
  }
  const auto store = store_of(roots);
  const StoreCtxPtr context(store ? X509_STORE_CTX_new() : nullptr);
  if (!context || !prepare(context.get(), store.get(), leaf, others.get(), now)) return ours();
  const int verified = X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  if (error == X509_V_ERR_OUT_OF_MEM || verified < 0) return ours();
  if (verified != 1) return Refused(refuse(CertificateCheck::Untrusted));
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
  const int anchor = sk_X509_num(chain) - 1;
  for (int i = 1; i <= anchor; ++i) {
    X509* authority = sk_X509_value(chain, i);
    // The anchor is believed for itself, whatever signed it.
    const bool good = is_strong(authority) && (i == anchor || signed_well(authority));
    if (!good) return Refused(refuse(CertificateCheck::SignatureAlgorithm));
  }
  return {};
}

bool names_itself(const X509* certificate) {
  return X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(certificate)) == 0;
}

}  // namespace

Result<void, Refused> check_trust(X509* leaf, const std::vector<X509Ptr>& bundle, Time now,
                                  const OwnCertificatePolicy& policy) {
  if (!signed_well(leaf)) return Refused(refuse(CertificateCheck::SignatureAlgorithm));
  const bool own_issuer = names_itself(leaf);
  if (own_issuer && policy.accept_self_signed && X509_verify(leaf, X509_get0_pubkey(leaf)) == 1) return {};
  ERR_clear_error();
  if (!policy.accepted_roots.empty()) return check_chain(leaf, bundle, now, policy.accepted_roots);
  if (own_issuer) return Refused(refuse_self_signed());
  return {};
}

}  // namespace sealpost
