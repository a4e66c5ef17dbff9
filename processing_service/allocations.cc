#include "processing_service/allocations.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/base/test_points.h"
#include "common/handlers/item_error.h"
#include "common/sync/outbox.h"
#include "processing_service/allocation_queries.h"
#include "processing_service/batches.h"
#include "processing_service/errors.h"

namespace mtp::processing {
namespace {

// --- what both targets have in common

// Any target the matrix may allow for a bag of any kind.
void WantRules(Rows& rows, std::string_view target_kind) {
  for (const MaterialKind kind :
       {v1::MATERIAL_KIND_TEALINE, v1::MATERIAL_KIND_HERBLINE,
        v1::MATERIAL_KIND_BLENDBALANCE, v1::MATERIAL_KIND_BLENDSHEET,
        v1::MATERIAL_KIND_FLAVORSHEET}) {
    rows.allocation_rules.Want(
        {std::string(db::EnumText(kind)), std::string(target_kind)});
  }
}

bool RuleAllows(const Rows& rows, MaterialKind source,
                std::string_view target_kind) {
  const AllocationRule* rule = rows.allocation_rules.Find(
      {std::string(db::EnumText(source)), std::string(target_kind)});
  return rule != nullptr && rule->allowed;
}

void WantBag(Rows& rows, std::string_view barcode_text) {
  const Uuid barcode = ParseBarcode(barcode_text).uuid;
  rows.bags.Want(barcode);
  rows.sources.Want(barcode);
}

const Batch* SourceOf(const Rows& rows, const Bag& bag) {
  return bag.batch_id.has_value() ? rows.batches.Find(*bag.batch_id) : nullptr;
}

Allocation NewAllocation(const Bag& bag, int64_t grams, absl::Time occurred_at,
                         const Context& context) {
  return {.allocation_id = context.NewId(),
          .barcode = bag.barcode,
          .source_kind = bag.kind,
          .grams = grams,
          .allocated_by = context.caller().subject,
          .allocated_by_username = context.caller().username,
          .allocated_by_role = context.caller().role,
          .allocated_at = context.now(),
          .occurred_at = occurred_at};
}

// --- to a shipment

std::string ShipmentName(const Shipment& shipment) {
  return absl::StrCat(shipment.key().Text(), " ", shipment.product_name);
}

// A bag may go to a shipment that waits for goods, up to what either still has,
// if the trader allowed what is in it.
absl::Status JudgeForShipment(const Rows& rows, const Bag& bag,
                              const Shipment& shipment, int64_t grams) {
  if (!RuleAllows(rows, bag.kind, kToShipment)) {
    return errors::NotAllocatable(bag, kToShipment);
  }
  if (!shipment.OpenForAllocation()) return errors::ShipmentNotOpen(shipment);
  if (const Batch* source = SourceOf(rows, bag); source != nullptr) {
    if (source->Clearance() == v1::CLEARANCE_BLOCKED)
      return errors::BatchBlocked(*source);
    if (source->Clearance() != v1::CLEARANCE_CLEARED) {
      return errors::BatchNotAllowed(*source);
    }
  }
  RETURN_IF_ERROR(bag.CanGive(grams));
  if (grams > shipment.MissingGrams())
    return errors::ShipmentNeedsLess(shipment, grams);
  return absl::OkStatus();
}

// What the four ways of asking for an allocation have in common.
struct Ask {
  std::string_view barcode;
  int64_t grams = 0;
  absl::Time occurred_at;
};

struct Given {
  v1::Allocation allocation;
  const Bag* bag = nullptr;
};

absl::StatusOr<Given> GiveToShipment(const Ask& ask, const db::ShipmentKey& key,
                                     Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Bag* found_bag, FindBag(rows.bags, ask.barcode));
  const Shipment* found_shipment = rows.shipments.Find(key);
  if (found_shipment == nullptr) return errors::ShipmentNotFound(key.Text());
  RETURN_IF_ERROR(
      JudgeForShipment(rows, *found_bag, *found_shipment, ask.grams));

