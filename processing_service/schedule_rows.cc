#include "processing_service/schedule_rows.h"

namespace mtp::processing {

constexpr std::string_view kSelect = R"(
  SELECT schedule.schedule_code, schedule.schedule_date, schedule.order_code,
    schedule.shift, schedule.section, schedule.quantity_grams, schedule.completed,
    schedule.completed_by, schedule.completed_by_username, schedule.completed_by_role,
    schedule.completed_at, schedule.order_epoch, schedule.order_version,
    schedule.order_changed_at, schedule.heard_at, schedule.parcel_count,
    schedule.parcel_grams, schedule.version, schedule.changed_at
)";
constexpr std::string_view kArrays = R"(
  unnest(
    $1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[],
    $7::boolean[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
    $12::bigint[], $13::bigint[], $14::timestamptz[], $15::timestamptz[],
    $16::bigint[], $17::bigint[], $18::bigint[], $19::timestamptz[]
  ) AS fresh (
    schedule_code, schedule_date, order_code, shift, section, quantity_grams,
    completed, completed_by, completed_by_username, completed_by_role, completed_at,
    order_epoch, order_version, order_changed_at, heard_at, parcel_count,
    parcel_grams, version, changed_at
  )
)";

// A parcel never changes its schedule, so it needs no lock here.
const db::Statement Schedule::kLoad = db::Compose({kSelect, R"(
  FROM (SELECT * FROM unnest($1::bigint[])
        UNION
        SELECT parcel.schedule_code FROM unnest($2::uuid[]) AS given (parcel_id)
        JOIN parcel USING (parcel_id)) AS wanted (schedule_code)
  JOIN schedule USING (schedule_code)
  ORDER BY schedule_code
  FOR UPDATE OF schedule
)"});

const db::Statement Schedule::kInsert = db::Compose({R"(
  INSERT INTO schedule (
    schedule_code, schedule_date, order_code, shift, section, quantity_grams,
    completed, completed_by, completed_by_username, completed_by_role, completed_at,
    order_epoch, order_version, order_changed_at, heard_at, parcel_count,
    parcel_grams, version, changed_at)
  SELECT * FROM)",
                                                     kArrays});

const db::Statement Schedule::kUpdate = db::Compose({R"(
  UPDATE schedule SET
    schedule_date = fresh.schedule_date, order_code = fresh.order_code,
    shift = fresh.shift, section = fresh.section,
    quantity_grams = fresh.quantity_grams, completed = fresh.completed,
    completed_by = fresh.completed_by,
    completed_by_username = fresh.completed_by_username,
    completed_by_role = fresh.completed_by_role, completed_at = fresh.completed_at,
    order_epoch = fresh.order_epoch, order_version = fresh.order_version,
    order_changed_at = fresh.order_changed_at, heard_at = fresh.heard_at,
    parcel_count = fresh.parcel_count, parcel_grams = fresh.parcel_grams,
    version = fresh.version, changed_at = fresh.changed_at
  FROM)",
                                                     kArrays, R"(
  WHERE schedule.schedule_code = fresh.schedule_code
)"});

}  // namespace mtp::processing
