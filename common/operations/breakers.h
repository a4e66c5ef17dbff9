#pragma once

#include <memory>
#include <string>

#include "common/handlers/commands.h"
#include "common/rpc/breaker.h"
#include "common/rpc/call.h"
#include "common/rpc/peer_channel.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/ops/v1/operations.pb.h"

// The circuit breakers of the process that answers: that of its way to the
// peer.
namespace mtp::operations {

ops::v1::BreakerState Shown(rpc::Breaker::State state);

class Breakers {
 public:
  // All given outlive it. `peer` is nullptr where there is none.
  Breakers(common::v1::Side side, std::string instance,
           handlers::CommandLanes& lanes, rpc::Router& router,
           rpc::PeerChannel* peer);

 private:
  void GetBreakers(std::unique_ptr<rpc::Call> call);
  void ResetBreaker(std::unique_ptr<rpc::Call> call);

  const std::string name_;  // of the peer's
  const std::string instance_;
  handlers::CommandLanes& lanes_;
  rpc::PeerChannel* const peer_;
};

}  // namespace mtp::operations
