#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/lookups.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "mtp/processing/v1/dashboards.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

std::string ActivitiesText(const Many<Activity>& activities) {
  Table table({"WHEN (UTC)", "WHAT", "", "WEIGHT", "WHO", "CORRELATION ID"});
  for (const Activity& activity : activities) {
    table.Row({TimeText(activity.occurred_at()), EnumText(activity.kind()),
               activity.text(),
               activity.grams() == 0 ? Cell() : Cell::Grams(activity.grams()),
               ActorText(activity.actor()), activity.correlation_id()});
  }
  return TextOrNone(table);
}

// How a thing of each kind is named, and by what id the service knows it.
struct ThingKind {
  const char* kind;
  absl::StatusOr<std::string> (*key)(Session&, const std::string&);
};

absl::StatusOr<std::string> AsItIs(Session&, const std::string& name) {
  return name;
}

// Without the kind that a label has before it.
absl::StatusOr<std::string> Barcode(Session&, const std::string& name) {
  const size_t colon = name.rfind(':');
  return absl::AsciiStrToLower(
      colon == std::string::npos ? name : name.substr(colon + 1));
}

absl::StatusOr<std::string> Shipment(Session&, const std::string& name) {
  ASSIGN_OR_RETURN(const auto key, ParseShipmentKey(name));
  return mtp::KeyText(key);
}

constexpr ThingKind kThings[] = {
    {"tealine", TealineId},
    {"herbline", HerblineId},
    {"blendbalance", BlendbalanceId},
    {"blendsheet", BlendsheetId},
    {"flavorsheet", FlavorsheetId},
    {"batch", BatchId},
    {"location", LocationId},
    {"bag", Barcode},
    {"shipment", Shipment},
    {"allocation", AsItIs},
    {"parcel", AsItIs},
    {"hold", AsItIs},
};

absl::Status FindThing(Session& session, const std::string& kind,
                       const std::string& name, common::v1::Thing& thing) {
  for (const ThingKind& known : kThings) {
    if (kind != known.kind) continue;
    thing.set_kind(kind);
    ASSIGN_OR_RETURN(*thing.mutable_key(), known.key(session, name));
    return absl::OkStatus();
  }
  return UsageError(absl::StrCat("`", kind, "` has no history"));
}

std::vector<std::string> ThingKinds() {
  std::vector<std::string> kinds;
  for (const ThingKind& known : kThings) kinds.emplace_back(known.kind);
  return kinds;
}

void AddHistory(CLI::App& app, Session& session) {
  Verb<ListActivitiesRequest, ListActivitiesResponse> history(
      app, session, "history",
      "Who did what with a thing and when, the newest first");
  auto kind = std::make_shared<std::string>();
  history.command()
      .add_option("KIND", *kind, "What it is")
      ->required()
      ->check(CLI::IsMember(ThingKinds()));
  history
      .Looked("NAME", "",
              "Which: a code, a number, BS-1/2 of a batch, 17/1 of a shipment, "
              "a barcode, or an id",
              true,
              [&session, kind](const std::string& name,
                               ListActivitiesRequest& request) {
                return FindThing(session, *kind, name,
                                 *request.mutable_about());
              })
      .Shows([](const auto& response) {
        return ActivitiesText(response.activities());
      });
}

}  // namespace

void AddActivityCommands(CLI::App& app, Session& session) {
  AddHistory(app, session);
  Verb<ListActivitiesRequest, ListActivitiesResponse>(
      app, session, "activities", "What happened at Seeduwa, the newest first")
      .Option("--kind", "kinds", "Only of this kind")
      .Option("--by", "actor_subject", "Only by this person (the subject)")
      .Option("--correlation", "correlation_id",
              "Only what this correlation id caused")
      .Option("--from", "recorded_from", "Recorded then or later")
      .Option("--before", "recorded_before", "Recorded earlier")
      .Shows([](const auto& response) {
        return ActivitiesText(response.activities());
      });
}

}  // namespace mtp::cli
