#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace mtp::tests {

// The environment (`NAME=value`) of a process whose clock is off by this, in
// whole seconds; monotonic time goes as ever. Fails the test where libfaketime
// is missing.
std::vector<std::string> WrongClock(absl::Duration off);

}  // namespace mtp::tests
