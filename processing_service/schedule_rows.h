#pragma once

#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/common/v1/common.pb.h"

namespace mtp::processing {

// A schedule as Seeduwa has it: Grandpass's word as copied, and our own on the
// parcels made for it, which has one version.
struct Schedule {
  using Key = int64_t;

  int64_t schedule_code = 0;
  // Grandpass's word.
  absl::CivilDay schedule_date;
  std::string order_code;
  common::v1::Shift shift = common::v1::SHIFT_UNSPECIFIED;
  std::string section;
  int64_t quantity_grams = 0;
  bool completed = false;
  std::string completed_by;
  std::string completed_by_username;
  options::v1::Role completed_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> completed_at;
  int64_t order_epoch = 0;
  int64_t order_version = 0;
  std::optional<absl::Time> order_changed_at;
  absl::Time heard_at;
  // Our word.
  int64_t parcel_count = 0;
  int64_t parcel_grams = 0;
  int64_t version = 0;
  absl::Time changed_at;

  Key key() const { return schedule_code; }
  // Every change of our facts goes through here: Grandpass must learn it.
  void Changed(absl::Time now) {
    ++version;
    changed_at = ChangeAfter(changed_at, now);
  }
  // A parcel was made or taken back.
  void CountParcel(int64_t count, int64_t grams, absl::Time now) {
    parcel_count += count;
    parcel_grams += grams;
    Changed(now);
  }

  static const db::Statement kLoad;  // FOR UPDATE
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Schedule::schedule_code, &Schedule::schedule_date, &Schedule::order_code,
      &Schedule::shift, &Schedule::section, &Schedule::quantity_grams,
      &Schedule::completed, &Schedule::completed_by,
      &Schedule::completed_by_username, &Schedule::completed_by_role,
      &Schedule::completed_at, &Schedule::order_epoch, &Schedule::order_version,
      &Schedule::order_changed_at, &Schedule::heard_at, &Schedule::parcel_count,
      &Schedule::parcel_grams, &Schedule::version, &Schedule::changed_at);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated = kLoaded;
};

}  // namespace mtp::processing
