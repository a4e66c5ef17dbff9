#pragma once

#include "order_service/rows.h"

// What is to be produced: planning files and the plans they make.
namespace mtp::order {

void AddPlans(Commands& commands, Queries& queries);

}  // namespace mtp::order
