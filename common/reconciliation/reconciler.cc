#include "common/reconciliation/reconciler.h"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/db/proto_enum.h"
#include "common/reconciliation/contents.h"
#include "common/reconciliation/differences.h"
#include "common/sync/link_state.h"
#include "common/sync/outbox.h"

namespace mtp::reconciliation {
namespace {

using sync::v1::State;

constexpr size_t kRepairsAtOnce = 500;
constexpr int kReruns = 8;
constexpr absl::Duration kLook = absl::Milliseconds(50);
// While so much is on its way anyway, a look now and then says nothing.
constexpr int64_t kBacklog = 1'000;

constexpr db::Statement kLock{
    "SELECT pg_try_advisory_lock(hashtext('mtp.reconcile'))"};
constexpr db::Statement kUnlock{
    "SELECT pg_advisory_unlock(hashtext('mtp.reconcile'))"};

// Who waits for an answer comes first.
constexpr db::Statement kOpenRun{R"(
  SELECT run_id, cause, report_only, kinds, correlation_id FROM sync.reconcile_run
  WHERE finished_at IS NULL AND (cause <> 'RECOVERY' OR $1::boolean)
  ORDER BY cause = 'RECOVERY', started_at LIMIT 1
)"};
constexpr db::Statement kBackgroundRun{R"(
  INSERT INTO sync.reconcile_run (run_id, cause, started_at, finished_at)
  VALUES ($1::uuid, 'BACKGROUND', now(), now())
)"};
constexpr db::Statement kCountRun{R"(
  UPDATE sync.reconcile_run
  SET compared_count = $2::bigint, drift_count = $3::bigint
  WHERE run_id = $1::uuid
)"};
constexpr db::Statement kFinishRun{R"(
  UPDATE sync.reconcile_run
  SET finished_at = now(), compared_count = $2::bigint, drift_count = $3::bigint,
      error = $4::text
  WHERE run_id = $1::uuid
)"};
constexpr db::Statement kBacklogOf{
    "SELECT count(*) FROM (SELECT FROM sync.outbox LIMIT $1::bigint) AS mark"};
const db::Statement kMarkedInBuckets =
    db::Compose({"SELECT key FROM sync.outbox WHERE kind = $1::text AND ",
                 kKeyHash, " % $2::bigint = ANY ($3::bigint[])"});
constexpr db::Statement kMarked{
    "SELECT key FROM sync.outbox WHERE kind = $1::text AND key = ANY "
    "($2::text[])"};
constexpr db::Statement kBegin{"BEGIN"};
constexpr db::Statement kCommit{"COMMIT"};
constexpr db::Statement kRollback{"ROLLBACK"};

// What was found before and is not repaired yet is not told again.
constexpr db::Statement kKeepDrift{R"(
  INSERT INTO sync.drift (drift_id, run_id, kind, key, owner, cause, differences,
                          owner_version, copy_version, repaired_version, why)
  SELECT drift_id, $1::uuid, $2::text, key, $3::text, cause, differences::jsonb,
         nullif(owner_version, 0), nullif(copy_version, 0), nullif(repaired_version, 0), why
  FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
              $10::bigint[], $11::text[])
    AS found (drift_id, key, cause, differences, owner_version, copy_version,
              repaired_version, why)
  WHERE NOT EXISTS (
    SELECT FROM sync.drift AS known
    WHERE known.kind = $2::text AND known.key = found.key AND known.cause = found.cause
      AND known.repaired_at IS NULL AND known.repaired_version IS NULL
      AND found.repaired_version = 0)
)"};

// Of what is found (keys $2, causes $3, differences $4) that of which nothing
// new is to be said: what its owner lacks, while that is known ($5: told only
// if it is new), and a seal that differs as it did when it was told again, for
// it never changes and a person has looked at it since.
constexpr db::Statement kKnown{R"(
  SELECT found.key FROM unnest($2::text[], $3::text[], $4::text[])
    AS found (key, cause, differences)
  WHERE EXISTS (
    SELECT FROM sync.drift AS known
    WHERE known.kind = $1::text AND known.key = found.key AND known.cause = found.cause
      AND CASE WHEN found.cause = 'OWNER_MISSING'
               THEN $5::boolean AND known.repaired_at IS NULL
               ELSE known.kind = 'seal' AND known.repaired_at IS NOT NULL
                    AND known.differences = found.differences::jsonb END)
)"};

// Told again under a raised version, and confirmed.
constexpr db::Statement kSettle{R"(
  WITH repaired AS (
    UPDATE sync.drift AS drift SET repaired_at = now()
    WHERE repaired_at IS NULL AND repaired_version IS NOT NULL
      AND NOT EXISTS (SELECT FROM sync.outbox AS mark
                      WHERE mark.kind = drift.kind AND mark.key = drift.key)
    RETURNING run_id)
  UPDATE sync.reconcile_run AS run SET repaired_count = run.repaired_count + done.count
  FROM (SELECT run_id, count(*) FROM repaired GROUP BY run_id) AS done
  WHERE run.run_id = done.run_id
)"};
// What was only told, with a later repair of the same thing.
constexpr db::Statement kSettleTold{R"(
  UPDATE sync.drift AS drift SET repaired_at = now()
  WHERE repaired_at IS NULL AND repaired_version IS NULL
    AND EXISTS (SELECT FROM sync.drift AS later
                WHERE later.kind = drift.kind AND later.key = drift.key
                  AND later.repaired_at IS NOT NULL AND later.found_at >= drift.found_at)
)"};
// The same when a comparison of all of its kind ($1 text[]) finds it no more;
// $2 and $3 (text[]) are kinds and keys of what that found.
constexpr db::Statement kSettleGone{R"(
  UPDATE sync.drift AS drift
  SET repaired_at = now(), why = 'a later comparison finds it no more'
  WHERE repaired_at IS NULL AND repaired_version IS NULL AND kind = ANY ($1::text[])
    AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS found (kind, key)
                    WHERE found.kind = drift.kind AND found.key = drift.key)
)"};
constexpr db::Statement kUnsettled{R"(
  SELECT count(*) FROM sync.drift
  WHERE run_id = $1::uuid AND repaired_at IS NULL AND repaired_version IS NOT NULL
)"};

}  // namespace

