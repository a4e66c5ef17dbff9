#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "tests/faults/book.h"
#include "tests/faults/floor.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// In a stack with lines: parts the sides for a moment, in which a shipment
// leaves that is cancelled, or cut to a half. Whether both were done.
bool CrossOnTheLine(Stack& stack, Floor& floor, Book& book, bool cancel);

// People who request, cut, cancel, weigh, allocate, dispatch, accept and
// schedule at random, from one seed, and one who takes orders from the plan to
// the parcel (story.h), so that all roles have something to do. Ends with its
// threads.
class Workload {
 public:
  static constexpr int kPeople = 6;

  Workload(Stack& stack, Floor& floor, Book& book, uint32_t seed);
  ~Workload() { Stop(); }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  // Nobody begins anything new. Returns when all know what came of what they
  // began, or have given up on it.
  void Stop();

 private:
  Stack& stack_;
  Floor& floor_;
  Book& book_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> people_;
};

}  // namespace mtp::tests
