#include "cli/commands.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

template <typename Response>
std::string ItsShipment(const Response& response) {
  Many<OpenShipment> one;
  *one.Add() = response.shipment();
  return OpenShipmentsText(one);
}

}  // namespace

void AddOutboundCommands(CLI::App& app, Session& session) {
  Verb<MarkShipmentReadyRequest, MarkShipmentReadyResponse>(
      app, session, "ready", "Says that a shipment's goods stand ready")
      .Argument("SHIPMENT", "key", "As 17/1")
      .Option("--remarks", "order_remarks", "For Grandpass")
      .Shows(ItsShipment<MarkShipmentReadyResponse>);

  Verb<MarkShipmentNotReadyRequest, MarkShipmentNotReadyResponse>(
      app, session, "not-ready", "Says that they do not, and why")
      .Argument("SHIPMENT", "key", "As 17/1")
      .Needed("--remarks", "order_remarks", "Why")
      .Shows(ItsShipment<MarkShipmentNotReadyResponse>);

  Verb<DispatchShipmentsRequest, DispatchShipmentsResponse>(
      app, session, "dispatch", "Lets shipments leave with one vehicle")
      .Argument("SHIPMENT", "keys", "As 17/1, one or several")
      .Needed("--vehicle", "shipment_vehicle", "The vehicle")
      .Shows([](const auto& response) {
        return OpenShipmentsText(response.shipments());
      });

  Verb<CorrectDispatchRequest, CorrectDispatchResponse> correct(
      app, session, "correct-dispatch",
      "Mends a dispatch until the shipment is accepted");
  correct.Argument("SHIPMENT", "key", "As 17/1")
      .Option("--vehicle", "shipment_vehicle", "It left with this one")
      .Option("--take-back", "take_back", "It did not leave");
  // The contract takes one; the other would be lost without a word.
  correct.command()
      .get_option("--vehicle")
      ->excludes(correct.command().get_option("--take-back"));
  correct.Needed("--reason", "reason", "Why it was wrong")
      .Prepared([](CorrectDispatchRequest& request) {
        return request.correction_case() ==
                       CorrectDispatchRequest::CORRECTION_NOT_SET
                   ? UsageError("say what was wrong: --vehicle or --take-back")
                   : absl::OkStatus();
      })
      .Shows(ItsShipment<CorrectDispatchResponse>);

  Verb<GetShipmentManifestRequest, GetShipmentManifestResponse>(
      app, session, "manifest", "What a shipment carries, bag by bag")
      .Argument("SHIPMENT", "key", "As 17/1")
      .Shows(ManifestText);
}

}  // namespace mtp::cli