struct Reconciler::Run {
  Uuid run_id;
  std::string cause;
  bool background = false;
  bool report_only = false;
  std::vector<std::string> kinds;
  std::string correlation_id;
  int64_t compared = 0;
  int64_t drift = 0;
  // Compared whole, and what was found: kinds and keys, side by side.
  std::vector<std::string> kinds_compared;
  std::vector<std::string> found_kinds;
  std::vector<std::string> found_keys;
};

// A fact of which owner and copy say different things.
struct Reconciler::Difference {
  std::string key;
  std::optional<State> own;
  std::optional<State> copy;
  // What was done about it.
  Uuid drift_id;
  int64_t repaired_version = 0;
  std::string why;

  int64_t own_version() const { return own ? StampOf(*own).version() : 0; }
  int64_t copy_version() const { return copy ? StampOf(*copy).version() : 0; }

  ops::v1::DriftCause Cause() const {
    if (!own.has_value()) return ops::v1::DRIFT_CAUSE_OWNER_MISSING;
    if (!copy.has_value()) return ops::v1::DRIFT_CAUSE_COPY_MISSING;
    const auto place = [](const sync::v1::Stamp& stamp) {
      return std::pair(stamp.epoch(), stamp.version());
    };
    const auto owner_place = place(StampOf(*own));
    const auto copy_place = place(StampOf(*copy));
    if (copy_place < owner_place) return ops::v1::DRIFT_CAUSE_COPY_BEHIND;
    if (copy_place > owner_place) return ops::v1::DRIFT_CAUSE_COPY_AHEAD;
    return ops::v1::DRIFT_CAUSE_CONTENT_DIFFERS;
  }
  std::string CauseText() const { return std::string(db::EnumText(Cause())); }
  std::string DifferencesText() const {
    if (!own.has_value() || !copy.has_value()) return "[]";
    return DifferencesAsJson(Differences(*own, *copy));
  }
};

