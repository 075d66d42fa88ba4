// SPDX-License-Identifier: Apache-2.0
// Implements postfix.h: a configuration folder of its own, and master in the foreground.
#include "tests/support/postfix.h"

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocket.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

struct ProcessTimes {
  int parent = 0;
  double seconds = 0;  ///< its own, and those of children that it has waited for
};

ProcessTimes times_of(const std::string& pid) {
  const std::string text = read_file("/proc/" + pid + "/stat");
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  ProcessTimes times;
  std::string word;
  double ticks = 0;
  for (int field = 3; fields >> word && field <= 17; ++field) {
    if (field == 4) times.parent = std::stoi(word);
    if (field >= 14) ticks += std::stod(word);
  }
  times.seconds = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  return times;
}

/// Of master and its children, which all belong to it directly.
double cpu_of(pid_t master) {
  double seconds = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto times = times_of(pid);
    if (pid == std::to_string(master) || times.parent == master) seconds += times.seconds;
  }
  return seconds;
}

std::string main_cf(const TempDir& dir, const std::string& settings) {
  return "compatibility_level = 3.6\nmyhostname = postfix.example.org\nmydestination =\ninet_interfaces = "
         "loopback-only\ninet_protocols = ipv4\nlocal_recipient_maps =\nalias_maps =\nbiff = no\n"
         "message_size_limit = 0\nmailbox_size_limit = 0\nvirtual_mailbox_limit = 0\n"
         "smtpd_client_connection_count_limit = 0\nsmtpd_client_connection_rate_limit = 0\n"
         "maillog_file_prefixes = /\nmaillog_file = " +
         dir / "log" + "\nqueue_directory = " + dir / "queue" + "\ndata_directory = " + dir / "data" + "\n" + settings;
}

std::string master_cf(int port, const std::string& services) {
  std::string text = "127.0.0.1:" + std::to_string(port) + " inet n - n - - smtpd\n";
  for (const char* row :
       {"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
        "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp", "relay unix - - n - - smtp",
        "showq unix n - n - - showq", "error unix - - n - - error", "retry unix - - n - - error",
        "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"}) {
    text += std::string(row) + "\n";
  }
  return text + services;
}

bool listens(int port) {
  try {
    const Poco::Net::StreamSocket connected(Poco::Net::SocketAddress("127.0.0.1", static_cast<std::uint16_t>(port)));
    return true;
  } catch (const Poco::Exception&) {
    return false;
  }
}

}  // namespace

bool Postfix::possible() { return getpwnam("postfix") != nullptr && geteuid() == 0; }

Postfix::Postfix(const std::string& settings, const std::string& services) : port_(free_port()) {
  if (!possible()) throw std::runtime_error("needs root and the package postfix");
  const passwd* owner = getpwnam("postfix");
  // Its processes give up root and still have to come this far.
  if (chmod(dir_.path().c_str(), 0755) != 0) throw std::runtime_error("chmod failed");
  static_cast<void>(dir_.write("etc/main.cf", main_cf(dir_, settings), 0644));
  static_cast<void>(dir_.write("etc/master.cf", master_cf(port_, services), 0644));
  for (const char* folder : {"queue", "data"}) {
    mkdir((dir_ / folder).c_str(), 0755);
  }
  if (chown((dir_ / "data").c_str(), owner->pw_uid, owner->pw_gid) != 0) throw std::runtime_error("chown failed");
  run({"postfix", "-c", dir_ / "etc", "check"});  // makes the queue's folders
  // Itself, not `postfix start-fg`: that one leaves a master behind when it is ended.
  master_ =
      std::make_unique<Process>(std::vector<std::string>{"/usr/lib/postfix/sbin/master", "-c", dir_ / "etc", "-d"});
  if (!eventually([this] { return listens(port_); })) throw std::runtime_error("Postfix does not listen: " + log());
}

std::string Postfix::log() const { return read_file(dir_ / "log"); }

Postfix::~Postfix() {
  if (master_->wait(std::chrono::milliseconds(0)) == -1) stop();
}

double Postfix::stop() {
  const double seconds = cpu_of(master_->pid());
  master_->signal(SIGTERM);
  master_->wait();
  return seconds;
}

}  // namespace sealpost::test
