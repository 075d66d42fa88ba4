// SPDX-License-Identifier: Apache-2.0
// Implements message_sink.h.
#include "relay/message_sink.h"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <sstream>

namespace sealpost {
namespace {

using Poco::JSON::Object;

Object to_json(const AcceptedRecipient& recipient) {
  Object row(Poco::JSON_PRESERVE_KEY_ORDER);
  row.set("address", recipient.address.text());
  row.set("delivery", recipient.delivery.text());
  row.set("status", recipient.passed_through ? "passed_through" : recipient.held ? "held" : "queued");
  if (recipient.passed_through) {
    row.set("key", Poco::Dynamic::Var());
    return row;
  }
  Object key(Poco::JSON_PRESERVE_KEY_ORDER);
  key.set("fingerprint", recipient.fingerprint);
  key.set("state", recipient.key_state);
  key.set("assigned", recipient.assigned);
  if (recipient.code) key.set("code", std::string(recipient.code->reveal()));
  row.set("key", key);
  return row;
}

}  // namespace

bool is_idempotency_key(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string to_json(const Accepted& accepted) {
  Object answer(Poco::JSON_PRESERVE_KEY_ORDER);
  answer.set("id", accepted.id.text());
  answer.set("message_id", accepted.message_id_field);
  Poco::JSON::Array recipients;
  for (const auto& recipient : accepted.recipients) recipients.add(to_json(recipient));
  answer.set("recipients", recipients);
  std::ostringstream out;
  answer.stringify(out);
  return out.str();
}

}  // namespace sealpost
