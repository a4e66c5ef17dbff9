#include "order_service/request_imports.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/handlers/file_faults.h"
#include "common/handlers/paging.h"
#include "common/sync/outbox.h"
#include "order_service/errors.h"
#include "order_service/import_lists.h"
#include "order_service/request_file.h"

namespace mtp::order {
namespace {

// The contract's: a reply tells so many faults, GetRequestImport pages all.
constexpr size_t kToldLimit = 1000;

// --- ImportOpenRequests

absl::CivilDay Today(absl::Time now, const Rows& rows) {
  return absl::ToCivilDay(now, rows.settings.time_zone);
}

RequestImport NewImport(const v1::ImportOpenRequestsRequest& request,
                        const RequestFile& file, const Context& context) {
  return {.import_id = context.NewId(),
          .file_digest = absl::AsciiStrToLower(request.file_digest()),
          .file_name = request.file_name(),
          .stored = file.faults.empty(),
          .row_count = request.rows_size(),
          .created_request_count = static_cast<int64_t>(file.fresh.size()),
          .unchanged_request_count = file.unchanged_count,
          .bad_row_count = file.bad_row_count,
          .fault_count = static_cast<int64_t>(file.faults.size()),
          .imported_by = context.caller().subject,
          .imported_by_username = context.caller().username,
          .imported_by_role = context.caller().role,
          .imported_at = context.now(),
          .correlation_id = context.correlation_id()};
}

v1::ImportOpenRequestsResponse Told(const RequestImport& import) {
  v1::ImportOpenRequestsResponse response;
  response.set_row_count(import.row_count);
  response.set_created_request_count(import.created_request_count);
  response.set_unchanged_request_count(import.unchanged_request_count);
  response.set_bad_row_count(import.bad_row_count);
  response.set_fault_count(import.fault_count);
  return response;
}

void KeepFaults(const RequestImport& import, const RequestFile& file,
                Context& context, Rows& rows) {
  rows.request_imports.Append(import);
  int64_t number = 0;
  for (const v1::BadRow& fault : file.faults) {
    rows.request_faults.Append(
        handlers::FaultRow<RequestFault>(import.import_id, ++number, fault));
  }
  handlers::AuditRefused("request_import", import, context);
}

// Ordinary requests count against their plan, also those beyond what it allows:
// the old system had promised them.
void CountAgainstPlans(const std::vector<FileRequest>& requests, Rows& rows) {
  absl::flat_hash_map<const Plan*, int64_t> asked;
  for (const FileRequest& request : requests) {
    if (request.plan != nullptr && !request.special)
      asked[request.plan] += request.grams;
  }
  for (const auto& [found, grams] : asked) {
    Plan& plan = rows.plans.Edit(*found);
    plan.requested_grams += grams;
    plan.excess_grams = std::max(plan.excess_grams,
                                 plan.requested_grams - plan.requirement_grams);
  }
}

std::vector<OpenRequest> MakeRequests(const std::vector<FileRequest>& in_file,
                                      const Context& context, Rows& rows) {
  std::vector<OpenRequest> made;
  made.reserve(in_file.size());
  for (const FileRequest& request : in_file) {
    made.push_back(
        {.request_code = rows.open_requests.TakeCode(),
         .event_id = context.NewId(),
         .reference = request.reference,
         .order_code = request.order_code,
         .product_name = request.product_name,
         .item_code = request.item_code,
         .comments = request.comments,
         .grams = request.grams,
         .planned = request.plan != nullptr,
         .special = request.special,
         .occurred_at = request.requested_on.has_value()
                            ? absl::FromCivil(*request.requested_on,
                                              rows.settings.time_zone)
                            : context.now()});
  }
  return made;
}

// Returns the token to wait for all of them.
std::string KeepRequests(const v1::ImportOpenRequestsRequest& request,
                         const RequestImport& import, const RequestFile& file,
                         Context& context, Rows& rows) {
  rows.request_imports.Append(import);
  rows.raw_request_rows.Append(import.import_id, request.rows());
  CountAgainstPlans(file.fresh, rows);
  context.Audit("request_import", import.import_id.ToString(), "stored",
                {{"file_name", import.file_name},
                 {"file_digest", import.file_digest},
                 {"rows", import.row_count},
                 {"created_requests", import.created_request_count},
                 {"unchanged_requests", import.unchanged_request_count}});
  std::vector<OpenRequest> made = MakeRequests(file.fresh, context, rows);
  std::vector<int64_t> codes;
  codes.reserve(made.size());
  for (const OpenRequest& one : made) codes.push_back(one.request_code);
  context.Tell(sync::kShipment, db::ShipmentKey{codes.back(), 1}.Text(), 1);
  rows.open_requests.Make(import, context.audit_entries().back(),
                          std::move(made));
  return sync::SyncTokenOfNewRequests(codes);
}

// --- ListRequestImports

const db::Statement kListImports = db::Compose(
    {RequestImport::kSelect, "FROM request_import", kImportFilter, kImportsUp});
const db::Statement kListImportsDescending =
    db::Compose({RequestImport::kSelect, "FROM request_import", kImportFilter,
                 kImportsDown});

absl::Status AskListRequestImports(const v1::ListRequestImportsRequest& request,
                                   db::Exchange& exchange) {
  return AskListImports(
      request,
      request.order_by() == v1::LIST_REQUEST_IMPORTS_ORDER_IMPORTED
          ? kListImports
          : kListImportsDescending,
      exchange);
}

absl::StatusOr<v1::ListRequestImportsResponse> AnswerListRequestImports(
    const v1::ListRequestImportsRequest& request, const db::Results& results) {
  v1::ListRequestImportsResponse response;
  ShowImports<RequestImport>(request, results[0],
                             *response.mutable_request_imports(), response);
  return response;
}

// --- GetRequestImport

const db::Statement kGetImport = db::Compose(
    {RequestImport::kSelect, "FROM request_import WHERE import_id = $1::uuid"});

constexpr db::Statement kRawRows{R"(
  SELECT line, reference, order_code, product_name, item_code, quantity, requested_on,
    special, comments
  FROM order_request_raw
  WHERE import_id = $1::uuid AND ($3::bigint IS NULL OR line > $3)
  ORDER BY line
  LIMIT $2::bigint
)"};

constexpr db::Statement kFaults{R"(
  SELECT fault_number, line, column_name, value, reason, message
  FROM request_import_fault
  WHERE import_id = $1::uuid AND ($3::bigint IS NULL OR fault_number > $3)
  ORDER BY fault_number
  LIMIT $2::bigint
)"};

absl::Status AskGetRequestImport(const v1::GetRequestImportRequest& request,
                                 db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  std::optional<int64_t> after;
  if (!keys.empty()) RETURN_IF_ERROR(ReadPageKey(keys[0], after.emplace()));
  const Uuid import_id = Uuid::Parse(request.import_id()).value_or(Uuid{});
  exchange.Add(kGetImport, db::Params().Add(import_id));
  exchange.Add(
      request.part() == v1::REQUEST_IMPORT_PART_BAD_ROWS ? kFaults : kRawRows,
      db::Params()
          .Add(import_id)
          .Add(handlers::PageSize(request.page_size()) + 1)
          .Add(after));
  return absl::OkStatus();
}

// The key of the row, for the token of the page behind it.
std::string ShowRawRow(const db::Row& row,
                       v1::GetRequestImportResponse& response) {
  int64_t line = 0;
  v1::OpenRequestRow& raw = *response.add_raw_rows();
  row.Into(line, *raw.mutable_reference(), *raw.mutable_order_code(),
           *raw.mutable_product_name(), *raw.mutable_item_code(),
           *raw.mutable_quantity(), *raw.mutable_requested_on(),
           *raw.mutable_special(), *raw.mutable_comments());
  raw.set_line_number(line);
  return PageKey(line);
}

absl::StatusOr<v1::GetRequestImportResponse> AnswerGetRequestImport(
    const v1::GetRequestImportRequest& request, const db::Results& results) {
  if (results[0].empty())
    return errors::RequestImportNotFound(request.import_id());
  v1::GetRequestImportResponse response;
  *response.mutable_request_import() =
      ReadImport<RequestImport>(results[0][0]).Shown();
  ShowParts(request, results[1],
            request.part() == v1::REQUEST_IMPORT_PART_BAD_ROWS
                ? ShowKeptFault<v1::GetRequestImportResponse>
                : ShowRawRow,
            response);
  return response;
}

}  // namespace

void TouchImportOpenRequests(const v1::ImportOpenRequestsRequest& request,
                             Rows& rows) {
  rows.request_import_turn.Want();
  if (!handlers::IsFileDigest(request.file_digest()) ||
      request.rows_size() > rows.settings.request_import_row_limit) {
    return;
  }
  WantRequestFile(request.rows(), request.validate_only(), rows);
}

absl::StatusOr<v1::ImportOpenRequestsResponse> DecideImportOpenRequests(
    const v1::ImportOpenRequestsRequest& request, Context& context,
    Rows& rows) {
  if (!handlers::IsFileDigest(request.file_digest())) {
    return errors::FileDigestInvalid();
  }
  if (request.rows_size() > rows.settings.request_import_row_limit) {
    return errors::ImportTooLarge(request.rows_size(),
                                  rows.settings.request_import_row_limit);
  }
  const RequestFile file =
      JudgeRequestFile(request.rows(), rows, Today(context.now(), rows));
  const RequestImport import = NewImport(request, file, context);
  v1::ImportOpenRequestsResponse response = Told(import);
  if (!file.faults.empty()) {
    for (size_t i = 0; i < std::min(file.faults.size(), kToldLimit); ++i) {
      *response.add_bad_rows() = file.faults[i];
    }
    if (request.validate_only()) return response;
    KeepFaults(import, file, context, rows);
    response.set_import_id(import.import_id.ToString());
    return response;
  }
  response.set_stored(file.fresh.empty() || !request.validate_only());
  if (file.fresh.empty() || request.validate_only()) return response;
  response.set_import_id(import.import_id.ToString());
  response.set_sync_token(KeepRequests(request, import, file, context, rows));
  return response;
}

void AddRequestImports(Commands& commands, Queries& queries) {
  commands.AddLengthy("mtp.order.v1.RequestService/ImportOpenRequests",
                      TouchImportOpenRequests, DecideImportOpenRequests);
  queries.Add("mtp.order.v1.RequestService/ListRequestImports",
              AskListRequestImports, AnswerListRequestImports);
  queries.Add("mtp.order.v1.RequestService/GetRequestImport",
              AskGetRequestImport, AnswerGetRequestImport);
}

}  // namespace mtp::order
