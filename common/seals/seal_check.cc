#include "common/seals/seal_check.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/sync/link_state.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::seals {
namespace {

using audit::v1::SealFault;
using audit::v1::SealFaultKind;
using audit::v1::VerifySealsRequest;
using audit::v1::VerifySealsResponse;

constexpr int kFaultsTold = 100;
// Seals that are read, and asked the other side for, at once; the contract
// allows 500 keys.
constexpr int64_t kBlock = 100;
// How far behind the last seal the other side is asked for more.
constexpr int64_t kBeyond = 500;
constexpr absl::Duration kPeerDeadline = absl::Seconds(5);
// Time to answer before the client's own deadline.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(500);
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

constexpr db::Statement kBounds{R"(
  SELECT coalesce(last.seal_number, 0),
    (SELECT count(*) FROM audit.entry
     WHERE last.last_entry_id IS NULL OR entry_id > last.last_entry_id)
  FROM (SELECT) AS one
  LEFT JOIN LATERAL (
    SELECT seal_number, last_entry_id FROM audit.seal ORDER BY seal_number DESC LIMIT 1
  ) AS last ON true
)"};

const db::Statement kSeals = db::Compose({"SELECT ", kSealColumns, R"(
  FROM audit.seal WHERE seal_number BETWEEN $1::bigint AND $2::bigint
  ORDER BY seal_number
)"});

constexpr db::Statement kMarked{R"(
  SELECT key::bigint FROM sync.outbox
  WHERE kind = 'seal' AND key = ANY ($1::text[])
)"};

// Where a seal begins whose predecessor is gone: by its own count.
constexpr db::Statement kBeginByCount{R"(
  SELECT min(entry_id) FROM (
    SELECT entry_id FROM audit.entry
    WHERE entry_id <= $1::bigint ORDER BY entry_id DESC LIMIT $2::bigint
  ) AS covered
)"};

std::vector<std::string> KeysOf(int64_t first, int64_t last) {
  std::vector<std::string> keys;
  for (int64_t number = first; number <= last; ++number)
    keys.push_back(absl::StrCat(number));
  return keys;
}

}  // namespace

struct SealCheck::Run {
  const rpc::Call& call;
  const VerifySealsRequest& request;
  absl::Time give_up;
  db::Connection* connection = nullptr;
  int64_t last_number = 0;  // the last there is
  // The seal before, unless it is missing.
  std::optional<Seal> previous;
  bool ask_peer = true;
  // Of the block under way: what the other side keeps, by number, and which of
  // them it was not told yet.
  std::multimap<int64_t, Seal> copies;
  absl::flat_hash_set<int64_t> marked;
  VerifySealsResponse response;

  void Fault(SealFaultKind kind, int64_t number, const Seal* seal,
             std::string description) {
    response.set_fault_count(response.fault_count() + 1);
    if (response.faults_size() == kFaultsTold) return;
    SealFault& fault = *response.add_faults();
    fault.set_kind(kind);
    fault.set_seal_number(number);
    fault.set_description(std::move(description));
    if (seal == nullptr) return;
    if (const auto time = TimeOf(seal->sealed_at); time.has_value())
      *fault.mutable_sealed_at() = ToProto(*time);
  }
};

SealCheck::SealCheck(Options options, rpc::Router& router)
    : options_(std::move(options)), session_(options_.database) {
  thread_ = std::thread([this] { Work(); });
  router.Route(
      "mtp.audit.v1.AuditService/VerifySeals",
      [this](std::unique_ptr<rpc::Call> call) { Add(std::move(call)); });
}

SealCheck::~SealCheck() { Stop(); }

void SealCheck::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool SealCheck::Stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void SealCheck::Add(std::unique_ptr<rpc::Call> call) {
  absl::Status refused;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = errors::Draining();
    } else if (waiting_.size() == options_.waiting_limit) {
      refused = errors::Overloaded("too many wait for the trail to be read",
                                   kRetryDelay);
    } else {
      waiting_.push_back(std::move(call));
    }
  }
  if (!refused.ok()) return call->Fail(std::move(refused));
  changed_.notify_one();
}

