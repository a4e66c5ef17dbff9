#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/protos.h"
#include "common/db/proto_enum.h"
#include "google/protobuf/repeated_field.h"

// What the filters of lists hold, as parameters of statements.
namespace mtp::order {

// Nothing where the field is not set.
inline std::optional<absl::Time> TimeIf(
    bool given, const google::protobuf::Timestamp& timestamp) {
  if (!given) return std::nullopt;
  return FromProto(timestamp);
}

// The texts that tables have for the values of an enum.
template <db::ProtoEnum E>
std::vector<std::string> EnumTexts(
    const google::protobuf::RepeatedField<int>& values) {
  std::vector<std::string> texts;
  for (const int value : values)
    texts.emplace_back(db::EnumText(static_cast<E>(value)));
  return texts;
}

}  // namespace mtp::order