Reconciler::Reconciler(Options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { Work(); });
}

Reconciler::~Reconciler() { Stop(); }

void Reconciler::Notify() {
  {
    std::lock_guard lock(mutex_);
    asked_ = true;
  }
  changed_.notify_all();
}

void Reconciler::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Reconciler::Stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void Reconciler::Work() {
  // The first look at once: a side that was restored learns it from its peer.
  next_look_ = absl::Now();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, absl::ToChronoNanoseconds(options_.poll_interval),
                        [this] { return asked_ || stopping_; });
      if (stopping_) return;
      asked_ = false;
    }
    absl::Status status = LookOnce();
    if (status.ok()) continue;
    if (options_.observer.failed) options_.observer.failed(status);
    if (connection_ != nullptr && !connection_->alive()) connection_.reset();
  }
}

absl::Status Reconciler::LookOnce() {
  if (connection_ == nullptr || !connection_->alive()) {
    ASSIGN_OR_RETURN(connection_, db::Connection::Open(options_.database));
  }
  ASSIGN_OR_RETURN(Tasks tasks, LookForTasks());
  if (tasks.none()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const db::Result lock, connection_->Run(kLock));
  if (!lock[0].Get<bool>(0)) return absl::OkStatus();

  // Another replica may have done it until it let go of the lock.
  absl::StatusOr<Tasks> still = LookForTasks();
  absl::Status status = still.status();
  if (still.ok()) tasks = *std::move(still);
  if (!status.ok() || tasks.none()) {
    // Nothing is left to do, or nothing is known.
  } else if (tasks.recovering && options_.recover) {
    status = options_.recover(*connection_, [this] { return Stopping(); });
    if (absl::IsCancelled(status)) status = absl::OkStatus();
  } else if (!tasks.open.empty()) {
    Run run;
    tasks.open[0].Into(run.run_id, run.cause, run.report_only, run.kinds,
                       run.correlation_id);
    status = Execute(run);
  } else {
    next_look_ = absl::Now() + options_.interval;
    Run run{.run_id = Uuid::V7(absl::Now()), .background = true};
    run.correlation_id = absl::StrCat("reconcile-", run.run_id.ToString());
    const int64_t width = kBucketCount / options_.slices;
    const Slice slice{next_slice_ * width, (next_slice_ + 1) * width - 1};
    status = Settle();
    if (status.ok()) {
      absl::StatusOr<db::Result> backlog =
          connection_->Run(kBacklogOf, db::Params().Add(kBacklog));
      status = backlog.status();
      if (backlog.ok() && (*backlog)[0].Get<int64_t>(0) < kBacklog) {
        status = CompareAll(run, slice);
        if (status.ok()) next_slice_ = (next_slice_ + 1) % options_.slices;
      }
    }
    if (run.drift > 0 && connection_->alive()) {
      (void)connection_->Run(
          kCountRun,
          db::Params().Add(run.run_id).Add(run.compared).Add(run.drift));
    }
  }
  if (connection_->alive() && !connection_->Run(kUnlock).ok())
    connection_.reset();
  return status;
}

absl::StatusOr<Reconciler::Tasks> Reconciler::LookForTasks() {
  ASSIGN_OR_RETURN(const db::Result link,
                   connection_->Run(sync::kReadLinkState));
  const bool retry = absl::Now() >= next_retry_;
  ASSIGN_OR_RETURN(db::Result open,
                   connection_->Run(kOpenRun, db::Params().Add(retry)));
  return Tasks{.recovering = sync::ReadLinkState(link[0]).recovering,
               .open = std::move(open),
               .due = options_.interval > absl::ZeroDuration() &&
                      absl::Now() >= next_look_};
}

