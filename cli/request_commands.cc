#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/file_import.h"
#include "cli/order_views.h"
#include "cli/verb.h"
#include "cli/weights.h"
#include "mtp/order/v1/requests.pb.h"

namespace mtp::cli {

using namespace order::v1;  // NOLINT: this file's whole subject

namespace {

absl::Status Import(Session& session, const ImportArguments& arguments) {
  return ImportAndShow<ImportOpenRequestsRequest, ImportOpenRequestsResponse>(
      session, arguments, OpenRequestRows(), OpenRequestsText);
}

}  // namespace

void AddRequestCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "request", "Order requests");

  Verb<CreateRequestRequest, CreateRequestResponse>(
      group, session, "create", "Asks Seeduwa for a quantity")
      .Argument("ORDER", "request.order_code", "Order code of the plan")
      .Argument("WEIGHT", "request.requirement_grams", "As 500kg")
      .Option("--special", "request.approval_requested",
              "Ask a supervisor, if it is beyond what the plan allows")
      .Option("--product", "request.product_name", "Where there is no plan")
      .Option("--blend", "request.item_code", "Where there is no plan")
      .Option("--comments", "request.comments", "For those who read it")
      .Option("--occurred-at", "request.occurred_at",
              "When it was asked for, if it is told later")
      .Shows([](const CreateRequestResponse& response) {
        return absl::StrCat(RequestText(response.request()),
                            "\nStill allowed by the plan: ",
                            Kilograms(response.allowed_grams()), "\n");
      });

  AddImport(group, session,
            "Takes over the open orders of an old system (CSV), all of them or "
            "none",
            "Columns reference, order_code, product_name, item_code, quantity, "
            "requested_on, special, comments",
            Import);

  Verb<ListRequestImportsRequest, ListRequestImportsResponse>(
      group, session, "imports",
      "Lists what was taken over or refused of files")
      .Option("--digest", "file_digest", "Only this file, by its SHA-256")
      .Option("--from", "imported_from", "Imported then or later")
      .Option("--before", "imported_before", "Imported earlier")
      .Option("--stored", "only_stored", "Leaves out what was refused")
      .Shows([](const auto& response) {
        return RequestImportsText(response.request_imports());
      });

  Verb<GetRequestImportRequest, GetRequestImportResponse>(
      group, session, "imported", "One import of open orders: rows or faults")
      .Argument("IMPORT", "import_id", "Its id, as `request imports` shows it")
      .Option("--part", "part", "raw-rows or bad-rows (of what was refused)")
      .Shows(RequestImportText);

  Verb<ListRequestsRequest, ListRequestsResponse>(
      group, session, "list", "Lists requests with their shipments")
      .Option("--order", "order_code", "Only of this order code")
      .Option("--blend", "item_code", "Only of this blend")
      .Option("--status", "statuses", "With a shipment in this status")
      .Option("--special", "special", "Only special ones, or only others")
      .Option("--reference", "reference", "Taken over under this key")
      .Shows([](const auto& response) {
        return RequestsText(response.requests());
      });

  Verb<GetRequestRequest, GetRequestResponse>(
      group, session, "show", "One request with all that happened")
      .Argument("REQUEST", "request_code", "Its code, as 17")
      .Shows(
          [](const auto& response) { return RequestText(response.request()); });
}

}  // namespace mtp::cli
