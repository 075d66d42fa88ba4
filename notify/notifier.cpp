// SPDX-License-Identifier: Apache-2.0
// Implements notifier.h.
#include "notify/notifier.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/guarded.h"
#include "conf/recipient_domains.h"
#include "notify/codes.h"

namespace sealpost {
namespace {

/// Rows that another node took and did not settle fall due by time, not by a kick.
constexpr std::chrono::seconds poll_interval{5};
constexpr std::size_t rows_at_once = 16;
/// Requests for new codes that are served before the outbox is looked at again.
constexpr std::size_t resends_at_once = 16;

}  // namespace

/// One notification to make.
struct Notifier::Issue {
  EmailAddress recipient;
  std::string fingerprint;
  NotificationCause cause;
  std::string sender;
  std::string once;
  bool can_attach = true;                 ///< the server holds the private key
  std::string row_id = {};                ///< of the outbox; empty for what was asked for on the page
  std::vector<std::string> senders = {};  ///< of the codes before (notify.code_to)
};

Notifier::Notifier(KeyDirectory& directory, PickupStore& store, MailQueue& queue, Wrapper& wrapper, const Clock& clock,
                   Random& random, Log& log, NotifierOptions options, std::function<void()> queued,
                   std::function<Status()> upkeep)
    : directory_(directory),
      store_(store),
      wrapper_(wrapper),
      clock_(clock),
      random_(random),
      log_(log),
      options_(std::move(options)),
      notices_(queue, wrapper, clock, options_.destination, std::move(queued)),
      upkeep_(std::move(upkeep)) {}

Notifier::~Notifier() { stop(); }

void Notifier::start() {
  thread_ = std::thread([this] { run(); });
}

void Notifier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Notifier::kick() {
  {
    const std::lock_guard lock(mutex_);
    kicked_ = true;
  }
  wake_.notify_all();
}

void Notifier::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    kicked_ = false;
    lock.unlock();
    guarded(log_, "notifier.round_failed", [this] {
      if (auto served = serve_outbox(); !served) log_.failure("notifier.outbox_failed", served.error());
      serve_resends();
      if (auto kept = upkeep_(); !kept) log_.failure("notifier.upkeep_failed", kept.error());
    });
    lock.lock();
    wake_.wait_for(lock, poll_interval, [this] { return stopping_ || kicked_ || !resends_.empty(); });
  }
}

Result<std::size_t> Notifier::serve_outbox() {
  std::size_t count = 0;
  while (true) {
    auto rows = directory_.claim_outbox(rows_at_once);
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      if (auto served = serve(row); !served) {
        log_.failure("notifier.row_failed", served.error(), {{"address", row.address}});  // due again in a minute
        continue;
      }
      ++count;
    }
    if (rows->size() < rows_at_once) return count;
  }
}

Status Notifier::serve(const OutboxRow& row) {
  auto recipient = EmailAddress::parse(row.address);
  if (!recipient) return recipient.error();
  auto pairs = directory_.history(recipient->directory_key());
  if (!pairs) return pairs.error();
  // Forgotten meanwhile, behind an earlier link: there is nothing left to announce.
  const bool there = std::any_of(pairs->begin(), pairs->end(), [&](const KeyRecord& pair) {
    return pair.fingerprint == row.fingerprint && pair.available;
  });
  if (!there) return directory_.settle_outbox(row);
  const std::string& sender = row.introduction.sender;
  const auto cause = sender.empty() ? NotificationCause::KeyRequest : NotificationCause::Mail;
  const Issue order{*recipient, row.fingerprint, cause, sender, "notification:" + row.row_id, true, row.row_id};
  if (auto put = issue(order); !put) return put.error();
  return directory_.settle_outbox(row);
}

