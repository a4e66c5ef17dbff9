#include "order_service/shipments.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/base/weights.h"
#include "order_service/errors.h"
#include "order_service/exceptions.h"

namespace mtp::order {
namespace {

using common::v1::ShipmentStatus;
using handlers::Actor;

// Scales and tares differ, but nobody receives more than twice what left.
constexpr int64_t kMostTimesReceived = 2;
// Those of the two sites, and of stations that tell things later.
constexpr absl::Duration kClocksDiffer = absl::Hours(1);

// --- what the steps have in common

absl::StatusOr<const Shipment*> FindShipment(const common::v1::ShipmentKey& key,
                                             const Rows& rows) {
  const Shipment* shipment = rows.shipments.Find(db::ShipmentKey::Of(key));
  if (shipment == nullptr) return errors::ShipmentNotFound(KeyText(key));
  return shipment;
}

Said SaidNow(std::string remarks, const Context& context) {
  return {.actor = Actor::Of(context.caller()),
          .occurred_at = context.now(),
          .remarks = std::move(remarks)};
}

template <typename Request>
void WantShipment(const Request& request, Rows& rows) {
  const auto key = db::ShipmentKey::Of(request.key());
  rows.shipments.Want(key);
  WantExceptions(key, rows);
}

// --- SetShipmentQuantity

void TouchSetShipmentQuantity(const v1::SetShipmentQuantityRequest& request,
                              Rows& rows) {
  rows.requests.Want(request.key().request_code());
  WantShipment(request, rows);
}

// A quantity goes down only, to what is known to be allocated at least.
absl::Status JudgeQuantity(const Shipment& shipment, int64_t quantity_grams) {
  if (!shipment.Open()) return errors::ShipmentNotOpen(shipment);
  if (quantity_grams > shipment.quantity_grams) {
    return errors::QuantityCannotGrow(shipment, quantity_grams);
  }
  if (quantity_grams < shipment.allocated_grams) {
    return errors::BelowAllocated(shipment, quantity_grams);
  }
  return absl::OkStatus();
}

// --- ApproveShipment, DenyShipment

absl::StatusOr<Shipment*> EditAwaitingApproval(
    const common::v1::ShipmentKey& key, Rows& rows) {
  ASSIGN_OR_RETURN(const Shipment* found, FindShipment(key, rows));
  if (found->status != common::v1::SHIPMENT_STATUS_APPROVAL_REQUESTED) {
    return errors::WrongShipmentStatus(*found);
  }
  return &rows.shipments.Edit(*found);
}

void Approve(Shipment& shipment, ApprovalState approval, const Said& said) {
  shipment.approval = approval;
  shipment.approval_remarks = said.remarks;
  shipment.approval_by = said.actor.subject;
  shipment.approval_by_username = said.actor.username;
  shipment.approval_by_role = said.actor.role;
  shipment.approval_at = said.occurred_at;
}

// --- AcceptShipment

// A barcode as it is kept: without the label's `kind:`. The format was checked.
Uuid BarcodeOf(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) text.remove_prefix(colon + 1);
  return Uuid::Parse(text).value_or(Uuid{});
}

// The bags named, by kind of difference. However it is written, a bag is named
// once.
absl::StatusOr<std::map<std::string, std::vector<Uuid>>> BagsByDifference(
    const v1::AcceptanceDifferences& differences) {
  std::map<std::string, std::vector<Uuid>> bags;
  std::set<Uuid> seen;
  for (const auto& [kind, barcodes] :
       {std::pair("MISSING", &differences.missing_barcodes()),
        std::pair("DAMAGED", &differences.damaged_barcodes()),
        std::pair("SENT_BACK", &differences.sent_back_barcodes())}) {
    std::vector<Uuid>& named = bags[kind];
    for (const std::string& text : *barcodes) {
      const Uuid barcode = BarcodeOf(text);
      if (!seen.insert(barcode).second)
        return errors::BarcodeTwice(barcode.ToString());
      named.push_back(barcode);
    }
    std::sort(named.begin(), named.end());
  }
  return bags;
}

void ShowBags(const std::vector<Uuid>& bags,
              google::protobuf::RepeatedPtrField<std::string>* proto) {
  for (const Uuid& barcode : bags) *proto->Add() = barcode.ToString();
}

// --- CancelShipment

void TouchCancelShipment(const v1::CancelShipmentRequest& request, Rows& rows) {
  rows.plans_of_requests.Want(request.key().request_code());
  rows.requests.Want(request.key().request_code());
  WantShipment(request, rows);
}

// What was cancelled can be requested again.
void GiveBackToPlan(const Shipment& shipment, Rows& rows) {
  const OrderRequest* request = rows.requests.Find(shipment.request_code);
  if (request == nullptr || !request->CountsAgainstPlan()) return;
  const Plan* found = rows.plans.Find(request->order_code);
  if (found == nullptr) return;
  Plan& plan = rows.plans.Edit(*found);
  plan.requested_grams -= shipment.quantity_grams;
  plan.excess_grams = std::min(
      plan.excess_grams,
      std::max<int64_t>(0, plan.requested_grams - plan.requirement_grams));
}

}  // namespace

