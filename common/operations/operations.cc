#include "common/operations/operations.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/db/proto_enum.h"
#include "common/handlers/paging.h"
#include "common/operations/breakers.h"
#include "common/operations/drift.h"
#include "common/operations/outbox_entry.h"
#include "common/operations/time_page.h"
#include "common/reconciliation/run_rows.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::operations {
namespace {

using sync::v1::EntityKind;

// Time to answer before the client's own deadline.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Minutes(5);

// --- GetSyncStatus

constexpr db::Statement kEpochs{R"(
  SELECT own_epoch, peer_epoch, peer_heard_at, halted, refused_by_peer, recovering,
         (SELECT count(*) FROM sync.dead_letter WHERE settlement = 'OPEN'),
         (SELECT count(*) FROM sync.exception WHERE closed_at IS NULL),
         (SELECT count(*) FROM sync.drift WHERE repaired_at IS NULL)
  FROM sync.epoch
)"};

constexpr db::Statement kOutboxCounts{R"(
  SELECT kind, count(*), min(since), (extract(epoch FROM now() - min(since)) * 1000)::bigint
  FROM sync.outbox GROUP BY kind ORDER BY kind
)"};

void FillStatus(const db::Results& results, ops::v1::SyncStatus& status) {
  int64_t epoch = 0;
  int64_t peer_epoch = 0;
  std::optional<absl::Time> heard;
  bool halted = false;
  std::string refused_by_peer;
  bool recovering = false;
  int64_t dead_letters = 0;
  int64_t exceptions = 0;
  int64_t drift = 0;
  results[0][0].Into(epoch, peer_epoch, heard, halted, refused_by_peer,
                     recovering, dead_letters, exceptions, drift);
  status.set_epoch(epoch);
  status.set_peer_epoch(peer_epoch);
  if (heard.has_value()) *status.mutable_peer_heard_at() = ToProto(*heard);
  if (halted) status.set_refusing_peer(sync::v1::REFUSAL_VERSIONS_FELL_BACK);
  sync::v1::Refusal refusal = sync::v1::REFUSAL_UNSPECIFIED;
  if (sync::v1::Refusal_Parse(refused_by_peer, &refusal))
    status.set_refused_by_peer(refusal);
  status.set_recovering(recovering);
  status.set_open_dead_letter_count(dead_letters);
  status.set_open_exception_count(exceptions);
  status.set_open_drift_count(drift);

  absl::Time oldest = absl::InfiniteFuture();
  int64_t oldest_age_ms = 0;
  int64_t total = 0;
  for (const db::Row row : results[1]) {
    EntityKind kind = sync::v1::ENTITY_KIND_UNSPECIFIED;
    int64_t count = 0;
    absl::Time since;
    int64_t age_ms = 0;
    row.Into(kind, count, since, age_ms);
    auto* counted = status.add_outbox_counts();
    counted->set_kind(kind);
    counted->set_count(count);
    *counted->mutable_oldest_marked_at() = ToProto(since);
    oldest = std::min(oldest, since);
    oldest_age_ms = std::max(oldest_age_ms, age_ms);
    total += count;
  }
  status.set_outbox_count(total);
  if (total > 0) {
    *status.mutable_oldest_marked_at() = ToProto(oldest);
    status.mutable_oldest_age()->set_seconds(oldest_age_ms / 1000);
    status.mutable_oldest_age()->set_nanos(
        static_cast<int32_t>(oldest_age_ms % 1000 * 1'000'000));
  }
}

// --- ListOutbox

const db::Statement kListOutbox = db::Compose({kOutboxEntryColumns, R"(
  WHERE (cardinality($1::text[]) = 0 OR kind = ANY ($1::text[]))
    AND ($2::text = '' OR key = $2::text)
    AND ($3::timestamptz IS NULL OR since < $3::timestamptz)
    AND (NOT $4::boolean OR last_error IS NOT NULL)
    AND ($5::text = '' OR $5::text = ANY (correlation_ids))
    AND ($6::text IS NULL OR (since, kind, key) > ($6::text::timestamptz, $7::text, $8::text))
  ORDER BY since, kind, key
  LIMIT $9::bigint
)"});

const db::Statement kListOutboxByKind = db::Compose({kOutboxEntryColumns, R"(
  WHERE (cardinality($1::text[]) = 0 OR kind = ANY ($1::text[]))
    AND ($2::text = '' OR key = $2::text)
    AND ($3::timestamptz IS NULL OR since < $3::timestamptz)
    AND (NOT $4::boolean OR last_error IS NOT NULL)
    AND ($5::text = '' OR $5::text = ANY (correlation_ids))
    AND ($6::text IS NULL OR (kind, key) > ($7::text, $8::text))
  ORDER BY kind, key
  LIMIT $9::bigint
)"});

const db::Statement kListOutboxByAttempts =
    db::Compose({kOutboxEntryColumns, R"(
  WHERE (cardinality($1::text[]) = 0 OR kind = ANY ($1::text[]))
    AND ($2::text = '' OR key = $2::text)
    AND ($3::timestamptz IS NULL OR since < $3::timestamptz)
    AND (NOT $4::boolean OR last_error IS NOT NULL)
    AND ($5::text = '' OR $5::text = ANY (correlation_ids))
    AND ($6::text IS NULL OR attempts < $6::text::bigint
         OR (attempts = $6::text::bigint AND (kind, key) > ($7::text, $8::text)))
  ORDER BY attempts DESC, kind, key
  LIMIT $9::bigint
)"});

const db::Statement& OutboxListIn(ops::v1::ListOutboxOrder order) {
  switch (order) {
    case ops::v1::LIST_OUTBOX_ORDER_KIND:
      return kListOutboxByKind;
    case ops::v1::LIST_OUTBOX_ORDER_ATTEMPTS_DESCENDING:
      return kListOutboxByAttempts;
    default:
      return kListOutbox;
  }
}

// By what the list goes on, before kind and key.
std::string PlaceInOutbox(ops::v1::ListOutboxOrder order,
                          const ops::v1::OutboxEntry& entry) {
  if (order == ops::v1::LIST_OUTBOX_ORDER_ATTEMPTS_DESCENDING)
    return absl::StrCat(entry.attempt_count());
  return absl::FormatTime(absl::RFC3339_full, FromProto(entry.marked_at()),
                          absl::UTCTimeZone());
}

absl::Status AskListOutbox(const ops::v1::ListOutboxRequest& request,
                           db::Exchange& exchange) {
  ASSIGN_OR_RETURN(std::vector<std::string> after,
                   handlers::PageKeys(request, 3));
  after.resize(3);
  std::optional<absl::Time> marked_before;
  if (request.has_marked_before())
    marked_before = FromProto(request.marked_before());
  std::optional<std::string> first_key;
  if (!request.page_token().empty()) first_key = after[0];
  exchange.Add(OutboxListIn(request.order_by()),
               db::Params()
                   .Array(KindTexts(request.kinds()))
                   .Add(request.key())
                   .Add(marked_before)
                   .Add(request.only_failed())
                   .Add(request.correlation_id())
                   .Add(first_key)
                   .Add(after[1])
                   .Add(after[2])
                   .Add(handlers::PageSize(request.page_size()) + 1));
  return absl::OkStatus();
}

absl::StatusOr<ops::v1::ListOutboxResponse> AnswerListOutbox(
    const ops::v1::ListOutboxRequest& request, const db::Results& results) {
  ops::v1::ListOutboxResponse response;
  const int64_t page = handlers::PageSize(request.page_size());
  for (const db::Row row : results[0]) {
    if (response.entries_size() == page) {
      const ops::v1::OutboxEntry& last =
          response.entries(response.entries_size() - 1);
      response.set_next_page_token(handlers::NextPageToken(
          request, {PlaceInOutbox(request.order_by(), last),
                    std::string(db::EnumText(last.kind())), last.key()}));
      break;
    }
    ReadOutboxEntry(row, *response.add_entries());
  }
  return response;
}

// --- GetVersion

constexpr db::Statement kSchemaVersions{R"(
  SELECT DISTINCT ON (project) project, change
  FROM sqitch.changes ORDER BY project, committed_at DESC
)"};

}  // namespace

Operations::Operations(Self self, handlers::QueryLanes& lanes,
                       handlers::Queries& queries, rpc::Router& router,
                       rpc::PeerChannel* peer)
    : self_(std::move(self)),
      lanes_(lanes),
      peer_(peer),
      waiters_(lanes, peer) {
  using Method = void (Operations::*)(std::unique_ptr<rpc::Call>);
  const auto route = [&](const char* method, Method handle) {
    router.Route(method, [this, handle](std::unique_ptr<rpc::Call> call) {
      (this->*handle)(std::move(call));
    });
  };
  route("mtp.ops.v1.OperationsService/GetSyncStatus",
        &Operations::GetSyncStatus);
  route("mtp.ops.v1.OperationsService/WaitForSync", &Operations::WaitForSync);
  route("mtp.ops.v1.OperationsService/GetVersion", &Operations::GetVersion);
  queries.Add("mtp.ops.v1.OperationsService/ListOutbox", AskListOutbox,
              AnswerListOutbox);
  AddListDrift(queries);
}

void Operations::GetSyncStatus(std::unique_ptr<rpc::Call> call) {
  db::Exchange exchange;
  exchange.Add(kEpochs);
  exchange.Add(kOutboxCounts);
  exchange.Add(reconciliation::kLastRun);
  const absl::Time deadline = call->deadline;
  lanes_.Ask(std::move(exchange), deadline,
             [this, call = std::shared_ptr<rpc::Call>(std::move(call))](
                 absl::StatusOr<db::Results> results) {
               if (!results.ok()) return call->Fail(results.status());
               ops::v1::GetSyncStatusResponse response;
               ops::v1::SyncStatus& status = *response.mutable_status();
               FillStatus(*results, status);
               if (!(*results)[2].empty()) {
                 *status.mutable_last_reconcile_run() =
                     reconciliation::ReadRun((*results)[2][0]);
               }
               status.set_side(self_.side);
               if (peer_ != nullptr) {
                 status.set_peer_reachable(peer_->Reachable());
                 status.set_breaker_state(Shown(peer_->breaker().Look().state));
               }
               call->Reply(response.SerializeAsString());
             });
}

void Operations::WaitForSync(std::unique_ptr<rpc::Call> call) {
  const auto& request =
      static_cast<const ops::v1::WaitForSyncRequest&>(*call->message);
  absl::StatusOr<std::vector<sync::Awaited>> awaited =
      sync::ParseSyncToken(request.sync_token());
  if (!awaited.ok()) return call->Fail(awaited.status());
  for (const sync::Awaited& one : *awaited) {
    if (std::none_of(self_.told.begin(), self_.told.end(),
                     [&](const sync::Relay::Route& route) {
                       return route.kind == one.kind;
                     })) {
      return call->Fail(errors::Make(absl::StatusCode::kInvalidArgument,
                                     "SYNC_TOKEN_INVALID",
                                     "the sync_token is the other side's"));
    }
  }
  absl::Duration wait = kLongestWait;
  if (request.has_max_wait()) {
    const absl::Duration asked = absl::Seconds(request.max_wait().seconds()) +
                                 absl::Nanoseconds(request.max_wait().nanos());
    if (asked < absl::ZeroDuration()) {
      return call->Fail(
          errors::InvalidField("max_wait", "must not be negative"));
    }
    wait = std::min(wait, asked);
  }
  const absl::Time give_up =
      std::min(absl::Now() + wait, call->deadline - kAnswerMargin);
  waiters_.Add(std::move(call), *std::move(awaited), give_up);
}

void Operations::GetVersion(std::unique_ptr<rpc::Call> call) {
  db::Exchange exchange;
  exchange.Add(kSchemaVersions);
  const absl::Time deadline = call->deadline;
  lanes_.Ask(std::move(exchange), deadline,
             [this, call = std::shared_ptr<rpc::Call>(std::move(call))](
                 absl::StatusOr<db::Results> results) {
               if (!results.ok()) return call->Fail(results.status());
               ops::v1::GetVersionResponse response;
               response.set_side(self_.side);
               response.set_service_version(self_.version);
               response.set_source_revision(self_.source_revision);
               response.set_contract_digest(self_.contract_digest);
               response.set_instance(self_.instance);
               response.set_time_zone(self_.time_zone);
               *response.mutable_started_at() = ToProto(self_.started);
               for (const std::string& package : self_.packages) {
                 response.add_packages(package);
               }
               for (const db::Row row : (*results)[0]) {
                 ops::v1::SchemaVersion& schema =
                     *response.add_schema_versions();
                 schema.set_project(row.Get<std::string>(0));
                 schema.set_change(row.Get<std::string>(1));
                 for (const auto& [project, change] : self_.needed_schema) {
                   if (project == schema.project())
                     schema.set_needed_change(change);
                 }
               }
               call->Reply(response.SerializeAsString());
             });
}

}  // namespace mtp::operations
