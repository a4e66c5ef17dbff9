#include "tests/integration/small_seeduwa.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/support/cluster.h"

namespace mtp::tests {
namespace {

constexpr char kRows[] = R"(
  INSERT INTO location (location_id, name, herb_section)
  VALUES ($1, 'Small 1', false), ($2, 'Small 2', false), ($3, 'Small herbs', true);

  INSERT INTO item (item_id, kind, item_code, bag_limit, gram_limit, received_bags,
    received_grams)
  VALUES ($10, 'tealine', 'T', 2, NULL, 1, 50000), ($11, 'herbline', 'H', NULL, NULL, 1, 5000),
         ($12, 'blendbalance', 'B', NULL, 90000, 0, 0);
  INSERT INTO tealine (item_id, invoice, grade, garden, bag_grams)
  VALUES ($10, 'I', 'BOPF', 'Kenmare', 50000);
  INSERT INTO herbline (item_id, name, expected_grams) VALUES ($11, 'Lemongrass', 5000);
  INSERT INTO blendbalance (item_id, blend_code, transfer_id) VALUES ($12, 'BB', 'TR');

  INSERT INTO recipe (recipe_id, kind, number, next_batch_number)
  VALUES ($20, 'blendsheet', 'Small', 2), ($21, 'flavorsheet', 'Small', 2);
  INSERT INTO recipe_revision (recipe_id, revision, kind, blend_code, flavor_code, total_grams,
    batch_count, opened_batches)
  VALUES ($20, 1, 'blendsheet', 'BB', '', 50000, 2, 1),
         ($21, 1, 'flavorsheet', '', 'FF', 5000, 1, 1);
  INSERT INTO recipe_mixture (recipe_id, revision, mixture_number, kind, ingredient_kind,
    item_id, source_recipe_id, bags, grams)
  VALUES ($20, 1, 1, 'blendsheet', 'tealine', $10, NULL, 1, NULL),
         ($21, 1, 1, 'flavorsheet', 'blendsheet', NULL, $20, NULL, 5000);

  INSERT INTO batch (batch_id, kind, recipe_id, revision, batch_number, trader_state,
    trader_changed_at, in_grams, out_grams, out_bags)
  VALUES ($30, 'blendsheet', $20, 1, 1, 'TRADER_PENDING', now(), 30000, 20000, 1),
         ($31, 'flavorsheet', $21, 1, 1, NULL, NULL, 0, 0, 0);
  INSERT INTO measurement (batch_id, measurement_id, humidity_basis_points,
    density_grams_per_cubic_metre)
  VALUES ($30, $32, 650, 325000);
  INSERT INTO trader_decision (batch_id, decision_id, from_state, to_state)
  VALUES ($30, $33, NULL, 'TRADER_PENDING');

  INSERT INTO bag (barcode, kind, item_id, batch_id, location_id, bag_number, gross_grams,
    tare_grams, net_grams, remaining_grams, status, dispatched_by_hand, held, held_reason)
  VALUES ($40, 'tealine', $10, NULL, $1, 1, 50500, 500, 50000, 19999, 'IN_PROCESS', false,
          true, 'taint'),
         ($41, 'herbline', $11, NULL, $3, 1, 5100, 100, 5000, 5000, 'DISPATCHED', true, false, ''),
         ($42, 'blendsheet', NULL, $30, $1, 1, 20500, 500, 20000, 13100, 'IN_PROCESS', false,
          false, '');
  INSERT INTO bag_move (barcode, to_location_id) VALUES ($40, $1), ($41, $3), ($42, $1);

  INSERT INTO stock_import (import_id, file_digest, stored, row_count, fault_count)
  VALUES ($50, sha256('small'), true, 1, 0), ($51, sha256('small too'), false, 1, 1);
  INSERT INTO stock_import_fault (import_id, fault_number, line, reason) VALUES ($51, 1, 1, 'X');
  INSERT INTO stocktake (stocktake_id, location_id, reason, counted_bag_count,
    agreeing_bag_count, difference_grams)
  VALUES ($52, $1, 'end of the month', 1, 1, 0);
  INSERT INTO stocktake_line (stocktake_id, barcode, finding, book_grams, counted_grams)
  VALUES ($52, $40, 'AGREES', 1, 1);
  INSERT INTO bag_correction (barcode, correction_id, old_gross_grams, old_tare_grams,
    old_net_grams, new_gross_grams, new_tare_grams, new_net_grams, reason, stocktake_id)
  VALUES ($40, 1, 50400, 500, 49900, 50500, 500, 50000, 'scale', $52);
  INSERT INTO write_off (barcode, write_off_id, grams, reason, stocktake_id)
  VALUES ($40, $53, 1, 'SAMPLE', $52);

  INSERT INTO shipment (request_code, shipment_code, order_code, product_name, quantity_grams,
    allocated_grams, status, accepted, dispatched, vehicle, dispatched_at, dispatched_grams,
    dispatched_bags)
  VALUES (900000001, 1, 'SO', 'Tea', 10000, 5000, 'SHIPMENT_ACCEPTED', true, true, 'LX', now(),
          5000, 1),
         (900000002, 1, 'SO', 'Tea', 10000, 2000, 'ORDER_REQUESTED', false, false, '', NULL, 0, 0);
  INSERT INTO dispatch_correction (request_code, shipment_code, correction_id, kind,
    old_vehicle, reason)
  VALUES (900000001, 1, $60, 'VEHICLE', 'LX', 'another lorry');

