#include "tests/faults/troubles.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

// glibc 2.36 declares them for C alone.
extern "C" {
#include <sys/pidfd.h>
}

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "tests/support/load.h"
#include "tests/support/wait.h"
#include "tests/support/wrong_clock.h"

namespace mtp::tests {
namespace {

// A transaction that stays open until it is let go, or PostgreSQL ends it.
class Held {
 public:
  Held(const std::string& conninfo, const std::vector<std::string>& statements)
      : connection_(PQconnectdb(conninfo.c_str()), &PQfinish) {
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    Do("SET lock_timeout = '500ms'");
    Do("BEGIN");
    for (const std::string& statement : statements) Do(statement);
  }

 private:
  void Do(const std::string& statement) {
    PQclear(PQexec(connection_.get(), statement.c_str()));
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// Lets one of three of the peer's states fail: as if a rule were broken, and
// as if the receiver had a bug.
constexpr char kRefusingStates[] = R"(
  CREATE OR REPLACE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF random() < 0.2 THEN
      RAISE EXCEPTION 'trouble' USING ERRCODE = 'check_violation';
    ELSIF random() < 0.15 THEN
      RAISE EXCEPTION 'trouble' USING ERRCODE = 'internal_error';
    END IF;
    RETURN NEW;
  END $$)";
constexpr char kRefuseStates[] = R"(
  DO $$ BEGIN
    PERFORM set_config('lock_timeout', '500ms', true);
    CREATE OR REPLACE TRIGGER refuse_some BEFORE UPDATE ON shipment FOR EACH ROW
      WHEN (NEW.{version} IS DISTINCT FROM OLD.{version})
      EXECUTE FUNCTION refuse_some();
  END $$)";
constexpr char kTakeStates[] = "DROP TRIGGER IF EXISTS refuse_some ON shipment";

constexpr char kGrow[] = R"(
  DO $$$$ BEGIN
    PERFORM set_config('lock_timeout', '500ms', true);
    ALTER TABLE $0 ADD COLUMN next_version_$1 text;
  END $$$$)";

// In flight at either side; more than ten times what two processes may have
// waiting (schedules_test.cc).
constexpr int kCrowd = 2'000;
constexpr absl::Duration kCrowdPatience = absl::Milliseconds(500);
constexpr absl::Duration kCrowdStays = absl::Milliseconds(800);

// A request that nobody makes.
constexpr int64_t kNoSuchCode = 999'999'999;

constexpr char kLimitConnections[] = "ALTER ROLE mtp_app CONNECTION LIMIT $0";

}  // namespace

Troubles::Troubles(Stack& stack, Cluster& cluster, uint32_t seed,
                   size_t replicas, std::vector<std::string> crash_points)
    : stack_(stack),
      cluster_(cluster),
      random_(seed),
      replicas_(replicas),
      crash_points_(std::move(crash_points)) {}

Troubles::~Troubles() {
  LiftDue(absl::InfiniteFuture());
  for (std::thread& crowd : crowds_) crowd.join();
}

