#include "order_service/request_file.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/characters.h"
#include "common/base/spreadsheet_text.h"
#include "common/base/weights.h"
#include "common/rpc/validation_formats.h"
#include "order_service/file_cells.h"

namespace mtp::order {
namespace {

// What the contract's FORMAT_CODE, names of products and comments hold.
constexpr size_t kCodeLimit = 64;
constexpr size_t kLineLimit = 200;
constexpr size_t kCommentsLimit = 1000;
// Of a bad value so much is told.
constexpr size_t kToldLimit = 200;
// All that is asked of one plan; far from what a sum can hold.
constexpr int64_t kPlanLimitGrams = 1'000'000'000'000'000;

// In the order of the file.
enum Column {
  kLineNumber,
  kReference,
  kOrderCode,
  kProductName,
  kItemCode,
  kQuantity,
  kRequestedOn,
  kSpecial,
  kComments,
};

constexpr const char* kNames[] = {"line_number",  "reference", "order_code",
                                  "product_name", "item_code", "quantity",
                                  "requested_on", "special",   "comments"};

std::string TextOf(const v1::OpenRequestRow& row, Column column) {
  switch (column) {
    case kLineNumber:
      return std::to_string(row.line_number());
    case kReference:
      return row.reference();
    case kOrderCode:
      return row.order_code();
    case kProductName:
      return row.product_name();
    case kItemCode:
      return row.item_code();
    case kQuantity:
      return row.quantity();
    case kRequestedOn:
      return row.requested_on();
    case kSpecial:
      return row.special();
    case kComments:
      return row.comments();
  }
  return "";
}

struct Complaint {
  Column column = kLineNumber;
  v1::BadRowReason reason = v1::BAD_ROW_REASON_UNSPECIFIED;
  std::string message;
};

// What a row says where it could be read; empty or 0 where it could not, or
// says nothing. Texts are those of the row.
struct Cells {
  const v1::OpenRequestRow* row = nullptr;
  std::string_view reference;
  std::string_view order_code;
  std::string_view product_name;
  std::string_view item_code;
  std::string_view comments;
  int64_t grams = 0;
  std::optional<absl::CivilDay> requested_on;
  bool special = false;
  std::vector<Complaint> complaints;

  int64_t line() const { return row->line_number(); }
  bool ComplainedOf(Column column) const {
    return std::any_of(
        complaints.begin(), complaints.end(),
        [column](const Complaint& c) { return c.column == column; });
  }
};

// Reads the cells of one row, each by itself.
class Reader {
 public:
  Reader(const v1::OpenRequestRow& row, absl::CivilDay today) {
    cells_.row = &row;
    cells_.reference =
        Text(kReference, row.reference(), options::v1::FORMAT_LINE, kLineLimit);
    cells_.order_code = Text(kOrderCode, row.order_code(),
                             options::v1::FORMAT_CODE, kCodeLimit);
    for (const auto& [column, text] :
         {std::pair(kReference, cells_.reference),
          std::pair(kOrderCode, cells_.order_code)}) {
      if (text.empty() && !cells_.ComplainedOf(column))
        Complain(column, v1::BAD_ROW_REASON_EMPTY,
                 absl::StrCat(kNames[column], " is empty"));
    }
    cells_.product_name = Text(kProductName, row.product_name(),
                               options::v1::FORMAT_LINE, kLineLimit);
    cells_.item_code =
        Text(kItemCode, row.item_code(), options::v1::FORMAT_CODE, kCodeLimit);
    ReadQuantity(row.quantity());
    ReadDay(row.requested_on(), today);
    ReadSpecial(row.special());
    cells_.comments = Text(kComments, row.comments(), options::v1::FORMAT_TEXT,
                           kCommentsLimit);
  }

  Cells Take() { return std::move(cells_); }

 private:
  void Complain(Column column, v1::BadRowReason reason, std::string message) {
    Complaint& complaint = cells_.complaints.emplace_back();
    complaint.column = column;
    complaint.reason = reason;
    complaint.message = std::move(message);
  }

  std::string_view Text(Column column, const std::string& text,
                        options::v1::Format format, size_t limit) {
    const std::string_view cell = Trimmed(text);
    if (cell.empty()) return cell;
    if (CountCharacters(cell) > limit) {
      Complain(column, v1::BAD_ROW_REASON_TOO_LONG,
               absl::StrCat("longer than ", limit, " characters"));
      return {};
    }
    if (const char* wrong = rpc::FormatViolation(format, cell);
        wrong != nullptr) {
      Complain(column, v1::BAD_ROW_REASON_MALFORMED, wrong);
      return {};
    }
    return cell;
  }

  void ReadQuantity(const std::string& text) {
    if (Trimmed(text).empty()) {
      Complain(kQuantity, v1::BAD_ROW_REASON_EMPTY, "quantity is empty");
      return;
    }
    const Reading<int64_t> reading = ReadKilograms(text);
    if (!reading.ok() || *reading.value == 0) {
      const CellFault fault =
          reading.ok() ? CellFault::kOutOfRange : reading.fault;
      Complain(kQuantity, ReasonOf(fault), WeightFault(fault));
      return;
    }
    cells_.grams = *reading.value;
  }

