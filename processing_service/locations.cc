#include "processing_service/locations.h"

#include <algorithm>

#include "common/base/status.h"
#include "processing_service/editing.h"
#include "processing_service/errors.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

// --- made

void TouchCreate(const v1::CreateLocationRequest& request, Rows& rows) {
  rows.places_named.Want(request.location().name());
}

absl::StatusOr<v1::CreateLocationResponse> DecideCreate(
    const v1::CreateLocationRequest& request, Context& context, Rows& rows) {
  const v1::NewLocation& asked = request.location();
  if (FindByName(rows.locations, asked.name()) != nullptr) {
    return errors::LocationNameTaken(asked.name());
  }
  const Location& location =
      rows.locations.Insert({.location_id = context.NewId(),
                             .name = asked.name(),
                             .herb_section = asked.herb_section(),
                             .created_by = context.caller().subject,
                             .created_by_username = context.caller().username,
                             .created_by_role = context.caller().role,
                             .created_at = context.now(),
                             .changed_at = context.now()});
  context.Audit(
      "location", location.location_id.ToString(), "created",
      {{"name", location.name}, {"herb_section", location.herb_section}});
  v1::CreateLocationResponse response;
  *response.mutable_location() = location.Shown();
  return response;
}

// --- changed

void TouchUpdate(const v1::UpdateLocationRequest& request, Rows& rows) {
  rows.locations.Want(*Uuid::Parse(request.location_id()));
  if (!request.location().name().empty()) {
    rows.places_named.Want(request.location().name());
  }
}

bool Occupied(const Rows& rows, const Location& location) {
  if (location.occupied) return true;
  const std::vector<const Bag*> bags = rows.bags.All();
  return std::any_of(bags.begin(), bags.end(), [&](const Bag* bag) {
    return bag->location_id == location.location_id;
  });
}

absl::StatusOr<v1::UpdateLocationResponse> DecideUpdate(
    const v1::UpdateLocationRequest& request, Context& context, Rows& rows) {
  const v1::LocationChange& change = request.location();
  ASSIGN_OR_RETURN(const FieldNames fields,
                   FieldsToChange(request.update_mask(), change));
  if (fields.contains("name") && change.name().empty()) {
    return errors::InvalidField("location.name", "is required");
  }
  const Location* found =
      rows.locations.Find(*Uuid::Parse(request.location_id()));
  if (found == nullptr) return errors::LocationNotFound(request.location_id());
  RETURN_IF_ERROR(CheckEtag(request.etag(), found->Etag()));
  if (fields.contains("name")) {
    const Location* namesake = FindByName(rows.locations, change.name());
    if (namesake != nullptr && namesake != found) {
      return errors::LocationNameTaken(change.name());
    }
  }
  if (fields.contains("herb_section") &&
      change.herb_section() != found->herb_section && Occupied(rows, *found)) {
    return errors::LocationNotEmpty(*found);
  }

  Location& location = rows.locations.Edit(*found);
  if (fields.contains("name")) location.name = change.name();
  if (fields.contains("herb_section"))
    location.herb_section = change.herb_section();
  ++location.version;
  location.changed_at = context.now();
  context.Audit(
      "location", location.location_id.ToString(), "changed",
      {{"name", location.name}, {"herb_section", location.herb_section}});
  v1::UpdateLocationResponse response;
  *response.mutable_location() = location.Shown();
  return response;
}

// --- removed

void TouchDelete(const v1::DeleteLocationRequest& request, Rows& rows) {
  const Uuid location_id = *Uuid::Parse(request.location_id());
  rows.locations.Want(location_id);
  rows.location_uses.Want(location_id);
}

// In the database, or by a call before this one.
bool EverUsed(const Rows& rows, const Location& location) {
  const LocationUse* use = rows.location_uses.Find(location.location_id);
  if (Occupied(rows, location) || (use != nullptr && use->used)) return true;
  const std::vector<BagMove>& moves = rows.bag_moves.appended();
  return std::any_of(moves.begin(), moves.end(), [&](const BagMove& move) {
    return move.to_location_id == location.location_id;
  });
}

}  // namespace

