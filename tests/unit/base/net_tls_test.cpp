// SPDX-License-Identifier: Apache-2.0
// TLS: STARTTLS and what is smuggled around it, resumption, versions; certificate files good and bad, read again
// without a restart.
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/net/tls_context.h"
#include "tests/support/metrics_text.h"
#include "tests/support/process.h"
#include "tests/unit/base/net_fixture.h"

namespace sealpost::net {
namespace {

using test::RawClient;

TEST_F(NetTest, StartTlsOnTheSameConnection) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("starttls\r\n"));
  EXPECT_EQ(client.read_until("ready\r\n"), "hello\r\nready\r\n");
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.read_line(), "secured");
  ASSERT_TRUE(client.send("echo inside\r\n"));
  EXPECT_EQ(client.read_line(), "inside");
  EXPECT_EQ(story_.count("tls"), 1U);
}

TEST_F(NetTest, PlaintextBehindStartTlsIsNeverExecuted) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("starttls\r\n"));
  EXPECT_EQ(client.read_until("ready\r\n"), "hello\r\nready\r\n");
  const std::size_t before = story_.octets();
  ASSERT_TRUE(client.send("echo smuggled\r\n"));
  EXPECT_EQ(client.read_to_end().find("smuggled"), std::string::npos);
  EXPECT_TRUE(story_.wait_for("destroyed"));
  EXPECT_EQ(story_.octets(), before);
  EXPECT_EQ(story_.count("tls"), 0U);
}

class NetVersionTest : public NetTest, public testing::WithParamInterface<int> {};

