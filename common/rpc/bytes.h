#pragma once

#include <string>

#include "grpcpp/support/byte_buffer.h"

namespace mtp::rpc {

// Appends what the buffer holds; false when it cannot be read.
bool AppendBytes(const grpc::ByteBuffer& buffer, std::string& out);
// Takes the string over; a long one is not copied.
grpc::ByteBuffer MakeBuffer(std::string bytes);

}  // namespace mtp::rpc
