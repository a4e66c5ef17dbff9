#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace mtp::rpc {

// PEM files. They are read again within a second after they changed; new ones
// hold for new connections.
struct TlsFiles {
  std::string certificate;  // with its chain
  std::string key;
  std::string ca;  // whose certificates the other side may show

  bool operator==(const TlsFiles&) const = default;
};

// Says in one line what is wrong with the files, before gRPC says it at length
// at every handshake: unreadable, not PEM, key and certificate apart.
// `needs_certificate` is false for clients that show none.
absl::Status CheckTlsFiles(const TlsFiles& files, bool needs_certificate);

// A client's certificate is asked for and verified if it comes, not demanded:
// people come with tokens alone.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerTls(
    const TlsFiles& files);
// With an empty `certificate` only the server is verified.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelTls(
    const TlsFiles& files);

// Whether an address that one listens on or connects to (`host:port`) is this
// machine's own.
bool IsLoopback(const std::string& address);

}  // namespace mtp::rpc
