// SPDX-License-Identifier: Apache-2.0
// sealpostctl suppression list|clear.
#include <ostream>

#include "conf/values.h"
#include "queue/suppression_json.h"
#include "relay/ctl/command.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

Result<SuppressionPage> read_page(Context& context, const Options& options) {
  Suppressions& suppressions = context.services.suppressions();
  if (options.count("recipient") > 0) {
    auto address = EmailAddress::parse(options["recipient"].as<std::string>());
    if (!address) return Error::invalid("--recipient: " + address.error().public_text);
    return suppressions.find(*address);
  }
  auto limit = parse_count(options["limit"].as<std::string>(), 1, 10000);
  if (!limit) return Error::invalid("--limit: " + limit.error().public_text);
  return suppressions.list(*limit, options.count("cursor") > 0 ? options["cursor"].as<std::string>() : std::string());
}

int list_suppressions(Context& context, const Options& options) {
  auto page = read_page(context, options);
  if (!page) return fail(context, page.error());
  if (context.json) {
    print_json(context.out, to_json(*page));
    return EX_OK;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : page->suppressions) {
    rows.push_back({run.address, std::to_string(run.bounces), to_rfc3339(run.last),
                    run.until ? to_rfc3339(*run.until) : "-", run.response});
  }
  print_table(context.out, {"ADDRESS", "BOUNCES", "LAST BOUNCE", "REFUSED UNTIL", "LAST RESPONSE"}, rows);
  if (!page->cursor.empty()) context.out << "More: --cursor " << page->cursor << '\n';
  return EX_OK;
}

/// All addresses are read before the first is cleared: a typing error changes nothing.
int clear(Context& context, const Options& options) {
  if (options.count("ADDRESS") == 0) return fail(context, Error::invalid("ADDRESS is missing"));
  std::vector<EmailAddress> addresses;
  for (const auto& text : options["ADDRESS"].as<std::vector<std::string>>()) {
    auto address = EmailAddress::parse(text);
    if (!address) return fail(context, Error::invalid(text + ": " + address.error().public_text));
    addresses.push_back(std::move(*address));
  }
  std::size_t count = 0;
  for (const auto& address : addresses) {
    auto cleared = clear_suppression(context.services.suppressions(), context.services.audit(),
                                     context.services.clock(), address, "operator");
    if (!cleared) return fail(context, cleared.error());
    count += *cleared ? 1 : 0;
  }
  if (count == 0) return fail(context, Error::not_found("no bounces are known of " + addresses.front().text()));
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("matched", addresses.size());
  object.set("cleared", count);
  return done(context, std::to_string(addresses.size()) + " named, " + std::to_string(count) + " cleared", object);
}

}  // namespace

std::vector<Subcommand> suppression_commands() {
  return {
      {"suppression list",
       "[--recipient ADDRESS]",
       "list addresses that are refused because they bounced",
       {},
       [](po::options_description& options) {
         auto add = options.add_options();
         add("recipient", po::value<std::string>(), "this address only");
         add("limit", po::value<std::string>()->default_value("100"), "rows at most, up to 10000");
         add("cursor", po::value<std::string>(), "where the last page ended");
       },
       list_suppressions},
      {"suppression clear", "ADDRESS...", "take mail to addresses again at once", {}, {}, clear, {}, "ADDRESS"},
  };
}

}  // namespace sealpost::ctl
