// SPDX-License-Identifier: Apache-2.0
// sealpostctl audit list|verify.
#include <algorithm>
#include <fstream>
#include <map>
#include <ostream>
#include <set>

#include "base/audit_trail.h"
#include "crypto/directory_entry.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

Poco::JSON::Object to_json(const AuditEntry& entry) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("time", to_rfc3339(entry.event.time));
  object.set("actor", entry.event.actor);
  object.set("action", entry.event.action);
  object.set("subject", entry.event.subject);
  object.set("detail", entry.event.detail);
  object.set("shard", entry.shard);
  object.set("sequence", entry.sequence);
  object.set("mac", entry.mac);
  return object;
}

/// The latest of all shards, or those of one subject, oldest first.
Result<std::vector<AuditEntry>> latest(Context& context, std::size_t limit, const std::string& subject) {
  std::vector<AuditEntry> all;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    if (!subject.empty() && shard != directory_shard(subject)) continue;
    if (subject.empty()) {
      auto entries = context.services.audit().latest(shard, limit);
      if (!entries) return entries.error();
      std::move(entries->begin(), entries->end(), std::back_inserter(all));
      continue;
    }
    auto read = context.services.audit().verify(shard, [&](const AuditEntry& entry) {
      if (entry.event.subject == subject) all.push_back(entry);
    });
    if (!read) return read.error();
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const AuditEntry& a, const AuditEntry& b) { return a.event.time < b.event.time; });
  if (all.size() > limit) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(limit));
  return all;
}

int list(Context& context, const Options& options) {
  std::string subject;
  if (options.count("address") > 0) {
    auto address = EmailAddress::parse(options["address"].as<std::string>());
    if (!address) return fail(context, address.error());
    subject = address->directory_key();
  }
  auto entries = latest(context, options["limit"].as<std::size_t>(), subject);
  if (!entries) return fail(context, entries.error());
  if (context.json) {
    Poco::JSON::Array rows;
    for (const auto& entry : *entries) rows.add(to_json(entry));
    print_json(context.out, rows);
    return EX_OK;
  }
  for (const auto& entry : *entries) {
    const AuditEvent& event = entry.event;
    context.out << printable(to_rfc3339(event.time) + "  " + event.action + "  " + event.subject + "  by " +
                             event.actor + "  " + event.detail)
                << '\n';
  }
  return EX_OK;
}

/// A head as the log names it.
using LoggedHeads = std::map<std::pair<unsigned, std::uint64_t>, std::string>;

/// The value of a field of a log line, text or JSON.
std::string field_of(const std::string& line, const std::string& name) {
  for (const std::string& mark : {name + "=", "\"" + name + "\":"}) {
    auto at = line.find(mark);
    while (at != std::string::npos && at > 0 && line[at - 1] != ' ' && line[at - 1] != ',' && line[at - 1] != '{') {
      at = line.find(mark, at + 1);
    }
    if (at == std::string::npos) continue;
    auto begin = at + mark.size();
    if (begin < line.size() && line[begin] == '"') ++begin;
    return line.substr(begin, line.find_first_of("\", }", begin) - begin);
  }
  return {};
}

Result<LoggedHeads> heads_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error::invalid("cannot be read: " + path);
  LoggedHeads heads;
  for (std::string line; std::getline(file, line);) {
    const std::string head = field_of(line, "head");
    const std::string shard = field_of(line, "shard");
    const std::string sequence = field_of(line, "sequence");
    const auto digits = [](const std::string& text) {
      return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
    };
    if (head.size() != 64 || !digits(shard) || !digits(sequence)) continue;
    heads[{static_cast<unsigned>(std::stoul(shard)), std::stoull(sequence)}] = head;
  }
  if (heads.empty()) return Error::invalid("no line of " + path + " names the head of an audit trail");
  return heads;
}

/// What a look at all chains found.
struct Verdict {
  std::uint64_t entries = 0;
  std::size_t logged = 0;  ///< heads of the log that were found in their place
  std::vector<std::string> faults;
};

Result<Verdict> verify_all(Context& context, LoggedHeads logged) {
  Verdict verdict;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    auto head = context.services.audit().verify(shard, [&](const AuditEntry& entry) {
      const auto known = logged.find({shard, entry.sequence});
      if (known == logged.end()) return;
      if (known->second == entry.mac) {
        ++verdict.logged;
      } else {
        verdict.faults.push_back("shard " + std::to_string(shard) + ", entry " + std::to_string(entry.sequence) +
                                 ": is not the one that was logged");
      }
      logged.erase(known);
    });
    if (!head && head.error().kind != ErrorKind::Permanent) return head.error();
    if (head) {
      verdict.entries += head->sequence;
    } else {
      verdict.faults.push_back(head.error().public_text);
    }
  }
  for (const auto& [place, head] : logged) {
    verdict.faults.push_back("shard " + std::to_string(place.first) + ", entry " + std::to_string(place.second) +
                             ": was logged and is missing");
  }
  return verdict;
}

int verify(Context& context, const Options& options) {
  LoggedHeads logged;
  if (options.count("log") > 0) {
    auto heads = heads_in(options["log"].as<std::string>());
    if (!heads) return fail(context, heads.error());
    logged = std::move(*heads);
  }
  auto verdict = verify_all(context, std::move(logged));
  if (!verdict) return fail(context, verdict.error());
  if (context.json) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    object.set("entries", verdict->entries);
    object.set("logged_heads_found", verdict->logged);
    Poco::JSON::Array faults;
    for (const auto& fault : verdict->faults) faults.add(fault);
    object.set("faults", faults);
    print_json(context.out, object);
  } else {
    for (const auto& fault : verdict->faults) context.out << printable(fault) << '\n';
    context.out << verdict->entries << " entries, " << verdict->logged << " of them logged as heads, "
                << verdict->faults.size() << " faults\n";
  }
  return verdict->faults.empty() ? EX_OK : 1;
}

}  // namespace

std::vector<Subcommand> audit_commands() {
  return {{"audit list",
           "",
           "the latest changes to keys, and who made them",
           {},
           [](po::options_description& options) {
             options.add_options()("address", po::value<std::string>(), "those of one address")(
                 "limit", po::value<std::size_t>()->default_value(100), "at most so many");
           },
           list},
          {"audit verify",
           "",
           "whether the audit trail is whole; exit 1 when it is not",
           {},
           [](po::options_description& options) {
             options.add_options()("log", po::value<std::string>(),
                                   "a log of sealpostd, whose heads must stand in the trail");
           },
           verify}};
}

}  // namespace sealpost::ctl
