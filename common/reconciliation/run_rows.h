#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::reconciliation {

// A comparison that somebody asked for: what Reconcile inserts and a Reconciler
// carries out.
struct ReconcileRun {
  using Key = Uuid;

  Uuid run_id;
  std::string cause = "ON_DEMAND";
  bool report_only = false;
  std::string kinds;  // joined by commas; empty: all
  std::string requested_by;
  std::string requested_by_username;
  options::v1::Role requested_by_role = options::v1::ROLE_UNSPECIFIED;
  std::string correlation_id;
  absl::Time started_at;

  Key key() const { return run_id; }

  static const db::Statement kLoad;            // by run_id
  static const db::Statement kLoadUnfinished;  // whatever the keys
  static const db::Statement kInsert;
  static constexpr auto kLoaded = std::tuple(
      &ReconcileRun::run_id, &ReconcileRun::cause, &ReconcileRun::report_only,
      &ReconcileRun::requested_by, &ReconcileRun::requested_by_username,
      &ReconcileRun::requested_by_role, &ReconcileRun::correlation_id,
      &ReconcileRun::started_at);
  static constexpr auto kInserted = std::tuple(
      &ReconcileRun::run_id, &ReconcileRun::cause, &ReconcileRun::report_only,
      &ReconcileRun::kinds, &ReconcileRun::requested_by,
      &ReconcileRun::requested_by_username, &ReconcileRun::requested_by_role,
      &ReconcileRun::correlation_id, &ReconcileRun::started_at);
};

// A run as people see it: of $1, and the last that was finished.
extern const db::Statement kRunById;
extern const db::Statement kLastRun;
ops::v1::ReconcileRun ReadRun(const db::Row& row);

}  // namespace mtp::reconciliation
