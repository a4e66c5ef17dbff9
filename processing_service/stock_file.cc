#include "processing_service/stock_file.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/characters.h"
#include "common/base/weights.h"
#include "processing_service/placing.h"
#include "processing_service/stock_cells.h"

namespace mtp::processing {
namespace {

using Column = StockColumn;

// Of a bad value so much is told.
constexpr size_t kToldLimit = 200;

class Judge {
 public:
  Judge(const StockRows& file, const Rows& book, absl::CivilDay today)
      : book_(book) {
    IndexBook();
    read_.reserve(static_cast<size_t>(file.size()));
    for (const v1::OpeningStockRow& row : file) {
      read_.push_back(ReadCells(row, today));
    }
    std::stable_sort(read_.begin(), read_.end(),
                     [](const StockCells& a, const StockCells& b) {
                       return a.line() < b.line();
                     });
  }

  StockFile Run() {
    for (const StockCells& cells : read_) {
      for (const CellComplaint& complaint : cells.complaints) {
        Tell(cells, complaint.column, complaint.reason,
             std::string(complaint.message));
      }
      JudgeLine(cells);
      JudgeBarcode(cells);
      const Location* place = JudgePlace(cells);
      const Source source = FindSource(cells);
      if (source.item != nullptr) JudgeRoom(cells, *source.item);
      JudgeBagNumber(cells, source);
      bags_.push_back(Bag(cells, source, place));
    }
    return Outcome();
  }

 private:
  // At most one of the two.
  struct Source {
    const Item* item = nullptr;
    const Batch* batch = nullptr;

    bool found() const { return item != nullptr || batch != nullptr; }
    const void* id() const {
      return item != nullptr ? static_cast<const void*>(item) : batch;
    }
    int64_t last_bag_number() const {
      return item != nullptr ? item->last_bag_number : batch->last_bag_number;
    }
  };
  struct Fault {
    const StockCells* cells;
    Column column;
    v1::BadRowReason reason;
    std::string message;
  };

  // Names are looked up once for each row: by hash, not by search.
  void IndexBook() {
    for (const Item* item : book_.items.All()) {
      const Item*& newest = items_[{item->kind, item->item_code}];
      if (newest == nullptr || newest->created_at < item->created_at) {
        newest = item;
      }
    }
    for (const Batch* batch : book_.batches.All()) {
      batches_[{batch->kind, batch->recipe_number, batch->batch_number}] =
          batch;
    }
    for (const Recipe* recipe : book_.recipes.All()) {
      recipes_.insert({recipe->kind, recipe->number});
    }
    for (const Location* place : book_.locations.All()) {
      places_[place->name] = place;
    }
  }

  void Tell(const StockCells& cells, Column column, v1::BadRowReason reason,
            std::string message) {
    faults_.push_back({&cells, column, reason, std::move(message)});
  }

  void JudgeLine(const StockCells& cells) {
    if (lines_.insert(cells.line()).second) return;
    Tell(cells, Column::kLineNumber, v1::BAD_ROW_REASON_DUPLICATE,
         "another row has this line number");
  }

  void JudgeBarcode(const StockCells& cells) {
    if (cells.barcode.IsNil()) return;
    if (const auto [first, is_first] =
            barcodes_.try_emplace(cells.barcode, cells.line());
        !is_first) {
      Tell(cells, Column::kBarcode, v1::BAD_ROW_REASON_DUPLICATE,
           absl::StrCat("line ", first->second, " has this barcode"));
    }
    if (book_.taken_barcodes.Find(cells.barcode) != nullptr) {
      Tell(cells, Column::kBarcode, v1::BAD_ROW_REASON_ALREADY_EXISTS,
           "a bag of this barcode is in the book");
    }
  }

