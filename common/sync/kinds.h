#pragma once

#include "common/db/proto_enum.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::db {

// As in sync.outbox: ENTITY_KIND_SHIPMENT_PROGRESS is 'shipment_progress'.
template <>
inline constexpr bool LowerCaseInDatabase<sync::v1::EntityKind> = true;

}  // namespace mtp::db
