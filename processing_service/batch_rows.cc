#include "processing_service/batch_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"

namespace mtp::processing {

const std::string_view kBatchColumns = R"(
  SELECT batch.batch_id, batch.kind, batch.recipe_id, batch.revision,
    batch.batch_number, batch.state, coalesce(batch.trader_state, ''),
    batch.trader_changed_at, batch.in_grams, batch.opening_grams, batch.out_grams,
    batch.out_bags, batch.out_tolerance_ppm, batch.version, batch.opened_by,
    batch.opened_by_username, batch.opened_by_role, batch.opened_at, batch.occurred_at,
    batch.completed_by, batch.completed_by_username, batch.completed_by_role,
    batch.completed_at, batch.changed_at, recipe.number,
    recipe_revision.blend_code || recipe_revision.flavor_code,
    recipe_revision.total_grams / recipe_revision.batch_count,
    coalesce(parts.ids, '{}'), coalesce(parts.trader_states, '{}')
)";
const std::string_view kOfItsBags = R"(,
    (SELECT coalesce(sum(bag.remaining_grams), 0)::bigint FROM bag
     WHERE bag.batch_id = batch.batch_id AND bag.status <> 'DISPATCHED'),
    (SELECT coalesce(max(bag.bag_number), 0) FROM bag
     WHERE bag.batch_id = batch.batch_id)
)";
const std::string_view kNothingOfItsBags = ", 0::bigint, 0::bigint";
const std::string_view kBatchTables = R"(
  JOIN recipe ON recipe.recipe_id = batch.recipe_id
  JOIN recipe_revision ON recipe_revision.recipe_id = batch.recipe_id
                      AND recipe_revision.revision = batch.revision
  LEFT JOIN LATERAL (
    WITH RECURSIVE part (batch_id) AS (
      SELECT bag.batch_id FROM allocation
      JOIN bag ON bag.barcode = allocation.barcode
      WHERE allocation.batch_id = batch.batch_id AND allocation.released_at IS NULL
        AND allocation.source_kind IN ('blendsheet', 'flavorsheet')
      UNION
      SELECT source.batch_id FROM part
      CROSS JOIN LATERAL (
        SELECT bag.batch_id FROM allocation
        JOIN bag ON bag.barcode = allocation.barcode
        WHERE allocation.batch_id = part.batch_id AND allocation.released_at IS NULL
          AND allocation.source_kind IN ('blendsheet', 'flavorsheet')
        OFFSET 0) AS source
    )
    SELECT array_agg(made.batch_id::text ORDER BY made.batch_id) AS ids,
           array_agg(CASE made.kind WHEN 'flavorsheet' THEN 'TRADER_ALLOWED'
                     ELSE coalesce(made.trader_state, '') END ORDER BY made.batch_id)
             AS trader_states
    FROM part JOIN batch AS made ON made.batch_id = part.batch_id) AS parts ON true
)";

// By id, and by the allocations that went into them; an allocation never
// changes its batch, so it needs no lock here.
constexpr std::string_view kWanted = R"(
  FROM (SELECT * FROM unnest($1::uuid[])
        UNION
        SELECT allocation.batch_id
        FROM unnest($2::uuid[]) AS given (allocation_id)
        JOIN allocation ON allocation.allocation_id = given.allocation_id) AS wanted (batch_id)
  JOIN batch ON batch.batch_id = wanted.batch_id
)";
// A bag never changes the batch it came from, so the bag needs no lock here.
constexpr std::string_view kSources = R"(
  FROM batch
  JOIN (SELECT DISTINCT bag.batch_id FROM unnest($1::uuid[]) AS wanted (barcode)
        JOIN bag ON bag.barcode = wanted.barcode) AS source
    ON source.batch_id = batch.batch_id
)";

