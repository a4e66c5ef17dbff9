#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

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

  // Answers the call when the peer has confirmed all of `awaited`, or at
  // `give_up`. A database that cannot be asked meanwhile is asked again; the
  // call fails only if it is so at the end, or if too many wait already, or for
  // too much.
  void Add(std::unique_ptr<rpc::Call> call, std::vector<sync::Awaited> awaited,
           absl::Time give_up);
  // Answers those who wait with what is open; who comes later gets UNAVAILABLE.
  void Stop();

 private:
  struct Waiter {
    std::unique_ptr<rpc::Call> call;
    std::vector<sync::Awaited> awaited;
    absl::Time give_up;
  };
  // What is marked: of single things by kind and key; of runs by kind and what
  // follows the number, then by the number.
  struct Open {
    std::map<std::pair<std::string, std::string>, ops::v1::OutboxEntry> single;
    std::map<std::pair<std::string, std::string>,
             std::map<int64_t, ops::v1::OutboxEntry>>
        runs;

    // What of it is not confirmed yet, until the visitor says false.
    void Visit(
        const sync::Awaited& awaited,
        const std::function<bool(const ops::v1::OutboxEntry&)>& visitor) const;
  };

  void Work();
  absl::StatusOr<Open> Ask(const std::vector<Waiter>& waiters);
  // Answers the call, unless it must go on waiting.
  bool Settled(Waiter& waiter, const absl::StatusOr<Open>& open, bool last);

  handlers::QueryLanes& queries_;
  rpc::PeerChannel* const peer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiter> arrived_;
  // With those that arrived: calls, and what they wait for.
  size_t waiting_ = 0;
  size_t awaited_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp::operations
