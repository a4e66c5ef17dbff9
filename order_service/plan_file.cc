#include "order_service/plan_file.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/characters.h"
#include "common/base/spreadsheet_text.h"
#include "order_service/file_cells.h"

namespace mtp::order {
namespace {

// What the contract's FORMAT_CODE and names of products hold.
constexpr size_t kCodeLimit = 64;
constexpr size_t kNameLimit = 200;
// Of what is kept as it came.
constexpr size_t kTextLimit = 1000;
// Of a bad value so much is told.
constexpr size_t kToldLimit = 200;

// In the order of the file.
enum Column {
  kLineNumber,
  kLotCode,
  kOrderCode,
  kItemCode,
  kProductionDate,
  kStock,
  kRequirement,
  kLocation,
  kProductCode,
  kProductName,
  kItemName,
  kSubLocation,
  kPlanStart,
  kPlanEnd,
};

std::string_view NameOf(Column column) {
  switch (column) {
    case kLineNumber:
      return "line_number";
    case kLotCode:
      return "lot_code";
    case kOrderCode:
      return "order_code";
    case kItemCode:
      return "item_code";
    case kProductionDate:
      return "production_date";
    case kStock:
      return "stock";
    case kRequirement:
      return "requirement";
    case kLocation:
      return "location";
    case kProductCode:
      return "product_code";
    case kProductName:
      return "product_name";
    case kItemName:
      return "item_name";
    case kSubLocation:
      return "sub_location";
    case kPlanStart:
      return "plan_start";
    case kPlanEnd:
      return "plan_end";
  }
  return "";
}

std::string TextOf(const v1::PlanRow& row, Column column) {
  switch (column) {
    case kLineNumber:
      return std::to_string(row.line_number());
    case kLotCode:
      return row.lot_code();
    case kOrderCode:
      return row.order_code();
    case kItemCode:
      return row.item_code();
    case kProductionDate:
      return row.production_date();
    case kStock:
      return row.stock();
    case kRequirement:
      return row.requirement();
    case kLocation:
      return row.location();
    case kProductCode:
      return row.product_code();
    case kProductName:
      return row.product_name();
    case kItemName:
      return row.item_name();
    case kSubLocation:
      return row.sub_location();
    case kPlanStart:
      return row.plan_start();
    case kPlanEnd:
      return row.plan_end();
  }
  return "";
}

bool IsCode(std::string_view text) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '/' ||
           c == '-';
  };
  return absl::ascii_isalnum(text.front()) &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), absl::ascii_iscntrl);
}

// Characters of a text that is kept.
size_t LimitOf(Column column) {
  switch (column) {
    case kOrderCode:
    case kItemCode:
      return kCodeLimit;
    case kProductName:
      return kNameLimit;
    default:
      return kTextLimit;
  }
}

std::string Sentence(v1::BadRowReason reason, Column column) {
  switch (reason) {
    case v1::BAD_ROW_REASON_EMPTY:
      return absl::StrCat(std::string(NameOf(column)), " is empty");
    case v1::BAD_ROW_REASON_TOO_LONG:
      return absl::StrCat("longer than ", LimitOf(column), " characters");
    case v1::BAD_ROW_REASON_MALFORMED:
      return column == kProductName ? "control characters in it"
                                    : "a code is made of A-Z a-z 0-9 and . _ / "
                                      "- and begins with a "
                                      "letter or a digit";
    case v1::BAD_ROW_REASON_NOT_A_NUMBER:
      return column == kStock ? "not a whole number such as 38,456"
                              : WeightFault(CellFault::kNotANumber);
    case v1::BAD_ROW_REASON_OUT_OF_RANGE:
      if (column == kRequirement) return WeightFault(CellFault::kOutOfRange);
      return column == kStock
                 ? "a stock is not below 0 and has at most 15 digits"
                 : DateFault(CellFault::kOutOfRange);
    case v1::BAD_ROW_REASON_TOO_PRECISE:
      return WeightFault(CellFault::kTooPrecise);
    case v1::BAD_ROW_REASON_NOT_A_DATE:
      return DateFault(CellFault::kNotADate);
    case v1::BAD_ROW_REASON_NO_SUCH_DATE:
      return DateFault(CellFault::kNoSuchDate);
    case v1::BAD_ROW_REASON_ENDS_BEFORE_START:
      return "the plan ends before it starts";
    default:
      return "";
  }
}

