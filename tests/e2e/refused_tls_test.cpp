// SPDX-License-Identifier: Apache-2.0
// TLS files that stop the start are named with their setting.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/build.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {
namespace {

TEST(RefusedTls, NamesTheSettingTheFileAndTheReason) {
  const TempDir directory;
  const std::string certificate = directory.write("tls.crt", "no certificate");
  const std::string key = directory.write("tls.key", "no key");
  const auto ran = run({program("sealpostd"), "--relay.state_dir=" + (directory / "state"),
                        "--tls.certificate=" + certificate, "--tls.private_key=" + key});
  EXPECT_EQ(ran.status, 78);
  EXPECT_NE(ran.err.find("tls.certificate: " + certificate), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("cannot be used for TLS"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace sealpost::test
