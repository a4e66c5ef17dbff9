#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/handlers/queries.h"
#include "common/rpc/call.h"
#include "common/rpc/peer_channel.h"
#include "common/sync/outbox.h"
#include "mtp/ops/v1/operations.pb.h"

namespace mtp::operations {

// Calls that wait until the peer has confirmed something. One thread looks for
// all of them at once, as long as anybody waits. Thread-safe.
class SyncWaiters {
 public:
  // Both outlive it; `peer` is nullptr where there is none.
  SyncWaiters(handlers::QueryLanes& queries, rpc::PeerChannel* peer);
  ~SyncWaiters();

  // Answers the call when the peer has confirmed all of `marks`, or at
  // `give_up`. A database that cannot be asked meanwhile is asked again; the
  // call fails only if it is so at the end, or if too many wait already.
  void Add(std::unique_ptr<rpc::Call> call, std::vector<sync::Mark> marks,
           absl::Time give_up);
  // Answers those who wait with what is open; who comes later gets UNAVAILABLE.
  void Stop();

 private:
  struct Waiter {
    std::unique_ptr<rpc::Call> call;
    std::vector<sync::Mark> marks;
    absl::Time give_up;
  };
  // By kind and key.
  using Open = absl::flat_hash_map<std::pair<std::string, std::string>,
                                   ops::v1::OutboxEntry>;

  void Work();
  absl::StatusOr<Open> Ask(const std::vector<Waiter>& waiters);
  // Answers the call, unless it must go on waiting.
  bool Settled(Waiter& waiter, const absl::StatusOr<Open>& open, bool last);

  handlers::QueryLanes& queries_;
  rpc::PeerChannel* const peer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiter> arrived_;
  size_t waiting_ = 0;  // with those that arrived
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp::operations
