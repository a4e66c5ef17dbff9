#include <catch2/catch.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/dashboards.pb.h"
#include "mtp/sync/v1/sync.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace sync::v1;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_MASTER_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

// Within this the sides agree again after the peer came back.
constexpr absl::Duration kSeconds = absl::Seconds(10);

// A stack for the tests that stop one of its sides.
Stack& LinkStack() {
  Stack& stack = Stack::Shared("stopped");
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    if (!stack.Running(side)) stack.Start(side);
  }
  return stack;
}

int64_t Marks(const Stack& stack, Side side) {
  return stack.Database(side).Number("SELECT count(*) FROM sync.outbox");
}

bool Synced(const Stack& stack, Side side, const std::string& token,
            absl::Duration wait) {
  ops::v1::WaitForSyncRequest request;
  request.set_sync_token(token);
  request.mutable_max_wait()->set_seconds(absl::ToInt64Seconds(wait));
  return stack.As(ROLE_SEEDUWA_OPERATOR, side)
      .Call<ops::v1::WaitForSyncResponse>(
          "mtp.ops.v1.OperationsService/WaitForSync", request)
      .value()
      .synced();
}

TEST_CASE(
    "with Seeduwa down, Grandpass works on and keeps what it has to tell") {
  Stack& stack = LinkStack();
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  stack.Kill(SIDE_PROCESSING);

  const Act& act = story.Find("mtp.order.v1.RequestService/CreateRequest");
  const auto reply = stack.Call<order::v1::CreateRequestResponse>(
      act.role, act.method, *act.request());
  REQUIRE(reply.ok());
  story.Do(act);  // learns the shipment, and is a replay
  CHECK(Marks(stack, SIDE_ORDER) == 1);
  CHECK(!Synced(stack, SIDE_ORDER, reply->sync_token(), absl::Seconds(1)));
  CHECK(story.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_ORDER_REQUESTED);

  stack.Start(SIDE_PROCESSING);
  CHECK(Synced(stack, SIDE_ORDER, reply->sync_token(), kSeconds));
  CHECK(story.AtSeeduwa().quantity_grams() == Story::kOrderedGrams);
  CHECK(Marks(stack, SIDE_ORDER) == 0);
  RequireAgreement(stack);
}

TEST_CASE(
    "with Grandpass down, Seeduwa works on and keeps what it has to tell") {
  Stack& stack = LinkStack();
  Story story(stack);
  story.DoSteps(1, 5);
  RequireAgreement(stack);
  stack.Kill(SIDE_ORDER);

  story.DoSteps(6, 7);
  // Ten changes of one shipment are one thing to tell.
  CHECK(Marks(stack, SIDE_PROCESSING) == 1);
  CHECK(story.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED);

  stack.Start(SIDE_ORDER);
  CHECK(Eventually(
      [&] {
        return story.AtGrandpass().status() ==
               common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED;
      },
      kSeconds));
  CHECK(story.AtGrandpass().progress().allocated_grams() ==
        Story::kOrderedGrams);
  RequireAgreement(stack);
}

TEST_CASE("who waits for one version does not wait for those after it") {
  Stack& stack = LinkStack();
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  stack.Kill(SIDE_PROCESSING);
  const Act& act = story.Find("mtp.order.v1.RequestService/CreateRequest");
  const auto reply = stack.Call<order::v1::CreateRequestResponse>(
      act.role, act.method, *act.request());
  REQUIRE(reply.ok());
  story.Do(act);

  // As if there was always a newer one when the peer confirms.
  stack.Owner(SIDE_ORDER).Query("UPDATE sync.outbox SET version = version + 1");
  stack.Start(SIDE_PROCESSING);
  CHECK(Synced(stack, SIDE_ORDER, reply->sync_token(), kSeconds));
  CHECK(Marks(stack, SIDE_ORDER) == 1);

  stack.Owner(SIDE_ORDER).Query("UPDATE sync.outbox SET version = version - 1");
  RequireAgreement(stack);
}

TEST_CASE("an answer of the peer is a word of the peer") {
  Stack& stack = LinkStack();
  Story story(stack);
  stack.Owner(SIDE_ORDER).Query("UPDATE sync.epoch SET peer_heard_at = NULL");
  story.DoSteps(1, 2);
  CHECK(Eventually(
      [&] {
        return stack.Database(SIDE_ORDER)
                   .Number(
                       "SELECT count(*) FROM sync.epoch "
                       "WHERE peer_heard_at > now() - interval '1 hour'") == 1;
      },
      kSeconds));
}

