#include "processing_service/bag_history_rows.h"

#include "common/base/protos.h"
#include "common/handlers/actor.h"

namespace mtp::processing {

const std::string_view kBagHistoryColumns = R"(
  SELECT bag.barcode, coalesce(shipped.left_grams, 0), coalesce(shipped.waiting_grams, 0),
    coalesce((SELECT bag_dispatch.remaining_grams FROM bag_dispatch
              WHERE bag_dispatch.barcode = bag.barcode
              ORDER BY bag_dispatch.dispatch_id DESC LIMIT 1), 0),
    coalesce((SELECT max(bag_correction.correction_id) FROM bag_correction
              WHERE bag_correction.barcode = bag.barcode), 0)
)";
// Whether a shipment left changes under the locks of its bags.
const std::string_view kBagHistoryJoins = R"(
  LEFT JOIN LATERAL (
    SELECT (sum(allocation.grams) FILTER (WHERE shipment.dispatched))::bigint
             AS left_grams,
           (sum(allocation.grams) FILTER (WHERE NOT shipment.dispatched))::bigint
             AS waiting_grams
    FROM allocation
    JOIN shipment ON shipment.request_code = allocation.request_code
                 AND shipment.shipment_code = allocation.shipment_code
    WHERE allocation.barcode = bag.barcode AND allocation.released_at IS NULL)
    AS shipped ON true
)";

const db::Statement BagHistory::kLoad = db::Compose({kBagHistoryColumns, R"(
  FROM unnest($1::uuid[]) AS wanted (barcode)
  JOIN bag ON bag.barcode = wanted.barcode
)",
                                                     kBagHistoryJoins});

// Parcels are made under the bag's lock, too; one that is released meanwhile
// still counts.
const db::Statement BagInShipment::kLoad{R"(
  SELECT wanted.barcode, wanted.request_code, wanted.shipment_code,
    given.grams, given.parcelled_grams,
    (SELECT coalesce(sum(bag_return.net_grams), 0)::bigint FROM bag_return
     WHERE bag_return.barcode = wanted.barcode
       AND bag_return.request_code = wanted.request_code
       AND bag_return.shipment_code = wanted.shipment_code)
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])
    AS wanted (barcode, request_code, shipment_code)
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(allocation.grams), 0)::bigint AS grams,
           coalesce(sum(allocation.parcelled_grams), 0)::bigint AS parcelled_grams
    FROM allocation
    WHERE allocation.barcode = wanted.barcode
      AND allocation.request_code = wanted.request_code
      AND allocation.shipment_code = wanted.shipment_code
      AND allocation.released_at IS NULL) AS given
)"};

const db::Statement BagCorrection::kOfBag{R"(
  SELECT barcode, correction_id, old_gross_grams, old_tare_grams, old_net_grams,
    new_gross_grams, new_tare_grams, new_net_grams, reason, stocktake_id, corrected_by,
    corrected_by_username, corrected_by_role, occurred_at, recorded_at, correlation_id
  FROM bag_correction WHERE barcode = $1::uuid
  ORDER BY correction_id
)"};

const db::Statement BagCorrection::kInsert{R"(
  INSERT INTO bag_correction (barcode, correction_id, old_gross_grams, old_tare_grams,
    old_net_grams, new_gross_grams, new_tare_grams, new_net_grams, reason, stocktake_id,
    corrected_by, corrected_by_username, corrected_by_role, occurred_at, recorded_at,
    correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[],
    $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::uuid[],
    $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[],
    $16::text[])
)"};

const db::Statement WriteOff::kOfBag{R"(
  SELECT barcode, write_off_id, grams, reason, remarks, stocktake_id, written_off_by,
    written_off_by_username, written_off_by_role, occurred_at, recorded_at,
    correlation_id
  FROM write_off WHERE barcode = $1::uuid
  ORDER BY recorded_at, write_off_id
)"};

const db::Statement WriteOff::kInsert{R"(
  INSERT INTO write_off (barcode, write_off_id, grams, reason, remarks, stocktake_id,
    written_off_by, written_off_by_username, written_off_by_role, occurred_at,
    recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[],
    $6::uuid[], $7::text[], $8::text[], $9::text[], $10::timestamptz[],
    $11::timestamptz[], $12::text[])
)"};

const db::Statement BagDispatch::kInsert{R"(
  INSERT INTO bag_dispatch (barcode, remaining_grams, reason, vehicle, dispatched_by,
    dispatched_by_username, dispatched_by_role, occurred_at, recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[],
    $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::text[])
)"};

const db::Statement BagReturn::kOfBag{R"(
  SELECT barcode, return_id, request_code, shipment_code, net_grams, location_id,
    remarks, received_by, received_by_username, received_by_role, occurred_at,
    recorded_at, correlation_id
  FROM bag_return WHERE barcode = $1::uuid
  ORDER BY recorded_at, return_id
)"};

const db::Statement BagReturn::kInsert{R"(
  INSERT INTO bag_return (barcode, return_id, request_code, shipment_code, net_grams,
    location_id, remarks, received_by, received_by_username, received_by_role,
    occurred_at, recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
    $12::timestamptz[], $13::text[])
)"};

v1::BagCorrection BagCorrection::Shown() const {
  v1::BagCorrection proto;
  proto.set_correction_id(std::to_string(correction_id));
  proto.set_old_gross_grams(old_gross_grams);
  proto.set_old_tare_grams(old_tare_grams);
  proto.set_new_gross_grams(new_gross_grams);
  proto.set_new_tare_grams(new_tare_grams);
  proto.set_reason(reason);
  *proto.mutable_recorded_at() = ToProto(recorded_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  handlers::Actor{corrected_by, corrected_by_username, corrected_by_role}.To(
      proto.mutable_actor());
  return proto;
}

v1::WriteOff WriteOff::Shown() const {
  v1::WriteOff proto;
  proto.set_write_off_id(write_off_id.ToString());
  proto.set_barcode(barcode.ToString());
  proto.set_grams(grams);
  proto.set_reason(reason);
  proto.set_remarks(remarks);
  *proto.mutable_recorded_at() = ToProto(recorded_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  handlers::Actor{written_off_by, written_off_by_username, written_off_by_role}
      .To(proto.mutable_actor());
  return proto;
}

v1::BagReturn BagReturn::Shown() const {
  v1::BagReturn proto;
  proto.set_return_id(return_id.ToString());
  proto.set_net_grams(net_grams);
  if (request_code.has_value() && shipment_code.has_value()) {
    db::ShipmentKey{*request_code, *shipment_code}.To(proto.mutable_shipment());
  }
  proto.set_remarks(remarks);
  *proto.mutable_recorded_at() = ToProto(recorded_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  handlers::Actor{received_by, received_by_username, received_by_role}.To(
      proto.mutable_actor());
  return proto;
}

}  // namespace mtp::processing
