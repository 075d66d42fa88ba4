// SPDX-License-Identifier: Apache-2.0
// A real Redis with a master key over it, and a log that a test can read: what accounts, tokens and intake stand on.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/email_address.h"
#include "base/log.h"
#include "base/random.h"
#include "crypto/master_key.h"
#include "tests/support/address.h"
#include "tests/support/fakes.h"
#include "tests/support/log_file.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

struct RelayParts {
  redis::Reply redis_command(const std::vector<std::string>& command) {
    return std::move(redis.command(command)).value();
  }

  ManualClock clock;
  LogFile log_file{clock};
  Log& log = log_file.log;
  TempDir dir;
  RedisServer server;
  SystemRandom random;
  redis::Client redis{server.endpoint(), std::chrono::seconds(20)};
  MasterKey master = MasterKey::open(dir / "master.key", redis, random).value();
};

}  // namespace sealpost::test
