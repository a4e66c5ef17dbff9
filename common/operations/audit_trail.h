#pragma once

#include "common/handlers/queries.h"

// mtp.audit.v1.AuditService, the same on both sides: who changed what, when and
// why.
namespace mtp::operations {

void AddAuditTrail(handlers::Queries& queries);

}  // namespace mtp::operations
