#include "common/sync/relay.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "common/sync/link_state.h"

namespace mtp::sync {
namespace {

// Far enough below the 4 MiB that a server takes, for states of 100 KiB (a
// shipment with thousands of bags in its differences) when looked at so often.
constexpr size_t kRequestBytes = 3 << 19;
constexpr size_t kStatesPerLook = 16;

using mtp::sync::v1::Verdict;

// Nobody works on it, or whoever did hangs or is gone.
constexpr std::string_view kLeaseIsFree = R"(
      AND (leased_until IS NULL OR leased_until < now()
           OR lease_pid <> ALL (ARRAY(SELECT pid FROM pg_stat_activity))))";

// The poll reads due marks off their index in their order, and stops when it
// has enough. What PostgreSQL takes for better while it thinks the outbox empty
// reads and sorts all of them.
constexpr db::Statement kReadInOrder{"SET enable_bitmapscan = off"};

// Oldest news first. Marks that another relay works on are skipped, not waited
// for. The token is one for the whole batch.
const db::Statement kClaim =
    db::Compose({R"(
  WITH lease AS MATERIALIZED (SELECT nextval('sync.lease_token_seq') AS token),
  due AS (
    SELECT kind, key FROM sync.outbox
    WHERE kind = $1::text AND next_attempt_at <= now()
      AND NOT EXISTS (SELECT FROM sync.epoch WHERE recovering))",
                 Planted("lease-never-expires") ? " AND leased_until IS NULL"
                                                : kLeaseIsFree,
                 R"(
    ORDER BY since, key LIMIT $2::bigint
    FOR UPDATE SKIP LOCKED)
  UPDATE sync.outbox AS mark
  SET lease_token = lease.token,
      leased_until = now() + make_interval(secs => $3::bigint),
      lease_pid = pg_backend_pid()
  FROM due, lease
  WHERE mark.kind = due.kind AND mark.key = due.key
  RETURNING mark.key, mark.version, mark.correlation_ids, mark.poisoned_version, lease.token,
            pg_current_xact_id()::text::bigint, clock_timestamp()
)"});

// The peer answered. As in the receiver: before any mark is locked.
constexpr db::Statement kHeard{R"(
  UPDATE sync.epoch SET peer_heard_at = now()
  WHERE peer_heard_at IS NULL OR peer_heard_at < now() - interval '1 second'
)"};

// What the peer thinks of all that is sent to it; seldom changes.
constexpr db::Statement kRefusedByPeer{R"(
  UPDATE sync.epoch SET refused_by_peer = $1::text WHERE refused_by_peer <> $1::text
)"};

// The marks of kind $1 with keys $2 that are leased with token $3, each found
// by its key. Asked in any other way PostgreSQL reads every mark of the kind
// for each batch, for it thinks the outbox as empty as it mostly is.
constexpr std::string_view kLeased = R"(
  FROM (SELECT key FROM unnest($2::text[]) AS key ORDER BY key) AS named
  CROSS JOIN LATERAL (
    SELECT leased.ctid FROM sync.outbox AS leased
    WHERE leased.kind = $1::text AND leased.key = named.key
      AND leased.lease_token = $3::bigint
)";

// In the order in which commands take their marks, so that neither waits for
// the other in a circle. Before those below, which find the same marks.
const db::Statement kLock =
    db::Compose({"SELECT", kLeased, " FOR UPDATE) AS found"});
constexpr std::string_view kWhereLeased =
    " WHERE mark.ctid = ANY (ARRAY(SELECT found.ctid ";
constexpr std::string_view kEndOfLeased = " OFFSET 0) AS found))";
// Of the arrays that are parallel to the keys.
constexpr std::string_view kToldVersion =
    "($4::bigint[])[array_position($2::text[], mark.key)]";
constexpr std::string_view kReason =
    "($5::text[])[array_position($2::text[], mark.key)]";

// Confirmed, and nothing newer happened meanwhile.
const db::Statement kForget =
    db::Compose({"DELETE FROM sync.outbox AS mark", kWhereLeased, kLeased,
                 kEndOfLeased, " AND mark.version <= ", kToldVersion});

// What the peer could not understand waits for its next version, or for an
// operator there, whose word comes as the answer to a later offer.
const db::Statement kPoison = db::Compose(
    {"UPDATE sync.outbox AS mark SET attempts = attempts + 1, last_error = ",
     kReason, ", poisoned_version = greatest(poisoned_version, ", kToldVersion,
     "), next_attempt_at = CASE WHEN mark.version <= ", kToldVersion, R"(
                             THEN now() + make_interval(secs => $6::bigint)
                             ELSE now() END,
      lease_token = NULL, leased_until = NULL, lease_pid = NULL)",
     kWhereLeased, kLeased, kEndOfLeased});

