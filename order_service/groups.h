#pragma once

#include "order_service/rows.h"

// The groups that people are in: the roles of the contract.
namespace mtp::order {

void AddGroups(Queries& queries);

}  // namespace mtp::order
