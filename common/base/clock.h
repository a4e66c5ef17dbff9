#pragma once

#include <algorithm>
#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mtp {

// Where the time comes from; tests give their own.
using Clock = std::function<absl::Time()>;

inline Clock SystemClock() {
  return [] { return absl::Now(); };
}

// When a thing changes that changed last at `before`. Of two versions the newer
// is the later one, whatever the clock of who changes it says: the other side
// takes the opposite for another past.
inline absl::Time ChangeAfter(absl::Time before, absl::Time now) {
  return std::max(now, before + absl::Microseconds(1));
}

}  // namespace mtp
