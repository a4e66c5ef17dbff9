#pragma once

#include <string>

#include "common/rpc/tls.h"

// The floor under every figure: a gRPC server that does nothing but send each
// request back, on the same library, with the same TLS, in a process of its
// own.
namespace mtp::bench {

inline constexpr char kEchoMethod[] = "/mtp.bench.Echo/Echo";

// Serves until a signal ends it; writes the port it took to standard output.
int ServeEcho(const rpc::TlsFiles& tls);

}  // namespace mtp::bench
