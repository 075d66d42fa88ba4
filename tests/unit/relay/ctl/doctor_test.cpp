// SPDX-License-Identifier: Apache-2.0
// The doctor's checks one by one, on this machine's side and beyond it: each finding, and silence when all is well.
#include "relay/ctl/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "base/net/tls_context.h"
#include "tests/support/fakes.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/relay/ctl/network_fakes.h"

namespace sealpost::ctl {

void PrintTo(const Finding& finding, std::ostream* out) {
  *out << finding.check << ": " << finding.text << " (" << finding.hint << ")";
}

namespace {

using test::DnsServer;
using test::ScriptedServer;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

auto finds(const std::string& check, const std::string& part) {
  return ElementsAre(AllOf(Field(&Finding::check, check), Field(&Finding::text, HasSubstr(part))));
}

class Doctor : public testing::Test {
 protected:
  Doctor() {
    settings.relay.hostname = "relay.example.com";
    settings.http.public_url = "https://relay.example.com";
  }
  Findings run(void (*check)(const Examination&, Findings&), const Clock& by_clock) {
    Log log(LogLevel::Error, LogFormat::Text, clock);
    Findings findings;
    check({settings, by_clock, log}, findings);
    return findings;
  }
  Findings run(void (*check)(const Examination&, Findings&)) { return run(check, clock); }

  /// A certificate of ten years for the host, and its key.
  void use_certificate(const std::string& hostname) {
    settings.tls = {directory / "tls.crt", directory / "tls.key"};
    ASSERT_TRUE(net::make_self_signed(settings.tls.certificate, settings.tls.private_key, hostname));
  }
  Findings run_tls_in(std::chrono::hours days) {
    const test::ManualClock then(to_milliseconds(clock.now() + days));
    return run(check_tls, then);
  }
  void use_next_hop(std::uint16_t port) { settings.delivery.route = {Route::Kind::Smtp, "127.0.0.1", port, {}}; }

