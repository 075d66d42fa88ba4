// SPDX-License-Identifier: Apache-2.0
// Implements smtp_client.h.
#include "relay/delivery/smtp_client.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "relay/delivery/dot_stuffer.h"

namespace sealpost {
namespace {

/// The address for a server without SMTPUTF8: a domain in Unicode has an ASCII form, a local part has none.
std::string envelope_form(const std::string& address, bool utf8) {
  if (utf8 || is_ascii(address)) return address;
  auto parsed = EmailAddress::parse(address);
  return parsed ? parsed->ascii_domain_form() : address;
}

bool needs_utf8(const DeliveryRecord& delivery) {
  return !is_ascii(envelope_form(delivery.recipient, false)) || !is_ascii(envelope_form(delivery.mail_from, false));
}

/// What the sender said; empty when nothing was said, since then nothing is passed on (RFC 3461 section 5.2.1).
std::string notify_value(const DsnRequest& dsn) {
  if (dsn.is_default()) return {};
  if (dsn.never) return "NEVER";
  std::string value;
  const auto add = [&](bool wanted, const char* word) {
    if (wanted) value += (value.empty() ? "" : ",") + std::string(word);
  };
  add(dsn.success, "SUCCESS");
  add(dsn.failure, "FAILURE");
  add(dsn.delay, "DELAY");
  return value.empty() ? "NEVER" : value;
}

/// RFC 4954 section 6: the server wants a login, another one, or TLS first.
bool is_about_login(int code) { return code == 530 || code == 534 || code == 535 || code == 538; }

/// Owners make room. A bare 552 speaks of the mailbox in reply to RCPT, elsewhere of the message's size (RFC 1870
/// section 6).
bool is_full_mailbox(const RemoteReply& reply, Refused what) {
  return reply.enhanced == "5.2.2" || (what == Refused::Recipient && reply.code == 552 && reply.enhanced == "5.0.0");
}

}  // namespace

Result<std::unique_ptr<SmtpClient>, Outcome> SmtpClient::open(const SmtpTarget& target, const PollableFlag& stop,
                                                              bool use_tls) {
  const Deadline deadline = std::chrono::steady_clock::now() + target.timeouts.connect;
  auto stream = target.addresses.empty() ? ClientStream::connect(target.host, target.port, deadline, &stop)
                                         : ClientStream::connect(target.addresses, deadline, &stop);
  if (!stream && stop.raised()) return Outcome(Abandoned{stream.error().public_text});
  if (!stream) {
    return Outcome(Deferred{stream.error().public_text + " (" + stream.error().internal_detail + ")", "4.4.1"});
  }
  std::unique_ptr<SmtpClient> client(new SmtpClient(target, stop, std::move(*stream), use_tls));
  auto ready = client->greet();
  if (ready) return client;
  // Opportunistic: a server whose TLS is broken gets the (sealed) mail in clear, on a fresh connection.
  const bool may_go_on = target.kind != Route::Kind::Smtps && target.tls == TlsPolicy::Opportunistic;
  if (client->tls_failed_ && use_tls && may_go_on) return open(target, stop, false);
  return std::move(ready).error();
}

/// Whatever ends an attempt while the relay stops, ends it because the relay stops.
Outcome SmtpClient::broken(const Error& why) {
  usable_ = false;
  if (stop_.raised()) return Abandoned{why.public_text};
  return Deferred{why.public_text, "4.4.2"};
}

/// The server's word on this message. 421 means that it closes; a 4xx, a full mailbox and everything unknown defer.
Outcome SmtpClient::refused(const RemoteReply& reply, Refused what) {
  if (reply.code == 421 || reply.severity() < 4) usable_ = false;
  if (is_about_login(reply.code)) return session_refused(reply);
  if (is_full_mailbox(reply, what)) return Deferred{reply.text, "4.2.2", reply.code};
  if (reply.severity() == 5) return Failed{reply.code, reply.enhanced, reply.text, what};
  return Deferred{reply.text, reply.severity() == 4 ? reply.enhanced : "4.5.0", reply.code};
}

/// A refusal of us says nothing about the message: it waits until the operator or the server has mended what is wrong.
Outcome SmtpClient::session_refused(const RemoteReply& reply) {
  usable_ = false;
  const bool coded = reply.severity() == 4 || reply.severity() == 5;
  return Deferred{reply.text, coded ? "4" + reply.enhanced.substr(1) : "4.5.0", reply.code};
}

Status SmtpClient::write(std::string_view octets, std::chrono::milliseconds timeout) {
  return stream_->write(octets, std::chrono::steady_clock::now() + timeout);
}

Result<RemoteReply, Outcome> SmtpClient::read_reply(std::chrono::milliseconds timeout) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  ReplyParser parser;
  while (true) {
    auto line = stream_->read_line(deadline);
    if (!line) return broken(line.error());
    switch (parser.add(*line)) {
      case ReplyParser::State::More:
        break;
      case ReplyParser::State::Malformed:
        return broken(Error::temporary("the server's reply cannot be understood"));
      case ReplyParser::State::Complete:
        answered_ = true;
        return parser.reply();
    }
  }
}

