#include "processing_service/errors.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/weights.h"
#include "common/handlers/file_imports.h"
#include "google/rpc/error_details.pb.h"
#include "processing_service/allocation_rows.h"
#include "processing_service/bag_history_rows.h"
#include "processing_service/bag_rows.h"
#include "processing_service/batch_rows.h"
#include "processing_service/item_rows.h"
#include "processing_service/location_rows.h"
#include "processing_service/parcel_rows.h"
#include "processing_service/recipe_rows.h"
#include "processing_service/schedule_rows.h"
#include "processing_service/shipment_rows.h"

namespace mtp::processing::errors {
namespace {

std::string Number(int64_t value) { return std::to_string(value); }

template <typename Detail>
std::string TypeUrl() {
  return absl::StrCat("type.googleapis.com/",
                      Detail::descriptor()->full_name());
}

// The detail of that type; a default one when there is none.
template <typename Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload(TypeUrl<Detail>());
  if (payload.has_value()) detail.ParseFromString(std::string(*payload));
  return detail;
}

template <typename Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

}  // namespace

absl::Status BagNotFound(std::string_view barcode) {
  return NotFound("bag", barcode);
}
absl::Status BatchNotFound(std::string_view batch_id) {
  return NotFound("batch", batch_id);
}
absl::Status DispatchNotFound(std::string_view dispatch_id) {
  return NotFound("dispatch", dispatch_id);
}
absl::Status ShipmentNotFound(std::string_view key) {
  return NotFound("shipment", key);
}

absl::Status LocationNotFound(std::string_view id_or_name) {
  return NotFound("location", id_or_name);
}
absl::Status ItemNotFound(std::string_view item_id) {
  return NotFound("item", item_id);
}
absl::Status AllocationNotFound(std::string_view allocation_id) {
  return NotFound("allocation", allocation_id);
}

absl::Status RecipeNotFound(std::string_view recipe_id) {
  return NotFound("recipe", recipe_id);
}

absl::Status LocationNameTaken(std::string_view name) {
  return AlreadyExists("LOCATION_NAME_TAKEN",
                       "there is a location of this name",
                       {{"name", std::string(name)}});
}

absl::Status LocationNotEmpty(const Location& location) {
  return FailedPrecondition(
      "LOCATION_NOT_EMPTY",
      absl::StrCat("bags lie at ", location.name,
                   ": it stays as it is, a herb section or not"),
      {{"location_id", location.location_id.ToString()},
       {"name", location.name}});
}

absl::Status LocationInUse(const Location& location) {
  return FailedPrecondition("LOCATION_IN_USE",
                            absl::StrCat("bags lie or lay at ", location.name,
                                         ", or were counted there"),
                            {{"location_id", location.location_id.ToString()},
                             {"name", location.name}});
}

absl::Status ItemInUse(const Item& item) {
  return FailedPrecondition(
      "ITEM_IN_USE",
      item.received_bags > 0 ? absl::StrCat(item.received_bags, " bags of ",
                                            item.item_code, " were received")
                             : absl::StrCat("a recipe names ", item.item_code),
      {{"item_id", item.item_id.ToString()},
       {"item_code", item.item_code},
       {"received_bag_count", Number(item.received_bags)}});
}

absl::Status RecipeNumberTaken(std::string_view number) {
  return AlreadyExists("RECIPE_NUMBER_TAKEN",
                       "there is a recipe of this number",
                       {{"number", std::string(number)}});
}

absl::Status RecipeRetired(const Recipe& recipe) {
  return FailedPrecondition(
      "RECIPE_RETIRED", absl::StrCat("recipe ", recipe.number, " is retired"),
      {{"recipe_id", recipe.recipe_id.ToString()}, {"number", recipe.number}});
}

absl::Status RecipeRevised(const Recipe& recipe) {
  return FailedPrecondition(
      "RECIPE_REVISED",
      absl::StrCat("the latest revision of recipe ", recipe.number, " is ",
                   recipe.revision),
      {{"recipe_id", recipe.recipe_id.ToString()},
       {"revision", Number(recipe.revision)}});
}

