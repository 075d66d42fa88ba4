// SPDX-License-Identifier: Apache-2.0
// Implements http_fixture.h.
#include "tests/unit/base/http_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

namespace sealpost::http {

HttpTest::HttpTest()
    : log_path_(directory_ / "log"),
      log_file_(::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
      log_(LogLevel::Debug, LogFormat::Text, clock_, log_file_) {
  const auto counted = [this](auto make) {
    return [this, make](const Request& request) {
      ++handled_;
      return make(request);
    };
  };
  const auto account = counted([](const Request& request) {
    return Response::text(200, "text/plain", request.caller ? request.caller->account : "nobody");
  });
  router_.add(
      {{"GET", "/hello", Access::Public, 0, counted([](const Request&) { return Response::html(200, "<p>hi</p>"); })},
       {"POST", "/echo", Access::Public, 1000,
        counted([](const Request& request) { return Response::text(200, "text/plain", view(request.body)); })},
       {"POST", "/visit", Access::Public, 1000,
        counted([](const Request& request) { return Response::text(200, "text/plain", view(request.body)); }), 1,
        [](const Request& request) -> std::optional<Response> {
          if (request.cookie("visit").empty()) return Response::text(401, "text/plain", "who are you?");
          if (request.announced > 1000) return Response::text(413, "text/plain", "send less");
          return std::nullopt;
        }},
       {"GET", "/items/{id}", Access::Public, 0,
        counted([](const Request& request) { return Response::text(200, "text/plain", request.parameters.at("id")); })},
       {"GET", "/who", Access::Public, 0, counted([](const Request& request) {
          return Response::text(200, "text/plain", request.client + " " + request.client_network);
        })},
       {"GET", "/empty", Access::Public, 0, counted([](const Request&) {
          Response response;
          response.status = 204;
          return response;
        })},
       {"GET", "/split", Access::Public, 0,
        counted([](const Request&) { return Response::json(200, "{}").with("X-Bad", "a\r\nX-Injected: b"); })},
       {"GET", "/throw", Access::Public, 0,
        counted([](const Request&) -> Response { throw std::runtime_error("handler"); })},
       {"GET", "/public", Access::Public, 0, account},
       {"GET", "/secure", Access::PublicSecure, 0, account},
       {"GET", "/submit", Access::Submit, 0, account},
       {"POST", "/submit", Access::Submit, 5000, account},
       {"GET", "/keys", Access::Keys, 0, account},
       {"GET", "/operator", Access::Operator, 0, account},
       {"GET", "/metrics", Access::OperatorOrLoopback, 0, account}});
}

HttpTest::~HttpTest() {
  loop_.stop(std::chrono::seconds(10));
  ::close(log_file_);
}

std::uint16_t HttpTest::serve() {
  net::ListenerOptions options;
  options.name = "http";
  options.address = "127.0.0.1:0";
  options.accept = [this] { return make_conversation(context_); };
  auto port = loop_.listen(std::move(options));
  EXPECT_TRUE(port);
  loop_.start();
  return port ? *port : 0;
}

net::Peer HttpTest::from(const std::string& address) {
  return {address, address, address == "127.0.0.1" || address == "::1", false};
}

std::string read_response(test::RawClient& client) {
  std::string response = client.read_until("\r\n\r\n");
  const std::string name = "Content-Length: ";
  const auto at = response.find(name);
  if (at != std::string::npos) response += client.read_exactly(std::stoul(response.substr(at + name.size())));
  return response;
}

}  // namespace sealpost::http
