// SPDX-License-Identifier: Apache-2.0
// Implements store_rewrite.h.
#include "crypto/store_rewrite.h"

#include <utility>
#include <vector>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "directory_scripts.h"

namespace sealpost {
namespace {

const redis::Script& unmark_script() {
  static const redis::Script script("unmark_rewrite", std::string(scripts::unmark_rewrite_lua));
  return script;
}

/// What INFO says of something; empty when nothing.
std::string_view told(std::string_view info, std::string_view name) {
  const std::string mark = "\n" + std::string(name) + ":";
  const auto at = info.find(mark);
  if (at == std::string_view::npos) return {};
  const auto value = info.substr(at + mark.size());
  return value.substr(0, value.find('\r'));
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

Result<StoreRewrite::Told> StoreRewrite::ask() {
  auto replies = redis_.pipeline({{"INFO", "server"}, {"INFO", "persistence"}});
  if (!replies) return replies.error();
  const std::string_view info = (*replies)[1].text();
  Told now;
  now.idle = told(info, "aof_rewrite_in_progress") == "0" && told(info, "aof_rewrite_scheduled") == "0";
  now.ended_well = told(info, "aof_last_bgrewrite_status") == "ok";
  now.process = told((*replies)[0].text(), "run_id");
  now.rewrites = redis::to_number(told(info, "aof_rewrites"));
  return now;
}

/// One that runs already may have begun before the key was destroyed: it is waited for, and another begun.
Status StoreRewrite::begin(Marks marks, Time now) {
  auto before = ask();
  if (!before) return before.error();
  if (!before->idle) return {};
  began_ = now;
  auto begun = redis_.command({"BGREWRITEAOF"});
  if (!begun) return begun.error();
  covered_ = std::move(marks);
  before_ = std::move(*before);
  log_.info("store.rewrite_begun");
  return {};
}

Status StoreRewrite::look() {
  auto now = ask();
  if (!now) return now.error();
  if (!now->idle) return {};
  const Marks done = std::exchange(covered_, {});
  // A Redis that was started anew knows nothing of what was begun, and calls it good.
  const bool ended = now->process == before_.process && now->rewrites > before_.rewrites;
  if (!ended || !now->ended_well) {
    return Error::temporary("Redis could not rewrite its files; it is asked again in ten minutes");
  }
  for (const auto& [key, count] : done) {
    if (auto unmarked = redis_.run(unmark_script(), {key}, {count}); !unmarked) return unmarked.error();
  }
  log_.info("store.rewritten");
  return {};
}

}  // namespace sealpost
