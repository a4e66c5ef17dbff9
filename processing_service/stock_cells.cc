#include "processing_service/stock_cells.h"

#include "absl/strings/ascii.h"
#include "common/base/characters.h"
#include "common/base/spreadsheet_text.h"
#include "common/rpc/validation_formats.h"
#include "processing_service/bag_rows.h"

namespace mtp::processing {
namespace {

using Column = StockColumn;

// As BagReceipt has it.
constexpr size_t kTextLimit = 100;

v1::BadRowReason ReasonOf(CellFault fault) {
  switch (fault) {
    case CellFault::kNotANumber:
      return v1::BAD_ROW_REASON_NOT_A_NUMBER;
    case CellFault::kOutOfRange:
      return v1::BAD_ROW_REASON_OUT_OF_RANGE;
    case CellFault::kTooPrecise:
      return v1::BAD_ROW_REASON_TOO_PRECISE;
    case CellFault::kNotADate:
      return v1::BAD_ROW_REASON_NOT_A_DATE;
    case CellFault::kNoSuchDate:
      return v1::BAD_ROW_REASON_NO_SUCH_DATE;
    case CellFault::kNone:
      break;
  }
  return v1::BAD_ROW_REASON_UNSPECIFIED;
}

std::string_view SentenceOf(Column column, v1::BadRowReason reason) {
  switch (reason) {
    case v1::BAD_ROW_REASON_EMPTY:
      return "must not be empty";
    case v1::BAD_ROW_REASON_TOO_PRECISE:
      return "more than three decimals: weights are whole grams";
    case v1::BAD_ROW_REASON_NOT_A_DATE:
      return "not a date such as 2026-11-08, 08/11/2026 (day first), "
             "08-Nov-2026 or 8 Nov 2026";
    case v1::BAD_ROW_REASON_NO_SUCH_DATE:
      return "no calendar has this date";
    case v1::BAD_ROW_REASON_NOT_A_NUMBER:
      return column == Column::kGross || column == Column::kTare
                 ? "not kilograms such as 1,040.250"
                 : "not a whole number such as 12";
    case v1::BAD_ROW_REASON_OUT_OF_RANGE:
      if (column == Column::kGross) return "not above 0 and up to 10,000 kg";
      if (column == Column::kTare) return "not 0 to 10,000 kg";
      if (column == Column::kReceived) return "dates begin with the year 1900";
      return "numbers begin with 1 and have at most 15 digits";
    default:
      return "";
  }
}

// A lone dash is how spreadsheets write nothing.
std::string_view Filled(const std::string& text) {
  const std::string_view cell = Trimmed(text);
  return cell == "-" ? std::string_view() : cell;
}

bool HasFormat(options::v1::Format format, std::string_view text) {
  return rpc::FormatViolation(format, text) == nullptr;
}

class Reader {
 public:
  Reader(const v1::OpeningStockRow& row, absl::CivilDay today)
      : row_(row), today_(today) {
    cells_.row = &row;
  }

  StockCells Read() {
    ReadKind();
    ReadCode();
    ReadBatchNumber();
    ReadBarcode();
    ReadLocation();
    ReadWeights();
    ReadBagNumber();
    ReadReference();
    ReadReceived();
    return std::move(cells_);
  }

 private:
  void Tell(Column column, v1::BadRowReason reason,
            std::string_view message = "") {
    if (message.empty()) message = SentenceOf(column, reason);
    cells_.complaints.push_back({column, reason, message});
  }

  void ReadKind() {
    const std::string text =
        absl::AsciiStrToLower(std::string(Trimmed(row_.kind())));
    if (text.empty()) return Tell(Column::kKind, v1::BAD_ROW_REASON_EMPTY);
    for (const MaterialKind kind :
         {v1::MATERIAL_KIND_TEALINE, v1::MATERIAL_KIND_HERBLINE,
          v1::MATERIAL_KIND_BLENDBALANCE, v1::MATERIAL_KIND_BLENDSHEET,
          v1::MATERIAL_KIND_FLAVORSHEET}) {
      if (text == db::EnumText(kind)) cells_.kind = kind;
    }
    if (cells_.kind == v1::MATERIAL_KIND_UNSPECIFIED) {
      Tell(Column::kKind, v1::BAD_ROW_REASON_MALFORMED,
           "not tealine, herbline, blendbalance, blendsheet or flavorsheet");
    }
  }

