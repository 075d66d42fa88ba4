// SPDX-License-Identifier: Apache-2.0
// Implements pickup_store.h. Keys and fields: docs/redis.md, "Pickup".
#include "notify/pickup_store.h"

#include "base/encoding.h"
#include "base/redis/number.h"
#include "pickup_scripts.h"

namespace sealpost {
namespace {

const redis::Script& right_code_script() {
  static const redis::Script script("pickup_right_code", std::string(scripts::right_code_lua));
  return script;
}
const redis::Script& resend_script() {
  static const redis::Script script("pickup_resend", std::string(scripts::resend_lua));
  return script;
}
const redis::Script& withdraw_script() {
  static const redis::Script script("pickup_withdraw", std::string(scripts::withdraw_lua));
  return script;
}
const redis::Script& drop_attached_script() {
  static const redis::Script script("pickup_drop_attached", std::string(scripts::drop_attached_lua));
  return script;
}

/// How long a code still works after its first use.
constexpr auto works_after_first_use = std::chrono::hours(24);
/// A link is remembered this long after it has expired, so that its page can say so.
constexpr auto remembered_after_expiry = std::chrono::hours(24 * 90);

/// Whoever wrote to an address is remembered this long.
constexpr auto sender_lifetime = std::chrono::hours(24 * 120);

std::string link_key(const std::string& id) { return "pickup:" + pickup_shard_tag(id) + ":link:" + id; }

Error altered_link(std::string detail) { return Error::permanent("this link cannot be used", std::move(detail)); }

/// No address holds a line end.
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view name_of(PickupStore::FileKind kind) { return kind == PickupStore::FileKind::Key ? "file" : "receipt"; }

/// "FINGERPRINT NAME", as a pair's files and links are noted.
std::string noted(std::string_view fingerprint, std::string_view name) {
  std::string member(fingerprint);
  member += ' ';
  member += name;
  return member;
}

/// Of such members the names that belong to a pair.
std::vector<std::string> names_of(const redis::Reply& members, const std::string& fingerprint) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto member = members[i].text();
    if (member.starts_with(noted(fingerprint, {}))) names.emplace_back(member.substr(fingerprint.size() + 1));
  }
  return names;
}

/// Commands that remember a name until `forget`, and what was remembered before as long as it was to be.
std::vector<redis::Command> remember(const std::string& set, const std::string& member, Time forget) {
  const std::string when = std::to_string(to_milliseconds(forget));
  return {{"SADD", set, member}, {"PEXPIREAT", set, when, "NX"}, {"PEXPIREAT", set, when, "GT"}};
}

Status done(const Result<redis::Reply>& reply) { return reply ? Status() : Status(reply.error()); }

}  // namespace

bool is_over(const PickupLink& link, Time now) {
  return link.ended || now >= link.expires || (link.first_used && now >= *link.first_used + works_after_first_use);
}

LinkState state_of(const std::optional<PickupLink>& latest, std::string_view fingerprint, Time now) {
  if (!latest || latest->fingerprint != fingerprint) return LinkState::None;
  if (latest->attempts >= max_code_attempts) return LinkState::Locked;
  return is_over(*latest, now) ? LinkState::Over : LinkState::Works;
}

std::string PickupStore::link_id(std::string_view token) const {
  return to_hex(wrapper_.mac(Purpose::PickupToken, token));
}

std::string PickupStore::code_mac(const PickupLink& link, const Secret& code) const {
  WipedBuffer bound;
  append(bound, link.id);
  bound.push_back('\0');
  append(bound, link.address);
  bound.push_back('\0');
  append(bound, code.reveal());
  return wrapper_.mac(Purpose::PickupCode, view(bound));
}

/// Each field with its length before it, so that no two links are the same text. What counts attempts and visits
/// changes, and is not covered.
std::string PickupStore::link_mac(const PickupLink& link) const {
  const std::string expires = std::to_string(to_milliseconds(link.expires));
  std::vector<std::string_view> fields = {link.id,          link.address, link.recipient,
                                          link.fingerprint, expires,      link.attached_secret};
  // Links of earlier versions do not say it.
  const std::string issued = std::to_string(to_milliseconds(link.issued));
  if (link.issued != Time{}) fields.push_back(issued);
  const std::string senders = joined(link.senders);
  if (!senders.empty()) fields.push_back(senders);
  std::string text;
  for (const auto field : fields) text.append(std::to_string(field.size())).append(1, ':').append(field);
  return wrapper_.mac(Purpose::PickupLink, text);
}

/// Told apart from a link's by its first word, which no id is.
std::string PickupStore::senders_mac(const std::string& address, std::string_view lines) const {
  return wrapper_.mac(Purpose::PickupLink, "senders " + address + '\n' + std::string(lines));
}

