// SPDX-License-Identifier: Apache-2.0
// sealpostctl key show|assign|pool status|pool fill|ca.

#include <charconv>
#include <ostream>

#include "crypto/certificate.h"
#include "notify/codes.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

Poco::JSON::Object to_json(const KeyRecord& key) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  const auto time = [](const std::optional<Time>& value) {
    return value ? Poco::Dynamic::Var(to_rfc3339(*value)) : Poco::Dynamic::Var();
  };
  object.set("address", key.address);
  object.set("state", std::string(to_text(key.state)));
  object.set("fingerprint", key.fingerprint);
  object.set("placeholder", key.placeholder.empty() ? Poco::Dynamic::Var() : Poco::Dynamic::Var(key.placeholder));
  object.set("assigned", to_rfc3339(key.assigned));
  object.set("expires", time(key.expires));
  object.set("picked_up", time(key.picked_up));
  return object;
}

int print_key(Context& context, const KeyRecord& key, const std::optional<Secret>& code = std::nullopt) {
  auto pem = to_pem(key.certificate);
  if (!pem) return fail(context, pem.error());
  if (context.json) {
    auto object = to_json(key);
    object.set("certificate", *pem);
    if (code) object.set("code", std::string(code->reveal()));
    print_json(context.out, object);
    return EX_OK;
  }
  const auto time = [](const std::optional<Time>& value) { return value ? to_rfc3339(*value) : std::string("-"); };
  context.out << "address:     " << key.address << "\nbound:       "
              << (key.placeholder.empty() ? "generated for the address" : key.placeholder + " → " + key.address)
              << "\nstate:       " << to_text(key.state) << "\nfingerprint: " << key.fingerprint
              << "\nassigned:    " << to_rfc3339(key.assigned) << "\nexpires:     " << time(key.expires)
              << "\npicked up:   " << time(key.picked_up) << '\n';
  if (code) context.out << "code:        " << code->reveal() << '\n';
  context.out << *pem;
  return EX_OK;
}

int show_key(Context& context, const Options& options) {
  auto address = EmailAddress::parse(options["ADDRESS"].as<std::string>());
  if (!address) return fail(context, address.error());
  auto key = context.services.directory().find(*address);
  if (!key) return fail(context, key.error());
  if (!key->has_value()) return fail(context, Error::not_found("there is no key for " + address->text()));
  return print_key(context, **key);
}

int assign(Context& context, const Options& options) {
  auto address = EmailAddress::parse(options["ADDRESS"].as<std::string>());
  if (!address) return fail(context, address.error());
  auto assignment = context.services.directory().find_or_assign(*address, {});
  if (!assignment) return fail(context, assignment.error());
  if (assignment->assigned) {
    if (auto due = context.services.directory().release_notification(*address); !due) return fail(context, due.error());
  } else {
    context.err << "There was a key already.\n";
  }
  std::optional<Secret> code;
  if (assignment->assigned && context.settings.notify.code_to == CodeTo::Sender) {
    code = sender_code(context.services.wrapper(), assignment->row_id);
  }
  return print_key(context, assignment->key, code);
}

int pool_status(Context& context, const Options&) {
  auto stock = context.services.vault().pool_stock();
  if (!stock) return fail(context, stock.error());
  if (context.json) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    object.set("ready", *stock);
    object.set("wanted", context.settings.keys.pool_size);
    print_json(context.out, object);
  } else {
    context.out << *stock << " ready, " << context.settings.keys.pool_size << " wanted\n";
  }
  return EX_OK;
}

int pool_fill(Context& context, const Options& options) {
  const auto& text = options["N"].as<std::string>();
  std::size_t wanted = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (code != std::errc() || end != text.data() + text.size() || wanted == 0 || wanted > 100000) {
    return fail(context, Error::invalid("not a number from 1 to 100000: " + text));
  }
  auto stock = context.services.vault().pool_stock();
  if (!stock) return fail(context, stock.error());
  for (std::size_t ready = *stock; ready < wanted; ++ready) {
    draw_progress(context.err, ready, wanted);
    if (auto added = context.services.vault().add_to_pool(); !added) return fail(context, added.error());
  }
  draw_progress(context.err, wanted, wanted);
  return pool_status(context, options);
}

int ca(Context& context, const Options&) {
  auto pem = context.services.authority().pem();
  if (!pem) return fail(context, pem.error());
  if (context.json) {
    Poco::JSON::Object object;
    object.set("pem", *pem);
    print_json(context.out, object);
  } else {
    context.out << *pem;
  }
  return EX_OK;
}

}  // namespace

std::vector<Subcommand> key_commands() {
  return {
      {"key show", "ADDRESS", "the key of an address", {"ADDRESS"}, {}, show_key},
      {"key assign", "ADDRESS", "give an address a key and notify it", {"ADDRESS"}, {}, assign},
      {"key pool status", "", "how many pairs are ready", {}, {}, pool_status},
      {"key pool fill", "N", "make pairs until N are ready", {"N"}, {}, pool_fill},
      {"key ca", "", "the CA certificates as PEM", {}, {}, ca},
  };
}

}  // namespace sealpost::ctl
