#include "common/reconciliation/run_rows.h"

namespace mtp::reconciliation {

namespace {
constexpr std::string_view kColumns = R"(
  run_id, cause, report_only, requested_by, requested_by_username, requested_by_role,
  correlation_id, started_at
)";
}  // namespace

const db::Statement ReconcileRun::kLoad = db::Compose({"SELECT ", kColumns, R"(
  FROM sync.reconcile_run JOIN unnest($1::uuid[]) AS wanted (run_id) USING (run_id)
  ORDER BY run_id
)"});

const db::Statement ReconcileRun::kLoadUnfinished =
    db::Compose({"SELECT ", kColumns, R"(
  FROM sync.reconcile_run
  WHERE finished_at IS NULL AND cardinality($1::text[]) > 0
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
