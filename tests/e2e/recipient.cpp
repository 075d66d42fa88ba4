// SPDX-License-Identifier: Apache-2.0
// Implements recipient.h.
#include "tests/e2e/recipient.h"

#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) files.push_back(entry.path());
  return files;
}

Poco::JSON::Array::Ptr array_of(const Finished& told) {
  if (told.status != 0) throw std::runtime_error(told.out + told.err);
  return Poco::JSON::Parser().parse(told.out).extract<Poco::JSON::Array::Ptr>();
}

}  // namespace

Poco::JSON::Object::Ptr json_of(const std::string& text) {
  return Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
}

Recipient::Recipient(RelayFixture& relay, std::string address) : relay_(relay), address_(std::move(address)) {
  if (const auto reply = sent("first"); !reply.starts_with("250")) throw std::runtime_error(reply);
  notification_ = relay_.notifications(address_, 1).at(0);
  link_ = read_notification(notification_);
  const auto opened =
      json_of(relay_.http("POST", "/v1/pickup/" + link_.token + "/session", R"({"code":")" + link_.code + "\"}").body);
  session_ = opened->getValue<std::string>("session");
  first_ = opened->getValue<std::string>("fingerprint");
}

std::string Recipient::sent(const std::string& subject) {
  return Submitter::logged_in(relay_).submit("alice@example.com", {address_}, message(subject, "text of " + subject));
}

std::string Recipient::mail_with(const std::string& text) const {
  std::string found;
  const auto look = [&] {
    for (const auto& file : files_in(relay_.mail_folder() + "/" + address_ + "/new")) {
      if (read_file(file).find(text) != std::string::npos) found = file;
    }
    return !found.empty();
  };
  static_cast<void>(eventually(look));
  return found;
}

bool Recipient::reads(const std::string& subject, const PickedUp& key) const {
  const std::string file = mail(subject);
  if (file.empty()) throw std::runtime_error("there is no mail " + subject);
  return relay_.decrypt(file, key).find("text of " + subject) != std::string::npos;
}

std::size_t Recipient::count(const std::string& subject) const {
  const auto files = files_in(relay_.mail_folder() + "/" + address_ + "/new");
  return static_cast<std::size_t>(std::count_if(files.begin(), files.end(), [&](const std::string& file) {
    return read_file(file).find("\nSubject: " + subject + "\r\n") != std::string::npos;
  }));
}

HttpAnswer Recipient::call(const std::string& method, const std::string& what, const std::string& body) const {
  return relay_.http(method, "/v1/pickup/" + link_.token + "/" + what, body, {{"Authorization", "Bearer " + session_}});
}

std::string Recipient::chosen(const std::string& fingerprint) {
  return fingerprint.empty() ? "{}" : R"({"fingerprint":")" + fingerprint + "\"}";
}

HttpAnswer Recipient::confirm(const OwnCertificate& own) {
  static const std::regex pattern("Authentication code: ([0-9A-Z-]+)");
  std::string code;
  const auto look = [&] {
    for (const auto& file : files_in(relay_.mail_folder() + "/" + address_ + "/new")) {
      std::smatch found;
      if (read_file(file).find("smime-type=enveloped-data") == std::string::npos) continue;
      const std::string text = relay_.decrypt(file, own.opener());
      if (!std::regex_search(text, found, pattern)) continue;
      if (std::find(used_codes_.begin(), used_codes_.end(), found[1]) == used_codes_.end()) code = found[1];
    }
    return !code.empty();
  };
  if (!eventually(look)) throw std::runtime_error("no code was sealed to the certificate");
  used_codes_.push_back(code);
  return call("POST", "certificate/confirm", R"({"code":")" + code + "\"}");
}

HttpAnswer Recipient::replace(const OwnCertificate& own, const std::string& octets) {
  auto pending = upload(octets);
  return pending.status == 202 ? confirm(own) : pending;
}

PickedUp Recipient::pick_up(const std::string& fingerprint) const {
  return relay_.pick_up(notification_, "modern", fingerprint);
}

Poco::JSON::Array::Ptr Recipient::history() const {
  return array_of(relay_.ctl({"key", "history", address_, "--json"}));
}

std::string Recipient::state(const std::string& fingerprint) const {
  const auto keys = history();
  for (const auto& row : *keys) {
    const auto key = row.extract<Poco::JSON::Object::Ptr>();
    if (key->getValue<std::string>("fingerprint") == (fingerprint.empty() ? first_ : fingerprint)) {
      return key->getValue<std::string>("state");
    }
  }
  return {};
}

std::string Recipient::current() const { return history()->getObject(0)->getValue<std::string>("fingerprint"); }

std::vector<std::string> Recipient::audit() const {
  std::vector<std::string> told;
  const auto entries = array_of(relay_.ctl({"audit", "list", "--address", address_, "--json"}));
  for (const auto& row : *entries) {
    const auto entry = row.extract<Poco::JSON::Object::Ptr>();
    told.push_back(entry->getValue<std::string>("action") + " by " + entry->getValue<std::string>("actor") + ": " +
                   entry->getValue<std::string>("detail"));
  }
  return told;
}

std::string Recipient::snapshot() const {
  std::ostringstream all;
  history()->stringify(all);
  for (const auto& entry : audit()) all << '\n' << entry;
  return all.str();
}

}  // namespace sealpost::test