// What a row says where it could be read. Texts are those of the message.
struct ReadRow {
  const v1::PlanRow* row = nullptr;
  std::string_view order_code;  // empty when it is none
  std::optional<std::string_view> item_code;
  std::optional<std::string_view> product_code;
  std::optional<std::string_view> product_name;
  std::optional<int64_t> requirement_grams;
  std::optional<absl::CivilDay> plan_start;
  std::optional<absl::CivilDay> plan_end;

  int64_t line() const { return row->line_number(); }
};

class Judge {
 public:
  explicit Judge(const PlanRows& rows) : rows_(rows) {}

  PlanFile Run() {
    read_.reserve(rows_.size());
    for (const v1::PlanRow& row : rows_) read_.push_back(Read(row));
    FindRepeatedLines();
    GatherOrders();
    for (const auto& [order_code, rows] : orders_) JudgeOrder(rows);
    return Outcome();
  }

 private:
  struct Fault {
    const v1::PlanRow* row;
    Column column;
    v1::BadRowReason reason;
    std::string message;
  };
  using Order = std::vector<const ReadRow*>;  // by line

  void Tell(const v1::PlanRow& row, Column column, v1::BadRowReason reason,
            std::string message = "") {
    if (message.empty()) message = Sentence(reason, column);
    faults_.push_back({&row, column, reason, std::move(message)});
  }

  // --- each row by itself

