#include "common/operations/audit_trail.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/db/proto_enum.h"
#include "common/handlers/actor.h"
#include "common/handlers/paging.h"
#include "common/sync/audit.h"
#include "mtp/audit/v1/audit.pb.h"

namespace mtp::operations {
namespace {

using audit::v1::ListEntriesRequest;
using audit::v1::ListEntriesResponse;

// A seal covers the entries up to its last one, as far back as the seal before.
// What was done is a part of the change as it is shown.
constexpr std::string_view kColumns = R"(
  SELECT entry.entry_id, entry.recorded_at, entry.occurred_at, entry.caller,
    entry.username, entry.role, entry.method, entry.entity_kind, entry.entity_key,
    (jsonb_build_object('done', entry.action) || entry.change)::text, entry.remarks,
    entry.correlation_id, entry.request_id, entry.remote_address,
    (SELECT seal.seal_number FROM audit.seal
     WHERE seal.last_entry_id >= entry.entry_id ORDER BY seal.last_entry_id LIMIT 1)
  FROM
)";

// Where to look, so that each way has its index: among all; at a thing, whether
// it was done to it or names it; at a correlation id; at a request_id. What is
// not looked at by is empty or NULL.
constexpr std::string_view kAnywhere = R"(
  audit.entry AS entry
  WHERE $1::text IS NOT NULL AND $2::text = '' AND $3::text = '' AND $4::uuid IS NULL
)";
constexpr std::string_view kAtThing = R"(
  (SELECT found.* FROM (
     SELECT at.entry_id FROM audit.entry AS at
     WHERE at.entity_kind = $1::text AND at.entity_key = $2::text
     UNION
     SELECT at.entry_id FROM audit.entry AS at
     WHERE $1 = 'shipment' AND at.change ? 'shipment' AND at.change ->> 'shipment' = $2
     UNION
     SELECT at.entry_id FROM audit.entry AS at
     WHERE $1 = 'batch' AND at.change ? 'batch_id' AND at.change ->> 'batch_id' = $2
   ) AS at JOIN audit.entry AS found USING (entry_id)
   OFFSET 0) AS entry  -- found first, not met on a way through all in order
  WHERE ($3::text = '' OR entry.correlation_id = $3)
  AND ($4::uuid IS NULL OR entry.request_id = $4)
)";
constexpr std::string_view kAtCorrelation = R"(
  audit.entry AS entry
  WHERE entry.correlation_id = $3::text
  AND $2::text = '' AND ($1::text = '' OR entry.entity_kind = $1)
  AND ($4::uuid IS NULL OR entry.request_id = $4)
)";
constexpr std::string_view kAtRequest = R"(
  audit.entry AS entry
  WHERE entry.request_id = $4::uuid
  AND $3::text = '' AND $2::text = '' AND ($1::text = '' OR entry.entity_kind = $1)
)";

// A beginning of the action ends with a slash or a point, or before one.
constexpr std::string_view kFilter = R"(
  AND ($1 = '' OR $2 <> '' OR entry.entity_kind = $1)
  AND ($5::text = '' OR entry.caller = $5)
  AND ($6::text = '' OR lower(entry.username) = lower($6))
  AND ($7::text = '' OR entry.role = $7)
  AND ($8::text = '' OR entry.method = $8
       OR (starts_with(entry.method, $8)
           AND (right($8, 1) IN ('/', '.')
                OR substr(entry.method, length($8) + 1, 1) IN ('/', '.'))))
  AND ($9::text = '' OR strpos(lower(entry.remarks), lower($9)) > 0)
  AND ($10::timestamptz IS NULL OR entry.recorded_at >= $10)
  AND ($11::timestamptz IS NULL OR entry.recorded_at < $11)
)";
constexpr std::string_view kLatestFirst = R"(
  AND ($12::bigint IS NULL OR entry.entry_id < $12)
  ORDER BY entry.entry_id DESC
  LIMIT $13::bigint
)";
constexpr std::string_view kOldestFirst = R"(
  AND ($12::bigint IS NULL OR entry.entry_id > $12)
  ORDER BY entry.entry_id
  LIMIT $13::bigint
)";

