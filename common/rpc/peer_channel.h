#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/breaker.h"
#include "common/rpc/metadata.h"
#include "common/rpc/tls.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/generic/generic_stub.h"

namespace mtp::rpc {

struct ChannelSettings {
  std::string target;  // `host:port`
  // Without a certificate of one's own only the server is verified.
  TlsFiles tls;
  // The name that the server's certificate must have; empty: the target's host.
  std::string server_name;
  bool insecure = false;  // only to the machine's own addresses
  int max_message_bytes = 64 << 20;
  // A connection of one's own instead of one shared by the process.
  bool own_connection = false;
};

// A channel for other users of gRPC: generated stubs, a load generator.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(
    const ChannelSettings& settings);

// What came back for a call.
struct PeerReply {
  absl::Status status;  // with the server's details as payloads
  std::string bytes;
  Metadata trailers;  // those of text; no grpc-status-details-bin
};

// What came back for a stream: the messages as far as they came.
struct PeerStreamReply {
  absl::Status status;
  std::vector<std::string> messages;
  Metadata trailers;
};

// Calls to one server, by name and in bytes, through a circuit breaker.
// Thread-safe. Calls are never repeated here: whoever calls knows whether that
// is harmless.
class PeerChannel {
 public:
  static absl::StatusOr<std::unique_ptr<PeerChannel>> Open(
      ChannelSettings settings, Breaker::Settings breaker = {},
      Clock clock = SystemClock(), Uniform uniform = RandomUniform());
  // Cancels what is under way and waits until every callback has returned.
  ~PeerChannel();
  PeerChannel(const PeerChannel&) = delete;
  PeerChannel& operator=(const PeerChannel&) = delete;

  // One unary call of `mtp.sync.v1.OrderSyncService/ApplyShipmentProgress`.
  // `done` is called exactly once, on a thread of gRPC's that it must not
  // block, or, when the breaker is open, on this one before Call returns:
  // UNAVAILABLE with reason PEER_UNREACHABLE and RetryInfo.
  void Call(std::string_view method, std::string bytes, absl::Time deadline,
            Metadata metadata,
            std::function<void(absl::Status, std::string)> done);
  // The same, with the trailers. The number is what Cancel knows the call by.
  uint64_t CallForReply(std::string_view method, std::string bytes,
                        absl::Time deadline, Metadata metadata,
                        std::function<void(PeerReply)> done);
  // A call that takes a stream, or answers with one: sends these messages
  // and collects all that comes back until the server ends the call.
  uint64_t Stream(std::string_view method, std::vector<std::string> messages,
                  absl::Time deadline, Metadata metadata,
                  std::function<void(PeerStreamReply)> done);
  // Ends a call here and at the server; its `done` says CANCELLED. Does nothing
  // to one that is over. Not from gRPC's threads, nor from a `done`.
  void Cancel(uint64_t number);
  // For tools and tests: waits for the reply.
  PeerReply CallAndWait(std::string_view method, std::string bytes,
                        absl::Time deadline, Metadata metadata = {});

  Breaker& breaker() { return breaker_; }
  // Its breaker lets calls through, and the last one did not fail. When not, it
  // is tried whether it would now, and the next question has a new answer.
  bool Reachable();
  const std::string& target() const { return settings_.target; }

 private:
  struct Flight;
  struct UnaryFlight;
  class StreamFlight;

  PeerChannel(ChannelSettings settings, std::shared_ptr<grpc::Channel> channel,
              Breaker::Settings breaker, Clock clock, Uniform uniform);
  // Why the call cannot be made now; else the flight is under way.
  absl::Status TakeOff(Flight& flight, absl::Time deadline,
                       const Metadata& metadata);
  // What became of it.
  absl::Status Land(Flight& flight, const grpc::Status& status);
  void Forget(Flight* flight);

  const ChannelSettings settings_;
  grpc::GenericStub stub_;
  Breaker breaker_;
  // Whether it is being tried.
  std::atomic<bool> asking_ = false;
  std::mutex mutex_;
  std::condition_variable landed_;
  std::map<uint64_t, Flight*> flights_;
  uint64_t last_number_ = 0;
  bool closing_ = false;
};

// A typed call that waits for its reply, for tools and tests.
template <typename Response>
absl::StatusOr<Response> CallAndWait(PeerChannel& channel,
                                     std::string_view method,
                                     const google::protobuf::Message& request,
                                     absl::Time deadline,
                                     Metadata metadata = {}) {
  PeerReply reply = channel.CallAndWait(method, request.SerializeAsString(),
                                        deadline, std::move(metadata));
  if (!reply.status.ok()) return reply.status;
  Response response;
  if (!response.ParseFromString(reply.bytes)) {
    return absl::InternalError("the reply is not of the expected type");
  }
  return response;
}

}  // namespace mtp::rpc
