#include "processing_service/item_rows.h"

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"

namespace mtp::processing {

const std::string_view kItemColumns = R"(
  SELECT item.item_id, item.kind, item.item_code, item.created_at, item.occurred_at,
    item.bag_limit, item.gram_limit, item.received_bags, item.received_grams,
    item.version, item.created_by, item.created_by_username, item.created_by_role,
    item.changed_at, coalesce(tealine.invoice, ''), coalesce(tealine.grade, ''),
    coalesce(tealine.garden, ''), coalesce(tealine.broker, ''),
    coalesce(tealine.bag_grams, 0), coalesce(herbline.name, ''),
    coalesce(herbline.expected_grams, 0),
    coalesce(tealine.purchase_order, herbline.purchase_order, ''),
    coalesce(blendbalance.blend_code, ''), coalesce(blendbalance.transfer_id, '')
)";
const std::string_view kItemRemaining = R"(,
    (SELECT coalesce(sum(bag.remaining_grams), 0)::bigint FROM bag
     WHERE bag.item_id = item.item_id AND bag.status <> 'DISPATCHED')
)";
const std::string_view kItemRemainingNotAsked = ", 0::bigint";
const std::string_view kItemTables = R"(,
    (SELECT coalesce(max(bag.bag_number), 0) FROM bag
     WHERE bag.item_id = item.item_id)
  FROM item
  LEFT JOIN tealine ON tealine.item_id = item.item_id
  LEFT JOIN herbline ON herbline.item_id = item.item_id
  LEFT JOIN blendbalance ON blendbalance.item_id = item.item_id
)";
constexpr std::string_view kWanted = R"(
  JOIN unnest($1::uuid[]) AS wanted (item_id) ON wanted.item_id = item.item_id
)";

const db::Statement Item::kLock{R"(
  SELECT FROM item JOIN unnest($1::uuid[]) AS wanted (item_id) USING (item_id)
  ORDER BY item_id
  FOR NO KEY UPDATE OF item
)"};

const db::Statement Item::kLockToRemove{R"(
  SELECT FROM item JOIN unnest($1::uuid[]) AS wanted (item_id) USING (item_id)
  ORDER BY item_id
  FOR UPDATE OF item
)"};

const db::Statement Item::kLoad =
    db::Compose({kItemColumns, kItemRemainingNotAsked, kItemTables, kWanted});

// A bag never changes the item it came from, so the bag needs no lock here.
constexpr std::string_view kOfBags = R"(
  JOIN (SELECT DISTINCT bag.item_id FROM unnest($1::uuid[]) AS wanted (barcode)
        JOIN bag ON bag.barcode = wanted.barcode) AS source
    ON source.item_id = item.item_id
)";
const db::Statement Item::kLockOfBags =
    db::Compose({"SELECT FROM item", kOfBags, R"(
  ORDER BY item.item_id
  FOR NO KEY UPDATE OF item
)"});
const db::Statement Item::kLoadOfBags =
    db::Compose({kItemColumns, kItemRemainingNotAsked, kItemTables, kOfBags});

const db::Statement Item::kLoadNamed =
    db::Compose({kItemColumns, kItemRemainingNotAsked, kItemTables, kWanted, R"(
  ORDER BY item.item_id
  FOR KEY SHARE OF item
)"});

const db::Statement Item::kInsert{R"(
  WITH fresh AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[],
      $5::timestamptz[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
      $10::bigint[], $11::text[], $12::text[], $13::text[], $14::timestamptz[],
      $15::text[], $16::text[], $17::text[], $18::text[], $19::bigint[], $20::text[],
      $21::bigint[], $22::text[], $23::text[], $24::text[])
    AS fresh (item_id, kind, item_code, created_at, occurred_at, bag_limit, gram_limit,
      received_bags, received_grams, version, created_by, created_by_username,
      created_by_role, changed_at, invoice, grade, garden, broker, bag_grams, name,
      expected_grams, purchase_order, blend_code, transfer_id)
  ), made_tealine AS (
    INSERT INTO tealine (item_id, invoice, grade, garden, broker, purchase_order, bag_grams)
    SELECT item_id, invoice, grade, garden, broker, purchase_order, bag_grams
    FROM fresh WHERE kind = 'tealine'
  ), made_herbline AS (
    INSERT INTO herbline (item_id, name, purchase_order, expected_grams)
    SELECT item_id, name, purchase_order, expected_grams
    FROM fresh WHERE kind = 'herbline'
  ), made_blendbalance AS (
    INSERT INTO blendbalance (item_id, blend_code, transfer_id)
    SELECT item_id, blend_code, transfer_id FROM fresh WHERE kind = 'blendbalance'
  )
  INSERT INTO item (item_id, kind, item_code, created_at, occurred_at, bag_limit,
    gram_limit, received_bags, received_grams, version, created_by, created_by_username,
    created_by_role, changed_at)
  SELECT item_id, kind, item_code, created_at, occurred_at, bag_limit, gram_limit,
    received_bags, received_grams, version, created_by, created_by_username,
    created_by_role, changed_at
  FROM fresh
)"};

// Receipts change the totals alone: what is said of the lot is written only
// where it differs.
const db::Statement Item::kUpdate{R"(
  WITH fresh AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[],
      $5::bigint[], $6::bigint[], $7::timestamptz[], $8::text[], $9::text[], $10::text[],
      $11::text[], $12::bigint[], $13::text[], $14::bigint[], $15::text[], $16::text[],
      $17::text[])
    AS fresh (item_id, bag_limit, gram_limit, received_bags, received_grams, version,
      changed_at, invoice, grade, garden, broker, bag_grams, name, expected_grams,
      purchase_order, blend_code, transfer_id)
  ), changed_tealine AS (
    UPDATE tealine SET invoice = fresh.invoice, grade = fresh.grade,
      garden = fresh.garden, broker = fresh.broker, bag_grams = fresh.bag_grams,
      purchase_order = fresh.purchase_order
    FROM fresh
    WHERE tealine.item_id = fresh.item_id
      AND (tealine.invoice, tealine.grade, tealine.garden, tealine.broker,
           tealine.bag_grams, tealine.purchase_order)
       <> (fresh.invoice, fresh.grade, fresh.garden, fresh.broker, fresh.bag_grams,
           fresh.purchase_order)
  ), changed_herbline AS (
    UPDATE herbline SET name = fresh.name, expected_grams = fresh.expected_grams,
      purchase_order = fresh.purchase_order
    FROM fresh
    WHERE herbline.item_id = fresh.item_id
      AND (herbline.name, herbline.expected_grams, herbline.purchase_order)
       <> (fresh.name, fresh.expected_grams, fresh.purchase_order)
  ), changed_blendbalance AS (
    UPDATE blendbalance SET blend_code = fresh.blend_code, transfer_id = fresh.transfer_id
    FROM fresh
    WHERE blendbalance.item_id = fresh.item_id
      AND (blendbalance.blend_code, blendbalance.transfer_id)
       <> (fresh.blend_code, fresh.transfer_id)
  )
  UPDATE item SET bag_limit = fresh.bag_limit, gram_limit = fresh.gram_limit,
    received_bags = fresh.received_bags, received_grams = fresh.received_grams,
    version = fresh.version, changed_at = fresh.changed_at
  FROM fresh
  WHERE item.item_id = fresh.item_id
)"};

