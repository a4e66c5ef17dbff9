#include "tests/support/mtpctl.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

// For a shell.
std::string Quoted(const std::string& word) {
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace

// The identities of the tests lie as those of a local stack do.
Mtpctl::Mtpctl(const Stack& stack, const std::string& state)
    : program_({"/usr/bin/env", "MTP_HOME=" MTP_SOURCE_DIR,
                "MTP_LOCAL_VAR=" + Identities::Shared().folder(),
                "XDG_STATE_HOME=" + state, MTP_BINARY_DIR "/mtpctl", "--order",
                stack.Address(SIDE_ORDER), "--processing",
                stack.Address(SIDE_PROCESSING)}) {}

std::vector<std::string> Mtpctl::Command(
    const std::vector<std::string>& words) const {
  std::vector<std::string> command = program_;
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

StationProcess::StationProcess(const Mtpctl& mtpctl, const std::string& folder,
                               const std::vector<std::string>& words)
    : output_(folder + "/output") {
  const std::string pipe = folder + "/input";
  if (mkfifo(pipe.c_str(), 0600) != 0) REQUIRE(errno == EEXIST);
  std::vector<std::string> all = words;
  all.insert(all.end(), {"--watch", "--spool", SpoolOf(folder)});
  std::string command = "exec";
  for (const std::string& word : mtpctl.Command(all)) {
    absl::StrAppend(&command, " ", Quoted(word));
  }
  absl::StrAppend(&command, " < ", Quoted(pipe));
  process_ = Process({"/bin/sh", "-c", command}, output_);
  // Waits for the shell, which opens the other end.
  REQUIRE(Eventually([&] {
    input_ = open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    return input_ >= 0;
  }));
  signal(SIGPIPE, SIG_IGN);
}

StationProcess::~StationProcess() {
  if (input_ >= 0) close(input_);
}

void StationProcess::Write(const std::string& line) { WriteRaw(line + "\r\n"); }

void StationProcess::WriteRaw(const std::string& text) {
  if (write(input_, text.data(), text.size()) < 0) REQUIRE(errno == EPIPE);
}

void StationProcess::Kill() {
  process_.Signal(SIGKILL);
  REQUIRE(process_.Wait(kLimit).has_value());
}

int StationProcess::End() {
  close(input_);
  input_ = -1;
  const auto code = process_.Wait(kLimit);
  INFO(Output());
  REQUIRE(code.has_value());
  return *code;
}

}  // namespace mtp::tests
