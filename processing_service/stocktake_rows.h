#pragma once

#include <optional>
#include <string>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/processing/v1/bags.pb.h"
#include "processing_service/kinds.h"

namespace mtp::processing {

// What a stocktake is about: a place, by id or by name, where the book has
// bags, or a bag that was counted.
struct Counted {
  Uuid location_id;
  std::string location;
  Uuid barcode;

  auto Columns() const { return std::tuple(location_id, location, barcode); }
  auto operator<=>(const Counted&) const = default;
};

// The bags of a stocktake: those of which something remains at the place, and
// those counted. In one statement, so that all are locked in their order.
extern const db::Statement kLockBagsCounted;
extern const db::Statement kLoadBagsCounted;
extern const db::Statement kLoadHistoriesCounted;

// A count of the bags at a place, as it was booked.
struct Stocktake {
  Uuid stocktake_id;
  Uuid location_id;
  std::string reason;
  int64_t counted_bag_count = 0;
  int64_t agreeing_bag_count = 0;
  int64_t difference_grams = 0;
  std::string counted_by;
  std::string counted_by_username;
  options::v1::Role counted_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&Stocktake::stocktake_id, &Stocktake::location_id,
                 &Stocktake::reason, &Stocktake::counted_bag_count,
                 &Stocktake::agreeing_bag_count, &Stocktake::difference_grams,
                 &Stocktake::counted_by, &Stocktake::counted_by_username,
                 &Stocktake::counted_by_role, &Stocktake::occurred_at,
                 &Stocktake::recorded_at, &Stocktake::correlation_id);
};

// What was counted of a bag and what the book said; also where both agree.
struct StocktakeLine {
  Uuid stocktake_id;
  Uuid barcode;
  v1::StocktakeFinding finding = v1::STOCKTAKE_FINDING_UNSPECIFIED;
  std::optional<int64_t> book_grams;
  std::optional<int64_t> counted_grams;
  std::optional<Uuid> book_location_id;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &StocktakeLine::stocktake_id, &StocktakeLine::barcode,
      &StocktakeLine::finding, &StocktakeLine::book_grams,
      &StocktakeLine::counted_grams, &StocktakeLine::book_location_id);
};

}  // namespace mtp::processing
