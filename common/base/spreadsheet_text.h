#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"

// The cells of people's spreadsheets: numbers and dates as they write them.
namespace mtp {

// Why a cell says nothing that can be used.
enum class CellFault {
  kNone,
  kNotANumber,
  // Below or beyond what is read.
  kOutOfRange,
  // More than three decimals of a kilogram.
  kTooPrecise,
  // Not a date in a form that is read.
  kNotADate,
  // A date that no calendar has, as 2026-02-30.
  kNoSuchDate,
};

// What a cell says, or why it says nothing.
template <typename T>
struct Reading {
  std::optional<T> value;
  CellFault fault = CellFault::kNone;

  Reading(T read) : value(read) {}
  Reading(CellFault why) : fault(why) {}
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

}  // namespace mtp
