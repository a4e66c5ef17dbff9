#pragma once

namespace mtp::tests {

// Tests after which an invariant was broken; main adds them to those that
// failed, for where they are seen no test runs that could fail.
inline int tests_that_broke_invariants = 0;

}  // namespace mtp::tests
