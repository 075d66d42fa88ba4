// SPDX-License-Identifier: Apache-2.0
// gpg and gpgsm in a home of their own, whose agent ends with it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class GnupgHome final {
 public:
  GnupgHome() {
    dir_.write("gpg-agent.conf", "allow-loopback-pinentry\n");
    dir_.write("gpgsm.conf", "disable-crl-checks\ndisable-dirmngr\n");
  }
  ~GnupgHome() { run({"gpgconf", "--kill", "all"}, "", environment()); }
  GnupgHome(const GnupgHome&) = delete;
  GnupgHome& operator=(const GnupgHome&) = delete;

  /// Root certificates that gpgsm trusts, by their SHA-1 in upper-case hex.
  void trust(const std::string& fingerprint) const { dir_.write("trustlist.txt", fingerprint + " S relax\n"); }
  [[nodiscard]] Finished gpg(std::vector<std::string> argv, const std::string& input = {}) const {
    return run_program("gpg", std::move(argv), input);
  }
  [[nodiscard]] Finished gpgsm(std::vector<std::string> argv, const std::string& input = {}) const {
    return run_program("gpgsm", std::move(argv), input);
  }
  /// A file in the home, for programs that want one.
  [[nodiscard]] std::string write(const std::string& name, const std::string& content) const {
    return dir_.write(name, content);
  }

 private:
  [[nodiscard]] std::map<std::string, std::string> environment() const { return {{"GNUPGHOME", dir_.path().string()}}; }
  [[nodiscard]] Finished run_program(const char* name, std::vector<std::string> argv, const std::string& input) const {
    argv.insert(argv.begin(), {name, "--batch", "--quiet", "--pinentry-mode", "loopback"});
    return run(argv, input, environment());
  }
  TempDir dir_;
};

}  // namespace sealpost::test
