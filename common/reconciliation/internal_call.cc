#include "common/reconciliation/internal_call.h"

#include "absl/time/clock.h"

namespace mtp::reconciliation {

InternalCall::InternalCall(std::string_view method_name,
                           std::string service_name, std::string correlation,
                           std::shared_ptr<Outcome> outcome)
    : outcome_(std::move(outcome)) {
  method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      std::string(method_name));
  message.reset(google::protobuf::MessageFactory::generated_factory()
                    ->GetPrototype(method->input_type())
                    ->New());
  caller.kind = rpc::Caller::Kind::kService;
  caller.subject = std::move(service_name);
  correlation_id = std::move(correlation);
  received = absl::Now();
}

InternalCall::~InternalCall() {
  Settle(absl::InternalError("a call of our own was dropped"));
}

void InternalCall::Settle(absl::Status status) {
  {
    std::lock_guard lock(outcome_->mutex);
    if (outcome_->status.has_value()) return;
    outcome_->status = std::move(status);
  }
  outcome_->done.notify_all();
}

absl::Status WaitFor(InternalCall::Outcome& outcome) {
  std::unique_lock lock(outcome.mutex);
  outcome.done.wait(lock, [&] { return outcome.status.has_value(); });
  return *outcome.status;
}

}  // namespace mtp::reconciliation
