#include <string>

#include "cli/commands.h"
#include "cli/file_import.h"
#include "cli/order_views.h"
#include "cli/verb.h"
#include "mtp/order/v1/plans.pb.h"

namespace mtp::cli {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject

absl::Status Import(Session& session, const ImportArguments& arguments) {
  return ImportAndShow<ImportPlansRequest, ImportPlansResponse>(
      session, arguments, PlanRows(), ImportText);
}

}  // namespace

void AddPlanCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "plan", "Order plans");

  AddImport(group, session,
            "Imports a planning file (CSV), all of it or nothing",
            "The export, 13 columns", Import);

  Verb<ListPlansRequest, ListPlansResponse>(group, session, "list",
                                            "Lists plans and what is left")
      .Option("--blend", "item_code", "Only of this blend")
      .Option("--running-from", "running_from", "Has this day or a later one")
      .Option("--running-before", "running_before", "Begins before this day")
      .Option("--allowed", "only_allowed", "Only with something left")
      .Shows([](const auto& response) { return PlansText(response.plans()); });

  Verb<GetPlanRequest, GetPlanResponse>(group, session, "show", "One plan")
      .Argument("ORDER", "order_code", "Its order code")
      .Shows([](const auto& response) { return PlanText(response.plan()); });

  Verb<ListPlanImportsRequest, ListPlanImportsResponse>(
      group, session, "imports",
      "Lists what was imported, and what was refused")
      .Option("--digest", "file_digest", "Only this file, by its SHA-256")
      .Option("--from", "imported_from", "Imported then or later")
      .Option("--before", "imported_before", "Imported earlier")
      .Option("--stored", "only_stored", "Leaves out what was refused")
      .Shows([](const auto& response) {
        return PlanImportsText(response.plan_imports());
      });

  Verb<GetPlanImportRequest, GetPlanImportResponse>(
      group, session, "imported", "One import: its rows, faults or kept plans")
      .Argument("IMPORT", "import_id", "Its id, as `plan imports` shows it")
      .Option("--part", "part",
              "raw-rows, bad-rows (of what was refused) or kept-plans")
      .Option("--order", "order_code", "Only of this order code")
      .Shows(PlanImportText);

  Verb<DeletePlanRequest, DeletePlanResponse>(
      group, session, "delete", "Deletes a plan that has no requests")
      .Argument("ORDER", "order_code", "Its order code")
      .Shows([](const auto& response) {
        return "Deleted:\n" + PlanText(response.plan());
      });
}

}  // namespace mtp::cli
