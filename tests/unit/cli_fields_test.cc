#include <string>

#include "catch2/catch.hpp"
#include "cli/fields.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

TEST_CASE("a field takes what a person writes, by its type") {
  order::v1::CreateScheduleRequest schedule;
  REQUIRE(SetField(schedule, "schedule.date", "2026-11-08").ok());
  REQUIRE(SetField(schedule, "schedule.shift", "night-and-day").ok());
  REQUIRE(SetField(schedule, "schedule.quantity_grams", "62.5kg").ok());
  REQUIRE(SetField(schedule, "schedule.section", "Line 3").ok());
  CHECK(DateText(schedule.schedule().date()) == "2026-11-08");
  CHECK(schedule.schedule().shift() == common::v1::SHIFT_NIGHT_AND_DAY);
  CHECK(schedule.schedule().quantity_grams() == 62'500);

  order::v1::ListShipmentsRequest list;
  REQUIRE(SetField(list, "statuses", "ORDER_READY").ok());
  REQUIRE(SetField(list, "statuses", "shipment_status_order_requested").ok());
  REQUIRE(SetField(list, "special", "no").ok());
  REQUIRE(SetField(list, "created_from", "2026-11-08T10:00:00+05:30").ok());
  CHECK(list.statuses_size() == 2);
  CHECK(list.has_special());
  CHECK(TimeText(list.created_from()) == "2026-11-08 04:30:00");

  order::v1::GetShipmentRequest get;
  REQUIRE(SetField(get, "key", "17/1").ok());
  CHECK(KeyText(get.key()) == "17/1");
}

TEST_CASE("what a field cannot mean is refused in words") {
  order::v1::CreateScheduleRequest schedule;
  for (const auto& [path, text] : {std::pair{"schedule.date", "2026-02-30"},
                                   {"schedule.date", "8.11.2026"},
                                   {"schedule.shift", "EVENING"},
                                   {"schedule.quantity_grams", "500"},
                                   {"schedule.quantity_grams", "many"}}) {
    INFO(path << " " << text);
    const absl::Status status = SetField(schedule, path, text);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(status.message()).find(text) != std::string::npos);
  }
  for (const char* text : {"17", "17/", "/1", "0/1", "17/0", "a/b", "17/1/2"}) {
    INFO(text);
    CHECK_FALSE(ParseShipmentKey(text).ok());
  }
}

TEST_CASE("a path that is not there is no field") {
  const auto& type = *processing::v1::ReceiveBagRequest::descriptor();
  CHECK(FindField(type, "receipt.gross_grams") != nullptr);
  CHECK(FindField(type, "receipt.weight") == nullptr);
  CHECK(FindField(type, "request_id.x") == nullptr);
}

TEST_CASE("enums are shown without their prefix, unspecified as nothing") {
  CHECK(EnumText(common::v1::SHIPMENT_STATUS_ORDER_READY) == "ORDER_READY");
  CHECK(EnumText(common::v1::SHIPMENT_STATUS_UNSPECIFIED).empty());
  CHECK(EnumText(static_cast<common::v1::ShipmentStatus>(99)) == "99");
}

}  // namespace
}  // namespace mtp::cli
