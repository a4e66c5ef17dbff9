#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/metadata.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"

namespace mtp::tests {

// All that came back for a call.
struct Reply {
  absl::Status status;  // with the server's details as payloads
  std::vector<std::string> messages;
  rpc::Metadata trailers;  // those of text

  // The first message, or nothing.
  std::string bytes() const { return messages.empty() ? "" : messages[0]; }
  // The first trailer of the name, or nothing.
  std::string Trailer(std::string_view name) const;
};

// Calls to one server as one caller, of any method by its name
// (`mtp.order.v1.RequestService/CreateRequest`). Thread-safe, cheap to copy.
class Client {
 public:
  // `metadata` goes with every call.
  Client(std::shared_ptr<grpc::Channel> channel, rpc::Metadata metadata)
      : channel_(std::move(channel)), metadata_(std::move(metadata)) {}

  // Sends the messages (one, unless the method takes a stream), then reads all
  // that comes until the server ends the call.
  Reply Send(std::string_view method, const std::vector<std::string>& messages,
             absl::Duration limit = absl::Seconds(20)) const;
  Reply Send(std::string_view method,
             const google::protobuf::Message& request) const {
    return Send(method, {request.SerializeAsString()});
  }

  // The reply; of a stream, all its messages merged into one.
  template <typename Response>
  absl::StatusOr<Response> Call(
      std::string_view method, const google::protobuf::Message& request) const {
    const Reply reply = Send(method, request);
    if (!reply.status.ok()) return reply.status;
    Response response;
    for (const std::string& message : reply.messages) {
      if (!response.MergeFromString(message)) {
        return absl::InternalError("the reply is not of the expected type");
      }
    }
    return response;
  }

  // The same caller with one more piece of metadata.
  Client With(std::string name, std::string value) const;

 private:
  std::shared_ptr<grpc::Channel> channel_;
  rpc::Metadata metadata_;
};

// Runs `act` with 0 to count - 1 on as many threads, let go at the same moment;
// returns when all are done. Assertions do not belong into `act`.
void AtOnce(int count, const std::function<void(int)>& act);

// The fields that a BadRequest in the status names, sorted.
std::vector<std::string> BadFields(const absl::Status& status);
// A value in the status's ErrorInfo; empty when it has none of the name.
std::string Value(const absl::Status& status, const std::string& name);

}  // namespace mtp::tests
