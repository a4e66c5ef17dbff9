#include "processing_service/shipment_rows.h"

#include <algorithm>

#include "common/base/protos.h"
#include "common/base/test_points.h"

namespace mtp::processing {

using common::v1::ShipmentStatus;

// A readiness that nobody said yet is 'NONE' in the table and unspecified in
// the contract.
constexpr std::string_view kColumns = R"(
  shipment.request_code, shipment.shipment_code, shipment.order_code,
  shipment.product_name, shipment.item_code, shipment.quantity_grams,
  shipment.special, shipment.approved, shipment.cancelled, shipment.accepted,
  shipment.accepted_at, shipment.created_at, shipment.order_epoch,
  shipment.order_version, shipment.order_changed_at, shipment.heard_at,
  shipment.status, replace(shipment.readiness, 'NONE', ''),
  shipment.readiness_remarks, shipment.readiness_by, shipment.readiness_by_username,
  shipment.readiness_by_role, shipment.readiness_at, shipment.allocated_grams,
  shipment.recovered_grams, shipment.dispatched, shipment.dispatch_id,
  shipment.vehicle, shipment.dispatched_at, shipment.dispatch_recorded_at,
  shipment.dispatched_by, shipment.dispatched_by_username,
  shipment.dispatched_by_role, shipment.dispatched_grams, shipment.dispatched_bags,
  shipment.manifest_digest, shipment.correction_reason, shipment.corrected_by,
  shipment.corrected_by_username, shipment.corrected_by_role, shipment.corrected_at,
  shipment.version, shipment.changed_at
)";
constexpr std::string_view kPeerHeard = R"(,
  (SELECT peer_heard_at FROM sync.epoch)
)";
constexpr std::string_view kStored = R"(
  request_code, shipment_code, order_code, product_name, item_code, quantity_grams,
  special, approved, cancelled, accepted, accepted_at, created_at, order_epoch,
  order_version, order_changed_at, heard_at, status, readiness, readiness_remarks,
  readiness_by, readiness_by_username, readiness_by_role, readiness_at,
  allocated_grams, recovered_grams, dispatched, dispatch_id, vehicle, dispatched_at,
  dispatch_recorded_at, dispatched_by, dispatched_by_username, dispatched_by_role,
  dispatched_grams, dispatched_bags, manifest_digest, correction_reason, corrected_by,
  corrected_by_username, corrected_by_role, corrected_at, version, changed_at
)";
constexpr std::string_view kArrays = R"(
  unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],
    $7::boolean[], $8::boolean[], $9::boolean[], $10::boolean[], $11::timestamptz[],
    $12::timestamptz[], $13::bigint[], $14::bigint[], $15::timestamptz[],
    $16::timestamptz[], $17::text[], $18::text[], $19::text[], $20::text[],
    $21::text[], $22::text[], $23::timestamptz[], $24::bigint[], $25::bigint[],
    $26::boolean[], $27::uuid[], $28::text[], $29::timestamptz[], $30::timestamptz[],
    $31::text[], $32::text[], $33::text[], $34::bigint[], $35::bigint[], $36::bytea[],
    $37::text[], $38::text[], $39::text[], $40::text[], $41::timestamptz[],
    $42::bigint[], $43::timestamptz[]
  ) AS fresh ()";

const std::string_view kShipmentColumns = kColumns;

// An allocation never changes its shipment, so it needs no lock here.
const db::Statement Shipment::kLoad = db::Compose(
    {"SELECT ", kColumns, kPeerHeard, R"(
  FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[])
        UNION
        SELECT allocation.request_code, allocation.shipment_code
        FROM unnest($3::uuid[]) AS given (allocation_id)
        JOIN allocation USING (allocation_id)
        WHERE allocation.request_code IS NOT NULL) AS wanted (request_code, shipment_code)
  JOIN shipment USING (request_code, shipment_code)
  ORDER BY request_code, shipment_code
)",
     Planted("processing-row-not-locked") ? "" : "FOR UPDATE OF shipment"});

