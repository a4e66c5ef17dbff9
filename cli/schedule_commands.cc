#include "cli/commands.h"
#include "cli/order_views.h"
#include "cli/verb.h"
#include "mtp/order/v1/schedules.pb.h"

namespace mtp::cli {

using namespace order::v1;  // NOLINT: this file's whole subject

void AddScheduleCommands(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "schedule", "What a section fills in a shift");

  Verb<CreateScheduleRequest, CreateScheduleResponse>(group, session, "create",
                                                      "Makes a schedule")
      .Argument("ORDER", "schedule.order_code", "Order code")
      .Argument("WEIGHT", "schedule.quantity_grams", "As 500kg")
      .Needed("--date", "schedule.date", "The day, in the plant's time zone")
      .Needed("--shift", "schedule.shift", "The shift")
      .Needed("--section", "schedule.section", "The part of the plant")
      .Shows([](const auto& response) {
        return ScheduleText(response.schedule());
      });

  Verb<ListSchedulesRequest, ListSchedulesResponse>(
      group, session, "list", "Lists schedules with the parcels made")
      .Option("--date", "date", "Only of this day")
      .Option("--from", "first_date", "From this day")
      .Option("--to", "last_date", "To this day, included")
      .Option("--order", "order_code", "Only of this order code")
      .Option("--shift", "shifts", "Only of this shift")
      .Option("--section", "section", "Only of this section")
      .Option("--completed", "completed", "Only completed ones, or only others")
      .Shows([](const auto& response) {
        return SchedulesText(response.schedules());
      });

  Verb<GetScheduleRequest, GetScheduleResponse>(
      group, session, "show", "One schedule and what can feed it")
      .Argument("SCHEDULE", "schedule_code", "Its code")
      .Shows([](const auto& response) {
        return ScheduleText(response.schedule());
      });

  Verb<CompleteScheduleRequest, CompleteScheduleResponse>(
      group, session, "complete", "Says that a schedule is done")
      .Argument("SCHEDULE", "schedule_code", "Its code")
      .Shows([](const auto& response) {
        return ScheduleText(response.schedule());
      });

  Verb<ReopenScheduleRequest, ReopenScheduleResponse>(
      group, session, "reopen", "Opens a completed schedule again")
      .Argument("SCHEDULE", "schedule_code", "Its code")
      .Option("--reason", "reason", "Why")
      .Shows([](const auto& response) {
        return ScheduleText(response.schedule());
      });
}

}  // namespace mtp::cli
