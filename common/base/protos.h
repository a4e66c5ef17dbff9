#pragma once

#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "mtp/common/v1/common.pb.h"

// Between the contract's common messages and the types the code works with.
namespace mtp {

inline google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

inline absl::Time FromProto(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixSeconds(proto.seconds()) +
         absl::Nanoseconds(proto.nanos());
}

inline common::v1::Date ToProto(absl::CivilDay day) {
  common::v1::Date proto;
  proto.set_year(static_cast<int32_t>(day.year()));
  proto.set_month(day.month());
  proto.set_day(day.day());
  return proto;
}

// The day, or nothing when there is no such day (February 30).
inline std::optional<absl::CivilDay> FromProto(const common::v1::Date& proto) {
  const absl::CivilDay day(proto.year(), proto.month(), proto.day());
  if (day.month() != proto.month() || day.day() != proto.day())
    return std::nullopt;
  return day;
}

// `17/1`, as people write it and as keys in tables have it.
inline std::string KeyText(int64_t request_code, int64_t shipment_code) {
  return std::to_string(request_code) + "/" + std::to_string(shipment_code);
}
inline std::string KeyText(const common::v1::ShipmentKey& key) {
  return KeyText(key.request_code(), key.shipment_code());
}

}  // namespace mtp