absl::Status RecipeBatchesExhausted(const Recipe& recipe, int64_t batch_count) {
  return FailedPrecondition(
      "RECIPE_BATCHES_EXHAUSTED",
      absl::StrCat("revision ", recipe.revision, " of recipe ", recipe.number,
                   " has all its batches, ", batch_count),
      {{"recipe_id", recipe.recipe_id.ToString()},
       {"revision", Number(recipe.revision)},
       {"batch_count", Number(batch_count)}});
}

absl::Status BagDispatched(const Bag& bag) {
  return FailedPrecondition("BAG_DISPATCHED", "the bag has left the site",
                            {{"barcode", bag.barcode.ToString()}});
}

absl::Status BagOnHold(const Bag& bag) {
  return FailedPrecondition("BAG_ON_HOLD", "the bag is on hold",
                            {{"barcode", bag.barcode.ToString()}});
}

absl::Status BagNotDispatched(const Bag& bag) {
  return FailedPrecondition(
      "BAG_NOT_DISPATCHED",
      "the bag did not leave the site by hand; if it left in a shipment, that "
      "is to be told",
      {{"barcode", bag.barcode.ToString()}});
}

absl::Status BagNotDispatched(const Bag& bag, std::string_view shipment) {
  return FailedPrecondition(
      "BAG_NOT_DISPATCHED",
      absl::StrCat("nothing of the bag left the site in shipment ",
                   std::string(shipment)),
      {{"barcode", bag.barcode.ToString()},
       {"shipment", std::string(shipment)}});
}

absl::Status BagEmpty(const Bag& bag) {
  return FailedPrecondition("BAG_EMPTY", "nothing remains in the bag",
                            {{"barcode", bag.barcode.ToString()}});
}

absl::Status BagAllocated(const Bag& bag, int64_t waiting_grams) {
  return FailedPrecondition(
      "BAG_ALLOCATED",
      absl::StrCat(Kilograms(waiting_grams),
                   " of the bag are in shipments that have not left"),
      {{"barcode", bag.barcode.ToString()},
       {"allocated_grams", Number(waiting_grams)}});
}

absl::Status BagTooHeavy(const Bag& bag, int64_t gross_grams) {
  return FailedPrecondition(
      "BAG_TOO_HEAVY",
      absl::StrCat("with what is used of it the bag would weigh ",
                   Kilograms(gross_grams), ", no bag weighs more than ",
                   Kilograms(kMaxBagGrams)),
      {{"barcode", bag.barcode.ToString()},
       {"gross_grams", Number(gross_grams)},
       {"limit_grams", Number(kMaxBagGrams)}});
}

absl::Status CorrectionBelowUsed(const Bag& bag, int64_t net_grams) {
  return FailedPrecondition(
      "CORRECTION_BELOW_USED",
      absl::StrCat(Kilograms(bag.UsedGrams()),
                   " of the bag are used, it cannot have ",
                   Kilograms(net_grams)),
      {{"barcode", bag.barcode.ToString()},
       {"used_grams", Number(bag.UsedGrams())},
       {"net_grams", Number(net_grams)}});
}

absl::Status WriteOffOverLimit(const Bag& bag, int64_t asked_grams,
                               int64_t limit_grams) {
  return PermissionDenied(
      "WRITE_OFF_OVER_LIMIT",
      absl::StrCat("a write-off of more than ", Kilograms(limit_grams),
                   " needs SEEDUWA_ADMIN, ", Kilograms(asked_grams),
                   " were asked"),
      {{"barcode", bag.barcode.ToString()},
       {"asked_grams", Number(asked_grams)},
       {"limit_grams", Number(limit_grams)}});
}

