// SPDX-License-Identifier: Apache-2.0
// Addresses: one mailbox, a domain, and the address list of a header field.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/email_address.h"
#include "base/header_addresses.h"

using namespace sealpost;  // NOLINT(google-build-using-namespace): one function

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// What the rest of the relay relies on for every address that was let in.
void check(const EmailAddress& address) {
  const auto again = EmailAddress::parse(address.text());
  require(again.ok() && again->directory_key() == address.directory_key());
  const auto ascii = EmailAddress::parse(address.ascii_domain_form());
  require(ascii.ok() && ascii->directory_key() == address.directory_key());
  // One path component, which is neither hidden nor the folder above.
  const std::string folder = address.folder_name();
  require(!folder.empty() && folder.front() != '.' && folder.find('/') == std::string::npos);
  for (const unsigned char c : address.text()) require(c >= 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto address = EmailAddress::parse(text)) check(*address);
  if (const auto domain = DomainName::parse(text)) {
    const auto again = DomainName::parse(domain->a_label());
    require(again.ok() && again->a_label() == domain->a_label() && domain->a_label().size() <= 253);
  }
  if (const auto list = parse_address_list(text)) {
    for (const auto& address : *list) check(address);
  }
  return 0;
}
