// SPDX-License-Identifier: Apache-2.0
// Implements queue_choice.h.
#include "relay/ctl/queue_choice.h"

#include <algorithm>
#include <map>

#include "queue/filter_text.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

/// The option of a filter's part: older_than is --older-than.
std::string option_name(std::string part) {
  std::replace(part.begin(), part.end(), '_', '-');
  return part;
}

}  // namespace

void declare_filters(po::options_description& options) {
  for (const auto& part : filter_parts()) {
    options.add_options()(option_name(part.name).c_str(), po::value<std::string>(), part.help);
  }
}

Result<DeliveryFilter> read_filter(const Options& options) {
  std::map<std::string, std::string> parts;
  for (const auto& part : filter_parts()) {
    const std::string name = option_name(part.name);
    if (options.count(name) > 0) parts[part.name] = options[name].as<std::string>();
  }
  auto filter = parse_filter(parts);
  if (filter) return filter;
  const std::string text = filter.error().public_text;
  const auto end = text.find_first_of(": ");
  return Error::invalid("--" + option_name(text.substr(0, end)) + text.substr(end));
}

Result<std::vector<DeliveryRecord>> named_deliveries(QueueView& view, const std::string& text) {
  if (auto message = MessageId::parse(text)) return view.deliveries_of(*message);
  auto id = DeliveryId::parse(text);
  if (!id) return Error::invalid("neither a delivery's id nor a message's: " + text);
  auto record = view.show(*id);
  if (!record && record.error().kind == ErrorKind::NotFound) return std::vector<DeliveryRecord>();
  if (!record) return record.error();
  return std::vector<DeliveryRecord>{std::move(*record)};
}

}  // namespace sealpost::ctl
