#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/handlers/queries.h"
#include "common/operations/sync_waiters.h"
#include "common/rpc/peer_channel.h"
#include "common/sync/relay.h"
#include "mtp/common/v1/common.pb.h"

// mtp.ops.v1.OperationsService, the same on both sides: how this side and its
// peer stand, and waiting until they agree.
namespace mtp::operations {

// What the answering process knows of itself.
struct Self {
  common::v1::Side side = common::v1::SIDE_UNSPECIFIED;
  std::string instance;
  std::string version;
  std::string source_revision;
  std::string contract_digest;
  std::vector<std::string> packages;
  std::string time_zone;
  absl::Time started;
  // Projects and the last change of each that this program needs.
  std::vector<std::pair<std::string, std::string>> needed_schema;
  // What it tells its peer.
  std::vector<sync::Relay::Route> told;
};

class Operations {
 public:
  // All given outlive it. `peer` is nullptr where there is none.
  Operations(Self self, handlers::QueryLanes& lanes, handlers::Queries& queries,
             rpc::Router& router, rpc::PeerChannel* peer);

  // Lets nobody wait any longer, so that the process can end.
  void Drain() { waiters_.Stop(); }

 private:
  void GetSyncStatus(std::unique_ptr<rpc::Call> call);
  void WaitForSync(std::unique_ptr<rpc::Call> call);
  void GetVersion(std::unique_ptr<rpc::Call> call);

  const Self self_;
  handlers::QueryLanes& lanes_;
  rpc::PeerChannel* const peer_;
  SyncWaiters waiters_;
};

}  // namespace mtp::operations
