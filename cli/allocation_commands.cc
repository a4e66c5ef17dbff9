#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/lookups.h"
#include "cli/processing_views.h"
#include "cli/verb.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "mtp/processing/v1/allocations.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

std::string AllocationText(const Allocation& allocation) {
  Many<Allocation> one;
  *one.Add() = allocation;
  return AllocationsText(one);
}

absl::Status OneTarget() {
  return UsageError("say where it goes with one of --batch, --shipment");
}

std::string LeftInBag(const Bag& bag) {
  return absl::StrCat("Left in the bag: ", Kilograms(bag.remaining_grams()),
                      "\n");
}

struct AllocateArguments {
  // What both targets need is in the first; the second is filled from it.
  AllocateToShipmentRequest request;
  std::string batch;
};

absl::Status AllocateToBatch(Session& session,
                             const AllocateArguments& arguments) {
  AllocateToBatchRequest request;
  request.set_barcode(arguments.request.barcode());
  request.set_grams(arguments.request.grams());
  if (arguments.request.has_occurred_at()) {
    *request.mutable_occurred_at() = arguments.request.occurred_at();
  }
  ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                   BatchId(session, arguments.batch));
  AllocateToBatchResponse response;
  RETURN_IF_ERROR(session.Call(request, response));
  return session.Show(response, [&] {
    return absl::StrCat(
        AllocationText(response.allocation()), LeftInBag(response.bag()),
        "In the batch: ", Kilograms(response.batch().blend_in_grams()), "\n");
  });
}

absl::Status Allocate(Session& session, AllocateArguments& arguments) {
  if (arguments.batch.empty() != arguments.request.has_shipment()) {
    return OneTarget();
  }
  if (!arguments.batch.empty()) return AllocateToBatch(session, arguments);
  AllocateToShipmentResponse response;
  RETURN_IF_ERROR(session.Call(arguments.request, response));
  return session.Show(response, [&] {
    return absl::StrCat(AllocationText(response.allocation()),
                        LeftInBag(response.bag()), "The shipment still needs: ",
                        Kilograms(response.shipment().missing_grams()), "\n");
  });
}

void AddAllocate(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<AllocateArguments>();
  CLI::App& command = *app.add_subcommand(
      "allocate", "Puts a part of a bag into a batch or a shipment");
  const auto bind = [&](const char* name, const char* path, const char* help) {
    return Bind(command, name, arguments->request, path, help);
  };
  bind("BARCODE", "barcode", "The bag")->required();
  bind("WEIGHT", "grams", "As 62.5kg")->required();
  bind("--shipment", "shipment", "Into this shipment, as 17/1");
  bind("--occurred-at", "occurred_at", "When, if it is told later");
  command.add_option("--batch", arguments->batch,
                     "Into this batch: its id, or BS-1/2");
  command.callback([&session, arguments] {
    session.Do([&session, arguments] { return Allocate(session, *arguments); });
  });
}

void AddAllocations(CLI::App& app, Session& session) {
  Verb<ReleaseAllocationRequest, ReleaseAllocationResponse>(
      app, session, "release", "Gives an allocation back to its bag")
      .Argument("ALLOCATION", "allocation_id", "Its id")
      .Option("--weight", "grams", "Only so much of it")
      .Option("--remarks", "remarks", "Why")
      .Shows([](const ReleaseAllocationResponse& response) {
        return AllocationText(response.allocation()) +
               LeftInBag(response.bag());
      });

  CLI::App& group = Group(app, "allocation", "What was given where");
  Verb<ListAllocationsRequest, ListAllocationsResponse>(group, session, "list",
                                                        "Lists allocations")
      .Option("--bag", "barcode", "Only of this bag")
      .Option("--code", "item_code", "Only of lots of this code")
      .Option("--shipment", "shipment", "Only to this shipment, as 17/1")
      .Looked(
          "--batch", "BATCH", "Only to this batch, as BS-1/2", false,
          [&session](const std::string& text, ListAllocationsRequest& request) {
            ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                             BatchId(session, text));
            return absl::OkStatus();
          })
      .Option("--kind", "kind", "Only of bags of this kind")
      .Option("--state", "state", "Only in this state")
      .Shows([](const auto& response) {
        return AllocationsText(response.allocations());
      });

  Verb<MoveAllocationRequest, MoveAllocationResponse>(
      group, session, "move", "Gives an allocation to another target")
      .Argument("ALLOCATION", "allocation_id", "Its id")
      .Option("--shipment", "shipment", "To this shipment, as 17/1")
      .Looked(
          "--batch", "BATCH", "To this batch, as BS-1/2", false,
          [&session](const std::string& text, MoveAllocationRequest& request) {
            if (request.has_shipment()) return OneTarget();
            ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                             BatchId(session, text));
            return absl::OkStatus();
          })
      .Option("--weight", "grams", "Only so much of it")
      .Option("--remarks", "remarks", "Why")
      .Prepared([](MoveAllocationRequest& request) {
        return request.target_case() == MoveAllocationRequest::TARGET_NOT_SET
                   ? OneTarget()
                   : absl::OkStatus();
      })
      .Shows([](const MoveAllocationResponse& response) {
        Many<Allocation> both;
        *both.Add() = response.released();
        *both.Add() = response.allocation();
        return AllocationsText(both);
      });
}

