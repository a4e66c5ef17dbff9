#pragma once

#include <string>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "processing_service/batch_rows.h"
#include "processing_service/item_rows.h"
#include "processing_service/kinds.h"

// Files of opening stock, and what the book has of the things they name.
namespace mtp::processing {

// One import of a file. Those that were stored are known by its digest.
struct StockImport {
  using Key = std::string;

  std::string file_digest;  // 64 lower-case hexadecimal digits
  Uuid import_id;
  std::string file_name;
  bool stored = false;
  int64_t row_count = 0;
  int64_t bad_row_count = 0;
  int64_t fault_count = 0;
  int64_t net_grams = 0;  // of the rows without fault
  std::string imported_by;
  std::string imported_by_username;
  options::v1::Role imported_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time imported_at;
  std::string correlation_id;

  Key key() const { return file_digest; }

  static const db::Statement kLoad;  // stored ones, by digest
  static const db::Statement kInsert;
  static constexpr auto kLoaded = std::tuple(
      &StockImport::file_digest, &StockImport::import_id,
      &StockImport::file_name, &StockImport::stored, &StockImport::row_count,
      &StockImport::bad_row_count, &StockImport::fault_count,
      &StockImport::net_grams, &StockImport::imported_by,
      &StockImport::imported_by_username, &StockImport::imported_by_role,
      &StockImport::imported_at, &StockImport::correlation_id);
  static constexpr auto kInserted = kLoaded;
};

// A fault in a refused file.
struct StockFault {
  Uuid import_id;
  int64_t fault_number = 0;  // from 1, in the order of the lines
  int64_t line = 0;
  std::string column_name;
  std::string value;
  v1::BadRowReason reason = v1::BAD_ROW_REASON_UNSPECIFIED;
  std::string message;

  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&StockFault::import_id, &StockFault::fault_number,
                 &StockFault::line, &StockFault::column_name,
                 &StockFault::value, &StockFault::reason, &StockFault::message);
};

// What people call an item: its kind and code. Several may have them; the
// newest is meant.
struct ItemCode {
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string code;

  auto Columns() const { return std::tuple(kind, code); }
  auto operator<=>(const ItemCode&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const ItemCode& c) {
    return H::combine(std::move(h), c.kind, c.code);
  }
};
extern const db::Statement kLockNewestItems;
extern const db::Statement kLoadNewestItems;

// What people call a batch: kind and number of its recipe, and its own number.
struct BatchNumber {
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string recipe_number;
  int64_t batch_number = 0;

  auto Columns() const { return std::tuple(kind, recipe_number, batch_number); }
  auto operator<=>(const BatchNumber&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const BatchNumber& b) {
    return H::combine(std::move(h), b.kind, b.recipe_number, b.batch_number);
  }
};
extern const db::Statement kLockNumberedBatches;
extern const db::Statement kLoadNumberedBatches;

// A barcode that a bag in the book has.
struct TakenBarcode {
  using Key = Uuid;

  Uuid barcode;

  Key key() const { return barcode; }
  static const db::Statement kLoad;
  static constexpr auto kLoaded = std::tuple(&TakenBarcode::barcode);
};

// A number that a bag of an item or batch has. Read when the item or batch is
// locked, so that none is missed.
struct TakenBagNumber {
  // By what people call the source; `batch_number` is 0 of an item.
  struct Key {
    BatchNumber source;
    int64_t bag_number = 0;

    auto Columns() const {
      return std::tuple_cat(source.Columns(), std::tuple(bag_number));
    }
    auto operator<=>(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.source, k.bag_number);
    }
  };

  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  std::string code;
  int64_t batch_number = 0;
  int64_t bag_number = 0;

  Key key() const { return {{kind, code, batch_number}, bag_number}; }
  static const db::Statement kLoad;
  static constexpr auto kLoaded =
      std::tuple(&TakenBagNumber::kind, &TakenBagNumber::code,
                 &TakenBagNumber::batch_number, &TakenBagNumber::bag_number);
};

}  // namespace mtp::processing
