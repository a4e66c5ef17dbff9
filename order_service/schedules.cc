#include "order_service/schedules.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/handlers/paging.h"
#include "common/sync/outbox.h"
#include "order_service/editing.h"
#include "order_service/errors.h"
#include "order_service/filters.h"
#include "order_service/page_keys.h"

namespace mtp::order {
namespace {

using handlers::Actor;

std::string TellOf(const Schedule& schedule, Context& context) {
  return context.Tell(sync::kSchedule, schedule.KeyText(), schedule.version);
}

template <typename Request>
void WantSchedule(const Request& request, Rows& rows) {
  rows.schedules.Want(request.schedule_code());
}

absl::StatusOr<const Schedule*> FindSchedule(int64_t schedule_code,
                                             const Rows& rows) {
  const Schedule* schedule = rows.schedules.Find(schedule_code);
  if (schedule == nullptr) {
    return errors::ScheduleNotFound(std::to_string(schedule_code));
  }
  return schedule;
}

// --- CreateSchedule, BatchCreateSchedules

const Schedule& Make(const v1::NewSchedule& asked, Context& context,
                     Rows& rows) {
  const Actor actor = Actor::Of(context.caller());
  const Schedule& made = rows.schedules.Insert(
      {.schedule_code = rows.schedule_codes.Take(),
       .schedule_date = FromProto(asked.date()).value_or(absl::CivilDay()),
       .order_code = asked.order_code(),
       .shift = asked.shift(),
       .section = asked.section(),
       .quantity_grams = asked.quantity_grams(),
       .changed_at = context.now(),
       .created_by = actor.subject,
       .created_by_username = actor.username,
       .created_by_role = actor.role,
       .created_at = context.now()});
  context.Audit("schedule", made.KeyText(), "created",
                {{"date", absl::FormatCivilTime(made.schedule_date)},
                 {"order_code", made.order_code},
                 {"shift", std::string(db::EnumText(made.shift))},
                 {"section", made.section},
                 {"quantity_grams", made.quantity_grams}});
  return made;
}

void TouchCreateSchedule(const v1::CreateScheduleRequest&, Rows& rows) {
  rows.schedule_codes.Want();
}

void TouchBatchCreateSchedules(const v1::BatchCreateSchedulesRequest& request,
                               Rows& rows) {
  rows.schedule_codes.Want(request.schedules_size());
}

// Every schedule that the contract's field rules let through can be made.
absl::StatusOr<v1::BatchCreateSchedulesResponse> DecideBatchCreateSchedules(
    const v1::BatchCreateSchedulesRequest& request, Context& context,
    Rows& rows) {
  v1::BatchCreateSchedulesResponse response;
  std::vector<std::string> tokens;
  for (const v1::NewSchedule& asked : request.schedules()) {
    const Schedule& made = Make(asked, context, rows);
    *response.add_results()->mutable_schedule() = made.Shown();
    tokens.push_back(TellOf(made, context));
  }
  response.set_sync_token(sync::JoinSyncTokens(tokens));
  return response;
}

// --- UpdateSchedule

// What is to be changed must have a value that a new schedule could have.
absl::Status CheckFields(const v1::ScheduleChange& change,
                         const std::vector<std::string>& fields) {
  std::vector<errors::FieldViolation> violations;
  for (const std::string& field : fields) {
    const bool given = field == "date" ? change.has_date()
                       : field == "shift"
                           ? change.shift() != common::v1::SHIFT_UNSPECIFIED
                       : field == "section" ? !change.section().empty()
                                            : change.quantity_grams() > 0;
    if (!given) violations.push_back({"schedule." + field, "is required"});
  }
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidFields(violations);
}

void Set(Schedule& schedule, const v1::ScheduleChange& change,
         const std::string& field, sync::Change& audited) {
  if (field == "date") {
    schedule.schedule_date =
        FromProto(change.date()).value_or(schedule.schedule_date);
    audited.emplace_back("date", absl::FormatCivilTime(schedule.schedule_date));
  } else if (field == "shift") {
    schedule.shift = change.shift();
    audited.emplace_back("shift", std::string(db::EnumText(schedule.shift)));
  } else if (field == "section") {
    schedule.section = change.section();
    audited.emplace_back("section", schedule.section);
  } else {
    schedule.quantity_grams = change.quantity_grams();
    audited.emplace_back("quantity_grams", schedule.quantity_grams);
  }
}

// --- GetSchedule, ListSchedules

// How many accepted shipments a schedule shows; the contract's number.
constexpr std::string_view kFeeding = R"(
  SELECT fed.order_code, s.request_code, s.shipment_code, s.product_name, s.item_code,
         s.dispatched_bags, s.dispatched_grams,
         coalesce(s.received_grams, s.dispatched_grams), s.accepted_at
  FROM fed CROSS JOIN LATERAL (
    SELECT * FROM shipment
    WHERE shipment.order_code = fed.order_code AND shipment.accepted
    ORDER BY accepted_at DESC, request_code DESC, shipment_code DESC
    LIMIT 100) AS s
  ORDER BY fed.order_code, s.accepted_at DESC, s.request_code DESC, s.shipment_code DESC
)";

const db::Statement kGet = SelectSchedules(
    {"FROM schedule WHERE schedule.schedule_code = $1::bigint"});
const db::Statement kGetFeeding =
    db::Compose({"WITH fed AS (SELECT order_code FROM schedule WHERE "
                 "schedule_code = $1::bigint)",
                 kFeeding});

// A page begins behind a schedule's code ($10, NULL on the first page), date,
// shift, section and order code. Each order names all of them, for a parameter
// must have a type.
constexpr std::string_view kFiltered = R"(
  FROM schedule
  WHERE ($1::date IS NULL OR schedule_date = $1::date)
    AND ($2::date IS NULL OR schedule_date >= $2::date)
    AND ($3::date IS NULL OR schedule_date <= $3::date)
    AND ($4::text = '' OR order_code = $4::text)
    AND (cardinality($5::text[]) = 0 OR shift = ANY ($5::text[]))
    AND ($6::text = '' OR lower(section) = lower($6::text))
    AND ($7::boolean IS NULL OR completed = $7::boolean)
    AND ($8::text = '' OR strpos(lower(concat_ws(E'\x1f', order_code, section)),
                                 lower($8::text)) > 0)
    AND ($10::bigint IS NULL OR
)";
constexpr std::string_view kByDateDescending = R"(
    schedule_date < $11::date
    OR schedule_date = $11::date
      AND (shift, section, schedule_code) > ($12::text, $13::text, $10::bigint)
      AND $14::text IS NOT NULL)
  ORDER BY schedule_date DESC, shift, section, schedule_code LIMIT $9::bigint
)";
constexpr std::string_view kByDate = R"(
    (schedule_date, shift, section, schedule_code)
      > ($11::date, $12::text, $13::text, $10::bigint) AND $14::text IS NOT NULL)
  ORDER BY schedule_date, shift, section, schedule_code LIMIT $9::bigint
)";
constexpr std::string_view kByCode = R"(
    schedule_code > $10::bigint
      AND ($11::date, $12::text, $13::text, $14::text) IS NOT NULL)
  ORDER BY schedule_code LIMIT $9::bigint
)";
constexpr std::string_view kByOrder = R"(
    order_code > $14::text
    OR order_code = $14::text AND (
      schedule_date < $11::date
      OR schedule_date = $11::date
        AND (shift, section, schedule_code) > ($12::text, $13::text, $10::bigint)))
  ORDER BY order_code, schedule_date DESC, shift, section, schedule_code LIMIT $9::bigint
)";
constexpr size_t kPageKeys = 5;

