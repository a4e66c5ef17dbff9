#pragma once

#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

// What changing the things that people edit has in common.
namespace mtp::processing {

using FieldNames = absl::flat_hash_set<std::string>;

// Which fields of `change` are to be taken over: those that the mask names; all
// of them when it names none or "*". INVALID_ARGUMENT (UPDATE_MASK_INVALID)
// when it names one that `change` does not have.
absl::StatusOr<FieldNames> FieldsToChange(
    const google::protobuf::FieldMask& mask,
    const google::protobuf::Message& change);

// ABORTED (ETAG_MISMATCH) when an etag is given that the thing no longer has.
absl::Status CheckEtag(std::string_view given, std::string_view current);

}  // namespace mtp::processing
