// SPDX-License-Identifier: Apache-2.0
// One lock per address that is being worked on in this process, so that many first mails to one address do not burn a
// pair each.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace sealpost {

class AddressLocks final {
  struct Entry {
    std::mutex mutex;
    unsigned users = 0;
  };

 public:
  /// Holds the address until it is destroyed.
  class Guard final {
   public:
    Guard(AddressLocks& locks, const std::string& address) : locks_(locks) {
      {
        const std::lock_guard lock(locks_.mutex_);
        position_ = locks_.entries_.try_emplace(address).first;
        ++position_->second.users;
      }
      position_->second.mutex.lock();
    }
    ~Guard() {
      position_->second.mutex.unlock();
      const std::lock_guard lock(locks_.mutex_);
      if (--position_->second.users == 0) locks_.entries_.erase(position_);
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    AddressLocks& locks_;
    std::map<std::string, Entry>::iterator position_;
  };

 private:
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace sealpost
