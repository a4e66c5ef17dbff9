#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace mtp::tests {

// A program that runs beside the test, and ends with it even if the test
// crashes. Start it from a thread that lives as long as the test.
class Process {
 public:
  Process() = default;
  // Standard output and error are appended to the file `log`.
  Process(const std::vector<std::string>& command, const std::string& log);
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  // Kills it.
  ~Process();

  bool Running();
  void Signal(int signal) const;
  // The most memory it ever held, in bytes; 0 when it is gone.
  int64_t PeakMemory() const;
  // Its exit code (128 + the signal that ended it), or nothing when it still
  // runs after `limit`.
  std::optional<int> Wait(absl::Duration limit);

 private:
  pid_t id_ = 0;
  int exit_code_ = 0;
};

struct Outcome {
  int exit_code = 0;
  std::string output;
};

// Runs a program to its end; fails the test if it does not end in time.
Outcome Run(const std::vector<std::string>& command,
            absl::Duration limit = absl::Minutes(2));
// The same, and fails the test unless it ends with 0.
std::string RunOrFail(const std::vector<std::string>& command,
                      absl::Duration limit = absl::Minutes(2));

// What is in a file; empty when there is none.
std::string ReadFile(const std::string& path);

}  // namespace mtp::tests
