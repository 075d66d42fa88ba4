// SPDX-License-Identifier: Apache-2.0
// sealpostctl's table of subcommands: finds the one that is meant, parses its options, prints help.
#include <algorithm>
#include <iostream>
#include <sstream>

#include "conf/loader.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

void append(std::vector<Subcommand>& all, std::vector<Subcommand> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

void print_help(std::ostream& out) {
  out << "Usage: sealpostctl [--config FILE] COMMAND [--json]\n\nCommands:\n";
  for (const auto& row : subcommands()) {
    std::string left = "  " + row.name + (row.arguments.empty() ? "" : " " + row.arguments);
    left.resize(std::max<std::size_t>(left.size() + 2, 56), ' ');
    out << left << row.summary << '\n';
  }
  out << "\nEvery command has --help. Without --config the settings stand in /etc/sealpost/sealpost.conf; SEALPOST_…\n"
         "variables count as for sealpostd.\n";
}

/// The subcommand whose words the arguments begin with, and how many words that is.
std::pair<const Subcommand*, std::size_t> find(const std::vector<std::string>& words) {
  for (std::size_t count : {std::size_t{3}, std::size_t{2}, std::size_t{1}}) {
    if (words.size() < count) continue;
    std::string name = words[0];
    for (std::size_t i = 1; i < count; ++i) name += " " + words[i];
    for (const auto& row : subcommands()) {
      if (row.name == name) return {&row, count};
    }
  }
  return {nullptr, 0};
}

/// What to say of words that no subcommand begins with: the family's members when the first word names one.
std::string unknown(const std::string& word) {
  std::string members;
  for (const auto& row : subcommands()) {
    if (row.name.starts_with(word + " ")) {
      members += (members.empty() ? "" : ", ") + row.name.substr(word.size() + 1);
    }
  }
  return members.empty() ? "unknown command: " + word : word + " needs one of: " + members;
}

struct Parsed {
  Options options;
  std::string help;
};

Result<Parsed> parse(const Subcommand& row, const std::vector<std::string>& arguments) {
  po::options_description visible("Options");
  visible.add_options()("json", "print JSON")("help", "show this help");
  if (row.declare) row.declare(visible);
  po::options_description all;
  all.add(visible);
  po::positional_options_description positions;
  for (const auto& name : row.positional) {
    all.add_options()(name.c_str(), po::value<std::string>()->required());
    positions.add(name.c_str(), 1);
  }
  if (!row.repeated.empty()) {
    all.add_options()(row.repeated.c_str(), po::value<std::vector<std::string>>()->composing());
    positions.add(row.repeated.c_str(), -1);
  }
  Parsed parsed;
  std::ostringstream help;
  help << "Usage: sealpostctl " << row.name << ' ' << row.arguments << "\n" << row.summary << "\n\n" << visible;
  parsed.help = help.str();
  try {
    using Style = po::command_line_style::style_t;
    const int style = Style::unix_style & ~Style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(all).positional(positions).style(style).run(), parsed.options);
    if (parsed.options.count("help") == 0) po::notify(parsed.options);
  } catch (const po::required_option& why) {
    const std::string name = why.get_option_name();
    const bool word = std::find(row.positional.begin(), row.positional.end(), name.substr(2)) != row.positional.end();
    return Error::invalid((word ? name.substr(2) : name) + " is missing");
  } catch (const po::error& why) {
    return Error::invalid(why.what());
  }
  return parsed;
}

/// Takes `--config FILE` or `--config=FILE` out of the arguments, wherever it stands.
Result<std::string> take_config(std::vector<std::string>& arguments) {
  std::string file;
  for (auto at = arguments.begin(); at != arguments.end();) {
    const bool apart = *at == "--config";
    if (!apart && !at->starts_with("--config=")) {
      ++at;
      continue;
    }
    if (apart && at + 1 == arguments.end()) return Error::invalid("--config needs a file");
    if (!file.empty()) return Error::invalid("--config is given twice");
    file = apart ? *(at + 1) : at->substr(9);
    at = arguments.erase(at, at + (apart ? 2 : 1));
  }
  return file;
}

