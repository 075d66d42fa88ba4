// SPDX-License-Identifier: Apache-2.0
// Implements cms_inspect.h: OpenSSL parses, and the parts that it has no accessor for are read from its re-encoding.
#include "crypto/cms_inspect.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "base/openssl.h"
#include "crypto/der.h"

namespace sealpost {
namespace {

struct Cipher {
  int nid;
  std::size_t block;  ///< of CBC, also the size of its IV; 0 for GCM
};
constexpr std::array<Cipher, 7> strong = {{{NID_aes_128_cbc, 16},
                                           {NID_aes_192_cbc, 16},
                                           {NID_aes_256_cbc, 16},
                                           {NID_des_ede3_cbc, 8},
                                           {NID_aes_128_gcm, 0},
                                           {NID_aes_192_gcm, 0},
                                           {NID_aes_256_gcm, 0}}};

const Cipher* find_cipher(std::string_view oid) {
  const auto* const found = std::find_if(strong.begin(), strong.end(), [&](const Cipher& cipher) {
    const ASN1_OBJECT* object = OBJ_nid2obj(cipher.nid);
    return oid == std::string_view(reinterpret_cast<const char*>(OBJ_get0_data(object)), OBJ_length(object));
  });
  return found == strong.end() ? nullptr : found;
}

/// Key transport, key agreement, key encryption key or password; "other" ([4]) may hold anything.
bool are_known_recipients(std::string_view infos) {
  if (infos.empty()) return false;
  while (!infos.empty()) {
    const auto info = take_der(infos);
    const bool known = info && (info->tag == V_ASN1_SEQUENCE || (info->tag >= 1 && info->tag <= 3));
    if (!known) return false;
  }
  return true;
}

/// EncryptedContentInfo: a strong cipher with parameters of its form, over content that can be its output.
bool is_ciphertext(std::string_view info, bool authenticated) {
  if (!take_der(info)) return false;  // contentType
  const auto algorithm = take_der(info);
  const auto content = take_der(info);
  if (!algorithm || !content || !info.empty() || content->content.empty()) return false;
  auto fields = algorithm->content;
  const auto oid = take_der(fields);
  const auto parameters = take_der(fields);
  const Cipher* const cipher = oid ? find_cipher(oid->content) : nullptr;
  if (cipher == nullptr || !parameters || authenticated != (cipher->block == 0)) return false;
  const bool fits = authenticated
                        ? parameters->tag == V_ASN1_SEQUENCE
                        : parameters->tag == V_ASN1_OCTET_STRING && parameters->content.size() == cipher->block &&
                              content->content.size() % cipher->block == 0;
  // Random octets are no text: even sixteen of them are UTF-8 less than once in 10,000.
  return fits && !is_utf8(content->content);
}

/// The structure inside the ContentInfo, in DER.
bool is_encrypted_data(std::string_view data, bool authenticated) {
  if (!take_der(data)) return false;  // version
  const auto recipients = take_der(data);
  if (!recipients || recipients->tag != V_ASN1_SET) return false;  // or originatorInfo, [0]
  const auto info = take_der(data);
  if (!are_known_recipients(recipients->content) || !info || !is_ciphertext(info->content, authenticated)) return false;
  if (!authenticated) return data.empty();  // or unprotectedAttrs, [1]
  const auto mac = take_der(data);
  constexpr std::size_t max_tag = 16;
  return mac && mac->tag == V_ASN1_OCTET_STRING && mac->content.size() <= max_tag &&
         data.empty();  // or authAttrs, [1]; unauthAttrs, [2]
}

/// One ContentInfo and nothing behind it, as DER.
std::optional<std::string> reencoded(std::string_view octets) {
  const auto* at = reinterpret_cast<const unsigned char*>(octets.data());
  const auto* const end = at + octets.size();
  const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(octets.size())));
  if (!cms || at != end) return std::nullopt;
  auto der = encode_der<i2d_CMS_ContentInfo>(cms.get(), "cms");
  return der ? std::optional(std::move(*der)) : std::nullopt;
}

}  // namespace

bool is_encrypted_cms(std::string_view octets) {
  const auto der = reencoded(octets);
  ERR_clear_error();
  if (!der) return false;
  const auto info = read_der(*der);
  auto rest = info ? info->content : std::string_view();
  const auto type = take_der(rest);
  const auto wrapper = take_der(rest);
  const auto data = wrapper ? read_der(wrapper->content) : std::nullopt;
  if (!type || !data) return false;
  const auto is = [&](int nid) {
    const ASN1_OBJECT* object = OBJ_nid2obj(nid);
    return type->content == std::string_view(reinterpret_cast<const char*>(OBJ_get0_data(object)), OBJ_length(object));
  };
  const bool authenticated = is(NID_id_smime_ct_authEnvelopedData);
  return (authenticated || is(NID_pkcs7_enveloped)) && is_encrypted_data(data->content, authenticated);
}

}  // namespace sealpost
