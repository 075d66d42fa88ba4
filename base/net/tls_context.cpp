// SPDX-License-Identifier: Apache-2.0
// Implements tls_context.h.
#include "base/net/tls_context.h"

#include <Poco/Exception.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/openssl.h"

namespace sealpost::net {
namespace {

constexpr long self_signed_days = 3650;

Result<Poco::Net::Context::Ptr> load_context(const std::string& certificate, const std::string& key) {
  try {
    Poco::Net::Context::Params params;
    params.certificateFile = certificate;
    params.privateKeyFile = key;
    params.verificationMode = Poco::Net::Context::VERIFY_NONE;
    params.loadDefaultCAs = false;
    params.cipherList = "HIGH:!aNULL:!MD5:!RC4:!3DES";
    Poco::Net::Context::Ptr context = new Poco::Net::Context(Poco::Net::Context::TLS_SERVER_USE, params);
    SSL_CTX* raw = context->sslContext();
    if (SSL_CTX_check_private_key(raw) != 1) {
      return Error::invalid(key + ": does not fit " + certificate, openssl_errors());
    }
    const X509* own = SSL_CTX_get0_certificate(raw);
    if (own == nullptr || X509_cmp_current_time(X509_get0_notAfter(own)) < 0) {
      return Error::invalid(certificate + ": the certificate has expired");
    }
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    // 5,000 idle connections cost 14 KB each with released buffers, 22 KB without (docs/design.md).
    SSL_CTX_set_mode(raw,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(raw, SSL_OP_CLEANSE_PLAINTEXT);  // else the last record's plaintext stays in OpenSSL's buffer
    // Records are read one by one: nothing is left inside OpenSSL that the socket does not show to the loop.
    SSL_CTX_set_read_ahead(raw, 0);
    context->enableSessionCache(true, "sealpost");
    return context;
  } catch (const Poco::Exception& why) {
    return Error::invalid(certificate + ", " + key + ": cannot be used for TLS", why.displayText());
  }
}

Status set_names(X509* certificate, const std::string& hostname) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const std::string common_name = hostname.substr(0, 64);
  const auto* octets = reinterpret_cast<const unsigned char*>(common_name.c_str());
  const std::string alt_name = "DNS:" + hostname;
  const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alt_name.c_str()));
  const bool done = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, octets, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(certificate, name) == 1 && extension &&
                    X509_add_ext(certificate, extension.get(), -1) == 1;
  return done ? Status() : Status(Error::internal("self-signed certificate: " + openssl_errors()));
}

Result<X509Ptr> sign_self(EVP_PKEY* key, const std::string& hostname) {
  X509Ptr certificate(X509_new());
  const BignumPtr serial(BN_new());
  const bool made = certificate && serial && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                    BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())) != nullptr &&
                    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600) != nullptr &&
                    X509_time_adj_ex(X509_getm_notAfter(certificate.get()), self_signed_days, 0, nullptr) != nullptr &&
                    X509_set_pubkey(certificate.get(), key) == 1;
  if (!made) return Error::internal("self-signed certificate: " + openssl_errors());
  if (auto named = set_names(certificate.get(), hostname); !named) return named.error();
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) {
    return Error::internal("self-signed certificate: " + openssl_errors());
  }
  return certificate;
}

/// Whole or not at all, and never readable by others for a moment: written beside its place, then renamed.
Status write_file(const std::string& path, BIO* content, mode_t mode) {
  const std::string beside = path + ".new";
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(content, &memory);
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (file < 0) return Error::invalid(path + ": cannot be written");
  const bool written = fchmod(file, mode) == 0 &&
                       ::write(file, memory->data, memory->length) == static_cast<ssize_t>(memory->length) &&
                       fsync(file) == 0;
  if (::close(file) != 0 || !written || std::rename(beside.c_str(), path.c_str()) != 0) {
    ::unlink(beside.c_str());
    return Error::invalid(path + ": cannot be written");
  }
  return {};
}

}  // namespace

TlsContext::TlsContext(std::string certificate_file, std::string private_key_file, Poco::Net::Context::Ptr context)
    : certificate_file_(std::move(certificate_file)),
      private_key_file_(std::move(private_key_file)),
      context_(std::move(context)) {}

Result<std::unique_ptr<TlsContext>> TlsContext::load(std::string certificate_file, std::string private_key_file) {
  auto context = load_context(certificate_file, private_key_file);
  if (!context) return context.error();
  return std::unique_ptr<TlsContext>(
      new TlsContext(std::move(certificate_file), std::move(private_key_file), std::move(*context)));
}

Status TlsContext::reload() {
  auto fresh = load_context(certificate_file_, private_key_file_);
  if (!fresh) return fresh.error();
  const std::lock_guard lock(mutex_);
  context_ = std::move(*fresh);
  return {};
}

Poco::Net::Context::Ptr TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

Result<Time> TlsContext::not_after() const {
  return sealpost::not_after(SSL_CTX_get0_certificate(current()->sslContext()));
}

Status make_self_signed(const std::string& certificate_file, const std::string& private_key_file,
                        const std::string& hostname) {
  if (std::filesystem::exists(certificate_file) && std::filesystem::exists(private_key_file)) return {};
  const PkeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return Error::internal("self-signed certificate: " + openssl_errors());
  auto certificate = sign_self(key.get(), hostname);
  if (!certificate) return certificate.error();
  const BioPtr key_pem(BIO_new(BIO_s_secmem()));
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  if (!key_pem || !certificate_pem ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(certificate_pem.get(), certificate->get()) != 1) {
    return Error::internal("self-signed certificate: " + openssl_errors());
  }
  if (auto written = write_file(private_key_file, key_pem.get(), 0600); !written) return written;
  return write_file(certificate_file, certificate_pem.get(), 0644);
}

}  // namespace sealpost::net