// Newer versions that came while the batch was on its way, and what did not
// fit into it, are due again.
const db::Statement kReleaseRest =
    db::Compose({"UPDATE sync.outbox AS mark SET confirmed_version = ",
                 "greatest(confirmed_version, ", kToldVersion,
                 "), lease_token = NULL, leased_until = NULL, lease_pid = NULL",
                 kWhereLeased, kLeased, kEndOfLeased});

// Acts only where it is planted.
constexpr db::Statement kGiveUp{"DELETE FROM sync.outbox WHERE attempts > 5"};

// Due again after $5 seconds at the most: the first times much sooner, and at
// once where the peer has not stumbled over it before, for a failure may also
// be one of the line's, and attempts are those of an outage, too.
const db::Statement kReleaseFailed =
    db::Compose({R"(
  UPDATE sync.outbox AS mark
  SET attempts = attempts + 1, last_error = $4::text,
      next_attempt_at = now() + make_interval(secs => least($5::bigint,
        power(2, CASE WHEN starts_with(last_error, 'INTERNAL:')
                      THEN least(attempts, 20) ELSE 0 END) / 20)),
      lease_token = NULL, leased_until = NULL, lease_pid = NULL)",
                 kWhereLeased, kLeased, kEndOfLeased});

std::chrono::nanoseconds Chrono(absl::Duration duration) {
  return absl::ToChronoNanoseconds(duration);
}

}  // namespace

Relay::Relay(Options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { Work(); });
}

Relay::~Relay() { Stop(); }

void Relay::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Relay::Notify() {
  {
    std::lock_guard lock(mutex_);
    if (news_) return;
    news_ = true;
  }
  changed_.notify_one();
}

bool Relay::Wait(absl::Duration longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, Chrono(longest),
                    [this] { return news_ || stopping_; });
  news_ = false;
  return !stopping_;
}

absl::Status Relay::Connect() {
  if (connection_ != nullptr &&
      (connection_->alive() || Planted("relay-connection-not-remade"))) {
    return absl::OkStatus();
  }
  connection_.reset();
  ASSIGN_OR_RETURN(auto opened, db::Connection::Open(options_.database));
  RETURN_IF_ERROR(opened->Run(kReadInOrder).status());
  connection_ = std::move(opened);
  return absl::OkStatus();
}

void Relay::Work() {
  rpc::Backoff backoff(options_.backoff, options_.uniform);
  absl::Duration pause = absl::ZeroDuration();
  while (Wait(pause)) {
    const absl::Time began = absl::Now();
    pause = Planted("poll-missed") ? absl::Hours(1) : options_.poll_interval;
    bool failed = false;
    bool told = false;
    bool more = false;
    for (const Route& route : options_.routes) {
      absl::StatusOr<size_t> found = SendBatch(route);
      if (!found.ok()) {
        failed = true;
        if (options_.observer.failed)
          options_.observer.failed(route.kind, found.status());
        continue;
      }
      told = told || *found > 0;
      more = more || *found == static_cast<size_t>(LimitOf(route));
    }
    if (failed) {
      // News does not make an absent peer present: sit the pause out.
      Rest(backoff.Next());
      pause = absl::ZeroDuration();
      continue;
    }
    backoff.Reset();
    if (more) {
      pause = absl::ZeroDuration();
    } else if (told) {
      // What changes many times a second is told a few times a second.
      Rest(began + options_.pace - absl::Now());
      pause = absl::ZeroDuration();
    }
  }
}

void Relay::Rest(absl::Duration length) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, Chrono(length), [this] { return stopping_; });
}

absl::StatusOr<std::vector<Relay::Claimed>> Relay::Claim(const Route& route,
                                                         Lease& lease) {
  ASSIGN_OR_RETURN(
      db::Result claimed_rows,
      connection_->Run(kClaim, db::Params()
                                   .Add(route.kind)
                                   .Add(LimitOf(route))
                                   .Add(absl::ToInt64Seconds(options_.lease))));
  std::vector<Claimed> claimed;
  for (const db::Row row : claimed_rows) {
    Claimed& mark = claimed.emplace_back();
    row.Into(mark.key, mark.version, mark.correlation_ids,
             mark.poisoned_version, lease.token, lease.transaction,
             lease.claimed_at);
  }
  return claimed;
}

