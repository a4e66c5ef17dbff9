#pragma once

#include <optional>
#include <string>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/processing/v1/bags.pb.h"
#include "processing_service/kinds.h"

namespace mtp::processing {

// The most that one bag may weigh, its tare included.
inline constexpr int64_t kMaxBagGrams = 10'000'000;

// One weighed bag, with what people call the thing it came from.
struct Bag {
  using Key = Uuid;

  Uuid barcode;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::optional<Uuid> item_id;  // exactly one of the two
  std::optional<Uuid> batch_id;
  Uuid location_id;
  int64_t bag_number = 0;
  int64_t gross_grams = 0;
  int64_t tare_grams = 0;
  int64_t net_grams = 0;
  int64_t remaining_grams = 0;
  v1::BagStatus status = v1::BAG_STATUS_ACCEPTED;
  bool dispatched_by_hand = false;
  bool held = false;
  std::string held_reason;
  std::string reference;
  bool opening_stock = false;
  std::string received_by;
  std::string received_by_username;
  options::v1::Role received_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time received_at;
  absl::Time occurred_at;
  // Of what it came from and where it lies; only read.
  std::string source_code;
  std::string source_name;
  std::string location;
  int64_t written_off_grams = 0;
  int64_t returned_grams = 0;

  Key key() const { return barcode; }

  bool gone() const { return status == v1::BAG_STATUS_DISPATCHED; }
  // What of it is in batches and shipments.
  int64_t AllocatedGrams() const {
    return net_grams + returned_grams - written_off_grams - remaining_grams;
  }
  // What of its net weight is no longer there; what came back is.
  int64_t UsedGrams() const { return net_grams - remaining_grams; }
  // Whether the bag may be used at all: not gone, not on hold, enough left.
  absl::Status CanGive(int64_t grams) const;
  // Takes out of what remains, or gives back to it; the status follows.
  void Take(int64_t grams);
  void GiveBack(int64_t grams);
  // Makes the status what the quantities say. `left_grams`: what of the bag is
  // in shipments that left; only needed when nothing remains.
  void Settle(int64_t left_grams);

  v1::Bag Shown() const;

  static const db::Statement kLock;  // FOR NO KEY UPDATE
  static const db::Statement kLoad;
  static const db::Statement kRead;  // by barcode alone, locks nothing
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Bag::barcode, &Bag::kind, &Bag::item_id, &Bag::batch_id,
      &Bag::location_id, &Bag::bag_number, &Bag::gross_grams, &Bag::tare_grams,
      &Bag::net_grams, &Bag::remaining_grams, &Bag::status,
      &Bag::dispatched_by_hand, &Bag::held, &Bag::held_reason, &Bag::reference,
      &Bag::opening_stock, &Bag::received_by, &Bag::received_by_username,
      &Bag::received_by_role, &Bag::received_at, &Bag::occurred_at,
      &Bag::source_code, &Bag::source_name, &Bag::location,
      &Bag::written_off_grams, &Bag::returned_grams);
  static constexpr auto kInserted = std::tuple(
      &Bag::barcode, &Bag::kind, &Bag::item_id, &Bag::batch_id,
      &Bag::location_id, &Bag::bag_number, &Bag::gross_grams, &Bag::tare_grams,
      &Bag::net_grams, &Bag::remaining_grams, &Bag::status, &Bag::reference,
      &Bag::opening_stock, &Bag::received_by, &Bag::received_by_username,
      &Bag::received_by_role, &Bag::received_at, &Bag::occurred_at);
  static constexpr auto kUpdated = std::tuple(
      &Bag::barcode, &Bag::location_id, &Bag::gross_grams, &Bag::tare_grams,
      &Bag::net_grams, &Bag::remaining_grams, &Bag::status,
      &Bag::dispatched_by_hand, &Bag::held, &Bag::held_reason);
};

// Every placement and move of a bag.
struct BagMove {
  Uuid barcode;
  std::optional<Uuid> from_location_id;  // none: it was received
  Uuid to_location_id;
  std::string moved_by;
  std::string moved_by_username;
  options::v1::Role moved_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &BagMove::barcode, &BagMove::from_location_id, &BagMove::to_location_id,
      &BagMove::moved_by, &BagMove::moved_by_username, &BagMove::moved_by_role,
      &BagMove::occurred_at, &BagMove::recorded_at, &BagMove::correlation_id);
};

// The barcode of a request: a UUID, with or without the label's `kind:`. Only
// for fields whose format was checked.
struct Barcode {
  Uuid uuid;
  std::string_view prefix;  // empty when there was none
  // Whether a bag of this kind may carry the label.
  bool Fits(MaterialKind kind) const;
};
Barcode ParseBarcode(std::string_view text);

// The bag of a request's barcode. NOT_FOUND also when the label's kind is not
// the bag's.
absl::StatusOr<const Bag*> FindBag(const db::Table<Bag>& bags,
                                   std::string_view barcode_text);

// The columns of Bag::kLoaded, "SELECT …", and the tables they come from
// besides `bag`, "JOIN …": write FROM and whatever leads to the bags between
// them, WHERE behind. `source.code` and `source.name` are what people call the
// thing that a bag came from; location, item, batch, recipe and recipe_revision
// are there by their names.
extern const std::string_view kBagColumns;
extern const std::string_view kBagJoins;

}  // namespace mtp::processing
