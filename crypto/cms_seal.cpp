// SPDX-License-Identifier: Apache-2.0
// Implements cms_seal.h with OpenSSL's CMS: encrypts once, then serialises the structure with one RecipientInfo at a time and no content.
#include "crypto/cms_seal.h"

#include <openssl/err.h>

#include <array>
#include <climits>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "crypto/certificate.h"
#include "crypto/der.h"

namespace sealpost {
namespace {

Error failed(const std::string& what) { return Error::internal("cms: " + what + ": " + openssl_errors()); }

struct OpenSslBuffer {
  void operator()(unsigned char* memory) const { OPENSSL_free(memory); }
};

Result<std::string> to_der(CMS_ContentInfo* cms) {
  unsigned char* raw = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &raw);
  const std::unique_ptr<unsigned char, OpenSslBuffer> owner(raw);
  if (size <= 0) return failed("encoding");
  return std::string(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
}

/// A ContentInfo that holds (Auth)EnvelopedData, taken apart (RFC 5652 section 6.1, RFC 5083 section 2.1).
struct Parts {
  std::string_view type;  ///< the content type's OBJECT IDENTIFIER
  std::string_view version;
  std::string_view recipient_infos;
  std::string_view tail;
};

std::optional<Parts> take_apart(std::string_view der) {
  const auto info = read_der(der);
  if (!info) return std::nullopt;
  const auto type = read_der(info->content);
  if (!type) return std::nullopt;
  const auto wrapper = read_der(info->content.substr(type->whole.size()));
  const auto data = wrapper ? read_der(wrapper->content) : std::nullopt;
  const auto version = data ? read_der(data->content) : std::nullopt;
  if (!version || version->tag != V_ASN1_INTEGER) return std::nullopt;
  const auto rest = data->content.substr(version->whole.size());
  const auto infos = read_der(rest);
  if (!infos || infos->tag != V_ASN1_SET) return std::nullopt;
  return Parts{type->whole, version->whole, infos->whole, rest.substr(infos->whole.size())};
}

std::string header(int tag, int tag_class, std::size_t length) {
  const int total = ASN1_object_size(1, static_cast<int>(length), tag);
  std::string octets(static_cast<std::size_t>(total) - length, '\0');
  auto* at = reinterpret_cast<unsigned char*>(octets.data());
  ASN1_put_object(&at, 1, static_cast<int>(length), tag, tag_class);
  return octets;
}

/// Everything in front of a tail of that size.
std::string assemble_head(const Parts& parts, std::size_t tail) {
  const std::size_t data = parts.version.size() + parts.recipient_infos.size() + tail;
  const std::string sequence = header(V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, data);
  const std::string wrapper = header(0, V_ASN1_CONTEXT_SPECIFIC, sequence.size() + data);
  const std::size_t info = parts.type.size() + wrapper.size() + sequence.size() + data;
  return header(V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, info) + std::string(parts.type) + wrapper + sequence +
         std::string(parts.version) + std::string(parts.recipient_infos);
}

Status add_recipient(CMS_ContentInfo* cms, X509* certificate) {
  const bool rsa = is_rsa(certificate);
  CMS_RecipientInfo* info = CMS_add1_recipient_cert(cms, certificate, rsa ? 0 : CMS_KEY_PARAM);
  if (info == nullptr) return failed("recipient");
  if (rsa) return {};
  // OpenSSL's default for ECDH is the SHA-1 KDF.
  EVP_PKEY_CTX* context = CMS_RecipientInfo_get0_pkey_ctx(info);
  if (context == nullptr || EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) <= 0) return failed("ECDH KDF");
  return {};
}

/// Empties the structure of recipients and content, without freeing either, so that serialising it for one recipient costs nothing per
/// octet of content.
class Cutter final {
 public:
  explicit Cutter(CMS_ContentInfo* cms) : cms_(cms), infos_(CMS_get0_RecipientInfos(cms)) {
    while (sk_CMS_RecipientInfo_num(infos_) > 0) taken_.push_back(sk_CMS_RecipientInfo_shift(infos_));
  }
  ~Cutter() {
    while (sk_CMS_RecipientInfo_num(infos_) > 0) sk_CMS_RecipientInfo_shift(infos_);
    for (auto* info : taken_) sk_CMS_RecipientInfo_push(infos_, info);
  }
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;

