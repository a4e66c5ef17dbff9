#pragma once

#include <optional>
#include <string>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/processing/v1/materials.pb.h"
#include "processing_service/kinds.h"

namespace mtp::processing {

// A lot: a tealine, herbline or blendbalance, with what was received of it.
struct Item {
  using Key = Uuid;

  Uuid item_id;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string item_code;
  absl::Time created_at;
  absl::Time occurred_at;
  // Of a tealine: the bags invoiced. Of a blendbalance: the expected weight,
  // where one was told. Receipts stay within.
  std::optional<int64_t> bag_limit;
  std::optional<int64_t> gram_limit;
  int64_t received_bags = 0;   // also those used since
  int64_t received_grams = 0;  // net, as corrected
  int64_t version = 1;
  std::string created_by;
  std::string created_by_username;
  options::v1::Role created_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time changed_at;
  // Of a tealine.
  std::string invoice;
  std::string grade;
  std::string garden;
  std::string broker;
  int64_t bag_grams = 0;
  // Of a herbline.
  std::string name;
  int64_t expected_grams = 0;
  // Of both.
  std::string purchase_order;
  // Of a blendbalance.
  std::string blend_code;
  std::string transfer_id;
  // In its bags. A command does not look at all of them for it: there it is
  // what the calls of its batch changed, and ItemStock has what it was before.
  int64_t remaining_grams = 0;
  // The highest of its bags; those of the opening stock came with their own.
  int64_t last_bag_number = 0;

  Key key() const { return item_id; }
  std::string Etag() const { return std::to_string(version); }
  // What people call it, as Bag.source_name has it.
  std::string Name() const;
  v1::Tealine ShownTealine() const;
  v1::Herbline ShownHerbline() const;
  v1::Blendbalance ShownBlendbalance() const;

  static const db::Statement kLock;  // FOR NO KEY UPDATE
  static const db::Statement kLoad;
  // The items of bags, by barcode, FOR NO KEY UPDATE.
  static const db::Statement kLockOfBags;
  static const db::Statement kLoadOfBags;
  // By id, so that it stays: for recipes that name it.
  static const db::Statement kLoadNamed;
  // To remove the item: unlike kLock it waits for recipes that name it, too.
  static const db::Statement kLockToRemove;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static const db::Statement kDelete;
  static constexpr auto kLoaded = std::tuple(
      &Item::item_id, &Item::kind, &Item::item_code, &Item::created_at,
      &Item::occurred_at, &Item::bag_limit, &Item::gram_limit,
      &Item::received_bags, &Item::received_grams, &Item::version,
      &Item::created_by, &Item::created_by_username, &Item::created_by_role,
      &Item::changed_at, &Item::invoice, &Item::grade, &Item::garden,
      &Item::broker, &Item::bag_grams, &Item::name, &Item::expected_grams,
      &Item::purchase_order, &Item::blend_code, &Item::transfer_id,
      &Item::remaining_grams, &Item::last_bag_number);
  static constexpr auto kInserted = std::tuple(
      &Item::item_id, &Item::kind, &Item::item_code, &Item::created_at,
      &Item::occurred_at, &Item::bag_limit, &Item::gram_limit,
      &Item::received_bags, &Item::received_grams, &Item::version,
      &Item::created_by, &Item::created_by_username, &Item::created_by_role,
      &Item::changed_at, &Item::invoice, &Item::grade, &Item::garden,
      &Item::broker, &Item::bag_grams, &Item::name, &Item::expected_grams,
      &Item::purchase_order, &Item::blend_code, &Item::transfer_id);
  static constexpr auto kUpdated = std::tuple(
      &Item::item_id, &Item::bag_limit, &Item::gram_limit, &Item::received_bags,
      &Item::received_grams, &Item::version, &Item::changed_at, &Item::invoice,
      &Item::grade, &Item::garden, &Item::broker, &Item::bag_grams, &Item::name,
      &Item::expected_grams, &Item::purchase_order, &Item::blend_code,
      &Item::transfer_id);
};

// Whether a recipe names an item, in whatever revision. Read when the item is
// locked.
struct ItemUse {
  using Key = Uuid;

  Uuid item_id;
  bool in_recipe = false;

  Key key() const { return item_id; }
  static const db::Statement kLoad;
  static constexpr auto kLoaded =
      std::tuple(&ItemUse::item_id, &ItemUse::in_recipe);
};

// What remains in all bags of an item.
struct ItemStock {
  using Key = Uuid;

  Uuid item_id;
  int64_t remaining_grams = 0;

  Key key() const { return item_id; }
  static const db::Statement kLoad;
  static constexpr auto kLoaded =
      std::tuple(&ItemStock::item_id, &ItemStock::remaining_grams);
};

// The columns of Item::kLoaded and their tables: "SELECT …", then what remains
// in all its bags or nothing of it, then "… FROM item …"; append WHERE.
extern const std::string_view kItemColumns;
extern const std::string_view kItemRemaining;
extern const std::string_view kItemRemainingNotAsked;
extern const std::string_view kItemTables;

}  // namespace mtp::processing
