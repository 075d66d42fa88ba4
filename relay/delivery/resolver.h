// SPDX-License-Identifier: Apache-2.0
// What delivery asks DNS: a domain's MX records, a host's addresses.
#pragma once

#include <Poco/Net/IPAddress.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "relay/delivery/pollable_flag.h"
#include "relay/delivery/wait.h"

namespace sealpost {

/// What a name has of the type asked for. No records: the name exists (RFC 2308's NODATA) or it does not (NXDOMAIN).
template <class Record>
struct DnsAnswer {
  std::vector<Record> records;
  bool name_exists = true;
};

/// RFC 1035 section 3.3.9. The host without its final dot; empty for "." (RFC 7505).
struct MxRecord {
  std::uint16_t preference = 0;
  std::string host;
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  /// Names are A-labels; aliases (CNAME) are followed. Temporary when DNS does not say: no answer before the deadline,
  /// a server failure, or `stop` was raised. Called from many threads.
  virtual Result<DnsAnswer<MxRecord>> mx(const std::string& domain, Deadline deadline, const PollableFlag* stop) = 0;
  /// IPv6 and IPv4, in turn, as they are best tried.
  virtual Result<DnsAnswer<Poco::Net::IPAddress>> addresses(const std::string& host, Deadline deadline,
                                                            const PollableFlag* stop) = 0;
};

}  // namespace sealpost
