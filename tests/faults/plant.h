#pragma once

#include <string>
#include <vector>

#include "mtp/ops/v1/operations.pb.h"
#include "tests/support/cluster.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// Both sides with real backups and WAL, as docs/recovery.md has it: one cluster
// for each, that can be restored alone.
struct Plant {
  // With these variables in the environment of both services, which then have
  // test points.
  explicit Plant(std::vector<std::string> environment = {});

  Cluster order{Cluster::Durability::kArchived};
  Cluster processing{Cluster::Durability::kArchived};
  Stack stack;

  Cluster& Of(Side side) { return side == SIDE_ORDER ? order : processing; }

  // Once both agree, a backup of the side; the moment behind it, as Now.
  std::string BackUp(Side side);
  // The side's clock, behind all that was committed and before what comes.
  std::string Now(Side side);
  ops::v1::SyncStatus Status(Side side) const;
  // A side of epoch 1, restored to a moment of that epoch; it serves again, and
  // nobody said so.
  void Restore(Side side, const std::string& moment);
  absl::StatusOr<ops::v1::StartEpochResponse> StartEpoch(
      Side side, int64_t current, const std::string& request_id) const;
  // As an operator does whose sides are restored and run: says so of each, and
  // waits until they are in step.
  void Recover(const std::vector<Side>& restored) const;
  // Those that are open, as `KIND | thing` lines.
  std::string Exceptions(Side side) const;
};

}  // namespace mtp::tests
