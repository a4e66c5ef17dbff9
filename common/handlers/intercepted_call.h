#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/rpc/call.h"

namespace mtp::handlers {

// A call whose answer somebody wants to see, and may change, before it goes:
// the call that came in, and what is to happen with the answer to it. Whoever
// gets the answer owes one to the call that came in.
class InterceptedCall final : public rpc::Call {
 public:
  using Then = std::function<void(std::unique_ptr<rpc::Call>,
                                  absl::StatusOr<std::string>)>;

  InterceptedCall(std::unique_ptr<rpc::Call> inner, Then then)
      : inner_(std::move(inner)), then_(std::move(then)) {
    method = inner_->method;
    request = inner_->request;
    message.reset(inner_->message->New());
    message->CopyFrom(*inner_->message);
    caller = inner_->caller;
    correlation_id = inner_->correlation_id;
    remote_address = inner_->remote_address;
    traceparent = inner_->traceparent;
    authorization = inner_->authorization;
    received = inner_->received;
    deadline = inner_->deadline;
  }

  bool Cancelled() const override { return inner_->Cancelled(); }
  void AddTrailer(std::string_view key, std::string_view value) override {
    inner_->AddTrailer(key, value);
  }
  void Reply(std::string bytes) override {
    then_(std::move(inner_), std::move(bytes));
  }
  void ReplyStream(std::vector<std::string> messages) override {
    inner_->ReplyStream(std::move(messages));
  }
  void Fail(absl::Status status) override {
    then_(std::move(inner_), std::move(status));
  }

 private:
  std::unique_ptr<rpc::Call> inner_;
  Then then_;
};

}  // namespace mtp::handlers
