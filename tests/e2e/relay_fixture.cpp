// SPDX-License-Identifier: Apache-2.0
// Implements relay_fixture.h.
#include "tests/e2e/relay_fixture.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "base/encoding.h"
#include "base/redis/client.h"
#include "tests/support/build.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_parser.h"

namespace sealpost::test {
namespace {

std::string first_group(const std::string& text, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern))) throw std::runtime_error("no match for " + pattern);
  return match[1];
}

}  // namespace

std::string body_of(const std::string& message) {
  const auto end = message.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : message.substr(end + 4);
}

LinkAndCode read_notification(const std::string& file) {
  std::string text = read_file(file);
  // Text beyond ASCII (an address, say) goes as base64: the first part is the plain one.
  if (text.find("\nLink: ") == std::string::npos) text = parse_mail(text).parts.at(0).body;
  return {first_group(text, "\nLink: https?://[^/]+/pickup/([A-Za-z0-9_-]+)\r?\n"),
          first_group(text, "\nAuthentication code: ([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})\r?\n")};
}

RelayFixture::RelayFixture(Settings settings) : settings_(std::move(settings)) {
  const Settings defaults = {{"relay.hostname", "relay.example.org"},
                             {"relay.state_dir", state_dir()},
                             {"smtp.listen", "127.0.0.1:0"},
                             {"smtp.listen_tls", "127.0.0.1:0"},
                             {"http.listen", "127.0.0.1:0"},
                             {"delivery.route", "maildir:" + (dir_ / "mail")},
                             {"delivery.workers", "8"},
                             {"redis.maxmemory", "512m"},
                             {"crypto.key_type", "p256"},
                             {"keys.pool_size", "2"},
                             {"log.level", "debug"}};
  settings_.insert(defaults.begin(), defaults.end());
  write_config();
  try {
    start();
    const auto added =
        ctl({"account", "add", account, "--send-as", "@example.com", "--password-stdin"}, std::string(password) + "\n");
    if (added.status != 0) throw std::runtime_error("account add: " + added.err);
  } catch (...) {  // no destructor will run
    end();
    throw;
  }
}

RelayFixture::~RelayFixture() { end(); }

void RelayFixture::end() {
  if (!daemon_) return;
  if (daemon_->wait(std::chrono::milliseconds(0)) == -1) {
    stop();
    return;
  }
  // Killed: redis-server outlives its daemon, as it should, but not the test.
  redis::Client redis(redis_endpoint(), std::chrono::seconds(1));
  [[maybe_unused]] const auto ended = redis.command({"SHUTDOWN", "NOSAVE"});
}

void RelayFixture::write_config() {
  std::map<std::string, std::string> sections;
  for (const auto& [name, value] : settings_) {
    const auto dot = name.rfind('.');
    sections[name.substr(0, dot)] += name.substr(dot + 1) + " = " + value + "\n";
  }
  std::string text;
  for (const auto& [section, lines] : sections) text += "[" + section + "]\n" + lines;
  static_cast<void>(dir_.write("sealpost.conf", text));
}

void RelayFixture::start() {
  if (daemon_) earlier_logs_ += daemon_->output();
  daemon_ = std::make_unique<Process>(std::vector<std::string>{program("sealpostd"), "--config", config()});
  if (daemon_->wait_for(settings_["log.format"] == "json" ? "\"ready\"" : " ready ", std::chrono::seconds(60))
          .empty()) {
    throw std::runtime_error("sealpostd did not start: " + daemon_->output());
  }
}

int RelayFixture::stop() {
  daemon_->signal(SIGTERM);
  return daemon_->wait(std::chrono::seconds(60));
}

void RelayFixture::kill() {
  daemon_->signal(SIGKILL);
  daemon_->wait();
}

int RelayFixture::port(const std::string& service) const {
  return std::stoi(first_group(daemon_->output(), "service\"?[=:]\"?" + service + "\"?[ ,]\"?port\"?[=:]([0-9]+)"));
}

std::string RelayFixture::log() { return daemon_->output(); }
std::string RelayFixture::logs_of_all_lives() { return earlier_logs_ + daemon_->output(); }

redis::Endpoint RelayFixture::redis_endpoint() const {
  redis::Endpoint endpoint;
  endpoint.unix_path = state_dir() + "/redis.sock";
  return endpoint;
}

int RelayFixture::redis_pid() const {
  redis::Client redis(redis_endpoint(), std::chrono::seconds(1));
  auto info = redis.command({"INFO", "server"});
  return info ? std::atoi(info->text().data() + info->text().find("process_id:") + 11) : 0;
}