const db::Statement Batch::kLock = db::Compose({"SELECT", kWanted, R"(
  ORDER BY batch.batch_id
  FOR NO KEY UPDATE OF batch
)"});
const db::Statement Batch::kLoad =
    db::Compose({kBatchColumns, kOfItsBags, kWanted, kBatchTables});

// The decision on the batch must not change while its bags are given away.
const db::Statement Batch::kLockSources = db::Compose({"SELECT", kSources, R"(
  ORDER BY batch.batch_id
  FOR SHARE OF batch
)"});
const db::Statement Batch::kLockSourcesToChange =
    db::Compose({"SELECT", kSources, R"(
  ORDER BY batch.batch_id
  FOR NO KEY UPDATE OF batch
)"});
const db::Statement Batch::kLoadSources =
    db::Compose({kBatchColumns, kNothingOfItsBags, kSources, kBatchTables});

const db::Statement Batch::kInsert{R"(
  INSERT INTO batch (batch_id, kind, recipe_id, revision, batch_number, in_grams,
    opening_grams, out_grams, out_bags, out_tolerance_ppm, version, opened_by,
    opened_by_username, opened_by_role, opened_at, occurred_at, changed_at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
    $11::bigint[], $12::text[], $13::text[], $14::text[], $15::timestamptz[],
    $16::timestamptz[], $17::timestamptz[])
)"};

const db::Statement Batch::kUpdate{R"(
  UPDATE batch SET state = fresh.state, trader_state = nullif(fresh.trader_state, ''),
    trader_changed_at = fresh.trader_changed_at, in_grams = fresh.in_grams,
    opening_grams = fresh.opening_grams, out_grams = fresh.out_grams,
    out_bags = fresh.out_bags, version = fresh.version,
    completed_by = fresh.completed_by,
    completed_by_username = fresh.completed_by_username,
    completed_by_role = fresh.completed_by_role, completed_at = fresh.completed_at,
    changed_at = fresh.changed_at
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[],
              $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::text[],
              $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[])
    AS fresh (batch_id, state, trader_state, trader_changed_at, in_grams,
              opening_grams, out_grams, out_bags, version, completed_by,
              completed_by_username, completed_by_role, completed_at, changed_at)
  WHERE batch.batch_id = fresh.batch_id
)"};

constexpr std::string_view kWantedBatches = R"(
  WITH RECURSIVE made (origin, batch_id) AS (
    SELECT batch_id, batch_id FROM unnest($1::uuid[]) AS wanted (batch_id)
)";
// An allocation never changes its batch.
constexpr std::string_view kTargetsOfAllocations = R"(
  WITH RECURSIVE made (origin, batch_id) AS (
    SELECT DISTINCT allocation.batch_id, allocation.batch_id
    FROM unnest($1::uuid[]) AS wanted (allocation_id)
    JOIN allocation ON allocation.allocation_id = wanted.allocation_id
    WHERE allocation.batch_id IS NOT NULL
)";
constexpr std::string_view kDepartures = R"(
    UNION
    SELECT made.origin, next.batch_id
    FROM made
    CROSS JOIN LATERAL (
      SELECT allocation.batch_id FROM bag
      JOIN allocation ON allocation.barcode = bag.barcode
      WHERE bag.batch_id = made.batch_id AND allocation.batch_id IS NOT NULL
        AND allocation.released_at IS NULL
      OFFSET 0) AS next
  )
  SELECT made.origin, bool_or(
    EXISTS (SELECT FROM bag
            WHERE bag.batch_id = made.batch_id AND bag.status = 'DISPATCHED')
    OR EXISTS (SELECT FROM bag
               JOIN allocation ON allocation.barcode = bag.barcode
               JOIN shipment ON shipment.request_code = allocation.request_code
                            AND shipment.shipment_code = allocation.shipment_code
               WHERE bag.batch_id = made.batch_id AND allocation.released_at IS NULL
                 AND shipment.dispatched))
  FROM made
  GROUP BY made.origin
)";
const db::Statement BatchDeparture::kLoad =
    db::Compose({kWantedBatches, kDepartures});
const db::Statement BatchDeparture::kLoadOfTargets =
    db::Compose({kTargetsOfAllocations, kDepartures});

const db::Statement Measurement::kInsert{R"(
  INSERT INTO measurement (batch_id, measurement_id, humidity_basis_points,
    density_grams_per_cubic_metre, remarks, measured_by, measured_by_username,
    measured_by_role, occurred_at, recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[],
    $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[],
    $11::text[])
)"};

const db::Statement TraderDecision::kInsert{R"(
  INSERT INTO trader_decision (batch_id, decision_id, from_state, to_state, remarks,
    decided_by, decided_by_username, decided_by_role, occurred_at, recorded_at,
    correlation_id)
  SELECT batch_id, decision_id, nullif(from_state, ''), to_state, remarks, decided_by,
    decided_by_username, decided_by_role, occurred_at, recorded_at, correlation_id
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
              $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[])
    AS fresh (batch_id, decision_id, from_state, to_state, remarks, decided_by,
              decided_by_username, decided_by_role, occurred_at, recorded_at,
              correlation_id)
)"};

