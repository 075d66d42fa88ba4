// SPDX-License-Identifier: Apache-2.0
// Implements crl_publisher.h.
#include "crypto/crl_publisher.h"

#include <utility>

#include "base/redis/number.h"
#include "crypto/revoked_certificates.h"
#include "directory_scripts.h"

namespace sealpost {
namespace {

/// Older ones are not told while there is no newer one.
constexpr std::chrono::hours renewal{24};
/// For who comes while the very first one is made.
constexpr std::chrono::seconds patience{1};

const redis::Script& number_script() {
  static const redis::Script script("crl_number", std::string(scripts::crl_number_lua));
  return script;
}

}  // namespace

class CrlPublisher::Making final {
 public:
  explicit Making(CrlPublisher& owner) : owner_(owner) {}
  ~Making() {
    const std::lock_guard lock(owner_.mutex_);
    owner_.making_ = false;
    owner_.ended_.notify_all();
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

 private:
  CrlPublisher& owner_;
};

/// None that a clock which was set back calls one of the future.
bool CrlPublisher::is_younger(Duration limit) const {
  const Duration age = clock_.now() - made_;
  return !der_.empty() && age >= Duration(0) && age < limit;
}

bool CrlPublisher::may_ask() const {
  const Duration since = clock_.now() - failed_at_;
  return !making_ && (!failed_ || since < Duration(0) || since >= pause);
}

Result<std::string> CrlPublisher::last() const {
  if (is_younger(renewal)) return der_;
  return failed_.value_or(Error::temporary("the list is being made"));
}

Result<std::string> CrlPublisher::list() {
  std::unique_lock lock(mutex_);
  if (making_ && !is_younger(renewal)) ended_.wait_for(lock, patience, [this] { return !making_; });
  if (is_younger(lifetime)) return der_;
  if (!may_ask()) return last();
  making_ = true;
  lock.unlock();
  const Making making(*this);
  return make();
}

Result<std::string> CrlPublisher::make() {
  const Time now = clock_.now();
  auto der = sign_anew();
  const std::lock_guard lock(mutex_);
  if (der) {
    der_ = *der;
    made_ = now;
    failed_.reset();
    return der;
  }
  failed_ = der.error();
  failed_at_ = clock_.now();
  return last();
}

Result<std::string> CrlPublisher::sign_anew() {
  const auto seconds = to_milliseconds(clock_.now()) / 1000;
  auto number = redis_.run(number_script(), {"keys:crl"}, {std::to_string(seconds)});
  if (!number) return number.error();
  auto revoked = revoked_certificates(redis_, wrapper_, log_);
  if (!revoked) return revoked.error();
  return authority_.revocation_list(*revoked, number->integer());
}

}  // namespace sealpost
