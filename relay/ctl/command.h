// SPDX-License-Identifier: Apache-2.0
// The shape of sealpostctl: a table of subcommands, what each is given, and how it reports.
#pragma once

#include <Poco/JSON/Object.h>
#include <sysexits.h>

#include <boost/program_options.hpp>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"
#include "conf/loader.h"
#include "relay/services.h"

namespace sealpost::ctl {

/// What a subcommand works with.
struct Context {
  Services& services;
  const Settings& settings;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool json = false;
};

/// What a subcommand works with that must do without store and settings, since it looks for what is wrong with them.
struct Surroundings {
  SettingsSource settings;
  std::ostream& out;
};

using Options = boost::program_options::variables_map;

/// One row of the table. Exit codes follow sysexits.h.
struct Subcommand {
  std::string name;                                                           ///< "queue list"
  std::string arguments;                                                      ///< "ID", as usage shows it
  std::string summary;                                                        ///< one line for the help
  std::vector<std::string> positional;                                        ///< required ones, by name
  std::function<void(boost::program_options::options_description&)> declare;  ///< options; may be empty
  std::function<int(Context&, const Options&)> run;
  std::function<int(const Surroundings&, const Options&)> run_alone = {};  ///< instead of `run`
  std::string repeated = {};                                               ///< words of which there may be any number
};

/// All subcommands, in the order of the help (table.cpp); each family in a file of its own.
const std::vector<Subcommand>& subcommands();
std::vector<Subcommand> account_commands();
std::vector<Subcommand> token_commands();
std::vector<Subcommand> queue_commands();
std::vector<Subcommand> queue_action_commands();
std::vector<Subcommand> queue_verify_commands();
std::vector<Subcommand> top_commands();
std::vector<Subcommand> explain_commands();
std::vector<Subcommand> suppression_commands();
std::vector<Subcommand> webhook_commands();
std::vector<Subcommand> key_commands();
std::vector<Subcommand> key_life_commands();
std::vector<Subcommand> audit_commands();
std::vector<Subcommand> check_commands();

/// Prints the error's text and returns the exit code that fits its kind.
int fail(Context& context, const Error& error);

/// Tells what was done, as a sentence or as an object; exit code 0.
int done(Context& context, const std::string& sentence, const Poco::JSON::Object& object);

/// The whole of sealpostctl behind its main: parses, connects, runs one subcommand.
int run_ctl(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace sealpost::ctl
