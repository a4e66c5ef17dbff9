#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/generated_enum_reflection.h"

// The contract's enums as the database's texts: the value's name without the
// enum's prefix, SHIPMENT_STATUS_ORDER_READY as 'ORDER_READY'. The unspecified
// value is the empty text. An enum whose texts are lower case says so by
// specialising LowerCaseInDatabase.
namespace mtp::db {

template <typename E>
concept ProtoEnum = google::protobuf::is_proto_enum<E>::value;

template <typename E>
inline constexpr bool LowerCaseInDatabase = false;

// The texts of one enum; thread safe once made.
class EnumTexts {
 public:
  EnumTexts(const google::protobuf::EnumDescriptor* descriptor,
            bool lower_case);
  std::string_view Text(int number) const;
  // 0, with a line on standard error, for a text that is none of them: where no
  // check constraint of the schema refuses it, somebody may have written it by
  // hand, and comparing must find that.
  int Number(std::string_view text) const;

 private:
  const google::protobuf::EnumDescriptor* descriptor_;
  std::vector<std::pair<std::string, int>> texts_;
};

template <ProtoEnum E>
const EnumTexts& TextsOf() {
  static const auto* texts = new EnumTexts(
      google::protobuf::GetEnumDescriptor<E>(), LowerCaseInDatabase<E>);
  return *texts;
}

template <ProtoEnum E>
std::string_view EnumText(E value) {
  return TextsOf<E>().Text(static_cast<int>(value));
}

template <ProtoEnum E>
E EnumFromText(std::string_view text) {
  return static_cast<E>(TextsOf<E>().Number(text));
}

}  // namespace mtp::db
