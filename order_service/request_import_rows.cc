#include "order_service/request_import_rows.h"

#include <algorithm>
#include <span>
#include <utility>

#include "common/base/protos.h"

namespace mtp::order {
namespace {

using RawRow = v1::OpenRequestRow;

// Rows of one statement: enough to make its own cost small, few enough that
// their arrays stay small.
constexpr size_t kRowsInStatement = 5'000;

constexpr db::Statement kTakeCodes{R"(
  SELECT nextval('request_code_seq')
  FROM unnest($1::text[]) AS wanted (reference)
  WHERE NOT EXISTS (
    SELECT FROM order_request
    WHERE order_request.reference = wanted.reference AND order_request.reference <> '')
)"};

// The last request's mark comes with those of the call's Context.
constexpr db::Statement kMake{R"(
  WITH fresh AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[],
                         $6::text[], $7::text[], $8::bigint[], $9::boolean[],
                         $10::boolean[], $11::timestamptz[])
      AS fresh (request_code, event_id, reference, order_code, product_name, item_code,
                comments, grams, planned, special, occurred_at)),
  said AS (
    SELECT $12::text AS caller, $13::text AS username, $14::text AS role,
      $15::timestamptz AS now, $16::text AS correlation_id, $17::text AS method,
      $18::uuid AS request_id, $19::text AS remote_address, $20::text AS import_id),
  request AS (
    INSERT INTO order_request (request_code, order_code, planned, product_name,
      item_code, requirement_grams, comments, special, reference, created_by,
      created_by_username, created_by_role, created_at, occurred_at)
    SELECT request_code, order_code, planned, product_name, item_code, grams, comments,
      special, reference, caller, username, role, now, occurred_at
    FROM fresh CROSS JOIN said),
  made_shipment AS (
    INSERT INTO shipment (request_code, shipment_code, order_code, product_name,
      item_code, quantity_grams, status, special, approval, approval_by,
      approval_by_username, approval_by_role, approval_at, changed_at, created_at,
      updated_at)
    SELECT request_code, 1, order_code, product_name, item_code, grams,
      'ORDER_REQUESTED', special, CASE WHEN special THEN 'ALLOWED' ELSE 'NONE' END,
      CASE WHEN special THEN caller ELSE '' END,
      CASE WHEN special THEN username ELSE '' END,
      CASE WHEN special THEN role ELSE '' END,
      CASE WHEN special THEN occurred_at END, now, now, now
    FROM fresh CROSS JOIN said),
  event AS (
    INSERT INTO shipment_event (request_code, shipment_code, event_id, cause, to_status,
      quantity_grams, remarks, said_by, said_by_username, said_by_role, occurred_at,
      recorded_at, correlation_id)
    SELECT request_code, 1, event_id, 'IMPORTED', 'ORDER_REQUESTED', grams, comments,
      caller, username, role, occurred_at, now, correlation_id
    FROM fresh CROSS JOIN said
    ORDER BY request_code),
  mark AS (
    INSERT INTO sync.outbox (kind, key, version, correlation_ids)
    SELECT 'shipment', request_code || '/1', 1, ARRAY[correlation_id]
    FROM fresh CROSS JOIN said
    WHERE request_code <> $21::bigint)
  INSERT INTO audit.entry (occurred_at, caller, username, role, method, request_id,
    correlation_id, remote_address, entity_kind, entity_key, action, change)
  SELECT occurred_at, caller, username, role, method, request_id, correlation_id,
    remote_address, entity_kind, entity_key, action, change
  FROM fresh CROSS JOIN said
  CROSS JOIN LATERAL (VALUES
    (1, 'request', request_code::text, 'taken over', jsonb_build_object(
      'order_code', order_code, 'requirement_grams', grams, 'special', special,
      'planned', planned, 'reference', reference, 'import_id', import_id)),
    (2, 'shipment', request_code || '/1', 'requested', jsonb_build_object(
      'order_code', order_code, 'quantity_grams', grams, 'status', 'ORDER_REQUESTED')))
    AS entry (number, entity_kind, entity_key, action, change)
  ORDER BY request_code, number
)"};

constexpr db::Statement kKeepRows{R"(
  INSERT INTO order_request_raw (import_id, line, reference, order_code, product_name,
    item_code, quantity, requested_on, special, comments)
  SELECT $1::uuid, raw.*
  FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[]) AS raw
)"};

}  // namespace

constinit const std::string_view RequestImport::kSelect = R"(
  SELECT import_id, encode(file_digest, 'hex'), file_name, stored, row_count,
    created_request_count, unchanged_request_count, bad_row_count, fault_count,
    imported_by, imported_by_username, imported_by_role, imported_at, correlation_id
)";

