// SPDX-License-Identifier: Apache-2.0
// Implements ledger.h.
#include "tests/e2e/ledger.h"

#include <poll.h>

#include <stdexcept>

namespace sealpost::test {
namespace {

bool is_over(const std::string& answer) {
  return answer == "closed" || answer == "timeout" || answer.starts_with("421");
}

/// A foreign From is refused after the final dot, which makes the message one that must never arrive.
std::string text_of(const LedgerEntry& entry, bool foreign) {
  const std::string from = foreign ? "mallory@example.org" : ledger_sender;
  return "From: <" + from + ">\r\nMessage-ID: " + ledger_message_id(entry.token) + "\r\nSubject: ledger\r\n\r\n" +
         ledger_body(entry.token);
}

}  // namespace

bool LedgerSender::connect() {
  if (session_) return true;
  try {
    session_ = std::make_unique<Submitter>(Submitter::logged_in(port_));
    return true;
  } catch (const std::runtime_error&) {
    return false;  // between two lives of the relay, or while its Redis is away
  }
}

void LedgerSender::run(const std::atomic<bool>& stop) {
  while (!stop) {
    if (!connect()) {
      poll(nullptr, 0, 10);  // what we wait for needs the processor more than we do
      continue;
    }
    auto entry = next_entry();
    submit(entry);
    entries_.push_back(std::move(entry));
    ++answers_;
  }
}

/// Mostly one recipient, sometimes several, sometimes one that fails for good.
LedgerEntry LedgerSender::next_entry() {
  LedgerEntry entry;
  entry.token = name_ + "-" + std::to_string(entries_.size());
  const unsigned dice = random_() % 10;
  if (dice == 0) {
    entry.recipients.emplace_back(ledger_nobody);
  } else if (dice < 4) {
    for (unsigned i = 0; i < ledger_recipients; ++i) {
      if (random_() % 2 == 0) entry.recipients.push_back(ledger_recipient(i));
    }
    if (random_() % 2 == 0) entry.recipients.emplace_back(ledger_nobody);
  }
  if (entry.recipients.empty()) entry.recipients.push_back(ledger_recipient(random_() % ledger_recipients));
  return entry;
}

void LedgerSender::hang_up_unless_alive(const std::string& answer) {
  if (is_over(answer)) {
    session_.reset();
  } else if (const std::string reset = session_->say("RSET"); !reset.starts_with("250")) {
    session_.reset();
  }
}

void LedgerSender::submit(LedgerEntry& entry) {
  const bool foreign = random_() % 20 == 0;
  std::vector<std::string> commands = {"MAIL FROM:<" + std::string(ledger_sender) + ">"};
  for (const auto& recipient : entry.recipients) commands.push_back("RCPT TO:<" + recipient + ">");
  commands.emplace_back("DATA");
  for (const auto& command : commands) {
    entry.answer = session_->say(command);
    if (!entry.answer.starts_with(command == "DATA" ? "354" : "250")) return hang_up_unless_alive(entry.answer);
  }
  session_->send(text_of(entry, foreign) + ".\r\n");
  entry.answer = session_->reply();
  constexpr std::string_view queued = "250 2.6.0 queued as ";
  if (entry.answer.starts_with(queued)) {
    entry.told = Told::Accepted;
    entry.id = entry.answer.substr(queued.size());
    return;
  }
  if (is_over(entry.answer) || entry.answer.starts_with("451")) entry.told = Told::Doubtful;
  hang_up_unless_alive(entry.answer);
}

}  // namespace sealpost::test