// One order of the list: its schedules, and what can feed those.
struct List {
  explicit List(std::string_view order)
      : schedules(SelectSchedules({kFiltered, order})),
        feeding(db::Compose(
            {"WITH page AS (SELECT order_code", kFiltered, order,
             "), fed AS (SELECT DISTINCT order_code FROM page)", kFeeding})) {}
  db::Statement schedules;
  db::Statement feeding;
};
const List kListByDateDescending(kByDateDescending);
const List kListByDate(kByDate);
const List kListByCode(kByCode);
const List kListByOrder(kByOrder);

const List& ListIn(v1::ListSchedulesOrder order) {
  switch (order) {
    case v1::LIST_SCHEDULES_ORDER_DATE:
      return kListByDate;
    case v1::LIST_SCHEDULES_ORDER_SCHEDULE_CODE:
      return kListByCode;
    case v1::LIST_SCHEDULES_ORDER_ORDER_CODE:
      return kListByOrder;
    default:
      return kListByDateDescending;
  }
}

using Feeding = std::map<std::string, std::vector<v1::FeedingShipment>>;

Feeding ReadFeeding(const db::Result& result) {
  Feeding by_order;
  for (const db::Row row : result) {
    std::string order_code, product_name, item_code;
    db::ShipmentKey key;
    int64_t bags = 0, dispatched_grams = 0, received_grams = 0;
    absl::Time accepted_at;
    row.Into(order_code, key.request_code, key.shipment_code, product_name,
             item_code, bags, dispatched_grams, received_grams, accepted_at);
    v1::FeedingShipment& shipment = by_order[order_code].emplace_back();
    key.To(shipment.mutable_key());
    shipment.set_product_name(product_name);
    shipment.set_item_code(item_code);
    shipment.set_bag_count(bags);
    shipment.set_dispatched_grams(dispatched_grams);
    shipment.set_received_grams(received_grams);
    *shipment.mutable_accepted_at() = ToProto(accepted_at);
  }
  return by_order;
}

