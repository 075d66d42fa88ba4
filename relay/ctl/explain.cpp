// SPDX-License-Identifier: Apache-2.0
// sealpostctl explain ADDRESS.
#include <ostream>

#include "queue/delivery_json.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/explain_address.h"

namespace sealpost::ctl {
namespace {

int explain(Context& context, const Options& options) {
  auto address = EmailAddress::parse(options["ADDRESS"].as<std::string>());
  if (!address) return fail(context, address.error());
  auto told = explain_address(context.services, context.settings, *address);
  if (!told) return fail(context, told.error());
  if (!context.json) {
    context.out << printable(told->text) << '\n';
    return EX_OK;
  }
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("address", told->address);
  const auto& key = told->facts.key;
  object.set("key", key ? key_or_null(key->fingerprint, std::string(to_text(key->state))) : Poco::Dynamic::Var());
  object.set("text", printable(told->text));
  print_json(context.out, object);
  return EX_OK;
}

}  // namespace

std::vector<Subcommand> explain_commands() {
  return {
      {"explain", "ADDRESS", "which key the next message would use, and what would happen", {"ADDRESS"}, {}, explain}};
}

}  // namespace sealpost::ctl
