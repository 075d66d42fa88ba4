// SPDX-License-Identifier: Apache-2.0
// Implements dialogue.h.
#include "tests/unit/relay/smtp/dialogue.h"

#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "base/encoding.h"
#include "relay/smtp/session.h"
#include "tests/support/fakes.h"

namespace sealpost::test {
namespace {

using smtp::Session;

constexpr const char* password = "pencil";

const std::map<std::string, Refusal>& refusals() {
  static const std::map<std::string, Refusal> names = {{"malformed", Refusal::Malformed},
                                                       {"loop", Refusal::Loop},
                                                       {"sender-not-allowed", Refusal::SenderNotAllowed},
                                                       {"bad-recipient", Refusal::BadRecipient},
                                                       {"suppressed", Refusal::Suppressed},
                                                       {"too-many-new", Refusal::TooManyNew},
                                                       {"rate-of-new", Refusal::RateOfNew},
                                                       {"cannot-seal", Refusal::CannotSeal},
                                                       {"cannot-seal-now", Refusal::CannotSealNow},
                                                       {"store-away", Refusal::StoreAway},
                                                       {"store-full", Refusal::StoreFull},
                                                       {"conflict", Refusal::Conflict}};
  return names;
}

std::optional<IntakeError> refusal(const std::string& result) {
  const auto found = refusals().find(result);
  if (found == refusals().end()) return std::nullopt;
  return IntakeError{found->second, result, "detail that stays inside"};
}

Account account(const std::string& name) { return {name, {"@example.com", "@xn--bcher-kva.example"}, false, {}}; }

template <class T>
Result<T> login_answer(const std::string& result, T right) {
  if (result == "ok") return right;
  if (result == "wrong") return Error::invalid("wrong name or password");
  if (result == "away") return Error::temporary("Redis is away");
  if (result == "altered") return Error::permanent("the record was altered");
  throw std::runtime_error("unknown result: " + result);
}

std::string describe(const DsnRequest& dsn) {
  std::string text;
  if (dsn.never) text += " never";
  if (dsn.success) text += " success";
  if (dsn.failure) text += " failure";
  if (dsn.delay) text += " delay";
  if (!dsn.orcpt.empty()) text += " orcpt=" + dsn.orcpt;
  return text;
}

/// One playing of a dialogue.
class Player final {
 public:
  explicit Player(const Dialogue& dialogue, Cut cut) : dialogue_(dialogue), cut_(cut) {}

  std::string play() {
    std::size_t at = read_options();
    budget_.emplace(budget_limit_);
    session_.emplace(smtp::SessionOptions{"relay.example.org", size_, recipients_}, *budget_, random_, tls_ || login_);
    if (login_) {
      log_in();
    } else {
      take(session_->open());
    }
    while (at < dialogue_.lines.size() && dialogue_.lines[at].kind == 'S') ++at;  // the greeting of the last time
    while (at < dialogue_.lines.size()) at = next(at);
    return out_.str();
  }

 private:
  using Lines = std::vector<Dialogue::Line>;

  std::size_t read_options() {
    std::size_t at = 0;
    for (; at < dialogue_.lines.size(); ++at) {
      const auto& [kind, text] = dialogue_.lines[at];
      if (kind != '@' && kind != '#') break;
      write(kind, text);
      const auto space = text.find(' ');
      const std::string value = space == std::string::npos ? "" : text.substr(space + 1);
      const std::string name = text.substr(0, space);
      if (kind == '#') continue;
      if (name == "tls") tls_ = true;
      if (name == "login") login_ = true;
      if (name == "uncut") cut_ = {};
      if (name == "size") size_ = std::stoul(value);
      if (name == "recipients") recipients_ = std::stoul(value);
      if (name == "budget") budget_limit_ = std::stoul(value);
    }
    return at;
  }

  void log_in() {
    static_cast<void>(session_->open());
    static_cast<void>(session_->receive("EHLO client.example.com\r\n"));
    static_cast<void>(session_->receive("AUTH PLAIN " + to_base64(std::string("\0app\0pencil", 11)) + "\r\n"));
    static_cast<void>(session_->login_result(account("app")));
  }