void ShowFeeding(const Feeding& feeding, v1::Schedule& schedule) {
  const auto found = feeding.find(schedule.order_code());
  if (found == feeding.end()) return;
  for (const v1::FeedingShipment& shipment : found->second) {
    *schedule.add_feeding_shipments() = shipment;
  }
}

absl::Status AskSchedule(const v1::GetScheduleRequest& request,
                         db::Exchange& exchange) {
  exchange.Add(kGet, db::Params().Add(request.schedule_code()));
  exchange.Add(kGetFeeding, db::Params().Add(request.schedule_code()));
  return absl::OkStatus();
}

absl::StatusOr<v1::GetScheduleResponse> AnswerSchedule(
    const v1::GetScheduleRequest& request, const db::Results& results) {
  if (results[0].empty()) {
    return errors::ScheduleNotFound(std::to_string(request.schedule_code()));
  }
  v1::GetScheduleResponse response;
  *response.mutable_schedule() = ReadSchedule(results[0][0]).Shown();
  ShowFeeding(ReadFeeding(results[1]), *response.mutable_schedule());
  return response;
}

std::optional<absl::CivilDay> DayOrNothing(bool has,
                                           const common::v1::Date& date) {
  return has ? FromProto(date) : std::nullopt;
}

// The keys of a page: schedule code, date, shift, section, order code.
absl::Status AddPageKeys(const v1::ListSchedulesRequest& request,
                         db::Params& params) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, kPageKeys));
  if (keys.empty()) {
    params.Add(std::optional<int64_t>())
        .Add(std::optional<absl::CivilDay>())
        .Add(std::string())
        .Add(std::string())
        .Add(std::string());
    return absl::OkStatus();
  }
  int64_t schedule_code = 0;
  absl::CivilDay date;
  RETURN_IF_ERROR(ReadPageKey(keys[0], schedule_code));
  RETURN_IF_ERROR(ReadPageKey(keys[1], date));
  params.Add(schedule_code).Add(date).Add(keys[2]).Add(keys[3]).Add(keys[4]);
  return absl::OkStatus();
}

std::string PageTokenAfter(const v1::ListSchedulesRequest& request,
                           const Schedule& last) {
  return handlers::NextPageToken(
      request,
      {PageKey(last.schedule_code), PageKey(last.schedule_date),
       std::string(db::EnumText(last.shift)), last.section, last.order_code});
}

absl::Status AskSchedules(const v1::ListSchedulesRequest& request,
                          db::Exchange& exchange) {
  const std::vector<std::string> shifts =
      EnumTexts<common::v1::Shift>(request.shifts());
  const auto bind = [&](int64_t limit) -> absl::StatusOr<db::Params> {
    db::Params params;
    params.Add(DayOrNothing(request.has_date(), request.date()))
        .Add(DayOrNothing(request.has_first_date(), request.first_date()))
        .Add(DayOrNothing(request.has_last_date(), request.last_date()))
        .Add(request.order_code())
        .Array(shifts)
        .Add(request.section())
        .Add(request.has_completed() ? std::optional(request.completed())
                                     : std::nullopt)
        .Add(request.search())
        .Add(limit);
    RETURN_IF_ERROR(AddPageKeys(request, params));
    return params;
  };
  const int64_t page_size = handlers::PageSize(request.page_size());
  const List& list = ListIn(request.order_by());
  ASSIGN_OR_RETURN(db::Params params, bind(page_size + 1));
  exchange.Add(list.schedules, std::move(params));
  if (request.with_shipments()) {
    ASSIGN_OR_RETURN(db::Params feeding_params, bind(page_size));
    exchange.Add(list.feeding, std::move(feeding_params));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListSchedulesResponse> AnswerSchedules(
    const v1::ListSchedulesRequest& request, const db::Results& results) {
  const Feeding feeding =
      request.with_shipments() ? ReadFeeding(results[1]) : Feeding();
  const int64_t page_size = handlers::PageSize(request.page_size());
  v1::ListSchedulesResponse response;
  Schedule last;
  for (const db::Row row : results[0]) {
    if (response.schedules_size() == page_size) {
      response.set_next_page_token(PageTokenAfter(request, last));
      break;
    }
    last = ReadSchedule(row);
    v1::Schedule& schedule = *response.add_schedules();
    schedule = last.Shown();
    ShowFeeding(feeding, schedule);
  }
  return response;
}

}  // namespace

absl::StatusOr<v1::CreateScheduleResponse> DecideCreateSchedule(
    const v1::CreateScheduleRequest& request, Context& context, Rows& rows) {
  const Schedule& made = Make(request.schedule(), context, rows);
  v1::CreateScheduleResponse response;
  *response.mutable_schedule() = made.Shown();
  response.set_sync_token(TellOf(made, context));
  return response;
}

absl::StatusOr<v1::UpdateScheduleResponse> DecideUpdateSchedule(
    const v1::UpdateScheduleRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const std::vector<std::string> fields,
                   FieldsToChange(request.update_mask(), request.schedule()));
  RETURN_IF_ERROR(CheckFields(request.schedule(), fields));
  ASSIGN_OR_RETURN(const Schedule* found,
                   FindSchedule(request.schedule_code(), rows));
  if (!request.etag().empty() && request.etag() != found->etag()) {
    return errors::EtagMismatch("schedule", found->KeyText());
  }
  if (found->completed) return errors::ScheduleCompleted(*found);

  Schedule& schedule = rows.schedules.Edit(*found);
  sync::Change audited;
  for (const std::string& field : fields) {
    Set(schedule, request.schedule(), field, audited);
  }
  schedule.Changed(context.now());
  context.Audit("schedule", schedule.KeyText(), "updated", audited);
  v1::UpdateScheduleResponse response;
  *response.mutable_schedule() = schedule.Shown();
  response.set_sync_token(TellOf(schedule, context));
  return response;
}

