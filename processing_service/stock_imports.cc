#include "processing_service/stock_imports.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/handlers/file_faults.h"
#include "processing_service/errors.h"
#include "processing_service/placing.h"
#include "processing_service/stock_file.h"

namespace mtp::processing {
namespace {

// The contract's: a reply tells so many faults, the database keeps all.
constexpr size_t kToldLimit = 1000;

StockImport NewImport(const v1::ImportOpeningStockRequest& request,
                      const StockFile& file, const Context& context) {
  return {.file_digest = absl::AsciiStrToLower(request.file_digest()),
          .import_id = context.NewId(),
          .file_name = request.file_name(),
          .stored = file.faults.empty(),
          .row_count = request.rows_size(),
          .bad_row_count = file.bad_row_count,
          .fault_count = static_cast<int64_t>(file.faults.size()),
          .net_grams = file.net_grams,
          .imported_by = context.caller().subject,
          .imported_by_username = context.caller().username,
          .imported_by_role = context.caller().role,
          .imported_at = context.now(),
          .correlation_id = context.correlation_id()};
}

v1::ImportOpeningStockResponse Told(const StockImport& import) {
  v1::ImportOpeningStockResponse response;
  response.set_row_count(import.row_count);
  response.set_bad_row_count(import.bad_row_count);
  response.set_fault_count(import.fault_count);
  response.set_net_grams(import.net_grams);
  return response;
}

v1::ImportOpeningStockResponse ToldAsStored(const StockImport& import) {
  v1::ImportOpeningStockResponse response = Told(import);
  response.set_import_id(import.import_id.ToString());
  response.set_stored(true);
  return response;
}

void KeepFaults(const StockImport& import, const StockFile& file,
                Context& context, Rows& rows) {
  rows.stock_imports.Insert(import);
  int64_t number = 0;
  for (const v1::BadRow& fault : file.faults) {
    rows.stock_faults.Append(
        handlers::FaultRow<StockFault>(import.import_id, ++number, fault));
  }
  handlers::AuditRefused("stock_import", import, context);
}

void KeepBag(const FileBag& in_file, const StockImport& import,
             Context& context, Rows& rows) {
  const absl::Time weighed_at =
      in_file.received.has_value()
          ? absl::FromCivil(*in_file.received, rows.settings.time_zone)
          : context.now();
  Bag bag{.barcode = in_file.barcode,
          .kind = in_file.kind,
          .location_id = in_file.place->location_id,
          .bag_number = in_file.bag_number,
          .gross_grams = in_file.gross_grams,
          .tare_grams = in_file.tare_grams,
          .net_grams = in_file.net_grams(),
          .remaining_grams = in_file.net_grams(),
          .reference = in_file.reference,
          .opening_stock = true,
          .received_by = import.imported_by,
          .received_by_username = import.imported_by_username,
          .received_by_role = import.imported_by_role,
          .received_at = context.now(),
          .occurred_at = weighed_at};
  if (in_file.item != nullptr) bag.item_id = in_file.item->item_id;
  if (in_file.batch != nullptr) bag.batch_id = in_file.batch->batch_id;
  KeepMove(bag, std::nullopt, weighed_at, context, rows);
  context.AuditAt(
      weighed_at, "bag", bag.barcode.ToString(), "received",
      {{"import_id", import.import_id.ToString()},
       {"line", in_file.line},
       {"kind", std::string(db::EnumText(bag.kind))},
       {"source_id",
        (bag.item_id.has_value() ? *bag.item_id : *bag.batch_id).ToString()},
       {"bag_number", bag.bag_number},
       {"gross_grams", bag.gross_grams},
       {"tare_grams", bag.tare_grams},
       {"net_grams", bag.net_grams},
       {"location", in_file.place->name}});
  rows.opening_bags.Append(std::move(bag));
}

// Counts the bags of a file where they came from: once for each source, however
// many there are.
void CountAtSources(const std::vector<FileBag>& bags, const Context& context,
                    Rows& rows) {
  struct Sum {
    int64_t bags = 0;
    int64_t grams = 0;
    int64_t last_bag_number = 0;

    void Add(const FileBag& bag) {
      ++bags;
      grams += bag.net_grams();
      last_bag_number = std::max(last_bag_number, bag.bag_number);
    }
  };
  absl::flat_hash_map<const Item*, Sum> of_items;
  absl::flat_hash_map<const Batch*, Sum> of_batches;
  for (const FileBag& bag : bags) {
    (bag.item != nullptr ? of_items[bag.item] : of_batches[bag.batch]).Add(bag);
  }
  for (const auto& [found, sum] : of_items) {
    Item& item = rows.items.Edit(*found);
    item.received_bags += sum.bags;
    item.received_grams += sum.grams;
    item.remaining_grams += sum.grams;
    item.last_bag_number = std::max(item.last_bag_number, sum.last_bag_number);
  }
  for (const auto& [found, sum] : of_batches) {
    Batch& batch = rows.batches.Edit(*found);
    batch.in_grams += sum.grams;
    batch.opening_grams += sum.grams;
    batch.out_bags += sum.bags;
    batch.out_grams += sum.grams;
    batch.remaining_grams += sum.grams;
    batch.last_bag_number =
        std::max(batch.last_bag_number, sum.last_bag_number);
    ++batch.version;
    batch.changed_at = context.now();
  }
}

void KeepBags(const StockImport& import, const StockFile& file,
              Context& context, Rows& rows) {
  rows.stock_imports.Insert(import);
  for (const FileBag& bag : file.bags) KeepBag(bag, import, context, rows);
  CountAtSources(file.bags, context, rows);
  context.Audit("stock_import", import.import_id.ToString(), "stored",
                {{"file_name", import.file_name},
                 {"file_digest", import.file_digest},
                 {"rows", import.row_count},
                 {"net_grams", import.net_grams}});
}

}  // namespace

void TouchImportOpeningStock(const v1::ImportOpeningStockRequest& request,
                             Rows& rows) {
  rows.stock_import_turn.Want();
  if (!handlers::IsFileDigest(request.file_digest())) return;
  rows.stock_imports.Want(absl::AsciiStrToLower(request.file_digest()));
  if (request.rows_size() > rows.settings.stock_import_row_limit) return;
  WantStockFile(request.rows(), rows);
}

absl::StatusOr<v1::ImportOpeningStockResponse> DecideImportOpeningStock(
    const v1::ImportOpeningStockRequest& request, Context& context,
    Rows& rows) {
  if (!handlers::IsFileDigest(request.file_digest())) {
    return errors::FileDigestInvalid();
  }
  if (request.rows_size() > rows.settings.stock_import_row_limit) {
    return errors::ImportTooLarge(request.rows_size(),
                                  rows.settings.stock_import_row_limit);
  }
  if (const StockImport* before =
          rows.stock_imports.Find(absl::AsciiStrToLower(request.file_digest()));
      before != nullptr && before->stored) {
    v1::ImportOpeningStockResponse response = ToldAsStored(*before);
    response.set_already_imported(true);
    return response;
  }
  const StockFile file =
      JudgeStockFile(request.rows(), rows,
                     absl::ToCivilDay(context.now(), rows.settings.time_zone));
  const StockImport import = NewImport(request, file, context);
  if (!file.faults.empty()) {
    v1::ImportOpeningStockResponse response = Told(import);
    for (size_t i = 0; i < std::min(file.faults.size(), kToldLimit); ++i) {
      *response.add_bad_rows() = file.faults[i];
    }
    if (!request.validate_only()) KeepFaults(import, file, context, rows);
    return response;
  }
  if (request.validate_only()) return Told(import);
  KeepBags(import, file, context, rows);
  return ToldAsStored(import);
}

void AddStockImports(Commands& commands) {
  commands.AddLengthy("mtp.processing.v1.BagService/ImportOpeningStock",
                      TouchImportOpeningStock, DecideImportOpeningStock);
}

}  // namespace mtp::processing
