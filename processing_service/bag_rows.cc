#include "processing_service/bag_rows.h"

#include "absl/strings/ascii.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "processing_service/errors.h"

namespace mtp::processing {

const std::string_view kBagColumns = R"(
  SELECT bag.barcode, bag.kind, bag.item_id, bag.batch_id, bag.location_id,
    bag.bag_number, bag.gross_grams, bag.tare_grams, bag.net_grams,
    bag.remaining_grams, bag.status, bag.dispatched_by_hand, bag.held,
    bag.held_reason, bag.reference, bag.opening_stock, bag.received_by,
    bag.received_by_username, bag.received_by_role, bag.received_at, bag.occurred_at,
    source.code, source.name, location.name,
    (SELECT coalesce(sum(grams), 0)::bigint FROM write_off
     WHERE write_off.barcode = bag.barcode),
    (SELECT coalesce(sum(net_grams), 0)::bigint FROM bag_return
     WHERE bag_return.barcode = bag.barcode AND request_code IS NOT NULL)
)";

// The tables of the three kinds of items are read in the select list: with more
// than eight tables in FROM the planner no longer looks at every order, and may
// read all bags to find one.
const std::string_view kBagJoins = R"(
  JOIN location ON location.location_id = bag.location_id
  LEFT JOIN item ON item.item_id = bag.item_id
  LEFT JOIN batch ON batch.batch_id = bag.batch_id
  LEFT JOIN recipe ON recipe.recipe_id = batch.recipe_id
  LEFT JOIN recipe_revision ON recipe_revision.recipe_id = batch.recipe_id
                           AND recipe_revision.revision = batch.revision
  CROSS JOIN LATERAL (SELECT
    coalesce(item.item_code, recipe.number) AS code,
    CASE bag.kind
      WHEN 'tealine' THEN
        (SELECT garden || ' ' || grade || ' ' || invoice FROM tealine
         WHERE tealine.item_id = bag.item_id)
      WHEN 'herbline' THEN
        (SELECT herbline.name FROM herbline WHERE herbline.item_id = bag.item_id)
      WHEN 'blendbalance' THEN
        (SELECT blend_code || ' ' || transfer_id FROM blendbalance
         WHERE blendbalance.item_id = bag.item_id)
      ELSE recipe_revision.blend_code || recipe_revision.flavor_code || '/' ||
           batch.batch_number
    END AS name) AS source
)";

// By barcode; by the allocations that took from them; those in shipments; those
// in shipments that have not left and have more than is wanted. An allocation
// never changes its bag, and comes and goes under the lock of its shipment,
// which is held by then.
constexpr std::string_view kWanted = R"(
  FROM (
    SELECT * FROM unnest($1::uuid[])
    UNION
    SELECT allocation.barcode
    FROM unnest($2::uuid[]) AS given (allocation_id)
    JOIN allocation ON allocation.allocation_id = given.allocation_id
    UNION
    SELECT taken.barcode
    FROM unnest($3::bigint[], $4::bigint[]) AS shipped (request_code, shipment_code)
    CROSS JOIN LATERAL (
      SELECT barcode FROM allocation
      WHERE allocation.request_code = shipped.request_code
        AND allocation.shipment_code = shipped.shipment_code
        AND allocation.released_at IS NULL
      OFFSET 0) AS taken
    UNION
    SELECT taken.barcode
    FROM unnest($5::bigint[], $6::bigint[], $7::bigint[])
      AS cut (request_code, shipment_code, wanted_grams)
    CROSS JOIN LATERAL (
      SELECT allocation.barcode FROM shipment
      JOIN allocation ON allocation.request_code = cut.request_code
                     AND allocation.shipment_code = cut.shipment_code
      WHERE shipment.request_code = cut.request_code
        AND shipment.shipment_code = cut.shipment_code
        AND NOT shipment.dispatched
        AND shipment.allocated_grams > cut.wanted_grams
        AND allocation.released_at IS NULL
      OFFSET 0) AS taken
  ) AS wanted (barcode)
  JOIN bag ON bag.barcode = wanted.barcode
)";

const db::Statement Bag::kLock = db::Compose({"SELECT", kWanted, R"(
  ORDER BY bag.barcode
  FOR NO KEY UPDATE OF bag
)"});
const db::Statement Bag::kLoad = db::Compose({kBagColumns, kWanted, kBagJoins});

const db::Statement Bag::kRead = db::Compose({kBagColumns, R"(
  FROM unnest($1::uuid[]) AS wanted (barcode)
  JOIN bag ON bag.barcode = wanted.barcode)",
                                              kBagJoins});