// What may go where is data.
void AddRules(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "rule", "Which bags may go where");
  Verb<ListAllocationRulesRequest, ListAllocationRulesResponse>(
      group, session, "list", "The whole matrix")
      .Option("--kind", "kind", "Only for bags of this kind")
      .Option("--target", "target", "Only to targets of this kind")
      .Option("--allowed", "allowed", "Only open cells, or only closed ones")
      .Shows([](const auto& response) { return RulesText(response.rules()); });
  Verb<SetAllocationRuleRequest, SetAllocationRuleResponse>(
      group, session, "set", "Opens or closes a cell, for what is to come")
      .Argument("KIND", "kind", "Of the bags")
      .Argument("TARGET", "target", "Where they go")
      .Looked("ALLOWED", "yes|no", "Whether they may", true,
              [](const std::string& text, SetAllocationRuleRequest& request) {
                const absl::Status set = SetField(request, "allowed", text);
                return set.ok() ? set : UsageError(std::string(set.message()));
              })
      .Shows([](const SetAllocationRuleResponse& response) {
        Many<AllocationRule> one;
        *one.Add() = response.rule();
        return RulesText(one);
      });
}

void AddParcels(CLI::App& app, Session& session) {
  CLI::App& group =
      Group(app, "parcel", "Parts of accepted shipments, given to schedules");
  Verb<CreateParcelRequest, CreateParcelResponse>(group, session, "create",
                                                  "Makes a parcel")
      .Argument("ALLOCATION", "allocation_id",
                "Of the shipment; `mtpctl manifest` lists them")
      .Argument("SCHEDULE", "schedule_code", "The schedule's code")
      .Argument("WEIGHT", "grams", "As 39.8kg")
      .Shows([](const CreateParcelResponse& response) {
        Many<Parcel> one;
        *one.Add() = response.parcel();
        return absl::StrCat(ParcelsText(one), "Left of the allocation: ",
                            Kilograms(response.left_grams()), "\n");
      });
  Verb<ReleaseParcelRequest, ReleaseParcelResponse>(
      group, session, "release", "Takes a parcel back from its schedule")
      .Argument("PARCEL", "parcel_id", "Its id")
      .Option("--remarks", "remarks", "Why")
      .Shows([](const ReleaseParcelResponse& response) {
        Many<Parcel> one;
        *one.Add() = response.parcel();
        return ParcelsText(one);
      });
  Verb<ListParcelsRequest, ListParcelsResponse>(group, session, "list",
                                                "Lists parcels")
      .Option("--schedule", "schedule_code", "Only of this schedule")
      .Option("--shipment", "shipment", "Only of this shipment, as 17/1")
      .Option("--allocation", "allocation_id", "Only of this allocation")
      .Option("--bag", "barcode", "Only of this bag")
      .Option("--released", "include_released", "Taken back ones too")
      .Shows(
          [](const auto& response) { return ParcelsText(response.parcels()); });
}

}  // namespace

void AddAllocationCommands(CLI::App& app, Session& session) {
  AddAllocate(app, session);
  AddAllocations(app, session);
  AddRules(app, session);
  AddParcels(app, session);
}

}  // namespace mtp::cli