absl::StatusOr<v1::CompleteScheduleResponse> DecideCompleteSchedule(
    const v1::CompleteScheduleRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Schedule* found,
                   FindSchedule(request.schedule_code(), rows));
  if (found->completed) return errors::ScheduleCompleted(*found);

  Schedule& schedule = rows.schedules.Edit(*found);
  const Actor actor = Actor::Of(context.caller());
  schedule.completed = true;
  schedule.completed_at = context.OccurredAt(request);
  schedule.completed_by = actor.subject;
  schedule.completed_by_username = actor.username;
  schedule.completed_by_role = actor.role;
  schedule.Changed(context.now());
  context.AuditAt(*schedule.completed_at, "schedule", schedule.KeyText(),
                  "completed",
                  {{"parcel_count", schedule.parcel_count},
                   {"parcel_grams", schedule.parcel_grams}});
  v1::CompleteScheduleResponse response;
  *response.mutable_schedule() = schedule.Shown();
  if (!Planted("schedule-not-marked"))
    response.set_sync_token(TellOf(schedule, context));
  return response;
}

absl::StatusOr<v1::ReopenScheduleResponse> DecideReopenSchedule(
    const v1::ReopenScheduleRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Schedule* found,
                   FindSchedule(request.schedule_code(), rows));
  if (!found->completed) return errors::ScheduleNotCompleted(*found);

  Schedule& schedule = rows.schedules.Edit(*found);
  schedule.completed = false;
  schedule.completed_at.reset();
  schedule.completed_by.clear();
  schedule.completed_by_username.clear();
  schedule.completed_by_role = options::v1::ROLE_UNSPECIFIED;
  schedule.Changed(context.now());
  context.Audit("schedule", schedule.KeyText(), "reopened",
                {{"reason", request.reason()}});
  v1::ReopenScheduleResponse response;
  *response.mutable_schedule() = schedule.Shown();
  response.set_sync_token(TellOf(schedule, context));
  return response;
}

void AddSchedules(Commands& commands, Queries& queries) {
  commands.Add("mtp.order.v1.ScheduleService/CreateSchedule",
               TouchCreateSchedule, DecideCreateSchedule);
  commands.Add("mtp.order.v1.ScheduleService/BatchCreateSchedules",
               TouchBatchCreateSchedules, DecideBatchCreateSchedules);
  commands.Add("mtp.order.v1.ScheduleService/UpdateSchedule",
               WantSchedule<v1::UpdateScheduleRequest>, DecideUpdateSchedule);
  commands.Add("mtp.order.v1.ScheduleService/CompleteSchedule",
               WantSchedule<v1::CompleteScheduleRequest>,
               DecideCompleteSchedule);
  commands.Add("mtp.order.v1.ScheduleService/ReopenSchedule",
               WantSchedule<v1::ReopenScheduleRequest>, DecideReopenSchedule);
  queries.Add("mtp.order.v1.ScheduleService/GetSchedule", AskSchedule,
              AnswerSchedule);
  queries.Add("mtp.order.v1.ScheduleService/ListSchedules", AskSchedules,
              AnswerSchedules);
}

}  // namespace mtp::order
