#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"
#include "mtp/order/v1/plans.pb.h"

// Numbers and dates as people's spreadsheets write them.
namespace mtp::order {

// What a cell says, or why it says nothing.
template <typename T>
struct Reading {
  std::optional<T> value;
  v1::BadRowReason reason = v1::BAD_ROW_REASON_UNSPECIFIED;  // without a value

  Reading(T read) : value(read) {}
  Reading(v1::BadRowReason why) : reason(why) {}
  bool ok() const { return value.has_value(); }
};

// Without white space around it, no-break spaces included.
std::string_view Trimmed(std::string_view text);

// Kilograms with up to three decimals behind a point, and commas between
// thousands or none: `4,240.00`. In grams, 0 to 1,000,000,000,000.
Reading<int64_t> ReadKilograms(std::string_view text);

// A whole number, zero or more, written the same way: `38,456`.
Reading<int64_t> ReadWhole(std::string_view text);

// `2026-11-08`, `08/11/2026` (day first), `08-Nov-2026` or `8 Nov 2026`, from
// 1900 to 9999.
Reading<absl::CivilDay> ReadDate(std::string_view text);

}  // namespace mtp::order