absl::StatusOr<v1::SetShipmentQuantityResponse> DecideSetShipmentQuantity(
    const v1::SetShipmentQuantityRequest& request, Context& context,
    Rows& rows) {
  ASSIGN_OR_RETURN(const Shipment* found, FindShipment(request.key(), rows));
  if (!request.etag().empty() && request.etag() != found->etag()) {
    return errors::EtagMismatch("shipment", found->key().Text());
  }
  RETURN_IF_ERROR(JudgeQuantity(*found, request.quantity_grams()));

  v1::SetShipmentQuantityResponse response;
  if (request.quantity_grams() < found->quantity_grams) {
    const SplitOff split =
        Split(rows.shipments.Edit(*found), request.quantity_grams(),
              SaidNow(request.order_remarks(), context), context, rows);
    *response.mutable_split_off_shipment() = split.rest->Shown();
    response.set_sync_token(split.sync_token);
  }
  *response.mutable_shipment() = ShownWithExceptions(*found, rows);
  return response;
}

absl::StatusOr<v1::ApproveShipmentResponse> DecideApproveShipment(
    const v1::ApproveShipmentRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(Shipment * shipment,
                   EditAwaitingApproval(request.key(), rows));
  const Said said = SaidNow(request.order_remarks(), context);
  Approve(*shipment, ApprovalState::kAllowed, said);
  shipment->Changed(context.now());
  Record(*shipment, v1::SHIPMENT_EVENT_CAUSE_APPROVED,
         common::v1::SHIPMENT_STATUS_APPROVAL_REQUESTED,
         common::v1::SHIPMENT_STATUS_APPROVAL_ALLOWED, said, context, rows);
  Record(*shipment, v1::SHIPMENT_EVENT_CAUSE_APPROVED,
         common::v1::SHIPMENT_STATUS_APPROVAL_ALLOWED, said, context, rows);
  context.Audit("shipment", shipment->key().Text(), "approved",
                {{"order_remarks", request.order_remarks()}});

  v1::ApproveShipmentResponse response;
  response.set_sync_token(Tell(*shipment, context));
  *response.mutable_shipment() = ShownWithExceptions(*shipment, rows);
  return response;
}

absl::StatusOr<v1::DenyShipmentResponse> DecideDenyShipment(
    const v1::DenyShipmentRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(Shipment * shipment,
                   EditAwaitingApproval(request.key(), rows));
  const Said said = SaidNow(request.order_remarks(), context);
  Approve(*shipment, ApprovalState::kDenied, said);
  shipment->Changed(context.now());
  Record(*shipment, v1::SHIPMENT_EVENT_CAUSE_DENIED,
         common::v1::SHIPMENT_STATUS_APPROVAL_REQUESTED, said, context, rows);
  context.Audit("shipment", shipment->key().Text(), "denied",
                {{"order_remarks", request.order_remarks()}});

  v1::DenyShipmentResponse response;
  *response.mutable_shipment() = ShownWithExceptions(*shipment, rows);
  return response;
}

