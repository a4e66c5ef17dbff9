#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/db/result.h"
#include "common/db/table.h"
#include "common/handlers/actor.h"
#include "mtp/order/v1/schedules.pb.h"

namespace mtp::order {

// What a section fills in a shift: Grandpass's facts, which have one version,
// and Seeduwa's parcel totals as they were heard last.
struct Schedule {
  using Key = int64_t;

  int64_t schedule_code = 0;
  // Our word.
  absl::CivilDay schedule_date;
  std::string order_code;
  common::v1::Shift shift = common::v1::SHIFT_UNSPECIFIED;
  std::string section;
  int64_t quantity_grams = 0;
  bool completed = false;
  std::optional<absl::Time> completed_at;
  std::string completed_by;
  std::string completed_by_username;
  options::v1::Role completed_by_role = options::v1::ROLE_UNSPECIFIED;
  bool recovered = false;
  int64_t version = 1;
  absl::Time changed_at;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  // Seeduwa's word.
  int64_t progress_epoch = 0;
  int64_t progress_version = 0;
  std::optional<absl::Time> progress_changed_at;
  std::optional<absl::Time> progress_heard_at;
  int64_t parcel_count = 0;
  int64_t parcel_grams = 0;
  // When the peer was heard at all; only read.
  std::optional<absl::Time> peer_heard_at;

  Key key() const { return schedule_code; }
  std::string KeyText() const { return std::to_string(schedule_code); }
  std::string etag() const { return std::to_string(version); }

  // Every change of our facts goes through here: Seeduwa must learn it.
  void Changed(absl::Time now) {
    ++version;
    changed_at = ChangeAfter(changed_at, now);
  }
  // All but the shipments that can feed it.
  v1::Schedule Shown() const;

  static const db::Statement kTakeCodes;  // $1: how many
  static const db::Statement kLoad;       // FOR UPDATE, by schedule_code
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Schedule::schedule_code, &Schedule::schedule_date, &Schedule::order_code,
      &Schedule::shift, &Schedule::section, &Schedule::quantity_grams,
      &Schedule::completed, &Schedule::completed_at, &Schedule::completed_by,
      &Schedule::completed_by_username, &Schedule::completed_by_role,
      &Schedule::recovered, &Schedule::version, &Schedule::changed_at,
      &Schedule::created_by, &Schedule::created_by_username,
      &Schedule::created_by_role, &Schedule::created_at,
      &Schedule::progress_epoch, &Schedule::progress_version,
      &Schedule::progress_changed_at, &Schedule::progress_heard_at,
      &Schedule::parcel_count, &Schedule::parcel_grams,
      &Schedule::peer_heard_at);
  static constexpr auto kInserted = std::tuple(
      &Schedule::schedule_code, &Schedule::schedule_date, &Schedule::order_code,
      &Schedule::shift, &Schedule::section, &Schedule::quantity_grams,
      &Schedule::completed, &Schedule::completed_at, &Schedule::completed_by,
      &Schedule::completed_by_username, &Schedule::completed_by_role,
      &Schedule::recovered, &Schedule::version, &Schedule::changed_at,
      &Schedule::created_by, &Schedule::created_by_username,
      &Schedule::created_by_role, &Schedule::created_at);
  static constexpr auto kUpdated = std::tuple(
      &Schedule::schedule_code, &Schedule::schedule_date, &Schedule::shift,
      &Schedule::section, &Schedule::quantity_grams, &Schedule::completed,
      &Schedule::completed_at, &Schedule::completed_by,
      &Schedule::completed_by_username, &Schedule::completed_by_role,
      &Schedule::version, &Schedule::changed_at, &Schedule::progress_epoch,
      &Schedule::progress_version, &Schedule::progress_changed_at,
      &Schedule::progress_heard_at, &Schedule::parcel_count,
      &Schedule::parcel_grams);
};

// A query for schedules as ReadSchedule reads them. `from` is what stands
// behind the columns: "FROM schedule WHERE … ORDER BY …"; the table has no
// alias. For constants.
db::Statement SelectSchedules(std::initializer_list<std::string_view> from);
Schedule ReadSchedule(const db::Row& row);

}  // namespace mtp::order
