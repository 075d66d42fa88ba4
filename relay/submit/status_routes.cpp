// SPDX-License-Identifier: Apache-2.0
// Implements status_routes.h. What an account did not submit does not exist for it.
#include "relay/submit/status_routes.h"

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "base/encoding.h"
#include "relay/submit/timeline.h"

namespace sealpost::submit {
namespace {

using http::Response;
using Records = std::vector<DeliveryRecord>;

constexpr std::size_t default_limit = 50;
constexpr std::size_t max_limit = 500;

Response respond(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return Response::json(200, out.str()).with("Cache-Control", "no-store");
}

Response bad_parameter(const std::string& name, const std::string& detail) {
  return Response::problem(422, "Invalid parameter", name + ": " + detail, {{name, detail}});
}

/// The pair that the delivery was sealed to; nothing when the directory no longer knows it.
Result<std::optional<KeyRecord>> pair_of(KeyDirectory& directory, const DeliveryRecord& delivery,
                                         const std::string& address_key, const std::optional<KeyRecord>& current) {
  if (current && current->fingerprint == delivery.fingerprint) return current;
  auto earlier = directory.history(address_key);
  if (!earlier) return earlier.error();
  for (auto& record : *earlier) {
    if (record.fingerprint == delivery.fingerprint) return std::optional(std::move(record));
  }
  return std::optional<KeyRecord>();
}

Result<std::vector<KeyProgress>> progress_of(const StatusRoutesContext& context, const Records& deliveries) {
  std::vector<KeyProgress> progress(deliveries.size());
  std::vector<EmailAddress> addresses;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    // A record in short may hold a part of a long address only.
    auto address = EmailAddress::parse(deliveries[i].recipient);
    if (deliveries[i].fingerprint.empty() || !address) continue;
    addresses.push_back(std::move(*address));
    places.push_back(i);
  }
  if (addresses.empty()) return progress;
  auto current = context.directory.find_all(addresses);
  if (!current) return current.error();
  auto notified = context.pickups.sent(addresses);
  if (!notified) return notified.error();
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto pair = pair_of(context.directory, deliveries[places[i]], addresses[i].directory_key(), (*current)[i]);
    if (!pair) return pair.error();
    if (!*pair) continue;
    progress[places[i]].picked_up = (*pair)->picked_up;
    const auto& sent = (*notified)[i];
    if (sent && sent->fingerprint == (*pair)->fingerprint) progress[places[i]].notified = sent->time;
  }
  return progress;
}

Response get_message(const StatusRoutesContext& context, const http::Request& request) {
  const auto unknown = [] { return Response::from(Error::not_found("there is no such message")); };
  auto id = MessageId::parse(request.parameters.at("id"));
  if (!id) return unknown();
  auto deliveries = context.view.deliveries_of(*id);
  if (!deliveries) return Response::failure(deliveries.error());
  const bool sees_all = request.caller->scopes.contains(Scope::Operator);
  std::erase_if(*deliveries, [&](const DeliveryRecord& record) {
    return !sees_all &&
           (record.notice || record.account != request.caller->account || record.created < request.caller->created);
  });
  if (deliveries->empty()) return unknown();
  auto progress = progress_of(context, *deliveries);
  if (!progress) return Response::failure(progress.error());
  return respond(message_to_json(*deliveries, *progress));
}

struct Listing {
  SubmittedFilter filter;
  std::size_t limit = default_limit;
  std::string cursor;
};

/// An RFC 3339 time, or seconds since 1970 would be guesswork: the former only.
Result<Listing, Response> read_listing(const http::Request& request) {
  Listing listing;
  std::set<std::string> given;
  for (const auto& [name, value] : request.query) {
    if (!given.insert(name).second) return bad_parameter(name, "given twice");
    if (name == "status") {
      listing.filter.state = parse_delivery_state(value);
      if (!listing.filter.state) return bad_parameter(name, "not a state of a delivery");
    } else if (name == "to") {
      auto address = EmailAddress::parse(value);
      if (!address) return bad_parameter(name, address.error().public_text);
      listing.filter.to = std::move(*address);
    } else if (name == "since") {
      listing.filter.since = parse_rfc3339(value);
      if (!listing.filter.since) return bad_parameter(name, "not a time such as 2026-01-31T09:30:00Z");
    } else if (name == "limit") {
      const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), listing.limit);
      if (fault != std::errc() || end != value.data() + value.size() || listing.limit == 0 ||
          listing.limit > max_limit) {
        return bad_parameter(name, "not a number from 1 to " + std::to_string(max_limit));
      }
    } else if (name == "cursor") {
      listing.cursor = value;
    } else {
      return bad_parameter(name, "there is no such parameter");
    }
  }
  return listing;
}

/// A cursor belongs to the account.
Result<std::string> open_cursor(const StatusRoutesContext& context, const std::string& account,
                                const std::string& cursor) {
  if (cursor.empty()) return std::string();
  const auto wrapped = from_base64url(cursor);
  auto plain = wrapped ? context.wrapper.unwrap(Purpose::Cursor, account, *wrapped)
                       : Result<WipedBuffer>(Error::invalid("this cursor is not one of ours"));
  if (!plain) return Error::invalid("this cursor is not one of ours");
  return std::string(view(*plain));
}

Result<Poco::Dynamic::Var> close_cursor(const StatusRoutesContext& context, const std::string& account,
                                        const std::string& cursor) {
  if (cursor.empty()) return Poco::Dynamic::Var();
  auto wrapped = context.wrapper.wrap(Purpose::Cursor, account, cursor);
  if (!wrapped) return wrapped.error();
  return Poco::Dynamic::Var(to_base64url(*wrapped));
}

Response list_messages(const StatusRoutesContext& context, const http::Request& request) {
  auto listing = read_listing(request);
  if (!listing) return std::move(listing).error();
  const Caller& caller = *request.caller;
  auto behind = open_cursor(context, caller.account, listing->cursor);
  if (!behind) return bad_parameter("cursor", behind.error().public_text);
  listing->filter.since = std::max(listing->filter.since.value_or(caller.created), caller.created);
  auto page = context.view.submitted(caller.account, listing->filter, listing->limit, *behind);
  if (!page) return Response::failure(page.error());
  auto cursor = close_cursor(context, caller.account, page->cursor);
  if (!cursor) return Response::failure(cursor.error());
  Poco::JSON::Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  Poco::JSON::Array messages;
  for (const auto& deliveries : page->messages) messages.add(message_to_json(deliveries));
  body.set("messages", messages);
  body.set("cursor", *cursor);
  return respond(body);
}

}  // namespace

std::vector<http::Route> status_routes(StatusRoutesContext& context) {
  using http::Access;
  return {
      {"GET", "/v1/messages", Access::Submit, 0,
       [&context](const http::Request& request) { return list_messages(context, request); }},
      {"GET", "/v1/messages/{id}", Access::SubmitOrOperator, 0,
       [&context](const http::Request& request) { return get_message(context, request); }},
  };
}

}  // namespace sealpost::submit
