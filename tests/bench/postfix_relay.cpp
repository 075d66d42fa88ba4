// SPDX-License-Identifier: Apache-2.0
// Implements postfix_relay.h: a configuration folder of its own, and master in the foreground.
#include "tests/bench/postfix_relay.h"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace sealpost::test {
namespace {

/// Of all children that have ended and were waited for, their own children included.
double cpu_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string main_cf(const TempDir& dir, int sink_port) {
  return "compatibility_level = 3.6\nmyhostname = postfix.example.org\nmydestination =\ninet_interfaces = "
         "loopback-only\n"
         "inet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nlocal_recipient_maps =\nalias_maps =\nbiff = no\n"
         "message_size_limit = 0\nsmtpd_tls_security_level = none\nsmtp_tls_security_level = none\n"
         "smtpd_client_connection_count_limit = 0\nsmtpd_client_connection_rate_limit = 0\n"
         "default_destination_concurrency_limit = 32\ninitial_destination_concurrency = 20\n"
         "smtp_connection_cache_on_demand = yes\n"
         "relayhost = [127.0.0.1]:" +
         std::to_string(sink_port) + "\nqueue_directory = " + dir / "queue" + "\ndata_directory = " + dir / "data" +
         "\n";
}

std::string master_cf(int port) {
  std::string text = "127.0.0.1:" + std::to_string(port) + " inet n - n - - smtpd\n";
  for (const char* row :
       {"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
        "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "relay unix - - n - - smtp",
        "showq unix n - n - - showq", "error unix - - n - - error", "retry unix - - n - - error",
        "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache"}) {
    text += std::string(row) + "\n";
  }
  return text;
}

}  // namespace

PostfixRelay::PostfixRelay(int sink_port) : port_(free_port()) {
  const passwd* owner = getpwnam("postfix");
  if (owner == nullptr || geteuid() != 0) throw std::runtime_error("needs root and the package postfix");
  // Its processes give up root and still have to come this far.
  if (chmod(dir_.path().c_str(), 0755) != 0) throw std::runtime_error("chmod failed");
  dir_.write("etc/main.cf", main_cf(dir_, sink_port), 0644);
  dir_.write("etc/master.cf", master_cf(port_), 0644);
  for (const char* folder : {"queue", "data"}) {
    mkdir((dir_ / folder).c_str(), 0755);
  }
  if (chown((dir_ / "data").c_str(), owner->pw_uid, owner->pw_gid) != 0) throw std::runtime_error("chown failed");
  run({"postfix", "-c", dir_ / "etc", "set-permissions"});  // makes the queue's folders
  cpu_before_ = cpu_of_children();
  master_ = std::make_unique<Process>(std::vector<std::string>{"postfix", "-c", dir_ / "etc", "start-fg"});
}

double PostfixRelay::stop() {
  master_->signal(SIGTERM);
  master_->wait();
  return cpu_of_children() - cpu_before_;
}

}  // namespace sealpost::test
