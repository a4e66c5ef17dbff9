#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "order_service/errors.h"
#include "order_service/filters.h"
#include "order_service/page_keys.h"
#include "order_service/shipments.h"

namespace mtp::order {
namespace {

// Adds the page keys, numbers all; one can be missing, as the time of a
// dispatch that never was. All are NULL on the first page.
template <size_t kCount, typename Request>
absl::Status AddPageKeys(const Request& request, db::Params& params) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, kCount));
  for (size_t i = 0; i < kCount; ++i) {
    std::optional<int64_t> number;
    if (!keys.empty() && !keys[i].empty()) {
      absl::Time in_range;
      RETURN_IF_ERROR(ReadPageKey(keys[i], in_range));
      RETURN_IF_ERROR(ReadPageKey(keys[i], number.emplace()));
    }
    params.Add(number);
  }
  return absl::OkStatus();
}

// --- GetShipment

const db::Statement kGet = SelectShipments({R"(
  FROM shipment WHERE request_code = $1::bigint AND shipment_code = $2::bigint
)"});

absl::Status AskShipment(const v1::GetShipmentRequest& request,
                         db::Exchange& exchange) {
  exchange.Add(kGet, db::Params()
                         .Add(request.key().request_code())
                         .Add(request.key().shipment_code()));
  return absl::OkStatus();
}

absl::StatusOr<v1::GetShipmentResponse> AnswerShipment(
    const v1::GetShipmentRequest& request, const db::Results& results) {
  if (results[0].empty())
    return errors::ShipmentNotFound(KeyText(request.key()));
  v1::GetShipmentResponse response;
  *response.mutable_shipment() = ReadShipment(results[0][0]);
  return response;
}

// --- ListShipments

// Every order is settled by the key; a page begins behind the key ($17, $18)
// and the number that comes before it in the order ($19).
constexpr std::string_view kFiltered = R"(
  FROM shipment
  WHERE ($1::text = '' OR strpos(lower(concat_ws(E'\x1f', order_code, item_code,
           product_name, dispatch_vehicle)), lower($1::text)) > 0)
    AND (cardinality($2::text[]) = 0 OR status = ANY ($2::text[]))
    AND ($3::bigint = 0 OR request_code = $3::bigint)
    AND ($4::text = '' OR order_code = $4::text)
    AND ($5::text = '' OR item_code = $5::text)
    AND ($6::text = '' OR product_name = $6::text)
    AND ($7::text = '' OR dispatched AND lower(dispatch_vehicle) = lower($7::text))
    AND ($8::boolean IS NULL OR special = $8::boolean)
    AND ($9::timestamptz IS NULL OR created_at >= $9::timestamptz)
    AND ($10::timestamptz IS NULL OR created_at < $10::timestamptz)
    AND ($11::timestamptz IS NULL OR dispatched AND dispatched_at >= $11::timestamptz)
    AND ($12::timestamptz IS NULL OR dispatched AND dispatched_at < $12::timestamptz)
    AND ($13::timestamptz IS NULL OR accepted_at >= $13::timestamptz)
    AND ($14::timestamptz IS NULL OR accepted_at < $14::timestamptz)
    AND (NOT $15::boolean OR EXISTS (
      SELECT FROM sync.exception AS e
      WHERE e.closed_at IS NULL
        AND e.things @> ARRAY[format('shipment:%s/%s', request_code, shipment_code)]))
    AND ($17::bigint IS NULL OR
)";

const db::Statement kListByKeyDescending = SelectShipments({kFiltered, R"(
    $19::bigint IS NULL AND (request_code, shipment_code) < ($17::bigint, $18::bigint))
  ORDER BY request_code DESC, shipment_code DESC LIMIT $16::bigint
)"});
const db::Statement kListByKey = SelectShipments({kFiltered, R"(
    $19::bigint IS NULL AND (request_code, shipment_code) > ($17::bigint, $18::bigint))
  ORDER BY request_code, shipment_code LIMIT $16::bigint
)"});
const db::Statement kListByUpdated = SelectShipments({kFiltered, R"(
    (updated_at, request_code, shipment_code)
      < (timestamptz 'epoch' + $19::bigint * interval '1 microsecond', $17::bigint,
         $18::bigint))
  ORDER BY updated_at DESC, request_code DESC, shipment_code DESC LIMIT $16::bigint
)"});
const db::Statement kListByDispatched = SelectShipments({kFiltered, R"(
    (CASE WHEN dispatched THEN dispatched_at ELSE '-infinity' END, request_code,
     shipment_code)
      < (coalesce(timestamptz 'epoch' + $19::bigint * interval '1 microsecond',
                  '-infinity'), $17::bigint, $18::bigint))
  ORDER BY CASE WHEN dispatched THEN dispatched_at ELSE '-infinity' END DESC,
    request_code DESC, shipment_code DESC LIMIT $16::bigint
)"});
const db::Statement kListByQuantity = SelectShipments({kFiltered, R"(
    (quantity_grams, request_code, shipment_code)
      < ($19::bigint, $17::bigint, $18::bigint))
  ORDER BY quantity_grams DESC, request_code DESC, shipment_code DESC LIMIT $16::bigint
)"});

const db::Statement& ListIn(v1::ListShipmentsOrder order) {
  switch (order) {
    case v1::LIST_SHIPMENTS_ORDER_KEY:
      return kListByKey;
    case v1::LIST_SHIPMENTS_ORDER_UPDATED_DESCENDING:
      return kListByUpdated;
    case v1::LIST_SHIPMENTS_ORDER_DISPATCHED_DESCENDING:
      return kListByDispatched;
    case v1::LIST_SHIPMENTS_ORDER_QUANTITY_DESCENDING:
      return kListByQuantity;
    default:
      return kListByKeyDescending;
  }
}

std::string TokenAfter(const v1::ListShipmentsRequest& request,
                       const v1::Shipment& last) {
  std::string before_key;
  switch (request.order_by()) {
    case v1::LIST_SHIPMENTS_ORDER_UPDATED_DESCENDING:
      before_key = PageKey(FromProto(last.updated_at()));
      break;
    case v1::LIST_SHIPMENTS_ORDER_DISPATCHED_DESCENDING:
      if (last.progress().has_dispatch()) {
        before_key =
            PageKey(FromProto(last.progress().dispatch().dispatched_at()));
      }
      break;
    case v1::LIST_SHIPMENTS_ORDER_QUANTITY_DESCENDING:
      before_key = PageKey(last.quantity_grams());
      break;
    default:
      break;
  }
  return handlers::NextPageToken(
      request, {PageKey(last.key().request_code()),
                PageKey(int64_t{last.key().shipment_code()}), before_key});
}

absl::Status AskShipments(const v1::ListShipmentsRequest& request,
                          db::Exchange& exchange) {
  db::Params params;
  params.Add(request.search())
      .Array(EnumTexts<ShipmentStatus>(request.statuses()))
      .Add(request.request_code())
      .Add(request.order_code())
      .Add(request.item_code())
      .Add(request.product_name())
      .Add(request.shipment_vehicle())
      .Add(request.has_special() ? std::optional(request.special())
                                 : std::nullopt)
      .Add(TimeIf(request.has_created_from(), request.created_from()))
      .Add(TimeIf(request.has_created_before(), request.created_before()))
      .Add(TimeIf(request.has_dispatched_from(), request.dispatched_from()))
      .Add(TimeIf(request.has_dispatched_before(), request.dispatched_before()))
      .Add(TimeIf(request.has_accepted_from(), request.accepted_from()))
      .Add(TimeIf(request.has_accepted_before(), request.accepted_before()))
      .Add(request.only_exceptions())
      .Add(handlers::PageSize(request.page_size()) + 1);
  RETURN_IF_ERROR(AddPageKeys<3>(request, params));
  exchange.Add(ListIn(request.order_by()), std::move(params));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListShipmentsResponse> AnswerShipments(
    const v1::ListShipmentsRequest& request, const db::Results& results) {
  const int64_t page_size = handlers::PageSize(request.page_size());
  v1::ListShipmentsResponse response;
  for (const db::Row row : results[0]) {
    if (response.shipments_size() == page_size) {
      response.set_next_page_token(
          TokenAfter(request, *response.shipments().rbegin()));
      break;
    }
    *response.add_shipments() = ReadShipment(row);
  }
  return response;
}

// --- ListShipmentEvents

constexpr std::string_view kEventsFiltered = R"(
  FROM shipment_event
  WHERE ($1::bigint = 0 OR request_code = $1::bigint AND shipment_code = $2::bigint)
    AND ($3::bigint = 0 OR request_code = $3::bigint)
    AND ($4::text = '' OR EXISTS (
      SELECT FROM order_request AS r
      WHERE r.request_code = shipment_event.request_code AND r.order_code = $4::text))
    AND (cardinality($5::text[]) = 0 OR to_status = ANY ($5::text[]))
    AND (cardinality($6::text[]) = 0 OR cause = ANY ($6::text[]))
    AND ($7::text = '' OR said_by = $7::text)
    AND ($8::timestamptz IS NULL OR occurred_at >= $8::timestamptz)
    AND ($9::timestamptz IS NULL OR occurred_at < $9::timestamptz)
    AND ($10::text = '' OR strpos(lower(vehicle), lower($10::text)) > 0)
    AND ($11::text = '' OR correlation_id = $11::text)
    AND ($13::bigint IS NULL OR event_number
)";
const db::Statement kEvents = SelectShipmentEvents({kEventsFiltered, R"(
    > $13::bigint)
  ORDER BY event_number LIMIT $12::bigint
)"});
const db::Statement kEventsDescending =
    SelectShipmentEvents({kEventsFiltered, R"(
    < $13::bigint)
  ORDER BY event_number DESC LIMIT $12::bigint
)"});
constexpr db::Statement kExists{R"(
  SELECT EXISTS (SELECT FROM shipment
                 WHERE request_code = $1::bigint AND shipment_code = $2::bigint)
)"};

absl::Status AskEvents(const v1::ListShipmentEventsRequest& request,
                       db::Exchange& exchange) {
  db::Params params;
  params.Add(request.key().request_code())
      .Add(request.key().shipment_code())
      .Add(request.request_code())
      .Add(request.order_code())
      .Array(EnumTexts<ShipmentStatus>(request.statuses()))
      .Array(EnumTexts<v1::ShipmentEventCause>(request.causes()))
      .Add(absl::AsciiStrToLower(request.actor_subject()))
      .Add(TimeIf(request.has_occurred_from(), request.occurred_from()))
      .Add(TimeIf(request.has_occurred_before(), request.occurred_before()))
      .Add(request.vehicle())
      .Add(request.correlation_id())
      .Add(handlers::PageSize(request.page_size()) + 1);
  RETURN_IF_ERROR(AddPageKeys<1>(request, params));
  const bool descending =
      request.order_by() == v1::LIST_SHIPMENT_EVENTS_ORDER_RECORDED_DESCENDING;
  exchange.Add(descending ? kEventsDescending : kEvents, std::move(params));
  if (request.has_key()) {
    exchange.Add(kExists, db::Params()
                              .Add(request.key().request_code())
                              .Add(request.key().shipment_code()));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListShipmentEventsResponse> AnswerEvents(
    const v1::ListShipmentEventsRequest& request, const db::Results& results) {
  if (request.has_key() && !results[1][0].Get<bool>(0)) {
    return errors::ShipmentNotFound(KeyText(request.key()));
  }
  const int64_t page_size = handlers::PageSize(request.page_size());
  v1::ListShipmentEventsResponse response;
  int64_t last_number = 0;
  for (const db::Row row : results[0]) {
    if (response.events_size() == page_size) {
      response.set_next_page_token(
          handlers::NextPageToken(request, {PageKey(last_number)}));
      break;
    }
    *response.add_events() = ReadShipmentEvent(row, &last_number);
  }
  return response;
}

}  // namespace

void AddShipmentQueries(Queries& queries) {
  queries.Add("mtp.order.v1.ShipmentService/GetShipment", AskShipment,
              AnswerShipment);
  queries.Add("mtp.order.v1.ShipmentService/ListShipments", AskShipments,
              AnswerShipments);
  queries.Add("mtp.order.v1.ShipmentService/ListShipmentEvents", AskEvents,
              AnswerEvents);
}

}  // namespace mtp::order
