#pragma once

#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "common/sync/outbox.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::sync {

// What people call the thing that a kind of state tells of, as the audit trail
// has it: `shipment` for both `shipment` and `shipment_progress`.
inline std::string_view ThingKindOf(std::string_view kind) {
  if (kind == kShipmentProgress) return kShipment;
  if (kind == kScheduleProgress) return kSchedule;
  if (kind == kRevocation) return "user";
  return kind;
}

// A kind as the contract has it; unspecified for what is none.
inline v1::EntityKind EntityKindOf(std::string_view kind) {
  v1::EntityKind parsed = v1::ENTITY_KIND_UNSPECIFIED;
  v1::EntityKind_Parse(
      "ENTITY_KIND_" + absl::AsciiStrToUpper(std::string(kind)), &parsed);
  return parsed;
}

}  // namespace mtp::sync
