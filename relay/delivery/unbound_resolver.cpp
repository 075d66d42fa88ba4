// SPDX-License-Identifier: Apache-2.0
// Implements unbound_resolver.h: questions are asked asynchronously, so that each waits within its own deadline.
#include "relay/delivery/unbound_resolver.h"

#include <poll.h>
#include <unbound.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "conf/values.h"

namespace sealpost {
namespace {

constexpr int class_in = 1;
constexpr int type_a = 1;
constexpr int type_mx = 15;
constexpr int type_aaaa = 28;
constexpr int rcode_ok = 0;
constexpr int rcode_no_name = 3;

/// The octets of each record.
std::vector<std::string_view> data_of(const ub_result& result) {
  std::vector<std::string_view> all;
  for (int i = 0; result.data != nullptr && result.data[i] != nullptr; ++i) {
    all.emplace_back(result.data[i], static_cast<std::size_t>(result.len[i]));
  }
  return all;
}

/// A name in wire format without compression (RFC 1035 section 3.1), lower case; nothing for one with labels that no
/// host name has.
std::optional<std::string> host_of(std::string_view wire) {
  std::string name;
  while (!wire.empty() && wire.front() != '\0') {
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(wire.front()));
    if (size > 63 || size >= wire.size()) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const char c : wire.substr(1, size)) {
      const bool fine = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
      if (!fine) return std::nullopt;
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    wire.remove_prefix(size + 1);
  }
  return wire.empty() ? std::nullopt : std::optional(name);
}

std::optional<MxRecord> mx_of(std::string_view data) {
  if (data.size() < 3) return std::nullopt;
  const auto octet = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(data[at])); };
  auto host = host_of(data.substr(2));
  if (!host) return std::nullopt;
  return MxRecord{static_cast<std::uint16_t>(octet(0) << 8U | octet(1)), *host};
}

Error unknown(std::string detail) { return Error::temporary("DNS gives no answer now", std::move(detail)); }

}  // namespace

