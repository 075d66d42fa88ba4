// SPDX-License-Identifier: Apache-2.0
// Mail addresses, parsed once at the edge: the spelling that was submitted, the directory key, the certificate and
// folder forms.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sealpost {

/// A DNS domain of RFC 5321 section 4.1.2, Unicode labels allowed; normalised by libidn2 (IDNA 2008).
class DomainName final {
 public:
  /// Invalid for address literals, empty or overlong labels, labels that IDNA refuses, more than 253 octets, a trailing
  /// dot.
  static Result<DomainName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }        ///< as submitted
  [[nodiscard]] const std::string& a_label() const { return a_label_; }  ///< lower-case A-labels
  bool operator==(const DomainName& other) const { return a_label_ == other.a_label_; }

 private:
  DomainName(std::string text, std::string a_label) : text_(std::move(text)), a_label_(std::move(a_label)) {}
  std::string text_;
  std::string a_label_;
};

/// A Mailbox of RFC 5321 section 4.1.2 (RFC 6531 for UTF-8), without angle brackets.
class EmailAddress final {
 public:
  /// Invalid for a missing part, a local part over 64 octets, control characters, bad quoting, a bad domain (see
  /// DomainName).
  static Result<EmailAddress> parse(std::string_view mailbox);

  [[nodiscard]] const std::string& text() const { return text_; }  ///< as submitted, quoting included
  [[nodiscard]] const DomainName& domain() const { return domain_; }
  /// One key per address: unquoted local part in ASCII lower case, '@', A-label domain.
  [[nodiscard]] const std::string& directory_key() const { return directory_key_; }
  /// True when the envelope needs SMTPUTF8 (RFC 6531): a non-ASCII local part, or a domain given in Unicode.
  [[nodiscard]] bool needs_smtputf8() const;
  /// As written in an SMTP path or header field to a server without SMTPUTF8: the local part as submitted, the domain
  /// in A-labels.
  [[nodiscard]] std::string ascii_domain_form() const;

  enum class SanForm { Rfc822Name, SmtpUtf8Mailbox };  ///< RFC 5280 section 4.2.1.6, RFC 8398
  [[nodiscard]] SanForm san_form() const;
  /// The value that stands in a certificate: rfc822Name with A-label domain, or SmtpUTF8Mailbox with a U-label domain.
  [[nodiscard]] std::string san_value() const;
  /// A Dot-string (RFC 5321 section 4.1.2, RFC 6531) without white space of any script: no sentence fits in.
  [[nodiscard]] bool has_plain_local() const;
  /// A local part that needs quotes or holds white space cannot stand in a certificate's name that clients match.
  [[nodiscard]] bool fits_certificate() const;
  /// Everything but [A-Za-z0-9@._+-] and a leading dot percent-encoded; safe as one path component.
  [[nodiscard]] std::string folder_name() const;

  /// The same address (not the same spelling).
  bool operator==(const EmailAddress& other) const { return directory_key_ == other.directory_key_; }

 private:
  EmailAddress(std::string text, std::string local, std::string local_text, DomainName domain);
  std::string text_;
  std::string local_;
  std::string local_text_;
  DomainName domain_;
  std::string directory_key_;
};

}  // namespace sealpost