const db::Statement Bag::kInsert{R"(
  INSERT INTO bag (barcode, kind, item_id, batch_id, location_id, bag_number,
    gross_grams, tare_grams, net_grams, remaining_grams, status, reference,
    opening_stock, received_by, received_by_username, received_by_role, received_at,
    occurred_at)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[],
    $12::text[], $13::boolean[], $14::text[], $15::text[], $16::text[],
    $17::timestamptz[], $18::timestamptz[])
)"};

const db::Statement Bag::kUpdate{R"(
  UPDATE bag SET location_id = fresh.location_id, gross_grams = fresh.gross_grams,
    tare_grams = fresh.tare_grams, net_grams = fresh.net_grams,
    remaining_grams = fresh.remaining_grams, status = fresh.status,
    dispatched_by_hand = fresh.dispatched_by_hand, held = fresh.held,
    held_reason = fresh.held_reason
  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[],
              $6::bigint[], $7::text[], $8::boolean[], $9::boolean[], $10::text[])
    AS fresh (barcode, location_id, gross_grams, tare_grams, net_grams,
              remaining_grams, status, dispatched_by_hand, held, held_reason)
  WHERE bag.barcode = fresh.barcode
)"};

const db::Statement BagMove::kInsert{R"(
  INSERT INTO bag_move (barcode, from_location_id, to_location_id, moved_by,
    moved_by_username, moved_by_role, occurred_at, recorded_at, correlation_id)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],
    $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[])
)"};

absl::Status Bag::CanGive(int64_t grams) const {
  if (gone()) return errors::BagDispatched(*this);
  if (held) return errors::BagOnHold(*this);
  if (grams > remaining_grams && !Planted("balance-not-checked"))
    return errors::InsufficientRemaining(*this, grams);
  return absl::OkStatus();
}

// Gone by hand stays gone, whatever comes back to it from a batch.
void Bag::Settle(int64_t left_grams) {
  if (dispatched_by_hand) {
    status = v1::BAG_STATUS_DISPATCHED;
  } else if (remaining_grams == net_grams) {
    status = v1::BAG_STATUS_ACCEPTED;
  } else if (remaining_grams > 0) {
    status = v1::BAG_STATUS_IN_PROCESS;
  } else {
    status = left_grams > 0 && left_grams == AllocatedGrams()
                 ? v1::BAG_STATUS_DISPATCHED
                 : v1::BAG_STATUS_PROCESSED;
  }
}

void Bag::Take(int64_t grams) {
  remaining_grams -=
      Planted("balance-not-checked") ? std::min(grams, remaining_grams) : grams;
  // What is taken now has not left.
  Settle(/*left_grams=*/0);
}

void Bag::GiveBack(int64_t grams) {
  remaining_grams += grams;
  Settle(/*left_grams=*/0);
}

v1::Bag Bag::Shown() const {
  v1::Bag proto;
  proto.set_barcode(barcode.ToString());
  proto.set_kind(kind);
  if (item_id.has_value()) proto.set_item_id(item_id->ToString());
  if (batch_id.has_value()) proto.set_batch_id(batch_id->ToString());
  proto.set_source_code(source_code);
  proto.set_source_name(source_name);
  proto.set_location_id(location_id.ToString());
  proto.set_location(location);
  proto.set_gross_grams(gross_grams);
  proto.set_tare_grams(tare_grams);
  proto.set_net_grams(net_grams);
  proto.set_remaining_grams(remaining_grams);
  proto.set_allocated_grams(AllocatedGrams());
  proto.set_written_off_grams(written_off_grams);
  proto.set_returned_grams(returned_grams);
  proto.set_status(status);
  proto.set_bag_number(bag_number);
  proto.set_reference(reference);
  *proto.mutable_received_at() = ToProto(received_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  proto.set_on_hold(held);
  proto.set_opening_stock(opening_stock);
  proto.mutable_received_by()->set_subject(received_by);
  proto.mutable_received_by()->set_username(received_by_username);
  proto.mutable_received_by()->set_role(received_by_role);
  return proto;
}

bool Barcode::Fits(MaterialKind kind) const {
  if (prefix.empty()) return true;
  return absl::AsciiStrToLower(std::string(prefix)) == db::EnumText(kind);
}

Barcode ParseBarcode(std::string_view text) {
  Barcode barcode;
  if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    barcode.prefix = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  barcode.uuid = Uuid::Parse(text).value_or(Uuid{});
  return barcode;
}

absl::StatusOr<const Bag*> FindBag(const db::Table<Bag>& bags,
                                   std::string_view barcode_text) {
  const Barcode barcode = ParseBarcode(barcode_text);
  const Bag* bag = bags.Find(barcode.uuid);
  if (bag == nullptr || !barcode.Fits(bag->kind))
    return errors::BagNotFound(barcode_text);
  return bag;
}

}  // namespace mtp::processing
