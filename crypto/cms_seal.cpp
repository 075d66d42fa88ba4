// SPDX-License-Identifier: Apache-2.0
// Implements cms_seal.h with OpenSSL's CMS, which chooses the content key and makes the RecipientInfos: encrypts once,
// then serialises the structure with one RecipientInfo at a time and no content.
#include "crypto/cms_seal.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <climits>
#include <optional>

#include "crypto/certificate.h"
#include "crypto/der.h"
#include "crypto/known_sound.h"

namespace sealpost {
namespace {

Error failed(const std::string& what) { return Error::internal("cms: " + what + ": " + openssl_errors()); }

/// What the structure's cipher makes of the content, which CMS takes for detached: written where it stays, since of
/// large content every copy counts, and OpenSSL's own buffer would make several.
Result<std::string> encrypt(CMS_ContentInfo* cms, std::span<const std::string_view> content, std::size_t octets) {
  BioPtr nowhere(BIO_new(BIO_s_null()));
  const BioPtr chain(nowhere ? CMS_dataInit(cms, nowhere.get()) : nullptr);
  if (!chain) return failed("encryption");
  [[maybe_unused]] BIO* owned_by_chain = nowhere.release();
  EVP_CIPHER_CTX* cipher = nullptr;
  if (BIO_get_cipher_ctx(chain.get(), &cipher) != 1 || cipher == nullptr) return failed("encryption");
  std::string ciphertext(octets + EVP_MAX_BLOCK_LENGTH, '\0');
  auto* const begin = reinterpret_cast<unsigned char*>(ciphertext.data());
  unsigned char* at = begin;
  int size = 0;
  for (const auto piece : content) {
    const auto* plain = reinterpret_cast<const unsigned char*>(piece.data());
    if (EVP_CipherUpdate(cipher, at, &size, plain, static_cast<int>(piece.size())) != 1) return failed("encryption");
    at += size;
  }
  if (EVP_CipherFinal_ex(cipher, at, &size) != 1) return failed("encryption");
  at += size;
  ciphertext.resize(static_cast<std::size_t>(at - begin));
  if (CMS_dataFinal(cms, chain.get()) != 1) return failed("encryption");
  return ciphertext;
}

/// A ContentInfo that holds (Auth)EnvelopedData without content, taken apart (RFC 5652 section 6.1, RFC 5083 section
/// 2.1).
struct Parts {
  std::string_view type;  ///< the content type's OBJECT IDENTIFIER
  std::string_view version;
  std::string_view recipient_infos;
  std::string_view content_type_and_cipher;  ///< of the EncryptedContentInfo
  std::string_view mac;                      ///< of AuthEnvelopedData, else empty
};

std::optional<Parts> take_apart(std::string_view der) {
  const auto info = read_der(der);
  if (!info) return std::nullopt;
  const auto type = read_der(info->content);
  if (!type) return std::nullopt;
  const auto wrapper = read_der(info->content.substr(type->whole.size()));
  const auto data = wrapper ? read_der(wrapper->content) : std::nullopt;
  if (!data) return std::nullopt;
  std::string_view rest = data->content;
  const auto version = take_der(rest);
  const auto infos = version ? take_der(rest) : std::nullopt;
  const auto encrypted = infos ? take_der(rest) : std::nullopt;
  if (!encrypted || version->tag != V_ASN1_INTEGER || infos->tag != V_ASN1_SET) return std::nullopt;
  // Exactly one: two would show recipients to each other.
  const auto info_of_one = read_der(infos->content);
  if (!info_of_one || info_of_one->whole.size() != infos->content.size()) return std::nullopt;
  return Parts{type->whole, version->whole, infos->whole, encrypted->content, rest};
}

enum class Encoding { Primitive = 0, Constructed = 1 };

/// Puts an element's header in front of the octets.
bool enclose(std::string& octets, Encoding encoding, int tag, int tag_class, std::size_t length) {
  const int constructed = static_cast<int>(encoding);
  const int total = length <= INT_MAX ? ASN1_object_size(constructed, static_cast<int>(length), tag) : -1;
  if (total < 0 || static_cast<std::size_t>(total) < length) return false;
  std::string header(static_cast<std::size_t>(total) - length, '\0');
  auto* at = reinterpret_cast<unsigned char*>(header.data());
  ASN1_put_object(&at, constructed, static_cast<int>(length), tag, tag_class);
  octets.insert(0, header);
  return true;
}

/// Everything in front of the ciphertext.
std::optional<std::string> assemble_head(const Parts& parts, std::size_t ciphertext) {
  std::string head;
  if (!enclose(head, Encoding::Primitive, 0, V_ASN1_CONTEXT_SPECIFIC, ciphertext)) return std::nullopt;
  head.insert(0, parts.content_type_and_cipher);
  constexpr auto constructed = Encoding::Constructed;
  if (!enclose(head, constructed, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, head.size() + ciphertext)) return std::nullopt;
  head.insert(0, std::string(parts.version) + std::string(parts.recipient_infos));
  const std::size_t behind = ciphertext + parts.mac.size();
  if (!enclose(head, constructed, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, head.size() + behind)) return std::nullopt;
  if (!enclose(head, constructed, 0, V_ASN1_CONTEXT_SPECIFIC, head.size() + behind)) return std::nullopt;
  head.insert(0, parts.type);
  if (!enclose(head, constructed, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, head.size() + behind)) return std::nullopt;
  return head;
}

bool is_of_kind(const EVP_PKEY* key, KeyKind kind) {
  return EVP_PKEY_is_a(key, kind == KeyKind::Rsa ? "RSA" : "EC") == 1;
}

Status add_recipient(CMS_ContentInfo* cms, X509* certificate, KeyKind kind) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr || !is_of_kind(key, kind)) return failed("a key of another kind");
  const bool rsa = kind == KeyKind::Rsa;
  CMS_RecipientInfo* info = CMS_add1_recipient_cert(cms, certificate, rsa ? 0 : CMS_KEY_PARAM);
  if (info == nullptr) return failed("recipient");
  if (rsa) return {};
  // OpenSSL's default for ECDH is the SHA-1 KDF.
  EVP_PKEY_CTX* context = CMS_RecipientInfo_get0_pkey_ctx(info);
  if (context == nullptr || EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) <= 0) return failed("ECDH KDF");
  return {};
}