  Bag& bag = rows.bags.Edit(*found_bag);
  Shipment& shipment = rows.shipments.Edit(*found_shipment);
  bag.Take(ask.grams);
  shipment.allocated_grams += ask.grams;
  shipment.Changed(context.now());
  Allocation allocation =
      NewAllocation(bag, ask.grams, ask.occurred_at, context);
  allocation.target_kind = kToShipment;
  allocation.request_code = key.request_code;
  allocation.shipment_code = key.shipment_code;
  rows.allocations.Insert(allocation);
  context.AuditAt(ask.occurred_at, "bag", bag.barcode.ToString(), "allocated",
                  {{"shipment", key.Text()},
                   {"grams", ask.grams},
                   {"allocation_id", allocation.allocation_id.ToString()}});
  return Given{allocation.Shown(bag.source_name, ShipmentName(shipment)), &bag};
}

void TouchAllocateToShipment(const v1::AllocateToShipmentRequest& request,
                             Rows& rows) {
  rows.shipments.Want(db::ShipmentKey::Of(request.shipment()));
  WantRules(rows, kToShipment);
  WantBag(rows, request.barcode());
}

// --- to a batch

// Ingredients go into open batches; nothing comes from a blocked one, and
// nothing is made of itself. What left the site is made of what it was made of
// when it left.
absl::Status JudgeForBatch(const Rows& rows, const Bag& bag, const Batch& batch,
                           int64_t grams) {
  const std::string_view target = db::EnumText(batch.kind);
  if (!RuleAllows(rows, bag.kind, target))
    return errors::NotAllocatable(bag, target);
  if (!batch.open()) return errors::BatchNotOpen(batch);
  if (LeftTheSite(rows, batch)) return errors::BatchDispatched(batch);
  if (batch.Clearance() == v1::CLEARANCE_BLOCKED)
    return errors::BatchBlocked(batch);
  if (const Batch* source = SourceOf(rows, bag); source != nullptr) {
    if (source->batch_id == batch.batch_id || source->Contains(batch))
      return errors::BatchInItself(batch, *source);
    if (source->Clearance() == v1::CLEARANCE_BLOCKED)
      return errors::BatchBlocked(*source);
  }
  return bag.CanGive(grams);
}

absl::StatusOr<Given> GiveToBatch(const Ask& ask, std::string_view batch_id,
                                  Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Bag* found_bag, FindBag(rows.bags, ask.barcode));
  const Batch* found_batch =
      rows.batches.Find(Uuid::Parse(batch_id).value_or(Uuid{}));
  if (found_batch == nullptr) return errors::BatchNotFound(batch_id);
  RETURN_IF_ERROR(JudgeForBatch(rows, *found_bag, *found_batch, ask.grams));

  Bag& bag = rows.bags.Edit(*found_bag);
  Batch& batch = rows.batches.Edit(*found_batch);
  bag.Take(ask.grams);
  batch.in_grams += ask.grams;
  ++batch.version;
  batch.changed_at = context.now();
  if (const Batch* source = SourceOf(rows, bag); source != nullptr)
    batch.TakeIn(*source);
  Allocation allocation =
      NewAllocation(bag, ask.grams, ask.occurred_at, context);
  allocation.target_kind = db::EnumText(batch.kind);
  allocation.batch_id = batch.batch_id;
  rows.allocations.Insert(allocation);
  context.AuditAt(ask.occurred_at, "bag", bag.barcode.ToString(), "allocated",
                  {{"batch_id", batch.batch_id.ToString()},
                   {"grams", ask.grams},
                   {"allocation_id", allocation.allocation_id.ToString()}});
  return Given{allocation.Shown(bag.source_name, batch.Name()), &bag};
}

// A batch that something goes into.
void WantTarget(Rows& rows, std::string_view batch_id) {
  const Uuid id = Uuid::Parse(batch_id).value_or(Uuid{});
  rows.batches.Want(id);
  rows.departures.Want(id);
}

void WantBatchRules(Rows& rows) {
  WantRules(rows, kToBlendsheet);
  WantRules(rows, kToFlavorsheet);
}

void TouchAllocateToBatch(const v1::AllocateToBatchRequest& request,
                          Rows& rows) {
  WantTarget(rows, request.batch_id());
  WantBatchRules(rows);
  WantBag(rows, request.barcode());
}

// --- several at once

absl::StatusOr<Given> Give(const v1::AllocationDraft& draft, Context& context,
                           Rows& rows) {
  const Ask ask{draft.barcode(), draft.grams(), context.OccurredAt(draft)};
  if (draft.has_batch_id())
    return GiveToBatch(ask, draft.batch_id(), context, rows);
  return GiveToShipment(ask, db::ShipmentKey::Of(draft.shipment()), context,
                        rows);
}

