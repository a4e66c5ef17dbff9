#include "tests/faults/judge.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/protos.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "tests/faults/effects.h"
#include "tests/faults/misfits.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

// Far above what a service needs for these tests, far below a leak that the
// hours would show.
#ifdef __SANITIZE_ADDRESS__
// Its shadow, and what is freed and not given back for a while.
constexpr int64_t kMemoryLimit = int64_t{2} << 30;
#else
constexpr int64_t kMemoryLimit = int64_t{512} << 20;
#endif
constexpr absl::Duration kPatience = absl::Seconds(5);
// Findings of one sort, after which no more are looked for.
constexpr int kEnough = 3;

// As if a word could not be understood.
constexpr char kRefuseAll[] = R"(
  DO $$ BEGIN
    CREATE FUNCTION refuse_all() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      RAISE EXCEPTION 'trouble' USING ERRCODE = 'check_violation';
    END $body$;
    CREATE TRIGGER refuse_all BEFORE INSERT ON schedule FOR EACH ROW
    EXECUTE FUNCTION refuse_all();
  END $$)";
constexpr char kTakeAll[] = "DROP TRIGGER refuse_all ON schedule";

}  // namespace

Judge::Judge(Stack& stack, size_t replicas)
    : stack_(stack), replicas_(replicas), watcher_([this] { Watch(); }) {}

Judge::~Judge() {
  stop_ = true;
  watcher_.join();
}

void Judge::Find(std::string finding) {
  absl::MutexLock lock(&mutex_);
  findings_.push_back(std::move(finding));
}

std::vector<std::string> Judge::findings() const {
  absl::MutexLock lock(&mutex_);
  return findings_;
}

void Judge::Watch() {
  while (!stop_) {
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) WatchVersions(side);
    WatchMemory();
    absl::SleepFor(absl::Milliseconds(50));
  }
}

void Judge::WatchMemory() {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (size_t replica = 0; replica < replicas_; ++replica) {
      peak_memory_ =
          std::max<int64_t>(peak_memory_, stack_.PeakMemory(side, replica));
    }
  }
}

void Judge::WatchVersions(Side side) {
  const absl::StatusOr<Sql::Rows> rows = stack_.Database(side).Try(
      side == SIDE_ORDER
          ? "SELECT 'shipment ' || request_code || '/' || shipment_code, "
            "version, progress_version, accepted::int, cancelled::int, "
            "(dispatched OR corrected_at IS NOT NULL)::int FROM shipment UNION "
            "ALL SELECT 'schedule ' || "
            "schedule_code, version, progress_version, 0, 0, 0 FROM schedule"
          : "SELECT 'shipment ' || request_code || '/' || shipment_code, "
            "version, order_version, accepted::int, cancelled::int, "
            "(dispatched OR corrected_at IS NOT NULL)::int FROM shipment UNION "
            "ALL SELECT 'schedule ' || "
            "schedule_code, version, order_version, 0, 0, 0 FROM schedule");
  if (!rows.ok()) return;  // it is down
  for (const std::vector<std::string>& row : *rows) {
    std::vector<int64_t> now;
    for (size_t i = 1; i < row.size(); ++i) now.push_back(std::stoll(row[i]));
    std::vector<int64_t>& before = versions_[side][row[0]];
    for (size_t i = 0; i < before.size(); ++i) {
      if (now[i] < before[i]) {
        Find(absl::StrCat(NameOf(side), ": ", row[0], " went back from ",
                          absl::StrJoin(before, " "), " to ",
                          absl::StrJoin(now, " "),
                          " (its version, the peer's, accepted, cancelled, "
                          "dispatched)"));
        break;
      }
    }
    before = std::move(now);
  }
}

