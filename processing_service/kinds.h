#pragma once

#include "common/db/proto_enum.h"
#include "mtp/processing/v1/kinds.pb.h"

// The contract's words as the processing database has them.
namespace mtp::processing {

using v1::MaterialKind;

}  // namespace mtp::processing

namespace mtp::db {

template <>
inline constexpr bool LowerCaseInDatabase<processing::v1::MaterialKind> = true;

}  // namespace mtp::db
