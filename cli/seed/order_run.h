#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/seed/calls.h"
#include "cli/seed/plant.h"

namespace mtp::cli {

// Makes an order between the two sides, from its plan to its parcels, as far as
// it goes.
class SeedOrderRun {
 public:
  // Both outlive it; `what` names the order in its story.
  SeedOrderRun(SeedCalls& calls, const SeedOrder& order, std::string what)
      : calls_(calls), order_(order), what_(std::move(what)) {}

  absl::Status Make();

 private:
  absl::Status ImportPlan();
  absl::Status Ask();
  absl::Status Fill();
  absl::Status Dispatch();
  absl::Status Accept();
  absl::Status Schedule();

  SeedCalls& calls_;
  const SeedOrder& order_;
  const std::string what_;
  common::v1::ShipmentKey key_;
  std::vector<processing::v1::Allocation> shipped_;
};

}  // namespace mtp::cli
