#pragma once

#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mtp::tests {

// As long as anything in these tests may take that usually takes milliseconds:
// a machine under load, a database that recovers.
inline constexpr absl::Duration kLimit = absl::Seconds(30);

// Waits until `condition` holds; whether it did before the limit.
inline bool Eventually(const std::function<bool()>& condition,
                       absl::Duration limit = kLimit) {
  const absl::Time give_up = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() >= give_up) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

}  // namespace mtp::tests
