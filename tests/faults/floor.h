#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "mtp/common/v1/common.pb.h"
#include "tests/faults/book.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// What a bag weighs full, and empty.
inline constexpr int64_t kBagGrams = 50'000;
inline constexpr int64_t kTareGrams = 500;
// How long somebody waits for an answer before asking again, and how long after
// the end somebody asks once more for what is unknown.
inline constexpr absl::Duration kPatience = absl::Milliseconds(1'500);
inline constexpr absl::Duration kAfterEnd = absl::Seconds(20);

// As unique as a request_id, and shorter.
std::string NewSuffix();

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

  std::string AnyOrder(std::mt19937& random) const;
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

}  // namespace mtp::tests