/// OpenSSL goes on when it lacked the memory to name the KDF, and the result would open for nobody.
bool names_its_kdf(CMS_RecipientInfo* info) {
  const int type = CMS_RecipientInfo_type(info);
  if (type != CMS_RECIPINFO_AGREE) return type == CMS_RECIPINFO_TRANS;
  X509_ALGOR* algorithm = nullptr;
  if (CMS_RecipientInfo_kari_get0_alg(info, &algorithm, nullptr) != 1 || algorithm == nullptr) return false;
  const ASN1_OBJECT* kdf = nullptr;
  int parameter = V_ASN1_UNDEF;
  X509_ALGOR_get0(&kdf, &parameter, nullptr, algorithm);
  return OBJ_obj2nid(kdf) == NID_dhSinglePass_stdDH_sha256kdf_scheme && parameter == V_ASN1_SEQUENCE;
}

/// Empties the structure of its recipients, without freeing them, to serialise it with one at a time.
class Cutter final {
 public:
  explicit Cutter(CMS_ContentInfo* cms) : cms_(cms), infos_(CMS_get0_RecipientInfos(cms)) {
    const int count = sk_CMS_RecipientInfo_num(infos_);
    for (int i = 0; i < count; ++i) taken_.push_back(sk_CMS_RecipientInfo_value(infos_, i));
  }
  /// Puts back what was there; the stack has kept its room.
  ~Cutter() {
    if (!emptied_) return;
    sk_CMS_RecipientInfo_zero(infos_);
    for (auto* info : taken_) sk_CMS_RecipientInfo_push(infos_, info);
  }
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;

  Result<CutCms> cut(std::size_t recipients, std::string ciphertext) {
    const bool complete = taken_.size() == recipients && recipients > 0;
    if (!complete || std::find(taken_.begin(), taken_.end(), nullptr) != taken_.end()) return failed("recipients");
    CutCms result;
    const std::size_t octets = ciphertext.size();
    result.tail = std::move(ciphertext);
    for (auto* info : taken_) {
      auto der = only(info);
      if (!der) return der.error();
      const auto parts = take_apart(*der);
      auto head = parts ? assemble_head(*parts, octets) : std::nullopt;
      if (!head) return failed("structure");
      if (result.heads.empty()) result.tail += parts->mac;
      result.heads.push_back(std::move(*head));
    }
    return result;
  }