void SealCheck::Work() {
  while (true) {
    std::unique_ptr<rpc::Call> call;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      call = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (Stopping()) {
      call->Fail(errors::Draining());
      continue;
    }
    if (call->Cancelled()) {
      call->Fail(absl::CancelledError("the client went away"));
      continue;
    }
    if (absl::Now() >= call->deadline) {
      call->Fail(absl::DeadlineExceededError("the call waited for too long"));
      continue;
    }
    Run run{.call = *call,
            .request = static_cast<const VerifySealsRequest&>(*call->message),
            .give_up = std::min(absl::Now() + options_.work_limit,
                                call->deadline - kAnswerMargin)};
    absl::StatusOr<VerifySealsResponse> response = Check(run);
    if (response.ok()) {
      call->Reply(response->SerializeAsString());
    } else {
      call->Fail(response.status());
    }
  }
}

absl::Status SealCheck::Explain(const absl::Status& status) const {
  if (options_.log_failure) options_.log_failure(status);
  if (db::ConnectionLost(status)) {
    return errors::Unavailable("DATABASE_UNAVAILABLE",
                               "the database cannot be reached", kRetryDelay);
  }
  if (db::Busy(status) || db::WorthRerunning(status)) {
    return errors::Unavailable(
        "DATABASE_BUSY", "the query took longer than it may", kRetryDelay);
  }
  return absl::InternalError("the database refused the query");
}

absl::StatusOr<VerifySealsResponse> SealCheck::Check(Run& run) {
  const VerifySealsRequest& request = run.request;
  if (request.to_seal_number() != 0 &&
      request.to_seal_number() < request.from_seal_number()) {
    return errors::InvalidField("to_seal_number",
                                "must not be before from_seal_number");
  }
  if (absl::Status status = Prepare(run); !status.ok()) return Explain(status);
  const int64_t first = std::max<int64_t>(request.from_seal_number(), 1);
  const int64_t last = request.to_seal_number() == 0 ? run.last_number
                                                     : request.to_seal_number();
  if (request.from_seal_number() > run.last_number || last > run.last_number) {
    return errors::NotFound(
        "seal", absl::StrCat(std::max(request.from_seal_number(), last)));
  }
  run.ask_peer = !request.without_peer() && options_.peer != nullptr;

  absl::Status status;
  int64_t next = first;
  while (status.ok() && next <= last &&
         (next == first || absl::Now() < run.give_up)) {
    const int64_t block_end = std::min(last, next + kBlock - 1);
    status = CheckBlock(run, next, block_end);
    next = run.response.next_seal_number();
  }
  if (status.ok() && next > last && request.to_seal_number() == 0)
    status = LookBeyond(run);
  if (absl::IsCancelled(status)) {
    return Stopping() ? errors::Draining()
                      : absl::CancelledError("the client went away");
  }
  if (!status.ok()) return Explain(status);
  if (next > last) run.response.set_next_seal_number(0);
  run.response.set_peer_compared(run.ask_peer);
  run.response.set_intact(run.response.fault_count() == 0);
  return std::move(run.response);
}

absl::Status SealCheck::Prepare(Run& run) {
  // A connection that was lost while nobody used it is made anew once.
  for (const bool again : {true, false}) {
    ASSIGN_OR_RETURN(run.connection, session_.Get());
    absl::StatusOr<db::Result> bounds = run.connection->Run(kBounds);
    if (!bounds.ok()) {
      if (again && db::ConnectionLost(bounds.status())) continue;
      return bounds.status();
    }
    int64_t unsealed = 0;
    (*bounds)[0].Into(run.last_number, unsealed);
    run.response.set_unsealed_entry_count(unsealed);
    break;
  }
  const int64_t from = run.request.from_seal_number();
  if (from <= 1) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const db::Result before,
      run.connection->Run(kSeals, db::Params().Add(from - 1).Add(from - 1)));
  if (!before.empty()) run.previous = ReadSeal(before[0]);
  return absl::OkStatus();
}