void Judge::WaitUntilBack(const std::function<void()>& supervise, bool late) {
  calm_since_ = absl::Now();
  if (late) limit_ += kLateWaking;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (size_t replica = 0; replica < replicas_; ++replica) {
      const bool back = Eventually(
          [&] {
            supervise();
            return stack_.Serving(side, replica);
          },
          calm_since_ + limit_ - absl::Now());
      if (!back) {
        Find(absl::StrCat(NameOf(side), " ", replica, " does not serve ",
                          absl::FormatDuration(limit_), " after the troubles"));
      } else if (!FindsPeer(side, replica, supervise,
                            calm_since_ + limit_ - absl::Now())) {
        Find(absl::StrCat(NameOf(side), " ", replica,
                          " does not reach its peer ",
                          absl::FormatDuration(limit_), " after the troubles"));
      }
    }
  }
  back_ = absl::Now() - calm_since_;
}

bool Judge::FindsPeer(Side side, size_t replica,
                      const std::function<void()>& supervise,
                      absl::Duration limit) {
  return Eventually(
      [&] {
        supervise();
        return stack_.Running(side, replica) && ReachesPeer(side, replica);
      },
      limit);
}

bool Judge::ReachesPeer(Side side, size_t replica) const {
  const auto ask = [&](Role role, const char* method) {
    return stack_.As(role, side, replica).Send(method, {""}, kPatience).status;
  };
  return (side == SIDE_ORDER
              ? ask(options::v1::ROLE_SEEDUWA_OFFICER,
                    "mtp.processing.v1.OutboundService/ListOpenShipments")
              : ask(options::v1::ROLE_GRANDPASS_OFFICER,
                    "mtp.order.v1.ShipmentService/ListShipments"))
      .ok();
}

void Judge::Settle(Book& book) {
  answered_ = absl::Now() - calm_since_;
  if (answered_ > limit_ + kPatience) {
    Find(absl::StrCat("people waited for their answers until ",
                      absl::FormatDuration(answered_), " after the troubles"));
  }
  AskAgain(book);
  const absl::Time give_up =
      std::max(calm_since_ + limit_, absl::Now() + absl::Seconds(3));
  if (Agree(give_up - absl::Now())) recovery_ = absl::Now() - calm_since_;
}

void Judge::SettleMore(Book& book, absl::Duration limit) {
  // A process whose breaker is open, though the others' news has come through.
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (size_t replica = 0; replica < replicas_; ++replica) {
      const auto supervise = [&] {
        if (!stack_.Running(side, replica)) stack_.Launch(side, replica);
      };
      if (!FindsPeer(side, replica, supervise, limit + kLateWaking)) {
        Find(absl::StrCat(NameOf(side), " ", replica,
                          " does not reach its peer again"));
      }
    }
  }
  AskAgain(book);
  Agree(std::max(limit, limit_));
}

void Judge::AskAgain(Book& book) {
  int unanswered = 0;
  for (Deed& deed : book.TakeUnknown()) {
    if (unanswered == kEnough) break;
    const absl::Time give_up = absl::Now() + kPatience;
    Say(stack_, deed, kPatience, [&] { return absl::Now() < give_up; });
    // Refused behind an attempt that was not answered; that has come to its
    // end, too: what is said now counts.
    if (deed.outcome == Deed::Outcome::kUnknown) {
      Say(stack_, deed, kPatience, [&] { return absl::Now() < give_up; });
    }
    if (deed.outcome == Deed::Outcome::kUnknown) {
      ++unanswered;
      Find(absl::StrCat(
          deed.Name(), " ", deed.request_id,
          " is not answered after the troubles: ", deed.status.ToString()));
    }
    book.Write(std::move(deed));
  }
}

bool Judge::Agree(absl::Duration limit) {
  if (Eventually([&] { return Disagreement(stack_).empty(); }, limit))
    return true;
  Find(absl::StrCat("both sides do not agree ",
                    absl::FormatDuration(absl::Now() - calm_since_),
                    " after the troubles:\n", Disagreement(stack_)));
  return false;
}

