#include "tests/faults/book.h"

#include <algorithm>
#include <iterator>

#include "absl/time/clock.h"

namespace mtp::tests {
namespace {

// Nothing was said about the call: it may have been done or not.
bool WorthRepeating(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<Deed> Book::TakeUnknown() {
  absl::MutexLock lock(&mutex_);
  const auto known = std::stable_partition(
      deeds_.begin(), deeds_.end(),
      [](const Deed& deed) { return deed.outcome != Deed::Outcome::kUnknown; });
  std::vector<Deed> unknown(std::make_move_iterator(known),
                            std::make_move_iterator(deeds_.end()));
  deeds_.erase(known, deeds_.end());
  return unknown;
}

void Say(const Stack& stack, Deed& deed, absl::Duration patience,
         const std::function<bool()>& again) {
  const Side own = Stack::SideOf(deed.method);
  for (int attempt = 0;; ++attempt) {
    // Every third time through the gateway.
    const Side side = attempt % 3 == 2 ? PeerOf(own) : own;
    const Reply reply =
        stack.As(deed.role, side).Send(deed.method, {deed.request}, patience);
    deed.status = reply.status;
    if (reply.status.ok()) {
      deed.outcome = Deed::Outcome::kDone;
      deed.reply = reply.bytes();
      return;
    }
    if (!WorthRepeating(reply.status)) {
      // An attempt that was not answered may still be on its way.
      if (attempt == 0) deed.outcome = Deed::Outcome::kRefused;
      return;
    }
    if (!again()) return;
    absl::SleepFor(absl::Milliseconds(20));
  }
}

}  // namespace mtp::tests
