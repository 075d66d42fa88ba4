// SPDX-License-Identifier: Apache-2.0
// Implements store_rewrite.h.
#include "crypto/store_rewrite.h"

#include <utility>
#include <vector>

#include "base/message_id.h"
#include "directory_scripts.h"

namespace sealpost {
namespace {

const redis::Script& unmark_script() {
  static const redis::Script script("unmark_rewrite", std::string(scripts::unmark_rewrite_lua));
  return script;
}

/// A line of INFO says so.
bool says(std::string_view info, std::string_view line) {
  return info.find("\n" + std::string(line) + "\r") != std::string_view::npos;
}

}  // namespace

Result<StoreRewrite::Marks> StoreRewrite::marks() {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"GET", "keys:{" + std::to_string(shard) + "}:rewrite"});
  }
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  Marks found;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    if (!(*replies)[shard].is_nil()) found.emplace(commands[shard][1], (*replies)[shard].text());
  }
  return found;
}

Status StoreRewrite::serve() {
  if (!covered_.empty()) return look();
  const Time now = clock_.now();
  // A clock that was set back must not put it off.
  if (now >= began_ && now < began_ + pause) return {};
  auto asked = marks();
  if (!asked) return asked.error();
  return asked->empty() ? Status() : begin(std::move(*asked), now);
}

/// One that runs already may have begun before the key was destroyed: it is waited for, and another begun.
Status StoreRewrite::begin(Marks marks, Time now) {
  auto info = redis_.command({"INFO", "persistence"});
  if (!info) return info.error();
  const bool idle = says(info->text(), "aof_rewrite_in_progress:0") && says(info->text(), "aof_rewrite_scheduled:0");
  if (!idle) return {};
  began_ = now;
  auto begun = redis_.command({"BGREWRITEAOF"});
  if (!begun) return begun.error();
  covered_ = std::move(marks);
  log_.info("store.rewrite_begun");
  return {};
}

Status StoreRewrite::look() {
  auto info = redis_.command({"INFO", "persistence"});
  if (!info) return info.error();
  const std::string_view text = info->text();
  if (!says(text, "aof_rewrite_in_progress:0") || !says(text, "aof_rewrite_scheduled:0")) return {};
  const Marks done = std::exchange(covered_, {});
  if (!says(text, "aof_last_bgrewrite_status:ok")) {
    return Error::temporary("Redis could not rewrite its files; it is asked again in ten minutes");
  }
  for (const auto& [key, count] : done) {
    if (auto unmarked = redis_.run(unmark_script(), {key}, {count}); !unmarked) return unmarked.error();
  }
  log_.info("store.rewritten");
  return {};
}

}  // namespace sealpost
