// SPDX-License-Identifier: Apache-2.0
// Implements state_dir.h.
#include "base/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/encoding.h"

namespace sealpost {

Result<StateDir> StateDir::take(const std::string& given, Random& random) {
  std::string path = given;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();  // else its parent would be itself
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::invalid("relay.state_dir: " + path + ": " + std::strerror(errno));
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Error::invalid("relay.state_dir: " + path + ": not a folder");
  }
  // Root would get in, and leave files behind that the service's own user cannot open.
  if (status.st_uid != geteuid()) {
    return Error::invalid("relay.state_dir: " + path + ": belongs to another user; start sealpostd as that one");
  }
  if ((status.st_mode & 077) != 0) {
    return Error::invalid("relay.state_dir: " + path + ": others may not enter it (chmod 700)");
  }
  const std::string file = path + "/lock";
  const int lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return Error::invalid("relay.state_dir: " + file + ": " + std::strerror(errno));
  StateDir held(lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 16> holder{};
    [[maybe_unused]] const auto size = read(lock, holder.data(), holder.size() - 1);
    return Error::invalid("relay.state_dir: " + path + ": another sealpostd (process " + holder.data() + ") uses it");
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) < 0) {
    return Error::invalid("relay.state_dir: " + file + ": " + std::strerror(errno));
  }
  if (auto named = held.name_node(path, random); !named) return named.error();
  return held;
}

/// The lock is held: nobody else writes. A name that a crash left half written is drawn anew.
Status StateDir::name_node(const std::string& path, Random& random) {
  const std::string file = path + "/node";
  constexpr std::size_t octets = 16;
  std::ifstream(file) >> node_;
  if (node_.size() == 2 * octets && from_hex(node_)) return {};
  node_ = to_hex(random.octets(octets));
  std::ofstream written(file, std::ios::trunc);
  written << node_ << std::endl;
  if (!written) return Error::invalid("relay.state_dir: " + file + ": cannot be written");
  return {};
}

StateDir::StateDir(StateDir&& other) noexcept : lock_(std::exchange(other.lock_, -1)), node_(std::move(other.node_)) {}

StateDir::~StateDir() {
  if (lock_ >= 0) close(lock_);
}

}  // namespace sealpost
