// SPDX-License-Identifier: Apache-2.0
// sealpostctl: the operator's tool. All of it stands in relay/ctl/.
#include <iostream>

#include "relay/ctl/command.h"

int main(int argc, char** argv) {
  return sealpost::ctl::run_ctl(std::vector<std::string>(argv + 1, argv + argc), std::cin, std::cout, std::cerr);
}
