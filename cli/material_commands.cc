#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/lookups.h"
#include "cli/material_views.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/processing/v1/materials.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

constexpr char kCode[] = "CODE";
constexpr char kCodeHelp[] = "What people call it, or its id";

using Lookup = absl::StatusOr<std::string> (*)(Session&, const std::string&);

// A verb on one lot, which is named as people name it.
template <typename Request, typename Response>
Verb<Request, Response> OnItem(CLI::App& group, Session& session,
                               const std::string& name, const std::string& help,
                               Lookup lookup) {
  Verb<Request, Response> verb(group, session, name, help);
  verb.Looked(kCode, "", kCodeHelp, true,
              [&session, lookup](const std::string& text, Request& request) {
                ASSIGN_OR_RETURN(*request.mutable_item_id(),
                                 lookup(session, text));
                return absl::OkStatus();
              });
  return verb;
}

template <typename Response>
std::string Removed(const Response&) {
  return "removed\n";
}

void AddTealines(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "tealine", "Lots of raw tea");
  Verb<CreateTealineRequest, CreateTealineResponse>(
      group, session, "create", "Defines a lot as it was invoiced")
      .Argument(kCode, "tealine.item_code", "What people call it")
      .Needed("--invoice", "tealine.invoice", "The invoice it came with")
      .Needed("--grade", "tealine.grade", "As BOPF")
      .Needed("--garden", "tealine.garden", "The estate it was grown on")
      .Option("--broker", "tealine.broker", "The broker")
      .Option("--purchase-order", "tealine.purchase_order",
              "The purchase order")
      .Needed("--bags", "tealine.bag_count", "Bags invoiced")
      .Needed("--each", "tealine.bag_grams", "Net weight of one bag")
      .Shows(
          [](const auto& response) { return TealineText(response.tealine()); });
  Verb<ListTealinesRequest, ListTealinesResponse>(
      group, session, "list", "Lists lots and what was received of each")
      .Option("--code", "item_code", "Only of this code")
      .Option("--garden", "garden", "Only of this garden")
      .Option("--grade", "grade", "Only of this grade")
      .Option("--broker", "broker", "Only of this broker")
      .Option("--invoice", "invoice", "Only of this invoice")
      .Option("--pending", "pending", "Only with bags to come, or without")
      .Shows([](const auto& response) {
        return TealinesText(response.tealines());
      });
  OnItem<GetTealineRequest, GetTealineResponse>(group, session, "show",
                                                "One lot", TealineId)
      .Shows(
          [](const auto& response) { return TealineText(response.tealine()); });
  OnItem<UpdateTealineRequest, UpdateTealineResponse>(
      group, session, "update", "Changes what a lot says of itself", TealineId)
      .Change("--invoice", "tealine.invoice", "The invoice it came with")
      .Change("--grade", "tealine.grade", "As BOPF")
      .Change("--garden", "tealine.garden", "The estate it was grown on")
      .Change("--broker", "tealine.broker", "The broker")
      .Change("--purchase-order", "tealine.purchase_order",
              "The purchase order")
      .Change("--bags", "tealine.bag_count", "Bags invoiced")
      .Change("--each", "tealine.bag_grams", "Net weight of one bag")
      .Shows(
          [](const auto& response) { return TealineText(response.tealine()); });
  OnItem<DeleteTealineRequest, DeleteTealineResponse>(
      group, session, "delete", "Removes a lot that nothing hangs on",
      TealineId)
      .Shows(Removed<DeleteTealineResponse>);
}

