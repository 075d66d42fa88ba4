// SPDX-License-Identifier: Apache-2.0
// Sessions of operators in a browser: login with an account's name and password, a random cookie whose MAC alone stands
// in Redis, and an end with the account's rights, password or patience.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/authenticator.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"

namespace sealpost {

/// Who is logged in.
struct OperatorSession {
  std::string account;
  std::string csrf;  ///< stands in every form of this session
};

class OperatorSessions final {
 public:
  static constexpr std::chrono::minutes idle_time{30};
  static constexpr std::chrono::hours longest{12};

  /// Another text after any change of an operator's account: of its password, its rights, of the account itself.
  /// NotFound when it is no operator's, or not there.
  using Stamp = std::function<Result<std::string>(const std::string& account)>;

  OperatorSessions(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log,
                   Authenticator& authenticator, Stamp stamp)
      : redis_(redis),
        wrapper_(wrapper),
        clock_(clock),
        random_(random),
        log_(log),
        authenticator_(authenticator),
        stamp_(std::move(stamp)) {}

  /// The cookie's value. Invalid: wrong name or password; Permanent: right, but no operator's; Temporary: Redis is
  /// away, or, with retry_after, too many guesses.
  Result<Secret> log_in(const std::string& name, const Secret& password, const std::string& network);
  /// NotFound when there is no such session any more. Counts as a use, unless it is only watched.
  enum class Use { Counts, OnlyWatches };
  Result<OperatorSession> find(std::string_view cookie, Use use = Use::Counts);
  Status log_out(std::string_view cookie);

 private:
  [[nodiscard]] std::string key_of(std::string_view cookie) const;
  [[nodiscard]] std::string record_of(const std::string& key, const std::string& account, const std::string& stamp,
                                      Time created) const;
  [[nodiscard]] Duration time_left(Time created) const;
  Status store(std::string_view cookie, const std::string& account, const std::string& stamp);

  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  Authenticator& authenticator_;
  Stamp stamp_;
};

}  // namespace sealpost
