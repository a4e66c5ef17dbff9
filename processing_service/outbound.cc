#include "processing_service/outbound.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/sync/outbox.h"
#include "processing_service/errors.h"
#include "processing_service/giving_back.h"
#include "processing_service/manifest.h"
#include "processing_service/outbound_queries.h"

namespace mtp::processing {
namespace {

using common::v1::ShipmentStatus;

std::string Tell(const Shipment& shipment, Context& context) {
  return context.Tell(sync::kShipmentProgress, shipment.key().Text(),
                      shipment.version);
}

v1::OpenShipment Shown(const Shipment& shipment, const Rows& rows) {
  return shipment.Shown(BagCount(ActiveAllocations(rows, shipment.key())));
}

// --- readiness

struct Said {
  common::v1::Readiness readiness;
  std::string_view remarks;
  absl::Time occurred_at;
};

absl::StatusOr<const Shipment*> SayReadiness(
    const common::v1::ShipmentKey& key_proto, const Said& said,
    Context& context, Rows& rows) {
  const auto key = db::ShipmentKey::Of(key_proto);
  const Shipment* found = rows.shipments.Find(key);
  if (found == nullptr) return errors::ShipmentNotFound(key.Text());
  if (!found->OpenForAllocation() || found->readiness == said.readiness) {
    return errors::WrongShipmentStatus(*found);
  }
  Shipment& shipment = rows.shipments.Edit(*found);
  shipment.readiness = said.readiness;
  shipment.readiness_remarks = said.remarks;
  shipment.readiness_by = context.caller().subject;
  shipment.readiness_by_username = context.caller().username;
  shipment.readiness_by_role = context.caller().role;
  shipment.readiness_at = said.occurred_at;
  shipment.Changed(context.now());
  context.AuditAt(said.occurred_at, "shipment", key.Text(),
                  said.readiness == common::v1::READINESS_READY
                      ? "marked_ready"
                      : "marked_not_ready",
                  {{"order_remarks", std::string(said.remarks)}});
  return &shipment;
}

template <typename Request>
void TouchReadiness(const Request& request, Rows& rows) {
  const auto key = db::ShipmentKey::Of(request.key());
  rows.shipments.Want(key);
  rows.shipment_allocations.Want(key);
}

template <typename Response, typename Request>
absl::StatusOr<Response> DecideReadiness(const Request& request,
                                         common::v1::Readiness readiness,
                                         Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Shipment* shipment,
                   SayReadiness(request.key(),
                                {readiness, request.order_remarks(),
                                 context.OccurredAt(request)},
                                context, rows));
  Response response;
  *response.mutable_shipment() = Shown(*shipment, rows);
  response.set_sync_token(Tell(*shipment, context));
  return response;
}

// --- dispatch

// Goods leave when they stand ready, nothing of them is held, and the trader
// allows them still: a blend can have been found bad since they were allocated,
// or one that waits for the trader's word have gone into a flavor.
std::vector<absl::Status> RefusalsOf(const Shipment& shipment,
                                     const Rows& rows) {
  if (shipment.status != ShipmentStatus::SHIPMENT_STATUS_ORDER_READY &&
      !(shipment.dispatched && Planted("dispatched-twice"))) {
    return {errors::WrongShipmentStatus(shipment)};
  }
  if (shipment.allocated_grams == 0)
    return {errors::NothingAllocated(shipment)};
  std::vector<absl::Status> refusals;
  Uuid last;
  for (const Allocation* allocation : ActiveAllocations(rows, shipment.key())) {
    if (allocation->barcode == last) continue;
    last = allocation->barcode;
    const Bag& bag = *rows.bags.Find(allocation->barcode);
    if (bag.held) refusals.push_back(errors::BagOnHold(bag));
    const Batch* batch =
        bag.batch_id.has_value() ? rows.batches.Find(*bag.batch_id) : nullptr;
    if (batch == nullptr) continue;
    if (batch->Clearance() == v1::CLEARANCE_BLOCKED) {
      refusals.push_back(errors::BatchBlocked(*batch));
    } else if (batch->Clearance() != v1::CLEARANCE_CLEARED) {
      refusals.push_back(errors::BatchNotAllowed(*batch));
    }
  }
  return refusals;
}

absl::StatusOr<std::vector<const Shipment*>> FindAll(
    const v1::DispatchShipmentsRequest& request, const Rows& rows) {
  std::vector<const Shipment*> shipments;
  std::vector<errors::FieldViolation> twice;
  for (int i = 0; i < request.keys_size(); ++i) {
    const auto key = db::ShipmentKey::Of(request.keys(i));
    const Shipment* found = rows.shipments.Find(key);
    if (found == nullptr) return errors::ShipmentNotFound(key.Text());
    if (std::find(shipments.begin(), shipments.end(), found) !=
        shipments.end()) {
      twice.push_back({absl::StrCat("keys[", i, "]"),
                       absl::StrCat("names shipment ", key.Text(), " again")});
    }
    shipments.push_back(found);
  }
  if (!twice.empty()) return errors::InvalidFields(twice);
  return shipments;
}

bool HasLeft(const Allocation& allocation, const Rows& rows) {
  const auto key = allocation.shipment();
  if (!key.has_value()) return false;
  if (const Shipment* shipment = rows.shipments.Find(*key);
      shipment != nullptr) {
    return shipment->dispatched;
  }
  const ShipmentLeft* beside = rows.shipments_left.Find(*key);
  return beside != nullptr && beside->dispatched;
}

void TouchDispatchShipments(const v1::DispatchShipmentsRequest& request,
                            Rows& rows) {
  for (const auto& key : request.keys()) WantShipped(key, rows);
}

// --- correction of a dispatch

void KeepCorrection(Shipment& shipment, std::string_view kind,
                    std::string_view new_vehicle,
                    const v1::CorrectDispatchRequest& request, Context& context,
                    Rows& rows) {
  const absl::Time occurred_at = context.OccurredAt(request);
  rows.dispatch_corrections.Append(
      {.correction_id = context.NewId(),
       .request_code = shipment.request_code,
       .shipment_code = shipment.shipment_code,
       .kind = std::string(kind),
       .old_vehicle = shipment.vehicle,
       .new_vehicle = std::string(new_vehicle),
       .reason = request.reason(),
       .corrected_by = context.caller().subject,
       .corrected_by_username = context.caller().username,
       .corrected_by_role = context.caller().role,
       .occurred_at = occurred_at,
       .recorded_at = context.now(),
       .correlation_id = context.correlation_id()});
  context.AuditAt(
      occurred_at, "shipment", shipment.key().Text(),
      kind == "VEHICLE" ? "dispatch_corrected" : "dispatch_taken_back",
      {{"old_vehicle", shipment.vehicle},
       {"new_vehicle", std::string(new_vehicle)},
       {"reason", request.reason()}});
  shipment.correction_reason = request.reason();
  shipment.corrected_by = context.caller().subject;
  shipment.corrected_by_username = context.caller().username;
  shipment.corrected_by_role = context.caller().role;
  shipment.corrected_at = occurred_at;
}

void TouchCorrectDispatch(const v1::CorrectDispatchRequest& request,
                          Rows& rows) {
  WantShipped(request.key(), rows);
  rows.shipment_returns.Want(db::ShipmentKey::Of(request.key()));
}

absl::Status JudgeCorrection(const v1::CorrectDispatchRequest& request) {
  switch (request.correction_case()) {
    case v1::CorrectDispatchRequest::kShipmentVehicle:
      if (!request.shipment_vehicle().empty()) return absl::OkStatus();
      return errors::InvalidField("shipment_vehicle", "must not be empty");
    case v1::CorrectDispatchRequest::kTakeBack:
      if (request.take_back()) return absl::OkStatus();
      return errors::InvalidField("take_back", "must be true or not there");
    default:
      return errors::InvalidField("correction", "one of its fields is needed");
  }
}

}  // namespace

