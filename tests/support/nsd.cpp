// SPDX-License-Identifier: Apache-2.0
// Implements nsd.h.
#include "tests/support/nsd.h"

#include <stdexcept>

namespace sealpost::test {

Nsd::Nsd(const std::string& zone, const std::string& records) {
  const std::string file = dir_.write("zone", "$ORIGIN " + zone + ".\n$TTL 60\n" +
                                                  "@ IN SOA ns hostmaster 1 60 60 600 60\n@ IN NS ns\nns IN A "
                                                  "127.0.0.1\n" +
                                                  records);
  const std::string folder = dir_.path();
  const std::string config =
      dir_.write("nsd.conf", "server:\n  ip-address: 127.0.0.1\n  port: " + std::to_string(port_) +
                                 "\n  server-count: 1\n  username: \"\"\n  database: \"\"\n  pidfile: \"\"\n"
                                 "  zonesdir: \"" +
                                 folder + "\"\n  xfrdir: \"" + folder + "\"\n  xfrdfile: \"\"\n  zonelistfile: \"" +
                                 folder + "/zone.list\"\nremote-control:\n  control-enable: no\nzone:\n  name: \"" +
                                 zone + "\"\n  zonefile: \"" + file + "\"\n");
  process_ = std::make_unique<Process>(std::vector<std::string>{"/usr/sbin/nsd", "-d", "-c", config});
  if (process_->wait_for("nsd started").empty()) throw std::runtime_error("nsd: " + process_->output());
}

Nsd::~Nsd() {
  process_->signal(15);
  process_->wait();
}

}  // namespace sealpost::test
