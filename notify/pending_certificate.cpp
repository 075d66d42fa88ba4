// SPDX-License-Identifier: Apache-2.0
// Implements pending_certificate.h. Keys and fields: docs/redis.md, "Pickup".
#include "notify/pending_certificate.h"

#include "base/encoding.h"
#include "base/redis/number.h"
#include "crypto/certificate.h"
#include "notify/pickup_keys.h"
#include "pickup_scripts.h"

namespace sealpost {
namespace {

const redis::Script& uploads_script() {
  static const redis::Script script("pickup_uploads", std::string(scripts::uploads_lua));
  return script;
}

Error altered(const std::string& address) {
  return Error::permanent("the certificate that was uploaded cannot be used",
                          "the MAC of the pending certificate of " + address + " does not fit");
}

}  // namespace

/// In the slot of the address's other keys.
std::string PendingCertificates::key(const std::string& address, std::string_view kind) const {
  return pickup_address_key(wrapper_, address, kind);
}

std::string PendingCertificates::code_mac(const std::string& address, const OwnPair& pair, const Secret& code) const {
  WipedBuffer bound;
  for (const std::string_view part :
       {std::string_view("pending"), std::string_view(address), std::string_view(pair.fingerprint)}) {
    append(bound, part);
    bound.push_back('\0');
  }
  append(bound, code.reveal());
  return to_hex(wrapper_.mac(Purpose::PickupCode, view(bound)));
}

std::string PendingCertificates::row_mac(const std::string& address, const PendingCertificate& pending) const {
  return wrapper_.mac(Purpose::PickupLink, "pending " + address + '\0' + pending.pair.fingerprint + '\0' +
                                               std::to_string(to_milliseconds(pending.pair.not_after)) + '\0' +
                                               std::to_string(to_milliseconds(pending.until)) + '\0' + pending.proof +
                                               '\0' + pending.link);
}

Result<bool> PendingCertificates::take_upload(const std::string& address) {
  auto count = redis_.run(uploads_script(), {key(address, "uploads")}, {});
  if (!count) return count.error();
  return count->integer() <= max_uploads;
}

Result<PendingCertificate> PendingCertificates::add(const std::string& address, const OwnPair& pair,
                                                    const std::string& link, const Secret& code, Time now) {
  PendingCertificate pending{pair, now + lifetime, code_mac(address, pair, code), link};
  const std::string row = key(address, "pending");
  auto replies = redis_.pipeline(
      {{"DEL", row},
       {"HSET", row, "certificate", pair.certificate, "not_after", std::to_string(to_milliseconds(pair.not_after)),
        "until", std::to_string(to_milliseconds(pending.until)), "code", pending.proof, "link", pending.link,
        "attempts", "0", "mac", row_mac(address, pending)},
       {"PEXPIREAT", row, std::to_string(to_milliseconds(pending.until))}});
  if (!replies) return replies.error();
  return pending;
}

Result<std::optional<PendingCertificate>> PendingCertificates::find(const std::string& address) {
  auto row = redis_.command(
      {"HMGET", key(address, "pending"), "certificate", "not_after", "until", "code", "mac", "link", "attempts"});
  if (!row) return row.error();
  if (row->size() != 7 || (*row)[0].is_nil()) return std::optional<PendingCertificate>();
  PendingCertificate pending;
  pending.pair.certificate = (*row)[0].text();
  pending.pair.fingerprint = certificate_fingerprint(pending.pair.certificate);
  pending.pair.not_after = from_milliseconds(redis::to_number((*row)[1].text()));
  pending.until = from_milliseconds(redis::to_number((*row)[2].text()));
  pending.proof = (*row)[3].text();
  if (!(*row)[5].is_nil()) pending.link = (*row)[5].text();
  if (!(*row)[6].is_nil()) pending.attempts = static_cast<unsigned>(redis::to_number((*row)[6].text()));
  if (!equal_in_constant_time(row_mac(address, pending), (*row)[4].text())) return altered(address);
  return std::optional(std::move(pending));
}

Result<PendingCertificates::Attempt> PendingCertificates::try_code(const std::string& address,
                                                                   const PendingCertificate& pending,
                                                                   const Secret& code) {
  auto counted = redis_.run(pickup_attempt_script(), {key(address, "pending")}, {std::to_string(max_attempts)});
  if (!counted) return counted.error();
  if (counted->size() != 2) return Error::not_found("no certificate waits for a code");
  const auto used = static_cast<unsigned>((*counted)[0].integer());
  const auto proof = (*counted)[1].text();
  if (used <= max_attempts && proof != pending.proof) return Error::not_found("another certificate was uploaded since");
  if (used <= max_attempts && equal_in_constant_time(code_mac(address, pending.pair, code), proof)) {
    return Attempt{true, 0};
  }
  if (used < max_attempts) return Attempt{false, max_attempts - used};
  if (auto removed = remove(address); !removed) return removed.error();
  return Attempt{false, 0};
}

Status PendingCertificates::remove(const std::string& address) {
  auto done = redis_.command({"DEL", key(address, "pending")});
  return done ? Status() : Status(done.error());
}

}  // namespace sealpost
