#include "processing_service/bags.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/handlers/item_error.h"
#include "processing_service/bag_queries.h"
#include "processing_service/bag_sources.h"
#include "processing_service/errors.h"
#include "processing_service/placing.h"

namespace mtp::processing {
namespace {

// --- ReceiveBag

absl::StatusOr<Source> FindSource(const v1::BagReceipt& receipt,
                                  const Rows& rows) {
  Source source;
  if (receipt.has_batch_id()) {
    source.batch =
        rows.batches.Find(Uuid::Parse(receipt.batch_id()).value_or(Uuid{}));
    if (source.batch == nullptr)
      return errors::BatchNotFound(receipt.batch_id());
  } else {
    source.item =
        rows.items.Find(Uuid::Parse(receipt.item_id()).value_or(Uuid{}));
    if (source.item == nullptr) return errors::ItemNotFound(receipt.item_id());
  }
  return source;
}

// What the receipt says wrongly by itself, given the kind of the bag. `path`
// leads to the receipt in the request.
absl::Status CheckReceipt(const v1::BagReceipt& receipt, MaterialKind kind,
                          const std::string& path) {
  std::vector<errors::FieldViolation> violations;
  if (receipt.tare_grams() >= receipt.gross_grams()) {
    violations.push_back(
        {path + ".tare_grams", "must be less than gross_grams"});
  }
  if (!receipt.reference().empty() && kind != v1::MATERIAL_KIND_HERBLINE) {
    violations.push_back({path + ".reference", "is for herbs only"});
  }
  if (!receipt.barcode().empty() &&
      !ParseBarcode(receipt.barcode()).Fits(kind)) {
    violations.push_back(
        {path + ".barcode",
         absl::StrCat("is no label of a ", std::string(db::EnumText(kind)))});
  }
  return violations.empty() ? absl::OkStatus()
                            : errors::InvalidFields(violations);
}

// No more than was invoiced, expected, or went in.
absl::Status CheckRoom(const Source& source, int64_t net_grams) {
  const Item* item = source.item;
  if (item != nullptr && item->bag_limit.has_value() &&
      item->received_bags >= *item->bag_limit) {
    return errors::InvoicedBagsReceived(*item);
  }
  return JudgeGrowth(source, net_grams);
}

// Counts the bag at its source and gives it its number there.
void CountAtSource(const Source& source, Bag& bag, const Context& context,
                   Rows& rows) {
  Grow(source, bag.net_grams, context, rows);
  if (source.item != nullptr) {
    Item& item = rows.items.Edit(*source.item);
    bag.item_id = item.item_id;
    bag.bag_number = ++item.last_bag_number;
    ++item.received_bags;
    bag.source_code = item.item_code;
    bag.source_name = item.Name();
  } else {
    Batch& batch = rows.batches.Edit(*source.batch);
    bag.batch_id = batch.batch_id;
    bag.bag_number = ++batch.last_bag_number;
    ++batch.out_bags;
    bag.source_code = batch.recipe_number;
    bag.source_name = batch.Name();
  }
}

// Judges first and changes after, so a bag that is refused leaves no trace
// among the others of its call.
absl::StatusOr<v1::Bag> Receive(const v1::BagReceipt& receipt,
                                const std::string& path, Context& context,
                                Rows& rows) {
  ASSIGN_OR_RETURN(const Source source, FindSource(receipt, rows));
  RETURN_IF_ERROR(CheckReceipt(receipt, source.kind(), path));
  ASSIGN_OR_RETURN(const Location* place, FindPlace(receipt, rows));
  const Uuid barcode = receipt.barcode().empty()
                           ? context.NewId()
                           : ParseBarcode(receipt.barcode()).uuid;
  if (const Bag* other = rows.bags.Find(barcode); other != nullptr) {
    return errors::BarcodeTaken(*other);
  }
  if (!MayLie(source.kind(), *place)) {
    return errors::HerbSectionRule(source.kind(), *place);
  }
  const int64_t net_grams = receipt.gross_grams() - receipt.tare_grams();
  RETURN_IF_ERROR(CheckRoom(source, net_grams));

  Bag bag{.barcode = barcode,
          .kind = source.kind(),
          .location_id = place->location_id,
          .gross_grams = receipt.gross_grams(),
          .tare_grams = receipt.tare_grams(),
          .net_grams = net_grams,
          .remaining_grams = net_grams,
          .reference = receipt.reference(),
          .received_by = context.caller().subject,
          .received_by_username = context.caller().username,
          .received_by_role = context.caller().role,
          .received_at = context.now(),
          .occurred_at = context.OccurredAt(receipt),
          .location = place->name};
  CountAtSource(source, bag, context, rows);
  rows.bags.Insert(bag);
  KeepMove(bag, std::nullopt, bag.occurred_at, context, rows);
  context.AuditAt(
      bag.occurred_at, "bag", bag.barcode.ToString(), "received",
      {{"kind", std::string(db::EnumText(bag.kind))},
       {"source", bag.source_code},
       {"source_id",
        (bag.item_id.has_value() ? *bag.item_id : *bag.batch_id).ToString()},
       {"bag_number", bag.bag_number},
       {"gross_grams", bag.gross_grams},
       {"tare_grams", bag.tare_grams},
       {"net_grams", bag.net_grams},
       {"location", bag.location}});
  return bag.Shown();
}

void WantReceipt(const v1::BagReceipt& receipt, Rows& rows) {
  if (receipt.has_batch_id()) {
    rows.batches.Want(Uuid::Parse(receipt.batch_id()).value_or(Uuid{}));
  } else {
    rows.items.Want(Uuid::Parse(receipt.item_id()).value_or(Uuid{}));
  }
  WantPlace(receipt, rows);
  if (!receipt.barcode().empty())
    rows.bags.Want(ParseBarcode(receipt.barcode()).uuid);
}

void TouchReceiveBag(const v1::ReceiveBagRequest& request, Rows& rows) {
  WantReceipt(request.receipt(), rows);
}

void TouchBatchReceiveBags(const v1::BatchReceiveBagsRequest& request,
                           Rows& rows) {
  for (const v1::BagReceipt& receipt : request.receipts())
    WantReceipt(receipt, rows);
}

// --- MoveBag

void TouchMoveBag(const v1::MoveBagRequest& request, Rows& rows) {
  WantPlace(request, rows);
  rows.bags.Want(ParseBarcode(request.barcode()).uuid);
}

}  // namespace

absl::StatusOr<v1::ReceiveBagResponse> DecideReceiveBag(
    const v1::ReceiveBagRequest& request, Context& context, Rows& rows) {
  v1::ReceiveBagResponse response;
  ASSIGN_OR_RETURN(*response.mutable_bag(),
                   Receive(request.receipt(), "receipt", context, rows));
  return response;
}

absl::StatusOr<v1::BatchReceiveBagsResponse> DecideBatchReceiveBags(
    const v1::BatchReceiveBagsRequest& request, Context& context, Rows& rows) {
  v1::BatchReceiveBagsResponse response;
  for (int i = 0; i < request.receipts_size(); ++i) {
    absl::StatusOr<v1::Bag> bag = Receive(
        request.receipts(i), absl::StrCat("receipts[", i, "]"), context, rows);
    auto* result = response.add_results();
    if (bag.ok()) {
      *result->mutable_bag() = *std::move(bag);
    } else {
      *result->mutable_error() = handlers::ItemError(
          bag.status(), errors::kDomain, context.correlation_id());
    }
  }
  return response;
}

absl::StatusOr<v1::MoveBagResponse> DecideMoveBag(
    const v1::MoveBagRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Bag* found, FindBag(rows.bags, request.barcode()));
  ASSIGN_OR_RETURN(const Location* place, FindPlace(request, rows));
  if (found->gone()) return errors::BagDispatched(*found);
  if (!MayLie(found->kind, *place))
    return errors::HerbSectionRule(found->kind, *place);

  MoveTo(*place, *found, context.OccurredAt(request), context, rows);
  v1::MoveBagResponse response;
  *response.mutable_bag() = found->Shown();
  return response;
}

void AddBags(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.BagService/ReceiveBag", TouchReceiveBag,
               DecideReceiveBag);
  commands.AddAlone("mtp.processing.v1.BagService/BatchReceiveBags",
                    TouchBatchReceiveBags, DecideBatchReceiveBags);
  commands.Add("mtp.processing.v1.BagService/MoveBag", TouchMoveBag,
               DecideMoveBag);
  AddBagQueries(queries);
}

}  // namespace mtp::processing
