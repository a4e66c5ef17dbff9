#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace mtp::rpc {

// The one place where errors cross between absl::Status and the wire.

// As a client sees `status`: its payloads as google.rpc details, in a fixed
// order, the ErrorInfo with `domain` unless it has one already (from the peer,
// passed on). What would not fit the trailers is left out, the last field
// violations first; ErrorInfo then says `details_omitted`. Errors that are the
// server's own fault (INTERNAL, UNKNOWN, DATA_LOSS) say no more than the
// correlation id under which the log tells the rest.
grpc::Status ToGrpc(const absl::Status& status, std::string_view domain,
                    std::string_view correlation_id);

// As a client of ours works with it: the details are payloads again.
absl::Status FromGrpc(const grpc::Status& status);

// Whether the call did not reach a server that would answer it: UNAVAILABLE or
// DEADLINE_EXCEEDED made by the transport. One that carries an ErrorInfo was
// said by the server itself.
bool IsTransportFailure(const absl::Status& status);

}  // namespace mtp::rpc