/// One question under way. It lives as long as the longer of who asked and libunbound's callback needs it.
class UnboundResolver::Question final {
 public:
  Question(ub_ctx* context, const std::string& name, int type)
      : context_(context), name_(name), shared_(std::make_shared<Shared>()) {
    auto held = std::make_unique<std::shared_ptr<Shared>>(shared_);
    // A final dot, so that nothing is ever appended to the name.
    failed_ = ub_resolve_async(context_, (name + ".").c_str(), type, class_in, held.get(), take_answer, &id_);
    if (failed_ == 0) held_ = held.release();
  }
  ~Question() {
    // What was cancelled is not called back; else the callback has run or runs yet, and frees it.
    if (failed_ == 0 && !shared_->done.raised() && ub_cancel(context_, id_) == 0) delete held_;
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  Result<const ub_result*> wait(Deadline deadline, const PollableFlag* stop) {
    if (failed_ != 0) return unknown(ub_strerror(failed_));
    // An answer that has come is one, however late it is.
    if (!shared_->done.raised()) {
      auto ready = wait_for(shared_->done.descriptor(), POLLIN, deadline, stop);
      if (!ready) return unknown(name_ + ": " + ready.error().public_text);
    }
    // Reading the flag itself orders what the other thread wrote before what is read here.
    if (!shared_->done.raised() || !shared_->result) return unknown(name_ + ": " + ub_strerror(shared_->error));
    const ub_result& result = *shared_->result;
    if (result.bogus != 0) return unknown(name_ + ": " + result.why_bogus);
    if (result.rcode != rcode_ok && result.rcode != rcode_no_name) {
      return unknown(name_ + ": response code " + std::to_string(result.rcode));
    }
    return &result;
  }

 private:
  struct ResultDeleter {
    void operator()(ub_result* result) const { ub_resolve_free(result); }
  };
  struct Shared {
    PollableFlag done;
    std::unique_ptr<ub_result, ResultDeleter> result;
    int error = 0;
  };

  static void take_answer(void* held, int error, ub_result* result) {
    const std::unique_ptr<std::shared_ptr<Shared>> shared(static_cast<std::shared_ptr<Shared>*>(held));
    (*shared)->result.reset(result);
    (*shared)->error = error;
    (*shared)->done.raise();
  }

  ub_ctx* context_;
  std::string name_;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Shared>* held_ = nullptr;  ///< owned by libunbound while the question is under way
  int failed_ = 0;
  int id_ = 0;
};

void UnboundResolver::ContextDeleter::operator()(ub_ctx* context) const { ub_ctx_delete(context); }

Result<std::unique_ptr<UnboundResolver>> UnboundResolver::make(const std::string& server) {
  std::unique_ptr<UnboundResolver> resolver(new UnboundResolver);
  if (auto configured = resolver->configure(server); !configured) return configured.error();
  resolver->pump_ = std::thread([raw = resolver.get()] { raw->pump(); });
  return resolver;
}

Status UnboundResolver::configure(const std::string& server) {
  context_.reset(ub_ctx_create());
  if (!context_) return Error::internal("libunbound cannot be set up");
  ub_ctx* const context = context_.get();
  const auto option = [&](const char* name, const char* value) { return ub_ctx_set_option(context, name, value) == 0; };
  // A thread and not a process of libunbound's own; a resolver on this host may be asked; a resolver that was away is
  // asked again after a minute, not after a quarter of an hour; names that nobody answers for leave room for others.
  if (ub_ctx_async(context, 1) != 0 || !option("do-not-query-localhost:", "no") || !option("infra-host-ttl:", "60") ||
      !option("outgoing-range:", std::to_string(max_descriptors).c_str())) {
    return Error::internal("libunbound refuses an option");
  }
  if (server.empty()) {
    // Not /etc/hosts: a name that stands there would have no MX records any more.
    const int failed = ub_ctx_resolvconf(context, nullptr);
    if (failed == 0 || failed == UB_READFILE) return {};
    return Error::internal(std::string("/etc/resolv.conf cannot be used: ") + ub_strerror(failed));
  }
  auto place = parse_host_port(server);
  if (!place) return place.error();
  const std::string forward = place->host + "@" + std::to_string(place->port);
  if (const int failed = ub_ctx_set_fwd(context, forward.c_str()); failed != 0) {
    return Error::internal(std::string("dns.server cannot be used: ") + ub_strerror(failed));
  }
  return {};
}

UnboundResolver::~UnboundResolver() {
  ending_.raise();
  if (pump_.joinable()) pump_.join();
}

void UnboundResolver::pump() {
  while (!ending_.raised()) {
    // Ends early only when the resolver does.
    if (!wait_for(ub_fd(context_.get()), POLLIN, Deadline::max(), &ending_)) continue;
    if (ub_process(context_.get()) == 0) continue;
    // The pipe is readable for ever when it is broken. Whoever waits is told at his deadline that there is no answer.
    [[maybe_unused]] const auto ended =
        wait_for(ending_.descriptor(), POLLIN, std::chrono::steady_clock::now() + std::chrono::seconds(1), nullptr);
  }
}

Result<DnsAnswer<MxRecord>> UnboundResolver::mx(const std::string& domain, Deadline deadline,
                                                const PollableFlag* stop) {
  Question question(context_.get(), domain, type_mx);
  auto result = question.wait(deadline, stop);
  if (!result) return result.error();
  DnsAnswer<MxRecord> answer;
  answer.name_exists = (*result)->rcode == rcode_ok;
  const auto records = data_of(**result);
  for (const auto& data : records) {
    if (auto record = mx_of(data)) answer.records.push_back(*record);
  }
  if (answer.records.empty() && !records.empty()) return unknown(domain + ": MX records that name no host");
  return answer;
}

Result<DnsAnswer<Poco::Net::IPAddress>> UnboundResolver::addresses(const std::string& host, Deadline deadline,
                                                                   const PollableFlag* stop) {
  Question ipv6(context_.get(), host, type_aaaa);
  Question ipv4(context_.get(), host, type_a);
  auto four = ipv4.wait(deadline, stop);
  // Once the one has answered, the other is not waited for as long.
  const Deadline soon = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::seconds(3));
  const std::array results = {ipv6.wait(four ? soon : deadline, stop), std::move(four)};
  DnsAnswer<Poco::Net::IPAddress> answer;
  std::array<std::vector<std::string_view>, 2> found;
  for (std::size_t kind = 0; kind < results.size(); ++kind) {
    if (!results[kind]) continue;
    found[kind] = data_of(**results[kind]);
    if ((*results[kind])->rcode == rcode_no_name) answer.name_exists = false;
  }
  for (std::size_t i = 0; i < std::max(found[0].size(), found[1].size()); ++i) {
    for (const auto& kind : found) {
      if (i >= kind.size() || (kind[i].size() != 4 && kind[i].size() != 16)) continue;
      answer.records.emplace_back(kind[i].data(), static_cast<poco_socklen_t>(kind[i].size()));
    }
  }
  // One half is enough to try; without it, the other half's failure leaves open whether there is anything.
  for (const auto& result : results) {
    if (answer.records.empty() && !result) return result.error();
  }
  return answer;
}

}  // namespace sealpost
