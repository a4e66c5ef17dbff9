// What operators ask of a side beside dead letters and exceptions: what a call
// came to, breakers, log levels, drift.

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/rpc/metadata.h"
#include "mtp/audit/v1/audit.pb.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace ops::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_MASTER_ADMIN;

constexpr char kExplain[] = "mtp.ops.v1.OperationsService/ExplainCorrelation";
constexpr char kSetLevel[] = "mtp.ops.v1.OperationsService/SetLogLevel";
constexpr char kGetBreakers[] = "mtp.ops.v1.OperationsService/GetBreakers";
constexpr char kReset[] = "mtp.ops.v1.OperationsService/ResetBreaker";
constexpr char kListDrift[] = "mtp.ops.v1.OperationsService/ListDrift";
constexpr char kCreateRequest[] = "mtp.order.v1.RequestService/CreateRequest";

// A stack for the tests that stop one of its sides.
Stack& StoppedStack() {
  Stack& stack = Stack::Shared("stopped");
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    if (!stack.Running(side)) stack.Start(side);
  }
  return stack;
}

// How many entries the side's trail has of this kind and key.
int64_t Trail(const Stack& stack, Side side, const std::string& kind,
              const std::string& request_id) {
  return stack.Database(side).Number(
      "SELECT count(*) FROM audit.entry WHERE entity_kind = $1 "
      "AND request_id = $2::text::uuid",
      {kind, request_id});
}

// --- correlations

ExplainCorrelationResponse Explain(const Stack& stack, Side side,
                                   const std::string& id) {
  ExplainCorrelationRequest request;
  request.set_correlation_id(id);
  const auto response =
      stack.As(ROLE_MASTER_ADMIN, side)
          .Call<ExplainCorrelationResponse>(kExplain, request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  return *response;
}

// The steps as words, in order: `CHANGED shipment`.
std::string Steps(const ExplainCorrelationResponse& response) {
  std::string words;
  for (const CorrelationStep& step : response.steps()) {
    absl::StrAppend(&words, words.empty() ? "" : ", ",
                    CorrelationStepKind_Name(step.kind())
                        .substr(sizeof "CORRELATION_STEP_KIND_" - 1),
                    " ", step.thing().kind());
  }
  return words;
}

// A request made under a correlation id of its own.
std::string AskForTea(Story& story) {
  const std::string id = "explain-" + NewRequestId();
  const Act& act = story.Find(kCreateRequest);
  const Reply reply = story.stack()
                          .As(act.role, SIDE_ORDER)
                          .With(rpc::kCorrelationIdKey, id)
                          .Send(act.method, *act.request());
  INFO(reply.status.ToString());
  REQUIRE(reply.status.ok());
  story.Do(act);  // learns the shipment, and is a replay
  return id;
}

TEST_CASE("what a call came to is told by both sides, each its part") {
  Stack& stack = StoppedStack();
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  stack.Kill(SIDE_PROCESSING);
  const std::string id = AskForTea(story);

  const ExplainCorrelationResponse waiting = Explain(stack, SIDE_ORDER, id);
  CHECK(absl::StrContains(Steps(waiting), "CHANGED shipment"));
  CHECK(absl::EndsWith(Steps(waiting), "WAITING_FOR_PEER shipment"));
  const CorrelationStep& last = waiting.steps(waiting.steps_size() - 1);
  CHECK(last.thing().key() == KeyText(story.shipment));
  CHECK(last.version() == 1);
  CHECK(absl::StrContains(last.description(), "Seeduwa has not confirmed"));
  const CorrelationStep& first = waiting.steps(0);
  CHECK(first.actor().role() == ROLE_GRANDPASS_OFFICER);
  CHECK(first.action() == absl::StrCat("/", kCreateRequest));
  for (int i = 1; i < waiting.steps_size(); ++i) {
    CHECK(FromProto(waiting.steps(i - 1).at()) <=
          FromProto(waiting.steps(i).at()));
  }

  stack.Start(SIDE_PROCESSING);
  RequireAgreement(stack);
  const ExplainCorrelationResponse confirmed = Explain(stack, SIDE_ORDER, id);
  CHECK(absl::EndsWith(Steps(confirmed), "CONFIRMED_BY_PEER shipment"));
  CHECK_FALSE(absl::StrContains(Steps(confirmed), "WAITING_FOR_PEER"));
  const CorrelationStep& done = confirmed.steps(confirmed.steps_size() - 1);
  CHECK(done.version() == 1);
  CHECK_FALSE(done.has_at());

  const ExplainCorrelationResponse there = Explain(stack, SIDE_PROCESSING, id);
  CHECK(Steps(there) == "APPLIED_FROM_PEER shipment");
  CHECK(there.steps(0).version() == 1);
  CHECK(there.steps(0).thing().key() == KeyText(story.shipment));

  const std::string both = Mtpctl(stack).Do({"explain", id});
  const size_t changed = both.find("CHANGED");
  const size_t heard = both.find("APPLIED_FROM_PEER");
  REQUIRE(changed != std::string::npos);
  REQUIRE(heard != std::string::npos);
  CHECK(changed < heard);
}

TEST_CASE("what is never told is not said to be confirmed") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 1);
  // It waits for a supervisor, and Seeduwa is not told.
  const std::string id = "explain-" + NewRequestId();
  order::v1::CreateRequestRequest request;
  request.mutable_request()->set_order_code(story.order_code);
  request.mutable_request()->set_requirement_grams(10'000'000);
  request.mutable_request()->set_approval_requested(true);
  REQUIRE(stack.As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER)
              .With(rpc::kCorrelationIdKey, id)
              .Send(kCreateRequest, request)
              .status.ok());
  RequireAgreement(stack);
  const std::string steps = Steps(Explain(stack, SIDE_ORDER, id));
  CHECK(absl::StrContains(steps, "CHANGED shipment"));
  CHECK_FALSE(absl::StrContains(steps, "CONFIRMED"));
  CHECK_FALSE(absl::StrContains(steps, "WAITING"));
}

