#include "order_service/plan_rows.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "common/sync/audit.h"

namespace mtp::order {

// --- plans

constexpr std::string_view kPlanColumns = R"(
  SELECT order_plan.order_code, order_plan.item_code, order_plan.product_name,
    order_plan.requirement_grams, order_plan.requested_grams, order_plan.excess_grams,
    order_plan.plan_start, order_plan.plan_end, order_plan.import_id,
    order_plan.version, order_plan.created_at, order_plan.changed_at
)";

const db::Statement Plan::kLoad = db::Compose({kPlanColumns, R"(
  FROM order_plan JOIN unnest($1::text[]) AS wanted (order_code) USING (order_code)
  ORDER BY order_plan.order_code
  FOR UPDATE OF order_plan
)"});

// A request never changes its plan, so the request needs no lock here.
const db::Statement Plan::kLoadOfRequest = db::Compose({kPlanColumns, R"(
  FROM order_plan
  WHERE order_plan.order_code IN (
    SELECT order_request.plan_order_code
    FROM order_request
    JOIN unnest($1::bigint[]) AS wanted (request_code) USING (request_code))
  ORDER BY order_plan.order_code
  FOR UPDATE OF order_plan
)"});

const db::Statement Plan::kInsert{R"(
  INSERT INTO order_plan (order_code, item_code, product_name, requirement_grams,
    requested_grams, excess_grams, plan_start, plan_end, import_id, version, created_at,
    changed_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::date[], $8::date[], $9::uuid[], $10::bigint[],
    $11::timestamptz[], $12::timestamptz[])
)"};

const db::Statement Plan::kUpdate{R"(
  UPDATE order_plan SET item_code = fresh.item_code, product_name = fresh.product_name,
    requirement_grams = fresh.requirement_grams,
    requested_grams = fresh.requested_grams, excess_grams = fresh.excess_grams,
    plan_start = fresh.plan_start, plan_end = fresh.plan_end,
    import_id = fresh.import_id, version = fresh.version, changed_at = fresh.changed_at
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
              $6::bigint[], $7::date[], $8::date[], $9::uuid[], $10::bigint[],
              $11::timestamptz[])
    AS fresh (order_code, item_code, product_name, requirement_grams, requested_grams,
              excess_grams, plan_start, plan_end, import_id, version, changed_at)
  WHERE order_plan.order_code = fresh.order_code
)"};

int64_t Plan::AllowedGrams() const {
  return std::max<int64_t>(0, requirement_grams - requested_grams);
}

v1::Plan Plan::Shown() const {
  v1::Plan proto;
  proto.set_order_code(order_code);
  proto.set_item_code(item_code);
  proto.set_product_name(product_name);
  proto.set_requirement_grams(requirement_grams);
  *proto.mutable_plan_start() = ToProto(plan_start);
  *proto.mutable_plan_end() = ToProto(plan_end);
  proto.set_allowed_grams(AllowedGrams());
  proto.set_requested_grams(requested_grams);
  proto.set_import_id(import_id.ToString());
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_updated_at() = ToProto(changed_at);
  proto.set_etag(etag());
  return proto;
}

const db::Statement PlanUse::kLoad{R"(
  SELECT order_code, count(*),
    count(*) FILTER (WHERE recovered AND NOT planned AND NOT special)
  FROM order_request JOIN unnest($1::text[]) AS wanted (order_code) USING (order_code)
  GROUP BY order_code
  ORDER BY order_code
)"};

const db::Statement PlanReturn::kInsert{R"(
  UPDATE order_request SET planned = true
  FROM unnest($1::text[]) AS again (order_code)
  WHERE order_request.order_code = again.order_code
    AND recovered AND NOT planned AND NOT special
)"};

const db::Statement PlanReturnSums::kInsert{R"(
  UPDATE order_plan AS plan
  SET requested_grams = asked.grams,
      excess_grams = greatest(0, asked.grams - plan.requirement_grams)
  FROM (
    SELECT again.order_code, coalesce(sum(shipment.quantity_grams), 0)::bigint AS grams
    FROM unnest($1::text[]) AS again (order_code)
    JOIN order_request ON order_request.plan_order_code = again.order_code
      AND NOT order_request.special
    JOIN shipment ON shipment.request_code = order_request.request_code
      AND NOT shipment.cancelled
    GROUP BY again.order_code) AS asked
  WHERE plan.order_code = asked.order_code
)"};

void PlanRemovals::AddStores(db::Exchange& exchange) {
  static constexpr db::Statement kDelete{R"(
    DELETE FROM order_plan USING unnest($1::text[]) AS gone (order_code)
    WHERE order_plan.order_code = gone.order_code
  )"};
  if (order_codes_.empty()) return;
  exchange.Add(kDelete, db::Params().Array(order_codes_));
}

// --- imports

constexpr std::string_view kImportColumns = R"(
  SELECT encode(file_digest, 'hex'), import_id, file_name, stored, row_count,
    plan_count, created_plan_count, updated_plan_count, unchanged_plan_count,
    kept_plan_count, bad_row_count, fault_count, imported_by, imported_by_username,
    imported_by_role, imported_at, correlation_id
)";
constinit const std::string_view PlanImport::kSelect = kImportColumns;

