// SPDX-License-Identifier: Apache-2.0
// Mail transactions of session.h: MAIL, RCPT, DATA and BDAT.
#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "relay/smtp/refusals.h"
#include "relay/smtp/session.h"

namespace sealpost::smtp {

void Session::reset_transaction() {
  if (state_ == State::Mail || state_ == State::Recipients) state_ = State::Greeted;
  mail_ = {};
  pending_recipient_.reset();
  recipients_.clear();
  unassigned_ = 0;
  content_.reset();
  reservation_.release();
  chunking_ = false;
  chunks_refused_ = false;
}

void Session::mail(std::string_view argument) {
  auto arguments = parse_mail(argument);
  if (!arguments) return fault(arguments.error().code, arguments.error().enhanced, arguments.error().text);
  if (arguments->size && *arguments->size > options_.max_message_size) {
    return refuse(to_reply(ContentFault::TooLarge));
  }
  if (arguments->from && !account_->may_send_as(*arguments->from)) {
    output_.refusals.push_back(553);
    return fault(553, "5.7.1", "the account may not send as this address");
  }
  reset_transaction();
  mail_ = std::move(*arguments);
  act(CheckRoom{*account_});
}

Session::Output Session::admission_result(std::optional<IntakeError> refusal) {
  go_on();
  if (refusal) {
    refuse(to_reply(*refusal));
  } else {
    state_ = State::Mail;
    reply(250, "2.1.0", "sender ok");
  }
  return advance();
}

Session::Output Session::account_changed() {
  reply(421, "4.7.0", options_.hostname + " the account was changed, log in again");
  close();
  return advance();
}

void Session::rcpt(std::string_view argument) {
  if (chunking_) return fault(503, "5.5.1", "bad sequence of commands");
  auto arguments = parse_rcpt(argument, mail_.smtputf8);
  if (!arguments) return fault(arguments.error().code, arguments.error().enhanced, arguments.error().text);
  const bool known = std::any_of(recipients_.begin(), recipients_.end(), [&](const SubmissionRecipient& recipient) {
    return recipient.address == arguments->to;
  });
  if (known) return reply(250, "2.1.5", "recipient ok");
  if (recipients_.size() >= options_.max_recipients) return refuse({452, "4.5.3", "too many recipients"});
  pending_recipient_ = std::move(*arguments);
  act(CheckRecipient{*account_, pending_recipient_->to, unassigned_});
}

Session::Output Session::recipient_result(Result<Admission, IntakeError> result) {
  go_on();
  if (!result) {
    refuse(to_reply(result.error()));
  } else {
    unassigned_ += result->unassigned ? 1 : 0;
    recipients_.push_back(
        {std::move(pending_recipient_->to), std::move(pending_recipient_->dsn), result->bounced_before});
    state_ = State::Recipients;
    reply(250, "2.1.5", "recipient ok");
  }
  pending_recipient_.reset();
  return advance();
}

void Session::data(std::string_view argument) {
  if (!argument.empty()) return fault(501, "5.5.4", "DATA takes no argument");
  if (chunking_) return fault(503, "5.5.1", "DATA after BDAT");
  content_.emplace(budget_, options_.max_message_size);
  data_reader_ = {};
  mode_ = Mode::Data;
  output_.replies += "354 go ahead, end with CRLF.CRLF\r\n";
}

/// RFC 3030. Its octets are consumed whatever is answered, so that they never become commands.
void Session::bdat(std::string_view argument) {
  const auto space = argument.find(' ');
  const auto digits = argument.substr(0, space);
  std::uint64_t octets = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), octets);
  const bool last = space != std::string_view::npos && ascii_iequals(argument.substr(space + 1), "LAST");
  const bool well_formed = !digits.empty() && code == std::errc() && end == digits.data() + digits.size() &&
                           (space == std::string_view::npos || last);
  if (!well_formed) {
    // How much follows is not known: going on would read content as commands.
    reply(501, "5.5.4", "malformed BDAT, closing");
    return close();
  }
  if (!tls_ || !account_) {
    // Its octets would be read as commands: nobody who may not submit is followed that far.
    reply(530, "5.7.0", tls_ ? "authentication required, closing" : "must issue STARTTLS first, closing");
    return close();
  }
  if (!content_) content_.emplace(budget_, options_.max_message_size);
  if (!chunking_) chunk_reader_ = {};
  if (state_ != State::Recipients || chunks_refused_) {
    chunks_refused_ = true;
    content_->fail(ContentFault::BareLineEnd);
  }
  chunking_ = true;
  last_chunk_ = last;
  chunk_reader_.begin(octets);
  mode_ = Mode::Chunk;
  if (chunk_reader_.complete()) chunk_complete();
}

void Session::chunk_complete() {
  mode_ = Mode::Command;
  ++completed_;
  if (last_chunk_ && !chunks_refused_) {
    chunk_reader_.end(*content_);
    return end_of_content();
  }
  if (chunks_refused_) {
    fault(503, "5.5.1", "bad sequence of commands");
    if (last_chunk_) reset_transaction();
    return;
  }
  if (content_->fault() != ContentFault::None) {
    chunks_refused_ = true;
    return refuse(to_reply(content_->fault()));
  }
  reply(250, "2.0.0", "chunk received");
}

void Session::end_of_content() {
  mode_ = Mode::Command;
  ++completed_;
  if (content_->fault() != ContentFault::None) {
    refuse(to_reply(content_->fault()));
    return reset_transaction();
  }
  act(TakeMessage{make_submission()});
}

Submission Session::make_submission() {
  Submission submission;
  submission.account = *account_;
  submission.mail_from = std::move(mail_.from);
  submission.envid = std::move(mail_.envid);
  submission.smtputf8 = mail_.smtputf8;
  submission.protocol = mail_.smtputf8 ? "UTF8SMTPSA" : "ESMTPSA";
  submission.recipients = std::move(recipients_);
  submission.message = content_->take(reservation_);
  return submission;
}

Session::Output Session::message_result(Result<Accepted, IntakeError> result) {
  go_on();
  if (result) {
    errors_ = 0;  // whoever hands in good mail may go on making mistakes beside it
    reply(250, "2.6.0", "queued as " + result->id.text());
  } else {
    refuse(to_reply(result.error()));
  }
  reset_transaction();
  return advance();
}

}  // namespace sealpost::smtp