// Leaves the number to go on with in the response.
absl::Status SealCheck::CheckBlock(Run& run, int64_t first, int64_t last) {
  // First the marks: what is unmarked now, the other side has confirmed.
  db::Exchange load;
  load.Add(kMarked, db::Params().Array(KeysOf(first, last)));
  load.Add(kSeals, db::Params().Add(first).Add(last));
  ASSIGN_OR_RETURN(const db::Results results,
                   run.connection->Run(load.InSnapshot()));
  run.marked.clear();
  for (const db::Row row : results[1]) run.marked.insert(row.Get<int64_t>(0));
  std::map<int64_t, Seal> seals;
  for (const db::Row row : results[2]) {
    Seal seal = ReadSeal(row);
    seals.emplace(seal.seal_number, std::move(seal));
  }
  run.ask_peer = run.ask_peer && AskPeer(run, first, last);
  for (int64_t number = first; number <= last; ++number) {
    const auto found = seals.find(number);
    const Seal* seal = found == seals.end() ? nullptr : &found->second;
    RETURN_IF_ERROR(CheckSeal(run, number, seal));
    if (run.ask_peer) CompareWithPeer(run, number, seal);
    if (seal != nullptr) {
      run.previous = *seal;
    } else {
      run.previous.reset();
    }
    run.response.set_next_seal_number(number + 1);
    if (absl::Now() >= run.give_up) break;
  }
  return absl::OkStatus();
}

absl::Status SealCheck::CheckSeal(Run& run, int64_t number, const Seal* seal) {
  if (seal == nullptr) {
    run.Fault(audit::v1::SEAL_FAULT_KIND_SEAL_MISSING, number, nullptr,
              absl::StrCat("Seal ", number, " is missing: it was removed."));
    return absl::OkStatus();
  }
  const bool follows =
      number == 1 ? seal->previous_digest == FirstPreviousDigest()
                  : !run.previous.has_value() ||
                        (seal->previous_digest == run.previous->digest &&
                         seal->last_entry_id > run.previous->last_entry_id);
  if (!follows) {
    run.Fault(audit::v1::SEAL_FAULT_KIND_CHAIN_BROKEN, number, seal,
              absl::StrCat("Seal ", number, " does not follow from seal ",
                           number - 1, ": one of the two was altered."));
  }
  SealDigest digest(seal->previous_digest);
  ASSIGN_OR_RETURN(const Stretch stretch, StretchOf(run, *seal));
  // One more than there may be tells that there are more.
  const int64_t limit = seal->entry_count == std::numeric_limits<int64_t>::max()
                            ? seal->entry_count
                            : seal->entry_count + 1;
  RETURN_IF_ERROR(AddEntries(
      *run.connection, stretch, limit,
      [this, &run] { return Stopping() || run.call.Cancelled(); }, digest));
  if (digest.entry_count() != seal->entry_count) {
    run.Fault(audit::v1::SEAL_FAULT_KIND_ENTRY_COUNT_DIFFERS, number, seal,
              digest.entry_count() > seal->entry_count
                  ? absl::StrCat(
                        "Seal ", number, " was made over ", seal->entry_count,
                        " entries, but there are more: some were added "
                        "afterwards.")
                  : absl::StrCat("Seal ", number, " was made over ",
                                 seal->entry_count, " entries, but there are ",
                                 digest.entry_count(), ": some were removed."));
  } else if (digest.Finish(*seal) != seal->digest) {
    run.Fault(
        audit::v1::SEAL_FAULT_KIND_ENTRIES_ALTERED, number, seal,
        absl::StrCat("The ", seal->entry_count, " entries up to ",
                     seal->last_entry_id, " do not give the digest of seal ",
                     number, ": one of them, or the seal, was altered."));
  }
  run.response.set_verified_seal_count(run.response.verified_seal_count() + 1);
  run.response.set_verified_entry_count(run.response.verified_entry_count() +
                                        digest.entry_count());
  run.response.set_last_seal_number(number);
  run.response.set_last_digest(seal->digest);
  return absl::OkStatus();
}

absl::StatusOr<Stretch> SealCheck::StretchOf(Run& run, const Seal& seal) {
  Stretch stretch{.last_entry_id = seal.last_entry_id};
  if (seal.seal_number == 1) return stretch;
  if (run.previous.has_value()) {
    // Nothing, where the seal does not end behind the one before.
    stretch.first_entry_id = run.previous->last_entry_id < seal.last_entry_id
                                 ? run.previous->last_entry_id + 1
                                 : std::numeric_limits<int64_t>::max();
    return stretch;
  }
  ASSIGN_OR_RETURN(
      const db::Result begin,
      run.connection->Run(
          kBeginByCount,
          db::Params().Add(seal.last_entry_id).Add(seal.entry_count)));
  stretch.first_entry_id =
      begin[0].Get<std::optional<int64_t>>(0).value_or(seal.last_entry_id);
  return stretch;
}