void TouchBatchAllocate(const v1::BatchAllocateRequest& request, Rows& rows) {
  bool to_batches = false;
  bool to_shipments = false;
  for (const v1::AllocationDraft& draft : request.allocations()) {
    if (draft.has_batch_id()) {
      to_batches = true;
      WantTarget(rows, draft.batch_id());
    } else {
      to_shipments = true;
      rows.shipments.Want(db::ShipmentKey::Of(draft.shipment()));
    }
    WantBag(rows, draft.barcode());
  }
  if (to_batches) WantBatchRules(rows);
  if (to_shipments) WantRules(rows, kToShipment);
}

// --- giving back

// Whether a part of an allocation to this batch may come out of it again.
absl::Status JudgeReleaseFromBatch(const Rows& rows, const Batch& batch,
                                   int64_t grams) {
  if (!batch.open()) return errors::BatchNotOpen(batch);
  if (LeftTheSite(rows, batch)) return errors::BatchDispatched(batch);
  Batch after = batch;
  after.in_grams -= grams;
  if (after.out_grams <= after.OutLimitGrams()) return absl::OkStatus();
  return errors::BatchOutExceedsIn(after, after.out_grams);
}

// Takes it out of its target; the target's name.
absl::StatusOr<std::string> ReleaseFromBatch(const Batch& found, int64_t grams,
                                             const Context& context,
                                             Rows& rows) {
  RETURN_IF_ERROR(JudgeReleaseFromBatch(rows, found, grams));
  Batch& batch = rows.batches.Edit(found);
  batch.in_grams -= grams;
  ++batch.version;
  batch.changed_at = context.now();
  return batch.Name();
}

absl::StatusOr<std::string> ReleaseFromShipment(const Shipment& found,
                                                int64_t grams,
                                                const Context& context,
                                                Rows& rows) {
  if (found.dispatched) return errors::ShipmentNotOpen(found);
  Shipment& shipment = rows.shipments.Edit(found);
  shipment.allocated_grams -= grams;
  shipment.Changed(context.now());
  return ShipmentName(shipment);
}

// What went back to its bag.
struct Released {
  const Allocation* allocation = nullptr;  // after it
  const Bag* bag = nullptr;
  int64_t grams = 0;
  std::string target_name;
};

// Gives an allocation of `id` back to its bag, or `grams` of it; 0 is all.
absl::StatusOr<Released> Release(std::string_view id, int64_t grams,
                                 const Context& context, Rows& rows) {
  const Allocation* found =
      rows.allocations.Find(Uuid::Parse(id).value_or(Uuid{}));
  if (found == nullptr) return errors::AllocationNotFound(id);
  if (!found->active()) return errors::AllocationReleased(*found);
  if (grams == 0) grams = found->grams;
  if (grams > found->grams) return errors::AllocationHasLess(*found, grams);

  const std::optional<db::ShipmentKey> key = found->shipment();
  ASSIGN_OR_RETURN(std::string target_name,
                   key.has_value()
                       ? ReleaseFromShipment(*rows.shipments.Find(*key), grams,
                                             context, rows)
                       : ReleaseFromBatch(*rows.batches.Find(*found->batch_id),
                                          grams, context, rows));
  Bag& bag = rows.bags.Edit(*rows.bags.Find(found->barcode));
  bag.GiveBack(grams);
  Allocation& allocation = rows.allocations.Edit(*found);
  allocation.Release(grams, context.now());
  return Released{&allocation, &bag, grams, std::move(target_name)};
}

