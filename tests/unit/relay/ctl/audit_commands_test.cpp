// SPDX-License-Identifier: Apache-2.0
// sealpostctl audit verify against a trail that somebody who can write to Redis has changed, and a log that knows it.
#include <gmock/gmock.h>

#include "base/audit_trail.h"
#include "crypto/address_entries.h"
#include "crypto/directory_entry.h"
#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditCommands : public CtlTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(ctl({"key", "assign", bob}).status, EX_OK);
    for (const char* reason : {"superseded", "keyCompromise", "superseded"}) {
      ASSERT_EQ(ctl({"key", "revoke", bob, "--reason", reason}).status, EX_OK);
      ASSERT_EQ(ctl({"key", "assign", bob}).status, EX_OK);
    }
    ASSERT_EQ(trail().size(), 7U);
  }
  void TearDown() override {
    ASSERT_TRUE(redis.command({"DEL", key()}));
    ASSERT_TRUE(redis.command({"DEL", AddressEntries::hash_key(bob)}));
  }

  struct Entry {
    unsigned shard;
    std::uint64_t sequence;
    std::string mac;
  };
  std::vector<Entry> trail() {
    std::vector<Entry> all;
    const auto listed = json({"audit", "list", "--address", bob}).extract<Poco::JSON::Array::Ptr>();
    for (const auto& row : *listed) {
      const auto object = row.extract<Poco::JSON::Object::Ptr>();
      all.push_back({object->getValue<unsigned>("shard"), object->getValue<std::uint64_t>("sequence"),
                     object->getValue<std::string>("mac")});
    }
    return all;
  }
  /// As sealpostd logs them.
  static std::string log_of(const std::vector<Entry>& entries, const std::string& event = "audit") {
    std::string lines;
    for (const auto& [shard, sequence, mac] : entries) {
      lines += "2026-09-21T14:13:20.000Z info " + event + " shard=" + std::to_string(shard) +
               " sequence=" + std::to_string(sequence) + " head=" + mac + "\n";
    }
    return lines;
  }
  static std::vector<std::string> faults(const std::string& log) {
    const Ran ran = ctl({"audit", "verify", "--json", "--log", directory_->write("sealpostd.log", log)});
    const auto told = Poco::JSON::Parser().parse(ran.out).extract<Poco::JSON::Object::Ptr>();
    std::vector<std::string> found;
    for (const auto& fault : *told->getArray("faults")) found.push_back(fault.convert<std::string>());
    EXPECT_EQ(ran.status, found.empty() ? 0 : 1) << ran.err;
    return found;
  }
  static std::string key() { return AuditTrail::key(directory_shard(bob)); }

  static inline const std::string bob = "bob@example.net";
  redis::Client redis{redis_->endpoint(), std::chrono::seconds(20)};
};

TEST_F(AuditCommands, AWholeTrailHasNoFault) { EXPECT_THAT(faults(log_of(trail())), IsEmpty()); }

TEST_F(AuditCommands, ATrailThatWasCutAndGrewAgainIsFound) {
  const auto before = trail();
  ASSERT_TRUE(redis.command({"LTRIM", key(), "0", "-3"}));
  // What they changed stays: it is the trail that forgets it. The relay appends to the shorter end.
  ASSERT_EQ(ctl({"key", "revoke", bob, "--reason", "superseded"}).status, EX_OK);
  ASSERT_EQ(ctl({"key", "assign", bob}).status, EX_OK);
  const auto after = trail();
  ASSERT_EQ(after.size(), before.size());
  EXPECT_THAT(faults(log_of(before)), testing::SizeIs(2)) << "the log ends before";
  EXPECT_THAT(faults(log_of(before) + log_of(after)),
              ElementsAre(HasSubstr("entry 6: was logged in different forms"), HasSubstr("entry 7: was logged in")));
}

TEST_F(AuditCommands, ABreakHidesNothingBehindIt) {
  const auto entries = trail();
  const std::string log = log_of(entries);
  const std::string where = key();
  std::string altered(redis.command({"LINDEX", where, "1"})->text());
  altered[40] = static_cast<char>(altered[40] ^ 1);
  ASSERT_TRUE(redis.command({"LSET", where, "1", altered}));
  EXPECT_THAT(faults(log), ElementsAre(HasSubstr("entry 2: ")));
  ASSERT_TRUE(redis.command({"RPOP", where}));
  EXPECT_THAT(faults(log), ElementsAre(HasSubstr("entry 2: "), HasSubstr("entry 7: was logged and is missing")));
}

TEST_F(AuditCommands, WhatIsTakenOutIsMissingAndNothingElse) {
  const std::string log = log_of(trail());
  const std::string where = key();
  const std::string third(redis.command({"LINDEX", where, "2"})->text());
  ASSERT_TRUE(redis.command({"LREM", where, "1", third}));
  const auto found = [&] {
    const Ran ran = ctl({"audit", "verify", "--log", directory_->write("sealpostd.log", log)});
    EXPECT_EQ(ran.status, 1);
    return ran.out;
  }();
  EXPECT_THAT(found, HasSubstr("entry 3: was altered, or one before it was taken out"));
  EXPECT_THAT(found, HasSubstr("entry 3: was logged and is missing"));
  EXPECT_THAT(found, HasSubstr("2 faults"));
}

TEST_F(AuditCommands, AnUncertainEntryMayStandThereOrNot) {
  const auto entries = trail();
  EXPECT_THAT(faults(log_of(entries) + log_of({{entries[0].shard, 8, std::string(64, 'a')}}, "audit.uncertain")),
              IsEmpty());
  EXPECT_THAT(faults(log_of({entries[0]}) + log_of({entries[1]}, "audit.uncertain")), IsEmpty());
}

}  // namespace
}  // namespace sealpost::test
