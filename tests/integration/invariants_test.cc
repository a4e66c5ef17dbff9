#include <catch2/catch.hpp>
#include <set>

#include "tests/integration/small_seeduwa.h"

namespace mtp::tests {
namespace {

// What no constraint sees (it spans rows), and what it should not let pass: the
// statement breaks the invariant as somebody could who owns the tables.
struct Break {
  std::string invariant;
  std::string statement;
  // A constraint that has to go first.
  std::string constraint;
  std::string table;
  // What has to be so before.
  std::string before;
};

const std::vector<Break>& Breaks() {
  static const std::vector<Break> breaks = {
      {"invariant_bag_weight",
       "INSERT INTO allocation (allocation_id, barcode, source_kind, "
       "target_kind, batch_id, grams) "
       "VALUES ($99, $40, 'tealine', 'blendsheet', $30, 1000000)"},
      {"invariant_bag_status",
       "UPDATE bag SET remaining_grams = 0, status = 'DISPATCHED' WHERE "
       "barcode = $40"},
      {"invariant_herb_rule",
       "UPDATE bag SET location_id = $1 WHERE barcode = $41",
       "bag_lies_where_its_kind_may", "bag"},
      {"invariant_bag_place",
       "UPDATE bag SET location_id = $2 WHERE barcode = $40"},
      {"invariant_bag_held", "UPDATE bag SET held = false WHERE barcode = $40"},
      {"invariant_bag_correction",
       "UPDATE bag SET gross_grams = gross_grams + 1, tare_grams = tare_grams "
       "+ 1 WHERE barcode = $40"},
      {"invariant_item_received",
       "UPDATE item SET received_grams = received_grams + 1 WHERE item_id = "
       "$10"},
      {"invariant_item_has_detail",
       "INSERT INTO item (item_id, kind, item_code) VALUES ($99, 'herbline', "
       "'H2')"},
      {"invariant_recipe_batches",
       "UPDATE recipe_revision SET opened_batches = 2 WHERE recipe_id = $20"},
      {"invariant_recipe_revision",
       "UPDATE recipe SET next_batch_number = 3 WHERE recipe_id = $20"},
      {"invariant_batch_in",
       "UPDATE batch SET in_grams = in_grams + 1 WHERE batch_id = $30"},
      {"invariant_batch_out",
       "UPDATE batch SET out_grams = out_grams - 1 WHERE batch_id = $30"},
      {"invariant_batch_trader_state",
       "UPDATE batch SET trader_state = 'TRADER_ALLOWED' WHERE batch_id = $30"},
      {"invariant_batch_is_measured",
       "INSERT INTO batch (batch_id, kind, recipe_id, revision, batch_number, "
       "trader_state, trader_changed_at) "
       "VALUES ($99, 'blendsheet', $20, 1, 2, 'TRADER_PENDING', now())"},
      {"invariant_batch_in_itself",
       "INSERT INTO allocation (allocation_id, barcode, source_kind, "
       "target_kind, batch_id, grams) "
       "VALUES ($99, $42, 'blendsheet', 'blendsheet', $30, 1)",
       "", "",
       "UPDATE allocation_rule SET allowed = true "
       "WHERE source_kind = 'blendsheet' AND target_kind = 'blendsheet'"},
      {"invariant_shipment_allocated",
       "UPDATE shipment SET allocated_grams = allocated_grams + 1 WHERE "
       "request_code = 900000002"},
      {"invariant_shipment_dispatch",
       "UPDATE shipment SET dispatched_bags = 2 WHERE request_code = "
       "900000001"},
      {"invariant_shipment_status",
       "UPDATE shipment SET status = 'ORDER_READY' WHERE request_code = "
       "900000002",
       "shipment_status_follows_facts", "shipment"},
      {"invariant_allocation_release",
       "UPDATE allocation SET released_grams = 2 WHERE allocation_id = $70"},
      {"invariant_allocation_parcels",
       "UPDATE allocation SET parcelled_grams = 200 WHERE allocation_id = $71"},
      {"invariant_schedule_parcels",
       "UPDATE schedule SET parcel_grams = 200 WHERE schedule_code = "
       "900000001"},
      {"invariant_parcel_order",
       "UPDATE schedule SET order_code = 'SX' WHERE schedule_code = 900000001"},
      {"invariant_outbox_mark",
       "UPDATE sync.outbox SET version = 900000002 WHERE key = '900000001'"},
  };
  return breaks;
}

std::set<std::string> Broken(SmallSeeduwa& seeduwa) {
  std::set<std::string> broken;
  for (const auto& row : seeduwa.Do(
           "SELECT DISTINCT invariant FROM sync.invariant_violations()")) {
    broken.insert(row[0]);
  }
  return broken;
}

TEST_CASE("an invariant that is broken is found") {
  for (const Break& one : Breaks()) {
    INFO(one.statement);
    SmallSeeduwa seeduwa("mtp_owner");
    CHECK(Broken(seeduwa) == std::set<std::string>{});
    if (!one.constraint.empty()) {
      seeduwa.Do("ALTER TABLE " + one.table + " DROP CONSTRAINT " +
                 one.constraint);
    }
    if (!one.before.empty()) seeduwa.Do(one.before);
    seeduwa.Do(one.statement);
    CHECK(Broken(seeduwa).contains(one.invariant));
  }
}

TEST_CASE("there is no invariant that nobody saw broken") {
  std::set<std::string> seen;
  for (const Break& one : Breaks()) seen.insert(one.invariant);
  for (
      const auto& row :
      Sql(UnusedDatabase(common::v1::SIDE_PROCESSING, "mtp_owner"))
          .Query(
              R"(SELECT relname FROM pg_class WHERE relkind = 'v' AND relname LIKE 'invariant\_%')")) {
    INFO(row[0]);
    CHECK(seen.contains(row[0]));
  }
}

}  // namespace
}  // namespace mtp::tests