Result<RemoteReply, Outcome> SmtpClient::command(const std::string& line, std::chrono::milliseconds timeout) {
  if (auto written = write(line + "\r\n", timeout); !written) return broken(written.error());
  return read_reply(timeout);
}

Result<RemoteReply, Outcome> SmtpClient::secret_command(std::string_view words, std::string_view secret) {
  WipedBuffer line;
  append(line, words);
  append(line, view(to_base64_wiped(secret)));
  append(line, "\r\n");
  if (auto written = write(view(line), target_.timeouts.mail); !written) return broken(written.error());
  return read_reply(target_.timeouts.mail);
}

Result<void, Outcome> SmtpClient::greet() {
  if (target_.kind == Route::Kind::Smtps) {
    if (auto secured = secure_connection(); !secured) return secured;
  }
  auto greeting = read_reply(target_.timeouts.greeting);
  if (!greeting) return std::move(greeting).error();
  if (greeting->severity() != 2) return session_refused(*greeting);
  if (greeted_by_ourselves(*greeting)) {
    return Outcome(Failed{0, "5.4.6", "the mail server is this relay itself, which does not take this mail"});
  }
  if (auto done = hello(); !done) return done;
  const bool wanted = target_.kind != Route::Kind::Smtps && target_.tls != TlsPolicy::Opportunistic;
  if (!stream_->secure() && use_tls_ && offers("STARTTLS")) {
    auto reply = command("STARTTLS", target_.timeouts.mail);
    if (!reply) return std::move(reply).error();
    if (reply->severity() == 2) {
      if (auto secured = secure_connection(); !secured) return secured;
      if (auto done = hello(); !done) return done;
    } else if (wanted) {
      return Outcome(Deferred{"the server refuses STARTTLS: " + reply->text, "4.7.10", reply->code});
    }
  } else if (wanted) {
    return Outcome(Deferred{"the server offers no STARTTLS", "4.7.10"});
  }
  return log_in();
}

/// An MX host that bears our name. A fixed next hop may: another program on the same machine.
bool SmtpClient::greeted_by_ourselves(const RemoteReply& greeting) const {
  if (target_.addresses.empty() || greeting.lines.empty()) return false;
  const std::string& line = greeting.lines.front();
  return ascii_lower(line.substr(0, line.find(' '))) == target_.helo;
}

Result<void, Outcome> SmtpClient::secure_connection() {
  const TlsTrust trust = target_.tls == TlsPolicy::Verify ? TlsTrust::Verified : TlsTrust::Any;
  auto secured = stream_->start_tls(target_.host, trust, std::chrono::steady_clock::now() + target_.timeouts.connect);
  if (secured) return {};
  usable_ = false;
  if (stop_.raised()) return Outcome(Abandoned{secured.error().public_text});
  // Whoever injects is not given the mail in clear instead.
  tls_failed_ = secured.error().kind != ErrorKind::Invalid;
  return Outcome(Deferred{secured.error().public_text, "4.7.5"});
}

Result<void, Outcome> SmtpClient::hello() {
  extensions_.clear();
  const bool lmtp = target_.kind == Route::Kind::Lmtp;
  auto reply = command((lmtp ? "LHLO " : "EHLO ") + target_.helo, target_.timeouts.mail);
  if (!reply) return std::move(reply).error();
  if (reply->severity() == 5 && !lmtp) reply = command("HELO " + target_.helo, target_.timeouts.mail);
  if (!reply) return std::move(reply).error();
  if (reply->severity() != 2) return session_refused(*reply);
  for (std::size_t i = 1; i < reply->lines.size(); ++i) {
    const std::string line = ascii_upper(reply->lines[i]);
    const auto space = line.find_first_of(" =");
    // Old servers say AUTH twice, once with "=": both lists count.
    std::string& parameters = extensions_[line.substr(0, space)];
    if (space != std::string::npos) parameters += (parameters.empty() ? "" : " ") + line.substr(space + 1);
  }
  return {};
}

