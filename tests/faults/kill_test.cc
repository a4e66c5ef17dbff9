#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/order/v1/requests.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

// A stack on a PostgreSQL that keeps its promises, with both sides running.
Stack& DurableStack() {
  Stack& stack = Stack::Shared("durable", {.cluster = &Cluster::Durable()});
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    if (!stack.Running(side)) stack.Start(side);
  }
  return stack;
}

// Both sides agree that the story happened once, as it was told.
void RequireTold(const Story& story) {
  RequireAgreement(story.stack());
  const auto shipment = story.AtGrandpass();
  CHECK(shipment.status() == common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  CHECK(shipment.progress().dispatch().dispatched_grams() ==
        Story::kOrderedGrams);
  const Sql processing = story.stack().Database(SIDE_PROCESSING);
  CHECK(processing.Number("SELECT count(*) FROM bag WHERE item_id = $1",
                          {story.tealine_id}) == Story::kTeaBagCount);
  CHECK(processing.Number("SELECT count(*) FROM bag WHERE batch_id = $1",
                          {story.batch_id}) == Story::kBlendBagCount);
  CHECK(processing.Number(
            "SELECT count(*) FROM allocation WHERE request_code = $1",
            {absl::StrCat(story.shipment.request_code())}) ==
        Story::kShippedBagCount);
  CHECK(processing.Query("SELECT parcel_count, parcel_grams FROM schedule "
                         "WHERE schedule_code = $1",
                         {absl::StrCat(story.schedule_code)}) ==
        Sql::Rows{{"2", absl::StrCat(2 * Story::kParcelGrams)}});
  CHECK(story.stack()
            .Database(SIDE_ORDER)
            .Number("SELECT count(*) FROM order_request WHERE order_code = $1",
                    {story.order_code}) == 1);
}

TEST_CASE("a side killed between any two steps is back, and both sides agree") {
  Stack& stack = DurableStack();
  const Side side = GENERATE(SIDE_ORDER, SIDE_PROCESSING);
  for (int step = 1; step < Story::kLastStep; ++step) {
    INFO(NameOf(side) << " is killed after step " << step);
    Story story(stack);
    story.DoSteps(1, step);
    stack.Restart(side);
    story.DoSteps(step + 1, Story::kLastStep);
    RequireTold(story);
  }
}

TEST_CASE(
    "a side killed in the middle of any call has done it once or not at all") {
  Stack& stack = DurableStack();
  std::mt19937 random(20'261'123);
  Story story(stack);
  for (const Act& act : story.acts()) {
    const Side side = act.at();
    INFO(act.method << ": " << NameOf(side) << " is killed meanwhile");
    if (act.ready) REQUIRE(Eventually(act.ready));
    absl::Status status;
    // Repeats the call under its request_id until it is answered.
    std::thread caller([&] { status = story.Try(act); });
    // Anywhere within the milliseconds that a call takes.
    absl::SleepFor(absl::Microseconds(
        std::uniform_int_distribution<int>(0, 8'000)(random)));
    stack.Restart(side);
    caller.join();
    INFO(status.ToString());
    REQUIRE(status.ok());
    // The last word may have been said before the kill: it is said again.
    story.Do(act);
  }
  story.DoSteps(Story::kLastStep, Story::kLastStep);
  RequireTold(story);
}

TEST_CASE("a side killed while it tells the other tells it when it is back") {
  Stack& stack = DurableStack();
  for (int round = 0; round < 3; ++round) {
    Story story(stack);
    story.DoSteps(1, 2);
    stack.Kill(SIDE_ORDER);  // the shipment is committed, perhaps not told
    stack.Start(SIDE_ORDER);
    story.DoSteps(3, 6);
    stack.Kill(SIDE_PROCESSING);
    stack.Start(SIDE_PROCESSING);
    story.DoSteps(7, 7);
    stack.Kill(SIDE_PROCESSING);
    stack.Kill(SIDE_ORDER);
    stack.Start(SIDE_ORDER);
    stack.Start(SIDE_PROCESSING);
    story.DoSteps(8, Story::kLastStep);
    RequireTold(story);
  }
}

TEST_CASE("a side that is asked to end finishes its calls and loses nothing") {
  Stack& stack = DurableStack();
  Story story(stack);
  story.DoSteps(1, 5);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    stack.Stop(side);
    stack.Start(side);
  }
  story.DoSteps(6, Story::kLastStep);
  RequireTold(story);
}

TEST_CASE("connections to the database that are cut do not hurt any call") {
  Stack& stack = DurableStack();
  Story story(stack);
  std::atomic<bool> told = false;
  std::thread cutter([&] {
    while (!told) {
      stack.CutDatabaseConnections(SIDE_ORDER);
      stack.CutDatabaseConnections(SIDE_PROCESSING);
      // Long enough for a round of the relay over connections that are new on
      // both sides.
      absl::SleepFor(absl::Milliseconds(200));
    }
  });
  absl::Status status;
  for (const Act& act : story.acts()) {
    status = story.Try(act);
    if (!status.ok()) break;
  }
  told = true;
  cutter.join();
  INFO(status.ToString());
  REQUIRE(status.ok());
  story.DoSteps(Story::kLastStep, Story::kLastStep);
  RequireTold(story);
}

TEST_CASE(
    "PostgreSQL that crashes between any two steps has kept what was said") {
  Stack& stack = DurableStack();
  for (int step = 1; step < Story::kLastStep; step += 2) {
    INFO("PostgreSQL crashes after step " << step);
    Story story(stack);
    story.DoSteps(1, step);
    Cluster::Durable().Crash();
    Cluster::Durable().Start();
    story.DoSteps(step + 1, Story::kLastStep);
    RequireTold(story);
  }
}

TEST_CASE(
    "while PostgreSQL is away a call says so, and is done when it is back") {
  Stack& stack = DurableStack();
  Story story(stack);
  story.DoSteps(1, 1);
  const Act& act = story.Find("mtp.order.v1.RequestService/CreateRequest");
  const Client officer = stack.As(act.role, SIDE_ORDER);
  Cluster::Durable().Crash();
  const Reply reply = officer.Send(
      act.method, {act.request()->SerializeAsString()}, absl::Seconds(8));
  CHECK((reply.status.code() == absl::StatusCode::kUnavailable ||
         reply.status.code() == absl::StatusCode::kDeadlineExceeded));
  Cluster::Durable().Start();
  story.DoSteps(2, Story::kLastStep);
  RequireTold(story);
}

TEST_CASE("connections that are dead and tell nobody are made anew", "[link]") {
  Stack stack({.lines = true});
  Story story(stack);
  story.DoSteps(1, 1);
  RequireAgreement(stack);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    stack.PeerLine(side).Forget();
  story.DoSteps(2, 2);
  CHECK(Eventually([&] { return Disagreement(stack).empty(); },
                   absl::Seconds(15)));
  story.DoSteps(3, 9);
}

}  // namespace
}  // namespace mtp::tests