const db::Statement Shipment::kInsert =
    db::Compose({"INSERT INTO shipment (", kStored, R"(
  ) SELECT
    fresh.request_code, fresh.shipment_code, fresh.order_code, fresh.product_name,
    fresh.item_code, fresh.quantity_grams, fresh.special, fresh.approved,
    fresh.cancelled, fresh.accepted, fresh.accepted_at, fresh.created_at,
    fresh.order_epoch, fresh.order_version, fresh.order_changed_at, fresh.heard_at,
    fresh.status, coalesce(nullif(fresh.readiness, ''), 'NONE'),
    fresh.readiness_remarks, fresh.readiness_by, fresh.readiness_by_username,
    fresh.readiness_by_role, fresh.readiness_at, fresh.allocated_grams,
    fresh.recovered_grams, fresh.dispatched, fresh.dispatch_id, fresh.vehicle,
    fresh.dispatched_at, fresh.dispatch_recorded_at, fresh.dispatched_by,
    fresh.dispatched_by_username, fresh.dispatched_by_role, fresh.dispatched_grams,
    fresh.dispatched_bags, fresh.manifest_digest, fresh.correction_reason,
    fresh.corrected_by, fresh.corrected_by_username, fresh.corrected_by_role,
    fresh.corrected_at, fresh.version, fresh.changed_at
  FROM)",
                 kArrays, kStored, ")"});

const db::Statement Shipment::kUpdate = db::Compose({R"(
  UPDATE shipment SET
    order_code = fresh.order_code, product_name = fresh.product_name,
    item_code = fresh.item_code, quantity_grams = fresh.quantity_grams,
    special = fresh.special, approved = fresh.approved, cancelled = fresh.cancelled,
    accepted = fresh.accepted, accepted_at = fresh.accepted_at,
    created_at = fresh.created_at, order_epoch = fresh.order_epoch,
    order_version = fresh.order_version, order_changed_at = fresh.order_changed_at,
    heard_at = fresh.heard_at, status = fresh.status,
    readiness = coalesce(nullif(fresh.readiness, ''), 'NONE'),
    readiness_remarks = fresh.readiness_remarks, readiness_by = fresh.readiness_by,
    readiness_by_username = fresh.readiness_by_username,
    readiness_by_role = fresh.readiness_by_role, readiness_at = fresh.readiness_at,
    allocated_grams = fresh.allocated_grams, recovered_grams = fresh.recovered_grams,
    dispatched = fresh.dispatched, dispatch_id = fresh.dispatch_id,
    vehicle = fresh.vehicle, dispatched_at = fresh.dispatched_at,
    dispatch_recorded_at = fresh.dispatch_recorded_at,
    dispatched_by = fresh.dispatched_by,
    dispatched_by_username = fresh.dispatched_by_username,
    dispatched_by_role = fresh.dispatched_by_role,
    dispatched_grams = fresh.dispatched_grams,
    dispatched_bags = fresh.dispatched_bags, manifest_digest = fresh.manifest_digest,
    correction_reason = fresh.correction_reason, corrected_by = fresh.corrected_by,
    corrected_by_username = fresh.corrected_by_username,
    corrected_by_role = fresh.corrected_by_role, corrected_at = fresh.corrected_at,
    version = fresh.version, changed_at = fresh.changed_at
  FROM)",
                                                     kArrays, kStored, R"()
  WHERE shipment.request_code = fresh.request_code
    AND shipment.shipment_code = fresh.shipment_code
)"});