const std::vector<Troubles::Kind>& Troubles::Kinds() {
  static const std::vector<Kind> kinds = {
      {"kill", 4, &Troubles::Kill},
      {"pause", 3, &Troubles::Pause},
      {"ask to end", 4, &Troubles::AskToEnd},
      {"crash point", 6, &Troubles::CrashAtPoint},
      {"slow point", 3, &Troubles::PauseAtPoint},
      {"wrong clock", 2, &Troubles::SetClock},
      {"crash PostgreSQL", 1, &Troubles::CrashPostgres},
      {"kill a backend", 1, &Troubles::KillBackend},
      {"pause a backend", 2, &Troubles::PauseBackend},
      {"use up connections", 2, &Troubles::UseUpConnections},
      {"cut backends", 3, &Troubles::CutBackends},
      {"delay", 3, &Troubles::Delay},
      {"trickle", 1, &Troubles::Trickle},
      {"cut", 3, &Troubles::Cut},
      {"cut before the reply", 6, &Troubles::CutBeforeReply},
      {"lose the word of a commit", 4, &Troubles::LoseWordOfCommit},
      {"cut after the request", 4, &Troubles::CutAfterRequest},
      {"lose one way", 3, &Troubles::LoseOneWay},
      {"half-open", 2, &Troubles::HalfOpen},
      {"partition", 2, &Troubles::Partition},
      {"forget connections", 2, &Troubles::ForgetConnections},
      {"hold a transaction", 2, &Troubles::HoldTransaction},
      {"hold rows", 2, &Troubles::HoldRows},
      {"record states", 3, &Troubles::RecordEcho},
      {"deliver states again", 4, &Troubles::DeliverEcho},
      {"refuse states", 3, &Troubles::RefuseStates},
      {"grow a table", 1, &Troubles::GrowTable},
      {"overload", 2, &Troubles::Overload},
      {"compare", 3, &Troubles::Compare},
  };
  return kinds;
}

void Troubles::Run(absl::Duration length) {
  std::vector<int> weights;
  for (const Kind& kind : Kinds()) {
    const bool at_point = kind.begin == &Troubles::CrashAtPoint ||
                          kind.begin == &Troubles::PauseAtPoint;
    const bool possible = !at_point || !crash_points_.empty();
    weights.push_back(possible ? kind.weight : 0);
  }
  std::discrete_distribution<size_t> any(weights.begin(), weights.end());
  const absl::Time end = absl::Now() + length;
  absl::Time next = absl::Now();
  while (absl::Now() < end) {
    if (absl::Now() >= next) {
      const Kind& kind = Kinds()[any(random_)];
      Note(kind.name);
      (this->*kind.begin)();
      next = absl::Now() + absl::Milliseconds(Between(0, 400));
    }
    LiftDue(absl::Now());
    StartDead();
    absl::SleepFor(absl::Milliseconds(5));
  }
}

void Troubles::Calm() {
  Note("calm");
  const bool lifted = Eventually([this] {
    LiftDue(absl::InfiniteFuture());
    return liftings_.empty();
  });
  if (!lifted) Fail("something cannot be ended");
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    stack_.PeopleLine(side).Calm();
    stack_.PeerLine(side).Calm();
    stack_.DatabaseLine(side).Calm();
  }
  for (std::thread& crowd : crowds_) crowd.join();
  crowds_.clear();
  environments_.clear();
}

void Troubles::Note(const std::string& text) {
  absl::StrAppendFormat(&story_, "%6d ms  %s\n",
                        absl::ToInt64Milliseconds(absl::Now() - begun_), text);
}

void Troubles::Fail(std::string what) {
  Note("  " + what);
  failures_.push_back("the test itself: " + std::move(what));
}

void Troubles::Lift(int64_t least, int64_t most, std::function<void()> lift) {
  liftings_.push_back({absl::Now() + absl::Milliseconds(Between(least, most)),
                       std::move(lift)});
}

void Troubles::LiftDue(absl::Time now) {
  const auto due = std::stable_partition(
      liftings_.begin(), liftings_.end(),
      [&](const Lifting& lifting) { return lifting.at > now; });
  std::vector<Lifting> lifted(std::make_move_iterator(due),
                              std::make_move_iterator(liftings_.end()));
  liftings_.erase(due, liftings_.end());
  for (const Lifting& lifting : lifted) lifting.lift();
}

