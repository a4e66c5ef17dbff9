#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/rpc/call.h"

namespace mtp::reconciliation {

// A call that the service makes to itself: its answer is waited for.
class InternalCall final : public rpc::Call {
 public:
  struct Outcome {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<absl::Status> status;
  };

  // `method` as `mtp.ops.v1.OperationsService.StartEpoch`: what the audit trail
  // names as the cause.
  InternalCall(std::string_view method_name, std::string service_name,
               std::string correlation, std::shared_ptr<Outcome> outcome);
  ~InternalCall() override;

  bool Cancelled() const override { return false; }
  void AddTrailer(std::string_view, std::string_view) override {}
  void Reply(std::string) override { Settle(absl::OkStatus()); }
  void ReplyStream(std::vector<std::string>) override {
    Settle(absl::OkStatus());
  }
  void Fail(absl::Status status) override { Settle(std::move(status)); }

 private:
  void Settle(absl::Status status);
  std::shared_ptr<Outcome> outcome_;
};
absl::Status WaitFor(InternalCall::Outcome& outcome);

}  // namespace mtp::reconciliation
