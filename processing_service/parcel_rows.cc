#include "processing_service/parcel_rows.h"

namespace mtp::processing {

const db::Statement Parcel::kLoad{R"(
  SELECT parcel_id, allocation_id, schedule_code, grams, created_by,
    created_by_username, created_by_role, created_at, occurred_at, released_at,
    released_by, released_by_username, released_by_role, release_remarks
  FROM parcel JOIN unnest($1::uuid[]) AS wanted (parcel_id) USING (parcel_id)
  ORDER BY parcel_id
  FOR UPDATE OF parcel
)"};

const db::Statement Parcel::kInsert{R"(
  INSERT INTO parcel (parcel_id, allocation_id, schedule_code, grams, created_by,
    created_by_username, created_by_role, created_at, occurred_at, released_at,
    released_by, released_by_username, released_by_role, release_remarks)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[],
    $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[],
    $11::text[], $12::text[], $13::text[], $14::text[])
)"};

const db::Statement Parcel::kUpdate{R"(
  UPDATE parcel SET released_at = fresh.released_at, released_by = fresh.released_by,
    released_by_username = fresh.released_by_username,
    released_by_role = fresh.released_by_role, release_remarks = fresh.release_remarks
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],
              $6::text[])
    AS fresh (parcel_id, released_at, released_by, released_by_username,
              released_by_role, release_remarks)
  WHERE parcel.parcel_id = fresh.parcel_id
)"};

// Read under the lock of the bag, which whoever takes it back holds as well.
const db::Statement SentBack::kLoad{R"(
  SELECT allocation.allocation_id,
    coalesce(sum(bag_return.net_grams), 0)::bigint,
    allocation.barcode = ANY (shipment.sent_back_barcodes)
  FROM unnest($1::uuid[]) AS wanted (allocation_id)
  JOIN allocation USING (allocation_id)
  JOIN shipment ON shipment.request_code = allocation.request_code
               AND shipment.shipment_code = allocation.shipment_code
  LEFT JOIN bag_return ON bag_return.barcode = allocation.barcode
                      AND bag_return.request_code = allocation.request_code
                      AND bag_return.shipment_code = allocation.shipment_code
  GROUP BY allocation.allocation_id, shipment.sent_back_barcodes
)"};

}  // namespace mtp::processing
