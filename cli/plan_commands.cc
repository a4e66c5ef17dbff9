#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/order_views.h"
#include "cli/plan_import.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/order/v1/plans.pb.h"

namespace mtp::cli {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject

// An import of many rows takes longer than a call.
constexpr absl::Duration kImportTimeout = absl::Minutes(10);

struct ImportArguments {
  std::string file;
  bool validate_only = false;
};

absl::Status Import(Session& session, const ImportArguments& arguments) {
  session.settings().timeout =
      std::max(session.settings().timeout, kImportTimeout);
  ImportPlansResponse response;
  RETURN_IF_ERROR(ImportPlanFile(session, options::v1::ROLE_UNSPECIFIED,
                                 arguments.file, arguments.validate_only,
                                 response));
  RETURN_IF_ERROR(session.Show(response, [&] { return ImportText(response); }));
  return response.bad_row_count() > 0 ? AlreadyTold() : absl::OkStatus();
}

}  // namespace

void AddPlanCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "plan", "Order plans");

  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* import = group.add_subcommand(
      "import", "Imports a planning file (CSV), all of it or nothing");
  import->add_option("FILE", arguments->file, "The export, 13 columns")
      ->required();
  import->add_flag("--validate-only", arguments->validate_only,
                   "Only say what would happen");
  import->callback([&session, arguments] {
    session.Do([&session, arguments] { return Import(session, *arguments);
});
}  // namespace mtp::cli
);

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

Verb<DeletePlanRequest, DeletePlanResponse>(
    group, session, "delete", "Deletes a plan that has no requests")
    .Argument("ORDER", "order_code", "Its order code")
    .Shows([](const auto& response) {
      return "Deleted:\n" + PlanText(response.plan());
    });
}

}  // namespace mtp::cli