  const Location* JudgePlace(const StockCells& cells) {
    if (cells.location.empty()) return nullptr;
    const auto place = places_.find(cells.location);
    if (place == places_.end()) {
      Tell(cells, Column::kLocation, v1::BAD_ROW_REASON_NOT_FOUND,
           "no location of this name");
      return nullptr;
    }
    if (cells.kind != v1::MATERIAL_KIND_UNSPECIFIED &&
        !MayLie(cells.kind, *place->second)) {
      Tell(cells, Column::kLocation, v1::BAD_ROW_REASON_HERB_SECTION_RULE,
           place->second->herb_section
               ? "is a herb section, and the bag is of no herb"
               : "is no herb section, and the bag is of a herb");
    }
    return place->second;
  }

  Source FindSource(const StockCells& cells) {
    const std::string kind(db::EnumText(cells.kind));
    if (cells.kind == v1::MATERIAL_KIND_UNSPECIFIED || cells.code.empty()) {
      return {};
    }
    const ItemCode code{cells.kind, std::string(cells.code)};
    if (!cells.of_batch()) {
      const auto item = items_.find(code);
      if (item != items_.end()) return {.item = item->second};
      Tell(cells, Column::kCode, v1::BAD_ROW_REASON_NOT_FOUND,
           absl::StrCat("no ", kind, " of this code"));
      return {};
    }
    if (!recipes_.contains(code)) {
      Tell(cells, Column::kCode, v1::BAD_ROW_REASON_NOT_FOUND,
           absl::StrCat("no ", kind, " of this number"));
      return {};
    }
    if (cells.batch_number == 0) return {};
    const auto batch = batches_.find(*cells.Source());
    if (batch != batches_.end()) return {.batch = batch->second};
    Tell(cells, Column::kBatchNumber, v1::BAD_ROW_REASON_NOT_FOUND,
         absl::StrCat("no batch of this number of ", kind, " ", code.code));
    return {};
  }

  void JudgeRoom(const StockCells& cells, const Item& item) {
    Received& received = received_[&item];
    ++received.bags;
    if (item.bag_limit.has_value() &&
        item.received_bags + received.bags > *item.bag_limit) {
      Tell(cells, Column::kCode, v1::BAD_ROW_REASON_INVOICED_BAGS_RECEIVED,
           absl::StrCat("would be bag ", item.received_bags + received.bags,
                        " of ", item.item_code, ", of which ", *item.bag_limit,
                        " were invoiced"));
    }
    if (!cells.weighed) return;
    received.grams += cells.net_grams();
    if (item.gram_limit.has_value() &&
        item.received_grams + received.grams > *item.gram_limit) {
      Tell(cells, Column::kGross, v1::BAD_ROW_REASON_EXPECTED_WEIGHT_EXCEEDED,
           absl::StrCat("would make ",
                        Kilograms(item.received_grams + received.grams), " of ",
                        item.item_code, ", of which ",
                        Kilograms(*item.gram_limit), " were expected"));
    }
  }

  void JudgeBagNumber(const StockCells& cells, const Source& source) {
    if (cells.bag_number == 0 || !source.found()) return;
    if (const auto [first, is_first] = bag_numbers_.try_emplace(
            {source.id(), cells.bag_number}, cells.line());
        !is_first) {
      Tell(cells, Column::kBagNumber, v1::BAD_ROW_REASON_DUPLICATE,
           absl::StrCat("line ", first->second, " has this number, too"));
    }
    if (book_.taken_bag_numbers.Find({*cells.Source(), cells.bag_number}) !=
        nullptr) {
      Tell(cells, Column::kBagNumber, v1::BAD_ROW_REASON_ALREADY_EXISTS,
           "a bag of this number is in the book");
    }
    int64_t& highest = highest_[source.id()];
    highest = std::max(highest, cells.bag_number);
  }

  static FileBag Bag(const StockCells& cells, const Source& source,
                     const Location* place) {
    return {.line = cells.line(),
            .kind = cells.kind,
            .item = source.item,
            .batch = source.batch,
            .barcode = cells.barcode,
            .place = place,
            .gross_grams = cells.gross_grams,
            .tare_grams = cells.tare_grams,
            .bag_number = cells.bag_number,
            .reference = std::string(cells.reference),
            .received = cells.received};
  }

