#include "common/handlers/commands.h"

#include <malloc.h>

#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "common/base/test_points.h"

namespace mtp::handlers {
namespace {

constexpr db::Statement kBegin{"BEGIN"};
constexpr db::Statement kCommit{"COMMIT"};
constexpr db::Statement kRollback{"ROLLBACK"};

// How long a batch waits for rows that another transaction holds. Those of the
// lanes beside it hold theirs for milliseconds; what holds them for longer is a
// lengthy call, and who needs them steps aside. A lane's session is told once.
constexpr absl::Duration kBatchPatience = absl::Milliseconds(500);
// Once a batch was taken apart for that, each of its calls has waited. It holds
// for one transaction.
constexpr db::Statement kHurry{"SET LOCAL lock_timeout = '20ms'"};

// Deadlocks and lost races settle in one or two runs; more means that something
// is wrong, and then the clients are told to try again.
constexpr int kReruns = 8;

constexpr absl::Duration kRetryDelay = absl::Milliseconds(250);
constexpr absl::Duration kReconnectPause = absl::Milliseconds(100);

}  // namespace

struct CommandLanes::Lane {
  Session session;
  std::unique_ptr<db::WorkingSet> rows;
  // Waits for locks as long as the database lets it.
  bool lengthy = false;
  // The batch may have been committed although the answer was lost.
  bool in_doubt = false;
  // By which the database refuses the batch, which is one call.
  std::optional<std::string> broken_rule;
};

CommandLanes::CommandLanes(Options options)
    : options_(std::move(options)),
      line_(Planted("waiting-line-unbounded") ? SIZE_MAX
                                              : options_.waiting_limit),
      lengthy_line_(options_.waiting_limit) {
  for (int i = 0; i < options_.lanes; ++i) {
    threads_.emplace_back([this] { Work(line_); });
  }
  lengthy_thread_ = std::thread([this] { Work(lengthy_line_); });
}

CommandLanes::~CommandLanes() { Drain(); }

void CommandLanes::Drain() {
  line_.Close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  // Only now: calls may have stepped aside until the end.
  lengthy_line_.Close();
  if (lengthy_thread_.joinable()) lengthy_thread_.join();
}

rpc::Handler CommandLanes::HandlerFor(const Command* command) {
  return [this, command](std::unique_ptr<rpc::Call> call) {
    // Not counted: it outlives the handler.
    Submit(std::shared_ptr<const Command>(std::shared_ptr<void>(), command),
           std::move(call));
  };
}

void CommandLanes::Submit(std::shared_ptr<const Command> command,
                          std::unique_ptr<rpc::Call> call) {
  Waiting waiting;
  if (command->request_id != nullptr) {
    const auto given = Uuid::Parse(call->message->GetReflection()->GetString(
        *call->message, command->request_id));
    // A call without a request_id is done once all the same: a key of its own
    // tells whether a COMMIT whose answer was lost took effect.
    waiting.given_id = given;
    waiting.key = {given.value_or(Uuid::V7(options_.clock())),
                   call->caller.subject, command->method};
    waiting.content_digest = sync::ContentDigest(call->request);
  }
  // Of a large file one copy is enough: the message.
  if (command->lengthy) std::string().swap(call->request);
  waiting.call = std::move(call);
  const bool lengthy = command->lengthy;
  waiting.command = std::move(command);
  if (!(lengthy ? lengthy_line_ : line_).Push(waiting)) {
    waiting.call->Fail(
        errors::Overloaded("too many changes are waiting", kRetryDelay));
  }
}

std::vector<CommandLanes::Waiting> CommandLanes::TakeBatch(
    WaitingLine<Waiting>& line) {
  absl::flat_hash_set<sync::IdempotencyKey> keys;
  bool any = false;
  bool closed_to_others = false;
  const auto joins = [&](const Waiting& waiting) {
    if (closed_to_others || (waiting.command->alone && any)) return false;
    // The same key twice: the second waits for the first one's reply.
    if (!waiting.key.request_id.IsNil() && !keys.insert(waiting.key).second)
      return false;
    any = true;
    closed_to_others = waiting.command->alone;
    return true;
  };
  return line.Take(options_.batch_limit, joins,
                   absl::ToChronoNanoseconds(options_.gather));
}

void CommandLanes::Work(WaitingLine<Waiting>& line) {
  const bool lengthy = &line == &lengthy_line_;
  db::Connection::Options database = options_.database;
  if (!lengthy) database.lock_timeout = kBatchPatience;
  Lane lane{.session = Session(std::move(database)),
            .rows = options_.working_set(),
            .lengthy = lengthy};
  while (true) {
    std::vector<Waiting> batch = TakeBatch(line);
    if (batch.empty()) return;
    std::erase_if(batch, [this](Waiting& waiting) {
      if (waiting.call->Cancelled()) {
        waiting.call->Fail(absl::CancelledError("the client went away"));
        return true;
      }
      if (waiting.call->deadline <= options_.clock()) {
        waiting.call->Fail(
            absl::DeadlineExceededError("the call waited for too long"));
        return true;
      }
      return false;
    });
    if (!batch.empty()) Execute(lane, std::move(batch));
    if (!lane.lengthy) continue;
    // What a large file took, here, in the connection's buffers and wherever it
    // was parsed, goes back to the system.
    lane.session.Drop();
    lane.rows = options_.working_set();
    malloc_trim(0);
  }
}

void CommandLanes::FailAll(std::vector<Waiting>& batch,
                           const absl::Status& status) {
  for (Waiting& waiting : batch) waiting.call->Fail(status);
}

absl::Status CommandLanes::Explain(const Waiting& waiting,
                                   const absl::Status& status) const {
  if (const std::string constraint = db::ConstraintName(status);
      !constraint.empty()) {
    if (absl::Status known = options_.explain_constraint(constraint);
        !known.ok()) {
      return known;
    }
  }
  if (options_.log_failure) options_.log_failure(*waiting.call, status);
  if (db::Busy(status)) {
    return errors::Unavailable(
        "DATABASE_BUSY",
        "the rows are taken by a long change; nothing was done", kRetryDelay);
  }
  if (db::OutOfRoom(status)) {
    return errors::Unavailable(
        "DATABASE_FULL", "the database has no room left; nothing was done",
        kRetryDelay);
  }
  return absl::InternalError("the database refused the change");
}

// Runs the batch until its outcome is known, or until its one call steps aside.
void CommandLanes::Execute(Lane& lane, std::vector<Waiting> batch,
                           bool in_a_hurry) {
  const absl::Time began = absl::Now();
  lane.in_doubt = false;
  lane.broken_rule.reset();
  lane.rows->Clear();
  const auto rerun = [this](std::string_view cause) {
    if (options_.observer.batch_rerun) options_.observer.batch_rerun(cause);
  };
  absl::Status status;
  bool refused = false;
  for (int run = 0; run < kReruns;) {
    status = TryOnce(lane, batch, in_a_hurry);
    if (status.ok() || !Planted("rows-kept-over-rerun")) lane.rows->Clear();
    if (status.ok()) return;
    if (db::ConnectionLost(status)) {
      rerun("connection_lost");
      if (absl::Now() - began >=
          (lane.in_doubt ? options_.doubt_limit : options_.reconnect_limit)) {
        break;
      }
      if (lane.in_doubt && Planted("lost-commit-retried-as-new")) {
        for (Waiting& waiting : batch) {
          if (!waiting.key.request_id.IsNil())
            waiting.key.request_id = Uuid::V7(options_.clock());
        }
      }
      absl::SleepFor(kReconnectPause);
    } else if (db::WorthRerunning(status)) {
      rerun("conflict");
      ++run;
    } else if (db::ConstraintName(status) == sync::kIdempotencyConstraint) {
      rerun("key_taken");
      ++run;
    } else if (batch.size() == 1) {
      if (!lane.lengthy && db::Busy(status) &&
          lengthy_line_.Push(batch.front())) {
        rerun("stepped_aside");
        return;
      }
      // Once more: the row in its way may be its own, made by another lane.
      if (!db::ConstraintName(status).empty() &&
          !std::exchange(refused, true)) {
        rerun("refused");
        continue;
      }
      // And once more for who has an answer to the rule that it breaks.
      if (const std::optional<std::string> rule = db::BrokenRule(status);
          rule.has_value() && batch.front().command->answers_broken_rule &&
          !lane.broken_rule.has_value()) {
        lane.broken_rule = rule;
        rerun("refused");
        continue;
      }
      batch.front().call->Fail(Explain(batch.front(), status));
      return;
    } else {
      rerun("refused");
      for (Waiting& waiting : batch) {
        std::vector<Waiting> one;
        one.push_back(std::move(waiting));
        Execute(lane, std::move(one), !lane.lengthy && db::Busy(status));
      }
      return;
    }
  }
  if (options_.log_failure) options_.log_failure(*batch.front().call, status);
  if (!db::ConnectionLost(status)) {
    FailAll(batch, errors::Unavailable(
                       "DATABASE_BUSY",
                       "other changes kept coming between; nothing was done",
                       kRetryDelay));
    return;
  }
  FailAll(batch, errors::Unavailable(
                     "DATABASE_UNAVAILABLE",
                     lane.in_doubt
                         ? "the database cannot be reached; whether the change "
                           "was made is known after a repeat with the same "
                           "request_id"
                         : "the database cannot be reached; nothing was done",
                     kRetryDelay));
}

// One transaction. Answers every call and returns OK, or answers none.
absl::Status CommandLanes::TryOnce(Lane& lane, std::vector<Waiting>& batch,
                                   bool in_a_hurry) {
  const absl::Time started = absl::Now();
  ASSIGN_OR_RETURN(db::Connection * connection, lane.session.Get());

  db::Exchange load;
  load.Add(kBegin);
  if (in_a_hurry) load.Add(kHurry);
  size_t next = load.size();
  std::vector<sync::IdempotencyKey> keys;
  for (const Waiting& waiting : batch) {
    if (!waiting.key.request_id.IsNil()) keys.push_back(waiting.key);
    waiting.command->touch(*waiting.call->message, *lane.rows);
  }
  // The probe comes last: whoever's effects the loads saw has left its key by
  // then, and a call that another lane or replica did meanwhile is replayed
  // instead of being refused for what it did itself.
  const bool probe_first = Planted("probe-before-locks");
  if (probe_first && !keys.empty()) sync::AddProbe(keys, load);
  lane.rows->AddLoads(load);
  if (!probe_first && !keys.empty()) sync::AddProbe(keys, load);
  absl::StatusOr<db::Results> loaded = connection->Run(load);
  if (!loaded.ok()) {
    if (connection->alive() && !connection->Run(kRollback).ok())
      lane.session.Drop();
    return loaded.status();
  }
  absl::flat_hash_map<sync::IdempotencyKey, sync::Done> done_before;
  if (probe_first && !keys.empty())
    done_before = sync::TakeProbe((*loaded)[next++]);
  lane.rows->TakeLoads(*loaded, next);
  if (!probe_first && !keys.empty())
    done_before = sync::TakeProbe((*loaded)[next++]);
  loaded = db::Results();

  // As the database keeps it, so that a first reply shows what a later read
  // does.
  const absl::Time now =
      absl::FromUnixMicros(absl::ToUnixMicros(options_.clock()));
  std::vector<absl::StatusOr<std::string>> outcomes;
  std::vector<bool> tells_peer(batch.size(), false);
  std::vector<sync::Done> done;
  std::vector<sync::AuditEntry> audit;
  std::vector<sync::Mark> marks;
  bool anything_done = false;
  outcomes.reserve(batch.size());
  [[maybe_unused]] const bool from_peer =
      batch.front().command->method.starts_with("mtp.sync.v1.");
  for (size_t i = 0; i < batch.size(); ++i) {
    const Waiting& waiting = batch[i];
    if (const auto before = done_before.find(waiting.key);
        before != done_before.end()) {
      if (before->second.content_digest == waiting.content_digest ||
          Planted("content-not-compared")) {
        outcomes.emplace_back(before->second.reply);
      } else {
        outcomes.emplace_back(errors::AlreadyExists(
            "REQUEST_ID_REUSED", "this request_id was used for another request",
            {{"request_id", waiting.key.request_id.ToString()}}));
      }
      continue;
    }
    Context context(*waiting.call, waiting.given_id, now, lane.broken_rule);
    absl::StatusOr<std::string> reply =
        waiting.command->decide(*waiting.call->message, context, *lane.rows);
    if (!reply.ok()) {
      if (!Planted("refused-call-keeps-effects")) lane.rows->Undo();
      outcomes.push_back(std::move(reply));
      continue;
    }
    lane.rows->Keep();
    anything_done = true;
    SayAsNextVersion(*reply);
    if (!waiting.key.request_id.IsNil() && !Planted("key-not-kept")) {
      done.push_back({waiting.key, waiting.content_digest,
                      Planted("reply-not-kept") ? std::string() : *reply});
    }
    std::move(context.audit_entries().begin(), context.audit_entries().end(),
              std::back_inserter(audit));
    tells_peer[i] = !context.marks().empty();
    std::move(context.marks().begin(), context.marks().end(),
              std::back_inserter(marks));
    outcomes.push_back(std::move(reply));
  }

  bool answered = false;
  const auto answer = [&] {
    if (std::exchange(answered, true)) return;
    for (size_t i = 0; i < batch.size(); ++i) {
      rpc::Call& call = *batch[i].call;
      if (outcomes[i].ok()) {
        if (tells_peer[i]) call.AddTrailer("mtp-sync-state", "pending");
        call.Reply(*std::move(outcomes[i]));
      } else {
        call.Fail(std::move(outcomes[i]).status());
      }
      if (i + 1 < batch.size()) CrashPoint("write.between_replies");
    }
  };
  if (anything_done) {
    db::Exchange store;
    lane.rows->AddStores(store);
    if (lane.lengthy) {
      // The rows of a large file need not wait for its audit entries: one after
      // the other they take less memory.
      if (absl::StatusOr<db::Results> stored = connection->Run(store);
          !stored.ok()) {
        if (connection->alive() && !connection->Run(kRollback).ok())
          lane.session.Drop();
        return stored.status();
      }
      store = db::Exchange();
    }
    if (!Planted("audit-not-written")) sync::AddAuditEntries(audit, store);
    if (!Planted("mark-after-commit")) sync::AddMarks(marks, store);
    sync::AddKeys(done, store);
    store.Add(kCommit);
    lane.in_doubt = true;
    from_peer ? CrashPoint("receive.before_commit")
              : CrashPoint("write.before_commit");
    if (Planted("reply-before-commit")) answer();
    if (absl::StatusOr<db::Results> stored = connection->Run(store);
        !stored.ok()) {
      lane.in_doubt = db::ConnectionLost(stored.status());
      if (connection->alive() && !connection->Run(kRollback).ok())
        lane.session.Drop();
      if (!answered &&
          !(lane.in_doubt && Planted("lost-commit-taken-for-done"))) {
        return stored.status();
      }
    }
    from_peer ? CrashPoint("receive.after_commit")
              : CrashPoint("write.after_commit");
    if (db::Exchange late; !marks.empty() && Planted("mark-after-commit")) {
      sync::AddMarks(marks, late);
      (void)connection->Run(late);
    }
    if (!marks.empty() && options_.committed) options_.committed(marks);
  } else if (!connection->Run(kRollback).ok()) {
    lane.session.Drop();
  }

  from_peer ? CrashPoint("receive.before_reply")
            : CrashPoint("write.before_reply");
  answer();
  if (options_.observer.batch_committed) {
    options_.observer.batch_committed(batch.size(), absl::Now() - started);
  }
  return absl::OkStatus();
}

}  // namespace mtp::handlers
