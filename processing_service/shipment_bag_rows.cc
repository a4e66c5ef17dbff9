#include "processing_service/shipment_bag_rows.h"

#include "processing_service/allocation_rows.h"
#include "processing_service/bag_rows.h"
#include "processing_service/batch_rows.h"

namespace mtp::processing {

// An allocation comes and goes under the lock of its shipment, which whoever
// runs these statements holds.
constexpr std::string_view kBatchesShipped = R"(
  FROM (SELECT DISTINCT bag.batch_id
        FROM unnest($1::bigint[], $2::bigint[]) AS wanted (request_code, shipment_code)
        JOIN allocation ON allocation.request_code = wanted.request_code
                       AND allocation.shipment_code = wanted.shipment_code
        JOIN bag ON bag.barcode = allocation.barcode
        WHERE allocation.released_at IS NULL AND bag.batch_id IS NOT NULL) AS shipped
  JOIN batch ON batch.batch_id = shipped.batch_id
)";
constexpr std::string_view kLockAllocations = R"(
  ORDER BY allocation.allocation_id
  FOR UPDATE OF allocation
)";

const db::Statement kLockBatchesShipped =
    db::Compose({"SELECT", kBatchesShipped, R"(
  ORDER BY batch.batch_id
  FOR SHARE OF batch
)"});
const db::Statement kLoadBatchesShipped = db::Compose(
    {kBatchColumns, kNothingOfItsBags, kBatchesShipped, kBatchTables});

const db::Statement kLoadBagsShipped = db::Compose({kBagColumns, R"(
  FROM (SELECT DISTINCT allocation.barcode
        FROM unnest($1::bigint[], $2::bigint[]) AS wanted (request_code, shipment_code)
        JOIN allocation ON allocation.request_code = wanted.request_code
                       AND allocation.shipment_code = wanted.shipment_code
        WHERE allocation.released_at IS NULL) AS shipped
  JOIN bag ON bag.barcode = shipped.barcode)",
                                                    kBagJoins});

const db::Statement kLoadAllocationsCut =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  JOIN (SELECT DISTINCT shipment.request_code, shipment.shipment_code
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
          AS wanted (request_code, shipment_code, wanted_grams)
        JOIN shipment ON shipment.request_code = wanted.request_code
                     AND shipment.shipment_code = wanted.shipment_code
                     AND NOT shipment.dispatched
                     AND shipment.allocated_grams > wanted.wanted_grams) AS cut
    ON cut.request_code = allocation.request_code
   AND cut.shipment_code = allocation.shipment_code
  WHERE allocation.released_at IS NULL)",
                 kLockAllocations});

const db::Statement kLoadAllocationsOfBagsShipped =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  JOIN (SELECT DISTINCT given.barcode
        FROM unnest($1::bigint[], $2::bigint[]) AS wanted (request_code, shipment_code)
        JOIN allocation AS given ON given.request_code = wanted.request_code
                                AND given.shipment_code = wanted.shipment_code
        WHERE given.released_at IS NULL) AS shipped
    ON shipped.barcode = allocation.barcode
  WHERE allocation.released_at IS NULL)",
                 kLockAllocations});

const db::Statement kLoadAllocationsBeside =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  JOIN (SELECT DISTINCT one.barcode, one.request_code, one.shipment_code
        FROM unnest($1::uuid[]) AS wanted (allocation_id)
        JOIN allocation AS one USING (allocation_id)) AS beside
    ON beside.barcode = allocation.barcode
   AND beside.request_code = allocation.request_code
   AND beside.shipment_code = allocation.shipment_code
  WHERE allocation.released_at IS NULL)",
                 kLockAllocations});

// A parcel never changes its allocation, so it needs no lock to find it by.
const db::Statement kLoadAllocationsParcelled =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  JOIN (SELECT DISTINCT parcel.allocation_id
        FROM unnest($1::uuid[]) AS wanted (parcel_id)
        JOIN parcel USING (parcel_id)) AS parcelled
    ON parcelled.allocation_id = allocation.allocation_id)",
                 kLockAllocations});

const db::Statement kLoadBagsParcelled = db::Compose({kBagColumns, R"(
  FROM (SELECT DISTINCT allocation.barcode
        FROM unnest($1::uuid[]) AS wanted (parcel_id)
        JOIN parcel USING (parcel_id)
        JOIN allocation ON allocation.allocation_id = parcel.allocation_id) AS parcelled
  JOIN bag ON bag.barcode = parcelled.barcode)",
                                                      kBagJoins});

const db::Statement ShipmentLeft::kLoad{R"(
  SELECT request_code, shipment_code, dispatched
  FROM shipment JOIN unnest($1::bigint[], $2::bigint[])
    AS wanted (request_code, shipment_code) USING (request_code, shipment_code)
)"};

const db::Statement ShipmentLeft::kLoadBeside{R"(
  SELECT DISTINCT shipment.request_code, shipment.shipment_code, shipment.dispatched
  FROM unnest($1::bigint[], $2::bigint[]) AS wanted (request_code, shipment_code)
  JOIN allocation AS given ON given.request_code = wanted.request_code
                          AND given.shipment_code = wanted.shipment_code
                          AND given.released_at IS NULL
  JOIN allocation AS beside ON beside.barcode = given.barcode
                           AND beside.released_at IS NULL
  JOIN shipment ON shipment.request_code = beside.request_code
               AND shipment.shipment_code = beside.shipment_code
)"};

const db::Statement ShipmentReturns::kLoad{R"(
  SELECT bag_return.request_code, bag_return.shipment_code,
    count(DISTINCT bag_return.barcode)
  FROM bag_return JOIN unnest($1::bigint[], $2::bigint[])
    AS wanted (request_code, shipment_code)
    ON wanted.request_code = bag_return.request_code
   AND wanted.shipment_code = bag_return.shipment_code
  GROUP BY bag_return.request_code, bag_return.shipment_code
)"};

}  // namespace mtp::processing
