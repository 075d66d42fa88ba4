// SPDX-License-Identifier: Apache-2.0
// Implements is_already_encrypted of submitted_message.h: S/MIME here, OpenPGP packets in openpgp_packets.h. Everything doubtful is sealed.
#include <openssl/err.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "base/openssl.h"
#include "crypto/der.h"
#include "crypto/openpgp_packets.h"
#include "crypto/submitted_message.h"

namespace sealpost {
namespace {

std::string unfolded(std::string_view body) {
  std::string text;
  for (const char c : body) {
    if (c != '\r' && c != '\n') text += c == '\t' ? ' ' : c;
  }
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// type/subtype in lower case, and one parameter's value (RFC 2045 section 5.1); comments are not understood, hence doubtful.
struct ContentType {
  std::string type;
  std::string boundary;
};

std::optional<ContentType> content_type(const SubmittedMessage& message) {
  const auto fields = message.find_all("Content-Type");
  if (fields.size() != 1) return std::nullopt;
  const std::string text = unfolded(fields.front()->body);
  if (text.find('(') != std::string::npos) return std::nullopt;
  ContentType result;
  const auto semicolon = text.find(';');
  result.type = ascii_lower(text.substr(0, semicolon));
  while (result.type.ends_with(' ')) result.type.pop_back();
  const std::string lower = ascii_lower(text);
  const auto at = lower.find("boundary=");
  if (at != std::string::npos && lower.find("boundary=", at + 1) != std::string::npos) return std::nullopt;
  if (at != std::string::npos && at > 0 && (lower[at - 1] == ' ' || lower[at - 1] == ';')) {
    std::string value = text.substr(at + 9);
    if (value.starts_with('"')) {
      value = value.substr(1, value.find('"', 1) - 1);
    } else {
      value = value.substr(0, value.find_first_of("; "));
    }
    result.boundary = value;
  }
  return result;
}

/// Base64 with line breaks, strictly; nothing for anything else in it.
std::optional<std::string> decode_lines(std::string_view text) {
  std::string symbols;
  for (const char c : text) {
    if (c != '\r' && c != '\n' && c != ' ' && c != '\t') symbols += c;
  }
  return from_base64(symbols);
}

bool is_strong(std::string_view oid) {
  for (const int nid : {NID_aes_128_cbc, NID_aes_192_cbc, NID_aes_256_cbc, NID_aes_128_gcm, NID_aes_192_gcm,
                        NID_aes_256_gcm, NID_des_ede3_cbc}) {
    const ASN1_OBJECT* object = OBJ_nid2obj(nid);
    if (oid == std::string_view(reinterpret_cast<const char*>(OBJ_get0_data(object)), OBJ_length(object))) return true;
  }
  return false;
}

struct OpenSslMemory {
  void operator()(unsigned char* memory) const { OPENSSL_free(memory); }
};

/// The OID in contentEncryptionAlgorithm and nowhere else (RFC 5652 section 6.1); OpenSSL has no accessor for it.
bool has_strong_cipher(CMS_ContentInfo* cms) {
  unsigned char* raw = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &raw);
  const std::unique_ptr<unsigned char, OpenSslMemory> owner(raw);
  if (size <= 0) return false;
  const auto info = read_der({reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size)});
  auto rest = info ? info->content : std::string_view();
  if (!take_der(rest)) return false;  // contentType
  const auto wrapper = take_der(rest);
  const auto data = wrapper ? read_der(wrapper->content) : std::nullopt;
  auto fields = data ? data->content : std::string_view();
  if (!take_der(fields)) return false;  // version
  auto element = take_der(fields);
  if (element && element->tag == 0) element = take_der(fields);  // originatorInfo
  if (!element || element->tag != V_ASN1_SET) return false;      // recipientInfos
  const auto encrypted = take_der(fields);
  auto parts = encrypted ? encrypted->content : std::string_view();
  if (!take_der(parts)) return false;  // contentType
  const auto algorithm = take_der(parts);
  const auto oid = algorithm ? read_der(algorithm->content) : std::nullopt;
  return oid && oid->tag == V_ASN1_OBJECT && is_strong(oid->content);
}

/// Exactly one (auth)enveloped CMS with a recipient, and nothing behind it.
bool is_enveloped(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!cms || at != end) return false;
  const int type = OBJ_obj2nid(CMS_get0_type(cms.get()));
  if (type != NID_pkcs7_enveloped && type != NID_id_smime_ct_authEnvelopedData) return false;
  const auto* recipients = CMS_get0_RecipientInfos(cms.get());
  ASN1_OCTET_STRING** content = CMS_get0_content(cms.get());
  const bool has_content = content != nullptr && *content != nullptr && ASN1_STRING_length(*content) > 0;
  ERR_clear_error();
  return recipients != nullptr && sk_CMS_RecipientInfo_num(recipients) > 0 && has_content &&
         has_strong_cipher(cms.get());
}