// Imports are never changed, so they need no lock.
const db::Statement PlanImport::kLoad = db::Compose({kImportColumns, R"(
  FROM plan_import
  JOIN unnest($1::text[]) AS wanted (digest) ON file_digest = decode(digest, 'hex')
  WHERE stored
)"});

const db::Statement PlanImport::kInsert{R"(
  INSERT INTO plan_import (file_digest, import_id, file_name, stored, row_count,
    plan_count, created_plan_count, updated_plan_count, unchanged_plan_count,
    kept_plan_count, bad_row_count, fault_count, imported_by, imported_by_username,
    imported_by_role, imported_at, correlation_id)
  SELECT decode(fresh.digest, 'hex'), fresh.import_id, fresh.file_name, fresh.stored,
    fresh.row_count, fresh.plan_count, fresh.created_plan_count,
    fresh.updated_plan_count, fresh.unchanged_plan_count, fresh.kept_plan_count,
    fresh.bad_row_count, fresh.fault_count, fresh.imported_by,
    fresh.imported_by_username, fresh.imported_by_role, fresh.imported_at,
    fresh.correlation_id
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::boolean[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
    $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::text[],
    $16::timestamptz[], $17::text[])
    AS fresh (digest, import_id, file_name, stored, row_count, plan_count,
      created_plan_count, updated_plan_count, unchanged_plan_count, kept_plan_count,
      bad_row_count, fault_count, imported_by, imported_by_username, imported_by_role,
      imported_at, correlation_id)
)"};

v1::PlanImport PlanImport::Shown() const {
  v1::PlanImport proto;
  proto.set_import_id(import_id.ToString());
  proto.set_file_name(file_name);
  proto.set_file_digest(file_digest);
  proto.set_stored(stored);
  proto.set_row_count(row_count);
  proto.set_plan_count(plan_count);
  proto.set_created_plan_count(created_plan_count);
  proto.set_updated_plan_count(updated_plan_count);
  proto.set_unchanged_plan_count(unchanged_plan_count);
  proto.set_kept_plan_count(kept_plan_count);
  proto.set_bad_row_count(bad_row_count);
  proto.set_fault_count(fault_count);
  proto.mutable_imported_by()->set_subject(imported_by);
  proto.mutable_imported_by()->set_username(imported_by_username);
  proto.mutable_imported_by()->set_role(imported_by_role);
  *proto.mutable_imported_at() = ToProto(imported_at);
  return proto;
}

v1::PlanRow RawPlanRow::Shown() const {
  v1::PlanRow proto;
  proto.set_line_number(line);
  proto.set_lot_code(lot_code);
  proto.set_order_code(order_code);
  proto.set_item_code(item_code);
  proto.set_production_date(production_date);
  proto.set_stock(stock);
  proto.set_requirement(requirement);
  proto.set_location(location);
  proto.set_product_code(product_code);
  proto.set_product_name(product_name);
  proto.set_item_name(item_name);
  proto.set_sub_location(sub_location);
  proto.set_plan_start(plan_start);
  proto.set_plan_end(plan_end);
  return proto;
}

constexpr db::Statement kKeepRows{R"(
  INSERT INTO order_plan_raw (import_id, line, lot_code, order_code, item_code,
    production_date, stock, requirement, location, product_code, product_name,
    item_name, sub_location, plan_start, plan_end)
  SELECT $1::uuid, raw.*
  FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[]) AS raw
)"};

RawPlanRows::RawPlanRows(db::WorkingSet& set)
    : RawRows(set, kKeepRows,
              {&v1::PlanRow::lot_code, &v1::PlanRow::order_code,
               &v1::PlanRow::item_code, &v1::PlanRow::production_date,
               &v1::PlanRow::stock, &v1::PlanRow::requirement,
               &v1::PlanRow::location, &v1::PlanRow::product_code,
               &v1::PlanRow::product_name, &v1::PlanRow::item_name,
               &v1::PlanRow::sub_location, &v1::PlanRow::plan_start,
               &v1::PlanRow::plan_end}) {}

const db::Statement PlanFault::kInsert{R"(
  INSERT INTO plan_import_fault (import_id, fault_number, line, order_code, column_name,
    value, reason, message)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
    $6::text[], $7::text[], $8::text[])
)"};

KeptPlan KeptPlan::Of(const v1::KeptPlan& kept, const Uuid& import_id) {
  const auto as_json = [](std::string* out,
                          const v1::PlanDifference& difference) {
    out->append(sync::ChangeAsJson({{"field", difference.field()},
                                    {"kept_value", difference.kept_value()},
                                    {"file_value", difference.file_value()}}));
  };
  return {.import_id = import_id,
          .order_code = kept.order_code(),
          .line = kept.line_number(),
          .differences =
              "[" + absl::StrJoin(kept.differences(), ",", as_json) + "]"};
}

const db::Statement KeptPlan::kInsert{R"(
  INSERT INTO plan_import_kept (import_id, order_code, line, differences)
  SELECT import_id, order_code, line, differences::jsonb
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[])
    AS fresh (import_id, order_code, line, differences)
)"};

}  // namespace mtp::order
