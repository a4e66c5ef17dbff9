#include "processing_service/stocktake_rows.h"

#include "processing_service/bag_history_rows.h"
#include "processing_service/bag_rows.h"

namespace mtp::processing {

constexpr std::string_view kCounted = R"(
  FROM (SELECT wanted.barcode
        FROM unnest($1::uuid[], $2::text[], $3::uuid[])
          AS wanted (location_id, name, barcode)
        UNION
        SELECT bag.barcode
        FROM unnest($1::uuid[], $2::text[], $3::uuid[])
          AS wanted (location_id, name, barcode)
        JOIN location ON location.location_id = wanted.location_id
                      OR location.name = wanted.name
        JOIN bag ON bag.location_id = location.location_id
        WHERE wanted.barcode = '00000000-0000-0000-0000-000000000000'
          AND bag.remaining_grams > 0 AND bag.status <> 'DISPATCHED') AS counted
  JOIN bag ON bag.barcode = counted.barcode
)";

// What comes to the place, or is given back to a bag there, between the two
// statements is not locked and so must not be loaded: the transaction remembers
// which bags it locked.
const db::Statement kLockBagsCounted = db::Compose({R"(
  SELECT set_config('mtp.counted_bags',
                    coalesce(string_agg(locked.barcode::text, ','), ''), true)
  FROM (SELECT bag.barcode)",
                                                    kCounted, R"(
        ORDER BY bag.barcode
        FOR NO KEY UPDATE OF bag) AS locked
)"});
constexpr std::string_view kLocked = R"(
  JOIN unnest(string_to_array(current_setting('mtp.counted_bags'), ',')::uuid[])
    AS locked (barcode) ON locked.barcode = bag.barcode
)";
const db::Statement kLoadBagsCounted =
    db::Compose({kBagColumns, kCounted, kLocked, kBagJoins});
const db::Statement kLoadHistoriesCounted =
    db::Compose({kBagHistoryColumns, kCounted, kLocked, kBagHistoryJoins});

const db::Statement Stocktake::kInsert{R"(
  INSERT INTO stocktake (stocktake_id, location_id, reason, counted_bag_count,
    agreeing_bag_count, difference_grams, counted_by, counted_by_username,
    counted_by_role, occurred_at, recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::text[], $8::text[], $9::text[], $10::timestamptz[],
    $11::timestamptz[], $12::text[])
)"};

const db::Statement StocktakeLine::kInsert{R"(
  INSERT INTO stocktake_line (stocktake_id, barcode, finding, book_grams, counted_grams,
    book_location_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[],
    $6::uuid[])
)"};

}  // namespace mtp::processing
