#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "order_service/shipments.h"
#include "order_service/sync.h"
#include "tests/unit/order_desk.h"

namespace mtp::tests {
namespace {

using namespace common::v1;  // NOLINT: the states' names
using sync::v1::VERDICT_CODE_APPLIED;
using sync::v1::VERDICT_CODE_POISON;
using sync::v1::VERDICT_CODE_STALE;

constexpr int64_t kQuantity = 500'000;

// What is known of a shipment, without when it was heard.
std::string Facts(const order::Shipment& shipment) {
  order::v1::Shipment shown = shipment.Shown();
  shown.clear_updated_at();
  shown.clear_created_at();
  return shown.SerializeAsString();
}

}  // namespace

TEST_CASE("a state applied twice is stale and changes nothing") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  const auto word = OrderDesk::Word(key, 5, READINESS_READY, 300'000, 300'000);
  REQUIRE(desk.Hear(word).code() == VERDICT_CODE_APPLIED);
  const std::string facts = Facts(desk.Shipment(key));
  const size_t events = desk.event_count();
  CHECK(desk.Hear(word).code() == VERDICT_CODE_STALE);
  CHECK(desk.Hear(OrderDesk::Word(key, 4, READINESS_NOT_READY, 0)).code() ==
        VERDICT_CODE_STALE);
  CHECK(Facts(desk.Shipment(key)) == facts);
  CHECK(desk.event_count() == events);
  CHECK(desk.marks().empty());
  CHECK(desk.rows().shipments.All().size() == 2);
}

