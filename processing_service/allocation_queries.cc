#include "processing_service/allocation_queries.h"

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

std::optional<std::string_view> TextIf(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

// Ids are made in the order of allocated_at, to the millisecond, so a list by
// id is a list by time.
constexpr std::string_view kFilter = R"(
  WHERE ($1::uuid IS NULL OR allocation.barcode = $1)
    AND ($2::uuid IS NULL OR bag.item_id = $2)
    AND ($3::text IS NULL OR item.item_code = $3)
    AND ($4::uuid IS NULL OR bag.batch_id = $4)
    AND ($5::text IS NULL OR allocation.source_kind = $5)
    AND ($6::uuid IS NULL OR allocation.batch_id = $6)
    AND ($7::bigint IS NULL OR allocation.request_code = $7)
    AND ($8::bigint IS NULL OR allocation.shipment_code = $8)
    AND ($9::text IS NULL OR allocation.target_kind = $9)
    AND ($10::boolean IS NULL OR (allocation.released_at IS NULL) = $10)
    AND ($11::timestamptz IS NULL OR allocation.allocated_at >= $11)
    AND ($12::timestamptz IS NULL OR allocation.allocated_at < $12)
)";

const std::string_view kFrom = R"(
  FROM allocation
  JOIN bag ON bag.barcode = allocation.barcode
)";

const db::Statement kNewestFirst =
    db::Compose({kAllocationColumns, ", source.name,", kTargetName, ",",
                 kTargetLeft, kFrom, kTargetJoins, kBagJoins, kFilter, R"(
    AND allocation.allocation_id
      < coalesce($13::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  ORDER BY allocation.allocation_id DESC
  LIMIT $14::bigint
)"});

const db::Statement kOldestFirst =
    db::Compose({kAllocationColumns, ", source.name,", kTargetName, ",",
                 kTargetLeft, kFrom, kTargetJoins, kBagJoins, kFilter, R"(
    AND allocation.allocation_id
      > coalesce($13::uuid, '00000000-0000-0000-0000-000000000000')
  ORDER BY allocation.allocation_id
  LIMIT $14::bigint
)"});

absl::Status AskListAllocations(const v1::ListAllocationsRequest& request,
                                db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  std::optional<Uuid> after;
  if (!keys.empty()) {
    after = Uuid::Parse(keys[0]);
    if (!after.has_value()) return handlers::PageTokenInvalid();
  }
  // A label's kind must be the bag's; together with another kind nothing fits.
  const Barcode barcode = ParseBarcode(request.barcode());
  std::optional<std::string> kind;
  if (request.kind() != v1::MATERIAL_KIND_UNSPECIFIED) {
    kind = barcode.Fits(request.kind()) ? db::EnumText(request.kind()) : "";
  } else if (!barcode.prefix.empty()) {
    kind = absl::AsciiStrToLower(std::string(barcode.prefix));
  }
  std::optional<db::ShipmentKey> shipment;
  if (request.has_shipment())
    shipment = db::ShipmentKey::Of(request.shipment());
  db::Params params;
  params.Add(barcode.uuid.IsNil() ? std::nullopt : std::optional(barcode.uuid))
      .Add(Uuid::Parse(request.item_id()))
      .Add(TextIf(request.item_code()))
      .Add(Uuid::Parse(request.source_batch_id()))
      .Add(kind)
      .Add(Uuid::Parse(request.batch_id()))
      .Add(shipment.has_value() ? std::optional(shipment->request_code)
                                : std::nullopt)
      .Add(shipment.has_value() ? std::optional(shipment->shipment_code)
                                : std::nullopt)
      .Add(TextOf(request.target()))
      .Add(request.state() == v1::ALLOCATION_STATE_UNSPECIFIED
               ? std::nullopt
               : std::optional(request.state() == v1::ALLOCATION_STATE_ACTIVE))
      .Add(TimeIf(request.has_allocated_from(), request.allocated_from()))
      .Add(TimeIf(request.has_allocated_before(), request.allocated_before()))
      .Add(after)
      .Add(RowLimit(request));
  const bool oldest_first =
      request.order_by() == v1::LIST_ALLOCATIONS_ORDER_ALLOCATED;
  exchange.Add(oldest_first ? kOldestFirst : kNewestFirst, std::move(params));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListAllocationsResponse> AnswerListAllocations(
    const v1::ListAllocationsRequest& request, const db::Results& results) {
  v1::ListAllocationsResponse response;
  for (const db::Row row : results[0]) {
    if (response.allocations_size() ==
        handlers::PageSize(request.page_size())) {
      response.set_next_page_token(handlers::NextPageToken(
          request, {response.allocations(response.allocations_size() - 1)
                        .allocation_id()}));
      break;
    }
    Allocation allocation;
    std::string source_name, target_name;
    bool left = false;
    std::apply(
        [&](auto... member) {
          row.Into(allocation.*member..., source_name, target_name, left);
        },
        Allocation::kLoaded);
    v1::Allocation& shown = *response.add_allocations();
    shown = allocation.Shown(source_name, target_name);
    shown.set_dispatched(left && allocation.active());
  }
  return response;
}

}  // namespace

void AddAllocationQueries(Queries& queries) {
  queries.Add("mtp.processing.v1.AllocationService/ListAllocations",
              AskListAllocations, AnswerListAllocations);
}

}  // namespace mtp::processing
