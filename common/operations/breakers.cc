#include "common/operations/breakers.h"

#include <utility>

#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/operations/process_act.h"

namespace mtp::operations {
namespace {

ops::v1::Breaker Shown(const std::string& name,
                       const rpc::Breaker::Snapshot& snapshot) {
  ops::v1::Breaker breaker;
  breaker.set_name(name);
  breaker.set_state(operations::Shown(snapshot.state));
  breaker.set_failure_count(snapshot.consecutive_failures);
  breaker.set_last_error(snapshot.last_error);
  if (snapshot.last_failed_at.has_value())
    *breaker.mutable_last_failed_at() = ToProto(*snapshot.last_failed_at);
  if (snapshot.state == rpc::Breaker::State::kOpen) {
    *breaker.mutable_opened_at() = ToProto(snapshot.changed_at);
    *breaker.mutable_next_probe_at() = ToProto(snapshot.retry_at);
  }
  return breaker;
}

}  // namespace

ops::v1::BreakerState Shown(rpc::Breaker::State state) {
  switch (state) {
    case rpc::Breaker::State::kClosed:
      return ops::v1::BREAKER_STATE_CLOSED;
    case rpc::Breaker::State::kHalfOpen:
      return ops::v1::BREAKER_STATE_HALF_OPEN;
    case rpc::Breaker::State::kOpen:
      return ops::v1::BREAKER_STATE_OPEN;
  }
  return ops::v1::BREAKER_STATE_UNSPECIFIED;
}

Breakers::Breakers(common::v1::Side side, std::string instance,
                   handlers::CommandLanes& lanes, rpc::Router& router,
                   rpc::PeerChannel* peer)
    : name_(side == common::v1::SIDE_ORDER ? "processing" : "order"),
      instance_(std::move(instance)),
      lanes_(lanes),
      peer_(peer) {
  router.Route("mtp.ops.v1.OperationsService/GetBreakers",
               [this](std::unique_ptr<rpc::Call> call) {
                 GetBreakers(std::move(call));
               });
  router.Route("mtp.ops.v1.OperationsService/ResetBreaker",
               [this](std::unique_ptr<rpc::Call> call) {
                 ResetBreaker(std::move(call));
               });
}

void Breakers::GetBreakers(std::unique_ptr<rpc::Call> call) {
  ops::v1::GetBreakersResponse response;
  if (peer_ != nullptr)
    *response.add_breakers() = Shown(name_, peer_->breaker().Look());
  call->Reply(response.SerializeAsString());
}

void Breakers::ResetBreaker(std::unique_ptr<rpc::Call> call) {
  const std::string name =
      static_cast<const ops::v1::ResetBreakerRequest&>(*call->message).name();
  const auto decide =
      [this, name](handlers::Context& context) -> absl::StatusOr<std::string> {
    if (peer_ == nullptr || name != name_)
      return errors::NotFound("breaker", name);
    rpc::Breaker::Snapshot snapshot = peer_->breaker().Look();
    const ops::v1::Breaker before = Shown(name_, snapshot);
    context.Audit("breaker", name_, "reset",
                  {{"instance", instance_},
                   {"state", ops::v1::BreakerState_Name(before.state())
                                 .substr(sizeof "BREAKER_STATE_" - 1)},
                   {"failure_count", before.failure_count()}});
    // As it is when this is answered.
    snapshot.state = rpc::Breaker::State::kClosed;
    snapshot.consecutive_failures = 0;
    ops::v1::ResetBreakerResponse response;
    *response.mutable_breaker() = Shown(name_, snapshot);
    return response.SerializeAsString();
  };
  DoInProcess(lanes_, std::move(call), decide,
              [this] { peer_->breaker().Reset(); });
}

}  // namespace mtp::operations
