#include "cli/fields.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/weights.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "google/protobuf/generated_enum_reflection.h"

namespace mtp::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

absl::Status Wrong(std::string_view text, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("`", std::string(text), "` is not ", std::string(wanted)));
}

// What all values' names begin with: SHIPMENT_STATUS_.
size_t PrefixSize(const EnumDescriptor& type) {
  constexpr std::string_view kZero = "UNSPECIFIED";
  const std::string& name = type.value(0)->name();
  return absl::EndsWith(name, "_UNSPECIFIED") ? name.size() - kZero.size() : 0;
}

std::string ValuesOf(const EnumDescriptor& type, std::string_view between) {
  std::string values;
  for (int i = 1; i < type.value_count(); ++i) {
    if (i > 1) absl::StrAppend(&values, std::string(between));
    absl::StrAppend(&values, ValueText(type, type.value(i)->number()));
  }
  return values;
}

absl::StatusOr<const EnumValueDescriptor*> ParseEnum(const EnumDescriptor& type,
                                                     std::string_view text) {
  const std::string name = absl::AsciiStrToUpper(
      absl::StrReplaceAll(std::string(text), {{"-", "_"}}));
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string& full = type.value(i)->name();
    if (name == full || name == full.substr(PrefixSize(type))) {
      return type.value(i);
    }
  }
  return Wrong(text, absl::StrCat("one of ", ValuesOf(type, ", ")));
}

absl::StatusOr<bool> ParseBool(std::string_view text) {
  bool value = false;
  const std::string word(text);
  if (!absl::SimpleAtob(word, &value)) return Wrong(text, "yes or no");
  return value;
}

absl::StatusOr<Timestamp> ParseTimestamp(std::string_view text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(text), &time, &error)) {
    return Wrong(text, "a time like 2026-11-08T10:00:00Z");
  }
  return ToProto(time);
}

bool IsWeight(const FieldDescriptor& field) {
  return field.name() == "grams" || absl::EndsWith(field.name(), "_grams");
}

absl::StatusOr<int64_t> ParseNumber(const FieldDescriptor& field,
                                    std::string_view text) {
  if (IsWeight(field)) return ParseGrams(text);
  int64_t number = 0;
  if (!absl::SimpleAtoi(std::string(text), &number)) {
    return Wrong(text, "a whole number");
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32 &&
      (number < std::numeric_limits<int32_t>::min() ||
       number > std::numeric_limits<int32_t>::max())) {
    return Wrong(text, "a number of that size");
  }
  return number;
}

absl::Status SetMessage(Message& target, std::string_view text) {
  if (target.GetDescriptor() == common::v1::ShipmentKey::descriptor()) {
    ASSIGN_OR_RETURN(const auto key, ParseShipmentKey(text));
    target.CopyFrom(key);
  } else if (target.GetDescriptor() == common::v1::Date::descriptor()) {
    ASSIGN_OR_RETURN(const auto date, ParseDate(text));
    target.CopyFrom(date);
  } else if (target.GetDescriptor() == Timestamp::descriptor()) {
    ASSIGN_OR_RETURN(const auto time, ParseTimestamp(text));
    target.CopyFrom(time);
  } else {
    return absl::InternalError(absl::StrCat(target.GetDescriptor()->full_name(),
                                            " has no form in one word"));
  }
  return absl::OkStatus();
}