TEST_CASE("letters and exceptions are part of what a call came to") {
  Stack& stack = Stack::Shared();
  const std::string id = "explain-" + NewRequestId();
  const std::string key = NewRequestId();
  const Sql owner = stack.Owner(SIDE_ORDER);
  owner.Query(
      "INSERT INTO sync.dead_letter (kind, key, version, epoch, state, reason, "
      "message, correlation_ids) VALUES ('schedule_progress', $1, 3, 1, '', "
      "'UNKNOWN_SCHEDULE', 'it was never given', ARRAY['another', $2])",
      {key, id});
  owner.Query(
      "INSERT INTO sync.exception (exception_id, kind, things, description, "
      "must_act, acting_side, dedupe_key, correlation_id) VALUES "
      "($1::text::uuid, 'PARCELS_AFTER_COMPLETION', ARRAY['schedule:1'], "
      "'Parcels came late.', 'MASTER_ADMIN', 'ORDER', $1, $2)",
      {key, id});
  const ExplainCorrelationResponse response = Explain(stack, SIDE_ORDER, id);
  CHECK(Steps(response) == "DEAD_LETTER schedule, EXCEPTION_OPENED exception");
  CHECK(absl::StrContains(response.steps(0).description(),
                          "UNKNOWN_SCHEDULE: it was never given"));
  CHECK(response.steps(0).version() == 3);
  CHECK(response.steps(1).description() == "Parcels came late.");
  owner.Query("DELETE FROM sync.dead_letter WHERE key = $1", {key});

  CHECK(Explain(stack, SIDE_PROCESSING, id).steps().empty());
  CHECK(absl::StrContains(
      Mtpctl(stack).Do({"explain", "explain-" + NewRequestId()}),
      "Nothing here is known"));
}

