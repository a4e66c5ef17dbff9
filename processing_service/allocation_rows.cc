#include "processing_service/allocation_rows.h"

#include "common/base/protos.h"
#include "common/handlers/actor.h"
#include "processing_service/batch_rows.h"

namespace mtp::processing {

constexpr std::string_view kRulesWanted = R"(
  SELECT source_kind, target_kind, allowed, version, changed_at, changed_by,
    changed_by_username, changed_by_role
  FROM allocation_rule JOIN unnest($1::text[], $2::text[])
    AS wanted (source_kind, target_kind) USING (source_kind, target_kind)
)";
const db::Statement AllocationRule::kLoad = db::Compose({kRulesWanted});
const db::Statement AllocationRule::kLoadToChange =
    db::Compose({kRulesWanted, R"(
  ORDER BY source_kind, target_kind
  FOR NO KEY UPDATE OF allocation_rule
)"});

const db::Statement AllocationRule::kUpdate{R"(
  UPDATE allocation_rule SET allowed = fresh.allowed, version = fresh.version,
    changed_at = fresh.changed_at, changed_by = fresh.changed_by,
    changed_by_username = fresh.changed_by_username,
    changed_by_role = fresh.changed_by_role
  FROM unnest($1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::timestamptz[],
              $6::text[], $7::text[], $8::text[])
    AS fresh (source_kind, target_kind, allowed, version, changed_at, changed_by,
              changed_by_username, changed_by_role)
  WHERE allocation_rule.source_kind = fresh.source_kind
    AND allocation_rule.target_kind = fresh.target_kind
)"};

const std::string_view kAllocationColumns = R"(
  SELECT allocation.allocation_id, allocation.barcode, allocation.source_kind,
    allocation.target_kind, allocation.batch_id, allocation.request_code,
    allocation.shipment_code, allocation.grams, allocation.released_grams,
    allocation.parcelled_grams, allocation.allocated_by,
    allocation.allocated_by_username, allocation.allocated_by_role,
    allocation.allocated_at, allocation.occurred_at, allocation.released_at
)";

const std::string_view kTargetJoins = R"(
  LEFT JOIN batch AS target_batch ON target_batch.batch_id = allocation.batch_id
  LEFT JOIN recipe_revision AS target_recipe
    ON target_recipe.recipe_id = target_batch.recipe_id
   AND target_recipe.revision = target_batch.revision
  LEFT JOIN shipment AS target_shipment
    ON target_shipment.request_code = allocation.request_code
   AND target_shipment.shipment_code = allocation.shipment_code
)";
const std::string_view kTargetName = R"(
  coalesce(target_recipe.blend_code || target_recipe.flavor_code || '/' ||
             target_batch.batch_number,
           target_shipment.request_code || '/' || target_shipment.shipment_code || ' ' ||
             target_shipment.product_name)
)";
const std::string_view kTargetLeft =
    "coalesce(target_shipment.dispatched, false)";

const db::Statement Allocation::kLoad =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  JOIN unnest($1::uuid[]) AS wanted (allocation_id) USING (allocation_id)
  ORDER BY allocation_id
  FOR UPDATE OF allocation
)"});

const db::Statement Allocation::kLoadOfShipment =
    db::Compose({kAllocationColumns, "FROM allocation", R"(
  JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (request_code, shipment_code)
    ON wanted.request_code = allocation.request_code
   AND wanted.shipment_code = allocation.shipment_code
  WHERE released_at IS NULL
  ORDER BY allocation_id
  FOR UPDATE OF allocation
)"});

// An allocation never changes its bag, nor a bag the batch that it came from.
constexpr std::string_view kAllocatedSources = R"(
  FROM batch
  JOIN (SELECT DISTINCT bag.batch_id
        FROM unnest($1::uuid[]) AS wanted (allocation_id)
        JOIN allocation ON allocation.allocation_id = wanted.allocation_id
        JOIN bag ON bag.barcode = allocation.barcode) AS source
    ON source.batch_id = batch.batch_id
)";
const db::Statement kLockSourcesAllocated =
    db::Compose({"SELECT", kAllocatedSources, R"(
  ORDER BY batch.batch_id
  FOR SHARE OF batch
)"});
const db::Statement kLoadSourcesAllocated = db::Compose(
    {kBatchColumns, kNothingOfItsBags, kAllocatedSources, kBatchTables});

const db::Statement Allocation::kInsert{R"(
  INSERT INTO allocation (allocation_id, barcode, source_kind, target_kind, batch_id,
    request_code, shipment_code, grams, allocated_by, allocated_by_username,
    allocated_by_role, allocated_at, occurred_at)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[],
    $12::timestamptz[], $13::timestamptz[])
)"};

