// SPDX-License-Identifier: Apache-2.0
// The relay that the suites about recipients' keys share within a process: a start makes two CA keys, which takes
// longer than most of their cases.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/e2e/recipient.h"

namespace sealpost::test {

class KeyLifeRelay : public testing::Test {
 public:
  static void SetUpTestSuite() {
    if (!relay) relay = std::make_unique<RelayFixture>();
  }

 protected:
  inline static std::unique_ptr<RelayFixture> relay;
};

}  // namespace sealpost::test