const db::Statement RequestImport::kInsert{R"(
  INSERT INTO request_import (import_id, file_digest, file_name, stored, row_count,
    created_request_count, unchanged_request_count, bad_row_count, fault_count,
    imported_by, imported_by_username, imported_by_role, imported_at, correlation_id)
  SELECT fresh.import_id, decode(fresh.digest, 'hex'), fresh.file_name, fresh.stored,
    fresh.row_count, fresh.created_request_count, fresh.unchanged_request_count,
    fresh.bad_row_count, fresh.fault_count, fresh.imported_by,
    fresh.imported_by_username, fresh.imported_by_role, fresh.imported_at,
    fresh.correlation_id
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::text[],
    $12::text[], $13::timestamptz[], $14::text[])
    AS fresh (import_id, digest, file_name, stored, row_count, created_request_count,
      unchanged_request_count, bad_row_count, fault_count, imported_by,
      imported_by_username, imported_by_role, imported_at, correlation_id)
)"};

v1::RequestImport RequestImport::Shown() const {
  v1::RequestImport proto;
  proto.set_import_id(import_id.ToString());
  proto.set_file_name(file_name);
  proto.set_file_digest(file_digest);
  proto.set_stored(stored);
  proto.set_row_count(row_count);
  proto.set_created_request_count(created_request_count);
  proto.set_unchanged_request_count(unchanged_request_count);
  proto.set_bad_row_count(bad_row_count);
  proto.set_fault_count(fault_count);
  proto.mutable_imported_by()->set_subject(imported_by);
  proto.mutable_imported_by()->set_username(imported_by_username);
  proto.mutable_imported_by()->set_role(imported_by_role);
  *proto.mutable_imported_at() = ToProto(imported_at);
  return proto;
}

const db::Statement RequestFault::kInsert{R"(
  INSERT INTO request_import_fault (import_id, fault_number, line, column_name, value,
    reason, message)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
    $6::text[], $7::text[])
)"};

const db::Statement TakenOver::kLoad{R"(
  SELECT order_request.reference, order_request.order_code, order_request.product_name,
    order_request.item_code, order_request.requirement_grams, order_request.special,
    order_request.comments, order_request.occurred_at, order_request.created_at
  FROM order_request JOIN unnest($1::text[]) AS wanted (reference) USING (reference)
  WHERE order_request.reference <> ''
)"};

RawRequestRows::RawRequestRows(db::WorkingSet& set)
    : RawRows(set, kKeepRows,
              {&RawRow::reference, &RawRow::order_code, &RawRow::product_name,
               &RawRow::item_code, &RawRow::quantity, &RawRow::requested_on,
               &RawRow::special, &RawRow::comments}) {}

void OpenRequests::Make(const RequestImport& import,
                        const sync::AuditEntry& said,
                        std::vector<OpenRequest> requests) {
  import_id_ = import.import_id;
  made_at_ = import.imported_at;
  said_ = said;
  made_ = std::move(requests);
}

void OpenRequests::AddLoads(db::Exchange& exchange) {
  if (!wanted_.empty()) exchange.Add(kTakeCodes, db::Params().Array(wanted_));
}

void OpenRequests::TakeLoads(const db::Results& results, size_t& next) {
  if (wanted_.empty()) return;
  codes_.reserve(wanted_.size());
  for (const db::Row row : results[next]) codes_.push_back(row.Get<int64_t>(0));
  ++next;
}

void OpenRequests::AddStores(db::Exchange& exchange) {
  if (made_.empty()) return;
  const int64_t told = made_.back().request_code;
  const std::span<const OpenRequest> all(made_);
  for (size_t at = 0; at < all.size(); at += kRowsInStatement) {
    const auto rows =
        all.subspan(at, std::min(kRowsInStatement, all.size() - at));
    exchange.Add(kMake, db::Params()
                            .Array(rows, &OpenRequest::request_code)
                            .Array(rows, &OpenRequest::event_id)
                            .Array(rows, &OpenRequest::reference)
                            .Array(rows, &OpenRequest::order_code)
                            .Array(rows, &OpenRequest::product_name)
                            .Array(rows, &OpenRequest::item_code)
                            .Array(rows, &OpenRequest::comments)
                            .Array(rows, &OpenRequest::grams)
                            .Array(rows, &OpenRequest::planned)
                            .Array(rows, &OpenRequest::special)
                            .Array(rows, &OpenRequest::occurred_at)
                            .Add(said_.caller)
                            .Add(said_.username)
                            .Add(said_.role)
                            .Add(made_at_)
                            .Add(said_.correlation_id)
                            .Add(said_.method)
                            .Add(said_.request_id)
                            .Add(said_.remote_address)
                            .Add(import_id_.ToString())
                            .Add(told));
  }
}

void OpenRequests::Undo() {
  if (!kept_) made_.clear();
}

void OpenRequests::Clear() {
  wanted_.clear();
  codes_.clear();
  taken_ = 0;
  kept_ = false;
  made_.clear();
}

}  // namespace mtp::order
