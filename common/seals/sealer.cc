#include "common/seals/sealer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/sync/outbox.h"

namespace mtp::seals {
namespace {

// The writers of a moment mostly end within milliseconds.
constexpr absl::Duration kFirstPause = absl::Seconds(5);
constexpr absl::Duration kShortPause = absl::Milliseconds(10);

// What there is to seal. No row: nothing. What somebody wrote into the tables
// behind the service's back must not keep the rest from being sealed.
constexpr db::Statement kWaiting{R"(
  SELECT coalesce(seal.seal_number, 0), newest.entry_id,
    newest.entry_id - coalesce(seal.last_entry_id, 0),
    CASE WHEN isfinite(seal.sealed_at)
         THEN (extract(epoch FROM clock_timestamp() - seal.sealed_at) * 1000)::bigint END,
    CASE WHEN isfinite(first.recorded_at)
         THEN (extract(epoch FROM clock_timestamp() - first.recorded_at) * 1000)::bigint
         ELSE 0::bigint END
  FROM (SELECT max(entry_id) AS entry_id FROM audit.entry) AS newest
  LEFT JOIN LATERAL (
    SELECT seal_number, last_entry_id, sealed_at
    FROM audit.seal ORDER BY seal_number DESC LIMIT 1
  ) AS seal ON true
  JOIN LATERAL (
    SELECT recorded_at FROM audit.entry
    WHERE entry_id > coalesce(seal.last_entry_id, -9223372036854775808)
    ORDER BY entry_id LIMIT 1
  ) AS first ON true
  -- A side that was restored and did not say so would seal numbers again.
  WHERE NOT EXISTS (SELECT FROM sync.epoch
                    WHERE recovering OR refused_by_peer IN (
                      'REFUSAL_VERSIONS_FELL_BACK', 'REFUSAL_EPOCH_SUPERSEDED'))
)"};

// Who writes to the trail, or will in a moment: INSERT takes this lock before
// anything else, and a transaction keeps it until it ends.
constexpr db::Statement kWriters{R"(
  SELECT DISTINCT virtualtransaction FROM pg_catalog.pg_locks
  WHERE locktype = 'relation' AND relation = 'audit.entry'::regclass AND granted
    AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND mode = 'RowExclusiveLock'
)"};

constexpr db::Statement kBegin{"BEGIN"};
constexpr db::Statement kCommit{"COMMIT"};
constexpr db::Statement kRollback{"ROLLBACK"};
constexpr db::Statement kMyTurn{
    "SELECT pg_try_advisory_xact_lock(hashtextextended('mtp.audit.seal', 0))"};

const db::Statement kNewest = db::Compose({"SELECT ", kSealColumns, R"(
  FROM audit.seal ORDER BY seal_number DESC LIMIT 1
)"});

constexpr db::Statement kNow{R"(
  SELECT own_epoch, timestamptz_send(clock_timestamp()) FROM sync.epoch
)"};

constexpr db::Statement kStore{R"(
  INSERT INTO audit.seal (seal_number, epoch, last_entry_id, entry_count,
                          previous_digest, digest, sealed_at)
  VALUES ($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bytea, $6::bytea, $7::timestamptz)
)"};

}  // namespace

Sealer::Sealer(Options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { Work(); });
}

Sealer::~Sealer() { Stop(); }

void Sealer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Sealer::Stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

bool Sealer::Wait(absl::Duration length) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoNanoseconds(length),
                    [this] { return stopping_; });
  return !stopping_;
}

void Sealer::Work() {
  rpc::Backoff backoff(options_.backoff, options_.uniform);
  // By then it is known from the peer, if it is there, whether this side was
  // restored.
  absl::Duration pause = std::min(options_.interval, kFirstPause);
  while (Wait(pause)) {
    const absl::StatusOr<absl::Duration> next = Look();
    if (next.ok()) {
      backoff.Reset();
      pause = *next;
      continue;
    }
    horizon_.reset();
    pause = backoff.Next();
    if (!absl::IsCancelled(next.status()) && options_.observer.failed)
      options_.observer.failed(next.status());
  }
}

