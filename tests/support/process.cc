#include "tests/support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_join.h"
#include "tests/support/wait.h"

namespace mtp::tests {

Process::Process(const std::vector<std::string>& command,
                 const std::string& log) {
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  const pid_t parent = getpid();
  id_ = fork();
  REQUIRE(id_ >= 0);
  if (id_ > 0) return;

  // Nothing but system calls from here on: other threads may hold any lock.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in < 0 || out < 0) _exit(127);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  for (int other = 3; other < 1024; ++other) close(other);
  execvp(words[0], words.data());
  _exit(127);
}

Process::~Process() {
  if (id_ == 0) return;
  Signal(SIGKILL);
  waitpid(id_, nullptr, 0);
}

bool Process::Running() {
  return id_ != 0 && !Wait(absl::ZeroDuration()).has_value();
}

void Process::Signal(int signal) const {
  if (id_ != 0) kill(id_, signal);
}

int64_t Process::PeakMemory() const {
  std::istringstream status(
      ReadFile("/proc/" + std::to_string(id_) + "/status"));
  std::string word;
  int64_t kibibytes = 0;
  while (status >> word) {
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

std::optional<int> Process::Wait(absl::Duration limit) {
  if (id_ == 0) return exit_code_;
  int status = 0;
  const bool ended =
      Eventually([&] { return waitpid(id_, &status, WNOHANG) == id_; }, limit);
  if (!ended) return std::nullopt;
  id_ = 0;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

Outcome Run(const std::vector<std::string>& command, absl::Duration limit) {
  char log[] = "/tmp/mtp-run-XXXXXX";
  const int file = mkstemp(log);
  REQUIRE(file >= 0);
  close(file);
  Process process(command, log);
  const std::optional<int> exit_code = process.Wait(limit);
  Outcome outcome{.exit_code = exit_code.value_or(-1), .output = ReadFile(log)};
  std::remove(log);
  if (!exit_code.has_value()) {
    FAIL(absl::StrJoin(command, " ") << " does not end:\n" << outcome.output);
  }
  return outcome;
}

std::string RunOrFail(const std::vector<std::string>& command,
                      absl::Duration limit) {
  Outcome outcome = Run(command, limit);
  if (outcome.exit_code != 0) {
    FAIL(absl::StrJoin(command, " ")
         << " ended with " << outcome.exit_code << ":\n"
         << outcome.output);
  }
  return std::move(outcome.output);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

}  // namespace mtp::tests
