#pragma once

#include "order_service/rows.h"

// Schedules: what a section fills in a shift.
namespace mtp::order {

void AddSchedules(Commands& commands, Queries& queries);

// The decisions, for AddSchedules and for tests.
absl::StatusOr<v1::CreateScheduleResponse> DecideCreateSchedule(
    const v1::CreateScheduleRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::UpdateScheduleResponse> DecideUpdateSchedule(
    const v1::UpdateScheduleRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::CompleteScheduleResponse> DecideCompleteSchedule(
    const v1::CompleteScheduleRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::ReopenScheduleResponse> DecideReopenSchedule(
    const v1::ReopenScheduleRequest& request, Context& context, Rows& rows);

}  // namespace mtp::order
