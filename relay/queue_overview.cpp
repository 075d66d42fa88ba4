// SPDX-License-Identifier: Apache-2.0
// Implements queue_overview.h.
#include "relay/queue_overview.h"

#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "base/openssl.h"
#include "relay/delivery/routes.h"

namespace sealpost {
namespace {

Result<Time> end_of_file(const std::string& path) {
  const BioPtr file(BIO_new_file(path.c_str(), "r"));
  const X509Ptr certificate(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return Error::invalid(path + ": no certificate can be read", openssl_errors());
  return not_after(certificate.get());
}

}  // namespace

CertificateStatus certificate_status(const KeySummary& recipients, const std::vector<WatchedCertificate>& relays,
                                     Time now, std::size_t rows) {
  CertificateStatus status{recipients.ended, recipients.ending, {}};
  for (const auto& relay : relays) {
    const auto end = relay.not_after();
    if (!end || *end > now + ends_soon) continue;
    ++(*end <= now ? status.ended : status.ending);
    status.soonest.push_back({relay.name, {}, *end});
  }
  for (const auto& own : recipients.soonest) status.soonest.push_back({"recipient", own.address, own.ends});
  std::stable_sort(status.soonest.begin(), status.soonest.end(),
                   [](const auto& a, const auto& b) { return a.ends < b.ends; });
  if (status.soonest.size() > rows) status.soonest.resize(rows);
  return status;
}

QueueOverview::QueueOverview(Services& services, const Settings& settings, std::vector<WatchedCertificate> certificates)
    : services_(services),
      pool_size_(settings.keys.pool_size),
      route_(route_name(settings.delivery.route)),
      certificates_(std::move(certificates)) {}

Result<PoolStatus> QueueOverview::pool() const {
  auto ready = services_.vault().pool_stock();
  if (!ready) return ready.error();
  return PoolStatus{*ready, pool_size_};
}

Result<KeyStatus> QueueOverview::keys(Time now, std::size_t rows) const {
  auto stock = pool();
  if (!stock) return stock.error();
  auto summary = read_key_summary(services_.redis(), now, rows);
  if (!summary) return summary.error();
  return KeyStatus{*stock,
                   {summary->not_picked_up, summary->oldest_not_picked_up},
                   certificate_status(*summary, certificates_, now, rows)};
}

Result<QueueSummary> QueueOverview::read(std::size_t rows) const {
  auto summary = services_.queue_view().summary(rows);
  if (!summary) return summary;
  if (!route_.empty()) {
    if (auto shared = share_concurrency(services_.redis(), route_, *summary); !shared) return shared.error();
  }
  auto status = keys(services_.clock().now(), rows);
  if (!status) return status.error();
  summary->keys = std::move(*status);
  return summary;
}

QueueOverview tool_overview(Services& services, const Settings& settings) {
  std::vector<WatchedCertificate> certificates = {
      {"issuing_ca", [&services] { return not_after(services.authority().issuing()); }}};
  const std::string& file = settings.tls.certificate;
  if (!file.empty()) certificates.push_back({"tls", [file] { return end_of_file(file); }});
  return {services, settings, std::move(certificates)};
}

}  // namespace sealpost
