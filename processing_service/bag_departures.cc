#include "processing_service/bag_departures.h"

#include "common/base/status.h"
#include "processing_service/bag_corrections.h"
#include "processing_service/bag_sources.h"
#include "processing_service/errors.h"
#include "processing_service/placing.h"

namespace mtp::processing {
namespace {

// --- DispatchBag

void TouchDispatchBag(const v1::DispatchBagRequest& request, Rows& rows) {
  const Uuid barcode = ParseBarcode(request.barcode()).uuid;
  rows.sources.Want(barcode);
  rows.bags.Want(barcode);
  rows.bag_histories.Want(barcode);
}

// A bag goes when something is in it, nobody holds or waits for it, and the
// trader has not found it bad.
absl::Status JudgeDispatch(const Bag& bag, const Rows& rows) {
  if (bag.gone()) return errors::BagDispatched(bag);
  if (bag.held) return errors::BagOnHold(bag);
  if (bag.remaining_grams == 0) return errors::BagEmpty(bag);
  const Batch* batch =
      bag.batch_id.has_value() ? rows.batches.Find(*bag.batch_id) : nullptr;
  if (batch != nullptr && batch->Clearance() == v1::CLEARANCE_BLOCKED) {
    return errors::BatchBlocked(*batch);
  }
  const BagHistory* history = rows.bag_histories.Find(bag.barcode);
  if (history != nullptr && history->waiting_grams > 0) {
    return errors::BagAllocated(bag, history->waiting_grams);
  }
  return absl::OkStatus();
}

// --- ReturnBag

constexpr std::string_view kCameBackLighter = "came back lighter than it left";
constexpr std::string_view kCameBackHeavier = "came back heavier than it left";

BagInShipment::Key KeyOf(const v1::ReturnBagRequest& request) {
  const auto shipment = db::ShipmentKey::Of(request.shipment());
  return {ParseBarcode(request.barcode()).uuid, shipment.request_code,
          shipment.shipment_code};
}

void TouchReturnBag(const v1::ReturnBagRequest& request, Rows& rows) {
  const Uuid barcode = ParseBarcode(request.barcode()).uuid;
  WantPlace(request, rows);
  rows.bags.Want(barcode);
  if (request.has_shipment()) {
    rows.shipments.Want(db::ShipmentKey::Of(request.shipment()));
    rows.bags_in_shipments.Want(KeyOf(request));
    rows.bag_histories.Want(barcode);
  } else {
    WantReweighing(barcode, rows);
  }
}

// No more comes back of a shipment than left in it and is not in parcels.
absl::Status JudgeReturnOfShipment(const v1::ReturnBagRequest& request,
                                   const Bag& bag, int64_t net_grams,
                                   const Rows& rows) {
  // The rest of it left by hand: until that is back there is no bag here that
  // something could lie in.
  if (bag.dispatched_by_hand) return errors::BagDispatched(bag);
  const auto key = db::ShipmentKey::Of(request.shipment());
  const Shipment* shipment = rows.shipments.Find(key);
  const BagInShipment* sent = rows.bags_in_shipments.Find(KeyOf(request));
  if (shipment == nullptr || !shipment->dispatched || sent == nullptr ||
      sent->grams == 0) {
    return errors::BagNotDispatched(bag, key.Text());
  }
  if (net_grams > sent->grams - sent->parcelled_grams - sent->returned_grams) {
    return errors::ReturnExceedsDispatched(*sent, net_grams);
  }
  return absl::OkStatus();
}

void TakeBackOfShipment(const Bag& found, int64_t net_grams, Rows& rows) {
  Bag& bag = rows.bags.Edit(found);
  bag.returned_grams += net_grams;
  bag.GiveBack(net_grams);
}

// How much more came back than what remained when it left; what went back to
// it from batches since was here all the time.
absl::StatusOr<int64_t> GrowthOnTheWay(const Bag& bag, int64_t net_grams,
                                       const Rows& rows) {
  const BagHistory* history = rows.bag_histories.Find(bag.barcode);
  if (!bag.dispatched_by_hand || history == nullptr) {
    return errors::BagNotDispatched(bag);
  }
  const int64_t growth = net_grams - history->dispatched_grams;
  ASSIGN_OR_RETURN(const Source source, FindSource(bag, rows));
  RETURN_IF_ERROR(JudgeGrowth(source, growth));
  if (bag.gross_grams + growth > kMaxBagGrams)
    return errors::BagTooHeavy(bag, bag.gross_grams + growth);
  return growth;
}

void TakeBackByHand(const Bag& found, int64_t growth, absl::Time occurred_at,
                    Context& context, Rows& rows) {
  rows.bags.Edit(found).dispatched_by_hand = false;
  if (growth > 0) {
    Reweigh(found, found.gross_grams + growth, found.tare_grams,
            {std::string(kCameBackHeavier), occurred_at, std::nullopt}, context,
            rows);
  } else if (growth < 0) {
    Lose(found, -growth, v1::WRITE_OFF_REASON_SPILLAGE,
         {std::string(kCameBackLighter), occurred_at, std::nullopt}, context,
         rows);
  } else {
    rows.bags.Edit(found).Settle(/*left_grams=*/0);
  }
}

// The bag lies where it was taken in, as when it was first received.
void PlaceAgain(const Bag& found, const Location& place, absl::Time occurred_at,
                const Context& context, Rows& rows) {
  Bag& bag = rows.bags.Edit(found);
  bag.location_id = place.location_id;
  bag.location = place.name;
  KeepMove(bag, std::nullopt, occurred_at, context, rows);
}

BagReturn KeepReturn(const v1::ReturnBagRequest& request, const Bag& bag,
                     int64_t net_grams, Context& context, Rows& rows) {
  BagReturn kept{.barcode = bag.barcode,
                 .return_id = context.NewId(),
                 .net_grams = net_grams,
                 .location_id = bag.location_id,
                 .remarks = request.remarks(),
                 .received_by = context.caller().subject,
                 .received_by_username = context.caller().username,
                 .received_by_role = context.caller().role,
                 .occurred_at = context.OccurredAt(request),
                 .recorded_at = context.now(),
                 .correlation_id = context.correlation_id()};
  std::string shipment;
  if (request.has_shipment()) {
    const auto key = db::ShipmentKey::Of(request.shipment());
    kept.request_code = key.request_code;
    kept.shipment_code = key.shipment_code;
    shipment = key.Text();
  }
  rows.bag_returns.Append(kept);
  context.AuditAt(kept.occurred_at, "bag", bag.barcode.ToString(), "returned",
                  {{"return_id", kept.return_id.ToString()},
                   {"shipment", shipment},
                   {"net_grams", net_grams},
                   {"remaining_grams", bag.remaining_grams},
                   {"location", bag.location},
                   {"remarks", kept.remarks}});
  return kept;
}

}  // namespace

absl::StatusOr<v1::DispatchBagResponse> DecideDispatchBag(
    const v1::DispatchBagRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Bag* found, FindBag(rows.bags, request.barcode()));
  RETURN_IF_ERROR(JudgeDispatch(*found, rows));
  Bag& bag = rows.bags.Edit(*found);
  bag.dispatched_by_hand = true;
  bag.Settle(/*left_grams=*/0);
  const absl::Time occurred_at = context.OccurredAt(request);
  rows.bag_dispatches.Append(
      {.barcode = bag.barcode,
       .remaining_grams = bag.remaining_grams,
       .reason = request.reason(),
       .vehicle = request.vehicle(),
       .dispatched_by = context.caller().subject,
       .dispatched_by_username = context.caller().username,
       .dispatched_by_role = context.caller().role,
       .occurred_at = occurred_at,
       .recorded_at = context.now(),
       .correlation_id = context.correlation_id()});
  context.AuditAt(occurred_at, "bag", bag.barcode.ToString(), "dispatched",
                  {{"grams", bag.remaining_grams},
                   {"vehicle", request.vehicle()},
                   {"reason", request.reason()}});
  v1::DispatchBagResponse response;
  *response.mutable_bag() = bag.Shown();
  return response;
}

