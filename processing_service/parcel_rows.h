#pragma once

#include <optional>
#include <string>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::processing {

// A part of an accepted shipment's allocation that was given to a schedule;
// active until it is taken back.
struct Parcel {
  using Key = Uuid;

  Uuid parcel_id;
  Uuid allocation_id;
  int64_t schedule_code = 0;
  int64_t grams = 0;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  absl::Time occurred_at;
  std::optional<absl::Time> released_at;
  std::string released_by;
  std::string released_by_username;
  options::v1::Role released_by_role = options::v1::ROLE_UNSPECIFIED;
  std::string release_remarks;

  Key key() const { return parcel_id; }
  bool active() const { return !released_at.has_value(); }

  static const db::Statement kLoad;  // by parcel_id, FOR UPDATE
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Parcel::parcel_id, &Parcel::allocation_id, &Parcel::schedule_code,
      &Parcel::grams, &Parcel::created_by, &Parcel::created_by_username,
      &Parcel::created_by_role, &Parcel::created_at, &Parcel::occurred_at,
      &Parcel::released_at, &Parcel::released_by, &Parcel::released_by_username,
      &Parcel::released_by_role, &Parcel::release_remarks);
  static constexpr auto kInserted = kLoaded;
  static constexpr auto kUpdated =
      std::tuple(&Parcel::parcel_id, &Parcel::released_at, &Parcel::released_by,
                 &Parcel::released_by_username, &Parcel::released_by_role,
                 &Parcel::release_remarks);
};

// What came back of the bag of a shipment allocation from that shipment; only
// read. What is on its way back has no row here.
struct SentBack {
  using Key = Uuid;

  Uuid allocation_id;
  int64_t grams = 0;       // of the bag, from the allocation's shipment
  bool announced = false;  // the acceptance lists the bag as sent back

  Key key() const { return allocation_id; }

  static const db::Statement kLoad;
  static constexpr auto kLoaded = std::tuple(
      &SentBack::allocation_id, &SentBack::grams, &SentBack::announced);
};

}  // namespace mtp::processing
