// SPDX-License-Identifier: Apache-2.0
// Implements multipart_form.h with Poco's reader of parts.
#include "base/http/multipart_form.h"

#include <Poco/Exception.h>
#include <Poco/MemoryStream.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/MultipartReader.h>
#include <Poco/Net/NameValueCollection.h>

#include <array>

#include "base/encoding.h"

namespace sealpost::http {
namespace {

constexpr int max_parts = 20;
constexpr std::size_t max_boundary = 70;  // RFC 2046 section 5.1.1

/// The boundary that the field names; empty when it is not of this kind.
std::string boundary_of(std::string_view content_type) {
  std::string type;
  Poco::Net::NameValueCollection parameters;
  Poco::Net::MessageHeader::splitParameters(std::string(content_type), type, parameters);
  if (!ascii_iequals(type, "multipart/form-data")) return {};
  const std::string boundary = parameters.get("boundary", {});
  return boundary.size() <= max_boundary ? boundary : std::string();
}

std::string name_of(const Poco::Net::MessageHeader& header) {
  std::string disposition;
  Poco::Net::NameValueCollection parameters;
  Poco::Net::MessageHeader::splitParameters(header.get("Content-Disposition", {}), disposition, parameters);
  return ascii_iequals(disposition, "form-data") ? parameters.get("name", {}) : std::string();
}

WipedBuffer read_all(std::istream& in) {
  WipedBuffer octets;
  std::array<char, 4096> piece{};
  while (in.read(piece.data(), piece.size()), in.gcount() > 0) {
    octets.insert(octets.end(), piece.data(), piece.data() + in.gcount());
  }
  return octets;
}

}  // namespace

Result<std::map<std::string, WipedBuffer>> parse_multipart_form(std::string_view content_type, std::string_view body) {
  try {
    const std::string boundary = boundary_of(content_type);
    if (boundary.empty()) return Error::invalid("not a form with files");
    Poco::MemoryInputStream in(body.data(), static_cast<std::streamsize>(body.size()));
    Poco::Net::MultipartReader reader(in, boundary);
    std::map<std::string, WipedBuffer> fields;
    for (int part = 0; reader.hasNextPart(); ++part) {
      if (part == max_parts) return Error::invalid("a form of too many parts");
      Poco::Net::MessageHeader header;
      reader.nextPart(header);
      std::string name = name_of(header);
      if (name.empty()) return Error::invalid("a part of the form has no name");
      fields.emplace(std::move(name), read_all(reader.stream()));
    }
    return fields;
  } catch (const Poco::Exception& why) {
    return Error::invalid("not a form with files", why.displayText());
  }
}

}  // namespace sealpost::http