TEST_CASE("of a call that did very much the beginning is told") {
  Stack& stack = Stack::Shared();
  const std::string id = "explain-" + NewRequestId();
  const auto add = [&](int entries) {
    stack.Owner(SIDE_PROCESSING)
        .Query(
            "INSERT INTO audit.entry (caller, method, correlation_id, "
            "entity_kind, entity_key, action) SELECT 'a test', 'by hand', $1, "
            "'bag', n::text, 'made up' FROM generate_series(1, "
            "$2::text::bigint) AS n",
            {id, absl::StrCat(entries)});
  };
  add(1'000);
  ExplainCorrelationResponse response = Explain(stack, SIDE_PROCESSING, id);
  CHECK(response.steps_size() == 1'000);
  CHECK_FALSE(response.truncated());
  add(1);
  response = Explain(stack, SIDE_PROCESSING, id);
  CHECK(response.steps_size() == 1'000);
  CHECK(response.truncated());
  CHECK(response.steps(0).thing().key() == "1");
}

// --- log levels

SetLogLevelRequest Logging(LogLevel level) {
  SetLogLevelRequest request;
  request.set_request_id(NewRequestId());
  request.set_level(level);
  return request;
}

// The level, read by setting what is the usual one.
LogLevel LevelOf(const Client& admin) {
  const auto response =
      admin.Call<SetLogLevelResponse>(kSetLevel, Logging(LOG_LEVEL_INFO));
  REQUIRE(response.ok());
  return response->previous_level();
}

TEST_CASE("the log level is set, and a replay sets nothing") {
  Stack& stack = Stack::Shared();
  const Side side = GENERATE(SIDE_ORDER, SIDE_PROCESSING);
  const Client admin = stack.As(ROLE_MASTER_ADMIN, side);
  CHECK(LevelOf(admin) == LOG_LEVEL_INFO);
  const SetLogLevelRequest request = Logging(LOG_LEVEL_ERROR);
  const Reply set = admin.Send(kSetLevel, request);
  SetLogLevelResponse response;
  REQUIRE(response.ParseFromString(set.bytes()));
  CHECK(response.previous_level() == LOG_LEVEL_INFO);
  CHECK(response.level() == LOG_LEVEL_ERROR);
  CHECK(absl::StartsWith(response.instance(), NameOf(side) + "_service@"));
  CHECK(LevelOf(admin) == LOG_LEVEL_ERROR);

  CHECK(admin.Send(kSetLevel, request).bytes() == set.bytes());
  CHECK(LevelOf(admin) == LOG_LEVEL_INFO);
  CHECK(Trail(stack, side, "log_level", request.request_id()) == 1);
  SetLogLevelRequest other = request;
  other.set_level(LOG_LEVEL_DEBUG);
  CHECK(errors::Reason(admin.Send(kSetLevel, other).status) ==
        "REQUEST_ID_REUSED");
  CHECK(LevelOf(admin) == LOG_LEVEL_INFO);
}

TEST_CASE("a log level for a while ends by itself") {
  Stack& stack = Stack::Shared();
  const Client admin = stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER);
  SetLogLevelRequest request = Logging(LOG_LEVEL_TRACE);
  request.mutable_keep_for()->set_seconds(1);
  const auto set = admin.Call<SetLogLevelResponse>(kSetLevel, request);
  REQUIRE(set.ok());
  CHECK(set->level() == LOG_LEVEL_DEBUG);  // there is nothing below
  CHECK(Eventually([&] {
    return absl::StrContains(stack.Log(SIDE_ORDER),
                             "the log level is what it was before");
  }));
  CHECK(LevelOf(admin) == LOG_LEVEL_INFO);
}

TEST_CASE("a level for no time, for too long or of no component is refused") {
  Stack& stack = Stack::Shared();
  const Client admin = stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER);
  for (const int64_t seconds : {int64_t{-1}, int64_t{0}, int64_t{86'401}}) {
    SetLogLevelRequest request = Logging(LOG_LEVEL_DEBUG);
    request.mutable_keep_for()->set_seconds(seconds);
    CHECK(BadFields(admin.Send(kSetLevel, request).status) ==
          std::vector<std::string>{"keep_for"});
  }
  SetLogLevelRequest request = Logging(LOG_LEVEL_DEBUG);
  request.set_component("engine");
  const absl::Status status = admin.Send(kSetLevel, request).status;
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(errors::Reason(status) == "COMPONENT_NOT_FOUND");
  CHECK(Trail(stack, SIDE_ORDER, "log_level", request.request_id()) == 0);
  CHECK(LevelOf(admin) == LOG_LEVEL_INFO);
}

TEST_CASE("mtpctl sets a log level for a while") {
  Stack& stack = Stack::Shared();
  const Mtpctl mtpctl(stack);
  const std::string set =
      mtpctl.Do({"--side", "processing", "log-level", "debug", "--for", "1s"});
  CHECK(absl::StrContains(set, "processing_service@"));
  CHECK(absl::StrContains(set, "logs DEBUG and above for 1s"));
  CHECK(mtpctl.Try({"log-level", "debug", "--for", "soon"}).exit_code == 1);
  CHECK(mtpctl.Try({"log-level", "loud"}).exit_code == 1);
  CHECK(Eventually([&] {
    return absl::StrContains(stack.Log(SIDE_PROCESSING),
                             "the log level is what it was before");
  }));
}

// --- breakers

Breaker BreakerOf(const Client& admin) {
  const auto response =
      admin.Call<GetBreakersResponse>(kGetBreakers, GetBreakersRequest());
  REQUIRE(response.ok());
  REQUIRE(response->breakers_size() == 1);
  return response->breakers(0);
}

ResetBreakerRequest Resetting(const std::string& name) {
  ResetBreakerRequest request;
  request.set_request_id(NewRequestId());
  request.set_name(name);
  return request;
}

TEST_CASE("an open breaker says why, is reset once, and a replay resets not") {
  Stack& stack = StoppedStack();
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  const Client admin = stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER);
  CHECK(BreakerOf(admin).state() == BREAKER_STATE_CLOSED);
  stack.Kill(SIDE_PROCESSING);
  AskForTea(story);
  const auto opens = [&] {
    return Eventually(
        [&] { return BreakerOf(admin).state() == BREAKER_STATE_OPEN; });
  };
  REQUIRE(opens());
  const Breaker open = BreakerOf(admin);
  CHECK(open.name() == "processing");
  CHECK(open.failure_count() >= 5);
  CHECK(absl::StartsWith(open.last_error(), "UNAVAILABLE"));
  CHECK(FromProto(open.last_failed_at()) > absl::Now() - absl::Minutes(1));
  // One side does not answer, and what the other one says is shown.
  const Outcome shown = Mtpctl(stack).Try({"sync", "breaker"});
  CHECK(shown.exit_code == 4);
  CHECK(absl::StrContains(shown.output, "sync breaker reset"));

  const ResetBreakerRequest request = Resetting("processing");
  const Reply reset = admin.Send(kReset, request);
  ResetBreakerResponse response;
  REQUIRE(response.ParseFromString(reset.bytes()));
  CHECK(response.breaker().state() == BREAKER_STATE_CLOSED);
  CHECK(response.breaker().failure_count() == 0);
  CHECK(response.breaker().has_last_failed_at());
  CHECK_FALSE(response.breaker().has_next_probe_at());
  CHECK(BreakerOf(admin).failure_count() < open.failure_count());
  CHECK(Trail(stack, SIDE_ORDER, "breaker", request.request_id()) == 1);

  // Closed for good it is not: nobody is there.
  REQUIRE(opens());
  const int64_t failures = BreakerOf(admin).failure_count();
  CHECK(admin.Send(kReset, request).bytes() == reset.bytes());
  CHECK(BreakerOf(admin).failure_count() >= failures);
  CHECK(Trail(stack, SIDE_ORDER, "breaker", request.request_id()) == 1);
  const Mtpctl mtpctl(stack);
  CHECK(absl::StrContains(
      mtpctl.Do({"--side", "order", "sync", "breaker", "reset"}),
      "The breaker to processing is CLOSED"));
  CHECK(absl::StrContains(mtpctl.Try({"sync", "breaker", "reset"}).output,
                          "--side order or --side processing"));
  CHECK(absl::StrContains(
      mtpctl
          .Try({"sync", "new-epoch", "--current", "1", "--reason", "restored"})
          .output,
      "--side order or --side processing"));
  // Nothing is only what the other has.
  const Outcome half = mtpctl.Try({"sync", "dead-letters", "list"});
  CHECK(half.exit_code != 0);
  CHECK(absl::StartsWith(half.output, "Only ORDER answered:\n"));
  stack.Start(SIDE_PROCESSING);
  RequireAgreement(stack);
}

TEST_CASE("a breaker of another name is none") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const ResetBreakerRequest request = Resetting(NameOf(side));
    const absl::Status status =
        stack.As(ROLE_MASTER_ADMIN, side).Send(kReset, request).status;
    CHECK(status.code() == absl::StatusCode::kNotFound);
    CHECK(errors::Reason(status) == "BREAKER_NOT_FOUND");
    CHECK(Trail(stack, side, "breaker", request.request_id()) == 0);
  }
}

