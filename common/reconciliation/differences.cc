#include "common/reconciliation/differences.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "common/reconciliation/contents.h"
#include "common/reconciliation/facts.h"

namespace mtp::reconciliation {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime(absl::RFC3339_full, FromProto(time),
                          absl::UTCTimeZone());
}

// A list of many bags is told by its length and its beginning.
constexpr int kItemsTold = 10;

std::string TextOf(const Message& message, const FieldDescriptor& field,
                   int index) {
  const auto& reflection = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(
          many ? reflection.GetRepeatedInt32(message, &field, index)
               : reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(
          many ? reflection.GetRepeatedInt64(message, &field, index)
               : reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (many ? reflection.GetRepeatedBool(message, &field, index)
                   : reflection.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return (many ? reflection.GetRepeatedEnum(message, &field, index)
                   : reflection.GetEnum(message, &field))
          ->name();
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string text =
          many ? reflection.GetRepeatedString(message, &field, index)
               : reflection.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES
                 ? absl::BytesToHexString(text)
                 : text;
    }
    default:
      return "";  // the states have no other types
  }
}

std::string TextOf(const Message& message, const FieldDescriptor& field) {
  if (!field.is_repeated()) return TextOf(message, field, 0);
  const int size = message.GetReflection()->FieldSize(message, &field);
  std::vector<std::string> items;
  for (int i = 0; i < size && i < kItemsTold; ++i)
    items.push_back(TextOf(message, field, i));
  if (size > kItemsTold) items.push_back(absl::StrCat("… ", size, " in all"));
  return absl::StrJoin(items, " ");
}

void Flatten(const Message& message, const std::string& prefix,
             std::map<std::string, std::string>& values) {
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const std::string name = prefix + field->name();
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      values[name] = TextOf(message, *field);
      continue;
    }
    if (field->name() == "stamp") continue;
    const Message& inner = message.GetReflection()->GetMessage(message, field);
    if (const auto* time =
            dynamic_cast<const google::protobuf::Timestamp*>(&inner)) {
      values[name] = TimeText(*time);
      continue;
    }
    // There or not is a difference, too.
    values[name] = "set";
    Flatten(inner, name + ".", values);
  }
}

// Its one field, which has the name of the kind.
std::map<std::string, std::string> ValuesOf(const sync::v1::State& state) {
  std::map<std::string, std::string> values;
  if (state.state_case() != sync::v1::State::STATE_NOT_SET)
    Flatten(ContentOf(state), "", values);
  return values;
}

}  // namespace

std::vector<ops::v1::DriftDifference> Differences(const sync::v1::State& owner,
                                                  const sync::v1::State& copy) {
  std::vector<ops::v1::DriftDifference> differences;
  std::map<std::string, std::pair<std::string, std::string>> merged;
  for (auto& [name, value] : ValuesOf(owner)) merged[name].first = value;
  for (auto& [name, value] : ValuesOf(copy)) merged[name].second = value;
  const auto add = [&](const std::string& field, const std::string& owners,
                       const std::string& copys) {
    if (owners == copys) return;
    ops::v1::DriftDifference& difference = differences.emplace_back();
    difference.set_field(field);
    difference.set_owner_value(owners);
    difference.set_copy_value(copys);
  };
  for (const auto& [name, values] : merged)
    add(name, values.first, values.second);
  // Where they say the same, one of them says it at another place in time.
  if (differences.empty()) {
    const sync::v1::Stamp& own = StampOf(owner);
    const sync::v1::Stamp& copied = StampOf(copy);
    add("stamp.version", absl::StrCat(own.version()),
        absl::StrCat(copied.version()));
    add("stamp.changed_at", TimeText(own.changed_at()),
        TimeText(copied.changed_at()));
  }
  return differences;
}

std::string DifferencesAsJson(
    const std::vector<ops::v1::DriftDifference>& differences) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ops::v1::DriftDifference& difference : differences) {
    list.push_back({{"field", difference.field()},
                    {"owner_value", difference.owner_value()},
                    {"copy_value", difference.copy_value()}});
  }
  return list.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace mtp::reconciliation
