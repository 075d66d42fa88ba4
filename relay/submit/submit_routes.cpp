// SPDX-License-Identifier: Apache-2.0
// Implements submit_routes.h: from a request to a Submission, and from the intake's word to a response.
#include "relay/submit/submit_routes.h"

#include <Poco/JSON/Array.h>

#include <set>

#include "base/encoding.h"
#include "base/header_addresses.h"
#include "base/http/json_body.h"
#include "crypto/submitted_message.h"
#include "relay/submit/composition_json.h"
#include "relay/submit/mime_composer.h"

namespace sealpost::submit {
namespace {

using http::Response;

constexpr std::size_t max_batch = 100;
/// Batch, message, list, attachment; one more, so that what is too deep by mistake is told by its pointer.
constexpr std::size_t max_depth = 6;
/// The body, what is read out of it, and what the message takes behind it (relay/smtp/content_reader.h).
constexpr std::size_t memory_per_octet = 9;

/// Somebody who gets the message, and where in the request that is said.
struct Wanted {
  EmailAddress address;
  std::string pointer;
};

struct Order {
  Account account;
  EmailAddress from;
  std::vector<Wanted> recipients;
  std::string idempotency_key;
  WipedBuffer message;
  std::chrono::steady_clock::time_point received;  ///< the call
};

/// As it is at this call: whoever proved that it is the account's, was looked up just now.
Account account_of(const http::Request& request) {
  return {request.caller->account, request.caller->send_as, false, request.caller->created};
}

Response unprocessable(const std::vector<http::FieldError>& errors) {
  const std::string more = errors.size() > 1 ? " (and " + std::to_string(errors.size() - 1) + " more)" : "";
  const std::string& pointer = errors.front().pointer;
  const std::string where = pointer.empty() ? std::string() : pointer + ": ";
  return Response::problem(422, "Invalid message", where + errors.front().detail + more, errors);
}

Response later(int status, std::string_view title, const std::string& detail) {
  return Response::problem(status, title, detail).with("Retry-After", status == 429 ? "60" : "10");
}

Response too_large(const SubmitRoutesContext& context) {
  return Response::problem(413, "Too large",
                           "the message has more than " + std::to_string(context.max_message_size) + " octets");
}

/// The table of message_sink.h for HTTP. `pointer` names the recipient whom it is about, if it is about one.
Response refused(const IntakeError& error, const std::string& pointer) {
  const std::string& text = error.public_text;
  const std::vector<http::FieldError> at =
      pointer.empty() ? std::vector<http::FieldError>() : std::vector<http::FieldError>{{pointer, text}};
  switch (error.refusal) {
    case Refusal::Malformed:
    case Refusal::Loop:
    case Refusal::CannotSeal:
      return Response::problem(422, "Invalid message", text);
    case Refusal::BadRecipient:
    case Refusal::Suppressed:
      return Response::problem(422, "Invalid recipient", text, at);
    case Refusal::SenderNotAllowed:
      return Response::problem(403, "Sender not allowed", text);
    case Refusal::TooManyNew:
    case Refusal::RateOfNew:
      return later(429, "Too many new recipients", text);
    case Refusal::Conflict:
      return Response::problem(409, "Idempotency key used", text);
    case Refusal::CannotSealNow:
    case Refusal::StoreAway:
    case Refusal::StoreFull:
      break;
  }
  Response response = later(503, "Temporarily unavailable", text);
  response.fault = Error::temporary(text, error.internal_detail);
  return response;
}

/// An address counts once, wherever it stands.
void add_recipient(std::vector<Wanted>& all, std::set<std::string>& seen, const EmailAddress& address,
                   const std::string& pointer) {
  if (seen.insert(address.directory_key()).second) all.push_back({address, pointer});
}

std::vector<Wanted> recipients_of(const Composition& composition, const std::string& pointer) {
  std::vector<Wanted> all;
  std::set<std::string> seen;
  for (const auto& [name, list] :
       {std::pair{"/to/", &composition.to}, {"/cc/", &composition.cc}, {"/bcc/", &composition.bcc}}) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      add_recipient(all, seen, (*list)[i].address, pointer + name + std::to_string(i));
    }
  }
  return all;
}

Response taken(const Accepted& accepted) {
  Response response = Response::json(202, accepted.first_answer ? *accepted.first_answer : to_json(accepted))
                          .with("Location", "/v1/messages/" + accepted.id.text())
                          .with("Cache-Control", "no-store");
  if (accepted.first_answer) return std::move(response).with("Idempotency-Replayed", "true");
  return response;
}