  void ReadCode() {
    constexpr size_t kCodeLimit = 64;  // FORMAT_CODE's
    const std::string_view text = Trimmed(row_.code());
    if (text.empty()) {
      Tell(Column::kCode, v1::BAD_ROW_REASON_EMPTY);
    } else if (CountCharacters(text) > kCodeLimit) {
      Tell(Column::kCode, v1::BAD_ROW_REASON_TOO_LONG,
           "longer than 64 characters");
    } else if (!HasFormat(options::v1::FORMAT_CODE, text)) {
      Tell(Column::kCode, v1::BAD_ROW_REASON_MALFORMED,
           "a code is made of A-Z a-z 0-9 and . _ / - and begins with a letter "
           "or a digit");
    } else {
      cells_.code = text;
    }
  }

  // 0 when it is none.
  int64_t ReadNumber(Column column, std::string_view text) {
    const Reading<int64_t> number = ReadWhole(text);
    if (number.ok() && *number.value > 0) return *number.value;
    Tell(column, number.ok() ? v1::BAD_ROW_REASON_OUT_OF_RANGE
                             : ReasonOf(number.fault));
    return 0;
  }

  void ReadBatchNumber() {
    const std::string_view text = Filled(row_.batch_number());
    if (cells_.of_batch()) {
      if (text.empty()) {
        return Tell(Column::kBatchNumber, v1::BAD_ROW_REASON_EMPTY,
                    "must say which batch of the recipe it is");
      }
      cells_.batch_number = ReadNumber(Column::kBatchNumber, text);
    } else if (!text.empty() && cells_.kind != v1::MATERIAL_KIND_UNSPECIFIED) {
      Tell(Column::kBatchNumber, v1::BAD_ROW_REASON_MALFORMED,
           "only blendsheets and flavorsheets have batches");
    }
  }

  void ReadBarcode() {
    const std::string_view text = Trimmed(row_.barcode());
    if (text.empty()) return Tell(Column::kBarcode, v1::BAD_ROW_REASON_EMPTY);
    if (!HasFormat(options::v1::FORMAT_BARCODE, text)) {
      return Tell(Column::kBarcode, v1::BAD_ROW_REASON_MALFORMED,
                  "not a UUID, with or without its kind and a colon before it");
    }
    const Barcode barcode = ParseBarcode(text);
    if (cells_.kind != v1::MATERIAL_KIND_UNSPECIFIED &&
        !barcode.Fits(cells_.kind)) {
      return Tell(Column::kBarcode, v1::BAD_ROW_REASON_MALFORMED,
                  "the label is of another kind than the row");
    }
    cells_.barcode = barcode.uuid;
  }

  // A line of up to a hundred characters.
  bool IsLine(Column column, std::string_view text) {
    if (CountCharacters(text) > kTextLimit) {
      Tell(column, v1::BAD_ROW_REASON_TOO_LONG, "longer than 100 characters");
      return false;
    }
    if (!HasFormat(options::v1::FORMAT_LINE, text)) {
      Tell(column, v1::BAD_ROW_REASON_MALFORMED, "control characters in it");
      return false;
    }
    return true;
  }

  void ReadLocation() {
    const std::string_view text = Trimmed(row_.location());
    if (text.empty()) return Tell(Column::kLocation, v1::BAD_ROW_REASON_EMPTY);
    if (IsLine(Column::kLocation, text)) cells_.location = text;
  }

  // Nothing when it is no weight of a bag.
  std::optional<int64_t> ReadWeight(Column column, std::string_view text,
                                    int64_t least) {
    const Reading<int64_t> grams = ReadKilograms(text);
    if (grams.ok() && *grams.value >= least && *grams.value <= kMaxBagGrams) {
      return grams.value;
    }
    Tell(column,
         grams.ok() ? v1::BAD_ROW_REASON_OUT_OF_RANGE : ReasonOf(grams.fault));
    return std::nullopt;
  }

