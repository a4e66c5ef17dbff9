#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "processing_service/bag_rows.h"
#include "processing_service/stock_rows.h"

// The cells of a row of opening stock, each read by itself.
namespace mtp::processing {

// In the order of the file.
enum class StockColumn {
  kLineNumber,
  kKind,
  kCode,
  kBatchNumber,
  kBarcode,
  kLocation,
  kGross,
  kTare,
  kBagNumber,
  kReference,
  kReceived,
};

std::string_view NameOf(StockColumn column);
std::string TextOf(const v1::OpeningStockRow& row, StockColumn column);

struct CellComplaint {
  StockColumn column;
  v1::BadRowReason reason;
  std::string_view message;
};

// What a row says where it could be read. Texts are those of the row.
struct StockCells {
  const v1::OpeningStockRow* row = nullptr;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;  // not read
  std::string_view code;                              // empty: not read
  // Of a blendsheet or flavorsheet; 0: not read.
  int64_t batch_number = 0;
  Uuid barcode;               // nil: not read
  std::string_view location;  // empty: not read
  int64_t gross_grams = 0;    // 0: not read
  int64_t tare_grams = 0;
  bool weighed = false;    // both weights were read, and fit
  int64_t bag_number = 0;  // 0: none is said
  std::string_view reference;
  std::optional<absl::CivilDay> received;
  std::vector<CellComplaint> complaints;

  int64_t line() const { return row->line_number(); }
  int64_t net_grams() const { return gross_grams - tare_grams; }
  bool of_batch() const {
    return kind == v1::MATERIAL_KIND_BLENDSHEET ||
           kind == v1::MATERIAL_KIND_FLAVORSHEET;
  }
  // What the bag came from, if the row says so; `batch_number` is 0 of an item.
  std::optional<BatchNumber> Source() const;
};

StockCells ReadCells(const v1::OpeningStockRow& row, absl::CivilDay today);

}  // namespace mtp::processing
