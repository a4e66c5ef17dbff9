#include "processing_service/placing.h"

namespace mtp::processing {

bool MayLie(MaterialKind kind, const Location& place) {
  return (kind == v1::MATERIAL_KIND_HERBLINE) == place.herb_section;
}

void MoveTo(const Location& place, const Bag& found, absl::Time occurred_at,
            Context& context, Rows& rows) {
  if (found.location_id == place.location_id) return;
  const Uuid from = found.location_id;
  const std::string from_name = found.location;
  Bag& bag = rows.bags.Edit(found);
  bag.location_id = place.location_id;
  bag.location = place.name;
  KeepMove(bag, from, occurred_at, context, rows);
  context.AuditAt(occurred_at, "bag", bag.barcode.ToString(), "moved",
                  {{"from", from_name}, {"to", bag.location}});
}

void KeepMove(const Bag& bag, std::optional<Uuid> from, absl::Time occurred_at,
              const Context& context, Rows& rows) {
  rows.bag_moves.Append({.barcode = bag.barcode,
                         .from_location_id = from,
                         .to_location_id = bag.location_id,
                         .moved_by = context.caller().subject,
                         .moved_by_username = context.caller().username,
                         .moved_by_role = context.caller().role,
                         .occurred_at = occurred_at,
                         .recorded_at = context.now(),
                         .correlation_id = context.correlation_id()});
}

}  // namespace mtp::processing
