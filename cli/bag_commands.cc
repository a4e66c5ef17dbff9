#include <string>

#include "cli/bag_book_commands.h"
#include "cli/commands.h"
#include "cli/lookups.h"
#include "cli/processing_views.h"
#include "cli/station/commands.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {

using namespace processing::v1;  // NOLINT: this file's whole subject

void AddBagCommands(CLI::App& app, Session& session) {
  AddStationCommands(app, session);

  Verb<MoveBagRequest, MoveBagResponse>(app, session, "move",
                                        "Puts a bag at another place")
      .Argument("BARCODE", "barcode", "The bag")
      .Needed("--to", "location", "The location's name")
      .Shows([](const auto& response) { return BagText(response.bag()); });

  CLI::App& group = Group(app, "bag", "Bags");
  Verb<ListBagsRequest, ListBagsResponse>(group, session, "list", "Lists bags")
      .Option("--kind", "kind", "Only of this kind")
      .Option("--code", "item_code", "Only of lots of this code")
      .Looked("--batch", "BATCH", "Only out of this batch, as BS-1/2", false,
              [&session](const std::string& text, ListBagsRequest& request) {
                ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                                 BatchId(session, text));
                return absl::OkStatus();
              })
      .Option("--at", "location", "Only at this location")
      .Option("--status", "statuses", "Only in this status")
      .Option("--remaining", "min_remaining_grams", "With at least so much")
      .Option("--held", "on_hold", "Only held ones, or only others")
      .Shows([](const auto& response) { return BagsText(response.bags()); });

  Verb<GetBagRequest, GetBagResponse>(
      group, session, "show",
      "One bag, with all that was mended, lost and sent back")
      .Argument("BARCODE", "barcode", "The bag")
      .Shows(WholeBagText);

  Verb<ListBagMovesRequest, ListBagMovesResponse>(
      group, session, "moves", "Where bags lay: every placement and move")
      .Option("BARCODE", "barcode", "Only of this bag")
      .Option("--at", "location", "Only into or out of this location")
      .Looked(
          "--batch", "BATCH", "Only of bags out of this batch, as BS-1/2",
          false,
          [&session](const std::string& text, ListBagMovesRequest& request) {
            ASSIGN_OR_RETURN(*request.mutable_batch_id(),
                             BatchId(session, text));
            return absl::OkStatus();
          })
      .Shows([](const auto& response) { return MovesText(response.moves()); });

  AddBagBookCommands(app, group, session);
}

}  // namespace mtp::cli