// The last word on a shipment counts; an UPDATE may name it only once. Lists of
// barcodes come joined by commas.
const db::Statement ShipmentWord::kInsert{R"(
  UPDATE shipment SET
    split_from_shipment_code = word.split_from_shipment_code,
    closed_short = word.closed_short, cancel_remarks = word.cancel_remarks,
    cancelled_by = word.cancelled_by, cancelled_by_username = word.cancelled_by_username,
    cancelled_by_role = word.cancelled_by_role, cancelled_at = word.cancelled_at,
    accept_remarks = word.accept_remarks, accepted_by = word.accepted_by,
    accepted_by_username = word.accepted_by_username,
    accepted_by_role = word.accepted_by_role, received_grams = word.received_grams,
    missing_barcodes = string_to_array(word.missing, ',')::uuid[],
    damaged_barcodes = string_to_array(word.damaged, ',')::uuid[],
    sent_back_barcodes = string_to_array(word.sent_back, ',')::uuid[]
  FROM (
    SELECT DISTINCT ON (request_code, shipment_code) *
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::text[],
                $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::text[],
                $11::text[], $12::text[], $13::text[], $14::bigint[], $15::text[],
                $16::text[], $17::text[]) WITH ORDINALITY
      AS fresh (request_code, shipment_code, split_from_shipment_code, closed_short,
                cancel_remarks, cancelled_by, cancelled_by_username, cancelled_by_role,
                cancelled_at, accept_remarks, accepted_by, accepted_by_username,
                accepted_by_role, received_grams, missing, damaged, sent_back, place)
    ORDER BY request_code, shipment_code, place DESC) AS word
  WHERE shipment.request_code = word.request_code
    AND shipment.shipment_code = word.shipment_code
)"};

const db::Statement DispatchCorrection::kInsert{R"(
  INSERT INTO dispatch_correction (correction_id, request_code, shipment_code, kind,
    old_vehicle, new_vehicle, reason, corrected_by, corrected_by_username,
    corrected_by_role, occurred_at, recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
    $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
    $12::timestamptz[], $13::text[])
)"};

bool Shipment::OpenForAllocation() const {
  switch (status) {
    case ShipmentStatus::SHIPMENT_STATUS_ORDER_REQUESTED:
    case ShipmentStatus::SHIPMENT_STATUS_ORDER_NOT_READY:
    case ShipmentStatus::SHIPMENT_STATUS_ORDER_READY:
      return true;
    default:
      return false;
  }
}

int64_t Shipment::WantedGrams() const { return cancelled ? 0 : quantity_grams; }

int64_t Shipment::MissingGrams() const {
  return std::max<int64_t>(0, quantity_grams - allocated_grams);
}

ShipmentStatus Shipment::StatusFromFacts() const {
  if (accepted) return ShipmentStatus::SHIPMENT_STATUS_SHIPMENT_ACCEPTED;
  if (dispatched) return ShipmentStatus::SHIPMENT_STATUS_SHIPMENT_DISPATCHED;
  if (cancelled) return ShipmentStatus::SHIPMENT_STATUS_SHIPMENT_CANCELLED;
  if (!approved) return ShipmentStatus::SHIPMENT_STATUS_APPROVAL_REQUESTED;
  switch (readiness) {
    case common::v1::READINESS_READY:
      return ShipmentStatus::SHIPMENT_STATUS_ORDER_READY;
    case common::v1::READINESS_NOT_READY:
      return ShipmentStatus::SHIPMENT_STATUS_ORDER_NOT_READY;
    default:
      return ShipmentStatus::SHIPMENT_STATUS_ORDER_REQUESTED;
  }
}

v1::ShipmentAmounts Shipment::Amounts() const {
  v1::ShipmentAmounts amounts;
  key().To(amounts.mutable_shipment());
  amounts.set_status(status);
  amounts.set_quantity_grams(quantity_grams);
  amounts.set_allocated_grams(allocated_grams);
  amounts.set_missing_grams(MissingGrams());
  return amounts;
}

