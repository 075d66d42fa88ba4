// SPDX-License-Identifier: Apache-2.0
// sealpostd: the relay, in the foreground.
#include <malloc.h>
#include <sysexits.h>

#include <iostream>

#include "base/clock.h"
#include "base/log.h"
#include "conf/command_line.h"
#include "conf/loader.h"
#include "relay/daemon.h"

namespace {

int complain(const sealpost::Error& error) {
  std::cerr << "sealpostd: " << error.public_text << '\n';
  return EX_CONFIG;
}

}  // namespace

int main(int argc, char** argv) {
  // Large blocks (messages on their way) go back to the system as soon as they are freed. Left alone, glibc raises this
  // threshold up to 32 MiB with the blocks that it sees, and every thread's arena would keep what the largest messages
  // once took. Setting it freezes the other threshold at 128 KiB, too: then each buffer of a mail of 1 MB would be
  // given back and faulted in again, a sixth of its CPU time. An arena may keep a few of them.
  mallopt(M_MMAP_THRESHOLD, 2 * 1024 * 1024);
  mallopt(M_TRIM_THRESHOLD, 8 * 1024 * 1024);
  auto command_line = sealpost::parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
  if (!command_line) return complain(command_line.error());
  if (command_line->help) {
    std::cout << sealpost::daemon_help();
    return EX_OK;
  }
  if (command_line->version) {
    std::cout << "sealpostd " SEALPOST_VERSION "\n";
    return EX_OK;
  }
  auto loaded = sealpost::load_settings(
      {sealpost::settings_file(command_line->config), command_line->settings, sealpost::process_environment()});
  if (!loaded) return complain(loaded.error());
  if (command_line->print_config) {
    std::cout << sealpost::print_settings(*loaded);
    return EX_OK;
  }
  const sealpost::SystemClock clock;
  sealpost::Log log(loaded->settings.log.level, loaded->settings.log.format, clock);
  return sealpost::run_daemon(*loaded, log);
}