  const SystemClock clock;
  test::TempDir directory;
  Settings settings;
};

TEST_F(Doctor, StateDirThatIsNotThere) {
  settings.relay.state_dir = directory / "none";
  EXPECT_THAT(run(check_files), finds("files", "No such file"));
}

TEST_F(Doctor, StateDirThatIsAFile) {
  settings.relay.state_dir = directory.write("file", "");
  EXPECT_THAT(run(check_files), finds("files", "not a folder"));
}

TEST_F(Doctor, StateDirThatOthersMayEnter) {
  settings.relay.state_dir = directory.path();
  ASSERT_EQ(chmod(directory.path().c_str(), 0750), 0);
  EXPECT_THAT(run(check_files), finds("files", "others may enter it"));
  ASSERT_EQ(chmod(directory.path().c_str(), 0700), 0);
  EXPECT_THAT(run(check_files), IsEmpty());
}

TEST_F(Doctor, NoCertificate) { EXPECT_THAT(run(check_tls), finds("tls", "self-signed")); }

TEST_F(Doctor, CertificateThatIsMissing) {
  use_certificate("relay.example.com");
  settings.tls.certificate = directory / "none.crt";
  EXPECT_THAT(run(check_tls), finds("tls", directory / "none.crt"));
}

TEST_F(Doctor, KeyOfAnotherCertificate) {
  use_certificate("relay.example.com");
  settings.tls.private_key = directory / "other.key";
  ASSERT_TRUE(net::make_self_signed(directory / "other.crt", settings.tls.private_key, "relay.example.com"));
  EXPECT_THAT(run(check_tls), finds("tls", "other.key"));
}

TEST_F(Doctor, CertificateForAnotherName) {
  use_certificate("mail.example.com");
  EXPECT_THAT(run(check_tls), finds("tls", "is not for relay.hostname (relay.example.com)"));
}

TEST_F(Doctor, CertificatesLifeAsTheClockSaysIt) {
  use_certificate("relay.example.com");
  EXPECT_THAT(run(check_tls), IsEmpty());
  EXPECT_THAT(run_tls_in(std::chrono::hours(24 * 3630)), IsEmpty());
  EXPECT_THAT(run_tls_in(std::chrono::hours(24 * 3640)), finds("tls", "the certificate ends on 20"));
  EXPECT_THAT(run_tls_in(std::chrono::hours(24 * 3651)), finds("tls", "has expired"));
  EXPECT_THAT(run_tls_in(-std::chrono::hours(24)), finds("tls", "is not valid before 20"));
}

TEST_F(Doctor, AddressesThatNobodyHas) {
  settings.smtp.listen = "127.0.0.1:0";
  settings.http.listen = "127.0.0.1:" + std::to_string(test::free_port());
  EXPECT_THAT(run(check_listen), IsEmpty());
}

TEST_F(Doctor, AnAddressThatAnotherProgramHas) {
  const ScriptedServer other({"220 mail.example.com ESMTP Exim\r\n"});
  settings.smtp.listen = "0.0.0.0:" + std::to_string(other.port());
  EXPECT_THAT(run(check_listen),
              finds("listen", "another program listens there, which says: 220 mail.example.com ESMTP Exim"));
  settings.smtp.listen_tls = settings.smtp.listen;
  settings.smtp.listen.clear();
  EXPECT_THAT(run(check_listen), finds("listen", "smtp.listen_tls: 0.0.0.0:" + std::to_string(other.port()) +
                                                     ": another program listens there"));
  settings.smtp.listen_tls.clear();
  const ScriptedServer web({"HTTP/1.1 200 OK\r\n", "\r\n"});
  settings.http.listen = "127.0.0.1:" + std::to_string(web.port());
  EXPECT_THAT(run(check_listen), finds("listen", "which says: HTTP/1.1 200 OK"));
}

TEST_F(Doctor, AnAddressThatSealpostdHas) {
  const ScriptedServer ours({"220 relay.example.com ESMTP Sealpost\r\n"});
  settings.smtp.listen = "127.0.0.1:" + std::to_string(ours.port());
  EXPECT_THAT(run(check_listen), IsEmpty());
  const ScriptedServer another({"220 other.example.com ESMTP Sealpost\r\n"});
  settings.smtp.listen = "127.0.0.1:" + std::to_string(another.port());
  EXPECT_THAT(run(check_listen), finds("listen", "which says: 220 other.example.com ESMTP Sealpost"));
}

TEST_F(Doctor, APortWhereSealpostdAnswersOverHttp) {
  const ScriptedServer ours(
      {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n"
       R"({"status":"alive"})"});
  settings.http.listen = "127.0.0.1:" + std::to_string(ours.port());
  EXPECT_THAT(run(check_listen), IsEmpty());
}

TEST_F(Doctor, AnAddressOfAnotherMachine) {
  settings.smtp.listen = "192.0.2.1:2525";
  EXPECT_THAT(run(check_listen), finds("listen", "smtp.listen: 192.0.2.1:2525: Cannot assign requested address"));
}

TEST_F(Doctor, LinksThatLeadNowhere) {
  settings.delivery.route = {Route::Kind::Smtp, "hub.example.com", 25, {}};
  settings.http.public_url = "http://127.0.0.1:8080";
  EXPECT_THAT(run(check_links), finds("links", "http.public_url is http://127.0.0.1:8080"));
  settings.http.public_url = "https://mail.example.com";
  EXPECT_THAT(run(check_links), IsEmpty());
  settings.http.public_url = "http://localhost:8080";
  settings.delivery.route = {Route::Kind::Maildir, {}, 0, "/srv/mail"};
  EXPECT_THAT(run(check_links), IsEmpty()) << "mail that stays on this machine is read on it";
}

TEST_F(Doctor, WordsThatStopTheStart) {
  settings.notify.language = "en";
  EXPECT_THAT(run(check_words), IsEmpty());
  settings.notify.language = "it";
  EXPECT_THAT(run(check_words), finds("words", "notify.language: there are no words in this language: it"));
}

struct DnsCase {
  std::string name;
  DnsServer::Mode mode;
  std::string finding;  ///< empty for none
};
void PrintTo(const DnsCase& row, std::ostream* out) { *out << row.name; }

class DoctorsDns : public Doctor, public testing::WithParamInterface<DnsCase> {};

TEST_P(DoctorsDns, IsJudgedByWhatItAnswers) {
  const DnsServer server(GetParam().mode);
  settings.dns.server = server.address();
  const auto started = std::chrono::steady_clock::now();
  const auto findings = run(check_dns);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(60)) << "bounded";
  if (GetParam().finding.empty()) {
    EXPECT_THAT(findings, IsEmpty());
  } else {
    EXPECT_THAT(findings, finds("dns", GetParam().finding));
    EXPECT_THAT(findings[0].text, HasSubstr(server.address()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Answers, DoctorsDns,
    testing::Values(DnsCase{"Address", DnsServer::Mode::Address, ""},
                    DnsCase{"OnlyAaaa", DnsServer::Mode::OnlyAaaa, ""},
                    DnsCase{"NoAddress", DnsServer::Mode::NoAddress, "has neither an A nor an AAAA"},
                    DnsCase{"NxDomain", DnsServer::Mode::NxDomain, "relay.example.com does not exist"},
                    DnsCase{"ServFail", DnsServer::Mode::ServFail, "answers SERVFAIL"},
                    DnsCase{"Refused", DnsServer::Mode::Refused, "refuses to answer"},
                    DnsCase{"Garbage", DnsServer::Mode::Garbage, "no DNS message"},
                    DnsCase{"Silent", DnsServer::Mode::Silent, "does not answer"}),
    [](const auto& info) { return info.param.name; });

TEST_F(Doctor, ResolverThatNobodyRuns) {
  settings.dns.server = "127.0.0.1:" + std::to_string(test::free_port());
  EXPECT_THAT(run(check_dns), finds("dns", "Connection refused"));
}

TEST_F(Doctor, MxHostsAreNotOneNextHop) { EXPECT_THAT(run(check_next_hop), IsEmpty()); }

TEST_F(Doctor, MaildirNeedsNoNextHop) {
  settings.delivery.route = {Route::Kind::Maildir, {}, 0, "/srv/mail"};
  EXPECT_THAT(run(check_next_hop), IsEmpty());
}

TEST_F(Doctor, NextHopThatNobodyRuns) {
  const int port = test::free_port();
  use_next_hop(static_cast<std::uint16_t>(port));
  EXPECT_THAT(run(check_next_hop),
              finds("next hop", "smtp://127.0.0.1:" + std::to_string(port) + ": connection refused"));
}

struct HopCase {
  std::string name;
  std::vector<std::string> says;
  TlsPolicy tls;
  bool log_in;
  std::string finding;  ///< empty for none
};
void PrintTo(const HopCase& row, std::ostream* out) { *out << row.name; }

class DoctorsNextHop : public Doctor, public testing::WithParamInterface<HopCase> {};

TEST_P(DoctorsNextHop, IsGreeted) {
  const ScriptedServer server(GetParam().says);
  use_next_hop(server.port());
  settings.delivery.tls = GetParam().tls;
  if (GetParam().log_in) {
    settings.delivery.username = "relay";
    settings.delivery.password_file = directory.write("password", "hop-secret\n");
  }
  const auto findings = run(check_next_hop);
  if (GetParam().finding.empty()) {
    EXPECT_THAT(findings, IsEmpty());
  } else {
    EXPECT_THAT(findings, finds("next hop", GetParam().finding));
    EXPECT_THAT(findings[0].text, testing::Not(HasSubstr("hop-secret")));
  }
}

const std::string plain_ehlo = "250-hub\r\n250 PIPELINING\r\n";
const std::string auth_ehlo = "250-hub\r\n250 AUTH PLAIN\r\n";
INSTANTIATE_TEST_SUITE_P(
    Dialogues, DoctorsNextHop,
    testing::Values(
        HopCase{"Plain", {"220 hub\r\n", plain_ehlo, "221 bye\r\n"}, TlsPolicy::Opportunistic, false, ""},
        HopCase{"Refuses", {"554 go away\r\n"}, TlsPolicy::Opportunistic, false, "554 go away"},
        HopCase{"HangsUp", {}, TlsPolicy::Opportunistic, false, "smtp://127.0.0.1:"},
        HopCase{"NoTls", {"220 hub\r\n", plain_ehlo}, TlsPolicy::Required, false, "offers no STARTTLS"},
        HopCase{"NoAuth", {"220 hub\r\n", plain_ehlo}, TlsPolicy::Opportunistic, true, "offers neither AUTH PLAIN nor"},
        HopCase{"Login", {"220 hub\r\n", auth_ehlo, "235 yes\r\n"}, TlsPolicy::Opportunistic, true, ""},
        HopCase{"WrongLogin",
                {"220 hub\r\n", auth_ehlo, "535 no\r\n"},
                TlsPolicy::Opportunistic,
                true,
                "refuses our login"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost::ctl
