// SPDX-License-Identifier: Apache-2.0
// Implements faults.h. One thread at a time is watched: the one that runs the action.
#include "tests/unit/crypto_faults/faults.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <string_view>

// The program's own code, by the linker's word.
extern "C" const char __executable_start;  // NOLINT(bugprone-reserved-identifier)
extern "C" const char etext;

// LeakSanitizer's, where it is built in.
extern "C" __attribute__((weak)) void __lsan_disable();  // NOLINT(bugprone-reserved-identifier)
extern "C" __attribute__((weak)) void __lsan_enable();   // NOLINT(bugprone-reserved-identifier)

namespace sealpost::faults {
namespace {

std::set<std::string>& names() {
  static std::set<std::string> all;
  return all;
}

thread_local std::map<std::string, int>* counting = nullptr;
thread_local const std::string* failing = nullptr;
thread_local int calls_left = 0;
thread_local bool failed = false;
thread_local int depth = 0;  ///< of our calls into OpenSSL

thread_local int allocations_left = 0;  ///< 0: none fails
thread_local bool allocation_failed = false;

bool allocation_is_due(const char* file) {
  // OpenSSL 3.0 reports that the context of its X9.63 KDF could not be allocated, and writes into it all the same.
  if (file != nullptr && std::string_view(file).ends_with("kdfs/sskdf.c")) return false;
  if (allocations_left == 0 || --allocations_left > 0) return false;
  allocation_failed = true;
  return true;
}

void* allocate(std::size_t size, const char* file, int) {
  return allocation_is_due(file) ? nullptr : std::malloc(size);
}
void* reallocate(void* memory, std::size_t size, const char* file, int) {
  return allocation_is_due(file) ? nullptr : std::realloc(memory, size);
}
void release(void* memory, const char*, int) { std::free(memory); }

}  // namespace

const std::set<std::string>& interposed() { return names(); }

int enlist(const char* function) {
  names().insert(function);
  return 0;
}

bool is_due(const char* function, const void* caller) {
  const bool ours = caller >= &__executable_start && caller < &etext;
  if (!ours || depth > 0) return false;
  if (counting != nullptr) ++(*counting)[function];
  if (failing == nullptr || *failing != function || --calls_left != 0) return false;
  failed = true;
  return true;
}

InsideOpenSsl::InsideOpenSsl() { ++depth; }
InsideOpenSsl::~InsideOpenSsl() { --depth; }

std::map<std::string, int> calls_of(const std::function<void()>& action) {
  std::map<std::string, int> counts;
  counting = &counts;
  action();
  counting = nullptr;
  return counts;
}

bool with_failing_call(const std::string& function, int nth, const std::function<void()>& action) {
  failing = &function;
  calls_left = nth;
  failed = false;
  action();
  failing = nullptr;
  return failed;
}

bool take_over_allocations() { return CRYPTO_set_mem_functions(allocate, reallocate, release) == 1; }

bool with_failing_allocation(int nth, const std::function<void()>& action) {
  // OpenSSL 3.0 loses the parameters of the key wrap when there is no memory to name it (ecdh_cms_encrypt). What our
  // own code holds when a call fails is looked at by with_failing_call.
  if (__lsan_disable != nullptr) __lsan_disable();
  allocations_left = nth;
  allocation_failed = false;
  action();
  allocations_left = 0;
  if (__lsan_enable != nullptr) __lsan_enable();
  return allocation_failed;
}

}  // namespace sealpost::faults
