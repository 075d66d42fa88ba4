// SPDX-License-Identifier: Apache-2.0
// The key server of a running relay: an application asks for a recipient's certificate before any mail, the recipient
// is notified, picks the key up, and is told that it was picked up.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"

namespace sealpost::test {
namespace {

using Poco::JSON::Object;

Object::Ptr parse(const std::string& text) { return Poco::JSON::Parser().parse(text).extract<Object::Ptr>(); }

TEST(KeyServer, AssignsNotifiesAndServesWhatVerifies) {
  // openssl holds EC keys unfit for S/MIME: it asks for keyEncipherment.
  RelayFixture relay(RelayFixture::Settings{{"crypto.key_type", "rsa2048"}});
  const auto made = relay.ctl({"token", "create", RelayFixture::account, "--scope", "keys", "--json"});
  ASSERT_EQ(made.status, 0) << made.err;
  const std::map<std::string, std::string> bearer = {
      {"Authorization", "Bearer " + parse(made.out)->getValue<std::string>("token")}};
  const std::string path = "/v1/keys/bob@example.net";
  EXPECT_EQ(relay.http("GET", path, {}, bearer).status, 404);
  const auto put = relay.http("PUT", path, {}, bearer);
  ASSERT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(relay.http("PUT", path, {}, bearer).status, 200);
  const auto got = relay.http("GET", path, {}, bearer);
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.fields.at("cache-control"), "no-store") << "interim";
  const auto key = parse(got.body);
  EXPECT_EQ(key->getValue<std::string>("fingerprint"), parse(put.body)->getValue<std::string>("fingerprint"));

  const auto authority = relay.http("GET", "/v1/ca");
  ASSERT_EQ(authority.status, 200);
  const TempDir files;
  const std::string roots = files.write("ca.pem", authority.body);
  const auto verified = run({"openssl", "verify", "-purpose", "smimeencrypt", "-CAfile", roots},
                            key->getValue<std::string>("certificate"));
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;

  const auto notified = relay.notifications("bob@example.net", 1);
  ASSERT_EQ(notified.size(), 1U);
  const auto picked_up = relay.pick_up(notified[0]);
  const auto own = run({"openssl", "x509", "-in", picked_up.pem_file});
  EXPECT_EQ(own.out, key->getValue<std::string>("certificate")) << "the key to the certificate that was served";
  EXPECT_EQ(relay.mail("bob@example.net", 2).size(), 2U) << "and a mail that tells of the pickup";
  EXPECT_EQ(relay.deliveries("bob@example.net"), 2U);
  EXPECT_EQ(relay.notifications("bob@example.net", 1).size(), 1U);
}

}  // namespace
}  // namespace sealpost::test