  INSERT INTO allocation (allocation_id, barcode, source_kind, target_kind, batch_id,
    request_code, shipment_code, grams, released_grams, parcelled_grams)
  VALUES ($70, $40, 'tealine', 'blendsheet', $30, NULL, NULL, 30000, 1, 0),
         ($71, $42, 'blendsheet', 'shipment', NULL, 900000001, 1, 5000, 0, 100),
         ($72, $42, 'blendsheet', 'shipment', NULL, 900000002, 1, 2000, 0, 0);
  INSERT INTO allocation_release (allocation_id, grams, reason, moved_to)
  VALUES ($70, 1, 'MOVED', $71);
  INSERT INTO bag_dispatch (barcode, remaining_grams, reason) VALUES ($41, 5000, 'sold');
  INSERT INTO bag_return (barcode, return_id, request_code, shipment_code, net_grams,
    location_id)
  VALUES ($42, $61, 900000001, 1, 100, $1);
  INSERT INTO hold (hold_id, reason) VALUES ($62, 'taint');
  INSERT INTO hold_bag (barcode, hold_id) VALUES ($40, $62);

  INSERT INTO schedule (schedule_code, schedule_date, order_code, shift, section,
    quantity_grams, parcel_count, parcel_grams)
  VALUES (900000001, '2026-11-09', 'SO', 'DAY', 'Line 4', 1000, 1, 100);
  INSERT INTO parcel (parcel_id, allocation_id, schedule_code, grams)
  VALUES ($63, $71, 900000001, 100);
  INSERT INTO revoked_user (subject, disabled, revoked_before) VALUES ($64, false, now());
  INSERT INTO grandpass_key (key_id, jwk) VALUES ('k', '{"kid": "k"}');

  INSERT INTO sync.outbox (kind, key, version) VALUES ('seal', '900000001', 1);
  INSERT INTO sync.dead_letter (kind, key, version, epoch, state, reason)
  VALUES ('shipment', '900000001/1', 1, 1, '', 'X');
  INSERT INTO sync.exception (exception_id, kind, things, must_act, acting_side, dedupe_key)
  VALUES ($80, 'X', '{shipment:1/1}', 'MASTER_ADMIN', 'ORDER', 'small');
  INSERT INTO sync.reconcile_run (run_id, cause) VALUES ($81, 'ON_DEMAND');
  INSERT INTO sync.drift (drift_id, run_id, kind, key, owner, cause)
  VALUES ($82, $81, 'shipment', '1/1', 'ORDER', 'COPY_MISSING');
  INSERT INTO sync.idempotency_key (request_id, caller, method, content_digest, reply)
  VALUES ($83, 'me', 'm', '', '');
  INSERT INTO audit.entry (caller, method, entity_kind, entity_key, action)
  VALUES ('me', 'm', 'bag', 'x', 'made');
  INSERT INTO audit.seal (seal_number, epoch, last_entry_id, entry_count, previous_digest,
    digest)
  VALUES (900000001, 1, 900000001, 1, sha256('a'), sha256('b'));
  INSERT INTO audit.peer_seal (seal_number, epoch, last_entry_id, entry_count,
    previous_digest, digest, sealed_at)
  VALUES (900000001, 1, 900000001, 1, sha256('a'), sha256('b'), now());
)";

// The statement with ids for its numbers.
std::string WithIds(const std::string& statement) {
  std::string sql;
  for (size_t i = 0; i < statement.size(); ++i) {
    size_t end = i + 1;
    while (end < statement.size() &&
           absl::ascii_isdigit(static_cast<unsigned char>(statement[end]))) {
      ++end;
    }
    if (statement[i] != '$' || end == i + 1) {
      sql.push_back(statement[i]);
      continue;
    }
    absl::StrAppend(&sql, "'00000000-0000-7000-8000-",
                    absl::Dec(std::stoi(statement.substr(i + 1, end - i - 1)),
                              absl::kZeroPad12),
                    "'::uuid");
    i = end - 1;
  }
  return sql;
}

}  // namespace

std::string UnusedDatabase(common::v1::Side side, const std::string& role) {
  static auto* names = new std::map<common::v1::Side, std::string>;
  std::string& name = (*names)[side];
  if (name.empty()) name = Cluster::Shared().NewDatabase(side);
  return Cluster::Shared().Conninfo(name, role);
}

SmallSeeduwa::SmallSeeduwa(const std::string& role)
    : draft_(UnusedDatabase(common::v1::SIDE_PROCESSING, role)) {
  for (const auto statement : absl::StrSplit(kRows, ";\n")) {
    const std::string sql(absl::StripAsciiWhitespace(statement));
    if (!sql.empty()) Do(sql);
  }
}

Sql::Rows SmallSeeduwa::Do(const std::string& statement) {
  return draft_.Do(WithIds(statement));
}

std::string SmallSeeduwa::Refusal(const std::string& statement) {
  return draft_.Refusal(WithIds(statement));
}

std::string SmallSeeduwa::CopyRefusal(
    const std::string& table, const std::map<std::string, std::string>& values,
    const std::string& where) {
  std::string named = "''";
  for (const auto& [name, value] : values)
    absl::StrAppend(&named, ", '", name, "'");
  std::vector<std::string> columns;
  std::vector<std::string> selected;
  for (const auto& row : Do(absl::StrCat(
           "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '",
           table,
           "'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = "
           "'' AND (attidentity = '' OR attname IN (",
           named, ")) ORDER BY attnum"))) {
    columns.push_back(row[0]);
    const auto value = values.find(row[0]);
    selected.push_back(value == values.end() ? row[0] : value->second);
  }
  return Refusal(absl::StrCat(
      "INSERT INTO ", table, " (", absl::StrJoin(columns, ", "),
      ") OVERRIDING SYSTEM VALUE SELECT ", absl::StrJoin(selected, ", "),
      " FROM ", table, " WHERE ", where, " LIMIT 1"));
}

}  // namespace mtp::tests
