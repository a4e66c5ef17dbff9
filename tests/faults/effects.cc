#include "tests/faults/effects.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/order/v1/users.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::tests {
namespace {

namespace ord = order::v1;
namespace pro = processing::v1;

// One of its rows.
template <typename... Values>
std::string Line(const Values&... values) {
  return absl::StrJoin({absl::StrCat(values)...}, " ");
}

// What the reply to a call says was done.
using Reading = std::function<void(const Deed& deed, Effects& effects)>;

template <typename Request, typename Response>
Reading Read(
    std::function<void(const Request&, const Response&, Effects&)> read) {
  return [read = std::move(read)](const Deed& deed, Effects& effects) {
    Request request;
    Response response;
    if (!request.ParseFromString(deed.request) ||
        !response.ParseFromString(deed.reply)) {
      effects["replies that cannot be read"].insert(deed.method);
      return;
    }
    read(request, response, effects);
  };
}

void AddAllocation(const pro::Allocation& allocation, Effects& effects) {
  effects["allocations"].insert(
      Line(allocation.allocation_id(), allocation.barcode(),
           allocation.has_batch_id() ? allocation.batch_id()
                                     : KeyText(allocation.shipment()),
           allocation.grams() + allocation.released_grams()));
}

void AddShipment(const ord::Shipment& shipment, Effects& effects) {
  effects["shipments"].insert(KeyText(shipment.key()));
}

const std::map<std::string, Reading>& Readings() {
  static const std::map<std::string, Reading> readings = {
      {"RequestService/CreateRequest",
       Read<ord::CreateRequestRequest, ord::CreateRequestResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             if (response.request().shipments().empty()) {
               effects["shipments"].insert("none in a request's reply");
               return;
             }
             effects["requests"].insert(
                 Line(response.request().request_code(),
                      response.request().order_code(),
                      response.request().requirement_grams()));
             AddShipment(response.request().shipments(0), effects);
           })},
      {"ShipmentService/SetShipmentQuantity",
       Read<ord::SetShipmentQuantityRequest, ord::SetShipmentQuantityResponse>(
           [](const auto& request, const auto& response, Effects& effects) {
             if (!response.has_split_off_shipment()) return;
             AddShipment(response.split_off_shipment(), effects);
             effects["cuts"].insert(KeyText(request.key()));
           })},
      {"ShipmentService/CancelShipment",
       Read<ord::CancelShipmentRequest, ord::CancelShipmentResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["cancellations"].insert(KeyText(request.key()));
           })},
      {"ShipmentService/ApproveShipment",
       Read<ord::ApproveShipmentRequest, ord::ApproveShipmentResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["approvals"].insert(KeyText(request.key()) + " ALLOWED");
           })},
      {"ShipmentService/DenyShipment",
       Read<ord::DenyShipmentRequest, ord::DenyShipmentResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["approvals"].insert(KeyText(request.key()) + " DENIED");
           })},
      {"ShipmentService/AcceptShipment",
       Read<ord::AcceptShipmentRequest, ord::AcceptShipmentResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["acceptances"].insert(KeyText(request.key()));
           })},
      {"ScheduleService/CreateSchedule",
       Read<ord::CreateScheduleRequest, ord::CreateScheduleResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             effects["schedules"].insert(
                 Line(response.schedule().schedule_code(),
                      response.schedule().order_code(),
                      response.schedule().quantity_grams()));
           })},
      {"ScheduleService/CompleteSchedule",
       Read<ord::CompleteScheduleRequest, ord::CompleteScheduleResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["completions"].insert(
                 absl::StrCat(request.schedule_code()));
           })},
      {"ScheduleService/ReopenSchedule",
       Read<ord::ReopenScheduleRequest, ord::ReopenScheduleResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["reopenings"].insert(
                 absl::StrCat(request.schedule_code()));
           })},
      {"ScheduleService/UpdateSchedule",
       Read<ord::UpdateScheduleRequest, ord::UpdateScheduleResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["schedule changes"].insert(
                 absl::StrCat(request.schedule_code()));
           })},
      {"UserService/CreateUser",
       Read<ord::CreateUserRequest, ord::CreateUserResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             effects["users"].insert(response.user().subject());
           })},
      {"UserService/DisableUser",
       Read<ord::DisableUserRequest, ord::DisableUserResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["disabled users"].insert(request.subject());
           })},
      {"BagService/ReceiveBag",
       Read<pro::ReceiveBagRequest, pro::ReceiveBagResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             effects["bags"].insert(
                 Line(response.bag().barcode(), response.bag().net_grams()));
           })},
      {"BagService/BatchReceiveBags",
       Read<pro::BatchReceiveBagsRequest, pro::BatchReceiveBagsResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             for (const auto& result : response.results()) {
               if (!result.has_bag()) continue;
               effects["bags"].insert(
                   Line(result.bag().barcode(), result.bag().net_grams()));
             }
           })},
      {"BagService/WriteOffBag",
       Read<pro::WriteOffBagRequest, pro::WriteOffBagResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["write-offs"].insert(
                 Line(request.barcode(), request.grams()));
           })},
      {"AllocationService/AllocateToShipment",
       Read<pro::AllocateToShipmentRequest, pro::AllocateToShipmentResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             AddAllocation(response.allocation(), effects);
           })},
      {"AllocationService/AllocateToBatch",
       Read<pro::AllocateToBatchRequest, pro::AllocateToBatchResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             AddAllocation(response.allocation(), effects);
           })},
      {"AllocationService/BatchAllocate",
       Read<pro::BatchAllocateRequest, pro::BatchAllocateResponse>(
           [](const auto&, const auto& response, Effects& effects) {
             for (const auto& result : response.results()) {
               if (result.has_allocation()) {
                 AddAllocation(result.allocation(), effects);
               }
             }
           })},
      {"AllocationService/ReleaseAllocation",
       Read<pro::ReleaseAllocationRequest, pro::ReleaseAllocationResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["releases"].insert(
                 Line(request.allocation_id(), "RELEASED"));
           })},
      {"AllocationService/MoveAllocation",
       Read<pro::MoveAllocationRequest, pro::MoveAllocationResponse>(
           [](const auto& request, const auto& response, Effects& effects) {
             effects["releases"].insert(Line(request.allocation_id(), "MOVED"));
             AddAllocation(response.allocation(), effects);
           })},
      {"AllocationService/CreateParcel",
       Read<pro::CreateParcelRequest, pro::CreateParcelResponse>(
           [](const auto& request, const auto& response, Effects& effects) {
             effects["parcels"].insert(
                 Line(response.parcel().parcel_id(), request.allocation_id(),
                      request.schedule_code(), request.grams()));
           })},
      {"AllocationService/ReleaseParcel",
       Read<pro::ReleaseParcelRequest, pro::ReleaseParcelResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["released parcels"].insert(request.parcel_id());
           })},
      {"OutboundService/DispatchShipments",
       Read<pro::DispatchShipmentsRequest, pro::DispatchShipmentsResponse>(
           [](const auto& request, const auto& response, Effects& effects) {
             for (const auto& key : request.keys()) {
               effects["dispatches"].insert(
                   Line(KeyText(key), response.dispatch_id()));
             }
           })},
      {"OutboundService/CorrectDispatch",
       Read<pro::CorrectDispatchRequest, pro::CorrectDispatchResponse>(
           [](const auto& request, const auto&, Effects& effects) {
             effects["dispatch corrections"].insert(
                 request.take_back()
                     ? Line(KeyText(request.key()), "TAKEN_BACK")
                     : Line(KeyText(request.key()), "VEHICLE",
                            request.shipment_vehicle()));
           })},
  };
  return readings;
}