absl::StatusOr<v1::ReturnBagResponse> DecideReturnBag(
    const v1::ReturnBagRequest& request, Context& context, Rows& rows) {
  if (request.tare_grams() >= request.gross_grams()) {
    return errors::InvalidField("tare_grams", "must be less than gross_grams");
  }
  ASSIGN_OR_RETURN(const Bag* bag, FindBag(rows.bags, request.barcode()));
  ASSIGN_OR_RETURN(const Location* place, FindPlace(request, rows));
  if (!MayLie(bag->kind, *place))
    return errors::HerbSectionRule(bag->kind, *place);
  const int64_t net_grams = request.gross_grams() - request.tare_grams();
  const absl::Time occurred_at = context.OccurredAt(request);
  if (request.has_shipment()) {
    RETURN_IF_ERROR(JudgeReturnOfShipment(request, *bag, net_grams, rows));
    TakeBackOfShipment(*bag, net_grams, rows);
  } else {
    ASSIGN_OR_RETURN(const int64_t growth,
                     GrowthOnTheWay(*bag, net_grams, rows));
    TakeBackByHand(*bag, growth, occurred_at, context, rows);
  }
  PlaceAgain(*bag, *place, occurred_at, context, rows);
  v1::ReturnBagResponse response;
  *response.mutable_bag_return() =
      KeepReturn(request, *bag, net_grams, context, rows).Shown();
  *response.mutable_bag() = bag->Shown();
  return response;
}

void AddBagDepartures(Commands& commands) {
  // Alone: what of a bag is in shipments is read, and must not change within
  // the batch; nor may what came back, which parcels look at.
  commands.AddAlone("mtp.processing.v1.BagService/DispatchBag",
                    TouchDispatchBag, DecideDispatchBag);
  commands.AddAlone("mtp.processing.v1.BagService/ReturnBag", TouchReturnBag,
                    DecideReturnBag);
}

}  // namespace mtp::processing