/// Over TLS or loopback only: a password is not shown to the network.
Result<void, Outcome> SmtpClient::log_in() {
  if (target_.username.empty()) return {};
  if (!stream_->secure() && !stream_->loopback()) {
    return Outcome(Deferred{"AUTH is wanted, but the connection is not encrypted", "4.7.11"});
  }
  const auto mechanisms = extensions_.find("AUTH");
  const std::string offered = mechanisms == extensions_.end() ? std::string() : " " + mechanisms->second + " ";
  Result<RemoteReply, Outcome> reply = RemoteReply{};
  if (offered.find(" PLAIN ") != std::string::npos) {
    WipedBuffer credentials;
    credentials.push_back('\0');
    append(credentials, target_.username);
    credentials.push_back('\0');
    append(credentials, target_.password.reveal());
    reply = secret_command("AUTH PLAIN ", view(credentials));
  } else if (offered.find(" LOGIN ") != std::string::npos) {
    reply = command("AUTH LOGIN", target_.timeouts.mail);
    if (reply && reply->code == 334) reply = secret_command("", target_.username);
    if (reply && reply->code == 334) reply = secret_command("", target_.password.reveal());
  } else {
    return Outcome(Deferred{"the server offers neither AUTH PLAIN nor AUTH LOGIN", "4.7.0"});
  }
  if (!reply) return std::move(reply).error();
  if (reply->code == 235) return {};
  // Our password is wrong: the operator's fault to mend, not a reason to bounce the sender's mail. Some servers repeat
  // the command that they refuse, so the reply's text, with the password in it, must not reach log and history.
  usable_ = false;
  return Outcome(Deferred{
      "the next hop refuses our login (" + std::to_string(reply->code) + " " + reply->enhanced + ")", "4.7.8"});
}

/// An LMTP server takes mail for good (RFC 2033); one that offers DSN was given the parameters like any other.
Custody SmtpClient::custody() const {
  if (offers("DSN")) return Custody::DsnRelay;
  return target_.kind == Route::Kind::Lmtp ? Custody::Mailbox : Custody::Relay;
}

/// 0: none is named (RFC 1870 section 4).
std::uint64_t SmtpClient::size_limit() const {
  const auto size = extensions_.find("SIZE");
  std::uint64_t limit = 0;
  if (size == extensions_.end()) return limit;
  const std::string& text = size->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  return error == std::errc() ? limit : 0;
}

std::string SmtpClient::mail_line(const Claim& claim) const {
  const DeliveryRecord& delivery = claim.delivery;
  const bool utf8 = offers("SMTPUTF8") && (delivery.smtputf8 || needs_utf8(delivery));
  std::string line = "MAIL FROM:<" + envelope_form(delivery.mail_from, utf8) + ">";
  if (offers("SIZE")) line += " SIZE=" + std::to_string(delivery.size);
  // Base64 is 7-bit; what passed through as it was, and the relay's own notices, may be more (RFC 6152).
  if (offers("8BITMIME") && claim.message.kind != BodyKind::Cms) line += " BODY=8BITMIME";
  if (utf8) line += " SMTPUTF8";
  if (offers("DSN")) {
    line += " RET=HDRS";
    if (!delivery.envid.empty()) line += " ENVID=" + delivery.envid;
  }
  return line;
}

std::string SmtpClient::rcpt_line(const DeliveryRecord& delivery) const {
  const bool utf8 = offers("SMTPUTF8") && (delivery.smtputf8 || needs_utf8(delivery));
  std::string line = "RCPT TO:<" + envelope_form(delivery.recipient, utf8) + ">";
  if (!offers("DSN")) return line;
  if (const std::string notify = notify_value(delivery.dsn); !notify.empty()) line += " NOTIFY=" + notify;
  if (!delivery.dsn.orcpt.empty()) line += " ORCPT=" + delivery.dsn.orcpt;
  return line;
}