  Result<CutCms> cut() {
    CutCms result;
    if (auto tail = tail_of_first(); tail) {
      result.tail = std::move(*tail);
    } else {
      return tail.error();
    }
    ASN1_OCTET_STRING** content = CMS_get0_content(cms_);
    if (content == nullptr || *content == nullptr) return failed("no content");
    // A one-octet stand-in: the real content is not copied once per recipient.
    ASN1_OCTET_STRING* const real = *content;
    const OpenSslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> stand_in(ASN1_OCTET_STRING_new());
    if (!stand_in || ASN1_OCTET_STRING_set(stand_in.get(), reinterpret_cast<const unsigned char*>("x"), 1) != 1) {
      return failed("memory");
    }
    stand_in->flags = real->flags & ~ASN1_STRING_FLAG_NDEF;
    *content = stand_in.get();
    auto heads = heads_for(result.tail.size());
    *content = real;
    if (!heads) return heads.error();
    result.heads = std::move(*heads);
    return result;
  }

 private:
  Result<std::string> only(CMS_RecipientInfo* info) {
    while (sk_CMS_RecipientInfo_num(infos_) > 0) sk_CMS_RecipientInfo_shift(infos_);
    if (sk_CMS_RecipientInfo_push(infos_, info) <= 0) return failed("memory");
    return to_der(cms_);
  }

  Result<std::string> tail_of_first() {
    auto der = only(taken_.front());
    if (!der) return der;
    const auto parts = take_apart(*der);
    if (!parts) return failed("structure");
    return std::string(parts->tail);
  }

  Result<std::vector<std::string>> heads_for(std::size_t tail) {
    std::vector<std::string> heads;
    for (auto* info : taken_) {
      auto der = only(info);
      if (!der) return der.error();
      const auto parts = take_apart(*der);
      if (!parts) return failed("structure");
      heads.push_back(assemble_head(*parts, tail));
    }
    return heads;
  }

  CMS_ContentInfo* cms_;
  STACK_OF(CMS_RecipientInfo) * infos_;
  std::vector<CMS_RecipientInfo*> taken_;
};

/// Certificates that were parsed and whose keys were found sound: the check of an RSA-3072 key (its modulus must not be prime) costs more
/// than 5 ms, fifty times what sealing a small mail does; parsing alone costs twice as much as sealing.
class KnownSound final {
 public:
  X509Ptr find(std::string_view der) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(std::string(der));
    if (found == known_.end()) return nullptr;
    X509_up_ref(found->second.get());
    return X509Ptr(found->second.get());
  }
  void add(std::string_view der, X509* certificate) {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= max_entries) known_.clear();
    X509_up_ref(certificate);
    known_.insert_or_assign(std::string(der), X509Ptr(certificate));
  }

 private:
  static constexpr std::size_t max_entries = 5'000;
  std::mutex mutex_;
  std::unordered_map<std::string, X509Ptr> known_;
};

KnownSound& known_sound() {
  static KnownSound known;
  return known;
}

/// RSA from 2048 to 8192 bits, P-256 or P-384.
bool is_usable_kind(X509* certificate, EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (is_rsa(certificate)) return bits >= 2048 && bits <= 8192;
  std::array<char, 64> group{};
  if (EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1)
    return false;
  const int curve = OBJ_txt2nid(group.data());
  return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1;
}

}  // namespace

bool is_rsa(X509* certificate) { return EVP_PKEY_is_a(X509_get0_pubkey(certificate), "RSA") == 1; }

Result<X509Ptr> usable_certificate(std::string_view der) {
  if (auto known = known_sound().find(der)) return known;
  auto certificate = parse_certificate(der);
  EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate->get()) : nullptr;
  if (key == nullptr) {
    ERR_clear_error();
    return Error::permanent("the recipient's certificate cannot be read");
  }
  if (!is_usable_kind(certificate->get(), key)) {
    ERR_clear_error();
    return Error::permanent("the recipient's key is of a kind or size that cannot be used");
  }
  const PkeyCtxPtr context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) {
    return Error::permanent("the recipient's key is not sound", openssl_errors());
  }
  known_sound().add(der, certificate->get());
  return std::move(*certificate);
}

Result<CutCms> encrypt_and_cut(std::string_view content, const std::vector<X509*>& recipients, ContentCipher cipher) {
  if (content.size() > INT_MAX) return Error::permanent("the message is too large");
  const EVP_CIPHER* algorithm = cipher == ContentCipher::Aes256Gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  // Memory of ours, wiped by its owner; OpenSSL copies it through small buffers of its own only.
  const BioPtr input(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  constexpr unsigned flags = CMS_BINARY | CMS_PARTIAL;
  const CmsPtr cms(input ? CMS_encrypt(nullptr, nullptr, algorithm, flags) : nullptr);
  if (!cms) return failed("setup");
  for (X509* recipient : recipients) {
    if (auto added = add_recipient(cms.get(), recipient); !added) return added.error();
  }
  if (CMS_final(cms.get(), input.get(), nullptr, flags) != 1) return failed("encryption");
  return Cutter(cms.get()).cut();
}

}  // namespace sealpost