absl::Status Reconciler::Execute(Run& run) {
  absl::Status status = CompareAll(run, {0, kBucketCount - 1});
  if (status.ok()) status = WaitForRepairs(run);
  if (status.ok()) status = SettleGone(run);
  CrashPoint("reconcile.before_report");
  if (!connection_->alive()) return status;  // it is begun anew
  if (absl::IsCancelled(status)) return absl::OkStatus();
  if (!status.ok() && run.cause == "RECOVERY") {
    next_retry_ = absl::Now() + options_.retry_interval;
    return status;
  }
  // What the database says is for the log.
  const std::string error =
      db::SqlState(status).empty()
          ? std::string(status.message())
          : "the database refused it; the service's log says why";
  RETURN_IF_ERROR(connection_
                      ->Run(kFinishRun, db::Params()
                                            .Add(run.run_id)
                                            .Add(run.compared)
                                            .Add(run.drift)
                                            .Add(error))
                      .status());
  return status;
}

absl::Status Reconciler::CompareAll(Run& run, const Slice& slice) {
  for (const Facts& facts : *options_.facts) {
    if (facts.owner != options_.peer.side) continue;
    if (!run.kinds.empty() &&
        std::find(run.kinds.begin(), run.kinds.end(),
                  db::EnumText(facts.kind)) == run.kinds.end()) {
      continue;
    }
    RETURN_IF_ERROR(CompareKind(run, facts, slice));
  }
  return absl::OkStatus();
}

absl::Status Reconciler::CompareKind(Run& run, const Facts& facts,
                                     const Slice& slice) {
  const int64_t before = run.compared;
  Comparison comparison(options_.peer, *connection_);
  ASSIGN_OR_RETURN(
      const std::vector<int64_t> differing,
      comparison.DifferingBuckets(facts, slice.first, slice.last, run.compared,
                                  [this] { return Stopping(); }));
  if (options_.observer.compared)
    options_.observer.compared(run.compared - before);
  for (size_t first = 0; first < differing.size(); first += kBucketsAtOnce) {
    if (Stopping()) return absl::CancelledError("stopping");
    RETURN_IF_ERROR(CompareBuckets(
        run, facts,
        std::span(differing).subspan(
            first, std::min(kBucketsAtOnce, differing.size() - first))));
  }
  run.kinds_compared.emplace_back(db::EnumText(facts.kind));
  return absl::OkStatus();
}

absl::Status Reconciler::CompareBuckets(Run& run, const Facts& facts,
                                        std::span<const int64_t> buckets) {
  const std::vector<int64_t> wanted(buckets.begin(), buckets.end());
  const std::string kind(db::EnumText(facts.kind));
  Comparison comparison(options_.peer, *connection_);
  db::Exchange look;
  look.Add(facts.page, db::Params()
                           .Add(std::string())
                           .Add<int64_t>(0)
                           .Add(kBucketCount)
                           .Array(wanted)
                           .Add(std::numeric_limits<int64_t>::max()));
  look.Add(kMarkedInBuckets,
           db::Params().Add(kind).Add(kBucketCount).Array(wanted));
  ASSIGN_OR_RETURN(const db::Results own, connection_->Run(look.InSnapshot()));
  absl::flat_hash_set<std::string> marked;
  for (const db::Row row : own[2]) marked.insert(row.Get<std::string>(0));
  CrashPoint("reconcile.own_states_read");
  ASSIGN_OR_RETURN(std::vector<State> copies,
                   comparison.PeerStates(facts, buckets));
  CrashPoint("reconcile.states_read");

  ASSIGN_OR_RETURN(const sync::v1::Sender self, comparison.Sender());
  std::map<std::string, Difference> pairs;
  for (const db::Row row : own[1]) {
    State state = facts.read(row);
    Difference& pair = pairs[KeyOf(state)];
    if (StampOf(state).epoch() == 0) StampOf(state).set_epoch(self.epoch());
    pair.own = std::move(state);
  }
  const bool seals = facts.kind == sync::v1::ENTITY_KIND_SEAL;
  for (State& copy : copies) {
    Difference& pair = pairs[KeyOf(copy)];
    // A seal of another epoch is another seal; `audit verify` tells of those.
    if (seals && (!pair.own.has_value() ||
                  StampOf(*pair.own).epoch() != StampOf(copy).epoch())) {
      continue;
    }
    pair.copy = std::move(copy);
  }
  std::vector<Difference> found;
  for (auto& [key, pair] : pairs) {
    if (marked.contains(key) || (!pair.own && !pair.copy)) continue;
    if (pair.own && pair.copy && StampOf(*pair.copy).epoch() <= self.epoch() &&
        VersionedDigest(*pair.own) == VersionedDigest(*pair.copy)) {
      continue;
    }
    pair.key = key;
    found.push_back(std::move(pair));
  }
  if (found.empty()) return absl::OkStatus();
  if (!Planted("drift-not-confirmed")) RETURN_IF_ERROR(Confirm(facts, found));
  RETURN_IF_ERROR(LeaveOutKnown(run, facts, found));
  return Keep(run, facts, found);
}

