// SPDX-License-Identifier: Apache-2.0
// Implements doctor.h: what stands on this machine, files and TLS certificate, and the links that it hands out.
#include <Poco/URI.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/net/tls_context.h"
#include "conf/values.h"
#include "notify/templates.h"
#include "relay/ctl/doctor.h"

namespace sealpost::ctl {
namespace {

constexpr std::time_t early_warning = std::time_t{14} * 24 * 3600;

std::string date_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return to_utc_day(from_milliseconds(static_cast<std::int64_t>(timegm(&parts)) * 1000));
}

/// What a client that verifies would object to.
void check_certificate(X509* certificate, const Examination& examination, Findings& findings) {
  const std::string& file = examination.settings.tls.certificate;
  const std::string& hostname = examination.settings.relay.hostname;
  std::time_t now = to_milliseconds(examination.clock.now()) / 1000;
  std::time_t soon = now + early_warning;
  if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0) {
    findings.push_back({"tls",
                        file + ": the certificate is not valid before " + date_of(X509_get0_notBefore(certificate)),
                        "look at the clock, or name another one"});
  }
  if (X509_cmp_time(X509_get0_notAfter(certificate), &now) < 0) {
    findings.push_back({"tls", file + ": the certificate has expired", "renew it"});
  } else if (X509_cmp_time(X509_get0_notAfter(certificate), &soon) < 0) {
    findings.push_back({"tls", file + ": the certificate ends on " + date_of(X509_get0_notAfter(certificate)),
                        "renew it, then send sealpostd a SIGHUP"});
  }
  if (X509_check_host(certificate, hostname.data(), hostname.size(), 0, nullptr) != 1) {
    findings.push_back({"tls", file + ": the certificate is not for relay.hostname (" + hostname + ")",
                        "senders that verify will refuse it; change one of the two"});
  }
}

}  // namespace

void check_files(const Examination& examination, Findings& findings) {
  const std::string& folder = examination.settings.relay.state_dir;
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) {
    findings.push_back({"files", "relay.state_dir: " + folder + ": " + std::strerror(errno),
                        errno == ENOENT ? "sealpostd makes it when it is started" : ""});
  } else if (!S_ISDIR(status.st_mode)) {
    findings.push_back(
        {"files", "relay.state_dir: " + folder + ": not a folder", "name another one, or move what stands there"});
  } else if ((status.st_mode & 077U) != 0) {
    findings.push_back({"files", "relay.state_dir: " + folder + ": others may enter it", "chmod 700"});
  } else if (access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.push_back({"files", "relay.state_dir: " + folder + ": " + std::strerror(errno), "run this as its owner"});
  }
}

void check_tls(const Examination& examination, Findings& findings) {
  const TlsSettings& tls = examination.settings.tls;
  if (tls.certificate.empty()) {
    findings.push_back(
        {"tls", "the certificate is self-signed: no sender can verify it", "set tls.certificate and tls.private_key"});
    return;
  }
  auto loaded = net::TlsContext::load(tls.certificate, tls.private_key);
  if (!loaded) {
    findings.push_back({"tls", loaded.error().public_text, loaded.error().internal_detail});
    return;
  }
  const auto context = (*loaded)->current();
  check_certificate(SSL_CTX_get0_certificate(context->sslContext()), examination, findings);
}

void check_links(const Examination& examination, Findings& findings) {
  const std::string& url = examination.settings.http.public_url;
  // Mail into a folder of this machine is read on this machine.
  const bool stays_here = examination.settings.delivery.route.kind == Route::Kind::Maildir;
  if (stays_here || !is_loopback_host(Poco::URI(url).getHost())) return;
  findings.push_back({"links", "http.public_url is " + url + ": recipients cannot open a link to it",
                      "set it to an https URL that leads to http.listen or http.listen_tls"});
}

void check_words(const Examination& examination, Findings& findings) {
  auto loaded = load_templates(examination.settings.notify, examination.settings.recipient_domains);
  if (!loaded) findings.push_back({"words", loaded.error().public_text, "see docs/templates.md"});
}

}  // namespace sealpost::ctl
