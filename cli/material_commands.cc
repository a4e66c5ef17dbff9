#include "cli/commands.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

void AddLocations(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "location", "Places where bags lie");
  Verb<CreateLocationRequest, CreateLocationResponse>(group, session, "create",
                                                      "Makes a location")
      .Argument("NAME", "location.name", "As \"Stores A-12\"")
      .Option("--herbs", "location.herb_section", "For herbs, and only herbs")
      .Shows([](const CreateLocationResponse& response) {
        Many<Location> one;
        *one.Add() = response.location();
        return LocationsText(one);
      });
  Verb<ListLocationsRequest, ListLocationsResponse>(
      group, session, "list", "Lists locations and what lies there")
      .Option("--herbs", "herb_section", "Only herb sections, or only others")
      .Shows([](const auto& response) {
        return LocationsText(response.locations());
      });
}

void AddTealines(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "tealine", "Lots of raw tea");
  Verb<CreateTealineRequest, CreateTealineResponse>(
      group, session, "create", "Defines a lot as it was invoiced")
      .Argument("CODE", "tealine.item_code", "What people call it")
      .Needed("--invoice", "tealine.invoice", "The invoice it came with")
      .Needed("--grade", "tealine.grade", "As BOPF")
      .Needed("--garden", "tealine.garden", "The estate it was grown on")
      .Option("--broker", "tealine.broker", "The broker")
      .Option("--purchase-order", "tealine.purchase_order",
              "The purchase order")
      .Needed("--bags", "tealine.bag_count", "Bags invoiced")
      .Needed("--each", "tealine.bag_grams", "Net weight of one bag")
      .Shows([](const CreateTealineResponse& response) {
        Many<Tealine> one;
        *one.Add() = response.tealine();
        return TealinesText(one);
      });
  Verb<ListTealinesRequest, ListTealinesResponse>(
      group, session, "list", "Lists lots and what was received of each")
      .Option("--code", "item_code", "Only of this code")
      .Option("--garden", "garden", "Only of this garden")
      .Option("--grade", "grade", "Only of this grade")
      .Option("--invoice", "invoice", "Only of this invoice")
      .Option("--pending", "pending", "Only with bags to come, or without")
      .Shows([](const auto& response) {
        return TealinesText(response.tealines());
      });
}

void AddBlendbalances(CLI::App& app, Session& session) {
  CLI::App& group =
      Group(app, "blendbalance", "Left-over blend returned for use");
  Verb<CreateBlendbalanceRequest, CreateBlendbalanceResponse>(
      group, session, "create", "Defines a left-over blend")
      .Argument("CODE", "blendbalance.item_code", "What people call it")
      .Needed("--blend", "blendbalance.blend_code", "The blend it is of")
      .Needed("--transfer", "blendbalance.transfer_id",
              "The paper it came with")
      .Option("--expected", "blendbalance.expected_grams",
              "No more than this is received")
      .Shows([](const CreateBlendbalanceResponse& response) {
        Many<Blendbalance> one;
        *one.Add() = response.blendbalance();
        return BlendbalancesText(one);
      });
  Verb<ListBlendbalancesRequest, ListBlendbalancesResponse>(
      group, session, "list", "Lists left-over blends")
      .Option("--code", "item_code", "Only of this code")
      .Option("--blend", "blend_code", "Only of this blend")
      .Shows([](const auto& response) {
        return BlendbalancesText(response.blendbalances());
      });
}

}  // namespace

void AddMaterialCommands(CLI::App& app, Session& session) {
  AddLocations(app, session);
  AddTealines(app, session);
  AddBlendbalances(app, session);
}

}  // namespace mtp::cli
