#include "order_service/schedules.h"

#include <catch2/catch.hpp>

#include "common/base/errors.h"
#include "order_service/sync.h"
#include "tests/unit/order_desk.h"

namespace mtp::tests {
namespace {

constexpr int64_t kCode = 5;

const order::Schedule& AddSchedule(OrderDesk& desk) {
  const order::Schedule& schedule =
      desk.rows().schedules.Insert({.schedule_code = kCode,
                                    .order_code = OrderDesk::kOrderCode,
                                    .shift = common::v1::SHIFT_DAY,
                                    .section = "Line A",
                                    .quantity_grams = 1000});
  desk.rows().Keep();
  return schedule;
}

absl::Status Complete(OrderDesk& desk) {
  order::v1::CompleteScheduleRequest request;
  request.set_schedule_code(kCode);
  return desk.Do(order::DecideCompleteSchedule, request).status();
}

absl::Status Reopen(OrderDesk& desk) {
  order::v1::ReopenScheduleRequest request;
  request.set_schedule_code(kCode);
  return desk.Do(order::DecideReopenSchedule, request).status();
}

sync::v1::VerdictCode Hear(OrderDesk& desk, int64_t version,
                           int64_t parcel_count, absl::Time changed_at) {
  sync::v1::ApplyScheduleProgressRequest request;
  request.mutable_sender()->set_epoch(1);
  auto* state = request.add_states();
  state->mutable_stamp()->set_epoch(1);
  state->mutable_stamp()->set_version(version);
  *state->mutable_stamp()->mutable_changed_at() = ToProto(changed_at);
  state->set_schedule_code(kCode);
  state->set_parcel_count(parcel_count);
  state->set_parcel_grams(parcel_count * 100);
  const auto response = desk.Do(order::DecideApplyScheduleProgress, request);
  return response.ok() ? response->verdicts(0).code()
                       : sync::v1::VERDICT_CODE_UNSPECIFIED;
}

}  // namespace

TEST_CASE("a schedule is completed once, until it is reopened") {
  OrderDesk desk;
  const order::Schedule& schedule = AddSchedule(desk);
  CHECK(errors::Reason(Reopen(desk)) == "SCHEDULE_NOT_COMPLETED");
  REQUIRE(Complete(desk).ok());
  CHECK(schedule.version == 2);
  REQUIRE(desk.marks().size() == 1);
  CHECK(desk.marks()[0].version == 2);
  CHECK(errors::Reason(Complete(desk)) == "SCHEDULE_COMPLETED");
  REQUIRE(Reopen(desk).ok());
  CHECK(schedule.version == 3);
  CHECK_FALSE(schedule.completed_at.has_value());
  CHECK(Complete(desk).ok());
}

TEST_CASE(
    "an update changes what its mask names, and nothing of a completed "
    "schedule") {
  OrderDesk desk;
  const order::Schedule& schedule = AddSchedule(desk);
  order::v1::UpdateScheduleRequest request;
  request.set_schedule_code(kCode);
  request.mutable_schedule()->set_section("Line B");
  request.mutable_schedule()->set_quantity_grams(77);
  request.mutable_update_mask()->add_paths("section");
  REQUIRE(desk.Do(order::DecideUpdateSchedule, request).ok());
  CHECK(schedule.section == "Line B");
  CHECK(schedule.quantity_grams == 1000);

  request.set_etag("1");
  CHECK(
      errors::Reason(desk.Do(order::DecideUpdateSchedule, request).status()) ==
      "ETAG_MISMATCH");
  request.clear_etag();
  request.mutable_update_mask()->add_paths("order_code");
  CHECK(
      errors::Reason(desk.Do(order::DecideUpdateSchedule, request).status()) ==
      "UPDATE_MASK_INVALID");
  request.clear_update_mask();
  CHECK(
      errors::Reason(desk.Do(order::DecideUpdateSchedule, request).status()) ==
      "INVALID_FIELDS");
  REQUIRE(Complete(desk).ok());
  request.mutable_update_mask()->add_paths("section");
  CHECK(
      errors::Reason(desk.Do(order::DecideUpdateSchedule, request).status()) ==
      "SCHEDULE_COMPLETED");
}

TEST_CASE(
    "parcel totals are Seeduwa's latest word, whatever order it comes in") {
  OrderDesk desk;
  const order::Schedule& schedule = AddSchedule(desk);
  const absl::Time time = OrderDesk::kWordTime;
  CHECK(Hear(desk, 3, 3, time) == sync::v1::VERDICT_CODE_APPLIED);
  CHECK(Hear(desk, 3, 3, time) == sync::v1::VERDICT_CODE_STALE);
  CHECK(Hear(desk, 2, 9, time) == sync::v1::VERDICT_CODE_STALE);
  CHECK(schedule.parcel_count == 3);
  CHECK(schedule.version == 1);
  CHECK(desk.marks().empty());
}

TEST_CASE(
    "parcels that were made after the completion are an exception, earlier "
    "ones heard late are not") {
  OrderDesk desk;
  const order::Schedule& schedule = AddSchedule(desk);
  REQUIRE(Complete(desk).ok());
  Hear(desk, 1, 3, *schedule.completed_at - absl::Seconds(1));
  CHECK(desk.OpenExceptions().empty());
  Hear(desk, 2, 4, *schedule.completed_at + absl::Seconds(1));
  CHECK(schedule.parcel_count == 4);
  CHECK(desk.OpenExceptions() ==
        std::vector<std::string>{"PARCELS_AFTER_COMPLETION"});
}

}  // namespace mtp::tests
