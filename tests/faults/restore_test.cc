#include <catch2/catch.hpp>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mtp/order/v1/shipments.pb.h"
#include "tests/faults/plant.h"
#include "tests/faults/restore_acts.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using options::v1::ROLE_GRANDPASS_OFFICER;

TEST_CASE("a comparison does not bury what a restore lost", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 2);
  const std::string moment = plant.BackUp(SIDE_ORDER);
  // What is lost has many transactions, so that those since are fewer.
  for (int i = 0; i < 200; ++i)
    stack.Owner(SIDE_ORDER).Query("SELECT pg_current_xact_id()");
  order::v1::SetShipmentQuantityRequest cut;
  *cut.mutable_key() = story.shipment;
  cut.set_quantity_grams(Story::kOrderedGrams / 2);
  Do<order::v1::SetShipmentQuantityResponse>(
      stack, ROLE_GRANDPASS_OFFICER,
      "mtp.order.v1.ShipmentService/SetShipmentQuantity", cut);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);

  CHECK(absl::StrContains(CompareAt(stack, SIDE_ORDER), "VERSIONS_FELL_BACK"));
  // The other side keeps it, however many transactions there are since.
  CHECK(plant.Status(SIDE_PROCESSING).refusing_peer() ==
        sync::v1::REFUSAL_VERSIONS_FELL_BACK);
  for (int i = 0; i < 300; ++i)
    stack.Owner(SIDE_ORDER).Query("SELECT pg_current_xact_id()");
  CHECK(absl::StrContains(CompareAt(stack, SIDE_ORDER), "VERSIONS_FELL_BACK"));
  plant.Recover({SIDE_ORDER});
  CHECK(story.AtGrandpass().quantity_grams() == Story::kOrderedGrams / 2);
}

TEST_CASE("what cannot be taken back holds up nothing else", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  const std::string moment = plant.BackUp(SIDE_ORDER);
  Story stuck(stack);
  stuck.DoSteps(1, 2);
  Story taken(stack);
  taken.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  const Sql owner = stack.Owner(SIDE_ORDER);
  RefuseShipments(owner, absl::StrCat("NEW.request_code = ",
                                      stuck.shipment.request_code()));
  RecoverAlone(plant, SIDE_ORDER);
  CHECK(plant.Exceptions(SIDE_ORDER) ==
        absl::StrCat("LOST_IN_RESTORE | shipment:", Text(stuck.shipment)));
  CHECK(taken.AtGrandpass().order_code() == taken.order_code);
  CHECK(stuck.AtGrandpass().order_code().empty());
  // The link works, both ways; the code that Seeduwa knows is given to nobody.
  owner.Query("DROP TRIGGER refuse ON shipment");
  Story next(stack);
  next.DoSteps(1, 9);
  CHECK(next.shipment.request_code() > taken.shipment.request_code());
}

TEST_CASE("a side that takes back what it lost hears no news meanwhile",
          "[restore]") {
  // The one state that is taken back takes long enough to be told something.
  Plant plant({"MTP_PAUSE_AT=recover.state_taken:3000"});
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoUntil("mtp.processing.v1.OutboundService/DispatchShipments");
  Story arrived(stack);
  arrived.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  story.Do(story.Find("mtp.processing.v1.OutboundService/DispatchShipments"));
  RequireAgreement(stack);
  plant.Restore(SIDE_PROCESSING, moment);
  REQUIRE(plant.StartEpoch(SIDE_PROCESSING, 1, NewRequestId()).ok());
  arrived.Do(arrived.Find("mtp.order.v1.ShipmentService/AcceptShipment"));
  bool confirmed_meanwhile = false;
  REQUIRE(Eventually([&] {
    const bool confirmed =
        stack.Database(SIDE_ORDER).Query("SELECT FROM sync.outbox").empty();
    const bool recovering = plant.Status(SIDE_PROCESSING).recovering();
    confirmed_meanwhile = confirmed_meanwhile || (confirmed && recovering);
    return !recovering;
  }));
  CHECK(!confirmed_meanwhile);
  RequireAgreement(stack);
  CHECK(!stack.Database(SIDE_PROCESSING)
             .Query("SELECT FROM shipment WHERE accepted")
             .empty());
}

