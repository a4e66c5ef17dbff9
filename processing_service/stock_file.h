#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "google/protobuf/repeated_field.h"
#include "processing_service/rows.h"

// What the rows of a file of opening stock say: the bags, or what is wrong with
// them.
namespace mtp::processing {

using StockRows = google::protobuf::RepeatedPtrField<v1::OpeningStockRow>;

// A bag as a file has it. Pointers are to rows of the working set.
struct FileBag {
  int64_t line = 0;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  const Item* item = nullptr;  // exactly one of the two
  const Batch* batch = nullptr;
  Uuid barcode;
  const Location* place = nullptr;
  int64_t gross_grams = 0;
  int64_t tare_grams = 0;
  int64_t bag_number = 0;
  std::string reference;
  std::optional<absl::CivilDay> received;  // none: the day of the import

  int64_t net_grams() const { return gross_grams - tare_grams; }
};

struct StockFile {
  // By line; empty when there are faults.
  std::vector<FileBag> bags;
  // By line, within it in the order of the columns.
  std::vector<v1::BadRow> faults;
  int64_t bad_row_count = 0;
  // Net weight of the rows without fault.
  int64_t net_grams = 0;
};

// Asks for what the judgement looks at.
void WantStockFile(const StockRows& file, Rows& rows);

// Judges every row by itself, against the book and against the rows before it.
// The order of the rows makes no difference, that of their lines does. Rows
// without a bag number get the numbers behind the highest of book and file.
StockFile JudgeStockFile(const StockRows& file, const Rows& rows,
                         absl::CivilDay today);

}  // namespace mtp::processing