  std::optional<std::string_view> ReadCode(const v1::PlanRow& row,
                                           Column column,
                                           const std::string& text) {
    const std::string_view code = Trimmed(text);
    if (code.empty()) {
      Tell(row, column, v1::BAD_ROW_REASON_EMPTY);
    } else if (CountCharacters(code) > LimitOf(column)) {
      Tell(row, column, v1::BAD_ROW_REASON_TOO_LONG);
    } else if (!IsCode(code)) {
      Tell(row, column, v1::BAD_ROW_REASON_MALFORMED);
    } else {
      return code;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> ReadName(const v1::PlanRow& row) {
    const std::string_view name = Trimmed(row.product_name());
    if (name.empty()) {
      Tell(row, kProductName, v1::BAD_ROW_REASON_EMPTY);
    } else if (CountCharacters(name) > LimitOf(kProductName)) {
      Tell(row, kProductName, v1::BAD_ROW_REASON_TOO_LONG);
    } else if (HasControlCharacter(name)) {
      Tell(row, kProductName, v1::BAD_ROW_REASON_MALFORMED);
    } else {
      return name;
    }
    return std::nullopt;
  }

  template <typename T>
  std::optional<T> Take(const v1::PlanRow& row, Column column,
                        const std::string& text,
                        Reading<T> (*read)(std::string_view)) {
    if (Trimmed(text).empty()) {
      Tell(row, column, v1::BAD_ROW_REASON_EMPTY);
      return std::nullopt;
    }
    const Reading<T> reading = read(text);
    if (!reading.ok()) Tell(row, column, ReasonOf(reading.fault));
    return reading.value;
  }

  // For columns that need not be filled; a lone dash is how spreadsheets write
  // nothing.
  template <typename T>
  void CheckOptional(const v1::PlanRow& row, Column column,
                     const std::string& text,
                     Reading<T> (*read)(std::string_view)) {
    const std::string_view cell = Trimmed(text);
    if (!cell.empty() && cell != "-") Take(row, column, text, read);
  }

  ReadRow Read(const v1::PlanRow& row) {
    ReadRow read{.row = &row};
    read.order_code = ReadCode(row, kOrderCode, row.order_code()).value_or("");
    read.item_code = ReadCode(row, kItemCode, row.item_code());
    CheckOptional(row, kProductionDate, row.production_date(), ReadDate);
    CheckOptional(row, kStock, row.stock(), ReadWhole);
    read.requirement_grams =
        Take(row, kRequirement, row.requirement(), ReadKilograms);
    if (read.requirement_grams == 0) {
      Tell(row, kRequirement, v1::BAD_ROW_REASON_OUT_OF_RANGE);
      read.requirement_grams.reset();
    }
    for (const Column column :
         {kLotCode, kLocation, kProductCode, kItemName, kSubLocation}) {
      if (CountCharacters(TextOf(row, column)) > LimitOf(column)) {
        Tell(row, column, v1::BAD_ROW_REASON_TOO_LONG);
      }
    }
    if (const std::string_view code = Trimmed(row.product_code());
        !code.empty() && code != "-") {
      read.product_code = code;
    }
    read.product_name = ReadName(row);
    read.plan_start = Take(row, kPlanStart, row.plan_start(), ReadDate);
    read.plan_end = Take(row, kPlanEnd, row.plan_end(), ReadDate);
    if (read.plan_start.has_value() && read.plan_end.has_value() &&
        *read.plan_end < *read.plan_start) {
      Tell(row, kPlanEnd, v1::BAD_ROW_REASON_ENDS_BEFORE_START);
    }
    return read;
  }

  void FindRepeatedLines() {
    absl::flat_hash_map<int64_t, int> seen;
    for (const v1::PlanRow& row : rows_) {
      if (++seen[row.line_number()] > 1) {
        Tell(row, kLineNumber, v1::BAD_ROW_REASON_DUPLICATE,
             "another row has this line number");
      }
    }
  }

  // --- the rows of an order together

  void GatherOrders() {
    for (const ReadRow& read : read_) {
      if (!read.order_code.empty()) orders_[read.order_code].push_back(&read);
    }
    for (auto& [order_code, rows] : orders_) {
      std::stable_sort(rows.begin(), rows.end(),
                       [](const ReadRow* a, const ReadRow* b) {
                         return a->line() < b->line();
                       });
    }
  }

  void JudgeOrder(const Order& rows) {
    Agree(rows, kRequirement, &ReadRow::requirement_grams);
    Agree(rows, kProductCode, &ReadRow::product_code);
    Agree(rows, kProductName, &ReadRow::product_name);
    Agree(rows, kPlanStart, &ReadRow::plan_start);
    Agree(rows, kPlanEnd, &ReadRow::plan_end);
    const Stem stem = FindStem(rows);
    for (const ReadRow* read : rows) {
      if (read->item_code.has_value() && !Fits(*read->item_code, stem.code)) {
        Tell(*read->row, kItemCode, v1::BAD_ROW_REASON_OTHER_STEM,
             absl::StrCat("the item codes of ",
                          std::string(rows.front()->order_code), " are ",
                          std::string(stem.code),
                          " with or without -NN, as in line ", stem.line));
      }
    }
  }

  // What most rows say, of several the one that is said first, is what the
  // others should have said.
  template <typename T>
  void Agree(const Order& rows, Column column,
             std::optional<T> ReadRow::*member) {
    struct Said {
      int64_t count = 0;
      const ReadRow* first = nullptr;
    };
    std::map<T, Said> said;
    for (const ReadRow* read : rows) {
      if (!(read->*member).has_value()) continue;
      Said& same = said[*(read->*member)];
      ++same.count;
      if (same.first == nullptr) same.first = read;
    }
    if (said.size() < 2) return;
    const Said* most = nullptr;
    for (const auto& [value, same] : said) {
      if (most == nullptr || same.count > most->count ||
          (same.count == most->count &&
           same.first->line() < most->first->line())) {
        most = &same;
      }
    }
    const std::string message = absl::StrCat(
        "line ", most->first->line(), " of ",
        std::string(rows.front()->order_code), " says ",
        FirstCharacters(TextOf(*most->first->row, column), kToldLimit));
    for (const ReadRow* read : rows) {
      if ((read->*member).has_value() &&
          read->*member != most->first->*member) {
        Tell(*read->row, column, v1::BAD_ROW_REASON_DISAGREES, message);
      }
    }
  }

  struct Stem {
    std::string_view code;
    int64_t count = 0;
    int64_t line = 0;
  };

  static bool Fits(std::string_view item_code, std::string_view stem) {
    return item_code == stem || StemOf(item_code) == stem;
  }

  // The stem that most rows fit. A blend's code may itself end like a suffix;
  // the rows that carry it with one more tell.
  static Stem FindStem(const Order& rows) {
    std::map<std::string_view, Stem> stems;
    const auto count = [&](std::string_view code, int64_t line) {
      Stem& stem = stems.try_emplace(code, Stem{code, 0, line}).first->second;
      ++stem.count;
    };
    for (const ReadRow* read : rows) {
      if (!read->item_code.has_value()) continue;
      count(*read->item_code, read->line());
      if (const std::string_view stem = StemOf(*read->item_code);
          stem != *read->item_code) {
        count(stem, read->line());
      }
    }
    const auto rank = [](const Stem& stem) {
      return std::tuple(-stem.count, stem.line, stem.code.size());
    };
    Stem best;
    for (const auto& [code, stem] : stems) {
      if (best.count == 0 || rank(stem) < rank(best)) best = stem;
    }
    return best;
  }

  // --- the outcome

  PlanFile Outcome() {
    PlanFile file;
    file.plan_count = CountOrders();
    if (faults_.empty()) {
      for (const auto& [order_code, rows] : orders_) {
        const ReadRow& first = *rows.front();
        file.plans.push_back({.order_code = std::string(order_code),
                              .item_code = std::string(FindStem(rows).code),
                              .product_name = std::string(*first.product_name),
                              .requirement_grams = *first.requirement_grams,
                              .plan_start = *first.plan_start,
                              .plan_end = *first.plan_end,
                              .line = first.line()});
      }
      return file;
    }
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const Fault& a, const Fault& b) {
                       return std::pair(a.row->line_number(), a.column) <
                              std::pair(b.row->line_number(), b.column);
                     });
    std::set<const v1::PlanRow*> bad_rows;
    file.faults.reserve(faults_.size());
    for (Fault& fault : faults_) {
      bad_rows.insert(fault.row);
      FileFault& out = file.faults.emplace_back();
      out.order_code = std::string(Trimmed(fault.row->order_code()));
      out.told.set_line_number(fault.row->line_number());
      out.told.set_column(std::string(NameOf(fault.column)));
      out.told.set_value(
          FirstCharacters(TextOf(*fault.row, fault.column), kToldLimit));
      out.told.set_reason(fault.reason);
      out.told.set_message(std::move(fault.message));
    }
    file.bad_row_count = static_cast<int64_t>(bad_rows.size());
    return file;
  }

  int64_t CountOrders() const {
    std::set<std::string_view> order_codes;
    for (const v1::PlanRow& row : rows_) {
      if (const auto code = Trimmed(row.order_code()); !code.empty()) {
        order_codes.insert(code);
      }
    }
    return static_cast<int64_t>(order_codes.size());
  }

  const PlanRows& rows_;
  std::vector<ReadRow> read_;
  std::map<std::string_view, Order> orders_;
  std::vector<Fault> faults_;
};

}  // namespace

std::string_view StemOf(std::string_view item_code) {
  const size_t size = item_code.size();
  if (size > 3 && item_code[size - 3] == '-' &&
      absl::ascii_isdigit(item_code[size - 2]) &&
      absl::ascii_isdigit(item_code[size - 1])) {
    return item_code.substr(0, size - 3);
  }
  return item_code;
}

PlanFile JudgePlanFile(const PlanRows& rows) { return Judge(rows).Run(); }

}  // namespace mtp::order
