// SPDX-License-Identifier: Apache-2.0
// Implements net_fixture.h.
#include "tests/unit/base/net_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace sealpost::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds patience{10};

class Steered final : public Conversation {
 public:
  explicit Steered(Story& story) : story_(story) {}
  ~Steered() override { story_.add("destroyed"); }

  Step opened(const Peer& peer) override {
    story_.add("opened " + peer.address + (peer.tls ? " tls" : "") + (peer.loopback ? " loopback" : ""));
    return say("hello");
  }
  Step tls_established() override {
    story_.add("tls");
    return say("secured");
  }
  Step timed_out() override {
    story_.add("timed out");
    return say("too late");
  }
  [[nodiscard]] steady_clock::time_point deadline() const override { return deadline_; }

  Step received(std::string_view octets) override {
    story_.received(octets.size());
    input_ += octets;
    return next();
  }

 private:
  static Step say(const std::string& text) {
    Step step;
    append(step.output, text + "\r\n");
    return step;
  }

  /// Lines up to the first one that needs more than an answer.
  Step next() {
    Step all;
    for (auto end = input_.find("\r\n"); end != std::string::npos; end = input_.find("\r\n")) {
      const std::string line = input_.substr(0, end);
      input_.erase(0, end + 2);
      Step step = obey(line);
      append(all.output, view(step.output));
      all.job = std::move(step.job);
      all.then = step.then;
      all.delay = step.delay;
      if (all.job || all.then != Step::Then::Read || all.delay.count() > 0) break;
    }
    return all;
  }

  Step obey(const std::string& line) {
    const std::string verb = line.substr(0, line.find(' '));
    const std::string rest = line.size() > verb.size() ? line.substr(verb.size() + 1) : std::string();
    if (verb == "echo") return say(rest);
    if (verb == "big") return say(std::string(std::stoul(rest), 'x'));
    if (verb == "throw") throw std::runtime_error("conversation");
    if (verb == "deadline") {
      deadline_ = steady_clock::now() + milliseconds(std::stol(rest));
      return say("set");
    }
    if (verb == "hold") {
      Step step = say("held");
      step.delay = milliseconds(std::stol(rest));
      return step;
    }
    return obey_more(verb, rest);
  }

  Step obey_more(const std::string& verb, const std::string& rest) {
    if (verb == "close") {
      Step step = say(rest);
      step.then = Step::Then::Close;
      return step;
    }
    if (verb == "starttls") {
      Step step = say("ready");
      step.then = Step::Then::StartTls;
      return step;
    }
    Step step;
    if (verb == "throw-job") step.job = []() -> Resume { throw std::runtime_error("job"); };
    if (verb == "later-job") {
      step.job = [&story = story_]() -> Resume {
        story.add("job begun");
        story.wait_at_gate();
        return [&story] {
          Step later;
          later.delay = milliseconds(600'000);
          later.job = [&story]() -> Resume {
            story.add("held job run");
            return {};
          };
          return later;
        };
      };
    }
    if (verb == "job") {
      step.job = [this, &story = story_, rest]() -> Resume {
        story.add("job begun");
        story.wait_at_gate();
        return [this, rest] {
          Step result = say(rest);
          Step more = next();
          append(result.output, view(more.output));
          return result;
        };
      };
    }
    return step;
  }

  Story& story_;
  std::string input_;
  steady_clock::time_point deadline_ = steady_clock::now() + std::chrono::minutes(5);
};

}  // namespace

void Story::add(const std::string& event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(event);
  changed_.notify_all();
}

bool Story::wait_for(const std::string& event) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience,
                           [&] { return std::find(events_.begin(), events_.end(), event) != events_.end(); });
}

std::size_t Story::count(const std::string& event) {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(events_.begin(), events_.end(), event));
}

void Story::received(std::size_t octets) {
  const std::lock_guard lock(mutex_);
  octets_ += octets;
}

std::size_t Story::octets() {
  const std::lock_guard lock(mutex_);
  return octets_;
}

void Story::open_gate() {
  const std::lock_guard lock(mutex_);
  gate_open_ = true;
  changed_.notify_all();
}

void Story::wait_at_gate() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return gate_open_; });
}

std::unique_ptr<Conversation> steered_conversation(Story& story) { return std::make_unique<Steered>(story); }

NetTest::NetTest()
    : log_path_(directory_ / "log"),
      log_file_(::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
      log_(LogLevel::Debug, LogFormat::Text, clock_, log_file_) {
  const std::string certificate = directory_ / "tls.pem";
  const std::string key = directory_ / "tls.key";
  EXPECT_TRUE(make_self_signed(certificate, key, "relay.example.com"));
  auto context = TlsContext::load(certificate, key);
  EXPECT_TRUE(context);
  tls_ = std::move(*context);
  const TlsCounts counts{registry_.counter("tls_total", "TLS.", {{"version", "TLSv1.2"}}),
                         registry_.counter("tls_total", "TLS.", {{"version", "TLSv1.3"}})};
  loop_ = std::make_unique<ServerLoop>(*workers_, tls_.get(), log_, counts);
}

NetTest::~NetTest() {
  story_.open_gate();
  loop_.reset();
  workers_.reset();
  ::close(log_file_);
}

ListenerOptions NetTest::options(bool tls) {
  ListenerOptions options;
  options.name = "test";
  options.address = "127.0.0.1:0";
  options.tls = tls;
  options.accept = [this] { return steered_conversation(story_); };
  return options;
}

std::uint16_t NetTest::serve(ListenerOptions options) {
  auto port = loop_->listen(std::move(options));
  EXPECT_TRUE(port);
  loop_->start();
  return port ? *port : 0;
}

bool NetTest::settles_at(std::size_t connections) const {
  const auto until = steady_clock::now() + patience;
  while (loop_->connections() != connections && steady_clock::now() < until) std::this_thread::yield();
  return loop_->connections() == connections;
}

}  // namespace sealpost::net