TEST_CASE(
    "states that come late, twice and in any order end where the last one is") {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    OrderDesk in_order;
    const db::ShipmentKey key = in_order.AddRequest(kQuantity).key();
    const std::vector<sync::v1::ShipmentProgressState> words = {
        OrderDesk::Word(key, 1, READINESS_NOT_READY, 0),
        OrderDesk::Word(key, 2, READINESS_READY, 0),
        OrderDesk::Word(key, 3, READINESS_READY, 200'000),
        OrderDesk::Word(key, 4, READINESS_READY, 350'000),
        OrderDesk::Word(key, 5, READINESS_READY, 350'000, 350'000)};
    for (const auto& word : words) in_order.Hear(word);

    OrderDesk shuffled;
    shuffled.AddRequest(kQuantity);
    std::vector<sync::v1::ShipmentProgressState> sent = words;
    sent.insert(sent.end(), words.begin(), words.end());
    std::shuffle(sent.begin(), sent.end(), random);
    for (const auto& word : sent) shuffled.Hear(word);

    REQUIRE(Facts(shuffled.Shipment(key)) == Facts(in_order.Shipment(key)));
    REQUIRE(shuffled.rows().shipments.All().size() == 2);
    REQUIRE(shuffled.Shipment({key.request_code, 2}).quantity_grams == 150'000);
    REQUIRE(shuffled.OpenExceptions().empty());
  }
}

TEST_CASE("a new epoch of Seeduwa counts more than any version") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  desk.Hear(OrderDesk::Word(key, 9, READINESS_READY, 100'000));
  auto word = OrderDesk::Word(key, 1, READINESS_NOT_READY, 0);
  word.mutable_stamp()->set_epoch(2);
  CHECK(desk.Hear(word, /*sender_epoch=*/2).code() == VERDICT_CODE_APPLIED);
  CHECK(desk.Shipment(key).status == SHIPMENT_STATUS_ORDER_NOT_READY);
}

TEST_CASE("a state that cannot be is poison and changes nothing") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  const std::string facts = Facts(desk.Shipment(key));
  const auto judged = [&](const sync::v1::ShipmentProgressState& word) {
    const auto verdict = desk.Hear(word);
    CHECK(verdict.code() == VERDICT_CODE_POISON);
    return verdict.reason();
  };
  CHECK(judged(OrderDesk::Word({77, 1}, 1, READINESS_READY, 0)) ==
        "UNKNOWN_SHIPMENT");
  const auto negative = OrderDesk::Word(key, 1, READINESS_READY, -1);
  CHECK(judged(negative) == "INVALID_STATE");
  auto untimed = OrderDesk::Word(key, 1, READINESS_READY, 1000, 1000);
  untimed.mutable_dispatch()->clear_dispatched_at();
  CHECK(judged(untimed) == "INVALID_STATE");
  auto empty = OrderDesk::Word(key, 1, READINESS_READY, 1000, 1000);
  empty.mutable_dispatch()->set_dispatched_grams(0);
  CHECK(judged(empty) == "INVALID_STATE");
  auto nul = OrderDesk::Word(key, 1, READINESS_READY, 1000, 1000);
  nul.mutable_dispatch()->set_shipment_vehicle(std::string("WP\0", 3));
  CHECK(judged(nul) == "INVALID_STATE");
  const db::ShipmentKey waiting =
      desk.AddRequest(kQuantity, /*special=*/true).key();
  CHECK(judged(OrderDesk::Word(waiting, 1, READINESS_READY, 0)) ==
        "UNKNOWN_SHIPMENT");
  CHECK(Facts(desk.Shipment(key)) == facts);
}

TEST_CASE(
    "what the database refuses is poison, unless it was taken meanwhile") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  const auto word = OrderDesk::Word(key, 5, READINESS_READY, 300'000);
  REQUIRE(desk.Hear(word).code() == VERDICT_CODE_APPLIED);
  desk.RefuseBy("shipment_is_possible");
  CHECK(desk.Hear(word).code() == VERDICT_CODE_STALE);
  const auto newer = desk.Hear(OrderDesk::Word(key, 6, READINESS_READY, 1));
  CHECK(newer.code() == VERDICT_CODE_POISON);
  CHECK(newer.reason() == "BREAKS_RULE");
  CHECK(newer.message() ==
        "it breaks a rule of the schema: shipment_is_possible");
}

TEST_CASE("one bad state does not hold up those beside it") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  sync::v1::ApplyShipmentProgressRequest request;
  request.mutable_sender()->set_epoch(1);
  *request.add_states() = OrderDesk::Word({77, 1}, 1, READINESS_READY, 0);
  *request.add_states() = OrderDesk::Word(key, 1, READINESS_READY, 1000);
  const auto response = desk.Do(order::DecideApplyShipmentProgress, request);
  REQUIRE(response.ok());
  CHECK(response->verdicts(0).code() == VERDICT_CODE_POISON);
  CHECK(response->verdicts(1).code() == VERDICT_CODE_APPLIED);
  CHECK(desk.Shipment(key).allocated_grams == 1000);
}

TEST_CASE("a dispatch of less splits off the rest beyond the tolerance") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  // 0.5 % of 500 kg are 2.5 kg.
  desk.Hear(OrderDesk::Word(key, 1, READINESS_READY, 497'499, 497'499));
  CHECK_FALSE(desk.Shipment(key).closed_short);
  CHECK(desk.Shipment(key).quantity_grams == 497'499);
  CHECK(desk.Shipment({key.request_code, 2}).quantity_grams == 2'501);
  CHECK(desk.Shipment({key.request_code, 2}).status ==
        SHIPMENT_STATUS_ORDER_REQUESTED);
  CHECK(desk.marks().size() == 2);
  CHECK(desk.marks()[0].correlation_id == "there");
}

TEST_CASE(
    "a dispatch that leaves no more than the tolerance closes the shipment "
    "short") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  desk.Hear(OrderDesk::Word(key, 1, READINESS_READY, 497'500, 497'500));
  CHECK(desk.Shipment(key).closed_short);
  CHECK(desk.Shipment(key).quantity_grams == kQuantity);
  CHECK(desk.rows().shipments.All().size() == 1);
  REQUIRE(desk.marks().size() == 1);
  CHECK(desk.marks()[0].version == desk.Shipment(key).version);
}

TEST_CASE(
    "a dispatch after a cancellation, or of more than ordered, stands and is "
    "an exception") {
  OrderDesk desk;
  const db::ShipmentKey cancelled = desk.AddRequest(kQuantity).key();
  order::v1::CancelShipmentRequest request;
  cancelled.To(request.mutable_key());
  REQUIRE(desk.Do(order::DecideCancelShipment, request).ok());
  desk.Hear(OrderDesk::Word(cancelled, 1, READINESS_READY, 100'000, 100'000));
  CHECK(desk.Shipment(cancelled).status == SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(desk.Shipment(cancelled).quantity_grams == kQuantity);
  CHECK(desk.OpenExceptions() ==
        std::vector<std::string>{"DISPATCHED_AFTER_CANCELLATION"});

  const db::ShipmentKey more = desk.AddRequest(kQuantity).key();
  desk.Hear(OrderDesk::Word(more, 1, READINESS_READY, 600'000, 600'000));
  CHECK(desk.Shipment(more).status == SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(desk.OpenExceptions().size() == 2);
}

TEST_CASE(
    "a dispatch heard behind the acceptance that a restore brought back is "
    "what that was of") {
  OrderDesk desk;
  for (const int64_t dispatched : {kQuantity, int64_t{600'000}}) {
    const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
    order::Shipment& shipment =
        desk.rows().shipments.Edit(*desk.rows().shipments.Find(key));
    shipment.accepted = true;
    shipment.accepted_at = shipment.changed_at;
    shipment.recovered = true;
    desk.Hear(OrderDesk::Word(key, 1, READINESS_READY, dispatched, dispatched));
    CHECK(desk.Shipment(key).status == SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  }
  CHECK(desk.OpenExceptions() ==
        std::vector<std::string>{"DISPATCHED_MORE_THAN_ORDERED"});
}

TEST_CASE("a copy that was altered by hand is put right, and no more") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  auto altered = OrderDesk::Word(key, 1, READINESS_READY, kQuantity, kQuantity);
  altered.mutable_readiness_actor()->set_username("somebody");
  altered.set_order_remarks("by hand");
  altered.mutable_dispatch()->set_shipment_vehicle("FAKE");
  altered.mutable_dispatch()->set_bag_count(1);
  desk.Hear(altered);
  const size_t events = desk.event_count();
  desk.Hear(OrderDesk::Word(key, 2, READINESS_READY, kQuantity, kQuantity));
  CHECK(desk.Shipment(key).readiness_by_username == "");
  CHECK(desk.Shipment(key).readiness_remarks == "");
  CHECK(desk.Shipment(key).dispatch_vehicle == "WP-1234");
  CHECK(desk.Shipment(key).dispatched_bags != 1);
  CHECK(desk.event_count() == events);
  CHECK(desk.OpenExceptions().empty());
}

TEST_CASE("a dispatch taken back makes the shipment wait again") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  desk.Hear(OrderDesk::Word(key, 1, READINESS_READY, 499'000, 499'000));
  REQUIRE(desk.Shipment(key).closed_short);
  desk.Hear(OrderDesk::Word(key, 2, READINESS_READY, 499'000));
  CHECK(desk.Shipment(key).status == SHIPMENT_STATUS_ORDER_READY);
  CHECK_FALSE(desk.Shipment(key).closed_short);
  CHECK(desk.last_event().cause ==
        order::v1::SHIPMENT_EVENT_CAUSE_DISPATCH_CORRECTED);
  CHECK(desk.OpenExceptions().empty());
}

TEST_CASE(
    "a dispatch changed after its acceptance is an exception, and the "
    "acceptance stands") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  desk.Hear(OrderDesk::Word(key, 1, READINESS_READY, kQuantity, kQuantity));
  order::v1::AcceptShipmentRequest request;
  key.To(request.mutable_key());
  REQUIRE(desk.Do(order::DecideAcceptShipment, request).ok());
  desk.Hear(OrderDesk::Word(key, 2, READINESS_READY, kQuantity));
  CHECK(desk.Shipment(key).status == SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  CHECK(desk.OpenExceptions() ==
        std::vector<std::string>{"DISPATCH_CORRECTED_AFTER_ACCEPTANCE"});
}

}  // namespace mtp::tests