void SealCheck::CompareWithPeer(Run& run, int64_t number, const Seal* seal) {
  bool kept = false;
  const auto [begin, end] = run.copies.equal_range(number);
  for (auto copy = begin; copy != end; ++copy) {
    if (seal != nullptr && copy->second.epoch == seal->epoch) {
      kept = true;
      if (copy->second == *seal) continue;
      run.Fault(audit::v1::SEAL_FAULT_KIND_PEER_DIFFERS, number, seal,
                absl::StrCat("The other side was told another seal ", number,
                             ": what it covers was rewritten, here or there."));
    } else {
      run.Fault(audit::v1::SEAL_FAULT_KIND_PEER_KNOWS_MORE, number,
                &copy->second,
                absl::StrCat("The other side keeps a seal ", number,
                             " of epoch ", copy->second.epoch,
                             " that is not here: it was removed, or lost in a "
                             "restore."));
    }
  }
  if (seal == nullptr || kept) return;
  if (run.marked.contains(number)) {
    run.response.set_peer_missing_seal_count(
        run.response.peer_missing_seal_count() + 1);
  } else {
    run.Fault(audit::v1::SEAL_FAULT_KIND_PEER_LOST, number, seal,
              absl::StrCat("The other side had confirmed seal ", number,
                           " and keeps it no more: it was removed there, or "
                           "lost in a restore."));
  }
}

// Whether the other side knows seals behind the last one. What was sealed and
// told meanwhile is here, too.
absl::Status SealCheck::LookBeyond(Run& run) {
  const int64_t first = run.last_number + 1;
  const int64_t last = run.last_number + kBeyond;
  run.ask_peer = run.ask_peer && AskPeer(run, first, last);
  if (!run.ask_peer || run.copies.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const db::Result rows,
      run.connection->Run(kSeals, db::Params().Add(first).Add(last)));
  std::map<int64_t, Seal> seals;
  for (const db::Row row : rows) {
    Seal seal = ReadSeal(row);
    seals.emplace(seal.seal_number, std::move(seal));
  }
  for (const auto& [number, copy] : run.copies) {
    const auto found = seals.find(number);
    if (found != seals.end() && found->second.epoch == copy.epoch) continue;
    run.Fault(
        audit::v1::SEAL_FAULT_KIND_PEER_KNOWS_MORE, number, &copy,
        absl::StrCat("The other side keeps seal ", number, " of epoch ",
                     copy.epoch, ", but the last one here is ", run.last_number,
                     ": the end of the trail was removed, or lost in a "
                     "restore."));
  }
  return absl::OkStatus();
}

bool SealCheck::AskPeer(Run& run, int64_t first, int64_t last) {
  run.copies.clear();
  const absl::StatusOr<db::Result> sender =
      run.connection->Run(sync::kReadSender);
  if (!sender.ok()) return false;
  sync::v1::ListStatesRequest request;
  *request.mutable_sender() =
      sync::ReadSender((*sender)[0], options_.side, options_.instance);
  request.set_kind(sync::v1::ENTITY_KIND_SEAL);
  request.set_owner(options_.side);
  for (std::string& key : KeysOf(first, last)) request.add_keys(std::move(key));
  request.set_page_size(1000);
  do {
    const absl::StatusOr<sync::v1::ListStatesResponse> response =
        rpc::CallAndWait<sync::v1::ListStatesResponse>(
            *options_.peer, "mtp.sync.v1.SyncService/ListStates", request,
            absl::Now() + kPeerDeadline);
    if (!response.ok()) {
      if (options_.log_failure) options_.log_failure(response.status());
      return false;
    }
    for (const sync::v1::State& state : response->states()) {
      if (!state.has_seal()) continue;
      run.copies.emplace(state.seal().seal_number(), FromState(state.seal()));
    }
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty() && !Stopping());
  return request.page_token().empty();
}

}  // namespace mtp::seals
