// SPDX-License-Identifier: Apache-2.0
// Implements the core of session.h: input, the command table and its dispatcher. AUTH stands in session_auth.cpp, mail
// transactions in session_mail.cpp.
#include "relay/smtp/session.h"

#include <algorithm>

#include "base/encoding.h"

namespace sealpost::smtp {
namespace {

// RFC 5321 section 4.5.3.1.4 allows 512 octets; the parameters of the extensions that are offered add to MAIL and RCPT.
constexpr std::size_t max_command = 512;
constexpr std::size_t max_mail_command = 512 + 512;
constexpr std::size_t max_auth_line = 12288;  // RFC 4954 section 4
constexpr int max_refused_commands = 20;

bool begins_with(std::string_view line, std::string_view verb) {
  return line.size() >= verb.size() && ascii_iequals(line.substr(0, verb.size()), verb);
}

}  // namespace

/// One row per verb; the dispatcher enforces what the columns say.
struct Session::Command {
  std::string_view verb;
  void (Session::*handler)(std::string_view argument);
  bool before_tls;  ///< allowed without TLS
  bool needs_auth;
  std::string_view states;  ///< letters of the states it is allowed in: Fresh, Greeted, Mail, Recipients
};

const std::vector<Session::Command>& Session::table() {
  static const std::vector<Command> rows = {
      {"EHLO", &Session::ehlo, true, false, "FGMR"},      {"HELO", &Session::helo, true, false, "FGMR"},
      {"STARTTLS", &Session::starttls, true, false, "G"}, {"AUTH", &Session::auth, false, false, "G"},
      {"MAIL", &Session::mail, false, true, "G"},         {"RCPT", &Session::rcpt, false, true, "MR"},
      {"DATA", &Session::data, false, true, "R"},         {"BDAT", &Session::bdat, true, false, "FGMR"},
      {"RSET", &Session::rset, true, false, "FGMR"},      {"NOOP", &Session::noop, true, false, "FGMR"},
      {"QUIT", &Session::quit, true, false, "FGMR"},      {"HELP", &Session::help, true, false, "FGMR"},
      {"VRFY", &Session::vrfy, false, true, "FGMR"},      {"EXPN", &Session::expn, false, true, "FGMR"},
  };
  return rows;
}

Session::Session(SessionOptions options, MemoryBudget& budget, Random& random, bool tls)
    : options_(std::move(options)), budget_(budget), random_(random), tls_(tls) {}

Session::Output Session::open() {
  reply(220, "", options_.hostname + " ESMTP Sealpost");
  return std::exchange(output_, {});
}

Session::Output Session::receive(std::string_view octets) {
  if (mode_ == Mode::Closed) return {};
  // Content goes straight to its reader: a 25 MB message is not gathered here first.
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  consumed_ = 0;
  append(input_, octets);
  return advance();
}

Session::Output Session::time_out() {
  reply(421, "4.4.2", options_.hostname + " idle for too long, closing");
  close();
  return std::exchange(output_, {});
}

Session::Output Session::tls_started() {
  // RFC 3207 section 4.2: nothing that was learned before TLS stays.
  tls_ = true;
  state_ = State::Fresh;
  mode_ = Mode::Command;
  account_.reset();
  input_.clear();
  consumed_ = 0;
  reset_transaction();
  return {};
}

/// Works through the input until it is used up, an action has to be waited for, or the session ends.
Session::Output Session::advance() {
  while (consumed_ < input_.size() && mode_ != Mode::Waiting && mode_ != Mode::Closed) {
    if (mode_ == Mode::Data) {
      read_content(data_reader_);
      if (data_reader_.complete()) end_of_content();
      continue;
    }
    if (mode_ == Mode::Chunk) {
      read_content(chunk_reader_);
      if (chunk_reader_.complete()) chunk_complete();
      continue;
    }
    const auto rest = view(input_).substr(consumed_);
    std::string line;
    bool too_long = false;
    const bool mail_verb = begins_with(rest, "MAIL") || begins_with(rest, "RCPT");
    const bool auth = mode_ == Mode::AuthLine || begins_with(rest, "AUTH");
    const std::size_t limit = auth ? max_auth_line : mail_verb ? max_mail_command : max_command;
    if (!take_line(line, limit, too_long)) break;
    if (too_long) {
      if (mode_ == Mode::AuthLine) {
        mode_ = Mode::Command;
        auth_step_ = AuthStep::None;
      }
      unreadable(500, "line too long", discarded_bdat_ || begins_with(rest, "BDAT"));
      discarded_bdat_ = false;
    } else if (mode_ == Mode::AuthLine) {
      auth_line(line);
    } else {
      command_line(line);
    }
    OPENSSL_cleanse(line.data(), line.size());  // an AUTH line holds a password
  }
  if (mode_ == Mode::Closed) {
    input_.clear();
    consumed_ = 0;
  }
  return std::exchange(output_, {});
}

template <class Reader>
void Session::read_content(Reader& reader) {
  const std::size_t octets = reader.consume(view(input_).substr(consumed_), *content_);
  consumed_ += octets;
  content_octets_ += octets;
}

/// False when the line is not complete yet. A line beyond its limit is dropped up to its CRLF, in bounded memory.
bool Session::take_line(std::string& line, std::size_t limit, bool& too_long) {
  const auto rest = view(input_).substr(consumed_);
  const auto end = rest.find("\r\n");
  if (end == std::string_view::npos) {
    if (rest.size() > limit) {
      if (!discarding_line_) discarded_bdat_ = mode_ == Mode::Command && begins_with(rest, "BDAT");
      discarding_line_ = true;
      const std::size_t keep = rest.back() == '\r' ? 1 : 0;
      consumed_ = input_.size() - keep;
    }
    return false;
  }
  too_long = discarding_line_ || end + 2 > limit;
  discarding_line_ = false;
  if (!too_long) line.assign(rest.substr(0, end));
  consumed_ += end + 2;
  ++completed_;
  return true;
}

void Session::command_line(const std::string& line) {
  const bool bdat = begins_with(line, "BDAT");
  if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return unreadable(500, "control character in a command", bdat);
  }
  const auto space = line.find(' ');
  const std::string verb = line.substr(0, space);
  const std::string argument = space == std::string::npos ? std::string() : line.substr(space + 1);
  const auto& rows = table();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Command& c) { return ascii_iequals(c.verb, verb); });
  if (row == rows.end()) return fault(500, "5.5.1", "command not recognized");
  if (!is_utf8(line)) return unreadable(500, "not ASCII and not UTF-8", bdat);
  if (!is_ascii(line) && !begins_with(verb, "MAIL") && !begins_with(verb, "RCPT") && !begins_with(verb, "VRFY")) {
    return unreadable(501, "not ASCII", bdat);
  }
  if (!row->before_tls && !tls_) return fault(530, "5.7.0", "must issue STARTTLS first");
  if (row->needs_auth && !account_) return fault(530, "5.7.0", "authentication required");
  static constexpr std::string_view letters = "FGMR";
  if (row->states.find(letters[static_cast<std::size_t>(state_)]) == std::string_view::npos) {
    return fault(503, "5.5.1", "bad sequence of commands");
  }
  (this->*row->handler)(argument);
}