// Keeps that it went back, and where to if it did not stay in the bag. Request
// has remarks and a time.
template <typename Request>
void KeepRelease(const Released& released, std::optional<Uuid> moved_to,
                 const Request& request, Context& context, Rows& rows) {
  const Allocation& allocation = *released.allocation;
  const absl::Time occurred_at = context.OccurredAt(request);
  rows.allocation_releases.Append(
      {.allocation_id = allocation.allocation_id,
       .grams = released.grams,
       .reason = std::string(moved_to.has_value() ? kMoved : kReleased),
       .remarks = request.remarks(),
       .moved_to = moved_to,
       .released_by = context.caller().subject,
       .released_by_username = context.caller().username,
       .released_by_role = context.caller().role,
       .occurred_at = occurred_at,
       .recorded_at = context.now(),
       .correlation_id = context.correlation_id()});
  sync::Change change = {{"allocation_id", allocation.allocation_id.ToString()},
                         {"target", released.target_name},
                         {"grams", released.grams},
                         {"remarks", request.remarks()}};
  if (const auto key = allocation.shipment(); key.has_value()) {
    change.emplace_back("shipment", key->Text());
  } else {
    change.emplace_back("batch_id", allocation.batch_id->ToString());
  }
  if (moved_to.has_value()) {
    change.emplace_back("moved_to_allocation_id", moved_to->ToString());
  }
  context.AuditAt(occurred_at, "bag", released.bag->barcode.ToString(),
                  "released", change);
}

// Tells the peer what an allocation to a shipment changed there; the token.
std::string TellTarget(const Allocation& allocation, Context& context,
                       const Rows& rows) {
  const auto key = allocation.shipment();
  if (!key.has_value()) return "";
  return context.Tell(sync::kShipmentProgress, key->Text(),
                      rows.shipments.Find(*key)->version);
}

void WantAllocation(Rows& rows, std::string_view allocation_id) {
  const Uuid id = Uuid::Parse(allocation_id).value_or(Uuid{});
  rows.allocated_shipments.Want(id);
  rows.allocated_batches.Want(id);
  rows.allocated_departures.Want(id);
  rows.allocated_bags.Want(id);
  rows.allocations.Want(id);
}

void TouchReleaseAllocation(const v1::ReleaseAllocationRequest& request,
                            Rows& rows) {
  WantAllocation(rows, request.allocation_id());
}

// --- from one target to another

void TouchMoveAllocation(const v1::MoveAllocationRequest& request, Rows& rows) {
  if (request.has_batch_id()) {
    WantTarget(rows, request.batch_id());
    WantBatchRules(rows);
  } else if (request.has_shipment()) {
    rows.shipments.Want(db::ShipmentKey::Of(request.shipment()));
    WantRules(rows, kToShipment);
  }
  WantAllocation(rows, request.allocation_id());
  rows.allocated_sources.Want(
      Uuid::Parse(request.allocation_id()).value_or(Uuid{}));
}

bool GoesTo(const Allocation& allocation,
            const v1::MoveAllocationRequest& request) {
  if (request.has_batch_id())
    return allocation.batch_id == Uuid::Parse(request.batch_id());
  return allocation.shipment() == db::ShipmentKey::Of(request.shipment());
}

}  // namespace

absl::StatusOr<v1::AllocateToShipmentResponse> DecideAllocateToShipment(
    const v1::AllocateToShipmentRequest& request, Context& context,
    Rows& rows) {
  const auto key = db::ShipmentKey::Of(request.shipment());
  ASSIGN_OR_RETURN(Given given,
                   GiveToShipment({request.barcode(), request.grams(),
                                   context.OccurredAt(request)},
                                  key, context, rows));
  const Shipment& shipment = *rows.shipments.Find(key);
  v1::AllocateToShipmentResponse response;
  *response.mutable_allocation() = std::move(given.allocation);
  *response.mutable_bag() = given.bag->Shown();
  *response.mutable_shipment() = shipment.Amounts();
  response.set_sync_token(
      context.Tell(sync::kShipmentProgress, key.Text(), shipment.version));
  return response;
}

absl::StatusOr<v1::AllocateToBatchResponse> DecideAllocateToBatch(
    const v1::AllocateToBatchRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(Given given, GiveToBatch({request.barcode(), request.grams(),
                                             context.OccurredAt(request)},
                                            request.batch_id(), context, rows));
  v1::AllocateToBatchResponse response;
  *response.mutable_allocation() = std::move(given.allocation);
  *response.mutable_bag() = given.bag->Shown();
  *response.mutable_batch() =
      rows.batches.Find(*Uuid::Parse(request.batch_id()))->Shown();
  return response;
}

