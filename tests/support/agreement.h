#pragma once

#include <string>

#include "tests/support/stack.h"

namespace mtp::tests {

// What of the shared facts the two databases do not agree on, and what is
// still on its way between them; empty when they agree.
std::string Disagreement(const Stack& stack);

// What the invariant_* views of both databases find; empty when all is well.
std::string BrokenInvariants(const Stack& stack);

// Fails the test unless both sides come to agree within the limit, with every
// invariant holding on both.
void RequireAgreement(const Stack& stack);

// What a side has kept, as a count and a digest of each of its tables: audit
// entries, outbox marks, idempotency keys and all else. What was refused leaves
// it as it is.
std::string Footprint(const Stack& stack, Side side);
inline std::string Footprint(const Stack& stack) {
  return Footprint(stack, SIDE_ORDER) + Footprint(stack, SIDE_PROCESSING);
}

}  // namespace mtp::tests
