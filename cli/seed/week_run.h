#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/seed/calls.h"
#include "cli/seed/plant.h"

namespace mtp::cli {

// Makes a week's work at Seeduwa, call after call.
class SeedWeekRun {
 public:
  // Both outlive it.
  SeedWeekRun(SeedCalls& calls, const SeedWeek& week)
      : calls_(calls), week_(week) {}

  // Whether all of it was made before.
  absl::StatusOr<bool> IsThere();
  // All but what Finish makes.
  absl::Status Make();
  // Makes what says that the week is whole, orders included.
  absl::Status Finish() { return MakeFlavor(week_.flavors.size() - 1); }

 private:
  absl::Status MakeTeas();
  absl::Status MakeHerbs();
  absl::Status MakeBalances();
  absl::Status MakeBlends();
  absl::Status MakeFlavors();
  absl::Status MakeFlavor(size_t index);
  absl::Status OpenBatch(const std::string& what, const std::string& recipe,
                         const SeedBatch& batch, std::string& id);
  absl::Status FillBatch(const std::string& what, const std::string& id,
                         const SeedBatch& batch);
  absl::Status Judge(const std::string& what, const std::string& id,
                     const SeedBatch& batch);
  absl::Status Speak(const std::string& what, const std::string& id,
                     const SeedBatch& batch, absl::Time at);

  SeedCalls& calls_;
  const SeedWeek& week_;
  // Ids, in the order of the week's lots and sheets.
  std::vector<std::string> teas_, herbs_, balances_, blends_;
};

}  // namespace mtp::cli
