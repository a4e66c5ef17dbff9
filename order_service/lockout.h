#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace mtp::order {

// How guessing at a password is slowed down.
struct LockPolicy {
  int64_t after = 5;  // wrong passwords in a row
  absl::Duration first = absl::Seconds(30);
  absl::Duration longest = absl::Minutes(15);
};

// The wrong passwords for one name since the last right one.
struct Guesses {
  int64_t failed = 0;
  std::optional<absl::Time> last_failed_at;
  std::optional<absl::Time> locked_until;

  bool Locked(absl::Time now) const {
    return locked_until.has_value() && now < *locked_until;
  }
  // One more. Whoever is locked is not counted: guessing on does not keep the
  // person out for longer.
  void Count(const LockPolicy& policy, absl::Time now);
  bool operator==(const Guesses&) const = default;
};

}  // namespace mtp::order
