#include "processing_service/stock_rows.h"

namespace mtp::processing {

// Imports are never changed, so they need no lock.
const db::Statement StockImport::kLoad{R"(
  SELECT encode(file_digest, 'hex'), import_id, file_name, stored, row_count,
    bad_row_count, fault_count, net_grams, imported_by, imported_by_username,
    imported_by_role, imported_at, correlation_id
  FROM stock_import
  JOIN unnest($1::text[]) AS wanted (digest) ON file_digest = decode(digest, 'hex')
  WHERE stored
)"};

const db::Statement StockImport::kInsert{R"(
  INSERT INTO stock_import (file_digest, import_id, file_name, stored, row_count,
    bad_row_count, fault_count, net_grams, imported_by, imported_by_username,
    imported_by_role, imported_at, correlation_id)
  SELECT decode(fresh.digest, 'hex'), fresh.import_id, fresh.file_name, fresh.stored,
    fresh.row_count, fresh.bad_row_count, fresh.fault_count, fresh.net_grams,
    fresh.imported_by, fresh.imported_by_username, fresh.imported_by_role,
    fresh.imported_at, fresh.correlation_id
  FROM unnest($1::text[], $2::uuid[], $3::text[], $4::boolean[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[],
    $12::timestamptz[], $13::text[])
    AS fresh (digest, import_id, file_name, stored, row_count, bad_row_count,
      fault_count, net_grams, imported_by, imported_by_username, imported_by_role,
      imported_at, correlation_id)
)"};

const db::Statement StockFault::kInsert{R"(
  INSERT INTO stock_import_fault (import_id, fault_number, line, column_name, value,
    reason, message)
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[],
    $6::text[], $7::text[])
)"};

// --- items by code

constexpr std::string_view kNewest = R"(
  WHERE item.item_id IN (
    SELECT newest.item_id
    FROM unnest($1::text[], $2::text[]) AS wanted (kind, code)
    CROSS JOIN LATERAL (
      SELECT item.item_id FROM item
      WHERE item.item_code = wanted.code AND item.kind = wanted.kind
      ORDER BY item.created_at DESC
      LIMIT 1) AS newest)
  ORDER BY item.item_id
  FOR NO KEY UPDATE OF item
)";

// The load locks, too: an item that came between the two is the newest then.
const db::Statement kLockNewestItems =
    db::Compose({"SELECT FROM item", kNewest});
const db::Statement kLoadNewestItems =
    db::Compose({kItemColumns, kItemRemainingNotAsked, kItemTables, kNewest});

// --- batches by number

constexpr std::string_view kNumbered = R"(
  FROM unnest($1::text[], $2::text[], $3::bigint[])
    AS wanted (kind, number, batch_number)
  JOIN recipe AS wanted_recipe ON wanted_recipe.kind = wanted.kind
                              AND wanted_recipe.number = wanted.number
  JOIN batch ON batch.recipe_id = wanted_recipe.recipe_id
            AND batch.batch_number = wanted.batch_number
)";

const db::Statement kLockNumberedBatches = db::Compose({"SELECT", kNumbered, R"(
  ORDER BY batch.batch_id
  FOR NO KEY UPDATE OF batch
)"});
const db::Statement kLoadNumberedBatches =
    db::Compose({kBatchColumns, kOfItsBags, kNumbered, kBatchTables});

// --- what is taken

const db::Statement TakenBarcode::kLoad{R"(
  SELECT bag.barcode
  FROM bag JOIN unnest($1::uuid[]) AS wanted (barcode) USING (barcode)
)"};

const db::Statement TakenBagNumber::kLoad{R"(
  SELECT wanted.kind, wanted.code, wanted.batch_number, wanted.bag_number
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    AS wanted (kind, code, batch_number, bag_number)
  WHERE CASE WHEN wanted.batch_number = 0 THEN EXISTS (
      SELECT FROM bag
      WHERE bag.bag_number = wanted.bag_number AND bag.item_id = (
        SELECT item.item_id FROM item
        WHERE item.item_code = wanted.code AND item.kind = wanted.kind
        ORDER BY item.created_at DESC
        LIMIT 1))
    ELSE EXISTS (
      SELECT FROM recipe
      JOIN batch ON batch.recipe_id = recipe.recipe_id
                AND batch.batch_number = wanted.batch_number
      JOIN bag ON bag.batch_id = batch.batch_id AND bag.bag_number = wanted.bag_number
      WHERE recipe.kind = wanted.kind AND recipe.number = wanted.code) END
)"};

}  // namespace mtp::processing
