#include "processing_service/stocktake_rows.h"

#include "processing_service/bag_history_rows.h"
#include "processing_service/bag_rows.h"

namespace mtp::processing {

// What comes to the place, or is given back to a bag there, after this
// statement is not locked and so must not be loaded: the transaction remembers
// which bags it locked, and the statements behind it read those and no others.
const db::Statement kLockBagsCounted{R"(
  SELECT set_config('mtp.counted_bags',
                    coalesce(string_agg(locked.barcode::text, ','), ''), true)
  FROM (SELECT bag.barcode
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
        ORDER BY bag.barcode
        FOR NO KEY UPDATE OF bag) AS locked
)"};
constexpr std::string_view kLocked = R"(
  FROM unnest(string_to_array(current_setting('mtp.counted_bags'), ',')::uuid[])
    AS locked (barcode)
  JOIN bag ON bag.barcode = locked.barcode
)";
// They take what the lock takes, and do not look at it again.
constexpr std::string_view kWhatever = R"(
  WHERE ($1::uuid[], $2::text[], $3::uuid[]) IS NOT NULL
)";
const db::Statement kLoadBagsCounted =
    db::Compose({kBagColumns, kLocked, kBagJoins, kWhatever});
const db::Statement kLoadHistoriesCounted =
    db::Compose({kBagHistoryColumns, kLocked, kBagHistoryJoins, kWhatever});

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
