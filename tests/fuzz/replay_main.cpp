// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of a corpus folder: REPLAY FOLDER. Stands in for libFuzzer's own main where there
// is none.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int replay(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> inputs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) inputs.push_back(entry.path());
  }
  std::sort(inputs.begin(), inputs.end());
  for (const auto& input : inputs) {
    std::fprintf(stderr, "%s\n", input.filename().c_str());  // the last one named is the one that fails
    std::ifstream stream(input, std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(stream), {}};
    if (stream.bad()) return 1;
    // A copy of exactly that size, so that the address sanitizer sees a read behind the end.
    const std::vector<std::uint8_t> exact(octets.begin(), octets.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
  }
  std::fprintf(stderr, "%zu inputs\n", inputs.size());
  return inputs.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 64;
  }
  try {
    return replay(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
