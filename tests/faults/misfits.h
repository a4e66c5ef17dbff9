#pragma once

#include <string>
#include <vector>

#include "tests/support/stack.h"

namespace mtp::tests {

// What of a side's exceptions is not as its facts have it, a line each: that
// people are not told what they must settle, or are told what is not so. Where
// a state can have been overtaken by the next before it was heard, either will
// do. What a restore lost is known to nobody: `restored` allows to say so.
std::vector<std::string> Misfits(const Stack& stack, Side side, bool restored);

}  // namespace mtp::tests