TEST_CASE("an epoch that a restore lost is not begun again", "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 2);
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  story.DoSteps(3, 6);
  RequireAgreement(stack);
  for (const int64_t epoch : {2, 3}) {
    plant.Restore(SIDE_PROCESSING, moment);
    // It learns from its peer that it was restored, to before an epoch even.
    CompareAt(stack, SIDE_PROCESSING);
    CHECK(plant.Status(SIDE_PROCESSING).refused_by_peer() ==
          (epoch == 2 ? sync::v1::REFUSAL_VERSIONS_FELL_BACK
                      : sync::v1::REFUSAL_EPOCH_SUPERSEDED));
    plant.Recover({SIDE_PROCESSING});
    CHECK(plant.Status(SIDE_PROCESSING).epoch() == epoch);
    // What it tells is taken.
    Story(stack).DoAll();
    RequireAgreement(stack);
  }
}

// Seeduwa, restored to before it did and told this, and nobody says so.
void LoseInSilence(Plant& plant, const std::function<void()>& lost) {
  const std::string moment = plant.BackUp(SIDE_PROCESSING);
  lost();
  RequireAgreement(plant.stack);
  plant.Restore(SIDE_PROCESSING, moment);
}

bool NoticesRestore(const Plant& plant) {
  return Eventually([&] {
    return plant.Status(SIDE_ORDER).refusing_peer() ==
           sync::v1::REFUSAL_VERSIONS_FELL_BACK;
  });
}

TEST_CASE("a restore that nobody announced is noticed before it does harm",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story story(stack);
  story.DoSteps(1, 6);
  RequireAgreement(stack);
  LoseInSilence(plant, [&] { story.DoSteps(7, 8); });
  // Somebody works on with what the restored database says.
  SayNotReady(stack, story.shipment);
  const bool noticed = NoticesRestore(plant);
  INFO(stack.Log(SIDE_PROCESSING));
  REQUIRE(noticed);
  CHECK(Eventually([&] {
    return plant.Status(SIDE_PROCESSING).refused_by_peer() ==
           sync::v1::REFUSAL_VERSIONS_FELL_BACK;
  }));
  CHECK(story.AtGrandpass().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  CHECK(story.AtGrandpass().progress().dispatch().shipment_vehicle() ==
        story.vehicle);

  plant.Recover({SIDE_PROCESSING});
  CHECK(plant.Status(SIDE_ORDER).refusing_peer() ==
        sync::v1::REFUSAL_UNSPECIFIED);
  CHECK(story.AtSeeduwa().status() ==
        common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
}

TEST_CASE("a restore shows in the numbers of transactions alone", "[restore]") {
  Plant plant;
  Story lost(plant.stack);
  lost.DoSteps(1, 2);
  Story other(plant.stack);
  other.DoSteps(1, 2);
  RequireAgreement(plant.stack);
  LoseInSilence(plant, [&] { lost.DoSteps(3, 8); });
  // Of this one nothing was ever told, so nothing of it meets what was lost.
  SayNotReady(plant.stack, other.shipment);
  CHECK(NoticesRestore(plant));
}

TEST_CASE("a restore shows in another past alone", "[restore]") {
  Plant plant;
  Story lost(plant.stack);
  lost.DoSteps(1, 2);
  RequireAgreement(plant.stack);
  LoseInSilence(plant, [&] { SayNotReady(plant.stack, lost.shipment); });
  // So much was done before the first word that no number falls.
  plant.stack.Owner(SIDE_PROCESSING)
      .Query(
          "DO $$ BEGIN FOR i IN 1..2000 LOOP PERFORM pg_current_xact_id(); "
          "COMMIT; END LOOP; END $$");
  SayNotReady(plant.stack, lost.shipment);
  CHECK(NoticesRestore(plant));
}

TEST_CASE("a code given twice after an unannounced restore is told",
          "[restore]") {
  Plant plant;
  Stack& stack = plant.stack;
  Story before(stack);
  before.DoSteps(1, 2);
  const std::string moment = plant.BackUp(SIDE_ORDER);
  Story lost(stack);
  lost.DoSteps(1, 2);
  RequireAgreement(stack);
  plant.Restore(SIDE_ORDER, moment);
  Story again(stack);
  again.DoSteps(1, 2);
  REQUIRE(again.shipment.request_code() == lost.shipment.request_code());
  plant.Recover({SIDE_ORDER});
  CHECK(plant.Exceptions(SIDE_ORDER) ==
        absl::StrCat("CONTRADICTED_BY_RESTORE | shipment:",
                     Text(again.shipment)));
}

}  // namespace
}  // namespace mtp::tests
