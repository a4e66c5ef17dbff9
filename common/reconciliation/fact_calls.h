#pragma once

#include <memory>
#include <vector>

#include "common/handlers/queries.h"
#include "common/reconciliation/facts.h"
#include "common/rpc/call.h"

namespace mtp::reconciliation {

// What the peer is told of this side's facts and copies, to compare them and to
// take back what a restore lost: GetDigests and ListStates of
// mtp.sync.v1.SyncService.
class FactCalls {
 public:
  // Routes both methods to itself; `router` may not call it once it is gone.
  // `facts` outlive it.
  FactCalls(const std::vector<Facts>& facts, handlers::QueryLanes& lanes,
            rpc::Router& router);
  FactCalls(const FactCalls&) = delete;
  FactCalls& operator=(const FactCalls&) = delete;

 private:
  void GetDigests(std::unique_ptr<rpc::Call> call);
  void ListStates(std::unique_ptr<rpc::Call> call);

  const std::vector<Facts>& facts_;
  handlers::QueryLanes& lanes_;
};

}  // namespace mtp::reconciliation