void Judge::Examine(const Book& book, const std::vector<Echo>& echoes) {
  const std::vector<Deed> deeds = book.deeds();
  if (const std::string broken = BrokenInvariants(stack_); !broken.empty()) {
    Find("invariants are broken:\n" + broken);
  }
  for (const Deed& deed : deeds) {
    const absl::StatusCode code = deed.status.code();
    if (code == absl::StatusCode::kInternal ||
        code == absl::StatusCode::kUnknown) {
      Find(absl::StrCat(deed.Name(),
                        " failed as no call may: ", deed.status.ToString()));
    }
  }
  for (const std::string& contradiction : book.contradictions()) {
    Find(contradiction);
  }
  ExamineEffects(deeds);
  ExamineWeight();
  ExamineTrail(deeds);
  ExamineExceptions();
  ExamineDrift();
  ExamineReplays(deeds);
  ExamineOtherContent(deeds);
  ExamineLateWords(echoes);
  ExamineRefusedWord();
  ExamineRepair();
  if (peak_memory_ > kMemoryLimit) {
    Find(absl::StrCat("a service held ", peak_memory_ >> 20, " MiB"));
  }
}

void Judge::ExamineEffects(const std::vector<Deed>& deeds) {
  const Effects told = EffectsOf(deeds);
  const Effects kept = EffectsIn(stack_);
  for (const auto& [what, things] : told) {
    const auto found = kept.find(what);
    const std::multiset<std::string> there =
        found == kept.end() ? std::multiset<std::string>() : found->second;
    std::vector<std::string> lost;
    std::set_difference(things.begin(), things.end(), there.begin(),
                        there.end(), std::back_inserter(lost));
    std::vector<std::string> invented;
    std::set_difference(there.begin(), there.end(), things.begin(),
                        things.end(), std::back_inserter(invented));
    if (!lost.empty()) {
      Find(absl::StrCat(what, ", acknowledged and not there:\n  ",
                        absl::StrJoin(lost, "\n  ")));
    }
    if (!invented.empty()) {
      Find(absl::StrCat(what, ", there and nobody was told so:\n  ",
                        absl::StrJoin(invented, "\n  ")));
    }
  }
}

void Judge::ExamineWeight() {
  // What left according to the order side is what was taken from bags on the
  // processing side.
  std::map<std::string, std::string> left;
  for (const auto& row :
       stack_.Database(SIDE_ORDER)
           .Query(
               "SELECT request_code || '/' || shipment_code, dispatched_grams "
               "FROM shipment WHERE dispatched")) {
    left[row[0]] = row[1];
  }
  std::map<std::string, std::string> taken;
  for (const auto& row :
       stack_.Database(SIDE_PROCESSING)
           .Query(
               "SELECT request_code || '/' || shipment_code, "
               "sum(grams) FROM allocation JOIN shipment USING "
               "(request_code, shipment_code) WHERE dispatched GROUP BY 1")) {
    taken[row[0]] = row[1];
  }
  for (const auto& [shipment, grams] : left) {
    if (taken[shipment] != grams) {
      Find(absl::StrCat("shipment ", shipment, ": ", grams,
                        " g left, but from bags were taken ", taken[shipment],
                        " g"));
    }
  }
  const std::string given =
      stack_.Database(SIDE_PROCESSING)
          .Text(
              "SELECT coalesce(string_agg(allocation_id::text, ' '), '') FROM "
              "allocation_release JOIN allocation a USING (allocation_id) JOIN "
              "shipment "
              "s USING (request_code, shipment_code) WHERE reason = "
              "'GIVEN_BACK' AND "
              "NOT s.cancelled AND NOT EXISTS (SELECT FROM shipment AS rest "
              "WHERE "
              "rest.request_code = s.request_code AND "
              "rest.split_from_shipment_code = "
              "s.shipment_code)");
  if (!given.empty()) {
    Find("allocations were given back, and nothing was cut or cancelled: " +
         given);
  }
}

