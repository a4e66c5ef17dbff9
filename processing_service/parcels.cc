#include "processing_service/parcels.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "common/sync/outbox.h"
#include "processing_service/errors.h"

namespace mtp::processing {
namespace {

Uuid IdOf(const std::string& text) {
  return Uuid::Parse(text).value_or(Uuid{});
}

v1::Parcel Shown(const Parcel& parcel, const Allocation& allocation,
                 std::string_view source_name) {
  v1::Parcel proto;
  proto.set_parcel_id(parcel.parcel_id.ToString());
  proto.set_allocation_id(parcel.allocation_id.ToString());
  proto.set_schedule_code(parcel.schedule_code);
  if (const auto shipment = allocation.shipment(); shipment.has_value()) {
    shipment->To(proto.mutable_shipment());
  }
  proto.set_barcode(allocation.barcode.ToString());
  proto.set_kind(allocation.source_kind);
  proto.set_source_name(std::string(source_name));
  proto.set_grams(parcel.grams);
  *proto.mutable_created_at() = ToProto(parcel.created_at);
  *proto.mutable_occurred_at() = ToProto(parcel.occurred_at);
  handlers::Actor{parcel.created_by, parcel.created_by_username,
                  parcel.created_by_role}
      .To(proto.mutable_created_by());
  if (parcel.released_at.has_value()) {
    *proto.mutable_released_at() = ToProto(*parcel.released_at);
  }
  return proto;
}

std::string Tell(const Schedule& schedule, Context& context) {
  return context.Tell(sync::kScheduleProgress,
                      absl::StrCat(schedule.schedule_code), schedule.version);
}

// --- CreateParcel

// What can still be made into parcels of an allocation. A bag may be in a
// shipment with several allocations; what of it was sent back is missing from
// all of them together, and a bag that is on its way back is missing whole.
int64_t LeftGrams(const Allocation& allocation, const Rows& rows) {
  int64_t of_bag = 0;
  for (const Allocation* beside : rows.allocations.All()) {
    if (!beside->active() || beside->barcode != allocation.barcode ||
        beside->shipment() != allocation.shipment()) {
      continue;
    }
    of_bag += beside->grams - beside->parcelled_grams;
  }
  int64_t sent_back = 0;
  if (const SentBack* known = rows.sent_back.Find(allocation.allocation_id);
      known != nullptr) {
    if (known->announced) return 0;
    sent_back = known->grams;
  }
  return std::clamp<int64_t>(of_bag - sent_back, 0,
                             allocation.grams - allocation.parcelled_grams);
}

absl::Status JudgeParcel(const Allocation& allocation, const Shipment& shipment,
                         const Schedule& schedule) {
  if (!allocation.active()) return errors::AllocationReleased(allocation);
  if (!shipment.accepted) return errors::ShipmentNotAccepted(shipment);
  if (schedule.order_code != shipment.order_code) {
    return errors::ScheduleOfOtherOrder(schedule, shipment);
  }
  if (schedule.completed) return errors::ScheduleCompleted(schedule);
  return absl::OkStatus();
}

void TouchCreateParcel(const v1::CreateParcelRequest& request, Rows& rows) {
  const Uuid allocation_id = IdOf(request.allocation_id());
  rows.allocated_shipments.Want(allocation_id);
  rows.schedules.Want(request.schedule_code());
  rows.allocated_bags.Want(allocation_id);
  rows.allocations.Want(allocation_id);
  rows.allocations_beside.Want(allocation_id);
  rows.sent_back.Want(allocation_id);
}

// --- ReleaseParcel

void TouchReleaseParcel(const v1::ReleaseParcelRequest& request, Rows& rows) {
  const Uuid parcel_id = IdOf(request.parcel_id());
  rows.parcelled_schedules.Want(parcel_id);
  rows.parcelled_bags.Want(parcel_id);
  rows.parcelled_allocations.Want(parcel_id);
  rows.parcels.Want(parcel_id);
}

// --- ListParcels

const std::string_view kFilter = R"(
  SELECT parcel.parcel_id, parcel.allocation_id, parcel.schedule_code, parcel.grams,
    parcel.created_by, parcel.created_by_username, parcel.created_by_role,
    parcel.created_at, parcel.occurred_at, parcel.released_at, parcel.released_by,
    parcel.released_by_username, parcel.released_by_role, parcel.release_remarks,
    allocation.barcode, allocation.source_kind, allocation.request_code,
    allocation.shipment_code, source.name
  FROM parcel
  JOIN allocation ON allocation.allocation_id = parcel.allocation_id
  JOIN bag ON bag.barcode = allocation.barcode
)";
const std::string_view kWhere = R"(
  WHERE ($1::bigint = 0 OR parcel.schedule_code = $1)
    AND ($2::bigint = 0 OR (allocation.request_code = $2
                            AND allocation.shipment_code = $3::bigint))
    AND ($4::uuid IS NULL OR parcel.allocation_id = $4)
    AND ($5::uuid IS NULL OR allocation.barcode = $5)
    AND ($6::boolean OR parcel.released_at IS NULL)
    AND ($7::timestamptz IS NULL OR parcel.created_at >= $7)
    AND ($8::timestamptz IS NULL OR parcel.created_at < $8)
)";

