// SPDX-License-Identifier: Apache-2.0
// One SMTP submission session without I/O (RFC 5321, 6409): octets and results in, replies and actions out. Who logs
// in, which recipients are taken and where messages go is decided by whoever carries out the actions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/memory_budget.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "relay/message_sink.h"
#include "relay/scram.h"
#include "relay/smtp/content_reader.h"
#include "relay/smtp/reply.h"
#include "relay/smtp/syntax.h"

namespace sealpost::smtp {

struct SessionOptions {
  std::string hostname;
  std::uint64_t max_message_size = 0;
  std::size_t max_recipients = 0;
};

/// Is this the account's password (PLAIN, LOGIN)? Answer: login_result().
struct CheckLogin {
  std::string name;
  Secret password;
};
/// What is stored for this name (SCRAM)? Answer: verifier_result().
struct FindVerifier {
  std::string name;
};
/// Is this the proof that the exchange asks for? Not compared here, so that whoever carries it out can slow guessing
/// down. Answer: proof_result() with exchange.finish(client_final).
struct CheckProof {
  ScramExchange exchange;
  std::string client_final;
};
/// The proof fitted: the account, please. Answer: login_result().
struct FindAccount {
  std::string name;
};
/// May a transaction begin: is the account still the one that logged in, and is there room for a message? Answer:
/// admission_result(), or account_changed().
struct CheckRoom {
  Account account;
};
/// Answer: recipient_result().
struct CheckRecipient {
  Account account;
  EmailAddress address;
  std::size_t unassigned = 0;
};
/// Answer: message_result().
struct TakeMessage {
  Submission submission;
  std::chrono::steady_clock::time_point ended = {};  ///< its content; for whoever carries this out, who has a clock
};
using Action = std::variant<CheckLogin, FindVerifier, CheckProof, FindAccount, CheckRoom, CheckRecipient, TakeMessage>;

class Session final {
 public:
  enum class Next { Read, StartTls, Close };
  /// Send `replies`, then carry out `action` if there is one (nothing more is read before its result), then go on.
  struct Output {
    std::string replies;
    std::optional<Action> action;
    Next next = Next::Read;
    /// The codes of those replies that refuse a message, or one of its recipients.
    std::vector<int> refusals = {};
  };

  Session(SessionOptions options, MemoryBudget& budget, Random& random, bool tls);

  /// Grows with every line, content and answer to an action that is complete, and with every 64 KiB of content: a
  /// client that sends an octet now and then gets nowhere.
  [[nodiscard]] std::uint64_t progress() const { return completed_ + content_octets_ / content_step; }
  [[nodiscard]] bool logged_in() const { return account_.has_value(); }

  Output open();
  Output receive(std::string_view octets);
  Output tls_started();
  /// Nothing was complete for smtp.idle_timeout, or no login in time.
  Output time_out();

  Output login_result(Result<Account> result);
  Output verifier_result(Result<ScramVerifier> result);
  /// The value is server-final-message.
  Output proof_result(Result<std::string> result);
  Output admission_result(std::optional<IntakeError> refusal);
  /// The login is void: what the account may do now, only a new one tells.
  Output account_changed();
  Output recipient_result(Result<Admission, IntakeError> result);
  Output message_result(Result<Accepted, IntakeError> result);

 private:
  enum class State { Fresh, Greeted, Mail, Recipients };
  enum class Mode { Command, AuthLine, Data, Chunk, Waiting, Closed };
  enum class AuthStep { None, Plain, LoginName, LoginPassword, ScramFirst, ScramFinal, ScramDone };
  static constexpr std::uint64_t content_step = 64UL * 1024;
  struct Command;
  static const std::vector<Command>& table();

  Output advance();
  template <class Reader>
  void read_content(Reader& reader);
  bool take_line(std::string& line, std::size_t limit, bool& too_long);
  void command_line(const std::string& line);
  void reply(int code, std::string_view enhanced, std::string text);
  void fault(int code, std::string_view enhanced, std::string text);
  void refuse(const Reply& refusal);
  void unreadable(int code, std::string text, bool bdat);
  void act(Action action);
  /// The action's result is there.
  void go_on();
  void close();
  void reset_transaction();

  void helo(std::string_view argument);
  void ehlo(std::string_view argument);
  void starttls(std::string_view argument);
  void auth(std::string_view argument);
  void mail(std::string_view argument);
  void rcpt(std::string_view argument);
  void data(std::string_view argument);
  void bdat(std::string_view argument);
  void rset(std::string_view argument);
  void noop(std::string_view argument);
  void quit(std::string_view argument);
  void help(std::string_view argument);
  void vrfy(std::string_view argument);
  void expn(std::string_view argument);

  void auth_line(std::string_view line);
  void auth_response(const WipedBuffer& response);
  void challenge(std::string_view text);
  void plain(const WipedBuffer& response);
  void scram_first(const WipedBuffer& response);
  void scram_final(const WipedBuffer& response);
  void auth_failed();

  void end_of_content();
  void chunk_complete();
  [[nodiscard]] Submission make_submission();

  SessionOptions options_;
  MemoryBudget& budget_;
  Random& random_;
  bool tls_;
  State state_ = State::Fresh;
  Mode mode_ = Mode::Command;
  WipedBuffer input_;
  std::size_t consumed_ = 0;
  bool discarding_line_ = false;
  bool discarded_bdat_ = false;  ///< the line that is being discarded began with BDAT
  Output output_;
  int errors_ = 0;
  std::uint64_t completed_ = 0;  ///< lines, contents, answers
  std::uint64_t content_octets_ = 0;

  AuthStep auth_step_ = AuthStep::None;
  std::string login_name_;
  std::optional<ScramExchange> scram_;
  std::optional<Account> account_;

  MailArguments mail_;
  std::optional<RcptArguments> pending_recipient_;
  std::vector<SubmissionRecipient> recipients_;
  std::size_t unassigned_ = 0;
  std::optional<ContentStore> content_;
  MemoryBudget::Reservation reservation_;
  DataReader data_reader_;
  ChunkReader chunk_reader_;
  bool last_chunk_ = false;
  bool chunking_ = false;        ///< a BDAT of this transaction was taken
  bool chunks_refused_ = false;  ///< a BDAT failed: those that follow get 503
};

}  // namespace sealpost::smtp