void WantShipped(const common::v1::ShipmentKey& key_proto, Rows& rows) {
  const auto key = db::ShipmentKey::Of(key_proto);
  rows.shipments.Want(key);
  rows.shipped_batches.Want(key);
  rows.shipped_bags.Want(key);
  rows.shipments_beside.Want(key);
  rows.shipped_bag_allocations.Want(key);
}

void SettleBags(const std::vector<const Shipment*>& shipments, Context& context,
                Rows& rows) {
  absl::flat_hash_map<Uuid, bool> all_left;
  for (const Shipment* shipment : shipments) {
    for (const Allocation* allocation :
         ActiveAllocations(rows, shipment->key())) {
      all_left.emplace(allocation->barcode, true);
    }
  }
  for (const Allocation* allocation : rows.allocations.All()) {
    const auto bag = all_left.find(allocation->barcode);
    if (bag == all_left.end() || !allocation->active()) continue;
    bag->second &= HasLeft(*allocation, rows);
  }
  for (const auto& [barcode, left] : all_left) {
    const Bag& found = *rows.bags.Find(barcode);
    if (found.remaining_grams > 0 || found.dispatched_by_hand) continue;
    const v1::BagStatus status =
        left ? v1::BAG_STATUS_DISPATCHED : v1::BAG_STATUS_PROCESSED;
    if (found.status == status) continue;
    rows.bags.Edit(found).status = status;
    context.Audit("bag", barcode.ToString(),
                  left ? "dispatched" : "dispatch_taken_back");
  }
}

