#include "common/operations/drift.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/operations/time_page.h"
#include "common/reconciliation/drift_rows.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::operations {
namespace {

using ops::v1::ListDriftRequest;
using ops::v1::ListDriftResponse;

constexpr std::string_view kFrom = R"(
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
const db::Statement kListLatestFirst = db::Compose(
    {"SELECT ", reconciliation::kDriftColumns, kFrom, kLatestFirst});
const db::Statement kListOldestFirst = db::Compose(
    {"SELECT ", reconciliation::kDriftColumns, kFrom, kOldestFirst});

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
  db::Params params;
  params.Add(Uuid::Parse(request.run_id()))
      .Array(KindTexts(request.kinds()))
      .Add(request.key())
      .Array(causes)
      .Add(request.only_open())
      .Add(from)
      .Add(before);
  page.AddTo(params);
  exchange.Add(request.order_by() == ops::v1::LIST_DRIFT_ORDER_FOUND
                   ? kListOldestFirst
                   : kListLatestFirst,
               std::move(params));
  return absl::OkStatus();
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
    *response.add_drift() = reconciliation::ReadDrift(row);
  }
  return response;
}

}  // namespace

void AddListDrift(handlers::Queries& queries) {
  queries.Add("mtp.ops.v1.OperationsService/ListDrift", AskListDrift,
              AnswerListDrift);
}

}  // namespace mtp::operations