/// `unassigned`: recipients without a key that this call has had before.
Response submit(const SubmitRoutesContext& context, Order order, std::size_t& unassigned) {
  if (!order.account.may_send_as(order.from)) {
    return Response::problem(403, "Sender not allowed", "the account may not send as " + order.from.text());
  }
  if (order.message.size() > context.max_message_size) return too_large(context);
  Submission submission;
  submission.mail_from = std::move(order.from);
  // The header block alone says whether the next hop must take UTF-8 there; a body is sealed.
  const std::string_view octets = view(order.message);
  submission.smtputf8 = !is_ascii(octets.substr(0, octets.find("\r\n\r\n")));
  submission.protocol = "HTTP";
  submission.idempotency_key = std::move(order.idempotency_key);
  for (const auto& recipient : order.recipients) submission.recipients.push_back({recipient.address, {}, {}});
  submission.account = std::move(order.account);
  submission.message = std::move(order.message);
  auto before = context.sink.answered_before(submission);
  if (!before) return refused(before.error(), {});
  if (*before) return taken(**before);
  for (std::size_t i = 0; i < order.recipients.size(); ++i) {
    auto admitted = context.sink.admit(submission.account, order.recipients[i].address, unassigned);
    if (!admitted) return refused(admitted.error(), order.recipients[i].pointer);
    unassigned += admitted->unassigned ? 1 : 0;
    submission.recipients[i].bounced_before = admitted->bounced_before;
  }
  auto accepted = context.sink.accept(std::move(submission));
  if (!accepted) return refused(accepted.error(), {});
  if (!accepted->first_answer) context.counts.accept(order.received);
  return taken(*accepted);
}

Response submit_json(const SubmitRoutesContext& context, const http::Request& request, const Poco::Dynamic::Var& json,
                     const std::string& pointer, const std::string& idempotency_key, std::size_t& unassigned) {
  auto composition = read_composition(json, pointer, context.max_recipients);
  if (!composition) return unprocessable(composition.error());
  if (least_size(*composition) > context.max_message_size) return too_large(context);
  return submit(context,
                {account_of(request), composition->from.address, recipients_of(*composition, pointer), idempotency_key,
                 compose(*composition), request.received},
                unassigned);
}

/// Query parameters, or what the header fields say.
Result<std::vector<Wanted>, Response> envelope_recipients(const http::Request& request,
                                                          const SubmittedMessage& message) {
  std::vector<Wanted> all;
  std::set<std::string> seen;
  std::vector<http::FieldError> errors;
  const auto [first, last] = request.query.equal_range("to");
  for (auto to = first; to != last; ++to) {
    if (auto address = EmailAddress::parse(to->second)) {
      add_recipient(all, seen, *address, "to");
    } else {
      errors.push_back({"to", address.error().public_text});
    }
  }
  for (const char* name : {"To", "Cc", "Bcc"}) {
    for (const HeaderField* field : first == last ? message.find_all(name) : std::vector<const HeaderField*>()) {
      auto addresses = parse_address_list(field->body);
      if (!addresses) errors.push_back({name, addresses.error().public_text});
      for (const auto& address : addresses ? *addresses : std::vector<EmailAddress>()) {
        add_recipient(all, seen, address, name);
      }
    }
  }
  if (errors.empty() && all.empty())
    errors.push_back({"to", "missing: there is no recipient in the query or the header"});
  if (!errors.empty()) return unprocessable(errors);
  return all;
}

Result<EmailAddress, Response> envelope_sender(const http::Request& request, const SubmittedMessage& message) {
  const auto given = request.query.find("from");
  if (given != request.query.end()) {
    auto address = EmailAddress::parse(given->second);
    if (!address) return unprocessable({{"from", address.error().public_text}});
    return std::move(*address);
  }
  const HeaderField* field = message.find("From");
  if (field == nullptr)
    return unprocessable({{"from", "missing: neither the query nor the header says who it is from"}});
  auto addresses = parse_address_list(field->body);
  if (!addresses) return unprocessable({{"From", addresses.error().public_text}});
  if (addresses->empty()) return unprocessable({{"From", "the field names no address"}});
  return std::move(addresses->front());
}

/// As in SMTP, where only CRLF ends a line.
bool has_bare_line_end(std::string_view octets) {
  for (std::size_t i = octets.find_first_of(std::string_view("\r\n\0", 3)); i != std::string_view::npos;
       i = octets.find_first_of(std::string_view("\r\n\0", 3), i + 2)) {
    if (octets[i] != '\r' || i + 1 == octets.size() || octets[i + 1] != '\n') return true;
  }
  return false;
}