// The same lines as the readings make.
struct Keeping {
  Side side;
  const char* what;
  const char* query;
};

constexpr Keeping kKept[] = {
    {SIDE_ORDER, "requests",
     "SELECT request_code || ' ' || order_code || ' ' || requirement_grams "
     "FROM order_request"},
    // Those that a short dispatch split off nobody asked for.
    {SIDE_ORDER, "shipments",
     "SELECT s.request_code || '/' || s.shipment_code FROM shipment AS s LEFT "
     "JOIN shipment AS whole ON whole.request_code = s.request_code AND "
     "whole.shipment_code = s.split_from_shipment_code WHERE NOT EXISTS "
     "(SELECT FROM shipment_event AS e WHERE (e.request_code, "
     "e.shipment_code) = (s.request_code, s.shipment_code) AND e.cause = "
     "'SPLIT_OFF' AND e.said_by_role = 'SEEDUWA_OPERATOR')"},
    {SIDE_ORDER, "cuts",
     "SELECT request_code || '/' || shipment_code FROM shipment_event WHERE "
     "cause = 'QUANTITY_LOWERED' AND said_by_role <> 'SEEDUWA_OPERATOR'"},
    {SIDE_ORDER, "cancellations",
     "SELECT request_code || '/' || shipment_code FROM shipment_event WHERE "
     "cause = 'CANCELLED'"},
    {SIDE_ORDER, "approvals",
     "SELECT request_code || '/' || shipment_code || ' ' || CASE to_status "
     "WHEN "
     "'APPROVAL_ALLOWED' THEN 'ALLOWED' ELSE 'DENIED' END FROM shipment_event "
     "WHERE to_status IN ('APPROVAL_ALLOWED', 'APPROVAL_DENIED')"},
    {SIDE_ORDER, "acceptances",
     "SELECT request_code || '/' || shipment_code FROM shipment_event WHERE "
     "cause = 'ACCEPTED'"},
    {SIDE_ORDER, "schedules",
     "SELECT schedule_code || ' ' || order_code || ' ' || quantity_grams FROM "
     "schedule"},
    {SIDE_ORDER, "completions",
     "SELECT entity_key FROM audit.entry WHERE entity_kind = 'schedule' AND "
     "action = 'completed'"},
    {SIDE_ORDER, "reopenings",
     "SELECT entity_key FROM audit.entry WHERE entity_kind = 'schedule' AND "
     "action = 'reopened'"},
    {SIDE_ORDER, "schedule changes",
     "SELECT entity_key FROM audit.entry WHERE entity_kind = 'schedule' AND "
     "action = 'updated'"},
    {SIDE_ORDER, "schedules completed now",
     "SELECT schedule_code FROM schedule WHERE completed"},
    {SIDE_ORDER, "users", "SELECT subject FROM admin.user_account"},
    {SIDE_ORDER, "disabled users",
     "SELECT subject FROM admin.user_account WHERE disabled"},
    {SIDE_PROCESSING, "bags", "SELECT barcode || ' ' || net_grams FROM bag"},
    {SIDE_PROCESSING, "write-offs",
     "SELECT barcode || ' ' || grams FROM write_off"},
    {SIDE_PROCESSING, "allocations",
     "SELECT allocation_id || ' ' || barcode || ' ' || "
     "coalesce(batch_id::text, "
     "request_code || '/' || shipment_code) || ' ' || grams + released_grams "
     "FROM allocation"},
    {SIDE_PROCESSING, "releases",
     "SELECT allocation_id || ' ' || reason FROM allocation_release WHERE "
     "reason <> 'GIVEN_BACK'"},
    {SIDE_PROCESSING, "parcels",
     "SELECT parcel_id || ' ' || allocation_id || ' ' || schedule_code || ' ' "
     "|| grams FROM parcel"},
    {SIDE_PROCESSING, "released parcels",
     "SELECT parcel_id FROM parcel WHERE released_at IS NOT NULL"},
    {SIDE_PROCESSING, "dispatches",
     "SELECT entity_key || ' ' || (change ->> 'dispatch_id') FROM audit.entry "
     "WHERE entity_kind = 'shipment' AND action = 'dispatched'"},
    {SIDE_PROCESSING, "dispatch corrections",
     "SELECT request_code || '/' || shipment_code || ' ' || kind || CASE "
     "new_vehicle WHEN '' THEN '' ELSE ' ' || new_vehicle END FROM "
     "dispatch_correction"},
    {SIDE_PROCESSING, "shipments that are gone",
     "SELECT request_code || '/' || shipment_code FROM shipment WHERE "
     "dispatched"},
};

