#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "mtp/common/v1/common.pb.h"
#include "tests/faults/book.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// What the people of a workload know of and reach for, all of them for the
// same: so they meet at bags, shipments and plans. Thread-safe.
class Floor {
 public:
  // Plans, a place and tea to begin with; fails the test if it is refused.
  Floor(Stack& stack, Book& book);

  void Add(const common::v1::ShipmentKey& shipment) {
    absl::MutexLock lock(&mutex_);
    shipments_.push_back(shipment);
  }
  void AddBag(const std::string& barcode) {
    absl::MutexLock lock(&mutex_);
    bags_.push_back(barcode);
  }
  void AddAllocation(const std::string& allocation_id) {
    absl::MutexLock lock(&mutex_);
    allocations_.push_back(allocation_id);
  }
  void AddParcel(const std::string& parcel_id) {
    absl::MutexLock lock(&mutex_);
    parcels_.push_back(parcel_id);
  }
  void AddSchedule(int64_t schedule_code) {
    absl::MutexLock lock(&mutex_);
    schedules_.push_back(schedule_code);
  }

  // Any of the latest, for old ones are mostly done with.
  common::v1::ShipmentKey AnyShipment(std::mt19937& random) const;
  std::string AnyBag(std::mt19937& random) const;
  // Empty, and 0, while there is none.
  std::string AnyAllocation(std::mt19937& random) const;
  std::string AnyParcel(std::mt19937& random) const;
  int64_t AnySchedule(std::mt19937& random) const;

  const std::vector<std::string>& order_codes() const { return order_codes_; }
  const std::string& location() const { return location_; }
  const std::string& tealine_id() const { return tealine_id_; }

 private:
  std::vector<std::string> order_codes_;
  std::string location_;
  std::string tealine_id_;

  mutable absl::Mutex mutex_;
  std::vector<common::v1::ShipmentKey> shipments_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> bags_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> allocations_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> parcels_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> schedules_ ABSL_GUARDED_BY(mutex_);
};

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