// --- drift

// Three differences that one comparison found, oldest first.
struct Drifted {
  explicit Drifted(Side at) : side(at), run(NewRequestId()) {
    const Sql owner = stack.Owner(side);
    owner.Query(
        "INSERT INTO sync.reconcile_run (run_id, cause, finished_at) VALUES "
        "($1::text::uuid, 'ON_DEMAND', now())",
        {run});
    const std::string facts[] = {
        "'shipment', '17/1', 'ORDER', 'CONTENT_DIFFERS', "
        "'[{\"field\": \"quantity_grams\", \"owner_value\": \"5\", "
        "\"copy_value\": 7}]', now(), 9",
        "'seal', '4', 'PROCESSING', 'COPY_MISSING', '[]', NULL, NULL",
        "'shipment', '18/1', 'ORDER', 'COPY_AHEAD', '[]', now(), 3"};
    for (size_t i = 0; i < 3; ++i) {
      ids.push_back(NewRequestId());
      owner.Query(
          absl::StrCat("INSERT INTO sync.drift (drift_id, run_id, found_at, "
                       "kind, key, owner, cause, differences, repaired_at, "
                       "repaired_version) VALUES ($1::text::uuid, "
                       "$2::text::uuid, to_timestamp($3::text::bigint), ",
                       facts[i], ")"),
          {ids[i], run, absl::StrCat(1'700'000'001 + i)});
    }
  }
  ~Drifted() {
    stack.Owner(side)
        .Try("DELETE FROM sync.reconcile_run WHERE run_id = $1::text::uuid",
             {run})
        .status()
        .IgnoreError();
  }
  ListDriftRequest OfRun() const {
    ListDriftRequest request;
    request.set_run_id(run);
    return request;
  }
  ListDriftResponse List(const ListDriftRequest& request) const {
    const auto response = stack.As(ROLE_MASTER_ADMIN, side)
                              .Call<ListDriftResponse>(kListDrift, request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return *response;
  }
  std::string Places(const ListDriftRequest& request) const {
    std::string places;
    const ListDriftResponse found = List(request);
    for (const Drift& drift : found.drift()) {
      for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == drift.drift_id()) absl::StrAppend(&places, i);
      }
    }
    return places;
  }

  Stack& stack = Stack::Shared();
  const Side side;
  const std::string run;
  std::vector<std::string> ids;
};

TEST_CASE("drift is listed by run, thing, cause and time, open or repaired") {
  const Drifted drifted(GENERATE(SIDE_ORDER, SIDE_PROCESSING));
  ListDriftRequest request = drifted.OfRun();
  CHECK(drifted.Places(request) == "210");
  request.set_order_by(LIST_DRIFT_ORDER_FOUND);
  CHECK(drifted.Places(request) == "012");
  request.add_kinds(sync::v1::ENTITY_KIND_SHIPMENT);
  CHECK(drifted.Places(request) == "02");
  request.set_key("18/1");
  CHECK(drifted.Places(request) == "2");
  request.clear_key();
  request.clear_kinds();
  request.add_causes(DRIFT_CAUSE_COPY_MISSING);
  request.add_causes(DRIFT_CAUSE_CONTENT_DIFFERS);
  CHECK(drifted.Places(request) == "01");
  request.set_only_open(true);
  CHECK(drifted.Places(request) == "1");
  request.clear_causes();
  request.set_only_open(false);
  request.mutable_found_from()->set_seconds(1'700'000'002);
  CHECK(drifted.Places(request) == "12");
  request.mutable_found_before()->set_seconds(1'700'000'003);
  CHECK(drifted.Places(request) == "1");
  request.set_run_id(NewRequestId());
  CHECK(drifted.Places(request) == "");

  ListDriftRequest paged = drifted.OfRun();
  paged.set_page_size(2);
  const std::string first = drifted.Places(paged);
  paged.set_page_token(drifted.List(paged).next_page_token());
  CHECK(first + drifted.Places(paged) == "210");
  CHECK(drifted.List(paged).next_page_token().empty());
}

TEST_CASE("drift says what differed, and how it was repaired") {
  const Drifted drifted(SIDE_PROCESSING);
  const ListDriftResponse found = drifted.List(drifted.OfRun());
  REQUIRE(found.drift_size() == 3);
  const Drift& content = found.drift(2);
  CHECK(content.run_id() == drifted.run);
  CHECK(content.kind() == sync::v1::ENTITY_KIND_SHIPMENT);
  CHECK(content.key() == "17/1");
  CHECK(content.owner() == SIDE_ORDER);
  REQUIRE(content.differences_size() == 1);
  CHECK(content.differences(0).field() == "quantity_grams");
  CHECK(content.differences(0).owner_value() == "5");
  CHECK(content.differences(0).copy_value() == "7");
  CHECK(content.has_repaired_at());
  CHECK(content.repaired_version() == 9);
  CHECK_FALSE(found.drift(1).has_repaired_at());
  CHECK(found.drift(1).repaired_version() == 0);

  const std::string shown =
      Mtpctl(drifted.stack).Do({"sync", "drift", "--run", drifted.run});
  CHECK(absl::StrContains(shown, "CONTENT_DIFFERS"));
  CHECK(absl::StrContains(shown, "quantity_grams: `5`, `7`"));
}

}  // namespace
}  // namespace mtp::tests