absl::StatusOr<v1::DeleteLocationResponse> DecideDeleteLocation(
    const v1::DeleteLocationRequest& request, Context& context, Rows& rows) {
  const Location* location =
      rows.locations.Find(*Uuid::Parse(request.location_id()));
  if (location == nullptr)
    return errors::LocationNotFound(request.location_id());
  RETURN_IF_ERROR(CheckEtag(request.etag(), location->Etag()));
  if (EverUsed(rows, *location)) return errors::LocationInUse(*location);
  context.Audit(
      "location", location->location_id.ToString(), "deleted",
      {{"name", location->name}, {"herb_section", location->herb_section}});
  rows.locations.Remove(*location);
  return v1::DeleteLocationResponse();
}

namespace {

// --- read

const db::Statement kGetById = db::Compose({kLocationSelect, R"(
  WHERE location.location_id = $1::uuid
)"});
const db::Statement kGetByName = db::Compose({kLocationSelect, R"(
  WHERE location.name = $1::text
)"});

absl::Status AskGet(const v1::GetLocationRequest& request,
                    db::Exchange& exchange) {
  switch (request.which_case()) {
    case v1::GetLocationRequest::kLocationId:
      exchange.Add(kGetById,
                   db::Params().Add(*Uuid::Parse(request.location_id())));
      return absl::OkStatus();
    case v1::GetLocationRequest::kName:
      exchange.Add(kGetByName, db::Params().Add(request.name()));
      return absl::OkStatus();
    default:
      return errors::InvalidField("location_id", "or name is required");
  }
}

absl::StatusOr<v1::GetLocationResponse> AnswerGet(
    const v1::GetLocationRequest& request, const db::Results& results) {
  if (results[0].empty()) {
    return errors::LocationNotFound(request.has_name() ? request.name()
                                                       : request.location_id());
  }
  v1::GetLocationResponse response;
  *response.mutable_location() = Read<Location>(results[0][0]).Shown();
  return response;
}

constexpr std::string_view kListed = R"(
  WHERE ($4::text = '' OR strpos(lower(location.name), lower($4)) > 0)
    AND ($5::boolean IS NULL OR location.herb_section = $5)
)";
const db::Statement kListByName = db::Compose({kLocationSelect, kListed, R"(
    AND ($2::text IS NULL OR (location.name, location.location_id) > ($2, $3::uuid))
  ORDER BY location.name, location.location_id
  LIMIT $1::bigint
)"});
const db::Statement kListNewestFirst =
    db::Compose({kLocationSelect, kListed, R"(
    AND ($2::text IS NULL
         OR (location.created_at, location.location_id) < ($2::text::timestamptz, $3::uuid))
  ORDER BY location.created_at DESC, location.location_id DESC
  LIMIT $1::bigint
)"});

bool NewestFirst(const v1::ListLocationsRequest& request) {
  return request.order_by() == v1::LIST_LOCATIONS_ORDER_CREATED_DESCENDING;
}

absl::Status AskList(const v1::ListLocationsRequest& request,
                     db::Exchange& exchange) {
  const bool by_time = NewestFirst(request);
  ASSIGN_OR_RETURN(
      const Position position,
      PagePosition(request, by_time ? OrderedBy::kTime : OrderedBy::kText));
  exchange.Add(by_time ? kListNewestFirst : kListByName,
               db::Params()
                   .Add(RowLimit(request))
                   .Add(position.value)
                   .Add(position.id)
                   .Add(request.search())
                   .Add(request.has_herb_section()
                            ? std::optional<bool>(request.herb_section())
                            : std::nullopt));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListLocationsResponse> AnswerList(
    const v1::ListLocationsRequest& request, const db::Results& results) {
  std::vector<Location> locations = ReadAll<Location>(results[0]);
  v1::ListLocationsResponse response;
  response.set_next_page_token(
      CutToPage(request, locations, [&](const Location& location) {
        return NewestFirst(request) ? TimeText(location.created_at)
                                    : location.name;
      }));
  for (const Location& location : locations) {
    *response.add_locations() = location.Shown();
  }
  return response;
}

}  // namespace

void AddLocations(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.LocationService/CreateLocation", TouchCreate,
               DecideCreate);
  commands.Add("mtp.processing.v1.LocationService/UpdateLocation", TouchUpdate,
               DecideUpdate);
  commands.Add("mtp.processing.v1.LocationService/DeleteLocation", TouchDelete,
               DecideDeleteLocation);
  queries.Add("mtp.processing.v1.LocationService/GetLocation", AskGet,
              AnswerGet);
  queries.Add("mtp.processing.v1.LocationService/ListLocations", AskList,
              AnswerList);
}

}  // namespace mtp::processing