const db::Statement kNewestFirst = db::Compose({kFilter, kBagJoins, kWhere, R"(
    AND ($9::timestamptz IS NULL OR (parcel.created_at, parcel.parcel_id) < ($9, $10::uuid))
  ORDER BY parcel.created_at DESC, parcel.parcel_id DESC
  LIMIT $11::bigint
)"});

const db::Statement kOldestFirst = db::Compose({kFilter, kBagJoins, kWhere, R"(
    AND ($9::timestamptz IS NULL OR (parcel.created_at, parcel.parcel_id) > ($9, $10::uuid))
  ORDER BY parcel.created_at, parcel.parcel_id
  LIMIT $11::bigint
)"});

std::optional<absl::Time> IfSet(bool set,
                                const google::protobuf::Timestamp& time) {
  return set ? std::optional(FromProto(time)) : std::nullopt;
}

absl::Status AskListParcels(const v1::ListParcelsRequest& request,
                            db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 2));
  std::optional<absl::Time> after;
  std::optional<Uuid> after_id;
  if (!keys.empty()) {
    int64_t micros = 0;
    after_id = Uuid::Parse(keys[1]);
    if (!absl::SimpleAtoi(keys[0], &micros) || !after_id.has_value()) {
      return handlers::PageTokenInvalid();
    }
    after = absl::FromUnixMicros(micros);
  }
  db::Params params;
  params.Add(request.schedule_code())
      .Add(request.shipment().request_code())
      .Add(request.shipment().shipment_code())
      .Add(Uuid::Parse(request.allocation_id()))
      .Add(request.barcode().empty()
               ? std::nullopt
               : std::optional(ParseBarcode(request.barcode()).uuid))
      .Add(request.include_released())
      .Add(IfSet(request.has_created_from(), request.created_from()))
      .Add(IfSet(request.has_created_before(), request.created_before()))
      .Add(after)
      .Add(after_id)
      .Add(handlers::PageSize(request.page_size()) + 1);
  exchange.Add(request.order_by() == v1::LIST_PARCELS_ORDER_CREATED
                   ? kOldestFirst
                   : kNewestFirst,
               std::move(params));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListParcelsResponse> AnswerListParcels(
    const v1::ListParcelsRequest& request, const db::Results& results) {
  v1::ListParcelsResponse response;
  std::vector<std::string> last;
  for (const db::Row row : results[0]) {
    if (response.parcels_size() == handlers::PageSize(request.page_size())) {
      response.set_next_page_token(handlers::NextPageToken(request, last));
      break;
    }
    Parcel parcel;
    Allocation allocation;
    std::string source_name;
    std::apply(
        [&](auto... member) {
          row.Into(parcel.*member..., allocation.barcode,
                   allocation.source_kind, allocation.request_code,
                   allocation.shipment_code, source_name);
        },
        Parcel::kLoaded);
    *response.add_parcels() = Shown(parcel, allocation, source_name);
    last = {std::to_string(absl::ToUnixMicros(parcel.created_at)),
            parcel.parcel_id.ToString()};
  }
  return response;
}

}  // namespace

