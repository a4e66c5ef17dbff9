#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/metadata.h"
#include "common/rpc/peer_channel.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"

namespace mtp::cli {

// Calls any method of the contract on one server, by descriptor. Each call
// waits until it is answered. The error of a call has the server's details as
// payloads. Thread-safe.
class Client {
 public:
  struct Options {
    absl::Time deadline = absl::InfiniteFuture();
    rpc::Metadata metadata;
  };
  using Message = google::protobuf::Message;
  using Method = google::protobuf::MethodDescriptor;

  // Connects when the first call needs it.
  static absl::StatusOr<std::unique_ptr<Client>> Open(
      const rpc::ChannelSettings& settings);

  absl::Status Call(const Method& method, const Message& request,
                    Message& response, const Options& options);
  // `next` fills the next message to send, which comes empty, or says false.
  absl::Status SendStream(const Method& method,
                          const std::function<bool(Message&)>& next,
                          Message& response, const Options& options);
  // `response` is filled for each message, and `take` is told.
  absl::Status ReadStream(const Method& method, const Message& request,
                          Message& response, const std::function<void()>& take,
                          const Options& options);

  const std::string& target() const { return target_; }

 private:
  Client(std::string target, std::shared_ptr<grpc::Channel> channel)
      : target_(std::move(target)), channel_(std::move(channel)) {}

  const std::string target_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace mtp::cli
