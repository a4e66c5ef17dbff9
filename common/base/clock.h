#pragma once

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mtp {

// Where the time comes from; tests give their own.
using Clock = std::function<absl::Time()>;

inline Clock SystemClock() {
  return [] { return absl::Now(); };
}

}  // namespace mtp
