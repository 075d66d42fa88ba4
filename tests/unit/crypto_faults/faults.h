// SPDX-License-Identifier: Apache-2.0
// Makes one OpenSSL call of our own code fail, or one of OpenSSL's allocations. The program defines the functions that
// our code calls and forwards them to libcrypto (openssl_calls.cpp); calls inside libcrypto are left alone.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

namespace sealpost::faults {

/// Names of the functions that this program can make fail.
const std::set<std::string>& interposed();

/// How often each of them is called by our code while `action` runs.
std::map<std::string, int> calls_of(const std::function<void()>& action);

/// Runs the action with the n-th call (from 1) of that function failing; true when it came to that.
bool with_failing_call(const std::string& function, int nth, const std::function<void()>& action);

/// Before anything else uses OpenSSL: routes its allocations through this program.
bool take_over_allocations();
/// Runs the action with OpenSSL's n-th allocation (from 1) failing; true when it came to that.
bool with_failing_allocation(int nth, const std::function<void()>& action);

/// For openssl_calls.cpp: registers a name, and tells whether this call is the one to fail.
int enlist(const char* function);
bool is_due(const char* function, const void* caller);
/// While one lives, calls are OpenSSL's own. Their return address does not always say so: libcrypto may jump from one
/// function into another, which then returns to us.
class InsideOpenSsl final {
 public:
  InsideOpenSsl();
  ~InsideOpenSsl();
  InsideOpenSsl(const InsideOpenSsl&) = delete;
  InsideOpenSsl& operator=(const InsideOpenSsl&) = delete;
};

}  // namespace sealpost::faults
