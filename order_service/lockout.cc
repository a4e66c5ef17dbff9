#include "order_service/lockout.h"

#include <algorithm>

namespace mtp::order {
namespace {

// Mistakes that lie so far back were no guessing.
constexpr absl::Duration kForgottenAfter = absl::Hours(24);
// Doubled so often, every lock is the longest.
constexpr int64_t kDoublings = 30;

}  // namespace

void Guesses::Count(const LockPolicy& policy, absl::Time now) {
  if (last_failed_at.has_value() && now - *last_failed_at > kForgottenAfter) {
    failed = 0;
  }
  ++failed;
  last_failed_at = now;
  if (failed < policy.after) return;
  const int64_t doublings = std::min(failed - policy.after, kDoublings);
  locked_until =
      now + std::min(policy.longest, policy.first * (int64_t{1} << doublings));
}

}  // namespace mtp::order