void TakeBackDispatch(Shipment& shipment) {
  shipment.dispatched = false;
  shipment.dispatch_id.reset();
  shipment.vehicle.clear();
  shipment.dispatched_at.reset();
  shipment.dispatch_recorded_at.reset();
  shipment.dispatched_by.clear();
  shipment.dispatched_by_username.clear();
  shipment.dispatched_by_role = options::v1::ROLE_UNSPECIFIED;
  shipment.dispatched_grams = 0;
  shipment.dispatched_bags = 0;
  shipment.manifest_digest.reset();
}

absl::StatusOr<v1::MarkShipmentReadyResponse> DecideMarkShipmentReady(
    const v1::MarkShipmentReadyRequest& request, Context& context, Rows& rows) {
  return DecideReadiness<v1::MarkShipmentReadyResponse>(
      request, common::v1::READINESS_READY, context, rows);
}

absl::StatusOr<v1::MarkShipmentNotReadyResponse> DecideMarkShipmentNotReady(
    const v1::MarkShipmentNotReadyRequest& request, Context& context,
    Rows& rows) {
  return DecideReadiness<v1::MarkShipmentNotReadyResponse>(
      request, common::v1::READINESS_NOT_READY, context, rows);
}

absl::StatusOr<v1::DispatchShipmentsResponse> DecideDispatchShipments(
    const v1::DispatchShipmentsRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const std::vector<const Shipment*> shipments,
                   FindAll(request, rows));
  std::vector<absl::Status> refusals;
  for (const Shipment* shipment : shipments) {
    for (absl::Status& refusal : RefusalsOf(*shipment, rows)) {
      refusals.push_back(std::move(refusal));
    }
  }
  if (!refusals.empty()) return errors::Together(refusals);

  v1::DispatchShipmentsResponse response;
  const Uuid dispatch_id = context.NewId();
  const absl::Time occurred_at = context.OccurredAt(request);
  response.set_dispatch_id(dispatch_id.ToString());
  std::vector<std::string> tokens;
  for (const Shipment* found : shipments) {
    const std::vector<const Allocation*> manifest =
        ActiveAllocations(rows, found->key());
    Shipment& shipment = rows.shipments.Edit(*found);
    shipment.dispatched = true;
    shipment.dispatch_id = dispatch_id;
    shipment.vehicle = request.shipment_vehicle();
    shipment.dispatched_at = occurred_at;
    shipment.dispatch_recorded_at = context.now();
    shipment.dispatched_by = context.caller().subject;
    shipment.dispatched_by_username = context.caller().username;
    shipment.dispatched_by_role = context.caller().role;
    shipment.dispatched_grams = shipment.allocated_grams;
    shipment.dispatched_bags = BagCount(manifest);
    shipment.manifest_digest = db::Bytes{ManifestDigest(manifest)};
    shipment.Changed(context.now());
    context.AuditAt(occurred_at, "shipment", shipment.key().Text(),
                    "dispatched",
                    {{"vehicle", shipment.vehicle},
                     {"grams", shipment.dispatched_grams},
                     {"bags", shipment.dispatched_bags},
                     {"dispatch_id", response.dispatch_id()}});
    tokens.push_back(Tell(shipment, context));
    *response.add_shipments() = shipment.Shown(shipment.dispatched_bags);
  }
  SettleBags(shipments, context, rows);
  response.set_sync_token(sync::JoinSyncTokens(tokens));
  return response;
}

