#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace order::v1;   // NOLINT: this file's whole subject
using namespace common::v1;  // NOLINT: the states' names
using options::v1::ROLE_GRANDPASS_GATEPASS;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_SEEDUWA_OFFICER;

using Keys = std::set<std::string>;

// One order with a shipment that was accepted, one that is ready, one that was
// cancelled, and a special one that waits for approval.
class Order {
 public:
  explicit Order(Stack& stack) : story(stack) {
    story.DoSteps(1, 8);
    accepted =
        KeyText(story.shipment.request_code(), story.shipment.shipment_code());
    const ShipmentKey to_be_ready = Ask(200'000, false);
    ready = KeyText(to_be_ready.request_code(), to_be_ready.shipment_code());
    const ShipmentKey to_be_cancelled = Ask(300'000, false);
    cancelled = KeyText(to_be_cancelled.request_code(),
                        to_be_cancelled.shipment_code());
    const ShipmentKey to_wait = Ask(9'000'000, true);
    waiting = KeyText(to_wait.request_code(), to_wait.shipment_code());
    CancelShipmentRequest cancel;
    *cancel.mutable_key() = to_be_cancelled;
    cancel.set_order_remarks("not needed");
    REQUIRE(stack
                .Call<CancelShipmentResponse>(
                    ROLE_GRANDPASS_OFFICER,
                    "mtp.order.v1.ShipmentService/CancelShipment", cancel)
                .ok());
    RequireAgreement(stack);
    processing::v1::MarkShipmentReadyRequest mark;
    *mark.mutable_key() = to_be_ready;
    REQUIRE(stack
                .Call<processing::v1::MarkShipmentReadyResponse>(
                    ROLE_SEEDUWA_OFFICER,
                    "mtp.processing.v1.OutboundService/MarkShipmentReady", mark)
                .ok());
    RequireAgreement(stack);
  }

  ShipmentKey Ask(int64_t grams, bool special) const {
    CreateRequestRequest request;
    request.mutable_request()->set_order_code(story.order_code);
    request.mutable_request()->set_requirement_grams(grams);
    request.mutable_request()->set_approval_requested(special);
    const auto made = story.stack().Call<CreateRequestResponse>(
        ROLE_GRANDPASS_OFFICER, "mtp.order.v1.RequestService/CreateRequest",
        request);
    REQUIRE(made.ok());
    return made->request().shipments(0).key();
  }

  // Those of this order that the filter lets through, read page by page.
  Keys Requests(const std::function<void(ListRequestsRequest&)>& filter) const {
    ListRequestsRequest list;
    list.set_order_code(story.order_code);
    list.set_page_size(1);
    filter(list);
    Keys keys;
    do {
      const auto page = story.stack().Call<ListRequestsResponse>(
          ROLE_GRANDPASS_OFFICER, "mtp.order.v1.RequestService/ListRequests",
          list);
      INFO(page.status().ToString());
      REQUIRE(page.ok());
      for (const OrderRequest& request : page->requests()) {
        CHECK(keys.insert(KeyText(request.request_code(), 1)).second);
      }
      list.set_page_token(page->next_page_token());
    } while (!list.page_token().empty());
    return keys;
  }
  Keys Shipments(
      const std::function<void(ListShipmentsRequest&)>& filter) const {
    ListShipmentsRequest list;
    list.set_order_code(story.order_code);
    list.set_page_size(1);
    filter(list);
    Keys keys;
    do {
      const auto page = story.stack().Call<ListShipmentsResponse>(
          ROLE_GRANDPASS_OFFICER, "mtp.order.v1.ShipmentService/ListShipments",
          list);
      INFO(page.status().ToString());
      REQUIRE(page.ok());
      for (const Shipment& shipment : page->shipments()) {
        CHECK(keys.insert(KeyText(shipment.key().request_code(),
                                  shipment.key().shipment_code()))
                  .second);
      }
      list.set_page_token(page->next_page_token());
    } while (!list.page_token().empty());
    return keys;
  }
  Keys All() const { return {accepted, ready, cancelled, waiting}; }

  Story story;
  std::string accepted;
  std::string ready;
  std::string cancelled;
  std::string waiting;
};

TEST_CASE("shipments are listed by every filter, whatever the order") {
  const Order order(Stack::Shared());
  const Shipment accepted = order.story.AtGrandpass();
  const auto listed =
      [&](const std::function<void(ListShipmentsRequest&)>& filter) {
        return order.Shipments(filter);
      };
  for (int by = ListShipmentsOrder_MIN; by <= ListShipmentsOrder_MAX; ++by) {
    INFO(by);
    CHECK(listed([by](auto& list) {
            list.set_order_by(static_cast<ListShipmentsOrder>(by));
          }) == order.All());
  }
  CHECK(listed([](auto& list) {
          list.add_statuses(SHIPMENT_STATUS_ORDER_READY);
        }) == Keys{order.ready});
  CHECK(listed([](auto& list) {
          list.add_statuses(SHIPMENT_STATUS_SHIPMENT_CANCELLED);
          list.add_statuses(SHIPMENT_STATUS_APPROVAL_REQUESTED);
        }) == Keys{order.cancelled, order.waiting});
  CHECK(listed([&](auto& list) {
          list.set_request_code(accepted.key().request_code());
        }) == Keys{order.accepted});
  CHECK(listed([&](auto& list) {
          list.set_order_code("NO-" + order.story.order_code);
        }).empty());
  CHECK(listed([&](auto& list) {
          list.set_item_code(order.story.blend_code);
        }) == order.All());
  CHECK(listed([](auto& list) { list.set_item_code("OTHER"); }).empty());
  CHECK(listed([](auto& list) {
          list.set_product_name("Jasmine Green 100TB x 6");
        }) == order.All());
  CHECK(listed([](auto& list) { list.set_product_name("Jasmine"); }).empty());
  CHECK(listed([&](auto& list) {
          list.set_shipment_vehicle(order.story.vehicle);
        }) == Keys{order.accepted});
  CHECK(
      listed([](auto& list) { list.set_shipment_vehicle("ZZ-0000"); }).empty());
  CHECK(listed([](auto& list) { list.set_special(true); }) ==
        Keys{order.waiting});
  CHECK(listed([](auto& list) { list.set_special(false); }) ==
        Keys{order.accepted, order.ready, order.cancelled});
  CHECK(listed([&](auto& list) { list.set_search(order.story.vehicle); }) ==
        Keys{order.accepted});

  // From the moment itself on, and before it.
  const auto& dispatched = accepted.progress().dispatch().dispatched_at();
  CHECK(listed([&](auto& list) {
          *list.mutable_dispatched_from() = dispatched;
        }) == Keys{order.accepted});
  CHECK(listed([&](auto& list) {
          *list.mutable_dispatched_before() = dispatched;
        }).empty());
  const auto& arrived = accepted.acceptance().occurred_at();
  CHECK(listed([&](auto& list) { *list.mutable_accepted_from() = arrived; }) ==
        Keys{order.accepted});
  CHECK(listed([&](auto& list) {
          *list.mutable_accepted_before() = arrived;
        }).empty());
  CHECK(listed([&](auto& list) {
          *list.mutable_created_before() = accepted.created_at();
        }).empty());
  CHECK(listed([&](auto& list) {
          *list.mutable_created_from() = accepted.created_at();
        }) == order.All());
  CHECK(listed([](auto& list) { list.set_only_exceptions(true); }).empty());
}

TEST_CASE("requests are listed by every filter, whatever the order") {
  const Order order(Stack::Shared());
  GetRequestRequest get;
  get.set_request_code(order.story.shipment.request_code());
  const auto got = order.story.stack().Call<GetRequestResponse>(
      ROLE_GRANDPASS_OFFICER, "mtp.order.v1.RequestService/GetRequest", get);
  REQUIRE(got.ok());
  const OrderRequest& first = got->request();
  const auto listed =
      [&](const std::function<void(ListRequestsRequest&)>& filter) {
        return order.Requests(filter);
      };
  for (int by = ListRequestsOrder_MIN; by <= ListRequestsOrder_MAX; ++by) {
    INFO(by);
    CHECK(listed([by](auto& list) {
            list.set_order_by(static_cast<ListRequestsOrder>(by));
          }) == order.All());
  }
  CHECK(listed([&](auto& list) {
          list.set_order_code("NO-" + order.story.order_code);
        }).empty());
  CHECK(listed([](auto& list) { list.set_search("AS PLANNED"); }) ==
        Keys{order.accepted});
  CHECK(listed([&](auto& list) { list.set_search(order.story.blend_code); }) ==
        order.All());
  CHECK(listed([&](auto& list) {
          list.set_item_code(order.story.blend_code);
        }) == order.All());
  CHECK(listed([](auto& list) { list.set_item_code("OTHER"); }).empty());
  CHECK(listed([&](auto& list) {
          list.set_product_name(first.product_name());
        }) == order.All());
  CHECK(listed([](auto& list) { list.set_product_name("Jasmine"); }).empty());
  CHECK(listed([](auto& list) {
          list.add_statuses(SHIPMENT_STATUS_ORDER_READY);
        }) == Keys{order.ready});
  CHECK(listed([](auto& list) {
          list.add_statuses(SHIPMENT_STATUS_SHIPMENT_CANCELLED);
          list.add_statuses(SHIPMENT_STATUS_APPROVAL_REQUESTED);
        }) == Keys{order.cancelled, order.waiting});
  CHECK(listed([](auto& list) { list.set_special(true); }) ==
        Keys{order.waiting});
  CHECK(listed([](auto& list) { list.set_special(false); }) ==
        Keys{order.accepted, order.ready, order.cancelled});
  // From the moment itself on, and before it.
  CHECK(listed([&](auto& list) {
          *list.mutable_created_from() = first.created_at();
        }) == order.All());
  CHECK(listed([&](auto& list) {
          *list.mutable_created_before() = first.created_at();
        }).empty());
  CHECK(listed([&](auto& list) {
          list.set_created_by_subject(first.created_by().subject());
        }) == order.All());
  CHECK(listed([](auto& list) {
          list.set_created_by_subject(NewRequestId());
        }).empty());
  // None of them is of an old system; request_import_test lists one that is.
  CHECK(listed([](auto& list) { list.set_reference("OLD-1"); }).empty());
}

// Three schedules of one order, on three days.
class Schedules {
 public:
  explicit Schedules(Stack& stack) : stack_(stack) {
    day = Make(9, SHIFT_DAY, "Line 4");
    night = Make(10, SHIFT_NIGHT, "Line 44");
    both = Make(11, SHIFT_NIGHT_AND_DAY, "Packing");
    CompleteScheduleRequest complete;
    complete.set_schedule_code(night);
    REQUIRE(stack
                .Call<CompleteScheduleResponse>(
                    ROLE_GRANDPASS_OFFICER,
                    "mtp.order.v1.ScheduleService/CompleteSchedule", complete)
                .ok());
  }

  const std::string order_code = "LIST-" + NewRequestId().substr(24);
  int64_t day = 0;
  int64_t night = 0;
  int64_t both = 0;

  static Date On(int day_of_month) {
    Date date;
    date.set_year(2031);
    date.set_month(3);
    date.set_day(day_of_month);
    return date;
  }

  // Those of this order that the filter lets through, read page by page.
  std::set<int64_t> Listed(
      const std::function<void(ListSchedulesRequest&)>& filter) const {
    ListSchedulesRequest list;
    list.set_order_code(order_code);
    list.set_page_size(1);
    filter(list);
    std::set<int64_t> codes;
    do {
      const auto page = stack_.Call<ListSchedulesResponse>(
          ROLE_GRANDPASS_OFFICER, "mtp.order.v1.ScheduleService/ListSchedules",
          list);
      INFO(page.status().ToString());
      REQUIRE(page.ok());
      for (const Schedule& schedule : page->schedules()) {
        CHECK(codes.insert(schedule.schedule_code()).second);
      }
      list.set_page_token(page->next_page_token());
    } while (!list.page_token().empty());
    return codes;
  }

 private:
  int64_t Make(int day_of_month, Shift shift, const std::string& section) {
    CreateScheduleRequest request;
    NewSchedule& schedule = *request.mutable_schedule();
    *schedule.mutable_date() = On(day_of_month);
    schedule.set_order_code(order_code);
    schedule.set_shift(shift);
    schedule.set_section(section);
    schedule.set_quantity_grams(1'000);
    const auto made = stack_.Call<CreateScheduleResponse>(
        ROLE_GRANDPASS_OFFICER, "mtp.order.v1.ScheduleService/CreateSchedule",
        request);
    INFO(made.status().ToString());
    REQUIRE(made.ok());
    return made->schedule().schedule_code();
  }

  Stack& stack_;
};

TEST_CASE("schedules are listed by every filter, whatever the order") {
  const Schedules schedules(Stack::Shared());
  const auto listed =
      [&](const std::function<void(ListSchedulesRequest&)>& filter) {
        return schedules.Listed(filter);
      };
  using Codes = std::set<int64_t>;
  const Codes all = {schedules.day, schedules.night, schedules.both};
  for (int by = ListSchedulesOrder_MIN; by <= ListSchedulesOrder_MAX; ++by) {
    INFO(by);
    CHECK(listed([by](auto& list) {
            list.set_order_by(static_cast<ListSchedulesOrder>(by));
          }) == all);
  }
  CHECK(listed([&](auto& list) {
          list.set_order_code("NO-" + schedules.order_code);
        }).empty());
  CHECK(listed([](auto& list) { *list.mutable_date() = Schedules::On(10); }) ==
        Codes{schedules.night});
  CHECK(listed([](auto& list) {
          *list.mutable_first_date() = Schedules::On(10);
        }) == Codes{schedules.night, schedules.both});
  CHECK(listed([](auto& list) {
          *list.mutable_last_date() = Schedules::On(10);
        }) == Codes{schedules.day, schedules.night});
  CHECK(listed([](auto& list) {
          *list.mutable_first_date() = Schedules::On(10);
          *list.mutable_last_date() = Schedules::On(10);
        }) == Codes{schedules.night});
  CHECK(listed([](auto& list) { list.add_shifts(SHIFT_DAY); }) ==
        Codes{schedules.day});
  CHECK(listed([](auto& list) {
          list.add_shifts(SHIFT_NIGHT);
          list.add_shifts(SHIFT_NIGHT_AND_DAY);
        }) == Codes{schedules.night, schedules.both});
  CHECK(listed([](auto& list) { list.set_section("LINE 4"); }) ==
        Codes{schedules.day});
  CHECK(listed([](auto& list) { list.set_completed(true); }) ==
        Codes{schedules.night});
  CHECK(listed([](auto& list) { list.set_completed(false); }) ==
        Codes{schedules.day, schedules.both});
  CHECK(listed([](auto& list) { list.set_search("line"); }) ==
        Codes{schedules.day, schedules.night});
  CHECK(listed([&](auto& list) {
          list.set_search(absl::AsciiStrToLower(schedules.order_code));
        }) == all);
}

TEST_CASE(
    "the history of an order's shipments has every step, once, in order") {
  const Order order(Stack::Shared());
  ListShipmentEventsRequest list;
  list.set_order_code(order.story.order_code);
  list.set_page_size(1);
  std::vector<std::string> steps;
  do {
    const auto page = order.story.stack().Call<ListShipmentEventsResponse>(
        ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ShipmentService/ListShipmentEvents", list);
    REQUIRE(page.ok());
    for (const ShipmentEvent& event : page->events()) {
      CHECK(event.actor().username() != "");
      if (KeyText(event.key().request_code(), event.key().shipment_code()) ==
          order.accepted) {
        steps.push_back(ShipmentStatus_Name(event.status())
                            .substr(sizeof "SHIPMENT_STATUS"));
      }
    }
    list.set_page_token(page->next_page_token());
  } while (!list.page_token().empty());
  CHECK(steps == std::vector<std::string>{"ORDER_REQUESTED", "ORDER_READY",
                                          "SHIPMENT_DISPATCHED",
                                          "SHIPMENT_ACCEPTED"});
}

TEST_CASE(
    "a schedule shows the accepted shipments of its order, and no others") {
  const Order order(Stack::Shared());
  ListSchedulesRequest list;
  list.set_order_code(order.story.order_code);
  list.set_with_shipments(true);
  const auto listed = order.story.stack().Call<ListSchedulesResponse>(
      ROLE_GRANDPASS_OFFICER, "mtp.order.v1.ScheduleService/ListSchedules",
      list);
  REQUIRE(listed.ok());
  REQUIRE(listed->schedules_size() == 1);
  const Schedule& schedule = listed->schedules(0);
  REQUIRE(schedule.feeding_shipments_size() == 1);
  CHECK(KeyText(schedule.feeding_shipments(0).key().request_code(),
                schedule.feeding_shipments(0).key().shipment_code()) ==
        order.accepted);
  CHECK(schedule.parcel_grams() > 0);
}

TEST_CASE("an acceptance keeps every kind of difference, and says so") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoUntil("mtp.order.v1.ShipmentService/AcceptShipment");
  REQUIRE(Eventually([&] {
    return story.AtGrandpass().status() == SHIPMENT_STATUS_SHIPMENT_DISPATCHED;
  }));
  AcceptShipmentRequest accept;
  *accept.mutable_key() = story.shipment;
  accept.set_shipment_remarks("rain on the way");
  AcceptanceDifferences& told = *accept.mutable_differences();
  told.set_received_grams(Story::kOrderedGrams - 1'500);
  told.add_missing_barcodes(story.blend_bags[0]);
  told.add_damaged_barcodes("blendsheet:" + story.blend_bags[1]);
  told.add_damaged_barcodes(story.blend_bags[2]);
  told.add_sent_back_barcodes(story.blend_bags[3]);
  const auto accepted = stack.Call<AcceptShipmentResponse>(
      ROLE_GRANDPASS_GATEPASS, "mtp.order.v1.ShipmentService/AcceptShipment",
      accept);
  INFO(accepted.status().ToString());
  REQUIRE(accepted.ok());
  const Shipment shown = story.AtGrandpass();
  CHECK(shown.status() == SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  const AcceptanceDifferences& kept = shown.acceptance().differences();
  CHECK(kept.received_grams() == Story::kOrderedGrams - 1'500);
  REQUIRE(kept.missing_barcodes_size() == 1);
  CHECK(kept.missing_barcodes(0) == story.blend_bags[0]);
  CHECK(std::set<std::string>(kept.damaged_barcodes().begin(),
                              kept.damaged_barcodes().end()) ==
        std::set<std::string>{story.blend_bags[1], story.blend_bags[2]});
  REQUIRE(kept.sent_back_barcodes_size() == 1);
  CHECK(kept.sent_back_barcodes(0) == story.blend_bags[3]);
  REQUIRE(shown.open_exceptions_size() == 1);
  CHECK(shown.open_exceptions(0).kind() == "ACCEPTED_WITH_DIFFERENCES");
  ListShipmentsRequest list;
  list.set_order_code(story.order_code);
  list.set_only_exceptions(true);
  CHECK(stack
            .Call<ListShipmentsResponse>(
                ROLE_GRANDPASS_OFFICER,
                "mtp.order.v1.ShipmentService/ListShipments", list)
            ->shipments_size() == 1);
  RequireAgreement(stack);
}

}  // namespace
}  // namespace mtp::tests