  void ReadWeights() {
    const std::string_view gross_text = Trimmed(row_.gross());
    std::optional<int64_t> gross;
    if (gross_text.empty()) {
      Tell(Column::kGross, v1::BAD_ROW_REASON_EMPTY);
    } else {
      gross = ReadWeight(Column::kGross, gross_text, 1);
    }
    const std::string_view tare_text = Filled(row_.tare());
    const std::optional<int64_t> tare =
        tare_text.empty() ? 0 : ReadWeight(Column::kTare, tare_text, 0);
    if (!gross.has_value() || !tare.has_value()) return;
    if (*gross <= *tare) {
      return Tell(Column::kGross, v1::BAD_ROW_REASON_OUT_OF_RANGE,
                  "not above the tare");
    }
    cells_.gross_grams = *gross;
    cells_.tare_grams = *tare;
    cells_.weighed = true;
  }

  void ReadBagNumber() {
    const std::string_view text = Filled(row_.bag_number());
    if (!text.empty()) {
      cells_.bag_number = ReadNumber(Column::kBagNumber, text);
    }
  }

  void ReadReference() {
    const std::string_view text = Filled(row_.reference());
    if (text.empty()) return;
    if (cells_.kind != v1::MATERIAL_KIND_UNSPECIFIED &&
        cells_.kind != v1::MATERIAL_KIND_HERBLINE) {
      return Tell(Column::kReference, v1::BAD_ROW_REASON_MALFORMED,
                  "only herbs have a reference");
    }
    if (IsLine(Column::kReference, text)) cells_.reference = text;
  }

  void ReadReceived() {
    const std::string_view text = Filled(row_.received());
    if (text.empty()) return;
    const Reading<absl::CivilDay> day = ReadDate(text);
    if (!day.ok()) return Tell(Column::kReceived, ReasonOf(day.fault));
    if (*day.value > today_) {
      return Tell(Column::kReceived, v1::BAD_ROW_REASON_OUT_OF_RANGE,
                  "this day is still to come");
    }
    cells_.received = day.value;
  }

  const v1::OpeningStockRow& row_;
  const absl::CivilDay today_;
  StockCells cells_;
};

}  // namespace

std::string_view NameOf(Column column) {
  switch (column) {
    case Column::kLineNumber:
      return "line_number";
    case Column::kKind:
      return "kind";
    case Column::kCode:
      return "code";
    case Column::kBatchNumber:
      return "batch_number";
    case Column::kBarcode:
      return "barcode";
    case Column::kLocation:
      return "location";
    case Column::kGross:
      return "gross";
    case Column::kTare:
      return "tare";
    case Column::kBagNumber:
      return "bag_number";
    case Column::kReference:
      return "reference";
    case Column::kReceived:
      return "received";
  }
  return "";
}

std::string TextOf(const v1::OpeningStockRow& row, Column column) {
  switch (column) {
    case Column::kLineNumber:
      return std::to_string(row.line_number());
    case Column::kKind:
      return row.kind();
    case Column::kCode:
      return row.code();
    case Column::kBatchNumber:
      return row.batch_number();
    case Column::kBarcode:
      return row.barcode();
    case Column::kLocation:
      return row.location();
    case Column::kGross:
      return row.gross();
    case Column::kTare:
      return row.tare();
    case Column::kBagNumber:
      return row.bag_number();
    case Column::kReference:
      return row.reference();
    case Column::kReceived:
      return row.received();
  }
  return "";
}

std::optional<BatchNumber> StockCells::Source() const {
  if (kind == v1::MATERIAL_KIND_UNSPECIFIED || code.empty() ||
      (of_batch() && batch_number == 0)) {
    return std::nullopt;
  }
  return BatchNumber{kind, std::string(code), batch_number};
}

StockCells ReadCells(const v1::OpeningStockRow& row, absl::CivilDay today) {
  return Reader(row, today).Read();
}

}  // namespace mtp::processing