v1::ShipmentDispatch Shipment::DispatchShown() const {
  v1::ShipmentDispatch proto;
  if (dispatch_id.has_value()) proto.set_dispatch_id(dispatch_id->ToString());
  proto.set_shipment_vehicle(vehicle);
  if (dispatch_recorded_at.has_value()) {
    *proto.mutable_recorded_at() = ToProto(*dispatch_recorded_at);
  }
  if (dispatched_at.has_value())
    *proto.mutable_occurred_at() = ToProto(*dispatched_at);
  handlers::Actor{dispatched_by, dispatched_by_username, dispatched_by_role}.To(
      proto.mutable_actor());
  proto.set_bag_count(dispatched_bags);
  proto.set_dispatched_grams(dispatched_grams);
  if (manifest_digest.has_value())
    proto.set_manifest_digest(manifest_digest->value);
  if (corrected_at.has_value()) {
    proto.set_correction_reason(correction_reason);
    handlers::Actor{corrected_by, corrected_by_username, corrected_by_role}.To(
        proto.mutable_correction_actor());
    *proto.mutable_corrected_at() = ToProto(*corrected_at);
  }
  return proto;
}

v1::OpenShipment Shipment::Shown(int64_t bag_count) const {
  v1::OpenShipment proto;
  key().To(proto.mutable_key());
  proto.set_status(status);
  proto.set_order_code(order_code);
  proto.set_product_name(product_name);
  proto.set_item_code(item_code);
  proto.set_special(special);
  proto.set_quantity_grams(quantity_grams);
  proto.set_allocated_grams(allocated_grams);
  proto.set_missing_grams(
      dispatched ? 0 : std::max<int64_t>(0, WantedGrams() - allocated_grams));
  proto.set_bag_count(bag_count);
  proto.set_readiness(readiness);
  proto.set_order_remarks(readiness_remarks);
  if (readiness_at.has_value()) {
    handlers::Actor{readiness_by, readiness_by_username, readiness_by_role}.To(
        proto.mutable_readiness_actor());
    *proto.mutable_readiness_at() = ToProto(*readiness_at);
  }
  if (dispatched) *proto.mutable_dispatch() = DispatchShown();
  FreshnessTo(proto.mutable_freshness());
  if (created_at.has_value())
    *proto.mutable_created_at() = ToProto(*created_at);
  return proto;
}

sync::v1::ShipmentProgressState Shipment::Progress() const {
  sync::v1::ShipmentProgressState state;
  state.mutable_stamp()->set_version(version);
  *state.mutable_stamp()->mutable_changed_at() = ToProto(changed_at);
  key().To(state.mutable_key());
  state.set_readiness(readiness);
  state.set_order_remarks(readiness_remarks);
  if (readiness_at.has_value()) {
    handlers::Actor{readiness_by, readiness_by_username, readiness_by_role}.To(
        state.mutable_readiness_actor());
    *state.mutable_readiness_at() = ToProto(*readiness_at);
  }
  state.set_allocated_grams(allocated_grams);
  if (dispatched) {
    auto* dispatch = state.mutable_dispatch();
    dispatch->set_shipment_vehicle(vehicle);
    *dispatch->mutable_dispatched_at() =
        ToProto(dispatched_at.value_or(changed_at));
    dispatch->set_bag_count(dispatched_bags);
    dispatch->set_dispatched_grams(dispatched_grams);
    if (manifest_digest.has_value()) {
      dispatch->set_manifest_digest(manifest_digest->value);
    }
    handlers::Actor{dispatched_by, dispatched_by_username, dispatched_by_role}
        .To(dispatch->mutable_actor());
  }
  if (corrected_at.has_value()) {
    state.set_correction_reason(correction_reason);
    handlers::Actor{corrected_by, corrected_by_username, corrected_by_role}.To(
        state.mutable_correction_actor());
    *state.mutable_corrected_at() = ToProto(*corrected_at);
  }
  return state;
}

void Shipment::FreshnessTo(common::v1::Freshness* proto) const {
  proto->set_version(order_version);
  if (order_changed_at.has_value()) {
    *proto->mutable_changed_at() = ToProto(*order_changed_at);
  }
  if (peer_heard_at.has_value()) {
    *proto->mutable_peer_heard_at() = ToProto(*peer_heard_at);
  }
}

}  // namespace mtp::processing