std::string PickupStore::session_key(const PickupLink& link, std::string_view session, std::string_view kind) const {
  WipedBuffer bound;
  append(bound, link.id);
  bound.push_back('\0');
  append(bound, link.address);
  bound.push_back('\0');
  append(bound, session);
  return "pickup:" + pickup_shard_tag(link.id) + ":" + std::string(kind) + ":" +
         to_hex(wrapper_.mac(Purpose::PickupSession, view(bound)));
}

Result<std::string> PickupStore::add(const Secret& token, const Secret& code, const PickupLink& link) {
  PickupLink stored = link;
  stored.id = link_id(token.reveal());
  const std::string key = link_key(stored.id);
  const auto forget = to_milliseconds(stored.expires + remembered_after_expiry);
  if (!stored.attached_secret.empty()) {
    auto kept = redis_.pipeline(remember(address_key(stored.address, "attached"), noted(stored.fingerprint, stored.id),
                                         stored.expires + remembered_after_expiry));
    if (!kept) return kept.error();
  }
  auto replies =
      redis_.pipeline({{"HSET",        key,
                        "address",     stored.address,
                        "recipient",   stored.recipient,
                        "fingerprint", stored.fingerprint,
                        "code",        code_mac(stored, code),
                        "issued",      std::to_string(to_milliseconds(stored.issued)),
                        "expires",     std::to_string(to_milliseconds(stored.expires)),
                        "attempts",    "0",
                        "attached",    stored.attached_secret,
                        "senders",     joined(stored.senders),
                        "mac",         link_mac(stored)},
                       {"PEXPIREAT", key, std::to_string(forget)},
                       {"SET", address_key(stored.address, "latest"), stored.id, "PXAT", std::to_string(forget), "GET"},
                       {"DEL", address_key(stored.address, "failed")}});
  if (!replies) return replies.error();
  const auto& earlier = (*replies)[2];
  return earlier.is_nil() ? std::string() : std::string(earlier.text());
}

Status PickupStore::withdraw(const Secret& token, const std::string& address, const std::string& earlier) {
  const std::string id = link_id(token.reveal());
  std::string forgotten = "0";
  if (!earlier.empty()) {
    auto time = redis_.command({"PEXPIRETIME", link_key(earlier)});
    if (!time) return time.error();
    if (time->integer() > 0) forgotten = std::to_string(time->integer());
  }
  const bool there = forgotten != "0";
  auto restored =
      redis_.run(withdraw_script(), {address_key(address, "latest")}, {id, there ? earlier : std::string(), forgotten});
  if (!restored) return restored.error();
  return done(redis_.command({"DEL", link_key(id)}));
}

Result<PickupLink> PickupStore::read(const std::string& id) {
  auto reply = redis_.command({"HMGET", link_key(id), "address", "recipient", "fingerprint", "expires", "first_used",
                               "attempts", "attached", "mac", "issued", "senders"});
  if (!reply) return reply.error();
  if (reply->size() != 10 || (*reply)[0].is_nil()) return Error::not_found("this link is not known");
  PickupLink link;
  link.id = id;
  link.address = (*reply)[0].text();
  link.recipient = (*reply)[1].text();
  link.fingerprint = (*reply)[2].text();
  link.expires = from_milliseconds(redis::to_number((*reply)[3].text()));
  if (!(*reply)[4].is_nil()) link.first_used = from_milliseconds(redis::to_number((*reply)[4].text()));
  link.attempts = static_cast<unsigned>(redis::to_number((*reply)[5].text()));
  link.attached_secret = (*reply)[6].text();
  if (!(*reply)[8].is_nil()) link.issued = from_milliseconds(redis::to_number((*reply)[8].text()));
  if (!(*reply)[9].is_nil()) link.senders = lines_of((*reply)[9].text());
  if (!equal_in_constant_time(link_mac(link), (*reply)[7].text())) {
    return altered_link("the MAC of link " + id + " does not fit");
  }
  auto ended = redis_.command({"GET", address_key(link.address, "ended")});
  if (!ended) return ended.error();
  link.ended = !ended->is_nil() && link.issued <= from_milliseconds(redis::to_number(ended->text()));
  return link;
}

Result<PickupLink> PickupStore::find(std::string_view token) { return read(link_id(token)); }