namespace {

void SetActor(const std::string& subject, const std::string& username,
              options::v1::Role role, common::v1::Actor* proto) {
  proto->set_subject(subject);
  proto->set_username(username);
  proto->set_role(role);
}

}  // namespace

v1::Clearance Batch::Clearance() const {
  bool waiting = false;
  const auto hear = [&waiting](v1::TraderState state) {
    if (state != v1::TRADER_STATE_TRADER_ALLOWED) waiting = true;
    return state == v1::TRADER_STATE_TRADER_BLOCKED;
  };
  if (hear(Judged())) return v1::CLEARANCE_BLOCKED;
  for (const std::string& text : part_trader_states) {
    if (hear(db::EnumFromText<v1::TraderState>(text)))
      return v1::CLEARANCE_BLOCKED;
  }
  return waiting ? v1::CLEARANCE_WAITING : v1::CLEARANCE_CLEARED;
}

v1::TraderState Batch::Judged() const {
  return kind == v1::MATERIAL_KIND_FLAVORSHEET ? v1::TRADER_STATE_TRADER_ALLOWED
                                               : trader_state;
}

void Batch::TakeIn(const Batch& part) {
  const auto take = [this](const std::string& id, std::string state) {
    if (std::find(part_ids.begin(), part_ids.end(), id) != part_ids.end())
      return;
    part_ids.push_back(id);
    part_trader_states.push_back(std::move(state));
  };
  take(part.batch_id.ToString(), std::string(db::EnumText(part.Judged())));
  for (size_t i = 0; i < part.part_ids.size(); ++i)
    take(part.part_ids[i], part.part_trader_states[i]);
}

bool Batch::Contains(const Batch& part) const {
  return std::find(part_ids.begin(), part_ids.end(),
                   part.batch_id.ToString()) != part_ids.end();
}

void Batch::HearOf(const Batch& blend) {
  const auto found =
      std::find(part_ids.begin(), part_ids.end(), blend.batch_id.ToString());
  if (found == part_ids.end()) return;
  part_trader_states[static_cast<size_t>(found - part_ids.begin())] =
      db::EnumText(blend.trader_state);
}

// As the table's constraint has it: in two steps, so that nothing overflows.
int64_t Batch::OutLimitGrams() const {
  constexpr int64_t kMillion = 1'000'000;
  return in_grams + in_grams / kMillion * out_tolerance_ppm +
         in_grams % kMillion * out_tolerance_ppm / kMillion;
}

std::string Batch::Name() const {
  return absl::StrCat(code, "/", batch_number);
}

v1::Batch Batch::Shown() const {
  v1::Batch proto;
  proto.set_batch_id(batch_id.ToString());
  proto.set_kind(kind);
  proto.set_recipe_id(recipe_id.ToString());
  proto.set_revision(revision);
  proto.set_recipe_number(recipe_number);
  proto.set_code(code);
  proto.set_batch_number(batch_number);
  proto.set_state(state);
  proto.set_trader_state(trader_state);
  proto.set_clearance(Clearance());
  proto.set_planned_grams(planned_grams);
  proto.set_blend_in_grams(in_grams);
  proto.set_out_grams(out_grams);
  proto.set_remaining_grams(remaining_grams);
  proto.set_bag_count(out_bags);
  *proto.mutable_opened_at() = ToProto(opened_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  SetActor(opened_by, opened_by_username, opened_by_role,
           proto.mutable_opened_by());
  if (completed_at.has_value())
    *proto.mutable_completed_at() = ToProto(*completed_at);
  if (trader_changed_at.has_value()) {
    *proto.mutable_trader_changed_at() = ToProto(*trader_changed_at);
  }
  return proto;
}

v1::Measurement Measurement::Shown() const {
  v1::Measurement proto;
  proto.set_measurement_id(measurement_id.ToString());
  proto.set_humidity_basis_points(humidity_basis_points);
  proto.set_density_grams_per_cubic_metre(density_grams_per_cubic_metre);
  proto.set_remarks(remarks);
  *proto.mutable_recorded_at() = ToProto(recorded_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  SetActor(measured_by, measured_by_username, measured_by_role,
           proto.mutable_actor());
  return proto;
}

v1::TraderDecision TraderDecision::Shown() const {
  v1::TraderDecision proto;
  proto.set_from_state(from_state);
  proto.set_to_state(to_state);
  proto.set_remarks(remarks);
  *proto.mutable_recorded_at() = ToProto(recorded_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  SetActor(decided_by, decided_by_username, decided_by_role,
           proto.mutable_actor());
  return proto;
}

}  // namespace mtp::processing