absl::Status SetOne(Message& owner, const FieldDescriptor& field,
                    std::string_view text) {
  const auto& reflection = *owner.GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value(text);
      add ? reflection.AddString(&owner, &field, value)
          : reflection.SetString(&owner, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      ASSIGN_OR_RETURN(const bool value, ParseBool(text));
      reflection.SetBool(&owner, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      ASSIGN_OR_RETURN(const auto* value, ParseEnum(*field.enum_type(), text));
      add ? reflection.AddEnum(&owner, &field, value)
          : reflection.SetEnum(&owner, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      ASSIGN_OR_RETURN(const int64_t value, ParseNumber(field, text));
      reflection.SetInt32(&owner, &field, static_cast<int32_t>(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      ASSIGN_OR_RETURN(const int64_t value, ParseNumber(field, text));
      reflection.SetInt64(&owner, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetMessage(add ? *reflection.AddMessage(&owner, &field)
                            : *reflection.MutableMessage(&owner, &field),
                        text);
    default:
      return absl::InternalError(
          absl::StrCat(field.full_name(), " has no form in one word"));
  }
}

}  // namespace

const FieldDescriptor* FindField(const Descriptor& type,
                                 std::string_view path) {
  const size_t point = path.find('.');
  const FieldDescriptor* field =
      type.FindFieldByName(std::string(path.substr(0, point)));
  if (point == std::string_view::npos || field == nullptr) return field;
  if (field->is_repeated() || field->message_type() == nullptr) return nullptr;
  return FindField(*field->message_type(), path.substr(point + 1));
}

absl::Status SetField(Message& request, std::string_view path,
                      std::string_view text) {
  if (FindField(*request.GetDescriptor(), path) == nullptr) {
    return absl::InternalError(
        absl::StrCat(request.GetDescriptor()->full_name(), " has no field ",
                     std::string(path)));
  }
  Message* owner = &request;
  size_t point = path.find('.');
  for (; point != std::string_view::npos; point = path.find('.')) {
    const auto* field = owner->GetDescriptor()->FindFieldByName(
        std::string(path.substr(0, point)));
    owner = owner->GetReflection()->MutableMessage(owner, field);
    path.remove_prefix(point + 1);
  }
  return SetOne(*owner,
                *owner->GetDescriptor()->FindFieldByName(std::string(path)),
                text);
}

std::string ValueName(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("{", ValuesOf(*field.enum_type(), "|"), "}");
    case FieldDescriptor::CPPTYPE_BOOL:
      return "yes|no";
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return IsWeight(field) ? "WEIGHT" : "NUMBER";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type() == common::v1::Date::descriptor()) {
        return "YYYY-MM-DD";
      }
      return field.message_type() == Timestamp::descriptor()
                 ? "TIME"
                 : "REQUEST/SHIPMENT";
    default:
      return "TEXT";
  }
}

absl::StatusOr<common::v1::ShipmentKey> ParseShipmentKey(
    std::string_view text) {
  const size_t slash = text.find('/');
  common::v1::ShipmentKey key;
  int64_t request = 0;
  int32_t shipment = 0;
  if (slash == std::string_view::npos ||
      !absl::SimpleAtoi(std::string(text.substr(0, slash)), &request) ||
      !absl::SimpleAtoi(std::string(text.substr(slash + 1)), &shipment) ||
      request < 1 || shipment < 1) {
    return Wrong(text, "a shipment: write 17/1 for shipment 1 of request 17");
  }
  key.set_request_code(request);
  key.set_shipment_code(shipment);
  return key;
}

absl::StatusOr<common::v1::Date> ParseDate(std::string_view text) {
  absl::CivilDay day;
  if (text.size() != 10 || !absl::ParseCivilTime(std::string(text), &day)) {
    return Wrong(text, "a day like 2026-11-08");
  }
  return ToProto(day);
}

std::string ValueText(const EnumDescriptor& type, int number) {
  const EnumValueDescriptor* value = type.FindValueByNumber(number);
  // One that a newer service knows.
  if (value == nullptr) return absl::StrCat(number);
  return value->index() == 0 ? "" : value->name().substr(PrefixSize(type));
}

std::string KeyText(const common::v1::ShipmentKey& key) {
  return key.request_code() == 0 ? "" : mtp::KeyText(key);
}

std::string DateText(const common::v1::Date& date) {
  if (date.year() == 0) return "";
  return absl::StrFormat("%04d-%02d-%02d", date.year(), date.month(),
                         date.day());
}

std::string TimeText(const Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(time),
                          absl::UTCTimeZone());
}

std::string ActorText(const common::v1::Actor& actor) {
  if (actor.subject().empty()) return "";
  const std::string& name =
      actor.username().empty() ? actor.subject() : actor.username();
  const std::string role = EnumText(actor.role());
  return role.empty() ? name : absl::StrCat(name, " (", role, ")");
}

}  // namespace mtp::cli
