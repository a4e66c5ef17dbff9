#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "processing_service/kinds.h"

// How labels and papers say things.
namespace mtp::processing {

// `1,040.250 kg`, always to the gram.
std::string WeightText(int64_t grams);

// `Tealine`.
std::string KindWord(MaterialKind kind);

// `2026-11-08 14:05`, in the plant's time zone.
std::string MinuteText(const google::protobuf::Timestamp& time,
                       absl::TimeZone zone);

// What the code on a bag's label holds: `tealine:` and its UUID.
std::string LabelCode(MaterialKind kind, const std::string& barcode);

}  // namespace mtp::processing
