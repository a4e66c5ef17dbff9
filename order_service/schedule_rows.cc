#include "order_service/schedule_rows.h"

#include "common/base/protos.h"

namespace mtp::order {

using handlers::Actor;

constexpr std::string_view kColumns = R"(
  schedule.schedule_code, schedule.schedule_date, schedule.order_code, schedule.shift,
  schedule.section, schedule.quantity_grams, schedule.completed, schedule.completed_at,
  schedule.completed_by, schedule.completed_by_username, schedule.completed_by_role,
  schedule.recovered, schedule.version, schedule.changed_at, schedule.created_by,
  schedule.created_by_username, schedule.created_by_role, schedule.created_at,
  schedule.progress_epoch, schedule.progress_version, schedule.progress_changed_at,
  schedule.progress_heard_at, schedule.parcel_count, schedule.parcel_grams,
  (SELECT peer_heard_at FROM sync.epoch)
)";

const db::Statement Schedule::kTakeCodes{R"(
  SELECT nextval('schedule_code_seq') FROM generate_series(1, $1::bigint)
)"};

const db::Statement Schedule::kLoad = db::Compose({"SELECT ", kColumns, R"(
  FROM schedule JOIN unnest($1::bigint[]) AS wanted (schedule_code) USING (schedule_code)
  ORDER BY schedule.schedule_code
  FOR UPDATE OF schedule
)"});

const db::Statement Schedule::kInsert{R"(
  INSERT INTO schedule (
    schedule_code, schedule_date, order_code, shift, section, quantity_grams, completed,
    completed_at, completed_by, completed_by_username, completed_by_role, recovered,
    version, changed_at, created_by, created_by_username, created_by_role, created_at
  ) SELECT
    schedule_code, schedule_date, order_code, shift, section, quantity_grams, completed,
    completed_at, completed_by, completed_by_username, completed_by_role, recovered,
    version, changed_at, created_by, created_by_username, created_by_role, created_at
  FROM unnest(
    $1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[],
    $7::boolean[], $8::timestamptz[], $9::text[], $10::text[], $11::text[],
    $12::boolean[], $13::bigint[], $14::timestamptz[], $15::text[], $16::text[],
    $17::text[], $18::timestamptz[]
  ) AS fresh (
    schedule_code, schedule_date, order_code, shift, section, quantity_grams, completed,
    completed_at, completed_by, completed_by_username, completed_by_role, recovered,
    version, changed_at, created_by, created_by_username, created_by_role, created_at
  )
)"};

const db::Statement Schedule::kUpdate{R"(
  UPDATE schedule SET
    schedule_date = fresh.schedule_date, shift = fresh.shift, section = fresh.section,
    quantity_grams = fresh.quantity_grams, completed = fresh.completed,
    completed_at = fresh.completed_at, completed_by = fresh.completed_by,
    completed_by_username = fresh.completed_by_username,
    completed_by_role = fresh.completed_by_role, version = fresh.version,
    changed_at = fresh.changed_at, progress_epoch = fresh.progress_epoch,
    progress_version = fresh.progress_version,
    progress_changed_at = fresh.progress_changed_at,
    progress_heard_at = fresh.progress_heard_at, parcel_count = fresh.parcel_count,
    parcel_grams = fresh.parcel_grams
  FROM unnest(
    $1::bigint[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::boolean[],
    $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::bigint[],
    $12::timestamptz[], $13::bigint[], $14::bigint[], $15::timestamptz[],
    $16::timestamptz[], $17::bigint[], $18::bigint[]
  ) AS fresh (
    schedule_code, schedule_date, shift, section, quantity_grams, completed,
    completed_at, completed_by, completed_by_username, completed_by_role, version,
    changed_at, progress_epoch, progress_version, progress_changed_at,
    progress_heard_at, parcel_count, parcel_grams
  )
  WHERE schedule.schedule_code = fresh.schedule_code
)"};

db::Statement SelectSchedules(std::initializer_list<std::string_view> from) {
  std::string rest;
  for (const std::string_view part : from) rest.append(part);
  return db::Compose({"SELECT ", kColumns, " ", rest});
}

Schedule ReadSchedule(const db::Row& row) {
  Schedule schedule;
  std::apply([&](auto... member) { row.Into(schedule.*member...); },
             Schedule::kLoaded);
  return schedule;
}

v1::Schedule Schedule::Shown() const {
  v1::Schedule proto;
  proto.set_schedule_code(schedule_code);
  *proto.mutable_date() = ToProto(schedule_date);
  proto.set_order_code(order_code);
  proto.set_shift(shift);
  proto.set_section(section);
  proto.set_quantity_grams(quantity_grams);
  proto.set_completed(completed);
  if (completed && completed_at) {
    *proto.mutable_completed_at() = ToProto(*completed_at);
    Actor{completed_by, completed_by_username, completed_by_role}.To(
        proto.mutable_completed_by());
  }
  proto.set_parcel_count(parcel_count);
  proto.set_parcel_grams(parcel_grams);
  common::v1::Freshness& freshness = *proto.mutable_parcel_freshness();
  freshness.set_version(progress_version);
  if (progress_changed_at) {
    *freshness.mutable_changed_at() = ToProto(*progress_changed_at);
  }
  if (peer_heard_at)
    *freshness.mutable_peer_heard_at() = ToProto(*peer_heard_at);
  Actor{created_by, created_by_username, created_by_role}.To(
      proto.mutable_created_by());
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_updated_at() = ToProto(changed_at);
  proto.set_etag(etag());
  return proto;
}

}  // namespace mtp::order
