// SPDX-License-Identifier: Apache-2.0
// A message as an application hands it in by REST: parts and addresses, not yet MIME.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/email_address.h"

namespace sealpost::submit {

/// An address with the name in front of it, which may be empty: UTF-8 without controls.
struct Mailbox {
  std::string name;
  EmailAddress address;
};

struct Attachment {
  std::string filename;      ///< UTF-8 without controls, may be empty
  std::string content_type;  ///< "type/subtype" with its parameters
  std::string content_id;    ///< without angle brackets; empty: none
  std::string content;
};

struct Composition {
  Mailbox from;
  std::vector<Mailbox> to, cc, bcc, reply_to;
  std::string subject;
  std::optional<std::string> text, html;
  std::vector<Attachment> attachments;
  std::vector<std::pair<std::string, std::string>> headers;  ///< further fields: names of RFC 5322, UTF-8 values
};

}  // namespace sealpost::submit
