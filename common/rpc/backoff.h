#pragma once

#include <functional>

#include "absl/time/time.h"

namespace mtp::rpc {

// Gives a number in [0, 1); tests give their own.
using Uniform = std::function<double()>;

// Thread-safe, not for secrets.
Uniform RandomUniform();

// How long to wait before the next attempt: any time up to a ceiling that
// doubles with every failure ("full jitter"), so that many callers that failed
// together do not come back together. Not thread-safe.
class Backoff {
 public:
  struct Settings {
    absl::Duration first = absl::Milliseconds(100);
    absl::Duration cap = absl::Seconds(30);
  };

  Backoff(Settings settings, Uniform uniform);

  // The wait after one more failure.
  absl::Duration Next();
  // After a success.
  void Reset() { ceiling_ = settings_.first; }

 private:
  const Settings settings_;
  const Uniform uniform_;
  absl::Duration ceiling_;
};

}  // namespace mtp::rpc
