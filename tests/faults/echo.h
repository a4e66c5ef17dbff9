#pragma once

#include <string>

#include "absl/status/status.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// States as a side told them once, to be delivered to its peer again: twice,
// late, after newer ones.
class Echo {
 public:
  // What `owner` would tell now; empty when it cannot be asked.
  static Echo Of(const Stack& stack, Side owner);
  // Fails when the peer does not take it for a word of its peer; what it does
  // with the states is for others to see.
  absl::Status Deliver(const Stack& stack) const;
  bool empty() const { return first_.empty() && second_.empty(); }

 private:
  Side owner_ = common::v1::SIDE_UNSPECIFIED;
  // Of the owner's first kind of state and of its second.
  std::string first_;
  std::string second_;
};

}  // namespace mtp::tests
