#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace mtp {

// A 128-bit identifier. The nil UUID is "none". A value type.
struct Uuid {
  std::array<uint8_t, 16> bytes{};

  // 8-4-4-4-12 hexadecimal digits in either case; nothing else.
  static std::optional<Uuid> Parse(std::string_view text);
  // A version 7 UUID (RFC 9562): `time` in milliseconds, then 74 random bits.
  // Time-ordered, so that new keys land beside each other in an index.
  static Uuid V7(absl::Time time);

  bool IsNil() const { return *this == Uuid{}; }
  // Lower case.
  std::string ToString() const;

  auto operator<=>(const Uuid&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const Uuid& u) {
    return H::combine(std::move(h), u.bytes);
  }
};

}  // namespace mtp
