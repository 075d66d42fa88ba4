// SPDX-License-Identifier: Apache-2.0
// The machine's memory as cgroups limit it, and its name, told by other means than those that are tested.
#include "conf/machine.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

constexpr std::uint64_t mebi = 1U << 20U;

std::uint64_t ram() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kibi = 0;
    if (word == "MemTotal:" && file >> kibi) return kibi * 1024;
  }
  return 0;
}

class UsableMemory : public testing::Test {
 protected:
  void runs_in(const std::string& group) const { static_cast<void>(root.write("proc/self/cgroup", group)); }
  void limit(const std::string& group, const std::string& octets) const {
    static_cast<void>(root.write("sys/fs/cgroup" + group + "/memory.max", octets + "\n"));
  }
  [[nodiscard]] std::uint64_t usable() const { return usable_memory(root.path()); }
  const test::TempDir root;
};

TEST_F(UsableMemory, IsTheRamWithoutCgroups) { EXPECT_EQ(usable(), ram()); }

TEST_F(UsableMemory, IsTheRamWithoutALimit) {
  runs_in("0::/system.slice/sealpost.service\n");
  limit("/system.slice", "max");
  limit("/system.slice/sealpost.service", "max");
  EXPECT_EQ(usable(), ram());
}

TEST_F(UsableMemory, IsTheTightestOfNestedLimits) {
  runs_in("0::/a/b/c\n");
  limit("/a", std::to_string(30 * mebi));
  limit("/a/b", std::to_string(20 * mebi));
  limit("/a/b/c", "max");
  EXPECT_EQ(usable(), 20 * mebi);
  limit("/a", std::to_string(10 * mebi));
  EXPECT_EQ(usable(), 10 * mebi);
}

TEST_F(UsableMemory, SeesALimitAtTheRootOfItsNamespace) {  // as in a container
  runs_in("0::/\n");
  limit("", std::to_string(40 * mebi));
  EXPECT_EQ(usable(), 40 * mebi);
}

TEST_F(UsableMemory, LeavesOtherGroupsAndVersionsAlone) {
  runs_in("4:memory:/old\n0::/mine\n");
  limit("/old", std::to_string(10 * mebi));
  limit("/yours", std::to_string(10 * mebi));
  limit("/mine", std::to_string(50 * mebi));
  EXPECT_EQ(usable(), 50 * mebi);
}

TEST_F(UsableMemory, IsNeverMoreThanTheRam) {
  runs_in("0::/a\n");
  limit("/a", std::to_string(2 * ram()));
  EXPECT_EQ(usable(), ram());
}

TEST(MachineName, IsTheKernelsNodeName) {
  utsname names{};
  ASSERT_EQ(uname(&names), 0);
  EXPECT_EQ(machine_name(), names.nodename);
}

}  // namespace
}  // namespace sealpost
