// SPDX-License-Identifier: Apache-2.0
// Lines of mails: how wide text is, where it is broken, and what never is.
#include "notify/text_wrap.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

TEST(TextWrap, CountsColumns) {
  EXPECT_EQ(columns_of(""), 0U);
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("äöü€"), 4U);
  EXPECT_EQ(columns_of("鍵とコード。"), 12U);
  EXPECT_EQ(columns_of("\xff"), 1U) << "octets that are no UTF-8";
}

TEST(TextWrap, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("one two three four", 9), "one two\nthree\nfour\n");
  EXPECT_EQ(wrapped("one two", 7), "one two\n");
  EXPECT_EQ(wrapped("a verylongword b", 5), "a\nverylongword\nb\n");
}

TEST(TextWrap, IndentsWhatFollowsANumber) {
  EXPECT_EQ(wrapped("1. one two three", 10), "1. one two\n   three\n");
  EXPECT_EQ(wrapped("12. one two three", 11), "12. one two\n    three\n");
}

TEST(TextWrap, BreaksBetweenWideCharactersButNotBeforePunctuation) {
  EXPECT_EQ(wrapped("鍵を受け取る", 8), "鍵を受け\n取る\n");
  EXPECT_EQ(wrapped("鍵です。次", 6), "鍵で\nす。次\n") << "。 begins no line";
  EXPECT_EQ(wrapped("鍵（コ）", 4), "鍵\n（コ）\n") << "（ ends none";
  EXPECT_EQ(wrapped("私の Link です", 8), "私の\nLink で\nす\n") << "words of letters stay whole";
}

TEST(TextWrap, LeavesLinkAndCodeAlone) {
  const std::string link = "Link: https://relay.example.org/" + std::string(80, 'x');
  EXPECT_EQ(wrapped(link), link + "\n");
  EXPECT_EQ(wrapped("Authentication code: 7K3M-Q9ZT-04HB", 10), "Authentication code: 7K3M-Q9ZT-04HB\n");
  EXPECT_EQ(wrapped("Link: is a word", 8), "Link: is\na word\n") << "a sentence is wrapped";
}

TEST(TextWrap, LeavesOneOfSeveralEmptyLines) { EXPECT_EQ(wrapped("a\n\n\n\nb\n"), "a\n\nb\n"); }

}  // namespace
}  // namespace sealpost
