// SPDX-License-Identifier: Apache-2.0
// sealpostctl account add|list|remove|password.
#include <iostream>

#include "base/clock.h"
#include "relay/ctl/command.h"
#include "relay/ctl/no_echo.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

Secret read_line(std::istream& in) {
  WipedBuffer line;
  for (int octet = in.get(); octet != std::istream::traits_type::eof() && octet != '\n'; octet = in.get()) {
    line.push_back(static_cast<char>(octet));
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return Secret(std::move(line));
}

/// From standard input (one line), or typed twice at a terminal. Never an argument: those show in ps.
Result<Secret> read_password(Context& context, const Options& options) {
  if (options.count("password-stdin") > 0) {
    Secret password = read_line(context.in);
    if (password.empty()) return Error::invalid("the password on standard input is empty");
    return password;
  }
  const NoEcho silent;
  if (!silent.active()) return Error::invalid("no terminal to ask for the password at; use --password-stdin");
  context.err << "Password: " << std::flush;
  Secret first = read_line(context.in);
  context.err << "\nAgain: " << std::flush;
  const Secret second = read_line(context.in);
  context.err << '\n';
  if (first.empty()) return Error::invalid("the password is empty");
  if (!first.equals(second.reveal())) return Error::invalid("the two passwords differ");
  return first;
}

void declare_password(po::options_description& options) {
  options.add_options()("password-stdin", "read the password from standard input (one line)");
}

Poco::JSON::Object to_json(const Account& account) {
  Poco::JSON::Array send_as;
  for (const auto& entry : account.send_as) send_as.add(entry);
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("name", account.name);
  object.set("send_as", send_as);
  object.set("admin", account.admin);
  object.set("created", to_rfc3339(account.created));
  return object;
}

int add_account(Context& context, const Options& options) {
  Account account;
  account.name = options["NAME"].as<std::string>();
  account.send_as = options["send-as"].as<std::vector<std::string>>();
  account.admin = options.count("admin") > 0;
  // Nobody should type a password twice for an account that cannot be.
  if (auto fits = context.services.accounts().check_new(account); !fits) return fail(context, fits.error());
  auto password = read_password(context, options);
  if (!password) return fail(context, password.error());
  if (auto added = context.services.accounts().add(account, *password); !added) return fail(context, added.error());
  auto stored = context.services.accounts().find(account.name);
  if (!stored) return fail(context, stored.error());
  return done(context, "Account " + account.name + " added.", to_json(*stored));
}

int list_accounts(Context& context, const Options&) {
  auto accounts = context.services.accounts().list();
  if (!accounts) return fail(context, accounts.error());
  Poco::JSON::Array array;
  std::vector<std::vector<std::string>> rows;
  for (const auto& account : *accounts) {
    std::string joined;
    for (const auto& entry : account.send_as) joined += (joined.empty() ? "" : " ") + entry;
    array.add(to_json(account));
    rows.push_back({account.name, account.admin ? "admin" : "", to_rfc3339(account.created), joined});
  }
  if (context.json) {
    print_json(context.out, array);
  } else {
    print_table(context.out, {"NAME", "ROLE", "CREATED", "MAY SEND AS"}, rows);
  }
  return EX_OK;
}

int remove_account(Context& context, const Options& options) {
  const auto& name = options["NAME"].as<std::string>();
  // First: broken off here, the command can be given again.
  if (auto revoked = context.services.tokens().revoke_all_of(name); !revoked) return fail(context, revoked.error());
  if (auto gone = context.services.webhooks().remove_all_of(name); !gone) return fail(context, gone.error());
  if (auto removed = context.services.accounts().remove(name); !removed) return fail(context, removed.error());
  return done(context, "Account " + name + " removed.", outcome("name", name, "removed"));
}

int password(Context& context, const Options& options) {
  const auto& name = options["NAME"].as<std::string>();
  if (auto there = context.services.accounts().find(name); !there) return fail(context, there.error());
  auto fresh = read_password(context, options);
  if (!fresh) return fail(context, fresh.error());
  if (auto set = context.services.accounts().set_password(name, *fresh); !set) return fail(context, set.error());
  return done(context, "Password of " + name + " changed.", outcome("name", name, "password_changed"));
}

}  // namespace

std::vector<Subcommand> account_commands() {
  return {
      {"account add",
       "NAME --send-as ADDRESS|@DOMAIN...",
       "add an account that may submit mail",
       {"NAME"},
       [](po::options_description& options) {
         options.add_options()("send-as", po::value<std::vector<std::string>>()->required()->composing()->multitoken(),
                               "address, or @domain, that the account may send as (repeatable)");
         options.add_options()("admin", "may also operate the relay");
         declare_password(options);
       },
       add_account},
      {"account list", "", "list the accounts", {}, {}, list_accounts},
      {"account remove",
       "NAME",
       "remove an account, its tokens and webhooks; what it submitted is still delivered",
       {"NAME"},
       {},
       remove_account},
      {"account password", "NAME", "set a new password", {"NAME"}, declare_password, password},
  };
}

}  // namespace sealpost::ctl