TEST_P(NetVersionTest, ASessionIsResumed) {
  const auto port = serve(options(true));
  RawClient first(port);
  ASSERT_TRUE(first.start_tls(nullptr, GetParam()));
  EXPECT_EQ(first.read_line(), "hello");
  EXPECT_FALSE(first.resumed());
  const auto session = first.session();
  RawClient second(port);
  ASSERT_TRUE(second.start_tls(session.get(), GetParam()));
  EXPECT_EQ(second.read_line(), "hello");
  EXPECT_TRUE(second.resumed());
}
INSTANTIATE_TEST_SUITE_P(Versions, NetVersionTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) { return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(NetVersionTest, SessionsAreCountedByTheirVersion) {
  const auto plain = loop_->listen(options());
  ASSERT_TRUE(plain);
  const auto tls = serve(options(true));
  RawClient first(tls);
  ASSERT_TRUE(first.start_tls(nullptr, GetParam()));
  EXPECT_EQ(first.read_line(), "hello");
  RawClient second(tls);
  ASSERT_TRUE(second.start_tls(first.session().get(), GetParam()));
  EXPECT_EQ(second.read_line(), "hello");
  RawClient in_clear(*plain);
  EXPECT_EQ(in_clear.read_line(), "hello");
  const std::string text = registry_.text({});
  const bool older = GetParam() == TLS1_2_VERSION;
  EXPECT_EQ(test::sample(text, "tls_total{version=\"TLSv1.2\"}"), older ? 2 : 0);
  EXPECT_EQ(test::sample(text, "tls_total{version=\"TLSv1.3\"}"), older ? 0 : 2);
}

TEST_F(NetTest, OlderThanTls12IsRefused) {
  RawClient client(serve(options(true)));
  EXPECT_FALSE(client.start_tls(nullptr, TLS1_1_VERSION));
  EXPECT_TRUE(story_.wait_for("destroyed"));
  EXPECT_EQ(test::sample(registry_.text({}), "tls_total{version=\"TLSv1.2\"}"), 0) << "no session was made";
}

class TlsFiles : public testing::Test {
 protected:
  void make(const std::string& name, const std::string& hostname = "relay.example.com") const {
    ASSERT_TRUE(make_self_signed(directory_ / (name + ".pem"), directory_ / (name + ".key"), hostname));
  }
  static std::string text_of(const std::string& certificate) {
    return test::run({"openssl", "x509", "-in", certificate, "-noout", "-text"}).out;
  }
  test::TempDir directory_;
};

TEST_F(TlsFiles, SelfSignedIsAP256CertificateForTheHost) {
  make("own");
  const std::string text = text_of(directory_ / "own.pem");
  EXPECT_NE(text.find("ASN1 OID: prime256v1"), std::string::npos) << text;
  EXPECT_NE(text.find("DNS:relay.example.com"), std::string::npos) << text;
  struct stat status {};
  ASSERT_EQ(stat((directory_ / "own.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  const auto verified = test::run({"openssl", "verify", "-x509_strict", "-CAfile", directory_ / "own.pem",
                                   "-verify_hostname", "relay.example.com", directory_ / "own.pem"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

TEST_F(TlsFiles, SelfSignedTakesANameLongerThanACommonName) {
  const std::string hostname = std::string(60, 'a') + "." + std::string(60, 'b') + ".example.com";
  make("own", hostname);
  EXPECT_NE(text_of(directory_ / "own.pem").find("DNS:" + hostname), std::string::npos);
}

TEST_F(TlsFiles, SelfSignedKeepsWhatIsThere) {
  make("own");
  const std::string before = test::read_file(directory_ / "own.pem") + test::read_file(directory_ / "own.key");
  make("own", "other.example.com");
  EXPECT_EQ(test::read_file(directory_ / "own.pem") + test::read_file(directory_ / "own.key"), before);
}

TEST_F(TlsFiles, SelfSignedSaysWhereItCannotWrite) {
  const auto made = make_self_signed(directory_ / "no/own.pem", directory_ / "no/own.key", "relay.example.com");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().public_text.find("no/own.key"), std::string::npos);
}

/// Writes the certificate again, ended an hour ago. (The openssl program of Debian 12 makes none that is over.)
void expire(const std::string& certificate_file, const std::string& key_file) {
  const BioPtr key_text(BIO_new_file(key_file.c_str(), "r"));
  const PkeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  const BioPtr old(BIO_new_file(certificate_file.c_str(), "r"));
  const X509Ptr certificate(PEM_read_bio_X509(old.get(), nullptr, nullptr, nullptr));
  ASSERT_NE(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200), nullptr);
  ASSERT_NE(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), -3600), nullptr);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  const BioPtr out(BIO_new_file(certificate_file.c_str(), "w"));
  ASSERT_EQ(PEM_write_bio_X509(out.get(), certificate.get()), 1);
}

struct BadFiles {
  const char* name;
  std::function<void(const test::TempDir&)> spoil;  ///< own.pem, own.key and other.key are there
};
class TlsBadFiles : public TlsFiles, public testing::WithParamInterface<BadFiles> {};

TEST_P(TlsBadFiles, AreInvalid) {
  make("own");
  make("other");
  GetParam().spoil(directory_);
  const auto loaded = TlsContext::load(directory_ / "own.pem", directory_ / "own.key");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::Invalid);
  EXPECT_NE(loaded.error().public_text.find("own."), std::string::npos) << "it names the file";
}
INSTANTIATE_TEST_SUITE_P(
    Cases, TlsBadFiles,
    testing::Values(BadFiles{"NoCertificate", [](const auto& files) { std::filesystem::remove(files / "own.pem"); }},
                    BadFiles{"NoKey", [](const auto& files) { std::filesystem::remove(files / "own.key"); }},
                    BadFiles{"NotPem", [](const auto& files) { files.write("own.pem", "not a certificate\n"); }},
                    BadFiles{
                        "AnothersKey",
                        [](const auto& files) { std::filesystem::rename(files / "other.key", files / "own.key"); }},
                    BadFiles{"EncryptedKey",
                             [](const auto& files) {
                               test::run({"openssl", "ec", "-aes256", "-passout", "pass:secret", "-in",
                                          files / "other.key", "-out", files / "own.key"});
                             }},
                    BadFiles{"Expired", [](const auto& files) { expire(files / "own.pem", files / "own.key"); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(TlsFiles, ReloadTakesNewFilesAndKeepsTheOldOnesWhenTheNewAreBad) {
  make("own");
  auto context = TlsContext::load(directory_ / "own.pem", directory_ / "own.key");
  ASSERT_TRUE(context);
  const auto first = (*context)->current();
  directory_.write("own.key", "broken");
  EXPECT_FALSE((*context)->reload());
  EXPECT_EQ((*context)->current().get(), first.get());
  make("new", "new.example.com");
  std::filesystem::rename(directory_ / "new.pem", directory_ / "own.pem");
  std::filesystem::rename(directory_ / "new.key", directory_ / "own.key");
  EXPECT_TRUE((*context)->reload());
  EXPECT_NE((*context)->current().get(), first.get());
}

}  // namespace
}  // namespace sealpost::net
