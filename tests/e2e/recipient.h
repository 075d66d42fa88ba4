// SPDX-License-Identifier: Apache-2.0
// Somebody whom mail is sent to through a relay: follows the notification, decides about keys by HTTP, and reads the
// mail with openssl.
#pragma once

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <string>
#include <vector>

#include "tests/e2e/own_certificate.h"
#include "tests/e2e/relay_fixture.h"

namespace sealpost::test {

Poco::JSON::Object::Ptr json_of(const std::string& text);

class Recipient final {
 public:
  /// Is sent a message with the subject "first", and enters the code that it brings.
  Recipient(RelayFixture& relay, std::string address);

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const LinkAndCode& link() const { return link_; }
  [[nodiscard]] const std::string& session() const { return session_; }
  [[nodiscard]] const std::string& first() const { return first_; }  ///< fingerprint of the first pair

  /// Is sent a message; its text is "text of SUBJECT". Returns what the relay says: "250 …".
  std::string sent(const std::string& subject);
  /// The file of the message with that subject, or that a sentence stands in; waits for it. Empty when it does not
  /// come.
  [[nodiscard]] std::string mail(const std::string& subject) const {
    return mail_with("\nSubject: " + subject + "\r\n");
  }
  [[nodiscard]] std::string mail_with(const std::string& text) const;
  /// Whether openssl reads that message with this key.
  [[nodiscard]] bool reads(const std::string& subject, const PickedUp& key) const;
  /// Notifications and news with that subject so far.
  [[nodiscard]] std::size_t count(const std::string& subject) const;

  /// A call below /v1/pickup/TOKEN/ in this session.
  HttpAnswer call(const std::string& method, const std::string& what, const std::string& body = "{}") const;
  HttpAnswer keep(const std::string& fingerprint = {}) const { return call("POST", "keep", chosen(fingerprint)); }
  HttpAnswer forget(const std::string& fingerprint = {}) const { return call("POST", "forget", chosen(fingerprint)); }
  HttpAnswer upload(const std::string& octets) const { return call("PUT", "certificate", octets); }
  /// Confirms with the code of the mail that was sealed to the certificate last.
  HttpAnswer confirm(const OwnCertificate& own);
  /// Both.
  HttpAnswer replace(const OwnCertificate& own, const std::string& octets);
  [[nodiscard]] PickedUp pick_up(const std::string& fingerprint = {}) const;

  /// Of the key with that fingerprint, or of the first pair: as `sealpostctl key history` says it.
  [[nodiscard]] std::string state(const std::string& fingerprint = {}) const;
  [[nodiscard]] std::string current() const;  ///< fingerprint
  [[nodiscard]] Poco::JSON::Array::Ptr history() const;
  /// What the audit trail says of the address: "key.kept by recipient: FINGERPRINT", oldest first.
  [[nodiscard]] std::vector<std::string> audit() const;
  /// All that a change would change.
  [[nodiscard]] std::string snapshot() const;

 private:
  static std::string chosen(const std::string& fingerprint);
  RelayFixture& relay_;
  std::string address_;
  LinkAndCode link_;
  std::string session_;
  std::string first_;
  std::string notification_;
  std::vector<std::string> used_codes_;
};

}  // namespace sealpost::test
