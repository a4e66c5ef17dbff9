#include "order_service/plan_imports.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/spreadsheet_text.h"
#include "common/base/status.h"
#include "common/handlers/file_faults.h"
#include "common/handlers/file_imports.h"
#include "common/handlers/paging.h"
#include "order_service/errors.h"
#include "order_service/import_lists.h"
#include "order_service/plan_file.h"

namespace mtp::order {
namespace {

// A reply tells so many faults and kept plans; GetPlanImport pages all.
constexpr size_t kToldLimit = 100;

// --- ImportPlans

void TellDifference(v1::KeptPlan& kept, std::string_view field,
                    std::string kept_value, std::string file_value) {
  if (kept_value == file_value) return;
  v1::PlanDifference* difference = kept.add_differences();
  difference->set_field(std::string(field));
  difference->set_kept_value(std::move(kept_value));
  difference->set_file_value(std::move(file_value));
}

PlanImport NewImport(const v1::ImportPlansRequest& request,
                     const PlanFile& file, const Context& context) {
  return {.file_digest = absl::AsciiStrToLower(request.file_digest()),
          .import_id = context.NewId(),
          .file_name = request.file_name(),
          .stored = file.faults.empty(),
          .row_count = request.rows_size(),
          .plan_count = file.plan_count,
          .bad_row_count = file.bad_row_count,
          .fault_count = static_cast<int64_t>(file.faults.size()),
          .imported_by = context.caller().subject,
          .imported_by_username = context.caller().username,
          .imported_by_role = context.caller().role,
          .imported_at = context.now(),
          .correlation_id = context.correlation_id()};
}

v1::ImportPlansResponse Told(const PlanImport& import, bool validate_only) {
  v1::ImportPlansResponse response;
  if (!validate_only) {
    response.set_import_id(import.import_id.ToString());
    response.set_stored(import.stored);
  }
  response.set_row_count(import.row_count);
  response.set_plan_count(import.plan_count);
  response.set_created_plan_count(import.created_plan_count);
  response.set_updated_plan_count(import.updated_plan_count);
  response.set_unchanged_plan_count(import.unchanged_plan_count);
  response.set_kept_plan_count(import.kept_plan_count);
  response.set_bad_row_count(import.bad_row_count);
  response.set_fault_count(import.fault_count);
  return response;
}

v1::ImportPlansResponse Refuse(const v1::ImportPlansRequest& request,
                               const PlanFile& file, Context& context,
                               Rows& rows) {
  const PlanImport import = NewImport(request, file, context);
  v1::ImportPlansResponse response = Told(import, request.validate_only());
  for (size_t i = 0; i < std::min(file.faults.size(), kToldLimit); ++i) {
    *response.add_bad_rows() = file.faults[i].told;
  }
  if (request.validate_only()) return response;

  rows.plan_imports.Insert(import);
  int64_t number = 0;
  for (const FileFault& fault : file.faults) {
    auto row =
        handlers::FaultRow<PlanFault>(import.import_id, ++number, fault.told);
    row.order_code = fault.order_code;
    rows.plan_faults.Append(std::move(row));
  }
  handlers::AuditRefused("plan_import", import, context);
  return response;
}

void CreatePlan(const FilePlan& in_file, const Uuid& import_id,
                Context& context, Rows& rows) {
  // There was one before a restore, if ordinary requests name it.
  const PlanUse* use = rows.plan_uses.Find(in_file.order_code);
  const int64_t orphans = use == nullptr ? 0 : use->orphan_count;
  if (orphans > 0) {
    rows.plan_returns.Append({.order_code = in_file.order_code});
    rows.plan_return_sums.Append({.order_code = in_file.order_code});
  }
  rows.plans.Insert({.order_code = in_file.order_code,
                     .item_code = in_file.item_code,
                     .product_name = in_file.product_name,
                     .requirement_grams = in_file.requirement_grams,
                     .plan_start = in_file.plan_start,
                     .plan_end = in_file.plan_end,
                     .import_id = import_id,
                     .created_at = context.now(),
                     .changed_at = context.now()});
  sync::Change change = {
      {"import_id", import_id.ToString()},
      {"item_code", in_file.item_code},
      {"product_name", in_file.product_name},
      {"requirement_grams", in_file.requirement_grams},
      {"plan_start", absl::FormatCivilTime(in_file.plan_start)},
      {"plan_end", absl::FormatCivilTime(in_file.plan_end)}};
  if (orphans > 0) change.emplace_back("requests_taken_back", orphans);
  context.Audit("plan", in_file.order_code, "created", change);
}

void UpdatePlan(const Plan& found, const FilePlan& in_file,
                const v1::KeptPlan& comparison, const Uuid& import_id,
                Context& context, Rows& rows) {
  Plan& plan = rows.plans.Edit(found);
  plan.item_code = in_file.item_code;
  plan.product_name = in_file.product_name;
  plan.requirement_grams = in_file.requirement_grams;
  plan.plan_start = in_file.plan_start;
  plan.plan_end = in_file.plan_end;
  plan.import_id = import_id;
  ++plan.version;
  plan.changed_at = context.now();
  sync::Change change = {{"import_id", import_id.ToString()}};
  for (const v1::PlanDifference& difference : comparison.differences()) {
    change.emplace_back(difference.field(), difference.file_value());
    change.emplace_back(absl::StrCat(difference.field(), "_before"),
                        difference.kept_value());
  }
  context.Audit("plan", in_file.order_code, "updated", change);
}

// A plan that is new is made, one that differs is changed unless something was
// requested of it, the others stay.
v1::ImportPlansResponse Store(const v1::ImportPlansRequest& request,
                              const PlanFile& file, Context& context,
                              Rows& rows) {
  const bool keeps = !request.validate_only();
  PlanImport import = NewImport(request, file, context);
  std::vector<v1::KeptPlan> kept_plans;
  for (const FilePlan& in_file : file.plans) {
    const Plan* plan = rows.plans.Find(in_file.order_code);
    if (plan == nullptr) {
      ++import.created_plan_count;
      if (keeps) CreatePlan(in_file, import.import_id, context, rows);
      continue;
    }
    v1::KeptPlan comparison = Compare(*plan, in_file);
    if (comparison.differences().empty()) {
      ++import.unchanged_plan_count;
    } else if (rows.plan_uses.Find(in_file.order_code) != nullptr) {
      ++import.kept_plan_count;
      if (keeps)
        rows.kept_plans.Append(KeptPlan::Of(comparison, import.import_id));
      kept_plans.push_back(std::move(comparison));
    } else {
      ++import.updated_plan_count;
      if (keeps)
        UpdatePlan(*plan, in_file, comparison, import.import_id, context, rows);
    }
  }
  v1::ImportPlansResponse response = Told(import, request.validate_only());
  kept_plans.resize(std::min(kept_plans.size(), kToldLimit));
  for (v1::KeptPlan& kept : kept_plans)
    *response.add_kept_plans() = std::move(kept);
  if (!keeps) return response;

  rows.raw_plan_rows.Append(import.import_id, request.rows());
  rows.plan_imports.Insert(import);
  context.Audit("plan_import", import.import_id.ToString(), "stored",
                {{"file_name", import.file_name},
                 {"file_digest", import.file_digest},
                 {"rows", import.row_count},
                 {"created_plans", import.created_plan_count},
                 {"updated_plans", import.updated_plan_count},
                 {"unchanged_plans", import.unchanged_plan_count},
                 {"kept_plans", import.kept_plan_count}});
  return response;
}

// --- ListPlanImports

const db::Statement kListImports = db::Compose(
    {PlanImport::kSelect, "FROM plan_import", kImportFilter, kImportsUp});
const db::Statement kListImportsDescending = db::Compose(
    {PlanImport::kSelect, "FROM plan_import", kImportFilter, kImportsDown});

absl::Status AskListPlanImports(const v1::ListPlanImportsRequest& request,
                                db::Exchange& exchange) {
  return AskListImports(
      request,
      request.order_by() == v1::LIST_PLAN_IMPORTS_ORDER_IMPORTED
          ? kListImports
          : kListImportsDescending,
      exchange);
}

absl::StatusOr<v1::ListPlanImportsResponse> AnswerListPlanImports(
    const v1::ListPlanImportsRequest& request, const db::Results& results) {
  v1::ListPlanImportsResponse response;
  ShowImports<PlanImport>(request, results[0], *response.mutable_plan_imports(),
                          response);
  return response;
}

// --- GetPlanImport

const db::Statement kGetImport = db::Compose(
    {PlanImport::kSelect, "FROM plan_import WHERE import_id = $1::uuid"});

constexpr db::Statement kRawRows{R"(
  SELECT import_id, line, lot_code, order_code, item_code, production_date, stock,
    requirement, location, product_code, product_name, item_name, sub_location,
    plan_start, plan_end
  FROM order_plan_raw
  WHERE import_id = $1::uuid AND ($2::text = '' OR btrim(order_code) = $2)
    AND ($4::bigint IS NULL OR line > $4)
  ORDER BY line
  LIMIT $3::bigint
)"};

constexpr db::Statement kFaults{R"(
  SELECT fault_number, line, column_name, value, reason, message
  FROM plan_import_fault
  WHERE import_id = $1::uuid AND ($2::text = '' OR order_code = $2)
    AND ($4::bigint IS NULL OR fault_number > $4)
  ORDER BY fault_number
  LIMIT $3::bigint
)"};

constexpr db::Statement kKeptPlans{R"(
  SELECT order_code, line,
    ARRAY(SELECT d ->> 'field' FROM jsonb_array_elements(differences) AS d),
    ARRAY(SELECT d ->> 'kept_value' FROM jsonb_array_elements(differences) AS d),
    ARRAY(SELECT d ->> 'file_value' FROM jsonb_array_elements(differences) AS d)
  FROM plan_import_kept
  WHERE import_id = $1::uuid AND ($2::text = '' OR order_code = $2)
    AND ($4::text IS NULL OR order_code > $4)
  ORDER BY order_code
  LIMIT $3::bigint
)"};

absl::Status AskGetPlanImport(const v1::GetPlanImportRequest& request,
                              db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  const Uuid import_id = Uuid::Parse(request.import_id()).value_or(Uuid{});
  exchange.Add(kGetImport, db::Params().Add(import_id));
  db::Params part = db::Params()
                        .Add(import_id)
                        .Add(Trimmed(request.order_code()))
                        .Add(handlers::PageSize(request.page_size()) + 1);
  if (request.part() == v1::PLAN_IMPORT_PART_KEPT_PLANS) {
    exchange.Add(
        kKeptPlans,
        part.Add(keys.empty() ? std::optional<std::string>() : keys[0]));
    return absl::OkStatus();
  }
  std::optional<int64_t> after;
  if (!keys.empty()) RETURN_IF_ERROR(ReadPageKey(keys[0], after.emplace()));
  part.Add(after);
  exchange.Add(
      request.part() == v1::PLAN_IMPORT_PART_BAD_ROWS ? kFaults : kRawRows,
      std::move(part));
  return absl::OkStatus();
}

// The key of the row, for the token of the page behind it.
std::string ShowRawRow(const db::Row& row,
                       v1::GetPlanImportResponse& response) {
  RawPlanRow raw;
  std::apply([&](auto... member) { row.Into(raw.*member...); },
             RawPlanRow::kLoaded);
  *response.add_raw_rows() = raw.Shown();
  return PageKey(raw.line);
}

std::string ShowKeptPlan(const db::Row& row,
                         v1::GetPlanImportResponse& response) {
  std::string order_code;
  int64_t line = 0;
  std::vector<std::string> fields;
  std::vector<std::string> kept_values;
  std::vector<std::string> file_values;
  row.Into(order_code, line, fields, kept_values, file_values);
  v1::KeptPlan* kept = response.add_kept_plans();
  kept->set_order_code(order_code);
  kept->set_line_number(line);
  for (size_t i = 0; i < fields.size(); ++i) {
    TellDifference(*kept, fields[i], kept_values[i], file_values[i]);
  }
  return order_code;
}

absl::StatusOr<v1::GetPlanImportResponse> AnswerGetPlanImport(
    const v1::GetPlanImportRequest& request, const db::Results& results) {
  if (results[0].empty())
    return errors::PlanImportNotFound(request.import_id());
  v1::GetPlanImportResponse response;
  *response.mutable_plan_import() =
      ReadImport<PlanImport>(results[0][0]).Shown();
  const auto show = request.part() == v1::PLAN_IMPORT_PART_KEPT_PLANS
                        ? ShowKeptPlan
                    : request.part() == v1::PLAN_IMPORT_PART_BAD_ROWS
                        ? ShowKeptFault<v1::GetPlanImportResponse>
                        : ShowRawRow;
  ShowParts(request, results[1], show, response);
  return response;
}

}  // namespace

v1::KeptPlan Compare(const Plan& plan, const FilePlan& in_file) {
  v1::KeptPlan kept;
  kept.set_order_code(in_file.order_code);
  kept.set_line_number(in_file.line);
  TellDifference(kept, "item_code", plan.item_code, in_file.item_code);
  TellDifference(kept, "product_name", plan.product_name, in_file.product_name);
  TellDifference(kept, "requirement_grams",
                 std::to_string(plan.requirement_grams),
                 std::to_string(in_file.requirement_grams));
  TellDifference(kept, "plan_start", absl::FormatCivilTime(plan.plan_start),
                 absl::FormatCivilTime(in_file.plan_start));
  TellDifference(kept, "plan_end", absl::FormatCivilTime(plan.plan_end),
                 absl::FormatCivilTime(in_file.plan_end));
  return kept;
}

void TouchImportPlans(const v1::ImportPlansRequest& request, Rows& rows) {
  rows.import_turn.Want();
  if (!handlers::IsFileDigest(request.file_digest())) return;
  rows.plan_imports.Want(absl::AsciiStrToLower(request.file_digest()));
  if (request.rows_size() > rows.settings.plan_import_row_limit) return;
  std::set<std::string_view> order_codes;
  for (const v1::PlanRow& row : request.rows()) {
    order_codes.insert(Trimmed(row.order_code()));
  }
  for (const std::string_view order_code : order_codes) {
    rows.plans.Want(std::string(order_code));
    rows.plan_uses.Want(std::string(order_code));
  }
}

absl::StatusOr<v1::ImportPlansResponse> DecideImportPlans(
    const v1::ImportPlansRequest& request, Context& context, Rows& rows) {
  if (!handlers::IsFileDigest(request.file_digest())) {
    return errors::FileDigestInvalid();
  }
  if (request.rows_size() > rows.settings.plan_import_row_limit) {
    return errors::ImportTooLarge(request.rows_size(),
                                  rows.settings.plan_import_row_limit);
  }
  if (const PlanImport* before =
          rows.plan_imports.Find(absl::AsciiStrToLower(request.file_digest()));
      before != nullptr) {
    v1::ImportPlansResponse response = Told(*before, request.validate_only());
    response.set_already_imported(true);
    return response;
  }
  const PlanFile file = JudgePlanFile(request.rows());
  return file.faults.empty() ? Store(request, file, context, rows)
                             : Refuse(request, file, context, rows);
}

void AddPlanImports(Commands& commands, Queries& queries) {
  commands.AddLengthy("mtp.order.v1.PlanService/ImportPlans", TouchImportPlans,
                      DecideImportPlans);
  queries.Add("mtp.order.v1.PlanService/ListPlanImports", AskListPlanImports,
              AnswerListPlanImports);
  queries.Add("mtp.order.v1.PlanService/GetPlanImport", AskGetPlanImport,
              AnswerGetPlanImport);
}

}  // namespace mtp::order
