#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "mtp/common/v1/common.pb.h"

// How people write the values of the contract's fields, and how they read them.
namespace mtp::cli {

// The things of a list.
template <typename T>
using Many = google::protobuf::RepeatedPtrField<T>;

// Fills the field at `path` (`receipt.gross_grams`) from what a person wrote;
// of a repeated field, adds to it. By the field: weights with their unit
// (`62.5kg`), shipments as `17/1`, days as `2026-11-08`, times as
// `2026-11-08T10:00:00Z`, values of enums without their prefix in any case,
// numbers and texts as they are, `yes` or `no`. INVALID_ARGUMENT in words for
// that person.
absl::Status SetField(google::protobuf::Message& request, std::string_view path,
                      std::string_view text);

// The field at `path` of messages of this type; null if there is none.
const google::protobuf::FieldDescriptor* FindField(
    const google::protobuf::Descriptor& type, std::string_view path);

// What a value of the field is called in the help: `WEIGHT`, `DATE`,
// `{DAY|NIGHT}`.
std::string ValueName(const google::protobuf::FieldDescriptor& field);

// `17/1`.
absl::StatusOr<common::v1::ShipmentKey> ParseShipmentKey(std::string_view text);
// `2026-11-08`, of the calendar.
absl::StatusOr<common::v1::Date> ParseDate(std::string_view text);

// `ORDER_READY` for SHIPMENT_STATUS_ORDER_READY; empty for UNSPECIFIED.
std::string ValueText(const google::protobuf::EnumDescriptor& type, int number);
template <typename Enum>
std::string EnumText(Enum value) {
  return ValueText(*google::protobuf::GetEnumDescriptor<Enum>(),
                   static_cast<int>(value));
}

// `17/1`; empty when there is none.
std::string KeyText(const common::v1::ShipmentKey& key);
// `2026-11-08`; empty when there is none.
std::string DateText(const common::v1::Date& date);
// `2026-11-08 10:00:05` in UTC; empty when it is unset.
std::string TimeText(const google::protobuf::Timestamp& time);
// `grandpass-officer (GRANDPASS_OFFICER)`.
std::string ActorText(const common::v1::Actor& actor);

}  // namespace mtp::cli