Result<PickupStore::Attempt> PickupStore::try_code(const PickupLink& link, const Secret& code, Time now) {
  const std::string key = link_key(link.id);
  auto counted = redis_.run(pickup_attempt_script(), {key}, {std::to_string(max_code_attempts)});
  if (!counted) return counted.error();
  if (counted->size() != 2) return Error::not_found("this link is not known");
  const auto used = static_cast<unsigned>((*counted)[0].integer());
  if (used > max_code_attempts) return Attempt{true, false, 0};
  if (!equal_in_constant_time(code_mac(link, code), (*counted)[1].text())) {
    return Attempt{false, false, max_code_attempts - used};
  }
  auto cleared = redis_.run(right_code_script(), {key}, {std::to_string(to_milliseconds(now))});
  if (!cleared) return cleared.error();
  if (cleared->integer() == 0) return Error::not_found("this link is not known");
  return Attempt{false, true, max_code_attempts};
}

Status PickupStore::add_session(const PickupLink& link, const Secret& session, Duration lifetime) {
  return done(redis_.command(
      {"SET", session_key(link, session.reveal(), "session"), "1", "PX", std::to_string(lifetime.count())}));
}

Result<bool> PickupStore::has_session(const PickupLink& link, std::string_view session) {
  auto reply = redis_.command({"EXISTS", session_key(link, session, "session")});
  if (!reply) return reply.error();
  return reply->integer() == 1;
}

Status PickupStore::end_visits(const std::string& address, Time now) {
  return done(redis_.command({"SET", address_key(address, "ended"), std::to_string(to_milliseconds(now))}));
}

/// Its name is remembered first: what is in the store can be found and removed.
Status PickupStore::add_file(const PickupLink& link, std::string_view session, FileKind kind, const File& file,
                             Duration lifetime) {
  const std::string key = session_key(link, session, name_of(kind));
  WipedBuffer text;
  append(text, file.fingerprint);
  text.push_back('\n');
  append(text, view(file.octets));
  auto wrapped = wrapper_.wrap(Purpose::PickupSession, key, view(text));
  if (!wrapped) return wrapped.error();
  if (!file.fingerprint.empty()) {
    const std::string names = address_key(link.address, "files");
    auto kept = redis_.pipeline(
        {{"SADD", names, noted(file.fingerprint, key)}, {"PEXPIRE", names, std::to_string(2 * lifetime.count())}});
    if (!kept) return kept.error();
  }
  return done(redis_.command({"SET", key, *wrapped, "PX", std::to_string(lifetime.count())}));
}

Result<PickupStore::File> PickupStore::file(const PickupLink& link, std::string_view session, FileKind kind) {
  const std::string key = session_key(link, session, name_of(kind));
  auto reply = redis_.command({"GET", key});
  if (!reply) return reply.error();
  const auto gone = [] { return Error::not_found("the file has gone; make it again"); };
  if (reply->is_nil()) return gone();
  auto text = wrapper_.unwrap(Purpose::PickupSession, key, reply->text());
  if (!text) return text.error();
  const auto end = view(*text).find('\n');
  if (end == std::string_view::npos) return gone();
  File file{std::string(view(*text).substr(0, end)), {}};
  append(file.octets, view(*text).substr(end + 1));
  return file;
}

Result<std::vector<std::string>> PickupStore::attached_links(const std::string& address,
                                                             const std::string& fingerprint) {
  auto members = redis_.command({"SMEMBERS", address_key(address, "attached")});
  if (!members) return members.error();
  return names_of(*members, fingerprint);
}

Result<bool> PickupStore::has_attached(const std::string& address, const std::string& fingerprint) {
  auto links = attached_links(address, fingerprint);
  if (!links) return links.error();
  return !links->empty();
}

Result<bool> PickupStore::drop_files(const std::string& address, const std::string& fingerprint) {
  const std::string set = address_key(address, "files");
  auto members = redis_.command({"SMEMBERS", set});
  if (!members) return members.error();
  bool any = false;
  for (const auto& name : names_of(*members, fingerprint)) {
    auto removed = redis_.command({"DEL", name});
    if (!removed) return removed.error();
    any = any || removed->integer() == 1;
    if (auto left = redis_.command({"SREM", set, noted(fingerprint, name)}); !left) return left.error();
  }
  return any;
}

/// A link that is gone, or was altered, keeps no password that anybody is told.
Result<bool> PickupStore::drop_attached(const std::string& id, const std::string& fingerprint) {
  auto link = read(id);
  if (!link && (link.error().kind == ErrorKind::NotFound || link.error().kind == ErrorKind::Permanent)) return false;
  if (!link) return link.error();
  if (link->attached_secret.empty() || link->fingerprint != fingerprint) return false;
  link->attached_secret.clear();
  auto dropped = redis_.run(drop_attached_script(), {link_key(id)}, {link_mac(*link)});
  if (!dropped) return dropped.error();
  return dropped->integer() == 1;
}