void Judge::ExamineTrail(const std::vector<Deed>& deeds) {
  std::map<std::string, std::string> entries;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const auto& row : stack_.Database(side).Query(
             "SELECT request_id, min(method) FROM audit.entry WHERE "
             "request_id IS NOT NULL GROUP BY request_id")) {
      entries[row[0]] = row[1];
    }
  }
  for (const Deed& deed : deeds) {
    const bool there = entries.contains(deed.request_id);
    if (deed.outcome == Deed::Outcome::kDone && !there && HasEffect(deed)) {
      Find(absl::StrCat(deed.Name(), " ", deed.request_id,
                        " was done and is not in the audit trail"));
    }
    if (deed.outcome == Deed::Outcome::kRefused && there) {
      Find(absl::StrCat(deed.Name(), " ", deed.request_id,
                        " was refused and is in the audit trail"));
    }
  }
}

void Judge::ExamineReplays(const std::vector<Deed>& deeds) {
  int different = 0;
  for (const Deed& deed : deeds) {
    if (deed.outcome != Deed::Outcome::kDone) continue;
    if (different == kEnough) return;
    Deed again = deed;
    again.outcome = Deed::Outcome::kUnknown;
    const absl::Time give_up = absl::Now() + kPatience;
    Say(stack_, again, kPatience, [&] { return absl::Now() < give_up; });
    if (again.outcome != Deed::Outcome::kDone || again.reply != deed.reply) {
      ++different;
      Find(absl::StrCat(deed.Name(), " ", deed.request_id,
                        " is answered differently when asked again: ",
                        again.status.ToString()));
    }
  }
}

void Judge::ExamineExceptions() {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (std::string& misfit : Misfits(stack_, side, false))
      Find(std::move(misfit));
    const Sql::Rows letters = stack_.Database(side).Query(
        "SELECT kind, key, reason, message FROM sync.dead_letter WHERE "
        "settlement = 'OPEN'");
    if (!letters.empty()) {
      Find(absl::StrCat("letters are dead at ", NameOf(side), ":\n",
                        ToText(letters)));
    }
    const Sql::Rows halted = stack_.Database(side).Query(
        "SELECT halted_reason, refused_by_peer FROM sync.epoch WHERE halted "
        "OR refused_by_peer <> '' OR recovering");
    if (!halted.empty()) {
      Find(absl::StrCat(NameOf(side),
                        " does not hear or is not heard: ", ToText(halted)));
    }
  }
}

void Judge::ExamineLateWords(const std::vector<Echo>& echoes) {
  if (std::all_of(echoes.begin(), echoes.end(),
                  [](const Echo& echo) { return echo.empty(); })) {
    Find("nothing was recorded that could come late");
  }
  for (const Echo& echo : echoes) {
    absl::Status delivered;
    // A process may still come by its crash point.
    const bool taken = Eventually(
        [&] {
          delivered = echo.Deliver(stack_);
          return delivered.ok();
        },
        limit_);
    if (!taken) {
      Find("a word that comes late is refused: " + delivered.ToString());
    }
    const std::string changed = Disagreement(stack_);
    if (changed.empty()) continue;
    Find("a word that came late was taken for news:\n" + changed);
    return;
  }
}

