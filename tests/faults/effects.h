#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/faults/book.h"

namespace mtp::tests {

// What calls have left behind, by what it is ("requests", "allocations", …), as
// a line each.
using Effects = std::map<std::string, std::multiset<std::string>>;

// Whether something was changed: a call for many things may be done and have
// refused each of them.
bool HasEffect(const Deed& deed);

// According to what was answered.
Effects EffectsOf(const std::vector<Deed>& deeds);
// According to both databases, which nobody else has written.
Effects EffectsIn(const Stack& stack);

}  // namespace mtp::tests
