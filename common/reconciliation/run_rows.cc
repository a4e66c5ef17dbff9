#include "common/reconciliation/run_rows.h"

#include "common/base/protos.h"

namespace mtp::reconciliation {

namespace {
constexpr std::string_view kColumns = R"(
  run_id, cause, report_only, requested_by, requested_by_username, requested_by_role,
  correlation_id, started_at
)";

constexpr std::string_view kShown = R"(
  SELECT run_id, started_at, finished_at, compared_count, drift_count, repaired_count,
         report_only, error
  FROM sync.reconcile_run
)";
}  // namespace

const db::Statement kRunById = db::Compose({kShown, "WHERE run_id = $1::uuid"});

const db::Statement kLastRun = db::Compose(
    {kShown, "WHERE finished_at IS NOT NULL ORDER BY started_at DESC LIMIT 1"});

ops::v1::ReconcileRun ReadRun(const db::Row& row) {
  Uuid run_id;
  absl::Time started_at;
  std::optional<absl::Time> finished_at;
  int64_t compared = 0;
  int64_t drift = 0;
  int64_t repaired = 0;
  bool report_only = false;
  std::string error;
  row.Into(run_id, started_at, finished_at, compared, drift, repaired,
           report_only, error);
  ops::v1::ReconcileRun run;
  run.set_run_id(run_id.ToString());
  *run.mutable_started_at() = ToProto(started_at);
  if (finished_at.has_value())
    *run.mutable_finished_at() = ToProto(*finished_at);
  run.set_compared_count(compared);
  run.set_drift_count(drift);
  run.set_repaired_count(repaired);
  run.set_report_only(report_only);
  run.set_error(error);
  return run;
}

const db::Statement ReconcileRun::kLoad = db::Compose({"SELECT ", kColumns, R"(
  FROM sync.reconcile_run JOIN unnest($1::uuid[]) AS wanted (run_id) USING (run_id)
  ORDER BY run_id
)"});

const db::Statement ReconcileRun::kLoadUnfinished =
    db::Compose({"SELECT ", kColumns, R"(
  FROM sync.reconcile_run
  WHERE finished_at IS NULL AND cause <> 'RECOVERY' AND cardinality($1::text[]) > 0
  ORDER BY run_id
)"});

const db::Statement ReconcileRun::kInsert{R"(
  INSERT INTO sync.reconcile_run (run_id, cause, report_only, kinds, requested_by,
    requested_by_username, requested_by_role, correlation_id, started_at)
  SELECT run_id, cause, report_only,
         coalesce(string_to_array(nullif(kinds, ''), ','), '{}'), requested_by,
         requested_by_username, requested_by_role, correlation_id, started_at
  FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[], $5::text[], $6::text[],
              $7::text[], $8::text[], $9::timestamptz[])
    AS fresh (run_id, cause, report_only, kinds, requested_by, requested_by_username,
              requested_by_role, correlation_id, started_at)
)"};

}  // namespace mtp::reconciliation