TEST_CASE("a side that is asked to end lets nobody wait for its peer") {
  Stack& stack = LinkStack();
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  stack.Kill(SIDE_PROCESSING);
  const Act& act = story.Find("mtp.order.v1.RequestService/CreateRequest");
  const auto reply = stack.Call<order::v1::CreateRequestResponse>(
      act.role, act.method, *act.request());
  REQUIRE(reply.ok());
  story.Do(act);

  const std::string before = Cluster::Shared().Superuser().Text("SELECT now()");
  absl::Time answered = absl::InfinitePast();
  std::jthread waits([&] {
    CHECK(!Synced(stack, SIDE_ORDER, reply->sync_token(), absl::Minutes(5)));
    answered = absl::Now();
  });
  CHECK(Eventually([&] {
    return Cluster::Shared().Superuser().Number(
               "SELECT count(*) FROM pg_stat_activity WHERE usename = "
               "'mtp_app' "
               "AND query_start > $1::timestamptz "
               "AND query LIKE '%asked (of_kind, of_key)%'",
               {before}) > 0;
  }));
  const absl::Time asked = absl::Now();
  stack.Stop(SIDE_ORDER);
  waits.join();
  CHECK(answered - asked < kSeconds);
}

TEST_CASE("what both sides did while apart fits together afterwards") {
  Stack& stack = LinkStack();
  Story story(stack);
  story.DoSteps(1, 5);
  RequireAgreement(stack);

  // Grandpass cuts the shipment while Seeduwa cannot hear it.
  stack.Kill(SIDE_PROCESSING);
  order::v1::SetShipmentQuantityRequest cut;
  *cut.mutable_key() = story.shipment;
  cut.set_quantity_grams(Story::kBlendBagGrams + 1'000);
  const auto reply = stack.Call<order::v1::SetShipmentQuantityResponse>(
      ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.ShipmentService/SetShipmentQuantity", cut);
  REQUIRE(reply.ok());
  CHECK(reply->split_off_shipment().quantity_grams() ==
        Story::kOrderedGrams - cut.quantity_grams());
  // Seeduwa allocates all of it while Grandpass cannot hear that.
  stack.Kill(SIDE_ORDER);
  stack.Start(SIDE_PROCESSING);
  story.DoSteps(6, 6);
  CHECK(story.AtSeeduwa().allocated_grams() == Story::kOrderedGrams);

  stack.Start(SIDE_ORDER);
  // Allocations were given back, the last one in part.
  CHECK(Eventually(
      [&] {
        return story.AtSeeduwa().allocated_grams() == cut.quantity_grams();
      },
      kSeconds));
  RequireAgreement(stack);
  CHECK(story.AtGrandpass().progress().allocated_grams() ==
        cut.quantity_grams());
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM allocation_release AS release "
                    "JOIN allocation USING (allocation_id) "
                    "WHERE request_code = $1 AND reason = 'GIVEN_BACK'",
                    {absl::StrCat(story.shipment.request_code())}) > 0);
  // Nobody at Seeduwa did that, and it is told all the same.
  processing::v1::ListActivitiesRequest list;
  list.mutable_about()->set_kind("shipment");
  list.mutable_about()->set_key(KeyText(story.shipment));
  list.add_kinds(processing::v1::ACTIVITY_KIND_ALLOCATION_GIVEN_BACK);
  const auto activities = stack.Call<processing::v1::ListActivitiesResponse>(
      ROLE_SEEDUWA_OPERATOR,
      "mtp.processing.v1.DashboardService/ListActivities", list);
  REQUIRE(activities.ok());
  CHECK(activities->activities_size() > 1);
  for (const auto& activity : activities->activities()) {
    CHECK_FALSE(activity.has_actor());
  }
}

TEST_CASE("a shipment that left although it was cancelled is an exception") {
  Stack& stack = LinkStack();
  Story story(stack);
  story.DoSteps(1, 5);
  RequireAgreement(stack);
  stack.Kill(SIDE_PROCESSING);
  order::v1::CancelShipmentRequest cancel;
  *cancel.mutable_key() = story.shipment;
  cancel.set_order_remarks("the customer went bankrupt");
  REQUIRE(stack
              .Call<order::v1::CancelShipmentResponse>(
                  ROLE_GRANDPASS_OFFICER,
                  "mtp.order.v1.ShipmentService/CancelShipment", cancel)
              .ok());
  stack.Kill(SIDE_ORDER);
  stack.Start(SIDE_PROCESSING);
  story.DoSteps(6, 7);
  stack.Start(SIDE_ORDER);

  CHECK(Eventually(
      [&] {
        return story.AtGrandpass().status() ==
               common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED;
      },
      kSeconds));
  RequireAgreement(stack);
  CHECK(
      stack.Database(SIDE_ORDER)
          .Number("SELECT count(*) FROM sync.exception WHERE closed_at IS NULL "
                  "AND kind = 'DISPATCHED_AFTER_CANCELLATION' "
                  "AND $1 = ANY (things)",
                  {"shipment:" + KeyText(story.shipment)}) == 1);
}