Response submit_message(const SubmitRoutesContext& context, const http::Request& request,
                        const std::string& idempotency_key) {
  for (const auto& [name, value] : request.query) {
    if (name != "from" && name != "to") return unprocessable({{name, "there is no such parameter"}});
  }
  if (request.query.count("from") > 1) return unprocessable({{"from", "given twice"}});
  if (request.body.size() > context.max_message_size) return too_large(context);
  if (has_bare_line_end(view(request.body))) {
    return Response::problem(422, "Invalid message", "lines end with CRLF; bare CR, LF or NUL are not accepted");
  }
  auto message = split_message(view(request.body));
  if (!message) return Response::problem(422, "Invalid message", message.error().public_text);
  auto from = envelope_sender(request, *message);
  if (!from) return std::move(from).error();
  auto recipients = envelope_recipients(request, *message);
  if (!recipients) return std::move(recipients).error();
  if (recipients->size() > context.max_recipients) {
    return unprocessable({{"to", "too many recipients: " + std::to_string(context.max_recipients) + " at most"}});
  }
  std::size_t unassigned = 0;
  return submit(
      context,
      {account_of(request), std::move(*from), std::move(*recipients), idempotency_key, request.body, request.received},
      unassigned);
}

/// The key that the request came with, which may be none; or why nothing is taken.
Result<std::string, Response> begin(const SubmitRoutesContext& context, const http::Request& request) {
  std::string key(request.field("idempotency-key"));
  if (request.fields.contains("idempotency-key") && !is_idempotency_key(key)) {
    return Response::problem(400, "Bad request", "Idempotency-Key is one word of at most 255 printable characters");
  }
  if (context.store_full()) return later(503, "Temporarily unavailable", "insufficient system storage");
  return key;
}

std::string media_type(const http::Request& request) {
  const std::string_view field = request.field("content-type");
  return ascii_lower(trimmed(field.substr(0, field.find(';'))));
}

Response unsupported(const std::string& wanted) {
  return Response::problem(415, "Unsupported media type", "Content-Type must be " + wanted);
}

Response post_message(const SubmitRoutesContext& context, const http::Request& request) {
  const std::string type = media_type(request);
  if (type != "application/json" && type != "message/rfc822") return unsupported("application/json or message/rfc822");
  auto key = begin(context, request);
  if (!key) return std::move(key).error();
  if (type == "message/rfc822") return submit_message(context, request, *key);
  if (!request.query.empty()) return unprocessable({{request.query.begin()->first, "there is no such parameter"}});
  auto json = http::parse_json(view(request.body), max_depth);
  if (!json) return Response::from(json.error());
  std::size_t unassigned = 0;
  return submit_json(context, request, *json, {}, *key, unassigned);
}

/// The answer to a message, or to a call that has none.
Response counted(const SubmitRoutesContext& context, Response response) {
  if (response.status >= 400) context.counts.refuse(response.status);
  return response;
}

/// {status, message} or {status, problem}.
std::string result_of(const Response& response) {
  return "{\"status\":" + std::to_string(response.status) +
         (response.status == 202 ? ",\"message\":" : ",\"problem\":") + std::string(view(response.body)) + "}";
}

Response post_batch(const SubmitRoutesContext& context, const http::Request& request) {
  if (media_type(request) != "application/json") return unsupported("application/json");
  auto key = begin(context, request);
  if (!key) return std::move(key).error();
  if (!request.query.empty()) return unprocessable({{request.query.begin()->first, "there is no such parameter"}});
  auto json = http::parse_json(view(request.body), max_depth);
  if (!json) return Response::from(json.error());
  if (json->type() != typeid(Poco::JSON::Array::Ptr)) return unprocessable({{"", "not an array of messages"}});
  const auto& messages = *json->extract<Poco::JSON::Array::Ptr>();
  if (messages.size() == 0) return unprocessable({{"", "there is no message"}});
  if (messages.size() > max_batch) return unprocessable({{"", "more than " + std::to_string(max_batch) + " messages"}});
  std::string results;
  std::size_t unassigned = 0;
  for (unsigned i = 0; i < messages.size(); ++i) {
    const std::string number = std::to_string(i);
    // Each is repeated, or not, by itself.
    // No key that somebody can send has a NUL.
    const std::string own_key = key->empty() ? std::string() : *key + '\0' + number;
    results +=
        (i == 0 ? "" : ",") +
        result_of(counted(context, submit_json(context, request, messages.get(i), "/" + number, own_key, unassigned)));
  }
  return Response::json(200, "{\"results\":[" + results + "]}").with("Cache-Control", "no-store");
}

}  // namespace

std::vector<http::Route> submit_routes(SubmitRoutesContext& context) {
  // Base64 makes three octets into four; what else JSON writes is little.
  const std::size_t max_body = context.max_message_size / 3 * 4 + 256UL * 1024;
  return {
      {"POST", "/v1/messages", http::Access::Submit, max_body,
       [&context](const http::Request& request) { return counted(context, post_message(context, request)); },
       memory_per_octet},
      {"POST", "/v1/messages/batch", http::Access::Submit, max_body,
       [&context](const http::Request& request) { return counted(context, post_batch(context, request)); },
       memory_per_octet},
  };
}

}  // namespace sealpost::submit
