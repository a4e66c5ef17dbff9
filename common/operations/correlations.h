#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/db/result.h"
#include "common/handlers/queries.h"
#include "common/rpc/call.h"
#include "common/sync/relay.h"
#include "mtp/common/v1/common.pb.h"

// What one call, known by its correlation id, came to on this side.
namespace mtp::operations {

class Correlations {
 public:
  // `told`: what this side tells its peer. `lanes` outlives it.
  Correlations(common::v1::Side side, std::vector<sync::Relay::Route> told,
               handlers::QueryLanes& lanes, rpc::Router& router);

 private:
  struct Story;

  void Explain(std::unique_ptr<rpc::Call> call);
  // What the trail and the lists say.
  void Read(const db::Results& results, Story& story) const;
  // What the peer knows by now of that which the call changed here.
  void AskPeersPart(std::unique_ptr<rpc::Call> call,
                    std::shared_ptr<Story> story);
  void ReadPeersPart(const db::Results& results, Story& story) const;

  const std::string peer_;  // Seeduwa
  const std::vector<sync::Relay::Route> told_;
  handlers::QueryLanes& lanes_;
};

}  // namespace mtp::operations