Result<PickupLink> Notifier::link_for(const Issue& order) {
  PickupLink link;
  link.address = order.recipient.directory_key();
  link.recipient = order.recipient.text();
  link.fingerprint = order.fingerprint;
  link.issued = clock_.now();
  link.expires = link.issued + options_.settings.code_lifetime;
  if (code_is_for_sender()) {
    auto senders = senders_for(order);
    if (!senders) return senders.error();
    link.senders = std::move(*senders);
  }
  return link;
}

Result<std::optional<WipedBuffer>> Notifier::attachment_for(const Issue& order, const Secret& token, PickupLink& link) {
  const auto mode = domain_of(options_.domains, order.recipient).mode.value_or(options_.settings.mode);
  if (mode != NotifyMode::Attach || !order.can_attach) return std::optional<WipedBuffer>();
  auto file = directory_.export_pkcs12(link.address, order.fingerprint, Pkcs12Format::Compatible, std::nullopt);
  if (!file) return file.error();
  auto wrapped = store_.wrap_attached(token, file->password);
  if (!wrapped) return wrapped.error();
  link.attached_secret = std::move(*wrapped);
  return std::optional(std::move(file->octets));
}

Result<Secret> Notifier::issue(const Issue& order) {
  const Secret token = make_token(random_);
  // Of a row the one that the sender was answered with, however often it is served.
  const bool derived = code_is_for_sender() && !order.row_id.empty();
  Secret code = derived ? sender_code(wrapper_, order.row_id) : make_code(random_);
  auto link = link_for(order);
  if (!link) return link.error();
  auto attached = attachment_for(order, token, *link);
  if (!attached) return attached.error();
  // The link must work before anybody can read of it.
  auto earlier = store_.add(token, code, *link);
  if (!earlier) return earlier.error();
  const std::string url = options_.public_url + "/pickup/" + std::string(token.reveal());
  auto notice =
      compose_notification(wording_for(order.recipient), options_.sender,
                           {order.recipient.text(), order.cause, order.sender, url,
                            code_is_for_sender() ? nullptr : &code, link->expires, *attached ? &**attached : nullptr},
                           options_.sign, clock_, random_);
  if (!notice) return notice.error();
  auto stored = notices_.put(*notice, order.recipient, order.once);
  if (!stored) return stored.error();
  // A crash came after an earlier put: that mail's link is the one that the recipient has, and nobody will ever see
  // ours.
  if (!*stored) {
    if (auto withdrawn = store_.withdraw(token, link->address, *earlier); !withdrawn) return withdrawn.error();
  }
  if (code_is_for_sender()) {
    if (auto told = tell_senders(order, *link, code); !told) return told.error();
  }
  return code;
}

Result<std::vector<std::string>> Notifier::senders_for(const Issue& order) {
  auto senders = order.senders;
  if (!order.row_id.empty()) {
    auto before = latest_link(order.recipient.directory_key());
    if (!before) return before.error();
    if (*before && (*before)->fingerprint == order.fingerprint) senders = (*before)->senders;
    std::erase(senders, order.sender);
    if (!order.sender.empty()) senders.push_back(order.sender);
  }
  if (senders.size() > max_link_senders) senders.erase(senders.begin(), senders.end() - max_link_senders);
  return senders;
}

/// Of a row its own sender. An account that asked the key server was answered, and is
/// nobody's address.
Status Notifier::tell_senders(const Issue& order, const PickupLink& link, const Secret& code) {
  if (order.row_id.empty()) {
    for (const auto& sender : link.senders) {
      if (auto told = tell_sender(order, sender, code, link.expires); !told) return told;
    }
    return {};
  }
  return order.sender.empty() ? Status() : tell_sender(order, order.sender, code, link.expires);
}

Status Notifier::tell_sender(const Issue& order, const std::string& sender, const Secret& code, Time expires) {
  auto address = EmailAddress::parse(sender);
  if (!address) return address.error();
  const bool asked_for = order.cause == NotificationCause::NewCode;
  auto notice =
      compose_sender_code(wording_for(*address), options_.sender,
                          {sender, order.recipient.text(), asked_for, code, expires}, options_.sign, clock_, random_);
  if (!notice) return notice.error();
  auto done = notices_.put(*notice, *address, "code:" + order.once + " to " + sender);
  return done ? Status() : Status(done.error());
}