absl::StatusOr<v1::CreateParcelResponse> DecideCreateParcel(
    const v1::CreateParcelRequest& request, Context& context, Rows& rows) {
  const Allocation* found =
      rows.allocations.Find(IdOf(request.allocation_id()));
  if (found == nullptr)
    return errors::AllocationNotFound(request.allocation_id());
  const Schedule* found_schedule = rows.schedules.Find(request.schedule_code());
  if (found_schedule == nullptr)
    return errors::ScheduleNotFound(request.schedule_code());
  const auto key = found->shipment();
  if (!key.has_value()) return errors::NotParcelled(*found);
  RETURN_IF_ERROR(
      JudgeParcel(*found, *rows.shipments.Find(*key), *found_schedule));
  const Bag& bag = *rows.bags.Find(found->barcode);
  const int64_t left_grams = LeftGrams(*found, rows);
  if (request.grams() > left_grams) {
    return errors::ParcelsExceedAllocation(*found, left_grams, request.grams());
  }

  Allocation& allocation = rows.allocations.Edit(*found);
  allocation.parcelled_grams += request.grams();
  Schedule& schedule = rows.schedules.Edit(*found_schedule);
  schedule.CountParcel(1, request.grams(), context.now());
  const Parcel& parcel =
      rows.parcels.Insert({.parcel_id = context.NewId(),
                           .allocation_id = allocation.allocation_id,
                           .schedule_code = schedule.schedule_code,
                           .grams = request.grams(),
                           .created_by = context.caller().subject,
                           .created_by_username = context.caller().username,
                           .created_by_role = context.caller().role,
                           .created_at = context.now(),
                           .occurred_at = context.OccurredAt(request)});
  context.AuditAt(parcel.occurred_at, "parcel", parcel.parcel_id.ToString(),
                  "created",
                  {{"schedule_code", schedule.schedule_code},
                   {"shipment", key->Text()},
                   {"allocation_id", allocation.allocation_id.ToString()},
                   {"barcode", bag.barcode.ToString()},
                   {"grams", parcel.grams}});
  v1::CreateParcelResponse response;
  *response.mutable_parcel() = Shown(parcel, allocation, bag.source_name);
  response.set_left_grams(left_grams - request.grams());
  response.set_sync_token(Tell(schedule, context));
  return response;
}

absl::StatusOr<v1::ReleaseParcelResponse> DecideReleaseParcel(
    const v1::ReleaseParcelRequest& request, Context& context, Rows& rows) {
  const Parcel* found = rows.parcels.Find(IdOf(request.parcel_id()));
  if (found == nullptr) return errors::ParcelNotFound(request.parcel_id());
  if (!found->active()) return errors::ParcelReleased(*found);
  const Schedule& found_schedule = *rows.schedules.Find(found->schedule_code);
  if (found_schedule.completed)
    return errors::ScheduleCompleted(found_schedule);

  Parcel& parcel = rows.parcels.Edit(*found);
  parcel.released_at = context.now();
  parcel.released_by = context.caller().subject;
  parcel.released_by_username = context.caller().username;
  parcel.released_by_role = context.caller().role;
  parcel.release_remarks = request.remarks();
  Allocation& allocation =
      rows.allocations.Edit(*rows.allocations.Find(parcel.allocation_id));
  allocation.parcelled_grams -= parcel.grams;
  Schedule& schedule = rows.schedules.Edit(found_schedule);
  schedule.CountParcel(-1, -parcel.grams, context.now());
  context.AuditAt(context.OccurredAt(request), "parcel",
                  parcel.parcel_id.ToString(), "released",
                  {{"schedule_code", schedule.schedule_code},
                   {"shipment", allocation.shipment()->Text()},
                   {"allocation_id", allocation.allocation_id.ToString()},
                   {"barcode", allocation.barcode.ToString()},
                   {"grams", parcel.grams},
                   {"remarks", parcel.release_remarks}});
  v1::ReleaseParcelResponse response;
  *response.mutable_parcel() = Shown(
      parcel, allocation, rows.bags.Find(allocation.barcode)->source_name);
  response.set_sync_token(Tell(schedule, context));
  return response;
}

void AddParcels(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.AllocationService/CreateParcel",
               TouchCreateParcel, DecideCreateParcel);
  commands.Add("mtp.processing.v1.AllocationService/ReleaseParcel",
               TouchReleaseParcel, DecideReleaseParcel);
  queries.Add("mtp.processing.v1.AllocationService/ListParcels", AskListParcels,
              AnswerListParcels);
}

}  // namespace mtp::processing
