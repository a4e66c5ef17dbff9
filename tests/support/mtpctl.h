#pragma once

#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// The people's client, as a process of its own, against a stack.
class Mtpctl {
 public:
  // `state` is the folder where it keeps who is signed in.
  explicit Mtpctl(const Stack& stack,
                  const std::string& state = "/nonexistent");

  // Its command line: `mtpctl --order … WORDS`, as anybody who may.
  std::vector<std::string> Command(const std::vector<std::string>& words) const;
  Outcome Try(const std::vector<std::string>& words) const {
    return Run(Command(words));
  }
  // The same, and fails the test unless it ends with 0; what it printed.
  std::string Do(const std::vector<std::string>& words) const {
    return RunOrFail(Command(words));
  }

 private:
  const std::vector<std::string> program_;
};

// A station: a client that reads lines which the test writes, until it is
// ended. What it prints goes to a file.
class StationProcess {
 public:
  // `folder` is the station's own; its spool and output lie there.
  StationProcess(const Mtpctl& mtpctl, const std::string& folder,
                 const std::vector<std::string>& words);
  ~StationProcess();
  StationProcess(const StationProcess&) = delete;
  StationProcess& operator=(const StationProcess&) = delete;

  // As a scanner does; a station that is gone does not read it.
  void Write(const std::string& line);
  // These bytes and no more.
  void WriteRaw(const std::string& text);
  // All that was printed by the stations of this folder so far.
  std::string Output() const { return ReadFile(output_); }
  // SIGKILL: it has no say.
  void Kill();
  // Ends the input; the exit code.
  int End();
  static std::string SpoolOf(const std::string& folder) {
    return folder + "/spool";
  }

 private:
  const std::string output_;
  int input_ = -1;
  Process process_;
};

}  // namespace mtp::tests
