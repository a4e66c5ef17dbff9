#include "common/reconciliation/recovery.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/sync/receiver.h"

namespace mtp::reconciliation {
namespace {

constexpr db::Statement kEnd{
    "UPDATE sync.epoch SET recovering = false WHERE recovering"};
constexpr db::Statement kPeerEpoch{R"(
  UPDATE sync.epoch
  SET peer_epoch = $1::bigint, peer_high_water = 0, peer_sent_at = NULL, halted = false
  WHERE peer_epoch < $1::bigint
)"};
// The services' clocks say when something was changed, the database's when its
// transaction began; what nobody told of another time bears both.
constexpr db::Statement kRestoredTo{R"(
  SELECT coalesce(max(greatest(recorded_at, least(occurred_at, pg_postmaster_start_time()))),
                  'epoch') + interval '50 milliseconds'
  FROM (SELECT recorded_at, occurred_at FROM audit.entry
        WHERE recorded_at < pg_postmaster_start_time()
        ORDER BY recorded_at DESC, entry_id DESC LIMIT 100) AS last
)"};
constexpr db::Statement kTakenBack{R"(
  SELECT DISTINCT entity_kind || ':' || entity_key FROM audit.entry
  WHERE correlation_id = $1::text AND action = 'recovered'
)"};
// Told of nothing yet: what is recovering tells nothing.
constexpr db::Statement kRaiseBeyond{R"(
  UPDATE sync.epoch SET own_epoch = $1::bigint + 1
  WHERE recovering AND own_epoch <= $1::bigint
)"};

}  // namespace

bool WorthRepeating(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

absl::Status RaiseBeyond(const sync::v1::Receipt& known,
                         db::Connection& connection) {
  db::Exchange raise;
  raise.Add(kRaiseBeyond, db::Params().Add(known.sender_epoch()));
  raise.Add(kPeerEpoch, db::Params().Add(known.receiver_epoch()));
  return connection.Run(raise).status();
}

absl::StatusOr<absl::Time> RestoredTo(db::Connection& connection) {
  ASSIGN_OR_RETURN(const db::Result row, connection.Run(kRestoredTo));
  return row[0].Get<absl::Time>(0);
}

absl::StatusOr<std::set<std::string>> TakenBack(std::string_view correlation_id,
                                                db::Connection& connection) {
  ASSIGN_OR_RETURN(
      const db::Result rows,
      connection.Run(kTakenBack,
                     db::Params().Add(std::string(correlation_id))));
  std::set<std::string> things;
  for (const db::Row row : rows) things.insert(row.Get<std::string>(0));
  return things;
}

std::string ThingOf(const sync::v1::State& state) {
  const bool shipment = state.has_shipment() || state.has_shipment_progress();
  const bool schedule = state.has_schedule() || state.has_schedule_progress();
  return sync::ThingText(shipment   ? "shipment"
                         : schedule ? "schedule"
                                    : "user",
                         KeyOf(state));
}

sync::Exception NotTakenBack(const std::string& thing, common::v1::Side side,
                             const handlers::Context& context) {
  return {.kind = ops::v1::EXCEPTION_KIND_LOST_IN_RESTORE,
          .things = {thing},
          .description = absl::StrCat(
              "What the other side knows of ", thing,
              " could not be taken back into the restored database; the log "
              "says why. Once that is mended, put it right by hand: `mtpctl "
              "sync drift` says what differs."),
          .must_act = options::v1::ROLE_MASTER_ADMIN,
          .acting_side = side,
          .dedupe_key = absl::StrCat("LOST_IN_RESTORE taking back ", thing),
          .correlation_id = context.correlation_id()};
}

absl::Status EndRecovery(db::Connection& connection) {
  db::Exchange end;
  end.Add(kEnd);
  sync::AskToCompareAll(end, absl::Now());
  CrashPoint("recover.before_end");
  absl::Status ended = connection.Run(end).status();
  CrashPoint("recover.after_end");
  return ended;
}

}  // namespace mtp::reconciliation
