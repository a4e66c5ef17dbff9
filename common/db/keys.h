#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/protos.h"

namespace mtp::db {

// A shipment's key as tables have it.
struct ShipmentKey {
  int64_t request_code = 0;
  int64_t shipment_code = 0;

  static ShipmentKey Of(const common::v1::ShipmentKey& proto) {
    return {proto.request_code(), proto.shipment_code()};
  }
  void To(common::v1::ShipmentKey* proto) const {
    proto->set_request_code(request_code);
    proto->set_shipment_code(static_cast<int32_t>(shipment_code));
  }
  std::string Text() const { return KeyText(request_code, shipment_code); }
  // Of what Text() gave.
  static std::optional<ShipmentKey> FromText(std::string_view text) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::string_view(text.data(), text.size()), '/');
    ShipmentKey key;
    if (!absl::SimpleAtoi(parts.first, &key.request_code) ||
        !absl::SimpleAtoi(parts.second, &key.shipment_code)) {
      return std::nullopt;
    }
    return key;
  }
  auto Columns() const { return std::tuple(request_code, shipment_code); }

  auto operator<=>(const ShipmentKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const ShipmentKey& k) {
    return H::combine(std::move(h), k.request_code, k.shipment_code);
  }
};

}  // namespace mtp::db
