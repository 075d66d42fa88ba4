// SPDX-License-Identifier: Apache-2.0
// Implements operator_folder.h.
#include "notify/operator_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace sealpost {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 1024UL * 1024;
constexpr std::size_t most_files = 200;

Result<std::string> read(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed) return Error::invalid(path.string() + ": " + failed.message());
  if (size > largest_file) return Error::invalid(path.string() + ": larger than 1 MiB");
  std::ifstream file(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return Error::invalid(path.string() + ": cannot be read");
  return content;
}

}  // namespace

Result<NamedFiles> read_operator_folder(const std::string& path) {
  NamedFiles files;
  if (path.empty()) return files;
  std::error_code failed;
  auto entry = fs::recursive_directory_iterator(path, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    if (entry->is_directory(failed)) continue;
    if (files.size() == most_files) return Error::invalid(path + ": more than 200 files");
    auto content = read(entry->path());
    if (!content) return content.error();
    files.emplace(entry->path().lexically_relative(path).string(), *std::move(content));
  }
  if (failed) return Error::invalid(path + ": " + failed.message());
  return files;
}

}  // namespace sealpost
