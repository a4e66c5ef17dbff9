#include "processing_service/outbound_queries.h"

#include <limits>

#include "absl/strings/numbers.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "processing_service/bag_queries.h"
#include "processing_service/errors.h"
#include "processing_service/manifest.h"

namespace mtp::processing {
namespace {

// --- ListOpenShipments

constexpr std::string_view kMissing = R"(
  (CASE WHEN shipment.dispatched OR shipment.cancelled THEN 0
        ELSE greatest(0, shipment.quantity_grams - shipment.allocated_grams) END)
)";

const db::Statement kShipment = db::Compose({"SELECT", kShipmentColumns, R"(,
    (SELECT peer_heard_at FROM sync.epoch)
  FROM shipment
  WHERE shipment.request_code = $1::bigint AND shipment.shipment_code = $2::bigint
)"});

constexpr std::string_view kBags = R"(,
    (SELECT peer_heard_at FROM sync.epoch),
    (SELECT count(DISTINCT allocation.barcode) FROM allocation
     WHERE allocation.request_code = shipment.request_code
       AND allocation.shipment_code = shipment.shipment_code
       AND allocation.released_at IS NULL)
  FROM shipment
)";

// `status = ANY` first: an index serves it.
const std::string_view kFilter = R"(
  WHERE shipment.status = ANY ($1::text[])
    AND ($2::bigint = 0 OR shipment.request_code = $2)
    AND ($3::text = '' OR shipment.order_code = $3)
    AND ($4::text = '' OR shipment.item_code = $4)
    AND ($5::text = '' OR shipment.product_name = $5)
    AND ($6::text = '' OR lower(shipment.vehicle) = lower($6))
    AND ($8::timestamptz IS NULL OR shipment.dispatched_at >= $8)
    AND ($9::timestamptz IS NULL OR shipment.dispatched_at < $9)
    AND ($10::text = '' OR strpos(lower(concat_ws(E'\n', shipment.order_code,
           shipment.item_code, shipment.product_name)), lower($10)) > 0)
    AND ($7::boolean IS NULL OR $7 = ()";

const db::Statement kByKey =
    db::Compose({"SELECT", kShipmentColumns, kBags, kFilter, kMissing, R"( > 0))
    AND (shipment.request_code, shipment.shipment_code) > ($11::bigint, $12::bigint)
  ORDER BY shipment.request_code, shipment.shipment_code
  LIMIT $13::bigint
)"});

const db::Statement kByKeyDescending =
    db::Compose({"SELECT", kShipmentColumns, kBags, kFilter, kMissing, R"( > 0))
    AND (shipment.request_code, shipment.shipment_code) < ($11::bigint, $12::bigint)
  ORDER BY shipment.request_code DESC, shipment.shipment_code DESC
  LIMIT $13::bigint
)"});

const db::Statement kByMissing =
    db::Compose({"SELECT", kShipmentColumns, kBags, kFilter, kMissing, R"( > 0))
    AND (-)",
                 kMissing, R"(, shipment.request_code, shipment.shipment_code)
        > (-$14::bigint, $11::bigint, $12::bigint)
  ORDER BY -)",
                 kMissing, R"(, shipment.request_code, shipment.shipment_code
  LIMIT $13::bigint
)"});

constexpr db::Statement kPeerHeard{"SELECT peer_heard_at FROM sync.epoch"};

// A shipment and how many bags are in it.
struct Listed {
  Shipment shipment;
  int64_t bags = 0;

  v1::OpenShipment Shown() const { return shipment.Shown(bags); }
};

Listed ReadListed(const db::Row& row) {
  Listed listed;
  std::apply(
      [&](auto... member) {
        row.Into(listed.shipment.*member..., listed.bags);
      },
      Shipment::kLoaded);
  return listed;
}

std::vector<common::v1::ShipmentStatus> Statuses(
    const v1::ListOpenShipmentsRequest& request) {
  if (request.statuses().empty()) {
    return {common::v1::SHIPMENT_STATUS_ORDER_REQUESTED,
            common::v1::SHIPMENT_STATUS_ORDER_NOT_READY,
            common::v1::SHIPMENT_STATUS_ORDER_READY};
  }
  std::vector<common::v1::ShipmentStatus> statuses;
  for (const int status : request.statuses()) {
    statuses.push_back(static_cast<common::v1::ShipmentStatus>(status));
  }
  return statuses;
}

std::optional<absl::Time> IfSet(bool set,
                                const google::protobuf::Timestamp& time) {
  return set ? std::optional(FromProto(time)) : std::nullopt;
}

db::Params Filter(const v1::ListOpenShipmentsRequest& request) {
  db::Params params;
  params.Array(Statuses(request))
      .Add(request.request_code())
      .Add(request.order_code())
      .Add(request.item_code())
      .Add(request.product_name())
      .Add(request.shipment_vehicle())
      .Add(request.has_missing() ? std::optional(request.missing())
                                 : std::nullopt)
      .Add(IfSet(request.has_dispatched_from(), request.dispatched_from()))
      .Add(IfSet(request.has_dispatched_before(), request.dispatched_before()))
      .Add(request.search());
  return params;
}

// Behind which shipment a page begins.
struct Position {
  db::ShipmentKey key;
  int64_t missing_grams = 0;

  std::vector<std::string> Keys() const {
    return {std::to_string(key.request_code), std::to_string(key.shipment_code),
            std::to_string(missing_grams)};
  }
};

absl::StatusOr<Position> PageStart(const v1::ListOpenShipmentsRequest& request,
                                   Position start) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 3));
  if (keys.empty()) return start;
  if (!absl::SimpleAtoi(keys[0], &start.key.request_code) ||
      !absl::SimpleAtoi(keys[1], &start.key.shipment_code) ||
      !absl::SimpleAtoi(keys[2], &start.missing_grams)) {
    return handlers::PageTokenInvalid();
  }
  return start;
}

absl::Status AskListOpenShipments(const v1::ListOpenShipmentsRequest& request,
                                  db::Exchange& exchange) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const bool descending =
      request.order_by() == v1::LIST_OPEN_SHIPMENTS_ORDER_KEY_DESCENDING;
  ASSIGN_OR_RETURN(const Position after,
                   PageStart(request, descending ? Position{{kMost, kMost}, 0}
                                                 : Position{{0, 0}, kMost}));
  db::Params params = Filter(request);
  params.Add(after.key.request_code)
      .Add(after.key.shipment_code)
      .Add(handlers::PageSize(request.page_size()) + 1);
  if (request.order_by() == v1::LIST_OPEN_SHIPMENTS_ORDER_MISSING_DESCENDING) {
    exchange.Add(kByMissing, std::move(params.Add(after.missing_grams)));
  } else {
    exchange.Add(descending ? kByKeyDescending : kByKey, std::move(params));
  }
  exchange.Add(kPeerHeard);
  return absl::OkStatus();
}

