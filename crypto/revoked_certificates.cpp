// SPDX-License-Identifier: Apache-2.0
// Implements revoked_certificates.h.
#include "crypto/revoked_certificates.h"

#include <array>
#include <msgpack.hpp>
#include <tuple>
#include <utility>

#include "base/encoding.h"
#include "base/message_id.h"
#include "base/secret.h"
#include "base/unpack.h"
#include "crypto/certificate.h"

namespace sealpost {
namespace {

using RevokedFields = std::tuple<std::int64_t, std::string>;

constexpr std::array<std::pair<RevocationReason, std::string_view>, 5> reason_names = {
    {{RevocationReason::Unspecified, "unspecified"},
     {RevocationReason::KeyCompromise, "keyCompromise"},
     {RevocationReason::AffiliationChanged, "affiliationChanged"},
     {RevocationReason::Superseded, "superseded"},
     {RevocationReason::CessationOfOperation, "cessationOfOperation"}}};

std::string revoked_mac(Wrapper& wrapper, std::string_view serial, std::string_view packed) {
  return wrapper.mac(Purpose::DirectoryEntry, "revoked " + std::string(serial) + " " + std::string(packed));
}

Result<std::string> serial_of(std::string_view der) {
  auto certificate = parse_certificate(der);
  if (!certificate) return certificate.error();
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate->get()), nullptr));
  if (!number) return Error::internal("serial number: " + openssl_errors());
  std::string octets(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(octets.data()));
  return octets;
}

std::optional<RevokedCertificate> read_row(Wrapper& wrapper, std::string_view serial, std::string_view octets) {
  auto number = from_hex(serial);
  if (!number || octets.size() < mac_size) return std::nullopt;
  const auto packed = octets.substr(mac_size);
  if (!equal_in_constant_time(revoked_mac(wrapper, serial, packed), octets.substr(0, mac_size))) return std::nullopt;
  try {
    const auto [time, text] = unpack_record(packed).get().as<RevokedFields>();
    const auto reason = parse_revocation_reason(text);
    if (!reason) return std::nullopt;
    return RevokedCertificate{std::move(*number), from_milliseconds(time), *reason};
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string_view to_text(RevocationReason reason) {
  for (const auto& [value, name] : reason_names) {
    if (value == reason) return name;
  }
  return {};
}

std::optional<RevocationReason> parse_revocation_reason(std::string_view text) {
  for (const auto& [value, name] : reason_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

Result<RevokedRow> revoked_row(Wrapper& wrapper, std::string_view certificate_der, Time time, RevocationReason reason) {
  auto serial = serial_of(certificate_der);
  if (!serial) return serial.error();
  RevokedRow row{to_hex(*serial), {}};
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, RevokedFields(to_milliseconds(time), std::string(to_text(reason))));
  const std::string_view packed(buffer.data(), buffer.size());
  row.octets = revoked_mac(wrapper, row.serial, packed).append(packed);
  return row;
}

Result<std::vector<RevokedCertificate>> revoked_certificates(redis::Client& redis, Wrapper& wrapper, Log& log) {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"HGETALL", "keys:{" + std::to_string(shard) + "}:revoked"});
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  std::vector<RevokedCertificate> all;
  for (const auto& rows : *replies) {
    for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
      auto row = read_row(wrapper, rows[i].text(), rows[i + 1].text());
      if (row) {
        all.push_back(std::move(*row));
      } else {
        log.error("revoked.row_altered", {{"serial", rows[i].text()}});
      }
    }
  }
  return all;
}

}  // namespace sealpost