// A shipment of which the order service's own database knows nothing: told by
// hand, with its certificate.
ShipmentState Told(int64_t request_code, int64_t version,
                   int64_t quantity_grams) {
  ShipmentState state;
  state.mutable_stamp()->set_epoch(1);
  state.mutable_stamp()->set_version(version);
  state.mutable_stamp()->add_correlation_ids("by-hand");
  // Each version became so at one time.
  *state.mutable_stamp()->mutable_changed_at() =
      ToProto(absl::FromUnixSeconds(1'700'000'000 + version));
  state.mutable_key()->set_request_code(request_code);
  state.mutable_key()->set_shipment_code(1);
  state.set_order_code("SO-BY-HAND");
  state.set_product_name("Uva Seasonal");
  state.set_item_code("UV1");
  state.set_quantity_grams(quantity_grams);
  state.set_approved(true);
  *state.mutable_created_at() = ToProto(absl::Now());
  return state;
}

template <typename Request>
void Sign(Request& request, Side side) {
  request.mutable_sender()->set_side(side);
  request.mutable_sender()->set_epoch(1);
  *request.mutable_sender()->mutable_sent_at() = ToProto(absl::Now());
  request.mutable_sender()->set_instance("a test");
}

std::vector<VerdictCode> Tell(const Stack& stack,
                              const std::vector<ShipmentState>& states) {
  ApplyShipmentsRequest request;
  Sign(request, SIDE_ORDER);
  for (const ShipmentState& state : states) *request.add_states() = state;
  const auto response =
      stack.Peer(SIDE_PROCESSING)
          .Call<ApplyShipmentsResponse>(
              "mtp.sync.v1.ProcessingSyncService/ApplyShipments", request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  std::vector<VerdictCode> codes;
  for (const Verdict& verdict : response->verdicts()) {
    codes.push_back(verdict.code());
  }
  return codes;
}

int64_t QuantityAtSeeduwa(const Stack& stack, int64_t request_code) {
  return stack.Database(SIDE_PROCESSING)
      .Number(
          "SELECT coalesce(sum(quantity_grams), 0)::bigint FROM shipment "
          "WHERE request_code = $1",
          {absl::StrCat(request_code)});
}

int64_t OpenDeadLetters(const Stack& stack, const std::string& key) {
  return stack.Database(SIDE_PROCESSING)
      .Number(
          "SELECT count(*) FROM sync.dead_letter "
          "WHERE kind = 'shipment' AND key = $1 AND settlement = 'OPEN'",
          {key});
}

// What is told by hand the real order side knows nothing of: a stack that
// agrees with nobody.
Stack& ToldStack() { return Stack::Shared("told by hand"); }

TEST_CASE("a state that comes twice, late or out of order changes nothing") {
  Stack& stack = ToldStack();
  CHECK(Tell(stack, {Told(101, 2, 2'000)}) ==
        std::vector{VERDICT_CODE_APPLIED});
  const std::string before = Footprint(stack, SIDE_PROCESSING);
  CHECK(Tell(stack, {Told(101, 2, 2'000)}) == std::vector{VERDICT_CODE_STALE});
  CHECK(Tell(stack, {Told(101, 1, 1'000)}) == std::vector{VERDICT_CODE_STALE});
  CHECK(QuantityAtSeeduwa(stack, 101) == 2'000);
  CHECK(Footprint(stack, SIDE_PROCESSING) == before);
  CHECK(Tell(stack, {Told(101, 3, 3'000)}) ==
        std::vector{VERDICT_CODE_APPLIED});
  CHECK(QuantityAtSeeduwa(stack, 101) == 3'000);
}

TEST_CASE("of two versions in one call the newer one stays") {
  Stack& stack = ToldStack();
  CHECK(Tell(stack, {Told(102, 2, 2'000), Told(102, 1, 1'000)}) ==
        std::vector{VERDICT_CODE_APPLIED, VERDICT_CODE_STALE});
  CHECK(QuantityAtSeeduwa(stack, 102) == 2'000);
}

TEST_CASE("a state that cannot be applied waits alone, as a dead letter") {
  Stack& stack = ToldStack();
  CHECK(Tell(stack,
             {Told(103, 1, 1'000), Told(104, 1, -5), Told(105, 1, 1'000)}) ==
        std::vector{VERDICT_CODE_APPLIED, VERDICT_CODE_POISON,
                    VERDICT_CODE_APPLIED});
  CHECK(QuantityAtSeeduwa(stack, 103) == 1'000);
  CHECK(QuantityAtSeeduwa(stack, 104) == 0);
  CHECK(QuantityAtSeeduwa(stack, 105) == 1'000);
  CHECK(OpenDeadLetters(stack, "104/1") == 1);
  CHECK(OpenDeadLetters(stack, "103/1") == 0);

  // A newer one settles it.
  CHECK(Tell(stack, {Told(104, 2, 4'000)}) ==
        std::vector{VERDICT_CODE_APPLIED});
  CHECK(QuantityAtSeeduwa(stack, 104) == 4'000);
  CHECK(OpenDeadLetters(stack, "104/1") == 0);
}

// Schedules that the order side gives while Seeduwa is down; their codes.
std::vector<int64_t> ScheduleWhileApart(Stack& stack,
                                        const std::string& order_code,
                                        int count) {
  stack.Stop(SIDE_PROCESSING);
  std::vector<int64_t> codes;
  for (int i = 0; i < count; ++i) {
    order::v1::CreateScheduleRequest request;
    request.set_request_id(NewRequestId());
    order::v1::NewSchedule& schedule = *request.mutable_schedule();
    schedule.mutable_date()->set_year(2026);
    schedule.mutable_date()->set_month(11);
    schedule.mutable_date()->set_day(20);
    schedule.set_order_code(order_code);
    schedule.set_shift(common::v1::SHIFT_DAY);
    schedule.set_section("Line 4");
    schedule.set_quantity_grams(5'000 + i);
    const auto made = stack.Call<order::v1::CreateScheduleResponse>(
        options::v1::ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ScheduleService/CreateSchedule", request);
    INFO(made.status());
    REQUIRE(made.ok());
    codes.push_back(made->schedule().schedule_code());
  }
  return codes;
}

// Lets Seeduwa's database refuse the schedule with this error.
void Refuse(const Stack& stack, int64_t schedule_code,
            const std::string& error) {
  const Sql owner = stack.Owner(SIDE_PROCESSING);
  owner.Query(absl::Substitute(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$$$ BEGIN "
      "IF NEW.schedule_code = $0 THEN RAISE EXCEPTION 'no' USING ERRCODE = "
      "'$1', CONSTRAINT = 'schedule_is_possible'; END IF; RETURN NEW; END $$$$",
      schedule_code, error));
  owner.Query(
      "CREATE TRIGGER refuse BEFORE INSERT ON schedule FOR EACH ROW "
      "EXECUTE FUNCTION refuse()");
}

TEST_CASE("what breaks a rule of the peer's schema waits alone, as a letter") {
  Stack stack({.flags = {"--poison-retry-seconds", "1"}});
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  const std::vector<int64_t> codes =
      ScheduleWhileApart(stack, story.order_code, 7);
  Refuse(stack, codes[2], "check_violation");
  stack.Start(SIDE_PROCESSING);
  const Sql seeduwa = stack.Database(SIDE_PROCESSING);
  CHECK(Eventually(
      [&] { return seeduwa.Number("SELECT count(*) FROM schedule") == 6; }));
  CHECK(Eventually([&] {
    return seeduwa.Query(
               "SELECT key, reason, message FROM sync.dead_letter WHERE "
               "settlement = 'OPEN'") ==
           Sql::Rows{{absl::StrCat(codes[2]), "BREAKS_RULE",
                      "it breaks a rule of the schema: "
                      "schedule_is_possible"}};
  }));
  // It is offered again, and taken as soon as it fits.
  stack.Owner(SIDE_PROCESSING).Query("DROP TRIGGER refuse ON schedule");
  RequireAgreement(stack);
  CHECK(seeduwa.Number("SELECT count(*) FROM sync.dead_letter WHERE settlement "
                       "= 'OPEN'") == 0);
}

TEST_CASE("a state over which the peer stumbles holds up no other") {
  Stack stack({.flags = {"--poison-retry-seconds", "1"}});
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  const std::vector<int64_t> codes =
      ScheduleWhileApart(stack, story.order_code, 7);
  Refuse(stack, codes[2], "internal_error");
  stack.Start(SIDE_PROCESSING);
  const Sql seeduwa = stack.Database(SIDE_PROCESSING);
  CHECK(Eventually(
      [&] { return seeduwa.Number("SELECT count(*) FROM schedule") == 6; }));
  CHECK(Eventually([&] {
    return stack.Database(SIDE_ORDER)
               .Query(
                   "SELECT key, split_part(last_error, ':', 1) FROM "
                   "sync.outbox WHERE next_attempt_at > now()") ==
           Sql::Rows{{absl::StrCat(codes[2]), "INTERNAL"}};
  }));
  stack.Owner(SIDE_PROCESSING).Query("DROP TRIGGER refuse ON schedule");
  RequireAgreement(stack);
}

TEST_CASE("progress of a shipment that was never given is poison") {
  Stack& stack = ToldStack();
  ApplyShipmentProgressRequest request;
  Sign(request, SIDE_PROCESSING);
  ShipmentProgressState& state = *request.add_states();
  state.mutable_stamp()->set_epoch(1);
  state.mutable_stamp()->set_version(1);
  state.mutable_key()->set_request_code(999'999);
  state.mutable_key()->set_shipment_code(1);
  state.set_readiness(common::v1::READINESS_READY);
  const auto response =
      stack.Peer(SIDE_ORDER)
          .Call<ApplyShipmentProgressResponse>(
              "mtp.sync.v1.OrderSyncService/ApplyShipmentProgress", request);
  REQUIRE(response.ok());
  REQUIRE(response->verdicts_size() == 1);
  CHECK(response->verdicts(0).code() == VERDICT_CODE_POISON);
  CHECK(response->verdicts(0).reason() == "UNKNOWN_SHIPMENT");
}

TEST_CASE("a frame without a sender is refused whole") {
  Stack& stack = ToldStack();
  ApplyShipmentsRequest request;
  *request.add_states() = Told(106, 1, 1'000);
  const absl::Status status =
      stack.Peer(SIDE_PROCESSING)
          .Send("mtp.sync.v1.ProcessingSyncService/ApplyShipments", request)
          .status;
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(BadFields(status) == std::vector<std::string>{"sender"});
  CHECK(QuantityAtSeeduwa(stack, 106) == 0);
}

TEST_CASE("a token that this side never gave is refused") {
  Stack& stack = Stack::Shared();
  ops::v1::WaitForSyncRequest request;
  request.set_sync_token("made-up");
  const absl::Status status =
      stack.As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER)
          .Send("mtp.ops.v1.OperationsService/WaitForSync", request)
          .status;
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(errors::Reason(status) == "SYNC_TOKEN_INVALID");
}

TEST_CASE("nobody waits for less than no time") {
  Stack& stack = Stack::Shared();
  ops::v1::WaitForSyncRequest request;
  request.mutable_max_wait()->set_seconds(-1);
  const absl::Status status =
      stack.As(ROLE_GRANDPASS_OFFICER, SIDE_ORDER)
          .Send("mtp.ops.v1.OperationsService/WaitForSync", request)
          .status;
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(BadFields(status) == std::vector<std::string>{"max_wait"});
}

TEST_CASE("a mark is told at the same price, however many wait") {
  constexpr int64_t kMarks = 20'000;
  Stack stack;
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  const Sql order = stack.Database(SIDE_ORDER);
  const auto rows_read = [&] {
    return order.Number(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables "
        "WHERE relid = 'sync.outbox'::regclass");
  };
  const int64_t read_before = rows_read();
  // All at once, for a relay that has only seen an empty outbox. They are of
  // nothing: there is no state to tell, and all else is done as ever.
  stack.Owner(SIDE_ORDER)
      .Query(
          "INSERT INTO sync.outbox (kind, key, version) "
          "SELECT 'shipment', code || '/9', 1 "
          "FROM generate_series(1, $1::bigint) AS code",
          {absl::StrCat(kMarks)});
  REQUIRE(Eventually(
      [&] { return order.Query("SELECT FROM sync.outbox LIMIT 1").empty(); }));
  // What a connection has read is counted at the latest when it is gone.
  stack.Stop(SIDE_ORDER);
  REQUIRE(Eventually([&] {
    return order.Number(
               "SELECT count(*) FROM pg_stat_activity WHERE usename = "
               "'mtp_app' AND datname = current_database()") == 0;
  }));
  // To lease it, to lock it, to forget it: a few times each.
  CHECK(rows_read() - read_before < 10 * kMarks);
  stack.Start(SIDE_ORDER);
}

TEST_CASE("an empty outbox is what the peer's agreement looks like") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  ops::v1::GetSyncStatusRequest request;
  const auto status =
      stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER)
          .Call<ops::v1::GetSyncStatusResponse>(
              "mtp.ops.v1.OperationsService/GetSyncStatus", request);
  REQUIRE(status.ok());
  CHECK(status->status().side() == SIDE_ORDER);
  CHECK(status->status().peer_reachable());
}

}  // namespace
}  // namespace mtp::tests
