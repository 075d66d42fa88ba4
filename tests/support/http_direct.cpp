// SPDX-License-Identifier: Apache-2.0
// Implements http_direct.h.
#include "tests/support/http_direct.h"

#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace sealpost::http {

Result<Caller> KnownTokens::authenticate(std::string_view authorization, std::string_view network) {
  ++asked;
  last_network = network;
  if (authorization == "Bearer submit") return Caller{name, {Scope::Submit}, created, {"@example.com"}};
  if (authorization == "Bearer keys") return Caller{name, {Scope::Keys}};
  if (authorization == "Bearer operator") return Caller{"admin", {Scope::Operator}};
  if (authorization == "Bearer away") return Error::temporary("the store is away");
  if (authorization == "Bearer throttled") {
    Error later = Error::temporary("too many wrong logins");
    later.retry_after = std::chrono::seconds(7);
    return later;
  }
  if (authorization == "Bearer throw") throw std::runtime_error("authenticator");
  return Error::invalid("wrong or missing credential");
}

Direct::Direct(ServerContext& context, const net::Peer& peer) : conversation_(make_conversation(context)) {
  EXPECT_TRUE(conversation_->opened(peer).output.empty());
}

std::string Direct::say(std::string_view octets) {
  std::string said;
  net::Step step = conversation_->received(octets);
  while (true) {
    said += view(step.output);
    if (!step.job) break;
    const net::Resume resume = step.job();
    step = resume();
  }
  closed_ = step.then == net::Step::Then::Close;
  return said;
}

int status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") && response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

std::string Answer::field(const std::string& name) const {
  const std::string begin = "\r\n" + name + ": ";
  const auto at = head.find(begin);
  if (at == std::string::npos) return {};
  return head.substr(at + begin.size(), head.find("\r\n", at + 2) - at - begin.size());
}

Poco::JSON::Object::Ptr Answer::json() const {
  return Poco::JSON::Parser().parse(body).extract<Poco::JSON::Object::Ptr>();
}

std::string Answer::member(const std::string& name) const {
  const auto value = json()->get(name);
  return value.isEmpty() ? std::string() : value.convert<std::string>();
}

Answer ask(ServerContext& context, const std::string& method, const std::string& target, const std::string& body,
           std::map<std::string, std::string> fields, const std::string& peer) {
  std::string request = method + " " + target + " HTTP/1.1\r\n";
  fields.emplace("Host", "relay.example.org");
  if (!body.empty() || method == "POST") fields.emplace("Content-Length", std::to_string(body.size()));
  for (const auto& [name, value] : fields) request += name + ": " + value + "\r\n";
  Direct connection(context, {peer, peer, peer == "127.0.0.1", false});
  const std::string said = connection.say(request + "\r\n" + body);
  const auto end = said.find("\r\n\r\n");
  return {status_of(said), said.substr(0, end + 2), end == std::string::npos ? "" : said.substr(end + 4)};
}

}  // namespace sealpost::http
