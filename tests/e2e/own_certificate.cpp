// SPDX-License-Identifier: Apache-2.0
// Implements own_certificate.h. `openssl ca` is the one command of OpenSSL 3.0 that takes times to the second.
#include "tests/e2e/own_certificate.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <stdexcept>

#include "base/encoding.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

std::string openssl(std::vector<std::string> command) {
  command.insert(command.begin(), "openssl");
  auto done = run(command);
  if (done.status != 0) throw std::runtime_error("openssl " + command[1] + ": " + done.err);
  return std::move(done.out);
}

std::vector<std::string> key_options(const std::string& kind) {
  if (kind == "RSA") return {"-newkey", "rsa:2048"};
  return {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + kind};
}

/// ASN.1 GeneralizedTime.
std::string stamp(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts)};
}

std::string config(const std::string& place, const OwnCertificate::Recipe& recipe) {
  return "[ca]\ndefault_ca = own\n[own]\ndatabase = " + place + "/index\nserial = " + place +
         "/serial\nnew_certs_dir = " + place +
         "\ndefault_md = sha256\npolicy = any\n[any]\ncommonName = optional\n[mail]\n"
         "basicConstraints = critical, CA:" +
         (recipe.authority ? "TRUE" : "FALSE") + "\nkeyUsage = critical, " +
         (recipe.authority       ? "keyCertSign"
          : recipe.kind == "RSA" ? "digitalSignature, keyEncipherment"
                                 : "keyAgreement") +
         "\nsubjectAltName = email:" + recipe.address + "\n";
}

}  // namespace

OwnCertificate::OwnCertificate(const Recipe& recipe) {
  dir_.write("ca.conf", config(dir_.path().string(), recipe));
  dir_.write("index", "");
  dir_.write("serial", "01\n");
  std::vector<std::string> request = {"req",  "-new",       "-nodes",  "-subj",         "/CN=Own",
                                      "-out", dir_ / "csr", "-keyout", dir_ / "own.key"};
  const auto key = key_options(recipe.kind);
  request.insert(request.end(), key.begin(), key.end());
  openssl(request);
  const auto now = std::chrono::system_clock::now();
  end_ = now + recipe.ends;
  openssl({"ca", "-batch", "-selfsign", "-config", dir_ / "ca.conf", "-in", dir_ / "csr", "-keyfile", dir_ / "own.key",
           "-out", dir_ / "own.pem", "-notext", "-startdate", stamp(now + recipe.begins), "-enddate", stamp(end_),
           "-extensions", "mail"});
  dir_.write("both.pem", pem() + private_key());
}

std::string OwnCertificate::converted(std::vector<std::string> command) const {
  command.insert(command.end(), {"-outform", "DER", "-out", dir_ / "converted"});
  openssl(std::move(command));
  return read_file(dir_ / "converted");
}
std::string OwnCertificate::der() const { return converted({"x509", "-in", dir_ / "own.pem"}); }
std::string OwnCertificate::pkcs7() const { return converted({"crl2pkcs7", "-nocrl", "-certfile", dir_ / "own.pem"}); }

std::string OwnCertificate::fingerprint() const {
  std::string text = openssl({"x509", "-in", dir_ / "own.pem", "-noout", "-fingerprint", "-sha256"});
  text = ascii_lower(text.substr(text.find('=') + 1));
  std::erase_if(text, [](unsigned char c) { return std::isxdigit(c) == 0; });
  return text;
}

void OwnCertificate::wait_for_its_end() const {
  const auto past = [this] { return std::chrono::system_clock::now() > end_ + std::chrono::seconds(1); };
  if (!eventually(past)) throw std::runtime_error("the certificate does not end");
}

}  // namespace sealpost::test
