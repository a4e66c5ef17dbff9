#pragma once

#include <string_view>
#include <vector>

#include "common/base/errors.h"
#include "google/protobuf/descriptor.h"

namespace mtp::rpc {

// Why bytes could not be parsed as a message of `type`: the fields whose text
// is not UTF-8, each by its path, and the place where the bytes stop making
// sense. Never empty. For bytes that were refused; not for the common way.
std::vector<errors::FieldViolation> DiagnoseWire(
    std::string_view bytes, const google::protobuf::Descriptor* type);

}  // namespace mtp::rpc