Result<void, Outcome> SmtpClient::begin_data(const Claim& claim) {
  const std::vector<std::string> lines = {mail_line(claim), rcpt_line(claim.delivery), "DATA"};
  const std::vector<std::chrono::milliseconds> timeouts = {target_.timeouts.mail, target_.timeouts.rcpt,
                                                           target_.timeouts.data};
  constexpr std::array refused_by = {Refused::Sender, Refused::Recipient, Refused::Message};
  const bool pipelining = offers("PIPELINING");
  if (pipelining) {
    if (auto written = write(lines[0] + "\r\n" + lines[1] + "\r\n" + lines[2] + "\r\n", target_.timeouts.mail);
        !written) {
      return broken(written.error());
    }
  }
  std::optional<Outcome> refusal;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto reply = pipelining ? read_reply(timeouts[i]) : command(lines[i], timeouts[i]);
    if (!reply) return refusal ? std::move(*refusal) : std::move(reply).error();
    const bool fine = i < 2 ? reply->severity() == 2 : reply->code == 354;
    if (!fine && !refusal) refusal = refused(*reply, refused_by.at(i));
    if (refusal && (!pipelining || !usable_)) break;
    if (refusal && i == 2 && reply->code == 354) end_unwanted_data();
  }
  if (!refusal) return {};
  if (usable_) {
    auto reset = command("RSET", target_.timeouts.mail);
    usable_ = usable_ && reset && reset->severity() == 2;
  }
  return std::move(*refusal);
}

/// A server that takes DATA without a recipient waits for content: an empty one ends it (RFC 2920 section 3.1). In LMTP
/// nothing would answer the dot, since there is one reply per recipient.
void SmtpClient::end_unwanted_data() {
  if (target_.kind == Route::Kind::Lmtp) {
    usable_ = false;
    return;
  }
  auto ended = command(".", target_.timeouts.final);
  usable_ = usable_ && ended.ok();
}

Outcome SmtpClient::send_body(DeliveryBody& body, std::uint64_t size) {
  const auto block = target_.timeouts.block;
  const Deadline whole =
      std::chrono::steady_clock::now() + block + std::chrono::seconds(size / target_.timeouts.least_rate);
  const auto write_block = [&](const std::string& octets) {
    return stream_->write(octets, std::min(whole, std::chrono::steady_clock::now() + block));
  };
  DotStuffer stuffer;
  std::string pending;  // the last piece leaves together with the final dot
  while (true) {
    auto piece = body.next();
    if (!piece) {
      // The transaction cannot be ended well: closing is the only way not to deliver a part.
      usable_ = false;
      return Deferred{"the message cannot be read from the store now", "4.3.0"};
    }
    if (piece->empty()) break;
    if (auto written = write_block(pending); !written) return broken(written.error());
    pending = stuffer.update(*piece);
  }
  if (auto written = write_block(pending + stuffer.finish()); !written) return broken(written.error());
  auto reply = read_reply(target_.timeouts.final);
  if (!reply) {
    return Deferred{"outcome unknown: the reply to the message was lost: " + response_of(reply.error()), "4.4.2"};
  }
  if (reply->severity() == 2) return Delivered{reply->text, reply->enhanced, reply->code, custody()};
  return refused(*reply);
}

Outcome SmtpClient::send(const Claim& claim, DeliveryBody& body) {
  answered_ = false;
  ++transactions_;
  const DeliveryRecord& delivery = claim.delivery;
  if (needs_utf8(delivery) && !offers("SMTPUTF8")) {
    return Failed{0, "5.6.7", "the next hop cannot take addresses beyond ASCII (no SMTPUTF8)"};
  }
  if (delivery.smtputf8 && !offers("SMTPUTF8") && !is_ascii(body.header_block())) {
    return Failed{0, "5.6.9", "the next hop cannot take header fields beyond ASCII (no SMTPUTF8)"};
  }
  const std::uint64_t limit = size_limit();
  if (limit != 0 && delivery.size > limit) {
    return Failed{0, "5.3.4",
                  "the message is larger than the " + std::to_string(limit) + " octets that the next hop takes"};
  }
  if (auto begun = begin_data(claim); !begun) return std::move(begun).error();
  return send_body(body, delivery.size);
}

void SmtpClient::quit() {
  if (!usable_) return;
  usable_ = false;
  // Politeness only: the connection is closed whether the server hears it or not.
  [[maybe_unused]] const auto written = write("QUIT\r\n", std::chrono::seconds(1));
}

}  // namespace sealpost
