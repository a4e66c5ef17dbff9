#include "common/operations/sync_waiters.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
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
// Of all their tokens' parts: some 100 bytes each.
constexpr size_t kMostAwaited = 1'000'000;
constexpr absl::Duration kRetryDelay = absl::Seconds(1);
constexpr int kEntriesTold = 100;

const db::Statement kOpenMarks = db::Compose({kOutboxEntryColumns, R"(
  JOIN unnest($1::text[], $2::text[]) AS asked (of_kind, of_key)
    ON mark.kind = asked.of_kind AND mark.key = asked.of_key
)"});
// Of kind $1 those whose keys are a number from $2 to $3 and then $4.
const db::Statement kOpenRuns = db::Compose({kOutboxEntryColumns, R"(
  WHERE mark.kind = $1::text
    AND CASE WHEN mark.key ~ '^[0-9]{1,18}/'
             THEN split_part(mark.key, '/', 1)::bigint BETWEEN $2::bigint AND $3::bigint
                  AND mark.key = split_part(mark.key, '/', 1) || $4::text
             ELSE false END
)"});

std::pair<std::string, std::string> KindAndKey(const sync::Awaited& awaited) {
  return {awaited.kind, awaited.key};
}

int64_t NumberOf(const std::string& key) {
  int64_t number = 0;
  (void)absl::SimpleAtoi(key.substr(0, key.find('/')), &number);
  return number;
}

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
                      std::vector<sync::Awaited> awaited, absl::Time give_up) {
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = errors::Draining();
    } else if (waiting_ == kMostWaiting ||
               awaited_ + awaited.size() > kMostAwaited) {
      refused = errors::Overloaded("too many calls are waiting", kRetryDelay);
    } else {
      ++waiting_;
      awaited_ += awaited.size();
      arrived_.push_back({std::move(call), std::move(awaited), give_up});
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
      awaited_ = 0;
      for (const auto* waiters : {&waiting, &arrived_}) {
        for (const Waiter& waiter : *waiters) awaited_ += waiter.awaited.size();
      }
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
  std::set<std::pair<std::string_view, std::string_view>> single;
  // From the least to the greatest number that anybody asks for: there is less
  // in the outbox than could be asked for.
  std::map<std::pair<std::string, std::string>, std::pair<int64_t, int64_t>>
      runs;
  for (const Waiter& waiter : waiters) {
    for (const sync::Awaited& awaited : waiter.awaited) {
      if (!awaited.run()) {
        single.emplace(awaited.kind, awaited.key);
        continue;
      }
      auto& [first, last] =
          runs.try_emplace(KindAndKey(awaited), awaited.first, awaited.last)
              .first->second;
      first = std::min(first, awaited.first);
      last = std::max(last, awaited.last);
    }
  }
  std::vector<std::string> kinds;
  std::vector<std::string> keys;
  for (const auto& [kind, key] : single) {
    kinds.emplace_back(kind);
    keys.emplace_back(key);
  }
  db::Exchange exchange;
  exchange.Add(kOpenMarks, db::Params().Array(kinds).Array(keys));
  for (const auto& [of, numbers] : runs) {
    exchange.Add(kOpenRuns, db::Params()
                                .Add(of.first)
                                .Add(numbers.first)
                                .Add(numbers.second)
                                .Add(of.second));
  }
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
    open.single.emplace(std::move(key), std::move(entry));
  }
  size_t next = 1;
  for (const auto& [of, numbers] : runs) {
    std::map<int64_t, ops::v1::OutboxEntry>& entries = open.runs[of];
    for (const db::Row row : results[next++]) {
      ops::v1::OutboxEntry entry;
      ReadOutboxEntry(row, entry);
      const int64_t number = NumberOf(entry.key());
      entries.emplace(number, std::move(entry));
    }
  }
  return open;
}

void SyncWaiters::Open::Visit(
    const sync::Awaited& awaited,
    const std::function<bool(const ops::v1::OutboxEntry&)>& visitor) const {
  const auto lacks = [&](const ops::v1::OutboxEntry& entry) {
    return entry.confirmed_version() < awaited.version;
  };
  if (!awaited.run()) {
    const auto at = single.find(KindAndKey(awaited));
    if (at != single.end() && lacks(at->second)) visitor(at->second);
    return;
  }
  const auto run = runs.find(KindAndKey(awaited));
  if (run == runs.end()) return;
  for (auto at = run->second.lower_bound(awaited.first);
       at != run->second.end() && at->first <= awaited.last; ++at) {
    if (lacks(at->second) && !visitor(at->second)) return;
  }
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
  for (const sync::Awaited& awaited : waiter.awaited) {
    open->Visit(awaited, [&](const ops::v1::OutboxEntry& entry) {
      if (++count <= kEntriesTold) *response.add_open_entries() = entry;
      return !waits;  // one is enough to go on waiting
    });
    if (count > 0 && waits) return false;
  }
  response.set_open_count(count);
  response.set_synced(count == 0);
  response.set_peer_reachable(peer_ != nullptr && peer_->Reachable());
  waiter.call->Reply(response.SerializeAsString());
  return true;
}

}  // namespace mtp::operations
