// SPDX-License-Identifier: Apache-2.0
// Implements master_key_file.h over POSIX calls: std::fstream knows neither modes nor fsync.
#include "crypto/master_key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace sealpost {
namespace {

constexpr std::size_t max_file_size = 65536;

class Descriptor final {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }

 private:
  int number_;
};

Error failure(const std::string& path, const std::string& what) {
  return Error::invalid(path + ": " + what + ": " + std::system_category().message(errno));
}

Status check_owner_and_mode(const std::string& path, int descriptor) {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return failure(path, "cannot be examined");
  if (!S_ISREG(facts.st_mode)) return Error::invalid(path + ": is no plain file");
  if ((facts.st_mode & 0177U) != 0)
    return Error::invalid(path + ": its mode must be 0600: nobody but its owner may read it");
  // Root may read everybody's: that is how the operator's tool is run beside a service with a user of its own.
  const bool ours = facts.st_uid == ::geteuid() || facts.st_uid == 0 || ::geteuid() == 0;
  return ours ? Status() : Status(Error::invalid(path + ": belongs to another user"));
}

Status write_all(const std::string& path, int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::write(descriptor, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failure(path, "cannot be written");
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(descriptor) == 0 ? Status() : Status(failure(path, "cannot be synced"));
}

/// A new name is durable only when its directory is.
Status sync_directory(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.open() || ::fsync(opened.get()) != 0) return failure(directory, "cannot be synced");
  return {};
}

}  // namespace

Result<Secret> read_private_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open())
    return errno == ENOENT ? Error::not_found(path + ": does not exist") : failure(path, "cannot be opened");
  if (auto fits = check_owner_and_mode(path, file.get()); !fits) return fits.error();
  WipedBuffer content;
  WipedBuffer part(4096);
  while (content.size() <= max_file_size) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(path, "cannot be read");
    if (count == 0) return Secret(std::move(content));
    append(content, {part.data(), static_cast<std::size_t>(count)});
  }
  return Error::invalid(path + ": is too long for what it should hold");
}

Status create_private_file(const std::string& path, const Secret& content) {
  // A crash half way must not leave half a key under the final name: written aside, then linked, which fails when the
  // name is taken.
  const std::string aside = path + ".new." + std::to_string(::getpid());
  {
    const Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.open()) return failure(aside, "cannot be made");
    if (auto written = write_all(aside, file.get(), content.reveal()); !written) {
      ::unlink(aside.c_str());
      return written;
    }
  }
  const bool linked = ::link(aside.c_str(), path.c_str()) == 0;
  const auto outcome = linked ? Status() : Status(failure(path, "cannot be made"));
  ::unlink(aside.c_str());
  return linked ? sync_directory(path) : outcome;
}

void remove_private_file(const std::string& path) { ::unlink(path.c_str()); }

}  // namespace sealpost
