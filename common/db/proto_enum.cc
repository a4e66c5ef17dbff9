#include "common/db/proto_enum.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"

namespace mtp::db {
namespace {

// ShipmentStatus -> SHIPMENT_STATUS_
std::string Prefix(const std::string& enum_name) {
  std::string prefix;
  for (size_t i = 0; i < enum_name.size(); ++i) {
    if (i > 0 && std::isupper(static_cast<unsigned char>(enum_name[i]))) {
      prefix.push_back('_');
    }
    prefix.push_back(
        absl::ascii_toupper(static_cast<unsigned char>(enum_name[i])));
  }
  return prefix + "_";
}

}  // namespace

EnumTexts::EnumTexts(const google::protobuf::EnumDescriptor* descriptor,
                     bool lower_case)
    : descriptor_(descriptor) {
  const std::string prefix = Prefix(descriptor->name());
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const auto* value = descriptor->value(i);
    std::string text =
        value->number() == 0 ? "" : value->name().substr(prefix.size());
    if (lower_case) text = absl::AsciiStrToLower(text);
    texts_.emplace_back(std::move(text), value->number());
  }
}

std::string_view EnumTexts::Text(int number) const {
  for (const auto& [text, value] : texts_) {
    if (value == number) return text;
  }
  return "";
}

int EnumTexts::Number(std::string_view text) const {
  for (const auto& [known, value] : texts_) {
    if (known == text) return value;
  }
  std::fprintf(stderr, "the database holds '%.*s', which is no %s\n",
               static_cast<int>(text.size()), text.data(),
               descriptor_->full_name().c_str());
  return 0;
}

}  // namespace mtp::db
