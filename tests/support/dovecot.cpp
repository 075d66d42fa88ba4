// SPDX-License-Identifier: Apache-2.0
// Implements dovecot.h.
#include "tests/support/dovecot.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace sealpost::test {

bool Dovecot::possible() { return getpwnam("dovecot") != nullptr && geteuid() == 0; }

Dovecot::Dovecot(const std::string& user, const std::string& password) {
  if (!possible()) throw std::runtime_error("needs root and the package dovecot-lmtpd");
  const passwd* owner = getpwnam("nobody");
  if (owner == nullptr) throw std::runtime_error("there is no user nobody");
  if (chmod(dir_.path().c_str(), 0755) != 0 || mkdir(mail().c_str(), 0755) != 0 ||
      chown(mail().c_str(), owner->pw_uid, owner->pw_gid) != 0) {
    throw std::runtime_error("dovecot: no folder for mail");
  }
  const std::string ids = "uid=" + std::to_string(owner->pw_uid) + " gid=" + std::to_string(owner->pw_gid);
  const std::string users = dir_.write("users", user + ":{PLAIN}" + password + "\n", 0644);
  const std::string config = dir_.write(
      "dovecot.conf",
      "base_dir = " + dir_ / "run" + "\nstate_dir = " + dir_ / "run" + "\nprotocols = lmtp\nssl = no\n" +
          "log_path = /dev/stderr\ndisable_plaintext_auth = no\nauth_mechanisms = plain login\nfirst_valid_uid = 1\n" +
          "mail_location = maildir:" + mail() + "/%u\npassdb {\n  driver = passwd-file\n  args = username_format=%u " +
          users + "\n}\nuserdb {\n  driver = static\n  args = " + ids + " home=" + mail() +
          "/%u allow_all_users=yes\n}\nservice lmtp {\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = " +
          std::to_string(port_) + "\n  }\n}\nservice auth {\n  unix_listener " + auth_socket() +
          " {\n    mode = 0666\n  }\n}\n",
      0644);
  process_ = std::make_unique<Process>(std::vector<std::string>{"/usr/sbin/dovecot", "-F", "-c", config});
  if (process_->wait_for("starting up").empty()) throw std::runtime_error("dovecot: " + process_->output());
}

Dovecot::~Dovecot() {
  process_->signal(SIGTERM);
  process_->wait();
}

}  // namespace sealpost::test
