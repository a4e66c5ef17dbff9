#include "order_service/file_cells.h"

namespace mtp::order {

v1::BadRowReason ReasonOf(CellFault fault) {
  switch (fault) {
    case CellFault::kNotANumber:
      return v1::BAD_ROW_REASON_NOT_A_NUMBER;
    case CellFault::kOutOfRange:
      return v1::BAD_ROW_REASON_OUT_OF_RANGE;
    case CellFault::kTooPrecise:
      return v1::BAD_ROW_REASON_TOO_PRECISE;
    case CellFault::kNotADate:
      return v1::BAD_ROW_REASON_NOT_A_DATE;
    case CellFault::kNoSuchDate:
      return v1::BAD_ROW_REASON_NO_SUCH_DATE;
    case CellFault::kNone:
      break;
  }
  return v1::BAD_ROW_REASON_UNSPECIFIED;
}

std::string WeightFault(CellFault fault) {
  switch (fault) {
    case CellFault::kOutOfRange:
      return "not above 0 and up to 1,000,000,000 kg";
    case CellFault::kTooPrecise:
      return "more than three decimals: weights are whole grams";
    default:
      return "not kilograms such as 4,240.00";
  }
}

std::string DateFault(CellFault fault) {
  switch (fault) {
    case CellFault::kOutOfRange:
      return "dates begin with the year 1900";
    case CellFault::kNoSuchDate:
      return "no calendar has this date";
    default:
      return "not a date such as 2026-11-08, 08/11/2026 (day first), "
             "08-Nov-2026 or 8 Nov 2026";
  }
}

}  // namespace mtp::order
