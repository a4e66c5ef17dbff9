#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

// What changing the things that people edit has in common.
namespace mtp::order {

// Which fields of `change` are to be taken over: those that the mask names, in
// its order; all of them when it names none or "*". INVALID_ARGUMENT
// (UPDATE_MASK_INVALID) when it names one that `change` does not have.
absl::StatusOr<std::vector<std::string>> FieldsToChange(
    const google::protobuf::FieldMask& mask,
    const google::protobuf::Message& change);

}  // namespace mtp::order
