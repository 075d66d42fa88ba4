// SPDX-License-Identifier: Apache-2.0
// Implements filter_text.h.
#include "queue/filter_text.h"

#include <functional>

#include "base/email_address.h"
#include "base/encoding.h"
#include "conf/values.h"

namespace sealpost {
namespace {

Status read_state(DeliveryFilter& filter, const std::string& value) {
  filter.waiting = value == "waiting";
  if (filter.waiting) return {};
  filter.state = parse_delivery_state(value);
  return filter.state ? Status() : Status(Error::invalid("unknown state: " + value));
}

Status read_message(DeliveryFilter& filter, const std::string& value) {
  auto id = MessageId::parse(value);
  if (!id) return Error::invalid("not a message's id: " + value);
  filter.message = std::move(*id);
  return {};
}

Status read_age(std::optional<Duration>& age, const std::string& value) {
  auto duration = parse_duration(value);
  if (!duration) return duration.error();
  age = *duration;
  return {};
}

Status read_order(DeliveryFilter& filter, const std::string& value) {
  if (value != "oldest" && value != "newest") return Error::invalid("neither oldest nor newest: " + value);
  filter.order = value == "newest" ? WalkOrder::NewestFirst : WalkOrder::OldestFirst;
  return {};
}

/// As the recipient's domain stands in the indexes: its A-labels (RFC 5890).
Status read_domain(DeliveryFilter& filter, const std::string& value) {
  auto domain = DomainName::parse(value);
  if (!domain) return Error::invalid("not a domain: " + value);
  filter.domain = domain->a_label();
  return {};
}

/// Of senders and recipients. It is found as a record has it: one that has finished may have kept a part of a long
/// address, which is none by itself.
Status read_address(std::optional<std::string>& address, const std::string& value) {
  if (value.find('@') == std::string::npos) return Error::invalid("not an address: " + value);
  address = value;
  return {};
}

struct Row {
  FilterPart part;
  std::function<Status(DeliveryFilter&, const std::string&)> read;
  std::function<std::string(const DeliveryFilter&)> write;  ///< empty for what is not set
};

std::string age_of(const std::optional<Duration>& age) {
  return age ? std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*age).count()) + "s" : std::string();
}

/// A part that is a text like any other.
Row text(const char* name, const char* help, std::optional<std::string> DeliveryFilter::*member) {
  return {{name, help},
          [member](DeliveryFilter& filter, const std::string& value) {
            filter.*member = value;
            return Status();
          },
          [member](const DeliveryFilter& filter) { return (filter.*member).value_or(std::string()); }};
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {{"state", "queued, sending, deferred, held, delivered, bounced, dropped; or waiting for the first four"},
       read_state,
       [](const DeliveryFilter& filter) {
         return filter.state ? std::string(to_text(*filter.state)) : std::string(filter.waiting ? "waiting" : "");
       }},
      {{"domain", "recipient's domain"},
       read_domain,
       [](const DeliveryFilter& filter) { return filter.domain.value_or(std::string()); }},
      {{"sender", "envelope sender; '<>' for the relay's own notices and other mail without one"},
       [](DeliveryFilter& filter, const std::string& value) {
         if (value != "<>") return read_address(filter.sender, value);
         filter.sender = std::string();
         return Status();
       },
       [](const DeliveryFilter& filter) {
         return filter.sender && filter.sender->empty() ? std::string("<>") : filter.sender.value_or(std::string());
       }},
      {{"recipient", "recipient's address"},
       [](DeliveryFilter& filter, const std::string& value) { return read_address(filter.recipient, value); },
       [](const DeliveryFilter& filter) { return filter.recipient.value_or(std::string()); }},
      text("account", "account that submitted the message", &DeliveryFilter::account),
      {{"message", "message's id"},
       read_message,
       [](const DeliveryFilter& filter) { return filter.message ? filter.message->text() : std::string(); }},
      {{"older_than", "age, e.g. 30m, 4h, 2d"},
       [](DeliveryFilter& filter, const std::string& value) { return read_age(filter.older_than, value); },
       [](const DeliveryFilter& filter) { return age_of(filter.older_than); }},
      {{"newer_than", "age, e.g. 30m, 4h, 2d"},
       [](DeliveryFilter& filter, const std::string& value) { return read_age(filter.newer_than, value); },
       [](const DeliveryFilter& filter) { return age_of(filter.newer_than); }},
      text("error", "part of the last reply or reason of what failed, or its code: 451, 4.7.1", &DeliveryFilter::error),
      {{"order", "oldest (first) or newest"},
       read_order,
       [](const DeliveryFilter& filter) {
         return std::string(filter.order == WalkOrder::NewestFirst ? "newest" : "");
       }},
  };
  return all;
}

/// So that a text with blanks in it does not read as two parts.
std::string quoted(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return text + "\"";
}

}  // namespace

const std::vector<FilterPart>& filter_parts() {
  static const std::vector<FilterPart> parts = [] {
    std::vector<FilterPart> all;
    for (const auto& row : rows()) all.push_back(row.part);
    return all;
  }();
  return parts;
}

Status check_action_filter(const DeliveryFilter& filter) {
  if (!filter.state || is_waiting(*filter.state)) return {};
  return Error::invalid("state: what is " + std::string(to_text(*filter.state)) +
                        " has ended; actions reach what waits");
}

std::string to_text(const DeliveryFilter& filter) {
  std::string text;
  for (const auto& row : rows()) {
    const std::string value = row.write(filter);
    if (value.empty()) continue;
    const bool plain = value.find_first_of(" \"") == std::string::npos;
    text += (text.empty() ? "" : " ") + std::string(row.part.name) + "=" + (plain ? value : quoted(value));
  }
  return text;
}

Result<DeliveryFilter> parse_filter(const std::map<std::string, std::string>& parts) {
  DeliveryFilter filter;
  for (const auto& [name, value] : parts) {
    const Row* known = nullptr;
    for (const auto& row : rows()) {
      if (row.part.name == name) known = &row;
    }
    if (known == nullptr) return Error::invalid(name + " is no filter");
    if (value.empty()) return Error::invalid(name + " is empty");
    if (value.size() > max_filter_part) {
      return Error::invalid(name + " has more than " + std::to_string(max_filter_part) + " octets");
    }
    if (auto read = known->read(filter, value); !read) return Error::invalid(name + ": " + read.error().public_text);
  }
  return filter;
}

}  // namespace sealpost
