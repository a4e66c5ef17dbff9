#include "order_service/plans.h"

#include "absl/strings/numbers.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "order_service/errors.h"
#include "order_service/page_keys.h"
#include "order_service/plan_imports.h"

namespace mtp::order {
namespace {

// --- DeletePlan

void TouchDeletePlan(const v1::DeletePlanRequest& request, Rows& rows) {
  rows.plans.Want(request.order_code());
  rows.plan_uses.Want(request.order_code());
}

absl::StatusOr<v1::DeletePlanResponse> DecideDeletePlan(
    const v1::DeletePlanRequest& request, Context& context, Rows& rows) {
  const Plan* plan = rows.plans.Find(request.order_code());
  if (plan == nullptr) return errors::PlanNotFound(request.order_code());
  if (!request.etag().empty() && request.etag() != plan->etag()) {
    return errors::EtagMismatch("plan", plan->order_code);
  }
  if (const PlanUse* use = rows.plan_uses.Find(plan->order_code);
      use != nullptr) {
    return errors::PlanHasRequests(plan->order_code, use->request_count);
  }
  rows.plan_removals.Remove(plan->order_code);
  context.Audit("plan", plan->order_code, "deleted",
                {{"item_code", plan->item_code},
                 {"product_name", plan->product_name},
                 {"requirement_grams", plan->requirement_grams},
                 {"plan_start", absl::FormatCivilTime(plan->plan_start)},
                 {"plan_end", absl::FormatCivilTime(plan->plan_end)},
                 {"import_id", plan->import_id.ToString()}});
  v1::DeletePlanResponse response;
  *response.mutable_plan() = plan->Shown();
  return response;
}

// --- GetPlan, ListPlans

// What a page of plans shows besides the plans themselves; $1 says whether the
// codes of their requests are wanted. A plan's first 1,000 are told.
constexpr std::string_view kWithUse = R"(
  SELECT page.order_code, page.item_code, page.product_name, page.requirement_grams,
    page.requested_grams, page.excess_grams, page.plan_start, page.plan_end,
    page.import_id, page.version, page.created_at, page.changed_at,
    used.request_count, used.special_grams,
    ARRAY(SELECT asked.request_code::text FROM order_request AS asked
          WHERE $1::boolean AND asked.order_code = page.order_code
          ORDER BY asked.request_code LIMIT 1000)
  FROM page
  CROSS JOIN LATERAL (
    SELECT count(DISTINCT asked.request_code) AS request_count,
      coalesce(sum(shipment.quantity_grams) FILTER (
        WHERE asked.special AND NOT shipment.cancelled
          AND shipment.approval <> 'DENIED'), 0)::bigint AS special_grams
    FROM order_request AS asked LEFT JOIN shipment USING (request_code)
    WHERE asked.order_code = page.order_code) AS used
)";

const db::Statement kGetPlan = db::Compose(
    {"WITH page AS (SELECT * FROM order_plan WHERE order_code = $2::text)",
     kWithUse});

constexpr std::string_view kPlanFilter = R"(
  WITH page AS (
    SELECT *, greatest(0, requirement_grams - requested_grams) AS allowed_grams
    FROM order_plan
    WHERE ($2::text = '' OR strpos(lower(order_code || E'\n' || item_code || E'\n'
                                         || product_name), lower($2)) > 0)
      AND ($3::text = '' OR item_code = $3)
      AND ($4::date IS NULL OR plan_end >= $4)
      AND ($5::date IS NULL OR plan_start < $5)
      AND (NOT $6::boolean OR requirement_grams > requested_grams)
      AND ($7::uuid IS NULL OR import_id = $7)
      AND )";

// Everything behind `after`, a condition on $9 (the first key) and $10 (the
// order code), in an order that both keys have.
db::Statement InOrder(std::string_view after, std::string_view order) {
  return db::Compose({kPlanFilter, after, " ORDER BY ", order,
                      " LIMIT $8::bigint)", kWithUse, " ORDER BY ", order});
}

const db::Statement kByOrderCode =
    InOrder("($9::text IS NULL OR order_code > $10::text)", "order_code");
const db::Statement kByStart =
    InOrder("($9::date IS NULL OR (plan_start, order_code) > ($9, $10::text))",
            "plan_start, order_code");
const db::Statement kByEnd =
    InOrder("($9::date IS NULL OR (plan_end, order_code) > ($9, $10::text))",
            "plan_end, order_code");
const db::Statement kByAllowed = InOrder(
    "($9::bigint IS NULL OR "
    "(greatest(0, requirement_grams - requested_grams), order_code) < ($9, "
    "$10::text))",
    "allowed_grams DESC, order_code DESC");
const db::Statement kByUpdated = InOrder(
    "($9::timestamptz IS NULL OR (changed_at, order_code) < ($9, $10::text))",
    "changed_at DESC, order_code DESC");

absl::Status AskGetPlan(const v1::GetPlanRequest& request,
                        db::Exchange& exchange) {
  exchange.Add(kGetPlan, db::Params().Add(true).Add(request.order_code()));
  return absl::OkStatus();
}

struct PlanOnPage {
  Plan plan;
  v1::Plan shown;
};

PlanOnPage ReadPlan(const db::Row& row) {
  PlanOnPage read;
  int64_t request_count = 0;
  int64_t special_grams = 0;
  std::vector<std::string> request_codes;
  std::apply(
      [&](auto... member) {
        row.Into(read.plan.*member..., request_count, special_grams,
                 request_codes);
      },
      Plan::kLoaded);
  read.shown = read.plan.Shown();
  read.shown.set_request_count(request_count);
  read.shown.set_special_grams(special_grams);
  for (const std::string& text : request_codes) {
    int64_t request_code = 0;
    if (absl::SimpleAtoi(text, &request_code))
      read.shown.add_request_codes(request_code);
  }
  return read;
}

absl::StatusOr<v1::GetPlanResponse> AnswerGetPlan(
    const v1::GetPlanRequest& request, const db::Results& results) {
  if (results[0].empty()) return errors::PlanNotFound(request.order_code());
  v1::GetPlanResponse response;
  *response.mutable_plan() = ReadPlan(results[0][0]).shown;
  return response;
}

absl::StatusOr<std::optional<absl::CivilDay>> DayIf(
    bool given, const common::v1::Date& date, std::string_view field) {
  if (!given) return std::optional<absl::CivilDay>();
  const std::optional<absl::CivilDay> day = FromProto(date);
  if (!day.has_value())
    return errors::InvalidField(field, "is no day of the calendar");
  return day;
}

// Adds the keys of the page before: the first as `T`, then the order code.
template <typename T>
absl::Status AddKeys(const std::vector<std::string>& keys, db::Params& params) {
  std::optional<T> first;
  std::optional<std::string> order_code;
  if (!keys.empty()) {
    RETURN_IF_ERROR(ReadPageKey(keys[0], first.emplace()));
    order_code = keys[1];
  }
  params.Add(first).Add(order_code);
  return absl::OkStatus();
}

absl::Status AskListPlans(const v1::ListPlansRequest& request,
                          db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 2));
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> running_from,
                   DayIf(request.has_running_from(), request.running_from(),
                         "running_from"));
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> running_before,
                   DayIf(request.has_running_before(), request.running_before(),
                         "running_before"));
  db::Params params = db::Params()
                          .Add(request.with_requests())
                          .Add(request.search())
                          .Add(request.item_code())
                          .Add(running_from)
                          .Add(running_before)
                          .Add(request.only_allowed())
                          .Add(Uuid::Parse(request.import_id()))
                          .Add(handlers::PageSize(request.page_size()) + 1);
  db::Statement statement = kByOrderCode;
  switch (request.order_by()) {
    case v1::LIST_PLANS_ORDER_PLAN_START:
      statement = kByStart;
      RETURN_IF_ERROR(AddKeys<absl::CivilDay>(keys, params));
      break;
    case v1::LIST_PLANS_ORDER_PLAN_END:
      statement = kByEnd;
      RETURN_IF_ERROR(AddKeys<absl::CivilDay>(keys, params));
      break;
    case v1::LIST_PLANS_ORDER_ALLOWED_DESCENDING:
      statement = kByAllowed;
      RETURN_IF_ERROR(AddKeys<int64_t>(keys, params));
      break;
    case v1::LIST_PLANS_ORDER_UPDATED_DESCENDING:
      statement = kByUpdated;
      RETURN_IF_ERROR(AddKeys<absl::Time>(keys, params));
      break;
    default: {
      std::optional<std::string> order_code;
      if (!keys.empty()) order_code = keys[1];
      params.Add(order_code).Add(order_code);
    }
  }
  exchange.Add(statement, std::move(params));
  return absl::OkStatus();
}