Result<std::optional<PickupLink>> Notifier::latest_link(const std::string& address) {
  auto latest = store_.latest(address);
  if (latest || latest.error().kind != ErrorKind::Permanent) return latest;
  log_.error("pickup.link_altered", {{"address", address}, {"reason", latest.error().internal_detail}});
  return std::optional<PickupLink>();
}

Status Notifier::remind(const KeyRecord& key, const EmailAddress& address, const Introduction& introduction) {
  if (code_is_for_sender() && !introduction.sender.empty()) {
    if (auto remembered = store_.remember_sender(key.address, introduction.sender); !remembered) return remembered;
  }
  // Nobody needs a code to read what is sealed to a certificate of their own.
  if (key.picked_up || key.own) return {};
  auto needed = wants_reminder(key);
  if (!needed) return needed.error();
  if (!*needed) return {};
  auto released = directory_.release_waiting(address);
  if (!released) return released.error();
  if (!*released) {
    // None waits: it may have been served since the look above, and then its link is there by now.
    needed = wants_reminder(key);
    if (!needed) return needed.error();
    if (!*needed) return {};
    auto ordered = directory_.order_notification(address, introduction);
    if (!ordered) return ordered.error();
    released = std::optional(*ordered);
  }
  if (**released) kick();
  return {};
}

/// Without a link of this pair its first notification waits (the order releases it then), was cancelled with the
/// message that it was for, or is so long ago that the link was forgotten.
Result<bool> Notifier::wants_reminder(const KeyRecord& key) {
  auto latest = latest_link(key.address);
  if (!latest) return latest.error();
  if (state_of(*latest, key.fingerprint, clock_.now()) != LinkState::Works) return true;
  return store_.failed(key.address);
}

void Notifier::resend(const EmailAddress& address, const std::string& client_network) {
  {
    const std::lock_guard lock(mutex_);
    if (!resends_.add(address, client_network)) {
      // The recipient asks again later.
      const auto dropped = dropped_resends_.count(clock_.now());
      if (dropped) log_.warning("notifier.resends_dropped", {{"count", *dropped}});
      return;
    }
  }
  wake_.notify_all();
}

void Notifier::serve_resends() {
  std::unique_lock lock(mutex_);
  for (std::size_t served = 0; served < resends_at_once && !resends_.empty() && !stopping_; ++served) {
    const EmailAddress address = resends_.take();
    lock.unlock();
    const auto done = serve_resend(address);
    lock.lock();
    if (done) continue;
    const auto failed = failed_resends_.count(clock_.now());
    if (failed) log_.failure("notifier.resends_failed", done.error(), {{"count", *failed}});
  }
}

Status Notifier::serve_resend(const EmailAddress& address) {
  auto pairs = directory_.history(address.directory_key());
  if (!pairs) return pairs.error();
  if (pairs->empty()) return {};
  auto allowed = store_.take_resend(address.directory_key());
  if (!allowed) return allowed.error();
  if (!*allowed) return {};
  auto order = new_code_for(address, *pairs);
  if (!order) return order.error();
  if (code_is_for_sender() && order->senders.empty()) {
    return Error::not_found("no sender is known who could pass a code on");
  }
  auto issued = issue(*order);
  return issued ? Status() : Status(issued.error());
}

Result<std::optional<Notifier::SentCode>> Notifier::send_new_code(const EmailAddress& address) {
  auto pairs = directory_.history(address.directory_key());
  if (!pairs) return pairs.error();
  if (pairs->empty()) return std::optional<SentCode>();
  auto order = new_code_for(address, *pairs);
  if (!order) return order.error();
  auto code = issue(*order);
  if (!code) return code.error();
  SentCode sent{order->recipient.text(), std::move(order->senders), std::nullopt};
  if (code_is_for_sender() && sent.senders.empty()) sent.code = std::move(*code);
  return std::optional(std::move(sent));
}