void Judge::ExamineRefusedWord() {
  const Sql receiver = stack_.Owner(SIDE_PROCESSING);
  receiver.Query(kRefuseAll);
  order::v1::CreateScheduleRequest request;
  request.set_request_id(NewRequestId());
  order::v1::NewSchedule& schedule = *request.mutable_schedule();
  schedule.mutable_date()->set_year(2026);
  schedule.mutable_date()->set_month(11);
  schedule.mutable_date()->set_day(30);
  schedule.set_shift(common::v1::SHIFT_NIGHT);
  schedule.set_section("Line 4");
  schedule.set_quantity_grams(1'000);
  schedule.set_order_code(stack_.Database(SIDE_ORDER)
                              .Text("SELECT min(order_code) FROM order_plan"));
  const auto made =
      stack_.As(options::v1::ROLE_GRANDPASS_OFFICER, SIDE_ORDER)
          .Call<order::v1::CreateScheduleResponse>(
              "mtp.order.v1.ScheduleService/CreateSchedule", request);
  constexpr char kOpenLetters[] =
      "SELECT count(*) FROM sync.dead_letter WHERE settlement = 'OPEN'";
  const bool refused =
      made.ok() &&
      Eventually([&] { return receiver.Number(kOpenLetters) == 1; }, limit_);
  receiver.Query(kTakeAll);
  if (!refused) {
    Find("what cannot be understood is no dead letter: " +
         made.status().ToString());
    return;
  }
  // Nobody does anything that would remind of it.
  const bool settled = Eventually(
      [&] {
        return receiver.Number(kOpenLetters) == 0 &&
               Disagreement(stack_).empty();
      },
      limit_);
  if (!settled) {
    Find("what can be understood again is not told again:\n" +
         Disagreement(stack_));
  }
}

void Judge::ExamineOtherContent(const std::vector<Deed>& deeds) {
  for (const Deed& deed : deeds) {
    order::v1::CreateRequestRequest request;
    if (deed.outcome != Deed::Outcome::kDone ||
        deed.Name() != "RequestService/CreateRequest" ||
        !request.ParseFromString(deed.request)) {
      continue;
    }
    request.mutable_request()->set_comments("something else");
    Deed other = deed;
    other.outcome = Deed::Outcome::kUnknown;
    other.request = request.SerializeAsString();
    const absl::Time give_up = absl::Now() + kPatience;
    Say(stack_, other, kPatience, [&] { return absl::Now() < give_up; });
    if (other.status.code() != absl::StatusCode::kAlreadyExists) {
      Find(absl::StrCat(
          deed.Name(), " ", deed.request_id,
          " with other content is not refused: ", other.status.ToString()));
    }
    return;
  }
}

std::optional<int64_t> Judge::Compare(Side side) {
  ops::v1::ReconcileRequest request;
  request.set_request_id(NewRequestId());
  absl::StatusOr<ops::v1::ReconcileResponse> response;
  // A replica may not have tried yet whether the peer is back.
  const bool compared = Eventually(
      [&] {
        response = stack_.As(options::v1::ROLE_MASTER_ADMIN, side)
                       .Call<ops::v1::ReconcileResponse>(
                           "mtp.ops.v1.OperationsService/Reconcile", request);
        return response.ok() && response->finished();
      },
      limit_);
  if (!compared) {
    Find(absl::StrCat(NameOf(side),
                      " cannot compare: ", response.status().ToString()));
    return std::nullopt;
  }
  return response->run().drift_count();
}

void Judge::ExamineDrift() {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const std::optional<int64_t> drift = Compare(side);
    // Neither now nor when it was compared in the middle of the troubles:
    // nobody has altered a row.
    const Sql::Rows found = stack_.Database(side).Query(
        "SELECT kind, key, cause, owner_version, copy_version, "
        "differences::text, found_at FROM "
        "sync.drift");
    if (drift.value_or(0) != 0 || !found.empty()) {
      Find(absl::StrCat(NameOf(side), " finds drift: ", ToText(found)));
    }
  }
}

void Judge::ExamineRepair() {
  const Sql::Rows altered = stack_.Owner(SIDE_PROCESSING)
                                .Query(
                                    "UPDATE shipment SET product_name = 'Green "
                                    "tea' WHERE request_code = 1 AND "
                                    "shipment_code = 1 RETURNING 1");
  if (altered.empty()) return;
  if (Compare(SIDE_ORDER) != 1) {
    Find("a row that was altered by hand is not found");
  }
  if (!Eventually([&] { return Disagreement(stack_).empty(); }, limit_)) {
    Find("a row that was altered by hand is not repaired:\n" +
         Disagreement(stack_));
  }
  if (Compare(SIDE_ORDER) != 0) {
    Find("what was repaired is found once more");
  }
}

}  // namespace mtp::tests