 private:
  Result<std::string> only(CMS_RecipientInfo* info) {
    if (!names_its_kdf(info)) return failed("KDF");
    emptied_ = true;
    sk_CMS_RecipientInfo_zero(infos_);
    if (sk_CMS_RecipientInfo_push(infos_, info) <= 0) return failed("memory");
    return encode_der<i2d_CMS_ContentInfo>(cms_, "cms");
  }

  CMS_ContentInfo* cms_;
  STACK_OF(CMS_RecipientInfo) * infos_;
  std::vector<CMS_RecipientInfo*> taken_;
  bool emptied_ = false;
};

KnownSound& known_sound() {
  static KnownSound known;
  return known;
}

/// The key is at fault, unless OpenSSL says that memory was short: then the next try may succeed.
Error unusable(const char* why) {
  const bool ours = openssl_lacked_memory();
  const std::string errors = openssl_errors();
  return ours ? Error::internal("certificate: " + errors) : Error::permanent(why, errors);
}

}  // namespace

Result<KeyKind, KeyFault> usable_kind(const EVP_PKEY* key) {
  if (is_of_kind(key, KeyKind::Rsa)) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < 2048 || bits > 8192) return KeyFault::Size;
    return KeyKind::Rsa;
  }
  std::array<char, 64> group{};
  const bool named =
      is_of_kind(key, KeyKind::Ec) && EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1;
  const int curve = named ? OBJ_txt2nid(group.data()) : NID_undef;
  if (curve != NID_X9_62_prime256v1 && curve != NID_secp384r1) return KeyFault::Kind;
  return KeyKind::Ec;
}

Result<UsableCertificate> check_certificate(std::string_view der) {
  if (der.size() > static_cast<std::size_t>(max_certificate_octets))
    return Error::permanent("the recipient's certificate is too large");
  ERR_clear_error();
  auto certificate = parse_certificate(der);
  if (!certificate && certificate.error().kind == ErrorKind::Internal) return certificate.error();
  EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate->get()) : nullptr;
  if (key == nullptr) return unusable("the recipient's certificate cannot be read");
  const auto kind = usable_kind(key);
  if (!kind) return unusable("the recipient's key is of a kind or size that cannot be used");
  if (!known_sound().was_checked(certificate_fingerprint(der))) {
    const PkeyCtxPtr context(EVP_PKEY_CTX_new(key, nullptr));
    if (!context) return Error::internal("certificate: " + openssl_errors());
    if (EVP_PKEY_public_check(context.get()) != 1) return unusable("the recipient's key is not sound");
  }
  return UsableCertificate{std::move(*certificate), *kind};
}

Result<UsableCertificate> usable_certificate(std::string_view der) {
  if (auto known = known_sound().find(der)) return std::move(*known);
  auto usable = check_certificate(der);
  if (usable) known_sound().add(der, certificate_fingerprint(der), *usable);
  return usable;
}

Result<CutCms> encrypt_and_cut(std::span<const std::string_view> content, KeyKind kind,
                               const std::vector<X509*>& recipients, ContentCipher cipher) {
  std::size_t octets = 0;
  for (const auto piece : content) octets += piece.size();
  if (octets > INT_MAX - EVP_MAX_BLOCK_LENGTH) return Error::permanent("the message is too large");
  const EVP_CIPHER* algorithm = cipher == ContentCipher::Aes256Gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  const CmsPtr cms(CMS_encrypt(nullptr, nullptr, algorithm, CMS_BINARY | CMS_PARTIAL | CMS_DETACHED));
  if (!cms) return failed("setup");
  for (X509* recipient : recipients) {
    if (auto added = add_recipient(cms.get(), recipient, kind); !added) return added.error();
  }
  auto ciphertext = encrypt(cms.get(), content, octets);
  if (!ciphertext) return ciphertext.error();
  return Cutter(cms.get()).cut(recipients.size(), std::move(*ciphertext));
}

Result<std::string> encrypt_for_one(std::string_view content, std::string_view certificate_der, ContentCipher cipher) {
  auto usable = usable_certificate(certificate_der);
  if (!usable) return usable.error();
  const std::array pieces = {content};
  auto cut = encrypt_and_cut(pieces, usable->kind, {usable->certificate.get()}, cipher);
  if (!cut) return cut.error();
  return cut->heads.front() + cut->tail;
}

}  // namespace sealpost