  // A lone dash is how spreadsheets write nothing.
  void ReadDay(const std::string& text, absl::CivilDay today) {
    const std::string_view cell = Trimmed(text);
    if (cell.empty() || cell == "-") return;
    const Reading<absl::CivilDay> reading = ReadDate(cell);
    if (!reading.ok()) {
      Complain(kRequestedOn, ReasonOf(reading.fault), DateFault(reading.fault));
    } else if (*reading.value > today) {
      Complain(kRequestedOn, v1::BAD_ROW_REASON_OUT_OF_RANGE,
               "nothing was asked for in the future");
    } else {
      cells_.requested_on = reading.value;
    }
  }

  void ReadSpecial(const std::string& text) {
    const std::string cell(Trimmed(text));
    const auto is_one_of = [&cell](std::initializer_list<const char*> words) {
      return std::any_of(words.begin(), words.end(), [&](const char* word) {
        return absl::EqualsIgnoreCase(cell, word);
      });
    };
    if (is_one_of({"yes", "true", "1"})) {
      cells_.special = true;
    } else if (!is_one_of({"no", "false", "0", ""})) {
      Complain(kSpecial, v1::BAD_ROW_REASON_MALFORMED,
               "yes, true or 1 for a special request, no, false, 0 or empty "
               "for an ordinary one");
    }
  }

  Cells cells_;
};

std::string DayText(absl::CivilDay day) { return absl::FormatCivilTime(day); }

class Judge {
 public:
  Judge(const OpenRequestRows& file, const Rows& book, absl::CivilDay today)
      : book_(book), today_(today) {
    read_.reserve(static_cast<size_t>(file.size()));
    for (const v1::OpenRequestRow& row : file)
      read_.push_back(Reader(row, today).Take());
    std::stable_sort(
        read_.begin(), read_.end(),
        [](const Cells& a, const Cells& b) { return a.line() < b.line(); });
  }

  RequestFile Run() {
    file_.fresh.reserve(read_.size());
    for (Cells& cells : read_) {
      JudgeLine(cells);
      JudgeReference(cells);
      const TakenOver* before =
          cells.reference.empty()
              ? nullptr
              : book_.taken_over.Find(std::string(cells.reference));
      if (before != nullptr) {
        Compare(cells, *before);
        ++file_.unchanged_count;
      } else {
        JudgeFresh(cells);
      }
      TellFaults(cells);
    }
    if (file_.bad_row_count > 0) {
      file_.fresh.clear();
      file_.unchanged_count = 0;
    }
    return std::move(file_);
  }

 private:
  static void Complain(Cells& cells, Column column, v1::BadRowReason reason,
                       std::string message) {
    Complaint& complaint = cells.complaints.emplace_back();
    complaint.column = column;
    complaint.reason = reason;
    complaint.message = std::move(message);
  }

  void JudgeLine(Cells& cells) {
    if (lines_.insert(cells.line()).second) return;
    Complain(cells, kLineNumber, v1::BAD_ROW_REASON_DUPLICATE,
             "another row has this line number");
  }

  void JudgeReference(Cells& cells) {
    if (cells.reference.empty()) return;
    if (const auto [first, is_first] =
            references_.try_emplace(cells.reference, cells.line());
        !is_first) {
      Complain(cells, kReference, v1::BAD_ROW_REASON_DUPLICATE,
               absl::StrCat("line ", first->second, " has this reference"));
    }
  }

  // What was taken over before must be what the row says, where it says
  // something.
  void Compare(Cells& cells, const TakenOver& before) {
    const auto differs = [&](Column column, bool same, const auto& kept) {
      if (same || cells.ComplainedOf(column)) return;
      Complain(cells, column, v1::BAD_ROW_REASON_ALREADY_EXISTS,
               absl::StrCat("taken over before with ", kept));
    };
    const auto quoted = [](const std::string& text) {
      return text.empty()
                 ? std::string("nothing")
                 : absl::StrCat("`", FirstCharacters(text, kToldLimit), "`");
    };
    differs(kOrderCode, cells.order_code == before.order_code,
            quoted(before.order_code));
    differs(
        kProductName,
        cells.product_name.empty() || cells.product_name == before.product_name,
        quoted(before.product_name));
    differs(kItemCode,
            cells.item_code.empty() || cells.item_code == before.item_code,
            quoted(before.item_code));
    differs(kQuantity, cells.grams == before.requirement_grams,
            Kilograms(before.requirement_grams));
    // A row without a day meant the day of its import, whenever that was.
    const absl::CivilDay day =
        absl::ToCivilDay(before.occurred_at, book_.settings.time_zone);
    differs(kRequestedOn,
            cells.requested_on.has_value()
                ? *cells.requested_on == day
                : before.occurred_at == before.created_at || day == today_,
            DayText(day));
    differs(kSpecial, cells.special == before.special,
            std::string(before.special ? "yes" : "no"));
    differs(kComments, cells.comments == before.comments,
            quoted(before.comments));
  }

