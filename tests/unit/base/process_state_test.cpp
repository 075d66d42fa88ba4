// SPDX-License-Identifier: Apache-2.0
// What a process holds: its memory budget and its state folder's lock.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/memory_budget.h"
#include "base/state_dir.h"
#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

TEST(MemoryBudget, RefusesBeyondItsLimitAndChangesNothing) {
  MemoryBudget budget(100);
  MemoryBudget::Reservation first;
  MemoryBudget::Reservation second;
  EXPECT_TRUE(first.grow_to(budget, 60));
  EXPECT_FALSE(second.grow_to(budget, 41));
  EXPECT_EQ(budget.used(), 60U);
  EXPECT_TRUE(second.grow_to(budget, 40));
  EXPECT_FALSE(first.grow_to(budget, 61));
  EXPECT_TRUE(first.grow_to(budget, 10));  // holds more than that
  EXPECT_EQ(budget.used(), 100U);
  first.release();
  first.release();
  EXPECT_EQ(budget.used(), 40U);
  EXPECT_FALSE(first.grow_to(budget, static_cast<std::size_t>(-1)));
}

TEST(MemoryBudget, FollowsMovesAndTheEndOfScopes) {
  MemoryBudget budget(100);
  {
    MemoryBudget::Reservation outer;
    {
      MemoryBudget::Reservation inner;
      ASSERT_TRUE(inner.grow_to(budget, 30));
      outer = std::move(inner);
    }
    EXPECT_EQ(budget.used(), 30U);
    const MemoryBudget::Reservation moved(std::move(outer));
    EXPECT_EQ(budget.used(), 30U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, NeverExceedsItsLimitUnderThreads) {
  MemoryBudget budget(1000);
  std::atomic<bool> exceeded{false};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) {
          MemoryBudget::Reservation reservation;
          if (reservation.grow_to(budget, 400) && budget.used() > 1000) exceeded = true;
        }
      });
    }
  }
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(StateDir, IsMadeForItsOwnerAlone) {
  SystemRandom random;
  const test::TempDir dir;
  const std::string path = dir / "deep/state";
  auto held = StateDir::take(path, random);
  ASSERT_TRUE(held) << held.error().public_text;
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(StateDir, IsHeldByOneAndNamesIt) {
  SystemRandom random;
  const test::TempDir dir;
  {
    auto held = StateDir::take(dir / "state", random);
    ASSERT_TRUE(held);
    const StateDir moved = std::move(*held);
    auto other = StateDir::take(dir / "state", random);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::Invalid);
    EXPECT_NE(other.error().public_text.find(std::to_string(getpid())), std::string::npos) << other.error().public_text;
  }
  EXPECT_TRUE(StateDir::take(dir / "state", random));
}

TEST(StateDir, HasANameOfItsOwnForGood) {
  const test::TempDir dir;
  SystemRandom random;
  const auto name_of = [&](const std::string& path) { return StateDir::take(path, random).value().node(); };
  const std::string first = name_of(dir / "a");
  EXPECT_EQ(first.size(), 32U);
  EXPECT_EQ(name_of(dir / "a"), first);
  EXPECT_NE(name_of(dir / "b"), first);
  dir.write("a/node", first.substr(0, 7));
  const std::string anew = name_of(dir / "a");
  EXPECT_EQ(anew.size(), 32U) << "what a crash left half written";
  EXPECT_EQ(name_of(dir / "a"), anew);
}

TEST(StateDir, RefusesFoldersThatOthersMayEnterAndWhatIsNoFolder) {
  SystemRandom random;
  const test::TempDir dir;
  ASSERT_EQ(mkdir((dir / "open").c_str(), 0755), 0);
  auto open = StateDir::take(dir / "open", random);
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().public_text.find("chmod 700"), std::string::npos);
  dir.write("file", "x");
  EXPECT_FALSE(StateDir::take(dir / "file", random));
  EXPECT_FALSE(StateDir::take("/proc/none/state", random));
}

}  // namespace
}  // namespace sealpost