const db::Statement Item::kDelete{R"(
  WITH gone AS (SELECT * FROM unnest($1::uuid[]) AS gone (item_id)
  ), gone_tealine AS (
    DELETE FROM tealine USING gone WHERE tealine.item_id = gone.item_id
  ), gone_herbline AS (
    DELETE FROM herbline USING gone WHERE herbline.item_id = gone.item_id
  ), gone_blendbalance AS (
    DELETE FROM blendbalance USING gone WHERE blendbalance.item_id = gone.item_id
  )
  DELETE FROM item USING gone WHERE item.item_id = gone.item_id
)"};

const db::Statement ItemStock::kLoad{R"(
  SELECT wanted.item_id,
    (SELECT coalesce(sum(bag.remaining_grams), 0)::bigint FROM bag
     WHERE bag.item_id = wanted.item_id AND bag.status <> 'DISPATCHED')
  FROM unnest($1::uuid[]) AS wanted (item_id)
)"};

const db::Statement ItemUse::kLoad{R"(
  SELECT wanted.item_id,
    EXISTS (SELECT FROM recipe_mixture WHERE recipe_mixture.item_id = wanted.item_id)
  FROM unnest($1::uuid[]) AS wanted (item_id)
)"};

std::string Item::Name() const {
  switch (kind) {
    case v1::MATERIAL_KIND_TEALINE:
      return absl::StrCat(garden, " ", grade, " ", invoice);
    case v1::MATERIAL_KIND_HERBLINE:
      return name;
    default:
      return absl::StrCat(blend_code, " ", transfer_id);
  }
}

v1::Tealine Item::ShownTealine() const {
  v1::Tealine proto;
  proto.set_item_id(item_id.ToString());
  proto.set_item_code(item_code);
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  proto.set_invoice(invoice);
  proto.set_grade(grade);
  proto.set_garden(garden);
  proto.set_broker(broker);
  proto.set_purchase_order(purchase_order);
  proto.set_bag_count(bag_limit.value_or(0));
  proto.set_bag_grams(bag_grams);
  proto.set_received_bag_count(received_bags);
  proto.set_received_grams(received_grams);
  proto.set_remaining_grams(remaining_grams);
  proto.set_etag(Etag());
  return proto;
}

v1::Herbline Item::ShownHerbline() const {
  v1::Herbline proto;
  proto.set_item_id(item_id.ToString());
  proto.set_item_code(item_code);
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  proto.set_name(name);
  proto.set_purchase_order(purchase_order);
  proto.set_expected_grams(expected_grams);
  proto.set_received_bag_count(received_bags);
  proto.set_received_grams(received_grams);
  proto.set_remaining_grams(remaining_grams);
  proto.set_etag(Etag());
  return proto;
}

v1::Blendbalance Item::ShownBlendbalance() const {
  v1::Blendbalance proto;
  proto.set_item_id(item_id.ToString());
  proto.set_item_code(item_code);
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  proto.set_blend_code(blend_code);
  proto.set_transfer_id(transfer_id);
  if (gram_limit.has_value()) proto.set_expected_grams(*gram_limit);
  proto.set_received_bag_count(received_bags);
  proto.set_received_grams(received_grams);
  proto.set_remaining_grams(remaining_grams);
  proto.set_etag(Etag());
  return proto;
}

}  // namespace mtp::processing
