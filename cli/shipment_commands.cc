#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/order_views.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::cli {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject

constexpr char kShipment[] = "SHIPMENT";
constexpr char kShipmentHelp[] = "As 17/1";

template <typename Response>
std::string ItsShipment(const Response& response) {
  return ShipmentText(response.shipment());
}

void AddReading(CLI::App& group, Session& session) {
  Verb<ListShipmentsRequest, ListShipmentsResponse>(
      group, session, "list", "Lists shipments as Grandpass sees them")
      .Option("--status", "statuses", "Only in this status")
      .Option("--request", "request_code", "Only of this request")
      .Option("--order", "order_code", "Only of this order code")
      .Option("--blend", "item_code", "Only of this blend")
      .Option("--vehicle", "shipment_vehicle", "Only with this vehicle")
      .Option("--special", "special", "Only special ones, or only others")
      .Option("--exceptions", "only_exceptions",
              "Only where something does not fit")
      .Shows([](const auto& response) {
        return ShipmentsText(response.shipments());
      });

  Verb<GetShipmentRequest, GetShipmentResponse>(group, session, "show",
                                                "One shipment")
      .Argument(kShipment, "key", kShipmentHelp)
      .Shows(ItsShipment<GetShipmentResponse>);

  Verb<ListShipmentEventsRequest, ListShipmentEventsResponse>(
      group, session, "events", "What happened to shipments")
      .Option(kShipment, "key", "As 17/1; without it, to all")
      .Option("--request", "request_code", "To all shipments of this request")
      .Option("--order", "order_code", "Only of this order code")
      .Shows(
          [](const auto& response) { return EventsText(response.events()); });

  Verb<processing::v1::ListOpenShipmentsRequest,
       processing::v1::ListOpenShipmentsResponse>(
      group, session, "waiting", "What waits for goods, as Seeduwa sees it")
      .Option("--status", "statuses", "In this status instead")
      .Option("--request", "request_code", "Only of this request")
      .Option("--order", "order_code", "Only of this order code")
      .Option("--missing", "missing", "Only with something missing, or without")
      .Shows([](const auto& response) {
        const std::string heard = TimeText(response.peer_heard_at());
        return absl::StrCat(
            OpenShipmentsText(response.shipments()), "Grandpass was heard ",
            heard.empty() ? "never\n" : "last at " + heard + " UTC\n");
      });
}

void AddDeciding(CLI::App& group, Session& session) {
  Verb<AcceptShipmentRequest, AcceptShipmentResponse>(
      group, session, "accept", "Accepts at the gate what arrived")
      .Argument(kShipment, "key", kShipmentHelp)
      .Needed("--remarks", "shipment_remarks", "What the gate says")
      .Option("--received", "differences.received_grams",
              "Weighed on arrival, if it differs")
      .Option("--missing", "differences.missing_barcodes",
              "Bags that did not arrive")
      .Option("--damaged", "differences.damaged_barcodes",
              "Bags that arrived damaged")
      .Option("--sent-back", "differences.sent_back_barcodes",
              "Bags that go back to Seeduwa")
      .Shows(ItsShipment<AcceptShipmentResponse>);

  Verb<ApproveShipmentRequest, ApproveShipmentResponse>(
      group, session, "approve", "Allows a special request")
      .Argument(kShipment, "key", kShipmentHelp)
      .Option("--remarks", "order_remarks", "Why")
      .Shows(ItsShipment<ApproveShipmentResponse>);

  Verb<DenyShipmentRequest, DenyShipmentResponse>(
      group, session, "deny", "Denies a special request, for good")
      .Argument(kShipment, "key", kShipmentHelp)
      .Needed("--remarks", "order_remarks", "Why")
      .Shows(ItsShipment<DenyShipmentResponse>);

  Verb<CancelShipmentRequest, CancelShipmentResponse>(group, session, "cancel",
                                                      "Cancels a shipment")
      .Argument(kShipment, "key", kShipmentHelp)
      .Needed("--remarks", "order_remarks", "Why")
      .Shows(ItsShipment<CancelShipmentResponse>);

  Verb<SetShipmentQuantityRequest, SetShipmentQuantityResponse>(
      group, session, "lower",
      "Lowers the quantity; the rest is another shipment")
      .Argument(kShipment, "key", kShipmentHelp)
      .Argument("WEIGHT", "quantity_grams", "What it is from now on")
      .Option("--remarks", "order_remarks", "Why")
      .Shows([](const SetShipmentQuantityResponse& response) {
        Many<Shipment> both;
        *both.Add() = response.shipment();
        if (response.has_split_off_shipment()) {
          *both.Add() = response.split_off_shipment();
        }
        return ShipmentsText(both);
      });
}

}  // namespace

void AddShipmentCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "shipment", "Shipments");
  AddReading(group, session);
  AddDeciding(group, session);
}

}  // namespace mtp::cli