absl::Status Reconciler::Confirm(const Facts& facts,
                                 std::vector<Difference>& found) {
  const std::string kind(db::EnumText(facts.kind));
  db::Exchange again;
  again.Add(facts.by_keys, db::Params().Array(found, &Difference::key));
  again.Add(kMarked, db::Params().Add(kind).Array(found, &Difference::key));
  ASSIGN_OR_RETURN(const db::Results results,
                   connection_->Run(again.InSnapshot()));
  absl::flat_hash_map<std::string, int64_t> versions;
  for (const db::Row row : results[1]) {
    const State state = facts.read(row);
    versions[KeyOf(state)] = StampOf(state).version();
  }
  absl::flat_hash_set<std::string> marked;
  for (const db::Row row : results[2]) marked.insert(row.Get<std::string>(0));
  std::erase_if(found, [&](const Difference& difference) {
    if (marked.contains(difference.key)) return true;
    const auto now = versions.find(difference.key);
    return (now == versions.end() ? 0 : now->second) !=
           difference.own_version();
  });
  return absl::OkStatus();
}

absl::Status Reconciler::LeaveOutKnown(Run& run, const Facts& facts,
                                       std::vector<Difference>& found) {
  if (found.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const db::Result rows,
      connection_->Run(kKnown, db::Params()
                                   .Add(std::string(db::EnumText(facts.kind)))
                                   .Array(found, &Difference::key)
                                   .Array(found, &Difference::CauseText)
                                   .Array(found, &Difference::DifferencesText)
                                   .Add(run.background)));
  absl::flat_hash_set<std::string> known;
  for (const db::Row row : rows) known.insert(row.Get<std::string>(0));
  std::erase_if(found, [&](const Difference& difference) {
    if (!known.contains(difference.key)) return false;
    // It is found nevertheless.
    run.found_kinds.emplace_back(db::EnumText(facts.kind));
    run.found_keys.push_back(difference.key);
    return true;
  });
  return absl::OkStatus();
}

absl::Status Reconciler::Keep(Run& run, const Facts& facts,
                              std::vector<Difference>& found) {
  for (const Difference& difference : found) {
    run.found_kinds.emplace_back(db::EnumText(facts.kind));
    run.found_keys.push_back(difference.key);
  }
  for (size_t first = 0; first < found.size(); first += kRepairsAtOnce) {
    const std::span<Difference> part(
        found.data() + first, std::min(kRepairsAtOnce, found.size() - first));
    absl::Status kept = KeepSome(run, facts, part);
    // People's changes of the same things come between.
    for (int i = 0; i < kReruns && db::WorthRerunning(kept); ++i)
      kept = KeepSome(run, facts, part);
    RETURN_IF_ERROR(kept);
  }
  return absl::OkStatus();
}

