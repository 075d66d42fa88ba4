// SPDX-License-Identifier: Apache-2.0
// The maildir next hop: what lies where, with which modes, and what a disk that fails leaves behind.
#include "relay/delivery/maildir.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "tests/support/temp_dir.h"
#include "tests/unit/relay/delivery/delivery_fixture.h"

namespace sealpost {
namespace {

using test::make_claim;
using test::PiecesBody;

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path());
  return names;
}

unsigned mode_of(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0U;
}

/// While it lives, files cannot grow beyond a size: the nearest to a full disk that a test may have.
class FileSizeLimit final {
 public:
  explicit FileSizeLimit(rlim_t octets) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{octets, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

class MaildirTest : public ::testing::Test {
 protected:
  Outcome deliver(const Claim& claim, PiecesBody body = PiecesBody()) {
    Attempt attempt = maildir.attempt(claim, body);
    EXPECT_EQ(attempt.trace.host, "maildir");
    return attempt.outcome;
  }
  test::TempDir dir;
  Maildir maildir{dir / "mail", "relay.example.org"};
};

TEST_F(MaildirTest, WritesTheMessageUnderItsReturnPath) {
  const Claim claim = make_claim();
  const Outcome outcome = deliver(claim);
  ASSERT_EQ(test::kind_of(outcome), "delivered");
  const std::string base = dir / "mail/bob@example.net";
  const auto files = files_in(base + "/new");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(test::read_file(files[0]), "Return-Path: <alice@example.com>\r\nSubject: x\r\n\r\n..body\r\n");
  EXPECT_NE(files[0].find(claim.delivery.id.text()), std::string::npos);
  EXPECT_TRUE(files_in(base + "/tmp").empty());
  EXPECT_TRUE(files_in(base + "/cur").empty());
  EXPECT_EQ(mode_of(files[0]), 0600U);
  for (const auto& folder : {dir / "mail", base, base + "/new", base + "/tmp", base + "/cur"}) {
    EXPECT_EQ(mode_of(folder), 0700U) << folder;
  }
}

TEST_F(MaildirTest, NullSenderIsAnEmptyReturnPath) {
  deliver(make_claim("bob@example.net", ""));
  EXPECT_TRUE(test::read_file(files_in(dir / "mail/bob@example.net/new").at(0)).starts_with("Return-Path: <>\r\n"));
}

TEST_F(MaildirTest, ARepeatedAttemptReplacesItsOwnFile) {
  const Claim claim = make_claim();
  deliver(claim, PiecesBody({"first\r\n"}));
  deliver(claim, PiecesBody({"second\r\n"}));
  const auto files = files_in(dir / "mail/bob@example.net/new");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_NE(test::read_file(files[0]).find("second"), std::string::npos);
  deliver(make_claim());
  EXPECT_EQ(files_in(dir / "mail/bob@example.net/new").size(), 2U) << "another delivery has a file of its own";
}

TEST_F(MaildirTest, AnUnreadableBodyLeavesNothing) {
  const Outcome outcome = deliver(make_claim(), PiecesBody({"Subject: x\r\n"}, true));
  EXPECT_EQ(test::kind_of(outcome), "deferred");
  EXPECT_EQ(test::enhanced_of(outcome), "4.3.0");
  EXPECT_TRUE(files_in(dir / "mail/bob@example.net/new").empty());
  EXPECT_TRUE(files_in(dir / "mail/bob@example.net/tmp").empty());
}

TEST_F(MaildirTest, AWriteThatFailsDefersAndLeavesNothing) {
  const FileSizeLimit limit(1024);
  const Outcome outcome = deliver(make_claim(), PiecesBody({std::string(4096, 'x')}));
  EXPECT_EQ(test::kind_of(outcome), "deferred");
  EXPECT_EQ(test::enhanced_of(outcome), "4.3.0");
  EXPECT_EQ(test::code_of(outcome), 0) << "no server said it";
  EXPECT_TRUE(files_in(dir / "mail/bob@example.net/new").empty());
  EXPECT_TRUE(files_in(dir / "mail/bob@example.net/tmp").empty());
}

TEST_F(MaildirTest, AFolderThatCannotBeMadeDefers) {
  static_cast<void>(dir.write("mail", "a file stands where the folder should be"));
  const Outcome outcome = deliver(make_claim());
  EXPECT_EQ(test::kind_of(outcome), "deferred");
  EXPECT_NE(response_of(outcome).find("Not a directory"), std::string::npos) << response_of(outcome);
}

TEST_F(MaildirTest, ALinkInPlaceOfTheFileIsNotFollowed) {
  const Claim claim = make_claim();
  deliver(claim);
  const std::string base = dir / "mail/bob@example.net";
  const std::string name = std::filesystem::path(files_in(base + "/new").at(0)).filename();
  const std::string victim = dir.write("victim", "untouched");
  std::filesystem::create_symlink(victim, base + "/tmp/" + name);
  EXPECT_EQ(test::kind_of(deliver(claim)), "deferred");
  EXPECT_EQ(test::read_file(victim), "untouched");
}

struct FolderCase {
  const char* name;
  const char* recipient;
  const char* folder;
};
void PrintTo(const FolderCase& c, std::ostream* out) { *out << c.name; }

class MaildirFolders : public MaildirTest, public ::testing::WithParamInterface<FolderCase> {};

TEST_P(MaildirFolders, AreNamedByTheAddressAndNeverLeaveTheRoot) {
  ASSERT_EQ(test::kind_of(deliver(make_claim(GetParam().recipient))), "delivered");
  EXPECT_EQ(files_in(dir / "mail"), std::vector<std::string>{(dir / "mail/") + GetParam().folder});
}

INSTANTIATE_TEST_SUITE_P(
    Recipients, MaildirFolders,
    ::testing::Values(FolderCase{"Plain", "bob@example.net", "bob@example.net"},
                      FolderCase{"UpperCase", "Bob.B+tag@Example.NET", "Bob.B+tag@example.net"},
                      FolderCase{"Quoted", "\"b o/b\"@example.net", "b%20o%2Fb@example.net"},
                      FolderCase{"LeadingDots", "\"../../etc\"@example.net", "%2E.%2F..%2Fetc@example.net"},
                      FolderCase{"Unicode", "j\xc3\xbcrgen@example.net", "j%C3%BCrgen@example.net"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