// What is accepted is accepted for good: a slip of the finger at the gate is
// told while it can be mended.
absl::Status CheckAcceptance(const v1::AcceptShipmentRequest& request,
                             const Shipment& shipment, size_t lost_bags,
                             absl::Time occurred_at) {
  const std::string name = "shipment " + shipment.key().Text();
  if (static_cast<int64_t>(lost_bags) > shipment.dispatched_bags) {
    return errors::AcceptanceImpossible(
        shipment, absl::StrCat(name, " left with ", shipment.dispatched_bags,
                               " bags, and ", lost_bags,
                               " are said to be missing or damaged"));
  }
  const int64_t received = request.differences().received_grams();
  if (received > kMostTimesReceived * shipment.dispatched_grams) {
    return errors::AcceptanceImpossible(
        shipment,
        absl::StrCat(name, " left with ", Kilograms(shipment.dispatched_grams),
                     ", and ", Kilograms(received),
                     " are said to be received"));
  }
  if (shipment.dispatched_at.has_value() &&
      occurred_at < *shipment.dispatched_at - kClocksDiffer) {
    return errors::AcceptanceImpossible(
        shipment,
        absl::StrCat(name, " is said to be accepted before it left, at ",
                     absl::FormatTime("%Y-%m-%d %H:%M", *shipment.dispatched_at,
                                      absl::UTCTimeZone()),
                     " UTC"));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::AcceptShipmentResponse> DecideAcceptShipment(
    const v1::AcceptShipmentRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(auto bags, BagsByDifference(request.differences()));
  ASSIGN_OR_RETURN(const Shipment* found, FindShipment(request.key(), rows));
  if (found->status != common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED) {
    return errors::WrongShipmentStatus(*found);
  }

  RETURN_IF_ERROR(CheckAcceptance(
      request, *found, bags["MISSING"].size() + bags["DAMAGED"].size(),
      context.OccurredAt(request)));

  Shipment& shipment = rows.shipments.Edit(*found);
  const Said said{.actor = Actor::Of(context.caller()),
                  .occurred_at = context.OccurredAt(request),
                  .remarks = request.shipment_remarks(),
                  .vehicle = shipment.dispatch_vehicle};
  shipment.accepted = true;
  shipment.accept_remarks = said.remarks;
  shipment.accepted_by = said.actor.subject;
  shipment.accepted_by_username = said.actor.username;
  shipment.accepted_by_role = said.actor.role;
  shipment.accepted_at = said.occurred_at;
  shipment.accept_recorded_at = context.now();
  if (request.differences().has_received_grams()) {
    shipment.received_grams = request.differences().received_grams();
  }
  shipment.Changed(context.now());
  for (const auto& [kind, barcodes] : bags) {
    for (const Uuid& barcode : barcodes) {
      rows.shipment_differences.Append({.request_code = shipment.request_code,
                                        .shipment_code = shipment.shipment_code,
                                        .barcode = barcode,
                                        .kind = kind,
                                        .recorded_at = context.now()});
    }
  }
  Record(shipment, v1::SHIPMENT_EVENT_CAUSE_ACCEPTED,
         common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED, said, context, rows);
  const auto count = [&](const char* kind) {
    return static_cast<int64_t>(bags[kind].size());
  };
  context.AuditAt(
      said.occurred_at, "shipment", shipment.key().Text(), "accepted",
      {{"received_grams",
        shipment.received_grams.value_or(shipment.dispatched_grams)},
       {"missing_bags", count("MISSING")},
       {"damaged_bags", count("DAMAGED")},
       {"sent_back_bags", count("SENT_BACK")},
       {"shipment_remarks", said.remarks}});
  if (shipment.received_grams.value_or(shipment.dispatched_grams) !=
          shipment.dispatched_grams ||
      count("MISSING") + count("DAMAGED") + count("SENT_BACK") > 0) {
    OpenAcceptedWithDifferences(shipment, count("MISSING"), count("DAMAGED"),
                                count("SENT_BACK"), context.correlation_id(),
                                context, rows);
  }

  v1::AcceptShipmentResponse response;
  response.set_sync_token(Tell(shipment, context));
  *response.mutable_shipment() = ShownWithExceptions(shipment, rows);
  v1::AcceptanceDifferences& shown =
      *response.mutable_shipment()->mutable_acceptance()->mutable_differences();
  ShowBags(bags["MISSING"], shown.mutable_missing_barcodes());
  ShowBags(bags["DAMAGED"], shown.mutable_damaged_barcodes());
  ShowBags(bags["SENT_BACK"], shown.mutable_sent_back_barcodes());
  return response;
}

absl::StatusOr<v1::CancelShipmentResponse> DecideCancelShipment(
    const v1::CancelShipmentRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Shipment* found, FindShipment(request.key(), rows));
  if (!found->Open()) return errors::ShipmentNotOpen(*found);
  if (found->allocated_grams > 0) return errors::ShipmentHasAllocations(*found);

  Shipment& shipment = rows.shipments.Edit(*found);
  const Said said = SaidNow(request.order_remarks(), context);
  const ShipmentStatus from = shipment.status;
  shipment.cancelled = true;
  shipment.cancel_remarks = said.remarks;
  shipment.cancelled_by = said.actor.subject;
  shipment.cancelled_by_username = said.actor.username;
  shipment.cancelled_by_role = said.actor.role;
  shipment.cancelled_at = said.occurred_at;
  shipment.Changed(context.now());
  GiveBackToPlan(shipment, rows);
  Record(shipment, v1::SHIPMENT_EVENT_CAUSE_CANCELLED, from, said, context,
         rows);
  context.Audit("shipment", shipment.key().Text(), "cancelled",
                {{"quantity_grams", shipment.quantity_grams},
                 {"order_remarks", said.remarks}});

  v1::CancelShipmentResponse response;
  response.set_sync_token(Tell(shipment, context));
  *response.mutable_shipment() = ShownWithExceptions(shipment, rows);
  return response;
}

void AddShipments(Commands& commands, Queries& queries) {
  commands.Add("mtp.order.v1.ShipmentService/SetShipmentQuantity",
               TouchSetShipmentQuantity, DecideSetShipmentQuantity);
  commands.Add("mtp.order.v1.ShipmentService/ApproveShipment",
               WantShipment<v1::ApproveShipmentRequest>, DecideApproveShipment);
  commands.Add("mtp.order.v1.ShipmentService/DenyShipment",
               WantShipment<v1::DenyShipmentRequest>, DecideDenyShipment);
  commands.Add("mtp.order.v1.ShipmentService/AcceptShipment",
               WantShipment<v1::AcceptShipmentRequest>, DecideAcceptShipment);
  commands.Add("mtp.order.v1.ShipmentService/CancelShipment",
               TouchCancelShipment, DecideCancelShipment);
  AddShipmentQueries(queries);
}

}  // namespace mtp::order