absl::StatusOr<size_t> Relay::SendBatch(const Route& route) {
  RETURN_IF_ERROR(Connect());
  Lease lease;
  ASSIGN_OR_RETURN(std::vector<Claimed> claimed, Claim(route, lease));
  const int64_t lease_token = lease.token;
  if (claimed.empty()) return 0;
  CrashPoint("deliver.lease_taken");

  db::Exchange fetch;
  fetch.Add(kReadSender);
  fetch.Add(kReadLinkState);
  fetch.Add(route.fetch, db::Params().Array(claimed, &Claimed::key));
  absl::StatusOr<db::Results> fetched = connection_->Run(fetch);
  if (!fetched.ok()) {
    if (connection_->alive()) {
      RETURN_IF_ERROR(Release(route, lease_token, claimed, fetched.status()));
    }
    return fetched.status();
  }
  const db::Results& results = *fetched;
  // An epoch that was just begun takes back first what the peer knows better.
  if (ReadLinkState(results[1][0]).recovering) {
    RETURN_IF_ERROR(Release(route, lease_token, claimed,
                            absl::UnavailableError("recovering first")));
    return 0;
  }
  std::unique_ptr<google::protobuf::Message> request = route.new_request();
  v1::Sender sender =
      ReadSender(results[0][0], options_.side, options_.instance);
  sender.set_high_water(lease.transaction);
  *sender.mutable_sent_at() = ToProto(lease.claimed_at);
  const int64_t epoch = sender.epoch();
  *route.sender(*request) = sender;

  absl::flat_hash_map<std::string, Claimed*> by_key;
  for (Claimed& mark : claimed) by_key[mark.key] = &mark;
  std::vector<Claimed> sent;
  bool full = false;
  for (const db::Row row : results[2]) {
    Claimed& mark = *by_key.at(row.Get<std::string>(0));
    if (sent.size() % kStatesPerLook == 0) {
      full = full || request->ByteSizeLong() >= kRequestBytes;
    }
    if (full) {
      mark.left_over = true;
      continue;
    }
    v1::Stamp* stamp = route.add_state(*request, row);
    // What was made once belongs to the epoch it was made in.
    if (stamp->epoch() == 0) stamp->set_epoch(epoch);
    for (auto id = mark.correlation_ids.rbegin();
         id != mark.correlation_ids.rend(); ++id) {
      stamp->add_correlation_ids(*id);
    }
    mark.sent_version = stamp->version();
    sent.push_back(mark);
  }
  std::vector<Verdict> verdicts;
  if (!sent.empty()) {
    const absl::Time started = absl::Now();
    if (Planted("mark-removed-before-ack")) {
      RETURN_IF_ERROR(Settle(route, lease_token, claimed, sent,
                             std::vector<Verdict>(sent.size())));
    }
    CrashPoint("deliver.before_send");
    SayAsNextVersion(*request);
    absl::StatusOr<std::string> reply = options_.send(
        route.method, request->SerializeAsString(), options_.call_deadline);
    absl::StatusOr<Route::Answer> answer =
        reply.ok() ? route.parse(*reply)
                   : absl::StatusOr<Route::Answer>(reply.status());
    if (answer.ok() && answer->receipt.refusal() != v1::REFUSAL_UNSPECIFIED) {
      RETURN_IF_ERROR(
          connection_
              ->Run(kRefusedByPeer, db::Params().Add(v1::Refusal_Name(
                                        answer->receipt.refusal())))
              .status());
      answer = absl::FailedPreconditionError(absl::StrCat(
          "the peer refused: ", v1::Refusal_Name(answer->receipt.refusal())));
    }
    if (answer.ok() && answer->verdicts.size() != sent.size()) {
      answer = absl::InternalError("the peer did not judge every state");
    }
    if (answer.status().code() == absl::StatusCode::kInternal) {
      RETURN_IF_ERROR(TellByFewer(route, lease_token, claimed, sent.size(),
                                  answer.status()));
      return claimed.size();
    }
    if (!answer.ok()) {
      RETURN_IF_ERROR(Release(route, lease_token, claimed, answer.status()));
      return answer.status();
    }
    LimitOf(route) = std::min(2 * LimitOf(route), options_.batch_limit);
    verdicts = std::move(answer->verdicts);
    if (options_.observer.sent) {
      options_.observer.sent(route.kind, sent.size(), absl::Now() - started);
    }
  }
  // A mark without a state to tell (nothing that the peer must know) is done.
  for (const Claimed& mark : claimed) {
    if (mark.sent_version != 0) continue;
    if (mark.left_over && !Planted("left-over-forgotten")) continue;
    sent.push_back(mark);
    sent.back().sent_version = mark.version;
    verdicts.emplace_back().set_code(v1::VERDICT_CODE_STALE);
  }
  CrashPoint("deliver.after_send");
  RETURN_IF_ERROR(Settle(route, lease_token, claimed, sent, verdicts));
  CrashPoint("deliver.after_settle");
  return claimed.size();
}