absl::StatusOr<v1::CorrectDispatchResponse> DecideCorrectDispatch(
    const v1::CorrectDispatchRequest& request, Context& context, Rows& rows) {
  RETURN_IF_ERROR(JudgeCorrection(request));
  const auto key = db::ShipmentKey::Of(request.key());
  const Shipment* found = rows.shipments.Find(key);
  if (found == nullptr) return errors::ShipmentNotFound(key.Text());
  if (found->status != ShipmentStatus::SHIPMENT_STATUS_SHIPMENT_DISPATCHED) {
    return errors::WrongShipmentStatus(*found);
  }
  v1::CorrectDispatchResponse response;
  if (!request.take_back()) {
    Shipment& shipment = rows.shipments.Edit(*found);
    KeepCorrection(shipment, "VEHICLE", request.shipment_vehicle(), request,
                   context, rows);
    shipment.vehicle = request.shipment_vehicle();
    shipment.Changed(context.now());
    response.set_sync_token(Tell(shipment, context));
    *response.mutable_shipment() = Shown(shipment, rows);
    return response;
  }
  if (const ShipmentReturns* returns = rows.shipment_returns.Find(key);
      returns != nullptr) {
    return errors::BagReturned(*found, returns->bags);
  }
  Shipment& shipment = rows.shipments.Edit(*found);
  KeepCorrection(shipment, "TAKEN_BACK", "", request, context, rows);
  TakeBackDispatch(shipment);
  shipment.Changed(context.now());
  SettleBags({&shipment}, context, rows);
  // Grandpass may have cut or cancelled it while it counted as gone.
  if (const int64_t too_much =
          shipment.allocated_grams - shipment.WantedGrams();
      too_much > 0) {
    response.set_sync_token(
        GiveBack(shipment, too_much, context.correlation_id(), context, rows));
  } else {
    response.set_sync_token(Tell(shipment, context));
  }
  *response.mutable_shipment() = Shown(shipment, rows);
  return response;
}

void AddOutbound(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.OutboundService/MarkShipmentReady",
               TouchReadiness<v1::MarkShipmentReadyRequest>,
               DecideMarkShipmentReady);
  commands.Add("mtp.processing.v1.OutboundService/MarkShipmentNotReady",
               TouchReadiness<v1::MarkShipmentNotReadyRequest>,
               DecideMarkShipmentNotReady);
  // Alone: all that the bags of a shipment were given to is read, and must not
  // change within the batch.
  commands.AddAlone("mtp.processing.v1.OutboundService/DispatchShipments",
                    TouchDispatchShipments, DecideDispatchShipments);
  commands.AddAlone("mtp.processing.v1.OutboundService/CorrectDispatch",
                    TouchCorrectDispatch, DecideCorrectDispatch);
  AddOutboundQueries(queries);
}

}  // namespace mtp::processing