bool is_smime(const SubmittedMessage& message) {
  const auto encodings = message.find_all("Content-Transfer-Encoding");
  if (encodings.size() > 1) return false;
  const auto* encoding = encodings.empty() ? nullptr : encodings.front();
  const std::string name = encoding == nullptr ? "7bit" : ascii_lower(unfolded(encoding->body));
  if (name == "base64") {
    const auto der = decode_lines(message.body);
    return der && is_enveloped(*der);
  }
  return name == "binary" && is_enveloped(std::string(message.body));
}

/// The two parts between the boundaries, or nothing when there is text before, behind, or a different number.
std::optional<std::pair<std::string_view, std::string_view>> two_parts(std::string_view body,
                                                                       const std::string& boundary) {
  if (boundary.empty() || boundary.size() > 70) return std::nullopt;
  const std::string open = "--" + boundary + "\r\n";
  const std::string next = "\r\n--" + boundary + "\r\n";
  const std::string close = "\r\n--" + boundary + "--";
  if (!body.starts_with(open)) return std::nullopt;
  body.remove_prefix(open.size());
  const auto first_end = body.find(next);
  if (first_end == std::string_view::npos) return std::nullopt;
  const auto first = body.substr(0, first_end);
  body.remove_prefix(first_end + next.size());
  const auto second_end = body.find(close);
  if (second_end == std::string_view::npos) return std::nullopt;
  const auto second = body.substr(0, second_end);
  const auto rest = body.substr(second_end + close.size());
  if (rest.find_first_not_of("\r\n \t") != std::string_view::npos) return std::nullopt;
  if (first.find("\r\n--" + boundary) != std::string_view::npos ||
      second.find("\r\n--" + boundary) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::pair(first, second);
}

bool has_type(std::string_view part, std::string_view type, SubmittedMessage& split) {
  auto message = split_message(part);
  if (!message) return false;
  split = std::move(*message);
  const auto found = content_type(split);
  // Nothing but the type and what describes it: another field could carry text.
  const bool plain = std::all_of(split.fields.begin(), split.fields.end(), [](const HeaderField& field) {
    return ascii_iequals(field.name, "Content-Type") || ascii_iequals(field.name, "Content-Description") ||
           ascii_iequals(field.name, "Content-Disposition");
  });
  return found && found->type == type && plain;
}

/// RFC 3156 section 4.
bool is_pgp_mime(const SubmittedMessage& message, const std::string& boundary) {
  const auto parts = two_parts(message.body, boundary);
  if (!parts) return false;
  SubmittedMessage control;
  SubmittedMessage data;
  // A part that is all header has its empty line cut off with the boundary's CRLF.
  if (!has_type(parts->first, "application/pgp-encrypted", control)) return false;
  std::string version(control.body);
  while (version.ends_with('\n') || version.ends_with('\r') || version.ends_with(' ')) version.pop_back();
  return version == "Version: 1" && has_type(parts->second, "application/octet-stream", data) &&
         is_openpgp_encrypted(data.body);
}

}  // namespace

bool is_already_encrypted(const SubmittedMessage& message) {
  const auto type = content_type(message);
  if (!type) return false;
  if (type->type == "application/pkcs7-mime" || type->type == "application/x-pkcs7-mime") return is_smime(message);
  return type->type == "multipart/encrypted" && is_pgp_mime(message, type->boundary);
}

}  // namespace sealpost
