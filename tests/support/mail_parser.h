// SPDX-License-Identifier: Apache-2.0
// Reads a mail the way a stranger's program does: with python3's email package. What the relay composes must mean there
// what it meant here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost::test {

struct ParsedPart {
  std::string type;
  std::string filename;
  std::string encoding;  ///< Content-Transfer-Encoding, lower case
  std::string body;      ///< decoded; text in UTF-8
};

/// Fields of one block of a delivery status, names in lower case.
using StatusBlock = std::map<std::string, std::string>;

struct ParsedMail {
  std::multimap<std::string, std::string> fields;  ///< decoded, names in lower case
  std::string structure;            ///< "multipart/mixed(multipart/alternative(text/plain,text/html),…)"
  std::vector<ParsedPart> parts;    ///< leaves in order
  std::vector<StatusBlock> status;  ///< of message/delivery-status and message/global-delivery-status
  std::string sender_name;          ///< display name and address of From
  std::string sender_address;
  std::vector<std::string> defects;  ///< what the parser complained of

  [[nodiscard]] std::string field(const std::string& name) const;
};

ParsedMail parse_mail(std::string_view message);

}  // namespace sealpost::test