  /// One packet, event or comment, with the results that the file has for it.
  std::size_t next(std::size_t at) {
    const auto& line = dialogue_.lines[at];
    if (line.kind == '#') {
      write('#', line.text);
      return at + 1;
    }
    std::string packet;
    std::size_t end = at;
    for (; end < dialogue_.lines.size() && std::string("Cc").find(dialogue_.lines[end].kind) != std::string::npos;
         ++end) {
      const auto& said = dialogue_.lines[end];
      write(said.kind, said.text);
      packet += unescape(said.text) + (said.kind == 'C' ? "\r\n" : "");
    }
    if (line.kind == 'E') write('E', line.text), ++end;
    if (end == at) throw std::runtime_error(dialogue_.name + ": a reply or result to nothing");
    for (; end < dialogue_.lines.size() && std::string("SARN").find(dialogue_.lines[end].kind) != std::string::npos;
         ++end) {
      if (dialogue_.lines[end].kind == 'R') results_.push_back(dialogue_.lines[end].text);
    }
    if (line.kind == 'E') {
      ended_ = false;
      take(line.text == "tls" ? session_->tls_started() : session_->time_out());
    } else {
      feed(packet);
    }
    if (!results_.empty()) throw std::runtime_error(dialogue_.name + ": result without an action: " + results_.front());
    return end;
  }

  void feed(std::string_view packet) {
    while (!packet.empty() && !ended_) {
      std::size_t piece = packet.size();
      if (cut_.kind == Cut::Kind::EachOctet) piece = 1;
      if (cut_.kind == Cut::Kind::At && cut_.at > 0 && cut_.at < packet.size()) piece = cut_.at;
      take(session_->receive(packet.substr(0, piece)));
      packet.remove_prefix(piece);
      if (cut_.kind == Cut::Kind::At && piece == cut_.at) {
        if (!packet.empty() && !ended_) take(session_->receive(packet));
        return;
      }
    }
  }

  /// Writes the output down and answers its action, until there is none.
  void take(Session::Output output) {
    while (true) {
      for (std::string_view rest = output.replies; !rest.empty();) {
        const auto end = rest.find("\r\n");
        if (end == std::string_view::npos) throw std::runtime_error("a reply without CRLF");
        write('S', escape(rest.substr(0, end)));
        rest.remove_prefix(end + 2);
      }
      if (output.next == Session::Next::StartTls) write('N', "starttls");
      if (output.next == Session::Next::Close) write('N', "close");
      ended_ = ended_ || output.next != Session::Next::Read;
      if (!output.action) return;
      output = std::visit([this](auto& action) { return answer(action); }, *output.action);
    }
  }

  std::string result(const std::string& asked, const std::string& usual) {
    write('A', asked);
    std::string text = usual;
    if (!results_.empty()) {
      text = results_.front();
      results_.pop_front();
    }
    write('R', text);
    return text;
  }

