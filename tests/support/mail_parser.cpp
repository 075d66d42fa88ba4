// SPDX-License-Identifier: Apache-2.0
// Implements mail_parser.h.
#include "tests/support/mail_parser.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <stdexcept>

#include "base/encoding.h"
#include "tests/support/process.h"

namespace sealpost::test {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr const char* script = R"python(
import base64, email, email.header, email.policy, email.utils, json, sys
raw = sys.stdin.buffer.read()
mail = email.message_from_bytes(raw, policy=email.policy.default)
defects, parts, status = [], [], []

def text_of(part):
    return base64.b64encode(part).decode()

def blocks(body):
    text = body.decode("utf-8").replace("\r\n", "\n")
    return [{name.lower(): value.strip() for name, value in (line.split(":", 1) for line in block.split("\n") if line)}
            for block in text.split("\n\n") if block.strip()]

def walk(part):
    defects.extend(type(defect).__name__ for defect in part.defects)
    for name in part.keys():
        defects.extend(name + ": " + type(defect).__name__ for value in part.get_all(name)
                       for defect in getattr(value, "defects", ()))
    if part.get_content_maintype() == "multipart":
        return part.get_content_type() + "(" + ",".join(walk(inner) for inner in part.iter_parts()) + ")"
    if part.get_content_maintype() == "message":
        body = b"".join(inner.as_bytes(policy=email.policy.SMTPUTF8) for inner in part.get_payload())
        if part.get_content_type().endswith("delivery-status"):
            status.extend(blocks(body))
    else:
        body = part.get_payload(decode=True)
    parts.append({"type": part.get_content_type(), "filename": part.get_filename() or "",
                  "encoding": str(part.get("Content-Transfer-Encoding", "")).lower(), "body": text_of(body)})
    return part.get_content_type()

structure = walk(mail)
# The older parser: the newer one of Python 3.11 leaves blanks between adjacent encoded-words (RFC 2047 section 6.2).
sender_name, sender_address = email.utils.parseaddr("".join(email.message_from_bytes(raw)["From"].splitlines()))
sender_name = str(email.header.make_header(email.header.decode_header(sender_name)))
json.dump({"fields": [[name.lower(), str(value)] for name, value in mail.items()], "structure": structure, "parts": parts,
           "status": status, "defects": defects, "name": sender_name,
           "address": sender_address}, sys.stdout)
)python";

std::vector<ParsedPart> parts_of(const Array& rows) {
  std::vector<ParsedPart> parts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.getObject(static_cast<unsigned>(i));
    parts.push_back({row->getValue<std::string>("type"), row->getValue<std::string>("filename"),
                     row->getValue<std::string>("encoding"), from_base64(row->getValue<std::string>("body")).value()});
  }
  return parts;
}

}  // namespace

std::string ParsedMail::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

ParsedMail parse_mail(std::string_view message) {
  const auto done = run({"python3", "-IS", "-c", script}, std::string(message));
  if (done.status != 0) throw std::runtime_error("python3 cannot read the mail: " + done.err);
  const auto object = Poco::JSON::Parser().parse(done.out).extract<Object::Ptr>();
  ParsedMail mail;
  mail.structure = object->getValue<std::string>("structure");
  mail.sender_name = object->getValue<std::string>("name");
  mail.sender_address = object->getValue<std::string>("address");
  mail.parts = parts_of(*object->getArray("parts"));
  for (const auto& field : *object->getArray("fields")) {
    const auto pair = field.extract<Array::Ptr>();
    mail.fields.emplace(pair->getElement<std::string>(0), pair->getElement<std::string>(1));
  }
  for (const auto& block : *object->getArray("status")) {
    StatusBlock fields;
    for (const auto& [name, value] : *block.extract<Object::Ptr>()) fields[name] = value.convert<std::string>();
    mail.status.push_back(std::move(fields));
  }
  for (const auto& defect : *object->getArray("defects")) mail.defects.push_back(defect.convert<std::string>());
  return mail;
}

}  // namespace sealpost::test