/// The mail goes to the spelling that was stored, never to the one that somebody typed into a form. Earlier pairs
/// count: one that expired still opens the mail that was sealed to it. Where no private key is left, there may be a
/// certificate to set all the same.
Result<Notifier::Issue> Notifier::new_code_for(const EmailAddress& address, const std::vector<KeyRecord>& pairs) {
  auto pair = std::find_if(pairs.begin(), pairs.end(), [](const KeyRecord& record) { return record.available; });
  const bool attach = pair != pairs.end();
  if (!attach) pair = pairs.begin();
  auto latest = latest_link(address.directory_key());
  if (!latest) return latest.error();
  auto stored = EmailAddress::parse(*latest ? (*latest)->recipient : address.directory_key());
  if (!stored) return stored.error();
  auto senders = *latest ? (*latest)->senders : std::vector<std::string>();
  if (code_is_for_sender() && senders.empty()) {
    auto remembered = store_.senders(address.directory_key());
    if (!remembered) return remembered.error();
    senders = std::move(*remembered);
  }
  return Issue{
      *stored, pair->fingerprint, NotificationCause::NewCode, {}, "resend:" + to_hex(random_.octets(16)), attach, {},
      senders};
}

Status Notifier::tell(const KeyNews& news) {
  auto address = EmailAddress::parse(news.recipient);
  if (!address) return address.error();
  auto notice = compose_key_news(wording_for(*address), options_.sender, news, options_.sign, clock_, random_);
  if (!notice) return notice.error();
  auto done = notices_.put(*notice, *address, news.once);
  return done ? Status() : Status(done.error());
}

Status Notifier::send_code(const CodeForCertificate& code) {
  auto address = EmailAddress::parse(code.recipient);
  if (!address) return address.error();
  const std::string link = options_.public_url + "/pickup/" + code.token + "/certificate/confirm";
  const auto cipher = domain_of(options_.domains, *address).content_cipher.value_or(options_.cipher);
  auto notice = compose_certificate_code(wording_for(*address), options_.sender, code, link, cipher, options_.sign,
                                         clock_, random_);
  if (!notice) return notice.error();
  auto done = notices_.put(*notice, *address, "certificate_code:" + to_hex(random_.octets(16)));
  return done ? Status() : Status(done.error());
}

Result<Receipt> Notifier::send_receipt(const DestroyedKey& destroyed) {
  auto address = EmailAddress::parse(destroyed.recipient);
  if (!address) return address.error();
  auto receipt = compose_receipt(wording_for(*address), options_.sender, destroyed, options_.sign, clock_, random_);
  if (!receipt) return receipt.error();
  auto put = notices_.put(Notice(Notice::Kind::KeyEvent, receipt->message), *address, destroyed.once);
  if (!put) return put.error();
  return receipt;
}

void Notifier::sent(const std::string& recipient, bool arrived) {
  auto address = EmailAddress::parse(recipient);
  if (!address) return log_.failure("notifier.not_marked", address.error());
  auto marked = arrived ? mark_sent(address->directory_key()) : store_.mark_failed(address->directory_key());
  if (!marked) log_.failure("notifier.not_marked", marked.error());
}

Wording Notifier::wording_for(const EmailAddress& recipient) const {
  const std::string& language = domain_of(options_.domains, recipient).language;
  return options_.templates.in(language.empty() ? options_.settings.language : language);
}

Status Notifier::mark_sent(const std::string& address) {
  auto link = store_.latest(address);
  if (!link) return link.error();
  return *link ? store_.mark_sent(address, (*link)->fingerprint, clock_.now()) : Status();
}

}  // namespace sealpost
