// SPDX-License-Identifier: Apache-2.0
// The readers of DATA and BDAT: every variant of a line end, in one piece, cut at every offset, and octet by octet.
#include "relay/smtp/content_reader.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost::smtp {
namespace {

constexpr std::uint64_t max_octets = 1000;

struct Outcome {
  std::string content;
  ContentFault fault = ContentFault::None;
  bool complete = false;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& o, std::ostream* out) {
  *out << testing::PrintToString(o.content) << " fault " << static_cast<int>(o.fault) << (o.complete ? " complete" : "")
       << " after " << o.consumed;
}

/// Feeds a reader with pieces of the given size; the first piece may have another.
template <class Reader>
Outcome read(Reader reader, std::string_view octets, std::size_t first, std::size_t piece) {
  MemoryBudget budget(1UL << 30U);
  ContentStore store(budget, max_octets);
  Outcome outcome;
  for (std::size_t size = first; outcome.consumed < octets.size() && !reader.complete(); size = piece) {
    const auto part = octets.substr(outcome.consumed, size);
    const std::size_t used = reader.consume(part, store);
    EXPECT_TRUE(used == part.size() || reader.complete());
    outcome.consumed += used;
  }
  if constexpr (std::is_same_v<Reader, ChunkReader>) reader.end(store);
  outcome.fault = store.fault();
  outcome.complete = reader.complete();
  MemoryBudget::Reservation reservation;
  outcome.content = view(store.take(reservation));
  return outcome;
}

struct ContentReaderCase {
  const char* name;
  std::string octets;  ///< as they come behind 354
  std::string content;
  ContentFault fault = ContentFault::None;
  std::string rest = {};  ///< what is left for the next command
};
void PrintTo(const ContentReaderCase& c, std::ostream* out) { *out << c.name; }
std::string content_name_of(const testing::TestParamInfo<ContentReaderCase>& info) { return info.param.name; }

class Data : public testing::TestWithParam<ContentReaderCase> {};

TEST_P(Data, IsReadTheSameHoweverItIsCut) {
  const auto& [name, octets, content, fault, rest] = GetParam();
  const Outcome expected{content, fault, true, octets.size() - rest.size()};
  EXPECT_EQ(read(DataReader(), octets, octets.size(), octets.size()), expected) << "in one piece";
  EXPECT_EQ(read(DataReader(), octets, 1, 1), expected) << "octet by octet";
  for (std::size_t at = 1; at < octets.size(); ++at) {
    EXPECT_EQ(read(DataReader(), octets, at, octets.size()), expected) << "cut at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Content, Data,
    testing::Values(ContentReaderCase{"Empty", ".\r\n", ""}, ContentReaderCase{"OneLine", "a\r\n.\r\n", "a\r\n"},
                    ContentReaderCase{"EmptyLines", "\r\n\r\n.\r\n", "\r\n\r\n"},
                    ContentReaderCase{"StuffedDot", "..\r\n.\r\n", ".\r\n"},
                    ContentReaderCase{"StuffedTwo", "...\r\n.\r\n", "..\r\n"},
                    ContentReaderCase{"DotBeforeText", ".a\r\n.\r\n", "a\r\n"},
                    ContentReaderCase{"DotInside", "a.\r\n a\r\n.\r\n", "a.\r\n a\r\n"},
                    ContentReaderCase{"DotBlank", ". \r\n.\r\n", " \r\n"},
                    ContentReaderCase{"CommandsBehind", "a\r\n.\r\nQUIT\r\n", "a\r\n", ContentFault::None, "QUIT\r\n"},
                    ContentReaderCase{"SecondEndBehind", ".\r\n.\r\n", "", ContentFault::None, ".\r\n"},
                    ContentReaderCase{"EightBitAndControls", "\x01\x7f\x80\xff\t\r\n.\r\n", "\x01\x7f\x80\xff\t\r\n"},
                    ContentReaderCase{"LongLine", std::string(900, 'x') + "\r\n.\r\n", std::string(900, 'x') + "\r\n"},
                    ContentReaderCase{"JustFits", std::string(998, 'x') + "\r\n.\r\n", std::string(998, 'x') + "\r\n"},
                    ContentReaderCase{"OneTooMany", std::string(999, 'x') + "\r\n.\r\nNOOP", "", ContentFault::TooLarge,
                                      "NOOP"}),
    content_name_of);

/// What smugglers try (facts: LF.LF, LF.CRLF, CR.CR, CRLF.LF, CRLF.CR, NUL). `rest` begins where only the strict end
/// ends it.
ContentReaderCase bare(const char* name, const std::string& octets) {
  return {name, octets + "\r\n.\r\nNOOP\r\n", "", ContentFault::BareLineEnd, "NOOP\r\n"};
}

INSTANTIATE_TEST_SUITE_P(
    BareLineEnds, Data,
    testing::Values(bare("Lf", "a\nb"), bare("Cr", "a\rb"), bare("LfAtStart", "\na"), bare("CrAtStart", "\ra"),
                    bare("LfDotLf", "a\n.\nMAIL"), bare("LfDotCrlf", "a\n.\r\nMAIL"), bare("LfDotCr", "a\n.\rMAIL"),
                    bare("CrDotCr", "a\r.\rMAIL"), bare("CrDotLf", "a\r.\nMAIL"), bare("CrDotCrlf", "a\r.\r\nMAIL"),
                    bare("CrlfDotLf", "a\r\n.\nMAIL"), bare("CrlfDotCr", "a\r\n.\rMAIL"),
                    bare("CrlfDotCrCrlf", "a\r\n.\r"), bare("CrCrlf", "a\r"), bare("LfCrlf", "a\n"),
                    bare("LfCr", "a\n\rb"), bare("CrlfDotNulLf", {"a\r\n.\0\nb", 7}),
                    bare("CrlfDotCrNulLf", {"a\r\n.\r\0\nb", 8}), bare("Nul", {"a\0b", 3}), bare("NulAlone", {"\0", 1}),
                    bare("CrlfNulDotCrlf", {"a\r\n\0.\r\nMAIL", 11}), bare("StuffedDotLf", "..\na"),
                    bare("TooLargeWithANul", std::string(999, 'x') + std::string("\0x", 2)),
                    bare("TooLargeBehindALf", "\n" + std::string(1500, 'x'))),
    content_name_of);

TEST(DataReaderTest, WaitsForTheEnd) {
  for (const std::string octets : {"", "a", "a\r\n", "a\r\n.", "a\r\n.\r", ".\r", "a\n.\n", "a\r\n.x\r\n"}) {
    EXPECT_FALSE(read(DataReader(), octets, 1, 1).complete) << testing::PrintToString(octets);
  }
}

class Chunk : public testing::TestWithParam<ContentReaderCase> {};

/// The octets as two chunks, split at every offset, each of them read whole and octet by octet.
TEST_P(Chunk, IsReadTheSameHoweverItIsCut) {
  const auto& [name, octets, content, fault, rest] = GetParam();
  for (std::size_t border = 0; border <= octets.size(); ++border) {
    for (const std::size_t piece : {std::size_t{1}, octets.size()}) {
      MemoryBudget budget(1UL << 30U);
      ContentStore store(budget, max_octets);
      ChunkReader reader;
      for (const auto part : {std::string_view(octets).substr(0, border), std::string_view(octets).substr(border)}) {
        reader.begin(part.size());
        const std::string with_more = std::string(part) + "NOOP\r\n";
        std::size_t at = 0;
        while (!reader.complete()) at += reader.consume(std::string_view(with_more).substr(at, piece), store);
        EXPECT_EQ(at, part.size()) << "nothing beyond the chunk is touched";
      }
      reader.end(store);
      EXPECT_EQ(store.fault(), fault) << border;
      MemoryBudget::Reservation reservation;
      EXPECT_EQ(view(store.take(reservation)), content) << border;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Chunk,
    testing::Values(ContentReaderCase{"Empty", "", ""}, ContentReaderCase{"Line", "a\r\n", "a\r\n"},
                    ContentReaderCase{"NoLineEnd", "a", "a"},
                    ContentReaderCase{"Dots", ".\r\n..\r\n.\r\n", ".\r\n..\r\n.\r\n"},
                    ContentReaderCase{"EmptyLines", "\r\n\r\n", "\r\n\r\n"},
                    ContentReaderCase{"EightBit", "\x80\xff\x01\r\n", "\x80\xff\x01\r\n"},
                    ContentReaderCase{"Lf", "a\nb", "", ContentFault::BareLineEnd},
                    ContentReaderCase{"LfFirst", "\n", "", ContentFault::BareLineEnd},
                    ContentReaderCase{"Cr", "a\rb", "", ContentFault::BareLineEnd},
                    ContentReaderCase{"CrLast", "a\r", "", ContentFault::BareLineEnd},
                    ContentReaderCase{"CrCrLf", "\r\r\n", "", ContentFault::BareLineEnd},
                    ContentReaderCase{"LfCr", "\n\r", "", ContentFault::BareLineEnd},
                    ContentReaderCase{"Nul", {"a\0b", 3}, "", ContentFault::BareLineEnd},
                    ContentReaderCase{"NulBehindCr", {"\r\0", 2}, "", ContentFault::BareLineEnd},
                    ContentReaderCase{"JustFits", std::string(1000, 'x'), std::string(1000, 'x')},
                    ContentReaderCase{"OneTooMany", std::string(1001, 'x'), "", ContentFault::TooLarge},
                    ContentReaderCase{"TooLargeWithALf", std::string(1001, 'x') + "\n", "", ContentFault::BareLineEnd}),
    content_name_of);

TEST(ContentStoreTest, HoldsItsReservationUntilTheContentIsDone) {
  MemoryBudget budget(1UL << 20U);
  ContentStore store(budget, 1UL << 20U);
  store.add("text");
  EXPECT_GT(budget.used(), 0U);
  {
    MemoryBudget::Reservation reservation;
    EXPECT_EQ(view(store.take(reservation)), "text");
    EXPECT_GT(budget.used(), 0U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ContentStoreTest, GivesUpWithoutMemoryAndGivesItBack) {
  MemoryBudget budget(300'000 * memory_per_octet);
  ContentStore store(budget, 1UL << 20U);
  store.add(std::string(200'000, 'x'));
  EXPECT_EQ(store.fault(), ContentFault::None);
  store.add(std::string(200'000, 'x'));
  EXPECT_EQ(store.fault(), ContentFault::NoMemory);
  EXPECT_EQ(budget.used(), 0U);
  store.fail(ContentFault::BareLineEnd);
  EXPECT_EQ(store.fault(), ContentFault::BareLineEnd) << "what is wrong for good is told";
  store.add(std::string(2'000'000, 'x'));
  EXPECT_EQ(store.fault(), ContentFault::BareLineEnd);
}

}  // namespace
}  // namespace sealpost::smtp
