#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/lookups.h"
#include "cli/material_views.h"
#include "cli/verb.h"
#include "common/base/status.h"
#include "mtp/processing/v1/locations.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

template <typename Response>
std::string ItsLocation(const Response& response) {
  return LocationText(response.location());
}

// A verb on one location, which is named as people name it.
template <typename Request, typename Response>
Verb<Request, Response> OnLocation(CLI::App& group, Session& session,
                                   const std::string& name,
                                   const std::string& help) {
  Verb<Request, Response> verb(group, session, name, help);
  verb.Looked("NAME", "", "Its name, or its id", true,
              [&session](const std::string& text, Request& request) {
                ASSIGN_OR_RETURN(*request.mutable_location_id(),
                                 LocationId(session, text));
                return absl::OkStatus();
              });
  return verb;
}

}  // namespace

void AddLocationCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "location", "Places where bags lie");
  Verb<CreateLocationRequest, CreateLocationResponse>(group, session, "create",
                                                      "Makes a location")
      .Argument("NAME", "location.name", "As \"Stores A-12\"")
      .Option("--herbs", "location.herb_section", "For herbs, and only herbs")
      .Shows(ItsLocation<CreateLocationResponse>);
  Verb<ListLocationsRequest, ListLocationsResponse>(
      group, session, "list", "Lists locations and what lies there")
      .Option("--herbs", "herb_section", "Only herb sections, or only others")
      .Shows([](const auto& response) {
        return LocationsText(response.locations());
      });
  OnLocation<GetLocationRequest, GetLocationResponse>(group, session, "show",
                                                      "One location")
      .Shows(ItsLocation<GetLocationResponse>);
  OnLocation<UpdateLocationRequest, UpdateLocationResponse>(
      group, session, "update", "Renames it, or makes it a herb section or not")
      .Change("--name", "location.name", "As \"Stores A-12\"")
      .Looked("--herbs", "yes|no", "For herbs, and only herbs", false,
              [](const std::string& text, UpdateLocationRequest& request) {
                request.mutable_update_mask()->add_paths("herb_section");
                const absl::Status set =
                    SetField(request, "location.herb_section", text);
                return set.ok() ? set : UsageError(std::string(set.message()));
              })
      .Shows(ItsLocation<UpdateLocationResponse>);
  OnLocation<DeleteLocationRequest, DeleteLocationResponse>(
      group, session, "delete", "Removes one where no bag ever lay")
      .Shows([](const auto&) { return "removed\n"; });
}

}  // namespace mtp::cli