absl::Status Reconciler::KeepSome(Run& run, const Facts& facts,
                                  std::span<Difference> part) {
  const std::string kind(db::EnumText(facts.kind));
  db::Exchange begin;
  begin.Add(kBegin);
  const bool raises =
      !run.report_only && !Planted("repair-without-raised-version");
  if (raises) {
    begin.Add(facts.raise, db::Params()
                               .Array(part, &Difference::key)
                               .Array(part, &Difference::own_version)
                               .Array(part, &Difference::copy_version));
  }
  absl::StatusOr<db::Results> raised = connection_->Run(begin);
  std::vector<sync::Mark> marks;
  if (raised.ok()) {
    absl::flat_hash_map<std::string, int64_t> versions;
    if (raises) {
      for (const db::Row row : (*raised)[1])
        versions[row.Get<std::string>(0)] = row.Get<int64_t>(1);
    } else if (!run.report_only) {
      for (const Difference& difference : part) {
        if (difference.own.has_value())
          versions[difference.key] = difference.own_version();
      }
    }
    for (Difference& difference : part) {
      difference.repaired_version = 0;
      difference.drift_id = Uuid::V7(absl::Now());
      if (const auto version = versions.find(difference.key);
          version != versions.end()) {
        difference.repaired_version = version->second;
        difference.why = "the owner told it again under a raised version";
        marks.push_back(
            {kind, difference.key, version->second, run.correlation_id});
      } else {
        difference.why = run.report_only ? "only told, as was asked"
                         : difference.own.has_value()
                             ? "the owner changed it meanwhile"
                             : "the owner does not know it";
      }
    }
    CrashPoint("reconcile.before_repair");
    db::Exchange store;
    if (run.background && run.drift == 0)
      store.Add(kBackgroundRun, db::Params().Add(run.run_id));
    store.Add(kKeepDrift, db::Params()
                              .Add(run.run_id)
                              .Add(kind)
                              .Add(facts.owner)
                              .Array(part, &Difference::drift_id)
                              .Array(part, &Difference::key)
                              .Array(part, &Difference::CauseText)
                              .Array(part, &Difference::DifferencesText)
                              .Array(part, &Difference::own_version)
                              .Array(part, &Difference::copy_version)
                              .Array(part, &Difference::repaired_version)
                              .Array(part, &Difference::why));
    sync::AddMarks(marks, store);
    store.Add(kCommit);
    raised = connection_->Run(store);
  }
  if (!raised.ok()) {
    if (connection_->alive()) (void)connection_->Run(kRollback);
    return raised.status();
  }
  CrashPoint("reconcile.after_repair");
  run.drift += static_cast<int64_t>(part.size());
  if (!marks.empty() && options_.marked) options_.marked();
  if (!options_.observer.drifted) return absl::OkStatus();
  for (const Difference& difference : part)
    options_.observer.drifted(kind, difference.key, difference.Cause());
  return absl::OkStatus();
}

absl::Status Reconciler::WaitForRepairs(Run& run) {
  const absl::Time give_up = absl::Now() + options_.repair_limit;
  while (run.drift > 0 && !run.report_only) {
    RETURN_IF_ERROR(Settle());
    ASSIGN_OR_RETURN(
        const db::Result open,
        connection_->Run(kUnsettled, db::Params().Add(run.run_id)));
    if (open[0].Get<int64_t>(0) == 0 || absl::Now() >= give_up) break;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, absl::ToChronoNanoseconds(kLook),
                          [this] { return stopping_; })) {
      return absl::CancelledError("stopping");
    }
  }
  return absl::OkStatus();
}

absl::Status Reconciler::SettleGone(const Run& run) {
  return connection_
      ->Run(kSettleGone, db::Params()
                             .Array(run.kinds_compared)
                             .Array(run.found_kinds)
                             .Array(run.found_keys))
      .status();
}

absl::Status Reconciler::Settle() {
  db::Exchange settle;
  settle.Add(kSettle);
  settle.Add(kSettleTold);
  return connection_->Run(settle).status();
}

}  // namespace mtp::reconciliation
