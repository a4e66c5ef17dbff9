#include "order_service/requests.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "common/sync/outbox.h"
#include "order_service/errors.h"
#include "order_service/filters.h"
#include "order_service/page_keys.h"

namespace mtp::order {
namespace {

// --- CreateRequest, BatchCreateRequests

// What is asked for, once it is clear that it can be.
struct Judged {
  const Plan* plan = nullptr;  // none: nothing is planned under the order code
  std::string product_name;
  std::string item_code;
  bool special = false;
};

// The plan says which product it is. Within what it allows a request is
// ordinary; beyond, or without a plan, a supervisor must be asked.
absl::StatusOr<Judged> JudgeRequest(const v1::NewRequest& asked,
                                    const Rows& rows) {
  Judged judged{.plan = rows.plans.Find(asked.order_code()),
                .product_name = asked.product_name(),
                .item_code = asked.item_code()};
  if (judged.plan == nullptr) {
    if (asked.product_name().empty() || asked.item_code().empty()) {
      return errors::ProductNeeded(asked.order_code());
    }
  } else {
    const Plan& plan = *judged.plan;
    if ((!asked.product_name().empty() &&
         asked.product_name() != plan.product_name) ||
        (!asked.item_code().empty() && asked.item_code() != plan.item_code)) {
      return errors::ProductDiffers(plan);
    }
    judged.product_name = plan.product_name;
    judged.item_code = plan.item_code;
  }
  const int64_t allowed_grams =
      judged.plan == nullptr ? 0 : judged.plan->AllowedGrams();
  judged.special = asked.requirement_grams() > allowed_grams;
  if (judged.special && !asked.approval_requested()) {
    return errors::NeedsApproval(asked.order_code(), asked.requirement_grams(),
                                 allowed_grams);
  }
  return judged;
}

struct Made {
  v1::OrderRequest shown;
  int64_t allowed_grams = 0;  // after it
  std::string sync_token;     // empty while approval is awaited
};

absl::StatusOr<Made> MakeRequest(const v1::NewRequest& asked, Context& context,
                                 Rows& rows) {
  ASSIGN_OR_RETURN(const Judged judged, JudgeRequest(asked, rows));
  Made made;
  if (judged.plan != nullptr) {
    if (!judged.special) {
      rows.plans.Edit(*judged.plan).requested_grams +=
          asked.requirement_grams();
    }
    made.allowed_grams = judged.plan->AllowedGrams();
  }
  const absl::Time occurred_at = context.OccurredAt(asked);
  const OrderRequest& request =
      rows.requests.Insert({.request_code = rows.request_codes.Take(),
                            .order_code = asked.order_code(),
                            .planned = judged.plan != nullptr,
                            .product_name = judged.product_name,
                            .item_code = judged.item_code,
                            .requirement_grams = asked.requirement_grams(),
                            .comments = asked.comments(),
                            .special = judged.special,
                            .created_by = context.caller().subject,
                            .created_by_username = context.caller().username,
                            .created_by_role = context.caller().role,
                            .created_at = context.now(),
                            .occurred_at = occurred_at});
  context.AuditAt(occurred_at, "request", std::to_string(request.request_code),
                  "created",
                  {{"order_code", request.order_code},
                   {"requirement_grams", request.requirement_grams},
                   {"special", request.special},
                   {"planned", request.planned}});
  const MadeShipment first =
      MakeShipment({.key = {request.request_code, 1},
                    .order_code = request.order_code,
                    .product_name = request.product_name,
                    .item_code = request.item_code,
                    .quantity_grams = request.requirement_grams,
                    .special = request.special,
                    .approval = request.special ? ApprovalState::kRequested
                                                : ApprovalState::kNone,
                    .cause = v1::SHIPMENT_EVENT_CAUSE_REQUESTED,
                    .said = {.actor = handlers::Actor::Of(context.caller()),
                             .occurred_at = occurred_at,
                             .remarks = request.comments}},
                   context, rows);
  made.shown = request.Shown();
  *made.shown.add_shipments() = first.shipment->Shown();
  made.sync_token = first.sync_token;
  return made;
}

// --- GetRequest, ListRequests

const db::Statement kGetRequest =
    db::Compose({OrderRequest::kSelect,
                 "FROM order_request WHERE request_code = $1::bigint"});
const db::Statement kShipmentsOfRequest = SelectShipments({R"(
  FROM shipment WHERE request_code = $1::bigint ORDER BY shipment_code
)"});
// The latest thousand, oldest first.
const db::Statement kEventsOfRequest = SelectShipmentEvents({R"(
  FROM (SELECT * FROM shipment_event WHERE request_code = $1::bigint
        ORDER BY event_number DESC LIMIT 1000) AS shipment_event
  ORDER BY shipment_event.event_number
)"});

constexpr std::string_view kRequestFilter = R"(
  FROM order_request
  WHERE ($1::text = '' OR strpos(lower(order_code || E'\n' || item_code || E'\n'
                                       || product_name || E'\n' || comments),
                                 lower($1)) > 0)
    AND ($2::text = '' OR order_code = $2)
    AND ($3::text = '' OR item_code = $3)
    AND ($4::text = '' OR product_name = $4)
    AND (cardinality($5::text[]) = 0 OR EXISTS (
      SELECT FROM shipment
      WHERE shipment.request_code = order_request.request_code
        AND shipment.status = ANY ($5)))
    AND ($6::boolean IS NULL OR special = $6)
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at < $8)
    AND ($9::text = '' OR created_by = $9)
    AND ($10::text = '' OR reference = $10)
    AND )";

// What a page of requests is made of; all three take the same parameters.
struct PageStatements {
  db::Statement requests;
  db::Statement shipments;
  db::Statement events;  // of each request the latest hundred, oldest first
};

// Everything behind `after`, a condition on the keys of the page before ($12
// and, where there are two, $13).
PageStatements InOrder(std::string_view after, std::string_view order) {
  const std::string limited =
      absl::StrCat(std::string(after), " ORDER BY ", std::string(order),
                   " LIMIT $11::bigint ");
  return {db::Compose({OrderRequest::kSelect, kRequestFilter, limited}),
          SelectShipments(
              {"FROM shipment WHERE shipment.request_code IN "
               "(SELECT request_code ",
               kRequestFilter, limited,
               ") ORDER BY shipment.request_code, shipment.shipment_code"}),
          SelectShipmentEvents({"FROM (SELECT request_code ", kRequestFilter,
                                limited,
                                R"() AS page (code)
        CROSS JOIN LATERAL (
          SELECT * FROM shipment_event AS event WHERE event.request_code = page.code
          ORDER BY event.event_number DESC LIMIT 100) AS shipment_event
        ORDER BY shipment_event.event_number)"})};
}

const PageStatements kByCodeDescending =
    InOrder("($12::bigint IS NULL OR request_code < $12)", "request_code DESC");
const PageStatements kByCode =
    InOrder("($12::bigint IS NULL OR request_code > $12)", "request_code");
const PageStatements kByOrderCode = InOrder(
    "($12::text IS NULL OR order_code > $12 "
    "OR (order_code = $12 AND request_code < $13::bigint))",
    "order_code, request_code DESC");
const PageStatements kByRequirement = InOrder(
    "($12::bigint IS NULL OR (requirement_grams, request_code) < ($12, "
    "$13::bigint))",
    "requirement_grams DESC, request_code DESC");

absl::Status AskGetRequest(const v1::GetRequestRequest& request,
                           db::Exchange& exchange) {
  for (const db::Statement& statement :
       {kGetRequest, kShipmentsOfRequest, kEventsOfRequest}) {
    exchange.Add(statement, db::Params().Add(request.request_code()));
  }
  return absl::OkStatus();
}

OrderRequest ReadRequest(const db::Row& row) {
  OrderRequest request;
  std::apply([&](auto... member) { row.Into(request.*member...); },
             OrderRequest::kLoaded);
  return request;
}

absl::StatusOr<v1::GetRequestResponse> AnswerGetRequest(
    const v1::GetRequestRequest& request, const db::Results& results) {
  if (results[0].empty()) {
    return errors::RequestNotFound(std::to_string(request.request_code()));
  }
  v1::GetRequestResponse response;
  v1::OrderRequest* shown = response.mutable_request();
  *shown = ReadRequest(results[0][0]).Shown();
  for (const db::Row row : results[1])
    *shown->add_shipments() = ReadShipment(row);
  for (const db::Row row : results[2])
    *shown->add_events() = ReadShipmentEvent(row);
  return response;
}

// Adds the key that comes before the request code in the list's order, if one
// does, and the request code.
template <typename First>
absl::Status AddTwoKeys(const std::vector<std::string>& keys,
                        db::Params& params) {
  std::optional<First> first;
  std::optional<int64_t> request_code;
  if (!keys.empty()) {
    if constexpr (std::is_same_v<First, std::string>) {
      first = keys[0];
    } else {
      RETURN_IF_ERROR(ReadPageKey(keys[0], first.emplace()));
    }
    RETURN_IF_ERROR(ReadPageKey(keys[1], request_code.emplace()));
  }
  params.Add(first).Add(request_code);
  return absl::OkStatus();
}

absl::Status AskListRequests(const v1::ListRequestsRequest& request,
                             db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 2));
  db::Params params =
      db::Params()
          .Add(request.search())
          .Add(request.order_code())
          .Add(request.item_code())
          .Add(request.product_name())
          .Array(EnumTexts<common::v1::ShipmentStatus>(request.statuses()))
          .Add(request.has_special() ? std::optional<bool>(request.special())
                                     : std::nullopt)
          .Add(TimeIf(request.has_created_from(), request.created_from()))
          .Add(TimeIf(request.has_created_before(), request.created_before()))
          .Add(absl::AsciiStrToLower(request.created_by_subject()))
          .Add(request.reference())
          .Add(handlers::PageSize(request.page_size()) + 1);
  const PageStatements* page = &kByCodeDescending;
  switch (request.order_by()) {
    case v1::LIST_REQUESTS_ORDER_ORDER_CODE:
      page = &kByOrderCode;
      RETURN_IF_ERROR(AddTwoKeys<std::string>(keys, params));
      break;
    case v1::LIST_REQUESTS_ORDER_REQUIREMENT_DESCENDING:
      page = &kByRequirement;
      RETURN_IF_ERROR(AddTwoKeys<int64_t>(keys, params));
      break;
    default: {
      if (request.order_by() == v1::LIST_REQUESTS_ORDER_REQUEST_CODE)
        page = &kByCode;
      std::optional<int64_t> request_code;
      if (!keys.empty())
        RETURN_IF_ERROR(ReadPageKey(keys[1], request_code.emplace()));
      params.Add(request_code);
    }
  }
  exchange.Add(page->requests, params);
  exchange.Add(page->shipments, params);
  if (request.with_events()) exchange.Add(page->events, std::move(params));
  return absl::OkStatus();
}

std::vector<std::string> KeysOf(const OrderRequest& last,
                                v1::ListRequestsOrder order) {
  switch (order) {
    case v1::LIST_REQUESTS_ORDER_ORDER_CODE:
      return {last.order_code, PageKey(last.request_code)};
    case v1::LIST_REQUESTS_ORDER_REQUIREMENT_DESCENDING:
      return {PageKey(last.requirement_grams), PageKey(last.request_code)};
    default:
      return {"", PageKey(last.request_code)};
  }
}

absl::StatusOr<v1::ListRequestsResponse> AnswerListRequests(
    const v1::ListRequestsRequest& request, const db::Results& results) {
  v1::ListRequestsResponse response;
  const int64_t page_size = handlers::PageSize(request.page_size());
  OrderRequest last;
  absl::flat_hash_map<int64_t, v1::OrderRequest*> shown;
  for (const db::Row row : results[0]) {
    if (response.requests_size() == page_size) {
      response.set_next_page_token(
          handlers::NextPageToken(request, KeysOf(last, request.order_by())));
      break;
    }
    last = ReadRequest(row);
    v1::OrderRequest* proto = response.add_requests();
    *proto = last.Shown();
    shown[last.request_code] = proto;
  }
  // The request behind the page, if there is one, has its rows here, too.
  for (const db::Row row : results[1]) {
    v1::Shipment shipment = ReadShipment(row);
    const auto found = shown.find(shipment.key().request_code());
    if (found != shown.end())
      *found->second->add_shipments() = std::move(shipment);
  }
  if (!request.with_events()) return response;
  for (const db::Row row : results[2]) {
    v1::ShipmentEvent event = ReadShipmentEvent(row);
    const auto found = shown.find(event.key().request_code());
    if (found != shown.end()) *found->second->add_events() = std::move(event);
  }
  return response;
}

}  // namespace

void TouchCreateRequest(const v1::CreateRequestRequest& request, Rows& rows) {
  rows.plans.Want(request.request().order_code());
  rows.request_codes.Want();
}

absl::StatusOr<v1::CreateRequestResponse> DecideCreateRequest(
    const v1::CreateRequestRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(Made made, MakeRequest(request.request(), context, rows));
  v1::CreateRequestResponse response;
  *response.mutable_request() = std::move(made.shown);
  response.set_allowed_grams(made.allowed_grams);
  response.set_sync_token(made.sync_token);
  return response;
}

void TouchBatchCreateRequests(const v1::BatchCreateRequestsRequest& request,
                              Rows& rows) {
  for (const v1::NewRequest& asked : request.requests()) {
    rows.plans.Want(asked.order_code());
  }
  rows.request_codes.Want(request.requests_size());
}

absl::StatusOr<v1::BatchCreateRequestsResponse> DecideBatchCreateRequests(
    const v1::BatchCreateRequestsRequest& request, Context& context,
    Rows& rows) {
  v1::BatchCreateRequestsResponse response;
  std::vector<std::string> sync_tokens;
  for (const v1::NewRequest& asked : request.requests()) {
    auto* result = response.add_results();
    absl::StatusOr<Made> made = MakeRequest(asked, context, rows);
    if (!made.ok()) {
      *result->mutable_error() =
          errors::AsResult(made.status(), context.correlation_id());
      continue;
    }
    *result->mutable_request() = std::move(made->shown);
    if (!made->sync_token.empty())
      sync_tokens.push_back(std::move(made->sync_token));
  }
  response.set_sync_token(sync::JoinSyncTokens(sync_tokens));
  return response;
}

void AddRequests(Commands& commands, Queries& queries) {
  commands.Add("mtp.order.v1.RequestService/CreateRequest", TouchCreateRequest,
               DecideCreateRequest);
  commands.Add("mtp.order.v1.RequestService/BatchCreateRequests",
               TouchBatchCreateRequests, DecideBatchCreateRequests);
  queries.Add("mtp.order.v1.RequestService/GetRequest", AskGetRequest,
              AnswerGetRequest);
  queries.Add("mtp.order.v1.RequestService/ListRequests", AskListRequests,
              AnswerListRequests);
}

}  // namespace mtp::order