struct Statements {
  explicit Statements(std::string_view place)
      : latest_first(db::Compose({kColumns, place, kFilter, kLatestFirst})),
        oldest_first(db::Compose({kColumns, place, kFilter, kOldestFirst})) {}
  db::Statement latest_first;
  db::Statement oldest_first;
};
const Statements kListAnywhere(kAnywhere);
const Statements kListAtThing(kAtThing);
const Statements kListAtCorrelation(kAtCorrelation);
const Statements kListAtRequest(kAtRequest);

const Statements& StatementsFor(const ListEntriesRequest& request) {
  if (!request.thing().key().empty()) return kListAtThing;
  if (!request.correlation_id().empty()) return kListAtCorrelation;
  if (!request.entry_request_id().empty()) return kListAtRequest;
  return kListAnywhere;
}

absl::Status AskListEntries(const ListEntriesRequest& request,
                            db::Exchange& exchange) {
  if (request.thing().kind().empty() && !request.thing().key().empty()) {
    return errors::InvalidField("thing.kind", "is required with a key");
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  std::optional<int64_t> after;
  if (!keys.empty() && !absl::SimpleAtoi(keys[0], &after.emplace())) {
    return handlers::PageTokenInvalid();
  }
  std::optional<absl::Time> from;
  std::optional<absl::Time> before;
  if (request.has_recorded_from()) from = FromProto(request.recorded_from());
  if (request.has_recorded_before())
    before = FromProto(request.recorded_before());
  const Statements& statements = StatementsFor(request);
  exchange.Add(request.order_by() == audit::v1::LIST_ENTRIES_ORDER_ENTRY_NUMBER
                   ? statements.oldest_first
                   : statements.latest_first,
               db::Params()
                   .Add(request.thing().kind())
                   .Add(request.thing().key())
                   .Add(request.correlation_id())
                   .Add(Uuid::Parse(request.entry_request_id()))
                   .Add(request.actor_subject())
                   .Add(request.actor_username())
                   .Add(request.actor_role())
                   .Add(request.action())
                   .Add(request.search())
                   .Add(from)
                   .Add(before)
                   .Add(after)
                   .Add(handlers::PageSize(request.page_size()) + 1));
  return absl::OkStatus();
}

void ReadEntry(const db::Row& row, audit::v1::AuditEntry& entry) {
  int64_t number = 0;
  absl::Time recorded_at, occurred_at;
  handlers::Actor actor;
  common::v1::Thing thing;
  std::optional<Uuid> request_id;
  std::optional<int64_t> seal_number;
  row.Into(number, recorded_at, occurred_at, actor.subject, actor.username,
           actor.role, *entry.mutable_action(), *thing.mutable_kind(),
           *thing.mutable_key(), *entry.mutable_change_json(),
           *entry.mutable_remarks(), *entry.mutable_correlation_id(),
           request_id, *entry.mutable_remote_address(), seal_number);
  entry.set_entry_number(number);
  *entry.mutable_recorded_at() = ToProto(recorded_at);
  *entry.mutable_occurred_at() = ToProto(occurred_at);
  actor.To(entry.mutable_actor());
  *entry.add_things() = std::move(thing);
  for (common::v1::Thing& named : sync::ThingsIn(entry.change_json())) {
    *entry.add_things() = std::move(named);
  }
  if (request_id.has_value()) entry.set_request_id(request_id->ToString());
  entry.set_seal_number(seal_number.value_or(0));
}

absl::StatusOr<ListEntriesResponse> AnswerListEntries(
    const ListEntriesRequest& request, const db::Results& results) {
  ListEntriesResponse response;
  for (const db::Row row : results[0]) {
    if (response.entries_size() == handlers::PageSize(request.page_size())) {
      const auto& last = response.entries(response.entries_size() - 1);
      response.set_next_page_token(handlers::NextPageToken(
          request, {absl::StrCat(last.entry_number())}));
      break;
    }
    ReadEntry(row, *response.add_entries());
  }
  return response;
}

}  // namespace

void AddAuditTrail(handlers::Queries& queries) {
  queries.Add("mtp.audit.v1.AuditService/ListEntries", AskListEntries,
              AnswerListEntries);
}

}  // namespace mtp::operations
