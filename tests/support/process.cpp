// SPDX-License-Identifier: Apache-2.0
// Implements process.h over posix_spawn.
#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace sealpost::test {
namespace {

using std::chrono::steady_clock;

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read = ends[0];
    write = ends[1];
  }
};

pid_t spawn(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment, int in,
            int out, int err) {
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> environment_pointers;
  for (auto& variable : variables) environment_pointers.push_back(variable.data());
  environment_pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environment_pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " + argv[0] + ": " + std::strerror(failed));
  return pid;
}

int exit_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

bool read_some(int descriptor, std::string& into) {
  std::array<char, 65536> buffer{};
  const auto count = ::read(descriptor, buffer.data(), buffer.size());
  if (count <= 0) return false;
  into.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

int open_null() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

/// Feeds and drains a child's pipes until both outputs have ended or the time is up.
void pump(int in, const std::string& input, int out, int err, Finished& result, steady_clock::time_point deadline) {
  std::size_t written = 0;
  bool feeding = true;
  bool reading_out = true;
  bool reading_err = true;
  fcntl(in, F_SETFL, O_NONBLOCK);
  while (reading_out || reading_err) {
    if (feeding && written == input.size()) {
      close(in);
      feeding = false;
    }
    std::array<pollfd, 3> polled = {pollfd{feeding ? in : -1, POLLOUT, 0}, pollfd{reading_out ? out : -1, POLLIN, 0},
                                    pollfd{reading_err ? err : -1, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0 || poll(polled.data(), polled.size(), static_cast<int>(left)) <= 0) break;
    if (polled[0].revents != 0) {
      const auto count = ::write(in, input.data() + written, input.size() - written);
      written = count < 0 ? input.size() : written + static_cast<std::size_t>(count);
    }
    if (polled[1].revents != 0) reading_out = read_some(out, result.out);
    if (polled[2].revents != 0) reading_err = read_some(err, result.err);
  }
  if (feeding) close(in);
}

}  // namespace

Finished run(const std::vector<std::string>& argv, const std::string& input,
             const std::map<std::string, std::string>& environment, std::chrono::seconds timeout) {
  std::signal(SIGPIPE, SIG_IGN);
  const Pipe in;
  const Pipe out;
  const Pipe err;
  const pid_t pid = spawn(argv, environment, in.read, out.write, err.write);
  close(in.read);
  close(out.write);
  close(err.write);
  Finished result;
  const auto deadline = steady_clock::now() + timeout;
  pump(in.write, input, out.read, err.read, result, deadline);
  if (steady_clock::now() >= deadline) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  result.status = exit_status(status);
  close(out.read);
  close(err.read);
  return result;
}

Process::Process(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment) {
  const Pipe out;
  const int null = open_null();
  pid_ = spawn(argv, environment, null, out.write, out.write);
  close(null);
  close(out.write);
  pipe_ = out.read;
  reader_ = std::thread([this] { gather(); });
}

Process::~Process() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  // A grandchild may keep the pipe open: the reader polls and sees that we are done.
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  reader_.join();
  close(pipe_);
}

void Process::gather() {
  while (true) {
    pollfd polled{pipe_, POLLIN, 0};
    const int ready = poll(&polled, 1, 100);
    std::string piece;
    const bool open = ready <= 0 || read_some(pipe_, piece);
    {
      const std::lock_guard lock(mutex_);
      output_ += piece;
      if (!open || (ready == 0 && ended_)) {
        ended_ = true;
        changed_.notify_all();
        return;
      }
    }
    changed_.notify_all();
  }
}

void Process::signal(int number) const {
  if (!reaped_) ::kill(pid_, number);
}

int Process::wait(std::chrono::milliseconds timeout) {
  if (reaped_) return status_;
  // A child that is asked to end does so within milliseconds; pidfds are not worth it here.
  const auto deadline = steady_clock::now() + timeout;
  while (true) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      reaped_ = true;
      status_ = exit_status(status);
      return status_;
    }
    if (steady_clock::now() >= deadline) return -1;
    poll(nullptr, 0, 2);
  }
}

std::string Process::output() {
  const std::lock_guard lock(mutex_);
  return output_;
}

std::string Process::wait_for(const std::string& text, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return ended_ || output_.find(text) != std::string::npos; });
  return output_.find(text) != std::string::npos ? output_ : std::string();
}

int free_port() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                     getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(listener);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace sealpost::test