void complain(std::ostream& err, const Error& error) {
  err << "sealpostctl: " << error.public_text;
  if (!error.internal_detail.empty()) err << " (" << error.internal_detail << ')';
  err << '\n';
}

int run_subcommand(const Subcommand& row, const Parsed& parsed, const std::string& config, std::istream& in,
                   std::ostream& out, std::ostream& err) {
  const SettingsSource source{settings_file(config), {}, process_environment()};
  if (row.run_alone) return row.run_alone({source, out}, parsed.options);
  auto settings = load_settings(source);
  if (!settings) {
    complain(err, settings.error());
    return EX_CONFIG;
  }
  SystemClock clock;
  Log log(LogLevel::Warning, LogFormat::Text, clock);
  auto services = Services::open(settings->settings, clock, log, Services::Role::Tool);
  if (!services) {
    complain(err, services.error());
    return services.error().kind == ErrorKind::Invalid ? EX_CONFIG : EX_UNAVAILABLE;
  }
  Context context{**services, settings->settings, in, out, err, parsed.options.count("json") > 0};
  return row.run(context, parsed.options);
}

}  // namespace

const std::vector<Subcommand>& subcommands() {
  static const std::vector<Subcommand> all = [] {
    std::vector<Subcommand> rows;
    append(rows, account_commands());
    append(rows, token_commands());
    append(rows, queue_commands());
    append(rows, queue_action_commands());
    append(rows, queue_verify_commands());
    append(rows, top_commands());
    append(rows, explain_commands());
    append(rows, suppression_commands());
    append(rows, webhook_commands());
    append(rows, key_commands());
    append(rows, key_life_commands());
    append(rows, audit_commands());
    append(rows, check_commands());
    return rows;
  }();
  return all;
}

int fail(Context& context, const Error& error) {
  complain(context.err, error);
  switch (error.kind) {
    case ErrorKind::Temporary:
      return EX_UNAVAILABLE;
    case ErrorKind::Invalid:
      return EX_USAGE;
    case ErrorKind::NotFound:
    case ErrorKind::Permanent:
      return EX_DATAERR;
    case ErrorKind::Internal:
      return EX_SOFTWARE;
  }
  return EX_SOFTWARE;
}

int done(Context& context, const std::string& sentence, const Poco::JSON::Object& object) {
  if (context.json) {
    print_json(context.out, object);
  } else {
    context.out << sentence << '\n';
  }
  return EX_OK;
}

int run_ctl(const std::vector<std::string>& given, std::istream& in, std::ostream& out, std::ostream& err) {
  std::vector<std::string> arguments = given;
  auto config = take_config(arguments);
  if (!config) {
    err << "sealpostctl: " << config.error().public_text << '\n';
    return EX_USAGE;
  }
  if (arguments.empty() || arguments.front() == "--help" || arguments.front() == "help") {
    print_help(arguments.empty() ? err : out);
    return arguments.empty() ? EX_USAGE : EX_OK;
  }
  if (arguments.front() == "--version") {
    out << "sealpostctl " SEALPOST_VERSION "\n";
    return EX_OK;
  }
  const auto [row, words] = find(arguments);
  if (row == nullptr) {
    err << "sealpostctl: " << unknown(arguments.front()) << "; try sealpostctl --help\n";
    return EX_USAGE;
  }
  auto parsed = parse(*row, {arguments.begin() + static_cast<std::ptrdiff_t>(words), arguments.end()});
  if (!parsed) {
    err << "sealpostctl " << row->name << ": " << parsed.error().public_text << '\n';
    return EX_USAGE;
  }
  if (parsed->options.count("help") > 0) {
    out << parsed->help;
    return EX_OK;
  }
  return run_subcommand(*row, *parsed, *config, in, out, err);
}

}  // namespace sealpost::ctl
