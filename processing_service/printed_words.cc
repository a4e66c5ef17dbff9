#include "processing_service/printed_words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/protos.h"

namespace mtp::processing {

std::string Kilograms(int64_t grams) {
  const std::string digits = std::to_string(grams / 1000);
  std::string whole;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) whole += ',';
    whole += digits[i];
  }
  return absl::StrFormat("%s.%03d kg", whole, grams % 1000);
}

std::string KindWord(MaterialKind kind) {
  std::string word(db::EnumText(kind));
  if (!word.empty()) word[0] = absl::ascii_toupper(word[0]);
  return word;
}

std::string MinuteText(const google::protobuf::Timestamp& time,
                       absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time), zone);
}

std::string LabelCode(MaterialKind kind, const std::string& barcode) {
  return absl::StrCat(std::string(db::EnumText(kind)), ":", barcode);
}

}  // namespace mtp::processing