Result<bool> PickupStore::drop_copies(const std::string& address, const std::string& fingerprint) {
  auto any = drop_files(address, fingerprint);
  if (!any) return any.error();
  auto links = attached_links(address, fingerprint);
  if (!links) return links.error();
  for (const auto& id : *links) {
    auto dropped = drop_attached(id, fingerprint);
    if (!dropped) return dropped.error();
    any = *any || *dropped;
    auto left = redis_.command({"SREM", address_key(address, "attached"), noted(fingerprint, id)});
    if (!left) return left.error();
  }
  return any;
}

Result<std::optional<PickupLink>> PickupStore::latest(const std::string& address) {
  auto reply = redis_.command({"GET", address_key(address, "latest")});
  if (!reply) return reply.error();
  if (reply->is_nil()) return std::optional<PickupLink>();
  auto link = read(std::string(reply->text()));
  if (!link && link.error().kind == ErrorKind::NotFound) return std::optional<PickupLink>();
  if (!link) return link.error();
  // A genuine link, but somebody else's.
  if (link->address != address) return altered_link("the latest link of " + address + " is that of " + link->address);
  return std::optional<PickupLink>(std::move(*link));
}

Status PickupStore::mark_failed(const std::string& address) {
  return done(redis_.command({"SET", address_key(address, "failed"), "1", "EX", "2592000"}));
}

Result<bool> PickupStore::failed(const std::string& address) {
  auto reply = redis_.command({"EXISTS", address_key(address, "failed")});
  if (!reply) return reply.error();
  return reply->integer() == 1;
}

Status PickupStore::mark_sent(const std::string& address, const std::string& fingerprint, Time time) {
  const std::string seconds = std::to_string(std::chrono::seconds(remembered_after_expiry).count());
  return done(redis_.command(
      {"SET", address_key(address, "sent"), fingerprint + " " + std::to_string(to_milliseconds(time)), "EX", seconds}));
}

Result<std::vector<std::optional<PickupStore::Sent>>> PickupStore::sent(const std::vector<EmailAddress>& addresses) {
  std::vector<std::optional<Sent>> all(addresses.size());
  if (addresses.empty()) return all;
  std::vector<redis::Command> commands;
  commands.reserve(addresses.size());
  for (const auto& address : addresses) commands.push_back({"GET", address_key(address.directory_key(), "sent")});
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((*replies)[i].is_nil()) continue;
    const std::string_view value = (*replies)[i].text();
    const auto space = value.find(' ');
    if (space == std::string_view::npos) continue;
    all[i] = Sent{std::string(value.substr(0, space)), from_milliseconds(redis::to_number(value.substr(space + 1)))};
  }
  return all;
}

Result<std::vector<std::string>> PickupStore::senders(const std::string& address) {
  auto reply = redis_.command({"HMGET", address_key(address, "senders"), "senders", "mac"});
  if (!reply) return reply.error();
  if (reply->size() != 2 || (*reply)[0].is_nil() || (*reply)[1].is_nil()) return std::vector<std::string>();
  const std::string lines((*reply)[0].text());
  // Altered: nobody is told a code by what a stranger wrote.
  if (!equal_in_constant_time(senders_mac(address, lines), (*reply)[1].text())) return std::vector<std::string>();
  return lines_of(lines);
}

Status PickupStore::remember_sender(const std::string& address, const std::string& sender) {
  auto known = senders(address);
  if (!known) return known.error();
  std::erase(*known, sender);
  known->push_back(sender);
  if (known->size() > max_link_senders) known->erase(known->begin());
  const std::string key = address_key(address, "senders");
  const std::string lines = joined(*known);
  auto replies =
      redis_.pipeline({{"HSET", key, "senders", lines, "mac", senders_mac(address, lines)},
                       {"PEXPIRE", key, std::to_string(std::chrono::milliseconds(sender_lifetime).count())}});
  return replies ? Status() : Status(replies.error());
}

Result<bool> PickupStore::take_resend(const std::string& address) {
  auto reply = redis_.run(resend_script(), {address_key(address, "resend"), address_key(address, "resends")}, {});
  if (!reply) return reply.error();
  return reply->integer() == 1;
}

Result<std::string> PickupStore::wrap_attached(const Secret& token, const Secret& password) {
  return wrapper_.wrap(Purpose::PickupCode, link_id(token.reveal()), password.reveal());
}

Result<WipedBuffer> PickupStore::unwrap_attached(const PickupLink& link) {
  return wrapper_.unwrap(Purpose::PickupCode, link.id, link.attached_secret);
}

}  // namespace sealpost