const db::Statement Allocation::kUpdate{R"(
  UPDATE allocation SET grams = fresh.grams, released_grams = fresh.released_grams,
    parcelled_grams = fresh.parcelled_grams, released_at = fresh.released_at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
    AS fresh (allocation_id, grams, released_grams, parcelled_grams, released_at)
  WHERE allocation.allocation_id = fresh.allocation_id
)"};

const db::Statement AllocationRelease::kInsert{R"(
  INSERT INTO allocation_release (allocation_id, grams, reason, remarks, moved_to,
    released_by, released_by_username, released_by_role, occurred_at, recorded_at,
    correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::uuid[],
    $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[],
    $11::text[])
)"};

namespace {

struct TargetName {
  v1::AllocationTargetKind kind;
  std::string_view text;
};
constexpr TargetName kTargets[] = {
    {v1::ALLOCATION_TARGET_KIND_BLENDSHEET_BATCH, kToBlendsheet},
    {v1::ALLOCATION_TARGET_KIND_FLAVORSHEET_BATCH, kToFlavorsheet},
    {v1::ALLOCATION_TARGET_KIND_SHIPMENT, kToShipment},
};

v1::AllocationTargetKind TargetOf(std::string_view text) {
  for (const TargetName& target : kTargets) {
    if (target.text == text) return target.kind;
  }
  return v1::ALLOCATION_TARGET_KIND_UNSPECIFIED;
}

}  // namespace

std::optional<std::string_view> TextOf(v1::AllocationTargetKind kind) {
  for (const TargetName& target : kTargets) {
    if (target.kind == kind) return target.text;
  }
  return std::nullopt;
}

v1::AllocationRule AllocationRule::Shown() const {
  v1::AllocationRule proto;
  proto.set_kind(db::EnumFromText<MaterialKind>(source_kind));
  proto.set_target(TargetOf(target_kind));
  proto.set_allowed(allowed);
  proto.set_etag(Etag());
  if (changed_at.has_value()) {
    *proto.mutable_changed_at() = ToProto(*changed_at);
    handlers::Actor{changed_by, changed_by_username, changed_by_role}.To(
        proto.mutable_changed_by());
  }
  return proto;
}

std::optional<db::ShipmentKey> Allocation::shipment() const {
  if (!request_code.has_value() || !shipment_code.has_value())
    return std::nullopt;
  return db::ShipmentKey{*request_code, *shipment_code};
}

v1::Allocation Allocation::Shown(std::string_view source_name,
                                 std::string_view target_name) const {
  v1::Allocation proto;
  proto.set_allocation_id(allocation_id.ToString());
  proto.set_barcode(barcode.ToString());
  proto.set_kind(source_kind);
  proto.set_source_name(std::string(source_name));
  if (batch_id.has_value()) {
    proto.set_batch_id(batch_id->ToString());
  } else if (const auto key = shipment(); key.has_value()) {
    key->To(proto.mutable_shipment());
  }
  proto.set_target_name(std::string(target_name));
  proto.set_grams(grams);
  proto.set_released_grams(released_grams);
  proto.set_state(active() ? v1::ALLOCATION_STATE_ACTIVE
                           : v1::ALLOCATION_STATE_RELEASED);
  proto.set_parcelled_grams(parcelled_grams);
  *proto.mutable_allocated_at() = ToProto(allocated_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  proto.mutable_allocated_by()->set_subject(allocated_by);
  proto.mutable_allocated_by()->set_username(allocated_by_username);
  proto.mutable_allocated_by()->set_role(allocated_by_role);
  if (released_at.has_value())
    *proto.mutable_released_at() = ToProto(*released_at);
  return proto;
}

void Allocation::Release(int64_t released, absl::Time now) {
  grams -= released;
  released_grams += released;
  if (grams == 0) released_at = now;
}

}  // namespace mtp::processing
