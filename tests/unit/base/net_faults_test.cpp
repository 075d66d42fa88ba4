// SPDX-License-Identifier: Apache-2.0
// What throws in the loop's thread costs the connection that it was for, nothing else.
#include <atomic>
#include <new>

#include "tests/unit/base/net_fixture.h"

namespace sealpost::net {
namespace {

TEST_F(NetTest, AConversationThatCannotBeMadeCostsItsConnectionOnly) {
  std::atomic<int> left{2};
  auto short_of_memory = options();
  short_of_memory.max_connections = 1;
  short_of_memory.accept = [this, &left] {
    if (left > 0 && left-- > 0) throw std::bad_alloc();
    return steered_conversation(story_);
  };
  const auto port = serve(std::move(short_of_memory));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(test::RawClient(port).expect_close());
  ASSERT_TRUE(settles_at(0)) << "not counted any more";
  test::RawClient client(port);
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send("echo x\r\n"));
  EXPECT_EQ(client.read_line(), "x");
  EXPECT_NE(logged().find("net.accept_failed"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::net