absl::Status ReturnExceedsDispatched(const BagInShipment& sent,
                                     int64_t asked_grams) {
  const std::string shipment =
      db::ShipmentKey{sent.request_code, sent.shipment_code}.Text();
  return FailedPrecondition(
      "RETURN_EXCEEDS_DISPATCHED",
      absl::StrCat(Kilograms(sent.grams), " of the bag left in shipment ",
                   shipment, ", ", Kilograms(sent.returned_grams),
                   " came back before, ", Kilograms(sent.parcelled_grams),
                   " are in parcels: ", Kilograms(asked_grams),
                   " cannot come back"),
      {{"barcode", sent.barcode.ToString()},
       {"shipment", shipment},
       {"dispatched_grams", Number(sent.grams)},
       {"returned_grams", Number(sent.returned_grams)},
       {"parcelled_grams", Number(sent.parcelled_grams)},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status BarcodeTaken(const Bag& bag) {
  return AlreadyExists("BARCODE_TAKEN",
                       absl::StrCat("the barcode is that of bag ",
                                    bag.bag_number, " of ", bag.source_name),
                       {{"barcode", bag.barcode.ToString()}});
}

absl::Status HerbSectionRule(MaterialKind kind, const Location& location) {
  return FailedPrecondition(
      "HERB_SECTION_RULE",
      absl::StrCat(
          location.name, location.herb_section ? " is a" : " is no",
          " herb section: herbs lie in herb sections only, everything else "
          "outside them only"),
      {{"location", location.name}, {"kind", std::string(db::EnumText(kind))}});
}

absl::Status InvoicedBagsReceived(const Item& item) {
  return FailedPrecondition(
      "INVOICED_BAGS_RECEIVED",
      absl::StrCat(item.received_bags, " bags of ", item.item_code,
                   " were received, no more than ", item.bag_limit.value_or(0),
                   " may be"),
      {{"item_id", item.item_id.ToString()},
       {"bag_count", Number(item.bag_limit.value_or(0))},
       {"received_bag_count", Number(item.received_bags)}});
}

absl::Status ExpectedWeightExceeded(const Item& item, int64_t grams) {
  return FailedPrecondition(
      "EXPECTED_WEIGHT_EXCEEDED",
      absl::StrCat(Kilograms(grams), " of ", item.item_code,
                   " would have been received, no more than ",
                   Kilograms(item.gram_limit.value_or(0)), " may be"),
      {{"item_id", item.item_id.ToString()},
       {"expected_grams", Number(item.gram_limit.value_or(0))},
       {"received_grams", Number(item.received_grams)},
       {"total_grams", Number(grams)}});
}

absl::Status InsufficientRemaining(const Bag& bag, int64_t asked_grams) {
  return FailedPrecondition(
      "INSUFFICIENT_REMAINING",
      absl::StrCat("the bag has ", Kilograms(bag.remaining_grams), " left, ",
                   Kilograms(asked_grams), " were asked"),
      {{"barcode", bag.barcode.ToString()},
       {"remaining_grams", Number(bag.remaining_grams)},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status NotAllocatable(const Bag& bag, std::string_view target_kind) {
  const std::string kind(db::EnumText(bag.kind));
  return FailedPrecondition(
      "NOT_ALLOCATABLE",
      absl::StrCat("a bag of a ", kind, " may not go to a ",
                   absl::string_view(target_kind.data(), target_kind.size())),
      {{"barcode", bag.barcode.ToString()},
       {"kind", kind},
       {"target", std::string(target_kind)}});
}

absl::Status BatchNotOpen(const Batch& batch) {
  return FailedPrecondition("BATCH_NOT_OPEN", "the batch is completed",
                            {{"batch_id", batch.batch_id.ToString()}});
}

absl::Status BatchBlocked(const Batch& batch) {
  return FailedPrecondition(
      "BATCH_BLOCKED",
      absl::StrCat("batch ", batch.Name(), " is blocked by the trader"),
      {{"batch_id", batch.batch_id.ToString()}});
}

absl::Status BatchNotAllowed(const Batch& batch) {
  return FailedPrecondition(
      "BATCH_NOT_ALLOWED",
      absl::StrCat("batch ", batch.Name(), " is not allowed by the trader"),
      {{"batch_id", batch.batch_id.ToString()},
       {"trader_state", v1::TraderState_Name(batch.trader_state)}});
}

absl::Status BatchNotCompleted(const Batch& batch) {
  return FailedPrecondition("BATCH_NOT_COMPLETED",
                            absl::StrCat("batch ", batch.Name(), " is open"),
                            {{"batch_id", batch.batch_id.ToString()}});
}

absl::Status BatchDispatched(const Batch& batch) {
  return FailedPrecondition(
      "BATCH_DISPATCHED",
      absl::StrCat("something of batch ", batch.Name(), " has left the site"),
      {{"batch_id", batch.batch_id.ToString()}});
}

absl::Status BatchInItself(const Batch& batch, const Batch& part) {
  return FailedPrecondition(
      "BATCH_IN_ITSELF",
      absl::StrCat("batch ", part.Name(), " has something of batch ",
                   batch.Name(), " in it: none of it can go in there"),
      {{"batch_id", batch.batch_id.ToString()},
       {"part_batch_id", part.batch_id.ToString()}});
}

absl::Status TraderNotNeeded(const Batch& batch) {
  return FailedPrecondition(
      "TRADER_NOT_NEEDED",
      absl::StrCat(
          "batch ", batch.Name(),
          " is of a flavorsheet, which the blends in it are judged for"),
      {{"batch_id", batch.batch_id.ToString()}});
}

absl::Status TraderState(const Batch& batch) {
  const std::string_view state = db::EnumText(batch.trader_state);
  return FailedPrecondition(
      "TRADER_STATE",
      absl::StrCat(
          "batch ", batch.Name(), " is ",
          state.empty() ? std::string("not measured") : std::string(state)),
      {{"batch_id", batch.batch_id.ToString()},
       {"state", v1::TraderState_Name(batch.trader_state)}});
}

absl::Status TraderRole(const Batch& batch) {
  return PermissionDenied(
      "TRADER_ROLE",
      absl::StrCat("batch ", batch.Name(), " is ",
                   std::string(db::EnumText(batch.trader_state)),
                   ": the decision is the other trader's"),
      {{"batch_id", batch.batch_id.ToString()},
       {"state", v1::TraderState_Name(batch.trader_state)}});
}

absl::Status BatchOutExceedsIn(const Batch& batch, int64_t out_grams) {
  return FailedPrecondition(
      "BATCH_OUT_EXCEEDS_IN",
      absl::StrCat(Kilograms(out_grams), " would have come out of batch ",
                   batch.Name(), ", the ", Kilograms(batch.in_grams),
                   " that went in allow ", Kilograms(batch.OutLimitGrams())),
      {{"batch_id", batch.batch_id.ToString()},
       {"in_grams", Number(batch.in_grams)},
       {"out_grams", Number(out_grams)},
       {"limit_grams", Number(batch.OutLimitGrams())}});
}

absl::Status AllocationReleased(const Allocation& allocation) {
  return FailedPrecondition(
      "ALLOCATION_RELEASED", "all of the allocation was given back before",
      {{"allocation_id", allocation.allocation_id.ToString()}});
}

absl::Status AllocationHasLess(const Allocation& allocation,
                               int64_t asked_grams) {
  return FailedPrecondition(
      "ALLOCATION_HAS_LESS",
      absl::StrCat("the allocation has ", Kilograms(allocation.grams), ", ",
                   Kilograms(asked_grams), " were asked"),
      {{"allocation_id", allocation.allocation_id.ToString()},
       {"allocated_grams", Number(allocation.grams)},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status SameTarget(const Allocation& allocation) {
  return Make(absl::StatusCode::kInvalidArgument, "SAME_TARGET",
              "the new target is the old one",
              {{"allocation_id", allocation.allocation_id.ToString()}});
}

absl::Status ShipmentNotOpen(const Shipment& shipment) {
  return FailedPrecondition(
      "SHIPMENT_NOT_OPEN",
      absl::StrCat("shipment ", shipment.key().Text(), " is ",
                   std::string(db::EnumText(shipment.status))),
      {{"shipment", shipment.key().Text()},
       {"status", common::v1::ShipmentStatus_Name(shipment.status)}});
}

absl::Status ShipmentNeedsLess(const Shipment& shipment, int64_t asked_grams) {
  return FailedPrecondition(
      "SHIPMENT_NEEDS_LESS",
      absl::StrCat("shipment ", shipment.key().Text(), " still needs ",
                   Kilograms(shipment.MissingGrams()), ", ",
                   Kilograms(asked_grams), " were asked"),
      {{"shipment", shipment.key().Text()},
       {"missing_grams", Number(shipment.MissingGrams())},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status WrongShipmentStatus(const Shipment& shipment) {
  return FailedPrecondition(
      "WRONG_SHIPMENT_STATUS",
      absl::StrCat("shipment ", shipment.key().Text(), " is ",
                   std::string(db::EnumText(shipment.status))),
      {{"shipment", shipment.key().Text()},
       {"status", common::v1::ShipmentStatus_Name(shipment.status)}});
}

absl::Status NothingAllocated(const Shipment& shipment) {
  return FailedPrecondition(
      "NOTHING_ALLOCATED",
      absl::StrCat("nothing is allocated to shipment ", shipment.key().Text()),
      {{"shipment", shipment.key().Text()}});
}

absl::Status BagReturned(const Shipment& shipment, int64_t bags) {
  return FailedPrecondition(
      "BAG_RETURNED",
      absl::StrCat(bags, " bags of shipment ", shipment.key().Text(),
                   " came back"),
      {{"shipment", shipment.key().Text()}, {"bags", Number(bags)}});
}

absl::Status ShipmentNotAccepted(const Shipment& shipment) {
  return FailedPrecondition(
      "SHIPMENT_NOT_ACCEPTED",
      absl::StrCat("shipment ", shipment.key().Text(), " is ",
                   std::string(db::EnumText(shipment.status))),
      {{"shipment", shipment.key().Text()},
       {"status", common::v1::ShipmentStatus_Name(shipment.status)}});
}

absl::Status ScheduleNotFound(int64_t schedule_code) {
  return NotFound("schedule", Number(schedule_code));
}

absl::Status ScheduleCompleted(const Schedule& schedule) {
  return FailedPrecondition(
      "SCHEDULE_COMPLETED",
      absl::StrCat("schedule ", schedule.schedule_code, " is completed"),
      {{"schedule_code", Number(schedule.schedule_code)}});
}

absl::Status ScheduleOfOtherOrder(const Schedule& schedule,
                                  const Shipment& shipment) {
  return FailedPrecondition(
      "SCHEDULE_OF_OTHER_ORDER",
      absl::StrCat("schedule ", schedule.schedule_code, " is of order ",
                   schedule.order_code, ", shipment ", shipment.key().Text(),
                   " of order ", shipment.order_code),
      {{"schedule_code", Number(schedule.schedule_code)},
       {"shipment", shipment.key().Text()},
       {"schedule_order_code", schedule.order_code},
       {"shipment_order_code", shipment.order_code}});
}

absl::Status ParcelNotFound(std::string_view parcel_id) {
  return NotFound("parcel", parcel_id);
}

absl::Status ParcelReleased(const Parcel& parcel) {
  return FailedPrecondition("PARCEL_RELEASED", "the parcel is released already",
                            {{"parcel_id", parcel.parcel_id.ToString()}});
}

absl::Status NotParcelled(const Allocation& allocation) {
  return FailedPrecondition(
      "NOT_ALLOCATABLE",
      "what is allocated to a batch is not made into parcels",
      {{"allocation_id", allocation.allocation_id.ToString()}});
}

absl::Status ParcelsExceedAllocation(const Allocation& allocation,
                                     int64_t left_grams, int64_t asked_grams) {
  return FailedPrecondition(
      "PARCELS_EXCEED_ALLOCATION",
      absl::StrCat("the allocation has ", Kilograms(left_grams),
                   " left for parcels, ", Kilograms(asked_grams),
                   " were asked"),
      {{"allocation_id", allocation.allocation_id.ToString()},
       {"left_grams", Number(left_grams)},
       {"asked_grams", Number(asked_grams)}});
}

absl::Status OfBag(absl::Status refusal, const Bag& bag) {
  const std::string barcode = bag.barcode.ToString();
  auto info = DetailOf<google::rpc::ErrorInfo>(refusal);
  (*info.mutable_metadata())["barcode"] = barcode;
  Attach(refusal, info);
  auto failure = DetailOf<google::rpc::PreconditionFailure>(refusal);
  for (auto& violation : *failure.mutable_violations())
    violation.set_subject(barcode);
  if (failure.violations_size() > 0) Attach(refusal, failure);
  return refusal;
}

absl::Status Together(const std::vector<absl::Status>& refusals) {
  // More would not arrive: trailers are small.
  constexpr size_t kViolationsTold = 40;
  google::rpc::PreconditionFailure all;
  for (size_t i = 0; i < std::min(refusals.size(), kViolationsTold); ++i) {
    all.MergeFrom(DetailOf<google::rpc::PreconditionFailure>(refusals[i]));
  }
  absl::Status status = refusals.front();
  auto info = DetailOf<google::rpc::ErrorInfo>(status);
  (*info.mutable_metadata())["violations"] = absl::StrCat(refusals.size());
  Attach(status, info);
  Attach(status, all);
  return status;
}

absl::Status OfConstraint(std::string_view constraint) {
  if (constraint == "bag_lies_where_its_kind_may") {
    return FailedPrecondition(
        "HERB_SECTION_RULE",
        "herbs lie in herb sections only, everything else outside them only");
  }
  if (constraint == "bag_remaining_within_net") {
    return FailedPrecondition("INSUFFICIENT_REMAINING",
                              "the bag has too little left");
  }
  if (constraint == "shipment_allocated_within_quantity") {
    return FailedPrecondition("SHIPMENT_NEEDS_LESS", "the shipment needs less");
  }
  if (constraint == "allocation_parcels_within_grams") {
    return FailedPrecondition("PARCELS_EXCEED_ALLOCATION",
                              "the allocation has less left for parcels");
  }
  if (constraint == "allocation_follows_rules") {
    return FailedPrecondition("NOT_ALLOCATABLE",
                              "bags of this kind may not go to such a target");
  }
  if (constraint == "batch_out_within_in") {
    return FailedPrecondition(
        "BATCH_OUT_EXCEEDS_IN",
        "more would have come out of the batch than went in");
  }
  if (constraint == "item_received_bags_within_limit") {
    return FailedPrecondition("INVOICED_BAGS_RECEIVED",
                              "the tealine has all its invoiced bags");
  }
  if (constraint == "item_received_grams_within_limit") {
    return FailedPrecondition("EXPECTED_WEIGHT_EXCEEDED",
                              "more would have been received than is expected");
  }
  if (constraint == "bag_is_unique") {
    return AlreadyExists("BARCODE_TAKEN", "the barcode is in use");
  }
  if (constraint == "stock_import_file_is_stored_once") {
    return ImportRunning("bags");
  }
  if (constraint == "location_name_is_unique") {
    return AlreadyExists("LOCATION_NAME_TAKEN",
                         "there is a location of this name");
  }
  if (constraint == "item_code_and_time_are_unique") {
    return AlreadyExists("ITEM_CODE_TAKEN",
                         "an item of this code is being made at the same "
                         "moment; try again");
  }
  if (constraint == "recipe_number_is_unique") {
    return AlreadyExists("RECIPE_NUMBER_TAKEN",
                         "there is a recipe of this number");
  }
  return absl::OkStatus();
}

}  // namespace mtp::processing::errors