void Troubles::StartDead() {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (size_t replica = 0; replica < replicas_; ++replica) {
      if (stack_.Running(side, replica)) continue;
      const std::pair process(side, replica);
      const auto [start, first] = starts_.try_emplace(
          process, absl::Now() + absl::Milliseconds(Between(50, 800)));
      if (absl::Now() < start->second) continue;
      starts_.erase(start);
      Launching how;
      if (const auto found = environments_.extract(process); !found.empty()) {
        how.environment = found.mapped();
      } else {
        how.older = stack_.HasOlder() && Between(0, 1) == 0;
      }
      Note(absl::StrCat("start ", NameOf(side), " ", replica, " ",
                        how.older ? "of the earlier version" : "",
                        absl::StrJoin(how.environment, " ")));
      stack_.Launch(side, replica, how);
    }
  }
}

Line& Troubles::AnyLine() {
  const Side side = AnySide();
  switch (Between(0, 4)) {
    case 0:
      Note("  people to " + NameOf(side));
      return stack_.PeopleLine(side);
    case 1:
      Note("  database of " + NameOf(side));
      return stack_.DatabaseLine(side);
    default:
      Note("  peer to " + NameOf(side));
      return stack_.PeerLine(side);
  }
}

void Troubles::Kill() {
  const Side side = AnySide();
  const size_t replica = AnyReplica();
  if (stack_.Running(side, replica)) stack_.Signal(side, replica, SIGKILL);
}

void Troubles::Pause() {
  const Side side = AnySide();
  const size_t replica = AnyReplica();
  stack_.Signal(side, replica, SIGSTOP);
  Lift(100, 3'000,
       [this, side, replica] { stack_.Signal(side, replica, SIGCONT); });
}

// As an update does, which replaces one version by the other or goes back.
void Troubles::AskToEnd() {
  const Side side = AnySide();
  const size_t replica = AnyReplica();
  if (!crash_points_.empty() && Between(0, 1) == 0) {
    environments_[{side, replica}] = {"MTP_NEXT_VERSION=1"};
  }
  stack_.Signal(side, replica, SIGTERM);
}

void Troubles::KillFor(std::vector<std::string> environment) {
  const Side side = AnySide();
  const size_t replica = AnyReplica();
  environments_[{side, replica}] = std::move(environment);
  if (stack_.Running(side, replica)) stack_.Signal(side, replica, SIGKILL);
}

const std::string& Troubles::AnyPoint() {
  return crash_points_[static_cast<size_t>(
      Between(0, static_cast<int64_t>(crash_points_.size()) - 1))];
}

void Troubles::CrashAtPoint() {
  KillFor({absl::StrCat("MTP_CRASH_AT=", AnyPoint(), ":", Between(1, 20))});
}

void Troubles::PauseAtPoint() {
  KillFor({absl::StrCat("MTP_PAUSE_AT=", AnyPoint(), ":", Between(1, 200))});
}

void Troubles::SetClock() {
  const int64_t seconds = Between(1, 20);
  const bool ahead = Between(0, 1) == 0;
  clock_ahead_ = clock_ahead_ || ahead;
  KillFor(WrongClock(absl::Seconds(ahead ? seconds : -seconds)));
}

void Troubles::CrashPostgres() {
  // Who has connected and says nothing keeps PostgreSQL from ending.
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    stack_.DatabaseLine(side).Calm();
  }
  cluster_.Crash();
  Note("  it is down");
  cluster_.Start();
  Note("  it is up");
}

// As the kernel does when memory runs out: PostgreSQL ends all the others and
// recovers.
void Troubles::KillBackend() {
  const std::optional<int> backend = stack_.AnyBackend(AnySide());
  if (!backend.has_value()) return;
  kill(*backend, SIGKILL);
  if (!Eventually([this] { return cluster_.Superuser().Try("SELECT").ok(); })) {
    Fail("PostgreSQL does not come back after a backend was killed");
  }
}

