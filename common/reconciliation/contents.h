#pragma once

#include <string_view>

#include "google/protobuf/message.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::reconciliation {

// The message of its kind that a State holds; it holds one.
const google::protobuf::Message& ContentOf(const sync::v1::State& state);

// SQL: the first four bytes of the SHA-256 of a `key`, big end first, as a
// number; the bucket is that modulo the count.
inline constexpr std::string_view kKeyHash =
    "('x' || left(encode(sha256(key::bytea), 'hex'), 8))::bit(32)::bigint";

}  // namespace mtp::reconciliation
