// SPDX-License-Identifier: Apache-2.0
// Implements maildir.h: tmp, fsync, rename into new, fsync of the folder.
#include "relay/delivery/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/email_address.h"

namespace sealpost {
namespace {

/// A descriptor that is closed at the end.
class File final {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Deferred failed(const std::string& what) {
  return {what + ": " + std::strerror(errno), errno == ENOSPC || errno == EDQUOT ? "4.3.1" : "4.3.0"};
}

bool write_all(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const auto count = ::write(descriptor, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool make_folders(const std::string& base) {
  for (const char* name : {"", "/tmp", "/new", "/cur"}) {
    if (mkdir((base + name).c_str(), 0700) != 0 && errno != EEXIST) return false;
  }
  return true;
}

bool sync_folder(const std::string& path) {
  const File folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.get() >= 0 && fsync(folder.get()) == 0;
}

}  // namespace

Attempt Maildir::attempt(const Claim& claim, DeliveryBody& body) {
  return {deliver(claim, body), {"maildir", root_, {}}};
}

Outcome Maildir::deliver(const Claim& claim, DeliveryBody& body) {
  auto address = EmailAddress::parse(claim.delivery.recipient);
  if (!address) return Failed{0, "5.1.3", "not an address"};
  if (mkdir(root_.c_str(), 0700) != 0 && errno != EEXIST) return failed("maildir");
  const std::string base = root_ + "/" + address->folder_name();
  if (!make_folders(base) || !sync_folder(base) || !sync_folder(root_)) return failed("maildir");
  // The delivery's id makes the name unique, and a repeated attempt replaces its own file instead of adding a second.
  const std::string name =
      std::to_string(to_milliseconds(claim.delivery.created) / 1000) + "." + claim.delivery.id.text() + "." + hostname_;
  const std::string temporary = base + "/tmp/" + name;
  const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return failed("maildir");
  bool written = write_all(file.get(), "Return-Path: <" + claim.delivery.mail_from + ">\r\n");
  while (written) {
    auto piece = body.next();
    if (!piece) {
      unlink(temporary.c_str());
      return Deferred{"the message cannot be read from the store now", "4.3.0"};
    }
    if (piece->empty()) break;
    written = write_all(file.get(), *piece);
  }
  if (!written || fsync(file.get()) != 0 || rename(temporary.c_str(), (base + "/new/" + name).c_str()) != 0 ||
      !sync_folder(base + "/new")) {
    const Deferred outcome = failed("maildir");
    unlink(temporary.c_str());
    return outcome;
  }
  return Delivered{"250 2.0.0 stored as " + name};
}

}  // namespace sealpost