  void JudgeFresh(Cells& cells) {
    FileRequest request{.reference = cells.reference,
                        .order_code = cells.order_code,
                        .product_name = cells.product_name,
                        .item_code = cells.item_code,
                        .comments = cells.comments,
                        .grams = cells.grams,
                        .requested_on = cells.requested_on,
                        .special = cells.special};
    if (!cells.order_code.empty()) {
      request.plan = PlanOf(cells.order_code);
      if (request.plan == nullptr) {
        NeedProduct(cells);
      } else {
        AgreeWithPlan(cells, *request.plan);
        request.product_name = request.plan->product_name;
        request.item_code = request.plan->item_code;
        if (!request.special) CountAgainst(cells, *request.plan);
      }
    }
    file_.fresh.push_back(request);
  }

  // The rows of a file often stand order by order.
  const Plan* PlanOf(std::string_view order_code) {
    if (order_code != last_order_code_) {
      last_order_code_ = order_code;
      last_plan_ = book_.plans.Find(std::string(order_code));
    }
    return last_plan_;
  }

  static void NeedProduct(Cells& cells) {
    for (const auto& [column, text] :
         {std::pair(kProductName, cells.product_name),
          std::pair(kItemCode, cells.item_code)}) {
      if (!text.empty() || cells.ComplainedOf(column)) continue;
      Complain(cells, column, v1::BAD_ROW_REASON_EMPTY,
               absl::StrCat(kNames[column],
                            " is empty, and no plan has the order code"));
    }
  }

  static void AgreeWithPlan(Cells& cells, const Plan& plan) {
    for (const auto& [column, text, planned] :
         {std::tuple(kProductName, cells.product_name,
                     std::string_view(plan.product_name)),
          std::tuple(kItemCode, cells.item_code,
                     std::string_view(plan.item_code))}) {
      if (text.empty() || text == planned) continue;
      Complain(cells, column, v1::BAD_ROW_REASON_DISAGREES,
               absl::StrCat("the plan of ", plan.order_code, " says ",
                            std::string(planned)));
    }
  }

  void CountAgainst(Cells& cells, const Plan& plan) {
    int64_t& asked =
        asked_of_.try_emplace(&plan, plan.requested_grams).first->second;
    if (cells.grams > kPlanLimitGrams - asked) {
      Complain(cells, kQuantity, v1::BAD_ROW_REASON_OUT_OF_RANGE,
               absl::StrCat("more than ", Kilograms(kPlanLimitGrams),
                            " would be asked of one plan"));
      return;
    }
    asked += cells.grams;
  }

  void TellFaults(Cells& cells) {
    if (cells.complaints.empty()) return;
    ++file_.bad_row_count;
    std::stable_sort(cells.complaints.begin(), cells.complaints.end(),
                     [](const Complaint& a, const Complaint& b) {
                       return a.column < b.column;
                     });
    for (Complaint& complaint : cells.complaints) {
      v1::BadRow& told = file_.faults.emplace_back();
      told.set_line_number(cells.line());
      told.set_column(kNames[complaint.column]);
      told.set_value(
          FirstCharacters(TextOf(*cells.row, complaint.column), kToldLimit));
      told.set_reason(complaint.reason);
      told.set_message(std::move(complaint.message));
    }
  }

  const Rows& book_;
  const absl::CivilDay today_;
  std::vector<Cells> read_;  // by line
  RequestFile file_;
  // What the rows before said; with the line that said it first.
  absl::flat_hash_set<int64_t> lines_;
  absl::flat_hash_map<std::string_view, int64_t> references_;
  absl::flat_hash_map<const Plan*, int64_t> asked_of_;
  std::string_view last_order_code_;
  const Plan* last_plan_ = nullptr;
};

}  // namespace

void WantRequestFile(const OpenRequestRows& file, bool validate_only,
                     Rows& rows) {
  absl::flat_hash_set<std::string_view> order_codes;
  absl::flat_hash_set<std::string_view> references;
  bool complaints = false;
  for (const v1::OpenRequestRow& row : file) {
    // Days to come are no concern of the load.
    const Cells cells = Reader(row, absl::CivilDay::max()).Take();
    complaints = complaints || !cells.complaints.empty();
    if (!cells.order_code.empty() &&
        order_codes.insert(cells.order_code).second) {
      rows.plans.Want(std::string(cells.order_code));
    }
    if (!cells.reference.empty() && references.insert(cells.reference).second) {
      rows.taken_over.Want(std::string(cells.reference));
    }
  }
  if (complaints || validate_only) return;
  rows.open_requests.Want({references.begin(), references.end()});
}

RequestFile JudgeRequestFile(const OpenRequestRows& file, const Rows& rows,
                             absl::CivilDay today) {
  return Judge(file, rows, today).Run();
}

}  // namespace mtp::order
