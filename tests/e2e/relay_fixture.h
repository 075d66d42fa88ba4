// SPDX-License-Identifier: Apache-2.0
// A real sealpostd on free ports and private directories with a maildir behind it, and the people around it: a sender,
// a recipient, an operator.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> fields;  ///< names in lower case
  std::string body;
};

/// A private key and certificate that a recipient picked up.
struct PickedUp {
  std::string pem_file;  ///< key and certificate, for openssl
  std::string p12_file;
  std::string password;
};

class RelayFixture final {
 public:
  using Settings = std::map<std::string, std::string>;
  /// Settings are "section.key"; these win over the fixture's own. Starts the relay and adds the account "app" (send-as
  /// @example.com).
  explicit RelayFixture(Settings settings = {});
  ~RelayFixture();

  void start();
  /// SIGTERM; returns the exit code.
  int stop();
  /// SIGKILL of the daemon; redis-server is left as a crash would leave it.
  void kill();
  [[nodiscard]] int pid() const { return daemon_->pid(); }
  [[nodiscard]] int port(const std::string& service) const;
  [[nodiscard]] std::string log();
  [[nodiscard]] std::string logs_of_all_lives();
  [[nodiscard]] const TempDir& directory() const { return dir_; }
  [[nodiscard]] std::string state_dir() const { return dir_ / "state"; }
  [[nodiscard]] std::string config() const { return dir_ / "sealpost.conf"; }

  /// The embedded Redis, for a look at it; its process id, 0 while none answers.
  [[nodiscard]] redis::Endpoint redis_endpoint() const;
  [[nodiscard]] int redis_pid() const;

  /// How many deliveries to the address the queue knows, finished ones too: what `queue list` shows of them.
  [[nodiscard]] std::size_t deliveries(const std::string& recipient, const std::string& state = {}) const;

  Finished ctl(const std::vector<std::string>& arguments, const std::string& input = {}) const;

  /// Where the mail lands when delivery.route is not the fixture's own maildir.
  void read_mail_from(const std::string& folder) { mail_ = folder; }
  [[nodiscard]] const std::string& mail_folder() const { return mail_; }
  /// Waits until the daemon has logged it in this life.
  bool wait_for_log(const std::string& text) { return !daemon_->wait_for(text, std::chrono::seconds(60)).empty(); }

  /// Files in the recipient's maildir; waits until there are `count` (or 90 s have passed: a lease that a crash left
  /// takes a while to come back).
  std::vector<std::string> mail(const std::string& folder, std::size_t count);
  /// Those of them that are sealed, or that are notifications.
  std::vector<std::string> sealed_mail(const std::string& folder, std::size_t count);
  std::vector<std::string> notifications(const std::string& folder, std::size_t count);

  HttpAnswer http(const std::string& method, const std::string& path, const std::string& body = {},
                  const std::map<std::string, std::string>& fields = {}) const;
  /// Follows a notification by the HTTP calls. Without a fingerprint the address's current pair is taken.
  PickedUp pick_up(const std::string& notification_file, const std::string& format = "modern",
                   const std::string& fingerprint = {});
  /// Decrypts with openssl cms; the inner MIME entity.
  [[nodiscard]] std::string decrypt(const std::string& mail_file, const PickedUp& key) const;

  static constexpr const char* account = "app";
  static constexpr const char* password = "correct-horse";

 private:
  void write_config();
  /// Ends the daemon and its redis-server, whatever state they are in.
  void end();
  std::vector<std::string> matching(const std::string& folder, std::size_t count, const std::string& text);

  TempDir dir_;
  std::string mail_ = dir_ / "mail";
  Settings settings_;
  std::unique_ptr<Process> daemon_;
  std::string earlier_logs_;
  int picked_up_ = 0;
};

/// Link token and code of a notification.
struct LinkAndCode {
  std::string token;
  std::string code;
};
LinkAndCode read_notification(const std::string& file);
/// What follows the empty line.
std::string body_of(const std::string& message);

}  // namespace sealpost::test