absl::Status Sealer::Connect() {
  if (connection_ != nullptr && connection_->alive()) return absl::OkStatus();
  connection_.reset();
  ASSIGN_OR_RETURN(connection_, db::Connection::Open(options_.database));
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> Sealer::Look() {
  RETURN_IF_ERROR(Connect());
  if (!horizon_.has_value()) {
    ASSIGN_OR_RETURN(horizon_, FindHorizon());
    if (!horizon_.has_value()) return options_.look_interval;
  }
  ASSIGN_OR_RETURN(const bool passed, Passed(*horizon_));
  if (!passed) {
    const absl::Duration since = absl::Now() - horizon_->since;
    if (since >= options_.held_up_after && !horizon_->told) {
      horizon_->told = true;
      if (options_.observer.held_up)
        options_.observer.held_up(since, horizon_->writers.size());
    }
    return std::clamp(since, kShortPause, options_.look_interval);
  }
  ASSIGN_OR_RETURN(const std::optional<Seal> seal, MakeSeal(*horizon_));
  if (seal.has_value()) {
    if (options_.marked) options_.marked();
    if (options_.observer.sealed) options_.observer.sealed(*seal);
    // More than one seal covers: the next one at once.
    if (seal->last_entry_id < horizon_->last_entry_id) {
      horizon_->last_seal_number = seal->seal_number;
      return absl::ZeroDuration();
    }
  }
  horizon_.reset();
  return options_.look_interval;
}

absl::StatusOr<std::optional<Sealer::Horizon>> Sealer::FindHorizon() {
  ASSIGN_OR_RETURN(const db::Result waiting, connection_->Run(kWaiting));
  if (waiting.empty()) {
    if (options_.observer.looked)
      options_.observer.looked(absl::ZeroDuration());
    return std::nullopt;
  }
  Horizon horizon;
  int64_t count = 0;  // at most: ids have gaps
  std::optional<int64_t> since_seal;
  int64_t since_first = 0;
  waiting[0].Into(horizon.last_seal_number, horizon.last_entry_id, count,
                  since_seal, since_first);
  if (options_.observer.looked)
    options_.observer.looked(absl::Milliseconds(since_first));
  if (since_seal.has_value() && count < options_.enough_entries &&
      absl::Milliseconds(*since_seal) < options_.interval) {
    return std::nullopt;
  }
  horizon.since = absl::Now();
  // Only now: a writer that comes later takes a greater id.
  ASSIGN_OR_RETURN(horizon.writers, Writers());
  return horizon;
}

absl::StatusOr<std::vector<std::string>> Sealer::Writers() {
  ASSIGN_OR_RETURN(const db::Result rows, connection_->Run(kWriters));
  std::vector<std::string> writers;
  for (const db::Row row : rows) writers.push_back(row.Get<std::string>(0));
  return writers;
}

absl::StatusOr<bool> Sealer::Passed(Horizon& horizon) {
  if (horizon.writers.empty()) return true;
  ASSIGN_OR_RETURN(const std::vector<std::string> now, Writers());
  std::erase_if(horizon.writers, [&](const std::string& writer) {
    return std::find(now.begin(), now.end(), writer) == now.end();
  });
  return horizon.writers.empty();
}

absl::StatusOr<std::optional<Seal>> Sealer::MakeSeal(const Horizon& horizon) {
  absl::StatusOr<std::optional<Seal>> seal = MakeSealInTransaction(horizon);
  const bool committed = seal.ok() && seal->has_value();
  if (!committed && connection_->alive() && !connection_->Run(kRollback).ok())
    connection_.reset();
  return seal;
}

absl::StatusOr<std::optional<Seal>> Sealer::MakeSealInTransaction(
    const Horizon& horizon) {
  RETURN_IF_ERROR(connection_->Run(kBegin).status());
  ASSIGN_OR_RETURN(const db::Result turn, connection_->Run(kMyTurn));
  if (!turn[0].Get<bool>(0)) return std::nullopt;
  ASSIGN_OR_RETURN(const db::Result newest, connection_->Run(kNewest));
  ASSIGN_OR_RETURN(const db::Result now, connection_->Run(kNow));

  Seal seal{.seal_number = 1, .previous_digest = FirstPreviousDigest()};
  Stretch stretch{.last_entry_id = horizon.last_entry_id};
  if (!newest.empty()) {
    const Seal previous = ReadSeal(newest[0]);
    // Another replica was first: several seal no more often than one.
    if (previous.seal_number != horizon.last_seal_number) return std::nullopt;
    seal.seal_number = previous.seal_number + 1;
    seal.previous_digest = previous.digest;
    stretch.first_entry_id = previous.last_entry_id + 1;
  }
  db::Bytes sealed_at;
  now[0].Into(seal.epoch, sealed_at);
  seal.sealed_at = db::ReadBigEndian<int64_t>(sealed_at.value);

  SealDigest digest(seal.previous_digest);
  RETURN_IF_ERROR(AddEntries(
      *connection_, stretch, options_.entry_limit,
      [this] { return Stopping(); }, digest));
  if (digest.entry_count() == 0) return std::nullopt;
  seal.last_entry_id = digest.last_entry_id();
  seal.entry_count = digest.entry_count();
  seal.digest = digest.Finish(seal);

  db::Exchange store;
  store.Add(kStore, db::Params()
                        .Add(seal.seal_number)
                        .Add(seal.epoch)
                        .Add(seal.last_entry_id)
                        .Add(seal.entry_count)
                        .Add(db::Bytes{seal.previous_digest})
                        .Add(db::Bytes{seal.digest})
                        .Add(TimeOf(seal.sealed_at)));
  sync::AddMarks({{.kind = std::string(sync::kSeal),
                   .key = absl::StrCat(seal.seal_number),
                   .version = 1}},
                 store);
  store.Add(kCommit);
  RETURN_IF_ERROR(connection_->Run(store).status());
  return seal;
}

}  // namespace mtp::seals
