#include "order_service/request_rows.h"

#include "common/base/protos.h"

namespace mtp::order {

constexpr std::string_view kColumns = R"(
  SELECT order_request.request_code, order_request.order_code, order_request.planned,
    order_request.product_name, order_request.item_code,
    order_request.requirement_grams, order_request.comments, order_request.special,
    order_request.reference, order_request.next_shipment_code, order_request.recovered,
    order_request.created_by, order_request.created_by_username,
    order_request.created_by_role, order_request.created_at, order_request.occurred_at
)";
constinit const std::string_view OrderRequest::kSelect = kColumns;

const db::Statement OrderRequest::kLoad = db::Compose({kColumns, R"(
  FROM order_request
  JOIN unnest($1::bigint[]) AS wanted (request_code) USING (request_code)
  ORDER BY request_code
  FOR UPDATE OF order_request
)"});

const db::Statement OrderRequest::kInsert{R"(
  INSERT INTO order_request (request_code, order_code, planned, product_name, item_code,
    requirement_grams, comments, special, reference, next_shipment_code, recovered,
    created_by, created_by_username, created_by_role, created_at, occurred_at)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::text[], $5::text[],
    $6::bigint[], $7::text[], $8::boolean[], $9::text[], $10::bigint[], $11::boolean[],
    $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[])
)"};

const db::Statement OrderRequest::kUpdate{R"(
  UPDATE order_request SET next_shipment_code = fresh.next_shipment_code
  FROM unnest($1::bigint[], $2::bigint[]) AS fresh (request_code, next_shipment_code)
  WHERE order_request.request_code = fresh.request_code
)"};

const db::Statement OrderRequest::kTakeCodes{R"(
  SELECT nextval('request_code_seq') FROM generate_series(1, $1::bigint)
)"};

v1::OrderRequest OrderRequest::Shown() const {
  v1::OrderRequest proto;
  proto.set_request_code(request_code);
  proto.set_order_code(order_code);
  proto.set_product_name(product_name);
  proto.set_item_code(item_code);
  proto.set_requirement_grams(requirement_grams);
  proto.set_comments(comments);
  proto.set_special(special);
  proto.set_planned(planned);
  proto.mutable_created_by()->set_subject(created_by);
  proto.mutable_created_by()->set_username(created_by_username);
  proto.mutable_created_by()->set_role(created_by_role);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  *proto.mutable_created_at() = ToProto(created_at);
  proto.set_reference(reference);
  return proto;
}

}  // namespace mtp::order
