#pragma once

#include <string>

#include "common/base/spreadsheet_text.h"
#include "mtp/order/v1/plans.pb.h"

// What is told of a cell that cannot be read, whatever file it is in.
namespace mtp::order {

v1::BadRowReason ReasonOf(CellFault fault);

// A sentence about a weight that must be above zero.
std::string WeightFault(CellFault fault);
// The same about a date.
std::string DateFault(CellFault fault);

}  // namespace mtp::order