// With whatever locks it has. In a thread, for this one may need them, too.
void Troubles::PauseBackend() {
  const std::optional<int> backend = stack_.AnyBackend(AnySide());
  if (!backend.has_value()) return;
  const int process = pidfd_open(*backend, 0);
  const absl::Duration length = absl::Milliseconds(Between(100, 2'000));
  pidfd_send_signal(process, SIGSTOP, nullptr, 0);
  crowds_.emplace_back([process, length] {
    absl::SleepFor(length);
    pidfd_send_signal(process, SIGCONT, nullptr, 0);
    close(process);
  });
}

// Those that there are end, and PostgreSQL has no place for new ones.
void Troubles::UseUpConnections() {
  if (!cluster_.Superuser().Try(absl::Substitute(kLimitConnections, 0)).ok()) {
    return;
  }
  stack_.CutDatabaseConnections(AnySide());
  LetConnect(200, 1'500);
}

void Troubles::LetConnect(int64_t least, int64_t most) {
  Lift(least, most, [this] {
    if (!cluster_.Superuser()
             .Try(absl::Substitute(kLimitConnections, -1))
             .ok()) {
      LetConnect(50, 100);
    }
  });
}

void Troubles::CutBackends() { stack_.CutDatabaseConnections(AnySide()); }

void Troubles::Delay() {
  Line& line = AnyLine();
  line.Delay(Between(0, 1) == 0 ? Line::Way::kToTarget : Line::Way::kToClient,
             absl::Milliseconds(Between(5, 400)));
  Lift(200, 2'000, [&line] { line.Calm(); });
}

void Troubles::Trickle() {
  Line& line = AnyLine();
  line.Trickle(static_cast<size_t>(Between(1, 200)));
  Lift(200, 1'500, [&line] { line.Calm(); });
}

void Troubles::Cut() { AnyLine().Cut(); }

void Troubles::CutBeforeReply() { AnyLine().CutBeforeReply(); }

void Troubles::LoseWordOfCommit() {
  // As PostgreSQL tells that a command is complete.
  stack_.DatabaseLine(AnySide()).CutBeforeReplyWith(std::string("COMMIT\0", 7));
}

void Troubles::CutAfterRequest() { AnyLine().CutAfterRequest(); }

void Troubles::LoseOneWay() {
  Line& line = AnyLine();
  line.Lose(Between(0, 1) == 0 ? Line::Way::kToTarget : Line::Way::kToClient);
  Lift(200, 2'500, [&line] { line.Calm(); });
}

void Troubles::HalfOpen() {
  Line& line = AnyLine();
  line.HalfOpen();
  Lift(200, 2'500, [&line] { line.Calm(); });
}

void Troubles::Partition() {
  Line& line = AnyLine();
  line.Partition();
  Lift(200, 2'500, [&line] { line.Calm(); });
}

// People's are theirs to give up, and PostgreSQL's socket is no network.
void Troubles::ForgetConnections() {
  const Side side = AnySide();
  Note("  of the peer to " + NameOf(side));
  stack_.PeerLine(side).Forget();
}

void Troubles::HoldTransaction() {
  const Side side = AnySide();
  // It has written: what comes later is not old enough for anybody to forget.
  auto held = std::make_shared<Held>(
      stack_.OwnerConninfo(side),
      std::vector<std::string>{"SELECT pg_current_xact_id()",
                               "SELECT count(*) FROM shipment"});
  Lift(500, 3'000, [held = std::move(held)]() mutable { held.reset(); });
}

void Troubles::HoldRows() {
  const Side side = AnySide();
  auto held = std::make_shared<Held>(
      stack_.OwnerConninfo(side),
      std::vector<std::string>{
          "SELECT FROM shipment ORDER BY request_code DESC LIMIT 10 FOR UPDATE",
          Between(0, 1) == 0
              ? "SELECT FROM sync.outbox FOR UPDATE"
              : "SELECT FROM sync.idempotency_key LIMIT 1 FOR UPDATE"});
  Lift(200, 1'500, [held = std::move(held)]() mutable { held.reset(); });
}

void Troubles::RecordEcho() { echoes_.push_back(Echo::Of(stack_, AnySide())); }

void Troubles::DeliverEcho() {
  // As they are now, for later; told now are those of any moment before.
  RecordEcho();
  const absl::Status delivered =
      echoes_[static_cast<size_t>(
                  Between(0, static_cast<int64_t>(echoes_.size()) - 1))]
          .Deliver(stack_);
  if (!delivered.ok()) Note("  " + std::string(delivered.message()));
}

void Troubles::RefuseStates() {
  const Side side = AnySide();
  const Sql owner = stack_.Owner(side);
  // Where the table is in use for too long, another time.
  const bool refusing =
      owner.Try(kRefusingStates).ok() &&
      owner
          .Try(absl::StrReplaceAll(
              kRefuseStates,
              {{"{version}",
                side == SIDE_ORDER ? "progress_version" : "order_version"}}))
          .ok();
  if (!refusing) return;
  TakeStates(side, 300, 1'500);
}

void Troubles::TakeStates(Side side, int64_t least, int64_t most) {
  Lift(least, most, [this, side] {
    // While something holds the table, again in a moment.
    if (!stack_.Owner(side).Try(kTakeStates).ok()) TakeStates(side, 50, 100);
  });
}

// As the schema of the next version does before its programs come.
void Troubles::GrowTable() {
  const Sql owner = stack_.Owner(AnySide());
  const absl::StatusOr<Sql::Rows> tables = owner.Try(
      "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM "
      "pg_tables WHERE schemaname IN ('public', 'admin', 'sync', 'audit') "
      "ORDER BY 1");
  if (!tables.ok() || tables->empty()) return;
  const std::string& table = (*tables)[static_cast<size_t>(
      Between(0, static_cast<int64_t>(tables->size()) - 1))][0];
  Note("  " + table);
  // Where it is in use for too long, another time.
  (void)owner.Try(absl::Substitute(kGrow, table, ++columns_));
}

// A change of nothing and a list at either side.
void Troubles::Overload() {
  order::v1::CancelShipmentRequest cancel;
  cancel.mutable_key()->set_request_code(kNoSuchCode);
  cancel.mutable_key()->set_shipment_code(1);
  cancel.set_order_remarks("there is none");
  processing::v1::MarkShipmentReadyRequest ready;
  *ready.mutable_key() = cancel.key();
  Crowd(options::v1::ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ShipmentService/CancelShipment",
        cancel.SerializeAsString());
  Crowd(options::v1::ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ShipmentService/ListShipments", "");
  Crowd(options::v1::ROLE_SEEDUWA_OFFICER,
        "mtp.processing.v1.OutboundService/MarkShipmentReady",
        ready.SerializeAsString());
  Crowd(options::v1::ROLE_SEEDUWA_OFFICER,
        "mtp.processing.v1.OutboundService/ListOpenShipments", "");
}

void Troubles::Crowd(Role role, std::string_view method, std::string request) {
  Load load;
  load.method = "/" + std::string(method);
  load.next_request = [request = std::move(request)] { return request; };
  load.authorization = "Bearer " + Identities::Shared().Token(role);
  load.in_flight = kCrowd / 2;
  load.limit = kCrowdPatience;
  load.warm_up = absl::ZeroDuration();
  load.measured = kCrowdStays;
  auto channels = Channels(stack_.Address(Stack::SideOf(method)),
                           stack_.certificate_authority());
  crowds_.emplace_back(
      [this, load = std::move(load), channels = std::move(channels)] {
        const LoadResult outcome = tests::Run(load, channels);
        std::lock_guard lock(crowd_mutex_);
        crowd_answers_.push_back({load.method, outcome.answers});
      });
}

void Troubles::Compare() {
  const Side side = AnySide();
  crowds_.emplace_back([this, side] {
    stack_.As(options::v1::ROLE_MASTER_ADMIN, side)
        .Send("mtp.ops.v1.OperationsService/Reconcile", {""}, absl::Seconds(2));
  });
}

}  // namespace mtp::tests