// The keys of a plan in the order that is asked for.
std::vector<std::string> KeysOf(const Plan& plan, v1::ListPlansOrder order) {
  switch (order) {
    case v1::LIST_PLANS_ORDER_PLAN_START:
      return {PageKey(plan.plan_start), plan.order_code};
    case v1::LIST_PLANS_ORDER_PLAN_END:
      return {PageKey(plan.plan_end), plan.order_code};
    case v1::LIST_PLANS_ORDER_ALLOWED_DESCENDING:
      return {PageKey(plan.AllowedGrams()), plan.order_code};
    case v1::LIST_PLANS_ORDER_UPDATED_DESCENDING:
      return {PageKey(plan.changed_at), plan.order_code};
    default:
      return {"", plan.order_code};
  }
}

absl::StatusOr<v1::ListPlansResponse> AnswerListPlans(
    const v1::ListPlansRequest& request, const db::Results& results) {
  v1::ListPlansResponse response;
  const int64_t page_size = handlers::PageSize(request.page_size());
  Plan last;
  for (const db::Row row : results[0]) {
    if (response.plans_size() == page_size) {
      response.set_next_page_token(
          handlers::NextPageToken(request, KeysOf(last, request.order_by())));
      break;
    }
    PlanOnPage read = ReadPlan(row);
    last = std::move(read.plan);
    *response.add_plans() = std::move(read.shown);
  }
  return response;
}

}  // namespace

void AddPlans(Commands& commands, Queries& queries) {
  AddPlanImports(commands, queries);
  commands.AddAlone("mtp.order.v1.PlanService/DeletePlan", TouchDeletePlan,
                    DecideDeletePlan);
  queries.Add("mtp.order.v1.PlanService/GetPlan", AskGetPlan, AnswerGetPlan);
  queries.Add("mtp.order.v1.PlanService/ListPlans", AskListPlans,
              AnswerListPlans);
}

}  // namespace mtp::order