void AddHerblines(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "herbline", "Lots of herbs");
  Verb<CreateHerblineRequest, CreateHerblineResponse>(group, session, "create",
                                                      "Defines a lot of herbs")
      .Argument(kCode, "herbline.item_code", "What people call it")
      .Needed("--herb", "herbline.name", "The herb, as Lemongrass")
      .Option("--purchase-order", "herbline.purchase_order",
              "The purchase order")
      .Needed("--expected", "herbline.expected_grams", "What is to come")
      .Shows([](const auto& response) {
        return HerblineText(response.herbline());
      });
  Verb<ListHerblinesRequest, ListHerblinesResponse>(
      group, session, "list", "Lists lots and what was received of each")
      .Option("--code", "item_code", "Only of this code")
      .Option("--herb", "name", "Only of this herb")
      .Option("--purchase-order", "purchase_order",
              "Only of this purchase order")
      .Option("--pending", "pending", "Only with weight to come, or without")
      .Shows([](const auto& response) {
        return HerblinesText(response.herblines());
      });
  OnItem<GetHerblineRequest, GetHerblineResponse>(group, session, "show",
                                                  "One lot", HerblineId)
      .Shows([](const auto& response) {
        return HerblineText(response.herbline());
      });
  OnItem<UpdateHerblineRequest, UpdateHerblineResponse>(
      group, session, "update", "Changes what a lot says of itself", HerblineId)
      .Change("--herb", "herbline.name", "The herb, as Lemongrass")
      .Change("--purchase-order", "herbline.purchase_order",
              "The purchase order")
      .Change("--expected", "herbline.expected_grams", "What is to come")
      .Shows([](const auto& response) {
        return HerblineText(response.herbline());
      });
  OnItem<DeleteHerblineRequest, DeleteHerblineResponse>(
      group, session, "delete", "Removes a lot that nothing hangs on",
      HerblineId)
      .Shows(Removed<DeleteHerblineResponse>);
}

void AddBlendbalances(CLI::App& app, Session& session) {
  CLI::App& group =
      Group(app, "blendbalance", "Left-over blend returned for use");
  Verb<CreateBlendbalanceRequest, CreateBlendbalanceResponse>(
      group, session, "create", "Defines a left-over blend")
      .Argument(kCode, "blendbalance.item_code", "What people call it")
      .Needed("--blend", "blendbalance.blend_code", "The blend it is of")
      .Needed("--transfer", "blendbalance.transfer_id",
              "The paper it came with")
      .Option("--expected", "blendbalance.expected_grams",
              "No more than this is received")
      .Shows([](const auto& response) {
        return BlendbalanceText(response.blendbalance());
      });
  Verb<ListBlendbalancesRequest, ListBlendbalancesResponse>(
      group, session, "list", "Lists left-over blends")
      .Option("--code", "item_code", "Only of this code")
      .Option("--blend", "blend_code", "Only of this blend")
      .Option("--transfer", "transfer_id", "Only that came with this paper")
      .Shows([](const auto& response) {
        return BlendbalancesText(response.blendbalances());
      });
  OnItem<GetBlendbalanceRequest, GetBlendbalanceResponse>(
      group, session, "show", "One left-over blend", BlendbalanceId)
      .Shows([](const auto& response) {
        return BlendbalanceText(response.blendbalance());
      });
  OnItem<UpdateBlendbalanceRequest, UpdateBlendbalanceResponse>(
      group, session, "update", "Changes what it says of itself",
      BlendbalanceId)
      .Change("--blend", "blendbalance.blend_code", "The blend it is of")
      .Change("--transfer", "blendbalance.transfer_id",
              "The paper it came with")
      .Change("--expected", "blendbalance.expected_grams",
              "No more than this is received")
      .Cleared("--any-weight", "blendbalance.expected_grams",
               "Any weight may be received from now on")
      .Shows([](const auto& response) {
        return BlendbalanceText(response.blendbalance());
      });
  OnItem<DeleteBlendbalanceRequest, DeleteBlendbalanceResponse>(
      group, session, "delete", "Removes one that nothing hangs on",
      BlendbalanceId)
      .Shows(Removed<DeleteBlendbalanceResponse>);
}

}  // namespace

void AddMaterialCommands(CLI::App& app, Session& session) {
  AddTealines(app, session);
  AddHerblines(app, session);
  AddBlendbalances(app, session);
}

}  // namespace mtp::cli
