#include "processing_service/location_rows.h"

#include "common/base/protos.h"

namespace mtp::processing {

const std::string_view kLocationSelect = R"(
  SELECT location.location_id, location.name, location.herb_section, location.version,
    location.created_by, location.created_by_username, location.created_by_role,
    location.created_at, location.changed_at, content.bag_count, content.remaining_grams,
    EXISTS (SELECT FROM bag WHERE bag.location_id = location.location_id)
  FROM location
  CROSS JOIN LATERAL (
    SELECT count(*) AS bag_count,
           coalesce(sum(bag.remaining_grams), 0)::bigint AS remaining_grams
    FROM bag
    WHERE bag.location_id = location.location_id AND bag.remaining_grams > 0
      AND bag.status <> 'DISPATCHED') AS content
)";

constexpr std::string_view kPlaceColumns = R"(
  SELECT location.location_id, location.name, location.herb_section, location.version,
    location.created_by, location.created_by_username, location.created_by_role,
    location.created_at, location.changed_at, 0::bigint, 0::bigint, false
  FROM location
)";

const db::Statement Location::kLock{R"(
  SELECT FROM location JOIN unnest($1::uuid[]) AS wanted (location_id) USING (location_id)
  ORDER BY location_id
  FOR UPDATE OF location
)"};

const db::Statement Location::kLoad = db::Compose({kLocationSelect, R"(
  JOIN unnest($1::uuid[]) AS wanted (location_id)
    ON wanted.location_id = location.location_id
)"});

const db::Statement Location::kLoadPlace = db::Compose({kPlaceColumns, R"(
  JOIN unnest($1::uuid[]) AS wanted (location_id)
    ON wanted.location_id = location.location_id
  ORDER BY location.location_id
  FOR KEY SHARE OF location
)"});

const db::Statement Location::kLoadPlaceNamed = db::Compose({kPlaceColumns, R"(
  JOIN unnest($1::text[]) AS wanted (name) ON wanted.name = location.name
  ORDER BY location.location_id
  FOR KEY SHARE OF location
)"});

const db::Statement Location::kInsert{R"(
  INSERT INTO location (location_id, name, herb_section, version, created_by,
    created_by_username, created_by_role, created_at, changed_at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::bigint[], $5::text[],
    $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[])
)"};

const db::Statement Location::kUpdate{R"(
  UPDATE location SET name = fresh.name, herb_section = fresh.herb_section,
    version = fresh.version, changed_at = fresh.changed_at
  FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::bigint[], $5::timestamptz[])
    AS fresh (location_id, name, herb_section, version, changed_at)
  WHERE location.location_id = fresh.location_id
)"};

const db::Statement Location::kDelete{R"(
  DELETE FROM location USING unnest($1::uuid[]) AS gone (location_id)
  WHERE location.location_id = gone.location_id
)"};

const db::Statement LocationUse::kLoad{R"(
  SELECT wanted.location_id,
    EXISTS (SELECT FROM bag_move WHERE bag_move.to_location_id = wanted.location_id)
      OR EXISTS (SELECT FROM stocktake WHERE stocktake.location_id = wanted.location_id)
  FROM unnest($1::uuid[]) AS wanted (location_id)
)"};

v1::Location Location::Shown() const {
  v1::Location proto;
  proto.set_location_id(location_id.ToString());
  proto.set_name(name);
  proto.set_herb_section(herb_section);
  *proto.mutable_created_at() = ToProto(created_at);
  proto.set_bag_count(bag_count);
  proto.set_remaining_grams(remaining_grams);
  proto.set_etag(Etag());
  return proto;
}

const Location* FindByName(const db::Table<Location>& locations,
                           std::string_view name) {
  for (const Location* location : locations.All()) {
    if (location->name == name) return location;
  }
  return nullptr;
}

}  // namespace mtp::processing
