#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/lookups.h"
#include "cli/trace_tree.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/processing/v1/trace.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

// Where a trace begins, as people write it: `parcel:ID`, `batch:BS-1/2`,
// `tealine:CODE`, `17/1` for a shipment, else a bag's barcode.
absl::Status ReadStart(Session& session, const std::string& text,
                       TraceStart& start) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) {
    if (!absl::StrContains(text, "/")) {
      start.set_barcode(text);
      return absl::OkStatus();
    }
    const auto key = ParseShipmentKey(text);
    if (!key.ok()) return UsageError(std::string(key.status().message()));
    *start.mutable_shipment() = *key;
    return absl::OkStatus();
  }
  const std::string kind = text.substr(0, colon);
  const std::string name = text.substr(colon + 1);
  if (kind == "shipment") return ReadStart(session, name, start);
  if (kind == "parcel") {
    start.set_parcel_id(name);
  } else if (kind == "allocation") {
    start.set_allocation_id(name);
  } else if (kind == "batch") {
    ASSIGN_OR_RETURN(*start.mutable_batch_id(), BatchId(session, name));
  } else if (kind == "item") {
    start.set_item_id(name);
  } else if (kind == "tealine") {
    ASSIGN_OR_RETURN(*start.mutable_item_id(), TealineId(session, name));
  } else if (kind == "herbline") {
    ASSIGN_OR_RETURN(*start.mutable_item_id(), HerblineId(session, name));
  } else if (kind == "blendbalance") {
    ASSIGN_OR_RETURN(*start.mutable_item_id(), BlendbalanceId(session, name));
  } else {
    // `bag:` of a trace, or the kind that a label says.
    start.set_barcode(kind == "bag" ? name : text);
  }
  return absl::OkStatus();
}

struct TraceArguments {
  std::string start;
  bool forward = false;
};

absl::Status Trace(Session& session, const TraceArguments& arguments) {
  TraceRequest request;
  RETURN_IF_ERROR(
      ReadStart(session, arguments.start, *request.mutable_start()));
  request.set_direction(arguments.forward ? TRACE_DIRECTION_FORWARD
                                          : TRACE_DIRECTION_BACKWARD);
  TraceResponse whole;
  TraceResponse message;
  RETURN_IF_ERROR(
      session.ReadStream(request, message, [&] { whole.MergeFrom(message); }));
  if (!whole.has_summary()) {
    return absl::UnavailableError("the trace was cut off; try again");
  }
  return session.Show(whole, [&] {
    const std::string gardens = GardensText(whole);
    return absl::StrCat(TraceTree(whole, request.direction()),
                        gardens.empty() ? "" : "\n", gardens);
  });
}

}  // namespace

void AddTraceCommands(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<TraceArguments>();
  CLI::App& command = *app.add_subcommand(
      "trace", "Where something came from, back to the gardens");
  command
      .add_option("START", arguments->start,
                  "17/1, a barcode, parcel:ID, batch:BS-1/2, tealine:CODE, "
                  "blendbalance:CODE, allocation:ID")
      ->required();
  command.add_flag("--forward", arguments->forward, "Where it went instead");
  command.callback([&session, arguments] {
    session.Do([&session, arguments] { return Trace(session, *arguments); });
  });
}

}  // namespace mtp::cli
