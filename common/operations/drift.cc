#include "common/operations/drift.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/operations/time_page.h"
#include "common/sync/things.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::operations {
namespace {

using ops::v1::ListDriftRequest;
using ops::v1::ListDriftResponse;

constexpr std::string_view kSelect = R"(
  SELECT drift_id, run_id, kind, key, owner, cause, differences::text, found_at,
         repaired_at, coalesce(repaired_version, 0)
  FROM sync.drift
  WHERE ($1::uuid IS NULL OR run_id = $1::uuid)
    AND (cardinality($2::text[]) = 0 OR kind = ANY ($2::text[]))
    AND ($3::text = '' OR key = $3::text)
    AND (cardinality($4::text[]) = 0 OR cause = ANY ($4::text[]))
    AND (NOT $5::boolean OR repaired_at IS NULL)
    AND ($6::timestamptz IS NULL OR found_at >= $6::timestamptz)
    AND ($7::timestamptz IS NULL OR found_at < $7::timestamptz)
)";
constexpr std::string_view kLatestFirst = R"(
    AND ($8::timestamptz IS NULL OR (found_at, drift_id) < ($8::timestamptz, $9::uuid))
  ORDER BY found_at DESC, drift_id DESC
  LIMIT $10::bigint
)";
constexpr std::string_view kOldestFirst = R"(
    AND ($8::timestamptz IS NULL OR (found_at, drift_id) > ($8::timestamptz, $9::uuid))
  ORDER BY found_at, drift_id
  LIMIT $10::bigint
)";
const db::Statement kListLatestFirst = db::Compose({kSelect, kLatestFirst});
const db::Statement kListOldestFirst = db::Compose({kSelect, kOldestFirst});

absl::Status AskListDrift(const ListDriftRequest& request,
                          db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const TimePage page, TimePage::Of(request));
  std::vector<std::string> causes;
  for (const int cause : request.causes()) {
    causes.emplace_back(db::EnumText(static_cast<ops::v1::DriftCause>(cause)));
  }
  std::optional<absl::Time> from;
  std::optional<absl::Time> before;
  if (request.has_found_from()) from = FromProto(request.found_from());
  if (request.has_found_before()) before = FromProto(request.found_before());
  exchange.Add(request.order_by() == ops::v1::LIST_DRIFT_ORDER_FOUND
                   ? kListOldestFirst
                   : kListLatestFirst,
               db::Params()
                   .Add(Uuid::Parse(request.run_id()))
                   .Array(KindTexts(request.kinds()))
                   .Add(request.key())
                   .Array(causes)
                   .Add(request.only_open())
                   .Add(from)
                   .Add(before)
                   .Add(page.after)
                   .Add(page.after_id)
                   .Add(page.size + 1));
  return absl::OkStatus();
}

// A value of any type as people read it; a missing one is empty.
std::string TextOf(const nlohmann::json& object, const char* name) {
  const auto value = object.find(name);
  if (value == object.end() || value->is_null()) return "";
  return value->is_string() ? value->get<std::string>() : value->dump();
}

// The table has [{"field": …, "owner_value": …, "copy_value": …}, …].
void ReadDifferences(const std::string& text, ops::v1::Drift& drift) {
  const auto differences =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!differences.is_array()) return;
  for (const auto& difference : differences) {
    if (!difference.is_object()) continue;
    ops::v1::DriftDifference& shown = *drift.add_differences();
    shown.set_field(TextOf(difference, "field"));
    shown.set_owner_value(TextOf(difference, "owner_value"));
    shown.set_copy_value(TextOf(difference, "copy_value"));
  }
}

void ReadDrift(const db::Row& row, ops::v1::Drift& drift) {
  Uuid drift_id;
  Uuid run_id;
  std::string kind;
  common::v1::Side owner = common::v1::SIDE_UNSPECIFIED;
  ops::v1::DriftCause cause = ops::v1::DRIFT_CAUSE_UNSPECIFIED;
  std::string differences;
  absl::Time found_at;
  std::optional<absl::Time> repaired_at;
  int64_t repaired_version = 0;
  row.Into(drift_id, run_id, kind, *drift.mutable_key(), owner, cause,
           differences, found_at, repaired_at, repaired_version);
  drift.set_drift_id(drift_id.ToString());
  drift.set_run_id(run_id.ToString());
  drift.set_kind(sync::EntityKindOf(kind));
  drift.set_owner(owner);
  drift.set_cause(cause);
  ReadDifferences(differences, drift);
  *drift.mutable_found_at() = ToProto(found_at);
  if (repaired_at.has_value())
    *drift.mutable_repaired_at() = ToProto(*repaired_at);
  drift.set_repaired_version(repaired_version);
}

absl::StatusOr<ListDriftResponse> AnswerListDrift(
    const ListDriftRequest& request, const db::Results& results) {
  ListDriftResponse response;
  for (const db::Row row : results[0]) {
    if (response.drift_size() == handlers::PageSize(request.page_size())) {
      const auto& last = response.drift(response.drift_size() - 1);
      response.set_next_page_token(
          TimePage::Next(request, FromProto(last.found_at()), last.drift_id()));
      break;
    }
    ReadDrift(row, *response.add_drift());
  }
  return response;
}

}  // namespace

void AddListDrift(handlers::Queries& queries) {
  queries.Add("mtp.ops.v1.OperationsService/ListDrift", AskListDrift,
              AnswerListDrift);
}

}  // namespace mtp::operations
