// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the arguments of MAIL and RCPT, and xtext. Whatever comes, a reply fits on one line, and what was taken
// is as the queue expects it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/encoding.h"
#include "relay/smtp/syntax.h"

namespace {

using namespace sealpost;  // NOLINT(google-build-using-namespace): a program of one file

void require(bool condition) {
  if (!condition) std::abort();
}

void check_reply(const smtp::Reply& reply) {
  require(reply.code >= 500 && reply.code < 600 && reply.enhanced.starts_with("5."));
  require(reply.text.size() < 200 && is_ascii(reply.text) && reply.text.find_first_of("\r\n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto mail = smtp::parse_mail(text);
  if (!mail) {
    check_reply(mail.error());
  } else {
    require(mail->envid.size() <= 100);
    require(!mail->from || mail->smtputf8 || !mail->from->needs_smtputf8());
  }
  for (const bool smtputf8 : {false, true}) {
    const auto rcpt = smtp::parse_rcpt(text, smtputf8);
    if (!rcpt) {
      check_reply(rcpt.error());
    } else {
      require(rcpt->dsn.orcpt.size() <= 500 && is_ascii(rcpt->dsn.orcpt));
      require(!rcpt->dsn.never || (!rcpt->dsn.success && !rcpt->dsn.failure && !rcpt->dsn.delay));
      require(smtputf8 || !rcpt->to.needs_smtputf8());
    }
  }
  if (const auto decoded = decode_xtext(text)) require(decoded->size() <= text.size());
  return 0;
}