absl::StatusOr<v1::BatchAllocateResponse> DecideBatchAllocate(
    const v1::BatchAllocateRequest& request, Context& context, Rows& rows) {
  v1::BatchAllocateResponse response;
  std::vector<db::ShipmentKey> shipments;
  std::vector<db::ShipmentKey> given_to;
  for (const v1::AllocationDraft& draft : request.allocations()) {
    auto* result = response.add_results();
    absl::StatusOr<Given> given = Give(draft, context, rows);
    if (draft.has_shipment()) {
      shipments.push_back(db::ShipmentKey::Of(draft.shipment()));
      if (given.ok()) given_to.push_back(shipments.back());
    }
    if (given.ok()) {
      *result->mutable_allocation() = std::move(given->allocation);
    } else {
      *result->mutable_error() = handlers::ItemError(
          given.status(), errors::kDomain, context.correlation_id());
    }
  }
  db::SortUnique(shipments);
  for (const db::ShipmentKey& key : shipments) {
    const Shipment* shipment = rows.shipments.Find(key);
    if (shipment != nullptr) *response.add_shipments() = shipment->Amounts();
  }
  db::SortUnique(given_to);
  std::vector<std::string> tokens;
  for (const db::ShipmentKey& key : given_to) {
    tokens.push_back(context.Tell(sync::kShipmentProgress, key.Text(),
                                  rows.shipments.Find(key)->version));
  }
  response.set_sync_token(sync::JoinSyncTokens(tokens));
  return response;
}

absl::StatusOr<v1::ReleaseAllocationResponse> DecideReleaseAllocation(
    const v1::ReleaseAllocationRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(
      const Released released,
      Release(request.allocation_id(), request.grams(), context, rows));
  KeepRelease(released, std::nullopt, request, context, rows);
  v1::ReleaseAllocationResponse response;
  *response.mutable_allocation() = released.allocation->Shown(
      released.bag->source_name, released.target_name);
  *response.mutable_bag() = released.bag->Shown();
  if (!Planted("release-not-marked"))
    response.set_sync_token(TellTarget(*released.allocation, context, rows));
  return response;
}

// A release, and an allocation that is judged as if it came after it.
absl::StatusOr<v1::MoveAllocationResponse> DecideMoveAllocation(
    const v1::MoveAllocationRequest& request, Context& context, Rows& rows) {
  if (!request.has_shipment() && request.batch_id().empty()) {
    return errors::InvalidField("batch_id", "or shipment is required");
  }
  const Allocation* found = rows.allocations.Find(
      Uuid::Parse(request.allocation_id()).value_or(Uuid{}));
  if (found != nullptr && GoesTo(*found, request))
    return errors::SameTarget(*found);
  ASSIGN_OR_RETURN(
      const Released released,
      Release(request.allocation_id(), request.grams(), context, rows));
  const std::string barcode = released.bag->barcode.ToString();
  const Ask ask{barcode, released.grams, context.OccurredAt(request)};
  ASSIGN_OR_RETURN(
      Given given,
      request.has_batch_id()
          ? GiveToBatch(ask, request.batch_id(), context, rows)
          : GiveToShipment(ask, db::ShipmentKey::Of(request.shipment()),
                           context, rows));
  const Uuid moved_to = *Uuid::Parse(given.allocation.allocation_id());
  KeepRelease(released, moved_to, request, context, rows);

  v1::MoveAllocationResponse response;
  *response.mutable_released() = released.allocation->Shown(
      released.bag->source_name, released.target_name);
  *response.mutable_allocation() = std::move(given.allocation);
  std::vector<std::string> tokens;
  for (const Allocation* allocation :
       {released.allocation, rows.allocations.Find(moved_to)}) {
    std::string token = TellTarget(*allocation, context, rows);
    if (!token.empty()) tokens.push_back(std::move(token));
  }
  response.set_sync_token(sync::JoinSyncTokens(tokens));
  return response;
}

void AddAllocations(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.AllocationService/AllocateToShipment",
               TouchAllocateToShipment, DecideAllocateToShipment);
  commands.Add("mtp.processing.v1.AllocationService/AllocateToBatch",
               TouchAllocateToBatch, DecideAllocateToBatch);
  commands.AddAlone("mtp.processing.v1.AllocationService/BatchAllocate",
                    TouchBatchAllocate, DecideBatchAllocate);
  commands.Add("mtp.processing.v1.AllocationService/ReleaseAllocation",
               TouchReleaseAllocation, DecideReleaseAllocation);
  commands.Add("mtp.processing.v1.AllocationService/MoveAllocation",
               TouchMoveAllocation, DecideMoveAllocation);
  AddAllocationQueries(queries);
}

}  // namespace mtp::processing
