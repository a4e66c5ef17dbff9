#include "order_service/shipments.h"

#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <set>

#include "absl/strings/str_format.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "tests/unit/order_desk.h"

namespace mtp::tests {
namespace {

using namespace common::v1;  // NOLINT: the states' names
using order::ApprovalState;
using order::Shipment;

constexpr int64_t kQuantity = 500'000;
constexpr ShipmentStatus kResting[] = {
    SHIPMENT_STATUS_APPROVAL_REQUESTED, SHIPMENT_STATUS_APPROVAL_DENIED,
    SHIPMENT_STATUS_ORDER_REQUESTED,    SHIPMENT_STATUS_ORDER_NOT_READY,
    SHIPMENT_STATUS_ORDER_READY,        SHIPMENT_STATUS_SHIPMENT_DISPATCHED,
    SHIPMENT_STATUS_SHIPMENT_ACCEPTED,  SHIPMENT_STATUS_SHIPMENT_CANCELLED};

template <typename Request>
Request For(const db::ShipmentKey& key) {
  Request request;
  key.To(request.mutable_key());
  return request;
}

// A shipment that came to rest in the status, the way a shipment does.
db::ShipmentKey InStatus(OrderDesk& desk, ShipmentStatus status) {
  const bool special = status == SHIPMENT_STATUS_APPROVAL_REQUESTED ||
                       status == SHIPMENT_STATUS_APPROVAL_DENIED;
  const db::ShipmentKey key = desk.AddRequest(kQuantity, special).key();
  const auto dispatch = [&] {
    desk.Hear(OrderDesk::Word(key, 10, READINESS_READY, kQuantity, kQuantity));
  };
  switch (status) {
    case SHIPMENT_STATUS_APPROVAL_DENIED:
      REQUIRE(desk.Do(order::DecideDenyShipment,
                      For<order::v1::DenyShipmentRequest>(key))
                  .ok());
      break;
    case SHIPMENT_STATUS_ORDER_NOT_READY:
      desk.Hear(OrderDesk::Word(key, 10, READINESS_NOT_READY, 0));
      break;
    case SHIPMENT_STATUS_ORDER_READY:
      desk.Hear(OrderDesk::Word(key, 10, READINESS_READY, 0));
      break;
    case SHIPMENT_STATUS_SHIPMENT_DISPATCHED:
      dispatch();
      break;
    case SHIPMENT_STATUS_SHIPMENT_ACCEPTED:
      dispatch();
      REQUIRE(desk.Do(order::DecideAcceptShipment,
                      For<order::v1::AcceptShipmentRequest>(key))
                  .ok());
      break;
    case SHIPMENT_STATUS_SHIPMENT_CANCELLED:
      REQUIRE(desk.Do(order::DecideCancelShipment,
                      For<order::v1::CancelShipmentRequest>(key))
                  .ok());
      break;
    default:
      break;
  }
  REQUIRE(desk.Shipment(key).status == status);
  return key;
}

// Everything that somebody can say of a shipment; whether it was done.
using Step = std::function<absl::Status(OrderDesk&, const db::ShipmentKey&)>;

Step Approving() {
  return [](OrderDesk& desk, const db::ShipmentKey& key) {
    return desk
        .Do(order::DecideApproveShipment,
            For<order::v1::ApproveShipmentRequest>(key))
        .status();
  };
}
Step Denying() {
  return [](OrderDesk& desk, const db::ShipmentKey& key) {
    return desk
        .Do(order::DecideDenyShipment, For<order::v1::DenyShipmentRequest>(key))
        .status();
  };
}
Step Cancelling() {
  return [](OrderDesk& desk, const db::ShipmentKey& key) {
    return desk
        .Do(order::DecideCancelShipment,
            For<order::v1::CancelShipmentRequest>(key))
        .status();
  };
}
Step Accepting() {
  return [](OrderDesk& desk, const db::ShipmentKey& key) {
    return desk
        .Do(order::DecideAcceptShipment,
            For<order::v1::AcceptShipmentRequest>(key))
        .status();
  };
}
Step Hearing(Readiness readiness, int64_t dispatched_grams) {
  return [=](OrderDesk& desk, const db::ShipmentKey& key) {
    auto word =
        OrderDesk::Word(key, 20, readiness, dispatched_grams, dispatched_grams);
    if (const Shipment& now = desk.Shipment(key); now.dispatched) {
      word = OrderDesk::Word(key, 20, readiness, kQuantity, kQuantity);
    }
    return desk.Hear(word).code() == sync::v1::VERDICT_CODE_APPLIED
               ? absl::OkStatus()
               : absl::FailedPreconditionError("POISON");
  };
}

// The pairs of different states that a step leads through, of one that is done.
std::set<std::pair<ShipmentStatus, ShipmentStatus>> Led(const Step& step) {
  std::set<std::pair<ShipmentStatus, ShipmentStatus>> led;
  for (const ShipmentStatus from : kResting) {
    OrderDesk desk;
    const db::ShipmentKey key = InStatus(desk, from);
    const std::string before = desk.Shipment(key).Shown().SerializeAsString();
    const size_t events_before = desk.event_count();
    if (!step(desk, key).ok()) {
      CHECK(desk.Shipment(key).Shown().SerializeAsString() == before);
      CHECK(desk.event_count() == events_before);
      continue;
    }
    const std::vector<order::ShipmentEvent>& events =
        desk.rows().shipment_events.rows();
    for (size_t i = events_before; i < events.size(); ++i) {
      if (events[i].from_status != events[i].to_status) {
        led.emplace(*events[i].from_status, events[i].to_status);
      }
    }
    CHECK(desk.last_event().to_status == desk.Shipment(key).status);
  }
  return led;
}

using Pairs = std::set<std::pair<ShipmentStatus, ShipmentStatus>>;

}  // namespace

TEST_CASE(
    "a shipment goes from state to state as the table says, and no other way") {
  CHECK(Led(Approving()) == Pairs{{SHIPMENT_STATUS_APPROVAL_REQUESTED,
                                   SHIPMENT_STATUS_APPROVAL_ALLOWED},
                                  {SHIPMENT_STATUS_APPROVAL_ALLOWED,
                                   SHIPMENT_STATUS_ORDER_REQUESTED}});
  CHECK(Led(Denying()) == Pairs{{SHIPMENT_STATUS_APPROVAL_REQUESTED,
                                 SHIPMENT_STATUS_APPROVAL_DENIED}});
  CHECK(Led(Hearing(READINESS_READY, 0)) ==
        Pairs{{SHIPMENT_STATUS_ORDER_REQUESTED, SHIPMENT_STATUS_ORDER_READY},
              {SHIPMENT_STATUS_ORDER_NOT_READY, SHIPMENT_STATUS_ORDER_READY}});
  CHECK(
      Led(Hearing(READINESS_NOT_READY, 0)) ==
      Pairs{{SHIPMENT_STATUS_ORDER_REQUESTED, SHIPMENT_STATUS_ORDER_NOT_READY},
            {SHIPMENT_STATUS_ORDER_READY, SHIPMENT_STATUS_ORDER_NOT_READY}});
  CHECK(Led(Accepting()) == Pairs{{SHIPMENT_STATUS_SHIPMENT_DISPATCHED,
                                   SHIPMENT_STATUS_SHIPMENT_ACCEPTED}});
  CHECK(
      Led(Cancelling()) ==
      Pairs{
          {SHIPMENT_STATUS_ORDER_REQUESTED, SHIPMENT_STATUS_SHIPMENT_CANCELLED},
          {SHIPMENT_STATUS_ORDER_NOT_READY, SHIPMENT_STATUS_SHIPMENT_CANCELLED},
          {SHIPMENT_STATUS_ORDER_READY, SHIPMENT_STATUS_SHIPMENT_CANCELLED}});
}

TEST_CASE(
    "a dispatch leads through readiness, and stands after a cancellation") {
  CHECK(
      Led(Hearing(READINESS_READY, kQuantity)) ==
      Pairs{{SHIPMENT_STATUS_ORDER_REQUESTED, SHIPMENT_STATUS_ORDER_READY},
            {SHIPMENT_STATUS_ORDER_NOT_READY, SHIPMENT_STATUS_ORDER_READY},
            {SHIPMENT_STATUS_ORDER_READY, SHIPMENT_STATUS_SHIPMENT_DISPATCHED},
            {SHIPMENT_STATUS_SHIPMENT_CANCELLED,
             SHIPMENT_STATUS_SHIPMENT_DISPATCHED}});
}

TEST_CASE("a step in the wrong state is refused with its reason") {
  OrderDesk desk;
  const db::ShipmentKey ready = InStatus(desk, SHIPMENT_STATUS_ORDER_READY);
  CHECK(errors::Reason(Approving()(desk, ready)) == "WRONG_SHIPMENT_STATUS");
  CHECK(errors::Reason(Denying()(desk, ready)) == "WRONG_SHIPMENT_STATUS");
  CHECK(errors::Reason(Accepting()(desk, ready)) == "WRONG_SHIPMENT_STATUS");
  const db::ShipmentKey gone =
      InStatus(desk, SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  CHECK(errors::Reason(Cancelling()(desk, gone)) == "SHIPMENT_NOT_OPEN");
  const db::ShipmentKey none{99, 1};
  CHECK(errors::Reason(Cancelling()(desk, none)) == "SHIPMENT_NOT_FOUND");
}

TEST_CASE(
    "an approved request is told to Seeduwa, one that waits or is denied is "
    "not") {
  OrderDesk desk;
  const db::ShipmentKey key =
      desk.AddRequest(kQuantity, /*special=*/true).key();
  REQUIRE(Approving()(desk, key).ok());
  REQUIRE(desk.marks().size() == 1);
  CHECK(desk.marks()[0].version == desk.Shipment(key).version);
  const db::ShipmentKey denied =
      desk.AddRequest(kQuantity, /*special=*/true).key();
  REQUIRE(Denying()(desk, denied).ok());
  CHECK(desk.marks().empty());
}

TEST_CASE("what is allocated is neither cancelled nor cut") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  desk.Hear(OrderDesk::Word(key, 1, READINESS_READY, 200'000));
  CHECK(errors::Reason(Cancelling()(desk, key)) == "SHIPMENT_HAS_ALLOCATIONS");
  auto request = For<order::v1::SetShipmentQuantityRequest>(key);
  request.set_quantity_grams(199'999);
  CHECK(errors::Reason(
            desk.Do(order::DecideSetShipmentQuantity, request).status()) ==
        "BELOW_ALLOCATED");
  request.set_quantity_grams(kQuantity + 1);
  CHECK(errors::Reason(
            desk.Do(order::DecideSetShipmentQuantity, request).status()) ==
        "QUANTITY_CANNOT_GROW");
  request.set_quantity_grams(200'000);
  request.set_etag("7");
  CHECK(errors::Reason(
            desk.Do(order::DecideSetShipmentQuantity, request).status()) ==
        "ETAG_MISMATCH");
  request.clear_etag();
  CHECK(desk.Do(order::DecideSetShipmentQuantity, request).ok());
}

TEST_CASE("a lowered quantity makes the rest the next shipment") {
  OrderDesk desk;
  const db::ShipmentKey key = desk.AddRequest(kQuantity).key();
  auto request = For<order::v1::SetShipmentQuantityRequest>(key);
  request.set_quantity_grams(300'000);
  const auto response = desk.Do(order::DecideSetShipmentQuantity, request);
  REQUIRE(response.ok());
  CHECK(response->shipment().quantity_grams() == 300'000);
  CHECK(response->split_off_shipment().quantity_grams() == 200'000);
  CHECK(response->split_off_shipment().key().shipment_code() == 2);
  CHECK(response->split_off_shipment().split_from_shipment_code() == 1);
  CHECK(response->split_off_shipment().status() ==
        SHIPMENT_STATUS_ORDER_REQUESTED);
  CHECK(desk.marks().size() == 2);

  const auto same = desk.Do(order::DecideSetShipmentQuantity, request);
  REQUIRE(same.ok());
  CHECK_FALSE(same->has_split_off_shipment());
  CHECK(same->sync_token().empty());
  CHECK(desk.marks().empty());
}

TEST_CASE(
    "a cancelled ordinary shipment can be requested again, a special one "
    "counts nothing") {
  OrderDesk desk;
  const order::Plan& plan = desk.AddPlan(900'000);
  const db::ShipmentKey ordinary = desk.AddRequest(kQuantity).key();
  CHECK(plan.requested_grams == kQuantity);
  REQUIRE(Cancelling()(desk, ordinary).ok());
  CHECK(plan.requested_grams == 0);
  const db::ShipmentKey special =
      desk.AddRequest(kQuantity, /*special=*/true).key();
  REQUIRE(Approving()(desk, special).ok());
  REQUIRE(Cancelling()(desk, special).ok());
  CHECK(plan.requested_grams == 0);
}

TEST_CASE(
    "a bag is in one list of differences at most, however it is written") {
  OrderDesk desk;
  const db::ShipmentKey key =
      InStatus(desk, SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  auto request = For<order::v1::AcceptShipmentRequest>(key);
  request.mutable_differences()->add_missing_barcodes(
      "blendsheet:01900000-0000-7000-8000-00000000000A");
  request.mutable_differences()->add_sent_back_barcodes(
      "01900000-0000-7000-8000-00000000000a");
  CHECK(
      errors::Reason(desk.Do(order::DecideAcceptShipment, request).status()) ==
      "BARCODE_TWICE");
  request.mutable_differences()->clear_sent_back_barcodes();
  const auto response = desk.Do(order::DecideAcceptShipment, request);
  REQUIRE(response.ok());
  CHECK(response->shipment().acceptance().differences().missing_barcodes(0) ==
        "01900000-0000-7000-8000-00000000000a");
  CHECK(desk.OpenExceptions() ==
        std::vector<std::string>{"ACCEPTED_WITH_DIFFERENCES"});
}

TEST_CASE("what the gate says must be possible of what left") {
  OrderDesk desk;
  const db::ShipmentKey key =
      InStatus(desk, SHIPMENT_STATUS_SHIPMENT_DISPATCHED);
  const order::Shipment& shipment = desk.Shipment(key);
  const auto told = [&](const order::v1::AcceptShipmentRequest& request) {
    return errors::Reason(
        desk.Do(order::DecideAcceptShipment, request).status());
  };
  const auto request = For<order::v1::AcceptShipmentRequest>(key);

  auto heavy = request;
  heavy.mutable_differences()->set_received_grams(
      2 * shipment.dispatched_grams + 1);
  CHECK(told(heavy) == "ACCEPTANCE_IMPOSSIBLE");
  auto early = request;
  *early.mutable_occurred_at() =
      ToProto(*shipment.dispatched_at - absl::Minutes(61));
  CHECK(told(early) == "ACCEPTANCE_IMPOSSIBLE");
  auto lost = request;
  for (int64_t i = 0; i <= shipment.dispatched_bags; ++i) {
    lost.mutable_differences()->add_missing_barcodes(
        absl::StrFormat("01900000-0000-7000-8000-%012d", i));
  }
  CHECK(told(lost) == "ACCEPTANCE_IMPOSSIBLE");

  // As far as it goes.
  lost.mutable_differences()->mutable_missing_barcodes()->RemoveLast();
  lost.mutable_differences()->set_received_grams(2 * shipment.dispatched_grams);
  *lost.mutable_occurred_at() =
      ToProto(*shipment.dispatched_at - absl::Minutes(59));
  CHECK(desk.Do(order::DecideAcceptShipment, lost).ok());
}

TEST_CASE(
    "no order of splits, cancellations and dispatches makes or loses a gram") {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int64_t n) {
      return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
    };
    OrderDesk desk;
    const order::Plan& plan = desk.AddPlan(10 * kQuantity);
    const int64_t request_code = desk.AddRequest(kQuantity).request_code;
    int64_t version = 0;
    for (int step = 0; step < 30; ++step) {
      const std::vector<const Shipment*> all = desk.rows().shipments.All();
      const Shipment& chosen = *all[below(static_cast<int64_t>(all.size()))];
      const db::ShipmentKey key = chosen.key();
      switch (below(4)) {
        case 0: {
          auto request = For<order::v1::SetShipmentQuantityRequest>(key);
          request.set_quantity_grams(1 + below(kQuantity));
          (void)desk.Do(order::DecideSetShipmentQuantity, request);
          break;
        }
        case 1:
          (void)Cancelling()(desk, key);
          break;
        case 2:
          desk.Hear(OrderDesk::Word(key, ++version, READINESS_READY,
                                    below(chosen.quantity_grams + 1)));
          break;
        default: {
          const int64_t grams = 1 + below(chosen.quantity_grams + 1000);
          desk.Hear(
              OrderDesk::Word(key, ++version, READINESS_READY, grams, grams));
        }
      }
      int64_t carried = 0;
      int64_t counted = 0;
      for (const Shipment* shipment : desk.rows().shipments.All()) {
        carried += shipment->quantity_grams;
        if (!shipment->cancelled) counted += shipment->quantity_grams;
        REQUIRE(shipment->quantity_grams > 0);
        REQUIRE(shipment->status == shipment->StatusFromFacts());
      }
      REQUIRE(carried == kQuantity);
      REQUIRE(counted == plan.requested_grams);
      REQUIRE(desk.rows().requests.Find(request_code)->next_shipment_code ==
              static_cast<int64_t>(desk.rows().shipments.All().size()) + 1);
    }
  }
}

}  // namespace mtp::tests
