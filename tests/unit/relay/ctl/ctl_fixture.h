// SPDX-License-Identifier: Apache-2.0
// sealpostctl in this process, on string streams, with a real Redis behind it that a daemon seems to have used.
#pragma once

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "conf/loader.h"
#include "relay/ctl/command.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

inline Ran run_ctl(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int status = ctl::run_ctl(arguments, in, out, err);
  return {status, out.str(), err.str()};
}

class CtlTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    redis_ = new RedisServer();
    directory_ = new TempDir();
    ASSERT_EQ(mkdir(state_dir().c_str(), 0700), 0);
    const auto loaded = load_settings({write_settings("sealpost.conf", {}), {}, {}});
    ASSERT_TRUE(loaded) << loaded.error().public_text;
    const SystemClock clock;
    Log log(LogLevel::Error, LogFormat::Text, clock);
    const auto made = Services::open(loaded->settings, clock, log, Services::Role::Daemon);
    ASSERT_TRUE(made) << made.error().public_text;
  }
  static void TearDownTestSuite() {
    delete directory_;
    delete redis_;
  }

  static std::string state_dir() { return *directory_ / "state"; }
  /// A settings file; `changed` wins over the fixture's own.
  static std::string write_settings(const std::string& name, std::map<std::string, std::string> changed) {
    changed.insert({{"relay.hostname", "relay.example.com"},
                    {"relay.state_dir", state_dir()},
                    {"redis.url", redis_->url()},
                    {"delivery.route", "maildir:" + (*directory_ / "mail")},
                    {"crypto.key_type", "p256"},
                    {"keys.pool_size", "2"}});
    std::string text;
    for (const auto& [key, value] : changed) {
      const auto dot = key.rfind('.');
      text += "[" + key.substr(0, dot) + "]\n" + key.substr(dot + 1) + " = " + value + "\n";
    }
    return directory_->write(name, text);
  }

  static Ran ctl(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), {"--config", *directory_ / "sealpost.conf"});
    return run_ctl(arguments, input);
  }
  static Poco::Dynamic::Var json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const Ran ran = ctl(std::move(arguments));
    EXPECT_EQ(ran.status, 0) << ran.err;
    return Poco::JSON::Parser().parse(ran.out);
  }

  static RedisServer* redis_;
  static TempDir* directory_;
};
inline RedisServer* CtlTest::redis_ = nullptr;
inline TempDir* CtlTest::directory_ = nullptr;

/// The names of an object, in the order in which they were printed.
inline std::vector<std::string> names_of(const Poco::Dynamic::Var& value) {
  return value.extract<Poco::JSON::Object::Ptr>()->getNames();
}

}  // namespace sealpost::test
