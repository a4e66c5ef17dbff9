#include "common/operations/sync_waiters.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <set>
#include <utility>

#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/operations/outbox_entry.h"

namespace mtp::operations {
namespace {

// How often the outbox is looked at: a change that the fast path carries takes
// some milliseconds; what takes longer than that may well take minutes.
constexpr std::chrono::milliseconds kFirstLook{10};
constexpr std::chrono::milliseconds kLastLook{250};
constexpr int kQuickLooks = 50;
constexpr size_t kMostWaiting = 10'000;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr int kEntriesTold = 100;

const db::Statement kOpenMarks = db::Compose({kOutboxEntryColumns, R"(
  JOIN unnest($1::text[], $2::text[]) AS asked (of_kind, of_key)
    ON mark.kind = asked.of_kind AND mark.key = asked.of_key
)"});

}  // namespace

SyncWaiters::SyncWaiters(handlers::QueryLanes& queries, rpc::PeerChannel* peer)
    : queries_(queries), peer_(peer), thread_([this] { Work(); }) {}

SyncWaiters::~SyncWaiters() { Stop(); }

void SyncWaiters::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SyncWaiters::Add(std::unique_ptr<rpc::Call> call,
                      std::vector<sync::Mark> marks, absl::Time give_up) {
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = errors::Draining();
    } else if (waiting_ == kMostWaiting) {
      refused = errors::Overloaded("too many calls are waiting", kRetryDelay);
    } else {
      ++waiting_;
      arrived_.push_back({std::move(call), std::move(marks), give_up});
    }
  }
  if (!refused.ok()) return call->Fail(std::move(refused));
  changed_.notify_one();
}

void SyncWaiters::Work() {
  std::vector<Waiter> waiting;
  std::chrono::milliseconds pause = kFirstLook;
  int looks = 0;  // since somebody came
  while (true) {
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      waiting_ = waiting.size() + arrived_.size();
      const auto called = [&] { return stopping_ || !arrived_.empty(); };
      if (waiting.empty()) {
        changed_.wait(lock, called);
      } else {
        // Who comes while looks are frequent is seen with the next.
        changed_.wait_for(lock, pause, [&] {
          return stopping_ || (pause > kFirstLook && !arrived_.empty());
        });
      }
      last = stopping_;
      if (!arrived_.empty()) {
        looks = 0;
        pause = kFirstLook;
      } else if (++looks > kQuickLooks) {
        pause = std::min(2 * pause, kLastLook);
      }
      std::move(arrived_.begin(), arrived_.end(), std::back_inserter(waiting));
      arrived_.clear();
    }
    if (!waiting.empty()) {
      const absl::StatusOr<Open> open = Ask(waiting);
      std::erase_if(
          waiting, [&](Waiter& waiter) { return Settled(waiter, open, last); });
    }
    if (last) return;
  }
}

absl::StatusOr<SyncWaiters::Open> SyncWaiters::Ask(
    const std::vector<Waiter>& waiters) {
  std::set<std::pair<std::string_view, std::string_view>> asked;
  for (const Waiter& waiter : waiters) {
    for (const sync::Mark& mark : waiter.marks) {
      asked.emplace(mark.kind, mark.key);
    }
  }
  std::vector<std::string> kinds;
  std::vector<std::string> keys;
  for (const auto& [kind, key] : asked) {
    kinds.emplace_back(kind);
    keys.emplace_back(key);
  }
  db::Exchange exchange;
  exchange.Add(kOpenMarks, db::Params().Array(kinds).Array(keys));
  std::promise<absl::StatusOr<db::Results>> answered;
  queries_.Ask(std::move(exchange), absl::InfiniteFuture(),
               [&answered](absl::StatusOr<db::Results> results) {
                 answered.set_value(std::move(results));
               });
  ASSIGN_OR_RETURN(const db::Results results, answered.get_future().get());
  Open open;
  for (const db::Row row : results[0]) {
    ops::v1::OutboxEntry entry;
    ReadOutboxEntry(row, entry);
    std::pair key(row.Get<std::string>(0), entry.key());
    open.emplace(std::move(key), std::move(entry));
  }
  return open;
}

bool SyncWaiters::Settled(Waiter& waiter, const absl::StatusOr<Open>& open,
                          bool last) {
  if (waiter.call->Cancelled()) {
    waiter.call->Fail(absl::CancelledError("the caller has gone"));
    return true;
  }
  const bool waits = !last && absl::Now() < waiter.give_up;
  if (!open.ok()) {
    if (waits) return false;
    waiter.call->Fail(open.status());
    return true;
  }
  ops::v1::WaitForSyncResponse response;
  int64_t count = 0;
  for (const sync::Mark& mark : waiter.marks) {
    const auto at = open->find(std::pair(mark.kind, mark.key));
    if (at == open->end() || at->second.confirmed_version() >= mark.version) {
      continue;
    }
    if (++count <= kEntriesTold) *response.add_open_entries() = at->second;
  }
  if (count > 0 && waits) return false;
  response.set_open_count(count);
  response.set_synced(count == 0);
  response.set_peer_reachable(peer_ != nullptr && peer_->Reachable());
  waiter.call->Reply(response.SerializeAsString());
  return true;
}

}  // namespace mtp::operations