  void NumberBags() {
    for (FileBag& bag : bags_) {
      const Source source{bag.item, bag.batch};
      int64_t& last = highest_[source.id()];
      last = std::max(last, source.last_bag_number());
      if (bag.bag_number == 0) bag.bag_number = ++last;
    }
  }

  StockFile Outcome() {
    StockFile file;
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const Fault& a, const Fault& b) {
                       return std::pair(a.cells->line(), a.column) <
                              std::pair(b.cells->line(), b.column);
                     });
    std::set<const StockCells*> bad_rows;
    file.faults.reserve(faults_.size());
    for (Fault& fault : faults_) {
      bad_rows.insert(fault.cells);
      v1::BadRow& told = file.faults.emplace_back();
      told.set_line_number(fault.cells->line());
      told.set_column(std::string(NameOf(fault.column)));
      told.set_value(
          FirstCharacters(TextOf(*fault.cells->row, fault.column), kToldLimit));
      told.set_reason(fault.reason);
      told.set_message(std::move(fault.message));
    }
    file.bad_row_count = static_cast<int64_t>(bad_rows.size());
    for (const StockCells& cells : read_) {
      if (!bad_rows.contains(&cells)) file.net_grams += cells.net_grams();
    }
    if (faults_.empty()) {
      NumberBags();
      file.bags = std::move(bags_);
    }
    return file;
  }

  const Rows& book_;
  absl::flat_hash_map<ItemCode, const Item*> items_;
  absl::flat_hash_map<BatchNumber, const Batch*> batches_;
  absl::flat_hash_set<ItemCode> recipes_;  // kind and number
  absl::flat_hash_map<std::string_view, const Location*> places_;

  std::vector<StockCells> read_;  // by line
  std::vector<FileBag> bags_;     // the same
  std::vector<Fault> faults_;
  // What the rows before said; with the line that said it first.
  absl::flat_hash_set<int64_t> lines_;
  absl::flat_hash_map<Uuid, int64_t> barcodes_;
  absl::flat_hash_map<std::pair<const void*, int64_t>, int64_t> bag_numbers_;
  struct Received {
    int64_t bags = 0;
    int64_t grams = 0;
  };
  absl::flat_hash_map<const Item*, Received> received_;
  absl::flat_hash_map<const void*, int64_t> highest_;
};

}  // namespace

void WantStockFile(const StockRows& file, Rows& rows) {
  std::set<BatchNumber> sources;
  std::set<std::string_view> places;
  for (const v1::OpeningStockRow& row : file) {
    // Days to come are no concern of the load.
    const StockCells cells = ReadCells(row, absl::CivilDay::max());
    if (!cells.barcode.IsNil()) rows.taken_barcodes.Want(cells.barcode);
    if (!cells.location.empty()) places.insert(cells.location);
    if (cells.of_batch() && !cells.code.empty()) {
      rows.numbered_recipes.Want({cells.kind, std::string(cells.code)});
    }
    const std::optional<BatchNumber> source = cells.Source();
    if (!source.has_value()) continue;
    sources.insert(*source);
    if (cells.bag_number > 0) {
      rows.taken_bag_numbers.Want({*source, cells.bag_number});
    }
  }
  for (const std::string_view place : places) {
    rows.places_named.Want(std::string(place));
  }
  for (const BatchNumber& source : sources) {
    if (source.batch_number > 0) {
      rows.numbered_batches.Want(source);
    } else {
      rows.newest_items.Want({source.kind, source.recipe_number});
    }
  }
}

StockFile JudgeStockFile(const StockRows& file, const Rows& rows,
                         absl::CivilDay today) {
  return Judge(file, rows, today).Run();
}

}  // namespace mtp::processing
