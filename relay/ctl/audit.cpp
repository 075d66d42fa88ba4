// SPDX-License-Identifier: Apache-2.0
// sealpostctl audit list|verify.
#include <algorithm>
#include <fstream>
#include <ostream>
#include <set>

#include "base/audit_trail.h"
#include "crypto/directory_entry.h"
#include "relay/ctl/command.h"
#include "relay/ctl/logged_heads.h"
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
    if (!read->faults.empty()) return Error::permanent(read->faults.front().text);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const AuditEntry& a, const AuditEntry& b) { return a.event.time < b.event.time; });
  if (all.size() > limit) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(limit));
  return all;
}

int list_audit(Context& context, const Options& options) {
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

Result<LoggedHeads> heads_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error::invalid("cannot be read: " + path);
  auto heads = read_logged_heads(file);
  if (heads.certain.empty()) return Error::invalid("no line of " + path + " names the head of an audit trail");
  return heads;
}

/// What a look at all chains found.
struct Verdict {
  std::uint64_t entries = 0;
  std::size_t logged = 0;  ///< heads of the log that were found in their place
  std::vector<std::string> faults;
};

std::string text_of(const AuditPlace& place) {
  return "shard " + std::to_string(place.first) + ", entry " + std::to_string(place.second) + ": ";
}

/// Compares entries with what the log says stood there.
class Comparison final {
 public:
  explicit Comparison(LoggedHeads logged) : logged_(std::move(logged)) {}

  void see(const AuditEntry& entry, Verdict& verdict) {
    const AuditPlace place{entry.shard, entry.sequence};
    const auto doubtful = logged_.uncertain.find(place);
    const bool expected = doubtful != logged_.uncertain.end() && doubtful->second.contains(entry.mac);
    const auto known = logged_.certain.find(place);
    if (known == logged_.certain.end()) {
      verdict.logged += expected ? 1 : 0;
      return;
    }
    const bool fits = known->second.size() == 1 && known->second.contains(entry.mac);
    if (known->second.size() > 1) {
      verdict.faults.push_back(text_of(place) +
                               "was logged in different forms: the trail was cut short and grew again");
    } else if (!fits) {
      verdict.faults.push_back(text_of(place) + "is not the one that was logged");
    }
    verdict.logged += fits ? 1 : 0;
    logged_.certain.erase(known);
  }
  /// What was not seen, but for entries whose fault has been told.
  void see_rest(const std::set<std::string>& faulty, Verdict& verdict) const {
    for (const auto& [place, heads] : logged_.certain) {
      const bool told =
          std::any_of(heads.begin(), heads.end(), [&](const auto& head) { return faulty.contains(head); });
      if (!told) verdict.faults.push_back(text_of(place) + "was logged and is missing");
    }
  }

 private:
  LoggedHeads logged_;
};

Result<Verdict> verify_all(Context& context, LoggedHeads logged) {
  Verdict verdict;
  Comparison comparison(std::move(logged));
  std::set<std::string> faulty;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    auto chain =
        context.services.audit().verify(shard, [&](const AuditEntry& entry) { comparison.see(entry, verdict); });
    if (!chain) return chain.error();
    verdict.entries += chain->head.sequence;
    for (auto& [text, mac] : chain->faults) {
      verdict.faults.push_back(std::move(text));
      faulty.insert(std::move(mac));
    }
  }
  comparison.see_rest(faulty, verdict);
  return verdict;
}

int verify_audit(Context& context, const Options& options) {
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
           list_audit},
          {"audit verify",
           "",
           "whether the audit trail is whole; exit 1 when it is not",
           {},
           [](po::options_description& options) {
             options.add_options()("log", po::value<std::string>(),
                                   "a log of sealpostd, whose heads must stand in the trail");
           },
           verify_audit}};
}

}  // namespace sealpost::ctl
