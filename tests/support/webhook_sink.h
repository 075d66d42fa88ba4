// SPDX-License-Identifier: Apache-2.0
// A receiver of webhooks: webhook_sink.py, which tells what it was sent.
#pragma once

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/process.h"

namespace sealpost::test {

class WebhookSink final {
 public:
  struct Request {
    std::string path;
    Poco::JSON::Object::Ptr fields;  ///< names in lower case
    std::string body;

    [[nodiscard]] std::string field(const std::string& name) const { return fields->optValue(name, std::string()); }
    [[nodiscard]] Poco::JSON::Object::Ptr json() const {
      return Poco::JSON::Parser().parse(body).extract<Poco::JSON::Object::Ptr>();
    }
    /// As the Standard Webhooks libraries judge it.
    [[nodiscard]] bool verifies(const std::string& key) const {
      return run({"python3", script, "--verify", key, field("webhook-id"), field("webhook-timestamp"),
                  field("webhook-signature")},
                 body)
                 .status == 0;
    }
  };

  /// With a PEM file of key and certificate it speaks TLS.
  explicit WebhookSink(const std::string& certificate = {}) : process_(argv(certificate)) {
    const std::string output = process_.wait_for(" ready\n", std::chrono::seconds(60));
    if (output.empty()) throw std::runtime_error("webhook_sink.py: " + process_.output());
    port_ = std::stoi(output.substr(output.find("port=") + 5));
  }
  [[nodiscard]] std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }

  /// What was sent so far, in order.
  std::vector<Request> requests() {
    std::vector<Request> all;
    std::istringstream lines(process_.output());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('{') || lines.eof()) continue;  // the last one is still being written
      const auto object = Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>();
      all.push_back(
          {object->getValue<std::string>("path"), object->getObject("fields"), object->getValue<std::string>("body")});
    }
    return all;
  }
  /// Waits until there are so many.
  std::vector<Request> requests(std::size_t count) {
    eventually([&] { return requests().size() >= count; });
    return requests();
  }

 private:
  static constexpr const char* script = SOURCE_DIR "/tests/support/webhook_sink.py";
  static std::vector<std::string> argv(const std::string& certificate) {
    std::vector<std::string> all = {"python3", script};
    if (!certificate.empty()) all.push_back(certificate);
    return all;
  }
  Process process_;
  int port_ = 0;
};

}  // namespace sealpost::test