  Session::Output answer(smtp::CheckLogin& action) {
    const std::string asked = "check-login " + escape(action.name) + " " + escape(action.password.reveal());
    return session_->login_result(login_answer(result(asked, "ok"), account(action.name)));
  }
  Session::Output answer(smtp::FindVerifier& action) {
    const std::string stored = result("find-verifier " + escape(action.name), "ok");
    static const ScramVerifier verifier = make_scram_verifier(Secret::copy_of(password), "0123456789abcdef", 4096);
    return session_->verifier_result(login_answer(stored, verifier));
  }
  Session::Output answer(smtp::CheckProof& action) {
    auto proof = action.exchange.finish(action.client_final);
    write('A', "check-proof " + escape(action.exchange.name()) + (proof ? " right" : " wrong"));
    return session_->proof_result(std::move(proof));
  }
  Session::Output answer(smtp::FindAccount& action) {
    return session_->login_result(
        login_answer(result("find-account " + escape(action.name), "ok"), account(action.name)));
  }
  Session::Output answer(smtp::CheckRoom&) {
    const std::string text = result("check-room", "ok");
    return text == "changed" ? session_->account_changed() : session_->admission_result(refusal(text));
  }
  Session::Output answer(smtp::CheckRecipient& action) {
    const std::string asked = "check-recipient " + escape(action.address.text()) + " for " + action.account.name +
                              ", unassigned " + std::to_string(action.unassigned);
    const std::string text = result(asked, "new");
    if (auto refused = refusal(text)) return session_->recipient_result(std::move(*refused));
    return session_->recipient_result(Admission{text == "new", text == "bounced"});
  }
  Session::Output answer(smtp::TakeMessage& action) {
    const Submission& submission = action.submission;
    write('A', "take-message from " + (submission.mail_from ? escape(submission.mail_from->text()) : "<>") + " by " +
                   submission.account.name + " with " + submission.protocol +
                   (submission.envid.empty() ? "" : " envid " + submission.envid));
    for (const auto& recipient : submission.recipients) {
      write('A', "  to " + escape(recipient.address.text()) + " dsn" + describe(recipient.dsn));
    }
    const auto content = view(submission.message);
    const bool shown = content.size() <= 200;
    const std::string text =
        result(shown ? "  content " + escape(content) : "  octets " + std::to_string(content.size()), "ok");
    if (auto refused = refusal(text)) return session_->message_result(std::move(*refused));
    return session_->message_result(Accepted{MessageId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").value(), "", {}});
  }

  void write(char kind, const std::string& text) {
    if (kind == '#' && text.empty()) {
      out_ << '\n';
    } else if (kind == '#' || kind == '@') {
      out_ << kind << ' ' << text << '\n';
    } else {
      out_ << kind << ": " << text << '\n';
    }
  }

  const Dialogue& dialogue_;
  Cut cut_;
  bool tls_ = false;
  bool login_ = false;
  std::size_t size_ = 1000;
  std::size_t recipients_ = 5;
  std::size_t budget_limit_ = 1UL << 30U;
  std::optional<MemoryBudget> budget_;
  SeededRandom random_;
  std::optional<Session> session_;
  std::deque<std::string> results_;
  bool ended_ = false;
  std::ostringstream out_;
};

int digit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

}  // namespace

std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case '0':
        out += '\0';
        break;
      case 'x':
        out += static_cast<char>(digit(text.at(i + 1)) * 16 + digit(text.at(i + 2)));
        i += 2;
        break;
      case '(': {
        const auto colon = text.find(':', i);
        const auto end = text.find(')', colon);
        const auto times = std::stoul(text.substr(i + 1, colon - i - 1));
        const std::string part = unescape(text.substr(colon + 1, end - colon - 1));
        for (std::size_t n = 0; n < times; ++n) out += part;
        i = end;
        break;
      }
      default:
        out += text[i];
    }
  }
  return out;
}

std::string escape(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (octet < 0x20 || octet >= 0x7f) {
      out += "\\x" + to_hex({&c, 1});
    } else {
      out += c;
    }
  }
  return out;
}

Dialogue parse_dialogue(const std::string& name, const std::string& text) {
  Dialogue dialogue{name, {}};
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      dialogue.lines.push_back({'#', ""});
    } else if (line[0] == '#' || line[0] == '@') {
      dialogue.lines.push_back({line[0], line.size() > 2 ? line.substr(2) : ""});
    } else {
      if (line.size() < 3 || line[1] != ':') throw std::runtime_error(std::string(name).append(": ").append(line));
      dialogue.lines.push_back({line[0], line.substr(3)});
    }
  }
  return dialogue;
}

std::string play(const Dialogue& dialogue, Cut cut) { return Player(dialogue, cut).play(); }

std::size_t longest_packet(const Dialogue& dialogue) {
  std::size_t longest = 0;
  std::size_t octets = 0;
  for (const auto& [kind, text] : dialogue.lines) {
    octets = kind == 'C' || kind == 'c' ? octets + unescape(text).size() + 2 : 0;
    longest = std::max(longest, octets);
  }
  return longest;
}

}  // namespace sealpost::test
