#include "processing_service/printed_words.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/weights.h"

namespace mtp::processing {

std::string WeightText(int64_t grams) { return Kilograms(grams, 3); }

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
