// SPDX-License-Identifier: Apache-2.0
// How the queue's commands are told which deliveries are meant: by ids, or by a filter.
#pragma once

#include <string>
#include <vector>

#include "queue/delivery_filter.h"
#include "queue/queue_view.h"
#include "relay/ctl/command.h"

namespace sealpost::ctl {

/// An option for each part of a filter.
void declare_filters(boost::program_options::options_description& options);
/// Invalid for values that are none.
Result<DeliveryFilter> read_filter(const Options& options);
/// The deliveries that an id names: one, or all of a message. Invalid for what is no id; none when there is no record.
Result<std::vector<DeliveryRecord>> named_deliveries(QueueView& view, const std::string& text);

}  // namespace sealpost::ctl