void TakeOne(const std::string& line, std::multiset<std::string>& lines) {
  if (const auto at = lines.find(line); at != lines.end()) lines.erase(at);
}

}  // namespace

bool HasEffect(const Deed& deed) {
  if (deed.outcome != Deed::Outcome::kDone) return false;
  if (deed.Name() != "AllocationService/BatchAllocate" &&
      deed.Name() != "ShipmentService/SetShipmentQuantity") {
    return true;
  }
  Effects effects;
  Readings().at(deed.Name())(deed, effects);
  return !effects.empty();
}

Effects EffectsOf(const std::vector<Deed>& deeds) {
  Effects effects;
  for (const Keeping& keeping : kKept) effects[keeping.what];
  for (const Deed& deed : deeds) {
    const auto reading = Readings().find(deed.Name());
    if (deed.outcome == Deed::Outcome::kDone && reading != Readings().end()) {
      reading->second(deed, effects);
    }
  }
  // What was done and undone, as often.
  for (const std::string& line : effects["dispatches"])
    effects["shipments that are gone"].insert(line.substr(0, line.find(' ')));
  for (const std::string& line : effects["dispatch corrections"]) {
    if (line.ends_with(" TAKEN_BACK"))
      TakeOne(line.substr(0, line.find(' ')),
              effects["shipments that are gone"]);
  }
  effects["schedules completed now"] = effects["completions"];
  for (const std::string& line : effects["reopenings"])
    TakeOne(line, effects["schedules completed now"]);
  return effects;
}

Effects EffectsIn(const Stack& stack) {
  Effects effects;
  for (const Keeping& keeping : kKept) {
    std::multiset<std::string>& lines = effects[keeping.what];
    for (const auto& row : stack.Database(keeping.side).Query(keeping.query)) {
      lines.insert(row[0]);
    }
  }
  return effects;
}

}  // namespace mtp::tests