void Session::reply(int code, std::string_view enhanced, std::string text) {
  output_.replies += Reply{code, enhanced, std::move(text)}.line();
}

void Session::refuse(const Reply& refusal) {
  output_.refusals.push_back(refusal.code);
  reply(refusal.code, refusal.enhanced, refusal.text);
}

/// A reply to something that a well-behaved client would not send; too many of them end the session.
void Session::fault(int code, std::string_view enhanced, std::string text) {
  reply(code, enhanced, std::move(text));
  if (++errors_ < max_refused_commands) return;
  reply(421, "4.7.0", "too many errors, closing");
  close();
}

/// A line that is no command. After a BDAT it is not known how much content follows, and that must not be read as
/// commands.
void Session::unreadable(int code, std::string text, bool bdat) {
  fault(code, code == 500 ? "5.5.2" : "5.5.4", std::move(text));
  if (bdat) close();
}

void Session::act(Action action) {
  output_.action = std::move(action);
  mode_ = Mode::Waiting;
}

void Session::go_on() {
  mode_ = Mode::Command;
  ++completed_;
}

void Session::close() {
  output_.next = Next::Close;
  mode_ = Mode::Closed;
}

void Session::helo(std::string_view argument) {
  if (argument.empty()) return fault(501, "5.5.4", "HELO needs a name");
  reset_transaction();
  state_ = State::Greeted;
  output_.replies += "250 " + options_.hostname + "\r\n";
}

void Session::ehlo(std::string_view argument) {
  if (argument.empty()) return fault(501, "5.5.4", "EHLO needs a name");
  reset_transaction();
  state_ = State::Greeted;
  std::vector<std::string> lines = {options_.hostname, "PIPELINING",
                                    "SIZE " + std::to_string(options_.max_message_size)};
  lines.emplace_back(tls_ ? "AUTH PLAIN LOGIN SCRAM-SHA-256" : "STARTTLS");
  for (const char* keyword : {"8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES", "DSN"})
    lines.emplace_back(keyword);
  lines.push_back("LIMITS RCPTMAX=" + std::to_string(options_.max_recipients));
  output_.replies += multi_line(250, lines);
}

void Session::starttls(std::string_view argument) {
  if (tls_) return fault(503, "5.5.1", "TLS is active already");
  if (!argument.empty()) return fault(501, "5.5.4", "STARTTLS takes no argument");
  // Octets behind STARTTLS came in clear: somebody may have put them there (RFC 3207 section 6). Nothing of them is
  // executed.
  if (consumed_ < input_.size()) return close();
  reply(220, "2.0.0", "ready to start TLS");
  output_.next = Next::StartTls;
  mode_ = Mode::Waiting;
}

void Session::rset(std::string_view argument) {
  if (!argument.empty()) return fault(501, "5.5.4", "RSET takes no argument");
  reset_transaction();
  reply(250, "2.0.0", "ok");
}

void Session::noop(std::string_view) { reply(250, "2.0.0", "ok"); }

void Session::quit(std::string_view argument) {
  if (!argument.empty()) return fault(501, "5.5.4", "QUIT takes no argument");
  reply(221, "2.0.0", options_.hostname + " closing");
  close();
}

void Session::help(std::string_view) { reply(214, "2.0.0", "see RFC 5321 and RFC 6409"); }
void Session::vrfy(std::string_view) { reply(252, "2.0.0", "cannot verify, but will try to deliver"); }
void Session::expn(std::string_view) { fault(502, "5.5.1", "there are no lists"); }

}  // namespace sealpost::smtp