int64_t& Relay::LimitOf(const Route& route) {
  return limits_.try_emplace(route.kind, options_.batch_limit).first->second;
}

absl::Status Relay::TellByFewer(const Route& route, int64_t lease_token,
                                const std::vector<Claimed>& claimed,
                                size_t sent, const absl::Status& failure) {
  if (options_.observer.failed) options_.observer.failed(route.kind, failure);
  LimitOf(route) = std::max<int64_t>(1, static_cast<int64_t>(sent) / 2);
  // It waits as what is POISON does, for its next version or for the peer to
  // be mended.
  return Release(
      route, lease_token, claimed, failure,
      claimed.size() == 1 ? options_.poison_retry : absl::ZeroDuration());
}

absl::Status Relay::Settle(const Route& route, int64_t lease_token,
                           const std::vector<Claimed>& claimed,
                           const std::vector<Claimed>& judged,
                           const std::vector<Verdict>& verdicts) {
  std::vector<Claimed> confirmed;
  std::vector<Claimed> poison;
  std::vector<std::string> reasons;
  for (size_t i = 0; i < judged.size(); ++i) {
    if (options_.observer.judged) options_.observer.judged(verdicts[i].code());
    if (verdicts[i].code() != v1::VERDICT_CODE_POISON ||
        Planted("poison-dropped")) {
      confirmed.push_back(judged[i]);
      if (Planted("mark-removed-though-newer"))
        confirmed.back().sent_version = std::numeric_limits<int64_t>::max();
      continue;
    }
    poison.push_back(judged[i]);
    reasons.push_back(absl::StrCat("POISON ", verdicts[i].reason(), ": ",
                                   verdicts[i].message()));
    if (options_.observer.poison) {
      options_.observer.poison(
          route.kind, judged[i].key, verdicts[i],
          judged[i].sent_version <= judged[i].poisoned_version);
    }
  }
  db::Exchange settle;
  if (std::any_of(claimed.begin(), claimed.end(),
                  [](const Claimed& mark) { return mark.sent_version != 0; })) {
    settle.Add(kHeard);
    settle.Add(kRefusedByPeer, db::Params().Add(std::string()));
  }
  settle.Add(kLock, db::Params()
                        .Add(route.kind)
                        .Array(claimed, &Claimed::key)
                        .Add(lease_token));
  if (!confirmed.empty()) {
    settle.Add(kForget, db::Params()
                            .Add(route.kind)
                            .Array(confirmed, &Claimed::key)
                            .Add(lease_token)
                            .Array(confirmed, &Claimed::sent_version));
  }
  if (!poison.empty()) {
    settle.Add(kPoison, db::Params()
                            .Add(route.kind)
                            .Array(poison, &Claimed::key)
                            .Add(lease_token)
                            .Array(poison, &Claimed::sent_version)
                            .Array(reasons)
                            .Add(absl::ToInt64Seconds(options_.poison_retry)));
  }
  settle.Add(kReleaseRest, db::Params()
                               .Add(route.kind)
                               .Array(claimed, &Claimed::key)
                               .Add(lease_token)
                               .Array(claimed, &Claimed::sent_version));
  return connection_->Run(settle).status();
}

absl::Status Relay::Release(const Route& route, int64_t lease_token,
                            const std::vector<Claimed>& claimed,
                            const absl::Status& failure, absl::Duration wait) {
  const db::Params leased = db::Params()
                                .Add(route.kind)
                                .Array(claimed, &Claimed::key)
                                .Add(lease_token);
  db::Exchange release;
  release.Add(kLock, leased);
  release.Add(kReleaseFailed,
              db::Params(leased)
                  .Add(std::string(failure.ToString(
                      absl::StatusToStringMode::kWithNoExtraData)))
                  .Add(absl::ToInt64Seconds(wait)));
  const absl::Status released = connection_->Run(release).status();
  if (Planted("mark-given-up")) (void)connection_->Run(kGiveUp);
  return released;
}

}  // namespace mtp::sync
