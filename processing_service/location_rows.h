#pragma once

#include <string>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/processing/v1/locations.pb.h"

namespace mtp::processing {

// A place where bags lie, with what lies there.
struct Location {
  using Key = Uuid;

  Uuid location_id;
  std::string name;
  bool herb_section = false;
  int64_t version = 1;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time created_at;
  absl::Time changed_at;
  // Bags of which something remains, and what remains; only read.
  int64_t bag_count = 0;
  int64_t remaining_grams = 0;
  // Whether any bag has its place here, also one that is empty or gone.
  bool occupied = false;

  Key key() const { return location_id; }
  std::string Etag() const { return std::to_string(version); }
  v1::Location Shown() const;

  static const db::Statement kLock;  // FOR UPDATE: to change the location
  static const db::Statement kLoad;
  // To put bags there: so that it stays what it is, without what lies there.
  // By id, and by name.
  static const db::Statement kLoadPlace;
  static const db::Statement kLoadPlaceNamed;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static const db::Statement kDelete;
  static constexpr auto kLoaded = std::tuple(
      &Location::location_id, &Location::name, &Location::herb_section,
      &Location::version, &Location::created_by, &Location::created_by_username,
      &Location::created_by_role, &Location::created_at, &Location::changed_at,
      &Location::bag_count, &Location::remaining_grams, &Location::occupied);
  static constexpr auto kInserted = std::tuple(
      &Location::location_id, &Location::name, &Location::herb_section,
      &Location::version, &Location::created_by, &Location::created_by_username,
      &Location::created_by_role, &Location::created_at, &Location::changed_at);
  static constexpr auto kUpdated = std::tuple(
      &Location::location_id, &Location::name, &Location::herb_section,
      &Location::version, &Location::changed_at);
};

// Whether anything that is kept for good names a location: a bag that was put
// there once, a stocktake. Read when the location is locked.
struct LocationUse {
  using Key = Uuid;

  Uuid location_id;
  bool used = false;

  Key key() const { return location_id; }
  static const db::Statement kLoad;
  static constexpr auto kLoaded =
      std::tuple(&LocationUse::location_id, &LocationUse::used);
};

// The location of this name among those loaded and made; nullptr when none is.
const Location* FindByName(const db::Table<Location>& locations,
                           std::string_view name);

// The columns of Location::kLoaded and their tables: "SELECT … FROM location";
// append WHERE.
extern const std::string_view kLocationSelect;

}  // namespace mtp::processing