absl::StatusOr<v1::ListOpenShipmentsResponse> AnswerListOpenShipments(
    const v1::ListOpenShipmentsRequest& request, const db::Results& results) {
  v1::ListOpenShipmentsResponse response;
  Position last;
  for (const db::Row row : results[0]) {
    if (response.shipments_size() == handlers::PageSize(request.page_size())) {
      response.set_next_page_token(
          handlers::NextPageToken(request, last.Keys()));
      break;
    }
    v1::OpenShipment* shown = response.add_shipments();
    *shown = ReadListed(row).Shown();
    last = {db::ShipmentKey::Of(shown->key()), shown->missing_grams()};
  }
  if (const auto heard = results[1][0].Get<std::optional<absl::Time>>(0);
      heard.has_value()) {
    *response.mutable_peer_heard_at() = ToProto(*heard);
  }
  return response;
}

// --- GetShipmentManifest

const db::Statement kManifest =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  WHERE allocation.request_code = $1::bigint AND allocation.shipment_code = $2::bigint
    AND allocation.released_at IS NULL
  ORDER BY allocation.barcode, allocation.allocation_id
)"});

absl::Status AskGetShipmentManifest(
    const v1::GetShipmentManifestRequest& request, db::Exchange& exchange) {
  const auto key = db::ShipmentKey::Of(request.key());
  exchange.Add(kShipment,
               db::Params().Add(key.request_code).Add(key.shipment_code));
  exchange.Add(kManifest,
               db::Params().Add(key.request_code).Add(key.shipment_code));
  AddScansShipped(key, exchange);
  return absl::OkStatus();
}

absl::StatusOr<v1::GetShipmentManifestResponse> AnswerGetShipmentManifest(
    const v1::GetShipmentManifestRequest& request, const db::Results& results) {
  if (results[0].empty())
    return errors::ShipmentNotFound(KeyText(request.key()));
  std::vector<Allocation> allocations;
  for (const db::Row row : results[1])
    allocations.push_back(db::Read<Allocation>(row));
  size_t next = 2;
  const auto scans = TakeScans(results, next);

  v1::GetShipmentManifestResponse response;
  std::vector<const Allocation*> lines;
  int64_t total_grams = 0;
  for (const Allocation& allocation : allocations) {
    lines.push_back(&allocation);
    total_grams += allocation.grams;
    v1::ManifestLine* line = response.add_lines();
    line->set_allocation_id(allocation.allocation_id.ToString());
    line->set_grams(allocation.grams);
    line->set_parcelled_grams(allocation.parcelled_grams);
    *line->mutable_scan() = scans.at(allocation.barcode);
  }
  response.set_bag_count(BagCount(lines));
  response.set_total_grams(total_grams);
  response.set_manifest_digest(ManifestDigest(lines));
  *response.mutable_shipment() =
      db::Read<Shipment>(results[0][0]).Shown(response.bag_count());
  return response;
}

}  // namespace

void AddOutboundQueries(Queries& queries) {
  queries.Add("mtp.processing.v1.OutboundService/ListOpenShipments",
              AskListOpenShipments, AnswerListOpenShipments);
  queries.Add("mtp.processing.v1.OutboundService/GetShipmentManifest",
              AskGetShipmentManifest, AnswerGetShipmentManifest);
}

}  // namespace mtp::processing