std::size_t RelayFixture::deliveries(const std::string& recipient, const std::string& state) const {
  std::vector<std::string> arguments = {"queue", "list", "--json", "--limit", "10000", "--recipient", recipient};
  if (!state.empty()) arguments.insert(arguments.end(), {"--state", state});
  const auto listed = ctl(arguments);
  if (listed.status != 0) throw std::runtime_error("queue list: " + listed.err);
  return Poco::JSON::Parser().parse(listed.out).extract<Poco::JSON::Object::Ptr>()->getArray("deliveries")->size();
}

Finished RelayFixture::ctl(const std::vector<std::string>& arguments, const std::string& input) const {
  std::vector<std::string> argv = {program("sealpostctl"), "--config", config()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, input);
}

std::vector<std::string> RelayFixture::matching(const std::string& folder, std::size_t count, const std::string& text) {
  const std::filesystem::path place = mail_ + "/" + folder + "/new";
  std::set<std::string> seen;  // a file is whole when it appears, and is read once
  std::vector<std::string> files;
  const auto look = [&] {
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(place, absent)) {
      if (!seen.insert(entry.path()).second) continue;
      if (text.empty() || read_file(entry.path()).find(text) != std::string::npos) files.push_back(entry.path());
    }
    return files.size() >= count;
  };
  static_cast<void>(eventually(look, std::chrono::seconds(90)));  // what did not come is not among the files
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> RelayFixture::mail(const std::string& folder, std::size_t count) {
  return matching(folder, count, {});
}
std::vector<std::string> RelayFixture::sealed_mail(const std::string& folder, std::size_t count) {
  return matching(folder, count, "\nContent-Type: application/pkcs7-mime;");
}
std::vector<std::string> RelayFixture::notifications(const std::string& folder, std::size_t count) {
  return matching(folder, count, "\nSubject: Your key for encrypted mail");
}

HttpAnswer RelayFixture::http(const std::string& method, const std::string& path, const std::string& body,
                              const std::map<std::string, std::string>& fields) const {
  Poco::Net::HTTPClientSession session("127.0.0.1", static_cast<Poco::UInt16>(port("http")));
  Poco::Net::HTTPRequest request(method, path, Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : fields) request.set(name, value);
  request.setContentLength(static_cast<int>(body.size()));
  session.sendRequest(request) << body;
  Poco::Net::HTTPResponse response;
  HttpAnswer answer;
  Poco::StreamCopier::copyToString(session.receiveResponse(response), answer.body);
  answer.status = response.getStatus();
  for (const auto& [name, value] : response) answer.fields[ascii_lower(name)] = value;
  return answer;
}

PickedUp RelayFixture::pick_up(const std::string& notification_file, const std::string& format,
                               const std::string& fingerprint) {
  const auto [token, code] = read_notification(notification_file);
  const auto parse = [](const HttpAnswer& answer) {
    if (answer.status != 200) throw std::runtime_error("pickup: " + answer.body);
    return Poco::JSON::Parser().parse(answer.body).extract<Poco::JSON::Object::Ptr>();
  };
  const auto session = parse(http("POST", "/v1/pickup/" + token + "/session", R"({"code":")" + code + "\"}"));
  const auto file =
      parse(http("POST", "/v1/pickup/" + token + "/pkcs12",
                 R"({"format":")" + format + (fingerprint.empty() ? "" : R"(","fingerprint":")" + fingerprint) + "\"}",
                 {{"Authorization", "Bearer " + session->getValue<std::string>("session")}}));
  const std::string name = "key" + std::to_string(++picked_up_);
  PickedUp key;
  key.password = file->getValue<std::string>("password");
  key.p12_file = dir_.write(name + ".p12", from_base64(file->getValue<std::string>("pkcs12")).value());
  key.pem_file = dir_ / (name + ".pem");
  const auto opened =
      run({"openssl", "pkcs12", "-in", key.p12_file, "-passin", "stdin", "-nodes", "-clcerts", "-out", key.pem_file},
          key.password + "\n");
  if (opened.status != 0) throw std::runtime_error("openssl pkcs12: " + opened.err);
  return key;
}

std::string RelayFixture::decrypt(const std::string& mail_file, const PickedUp& key) const {
  const auto plain =
      run({"openssl", "cms", "-decrypt", "-binary", "-in", mail_file, "-recip", key.pem_file, "-inkey", key.pem_file});
  return plain.status == 0 ? plain.out : "openssl cms failed: " + plain.err;
}

}  // namespace sealpost::test
