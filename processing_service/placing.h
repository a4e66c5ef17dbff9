#pragma once

#include <optional>

#include "processing_service/errors.h"
#include "processing_service/rows.h"

// Where a bag lies: the place that a call names, whether the bag may lie there,
// and the history of its places.
namespace mtp::processing {

template <typename Request>  // with the oneof `place`
void WantPlace(const Request& request, Rows& rows) {
  if (request.has_location_id()) {
    rows.places.Want(Uuid::Parse(request.location_id()).value_or(Uuid{}));
  } else {
    rows.places_named.Want(request.location());
  }
}

template <typename Request>
absl::StatusOr<const Location*> FindPlace(const Request& request,
                                          const Rows& rows) {
  const Location* place =
      request.has_location_id()
          ? rows.locations.Find(
                Uuid::Parse(request.location_id()).value_or(Uuid{}))
          : FindByName(rows.locations, request.location());
  if (place != nullptr) return place;
  return errors::LocationNotFound(
      request.has_location_id() ? request.location_id() : request.location());
}

// Herbs in herb sections, everything else outside them.
bool MayLie(MaterialKind kind, const Location& place);

// Puts the bag there and keeps the move; where it lies already, nothing is
// done.
void MoveTo(const Location& place, const Bag& found, absl::Time occurred_at,
            Context& context, Rows& rows);

// Keeps that the bag was placed where it lies: from there, or none when it was
// received or came back.
void KeepMove(const Bag& bag, std::optional<Uuid> from, absl::Time occurred_at,
              const Context& context, Rows& rows);

}  // namespace mtp::processing
