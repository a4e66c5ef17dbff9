#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "processing_service/batches.h"
#include "tests/integration/small_seeduwa.h"
#include "tests/support/stack.h"

// Around the services, with the rights they have: what their decisions refuse,
// the database of Seeduwa refuses, too.
namespace mtp::tests {
namespace {

constexpr char kNoRight[] = "42501";
constexpr char kAppendOnly[] = "23001";

constexpr char kService[] = "mtp_app";
constexpr char kOwner[] = "mtp_owner";

Sql Database(Side side = SIDE_PROCESSING) {
  return Sql(UnusedDatabase(side, kOwner));
}

// A rule on the rows of one table: which copy of a row breaks it, and it first.
struct RowRule {
  std::string constraint;
  std::string table;
  std::map<std::string, std::string> values;
  std::string where = "true";
};

const std::vector<RowRule>& RowRules() {
  static const std::vector<RowRule> rules = {
      {"location_has_name", "location", {{"name", "''"}}},

      {"item_kind_is_known", "item", {{"kind", "'coffee'"}}},
      {"item_has_code", "item", {{"item_code", "''"}}},
      {"item_limits_are_positive",
       "item",
       {{"bag_limit", "0"}},
       "kind = 'tealine'"},
      {"item_limits_fit_kind",
       "item",
       {{"gram_limit", "5"}},
       "kind = 'tealine'"},
      {"item_received_not_negative", "item", {{"received_grams", "-1"}}},
      {"item_received_bags_within_limit",
       "item",
       {{"received_bags", "bag_limit + 1"}},
       "kind = 'tealine'"},
      {"item_received_grams_within_limit",
       "item",
       {{"received_grams", "gram_limit + 1"}},
       "kind = 'blendbalance'"},
      {"tealine_bag_weight_is_positive", "tealine", {{"bag_grams", "0"}}},
      {"herbline_has_name", "herbline", {{"name", "''"}}},
      {"herbline_expected_weight_is_positive",
       "herbline",
       {{"expected_grams", "0"}}},
      {"blendbalance_has_blend_code", "blendbalance", {{"blend_code", "''"}}},

      {"recipe_kind_is_known", "recipe", {{"kind", "'soup'"}}},
      {"recipe_has_number", "recipe", {{"number", "''"}}},
      {"recipe_numbers_are_positive", "recipe", {{"revision", "0"}}},
      {"recipe_revision_is_positive", "recipe_revision", {{"revision", "0"}}},
      {"recipe_revision_total_is_positive",
       "recipe_revision",
       {{"total_grams", "0"}}},
      {"recipe_revision_code_fits_kind",
       "recipe_revision",
       {{"blend_code", "''"}},
       "kind = 'blendsheet'"},
      {"recipe_revision_batches_fit_kind",
       "recipe_revision",
       {{"batch_count", "2"}},
       "kind = 'flavorsheet'"},
      {"recipe_revision_opened_within_count",
       "recipe_revision",
       {{"opened_batches", "batch_count + 1"}}},
      {"recipe_mixture_number_is_positive",
       "recipe_mixture",
       {{"mixture_number", "0"}}},
      {"recipe_mixture_ingredient_fits_kind",
       "recipe_mixture",
       {{"ingredient_kind", "'herbline'"}},
       "kind = 'blendsheet'"},
      {"recipe_mixture_source_fits_ingredient",
       "recipe_mixture",
       {{"item_id", "NULL"}},
       "kind = 'blendsheet'"},
      {"recipe_mixture_measure_fits_ingredient",
       "recipe_mixture",
       {{"bags", "NULL"}},
       "kind = 'blendsheet'"},

      {"batch_number_is_positive", "batch", {{"batch_number", "0"}}},
      {"batch_state_is_known", "batch", {{"state", "'HALF'"}}},
      {"batch_completion_has_time", "batch", {{"state", "'COMPLETED'"}}},
      {"batch_trader_state_is_known",
       "batch",
       {{"trader_state", "'TRADER_ASLEEP'"}, {"trader_changed_at", "now()"}},
       "kind = 'blendsheet'"},
      {"batch_trader_state_has_time",
       "batch",
       {{"trader_changed_at", "NULL"}},
       "kind = 'blendsheet'"},
      {"batch_only_blends_are_approved",
       "batch",
       {{"trader_state", "'TRADER_PENDING'"}, {"trader_changed_at", "now()"}},
       "kind = 'flavorsheet'"},
      {"batch_totals_not_negative", "batch", {{"out_bags", "-1"}}},
      {"batch_out_within_in",
       "batch",
       {{"out_grams", "in_grams + in_grams / 50 + 1"}},
       "kind = 'blendsheet'"},
      {"measurement_humidity_is_a_share",
       "measurement",
       {{"humidity_basis_points", "10001"}}},
      {"measurement_density_is_positive",
       "measurement",
       {{"density_grams_per_cubic_metre", "0"}}},
      {"trader_decision_is_a_transition",
       "trader_decision",
       {{"to_state", "'TRADER_ALLOWED'"}}},

      {"bag_is_of_an_item_or_a_batch",
       "bag",
       {{"item_id", "NULL"}},
       "kind = 'tealine'"},
      {"bag_number_is_positive", "bag", {{"bag_number", "0"}}},
      {"bag_tare_not_negative",
       "bag",
       {{"tare_grams", "-1"}, {"gross_grams", "net_grams - 1"}}},
      {"bag_net_is_positive",
       "bag",
       {{"net_grams", "0"},
        {"gross_grams", "tare_grams"},
        {"remaining_grams", "0"}}},
      {"bag_gross_is_net_and_tare",
       "bag",
       {{"gross_grams", "gross_grams + 1"}}},
      {"bag_remaining_within_net", "bag", {{"remaining_grams", "-1"}}},
      {"bag_remaining_within_net",
       "bag",
       {{"remaining_grams", "net_grams + 1"}}},
      {"bag_status_follows_remaining",
       "bag",
       {{"status", "'PROCESSED'"}},
       "kind = 'tealine'"},
      {"bag_status_follows_remaining",
       "bag",
       {{"status", "'ACCEPTED'"}},
       "kind = 'tealine'"},
      {"bag_status_follows_remaining", "bag", {{"status", "'LOST'"}}},
      {"bag_reference_is_of_a_herb",
       "bag",
       {{"reference", "'R'"}},
       "kind = 'tealine'"},
      {"bag_correction_has_reason", "bag_correction", {{"reason", "''"}}},
      {"bag_correction_gross_is_net_and_tare",
       "bag_correction",
       {{"new_gross_grams", "new_gross_grams + 1"}}},
      {"bag_correction_weights_are_possible",
       "bag_correction",
       {{"new_net_grams", "0"}, {"new_gross_grams", "new_tare_grams"}}},
      {"write_off_is_positive", "write_off", {{"grams", "0"}}},
      {"write_off_reason_is_known", "write_off", {{"reason", "'EATEN'"}}},
      {"bag_dispatch_has_reason", "bag_dispatch", {{"reason", "''"}}},
      {"bag_dispatch_takes_something",
       "bag_dispatch",
       {{"remaining_grams", "0"}}},
      {"bag_return_names_a_shipment_whole",
       "bag_return",
       {{"shipment_code", "NULL"}}},
      {"bag_return_is_positive", "bag_return", {{"net_grams", "0"}}},
      {"hold_has_reason", "hold", {{"reason", "''"}}},
      {"hold_release_has_reason", "hold", {{"released_at", "now()"}}},

      {"stock_import_digest_is_sha256",
       "stock_import",
       {{"file_digest", "'abc'"}}},
      {"stock_import_is_stored_without_faults",
       "stock_import",
       {{"fault_count", "1"}}},
      {"stock_import_counts_not_negative",
       "stock_import",
       {{"row_count", "-1"}}},
      {"stock_import_fault_has_reason",
       "stock_import_fault",
       {{"reason", "''"}}},
      {"stocktake_has_reason", "stocktake", {{"reason", "''"}}},
      {"stocktake_counts_fit", "stocktake", {{"agreeing_bag_count", "2"}}},
      {"stocktake_line_finding_is_known",
       "stocktake_line",
       {{"finding", "'ODD'"}}},
      {"stocktake_line_weights_not_negative",
       "stocktake_line",
       {{"counted_grams", "-1"}}},

      {"shipment_codes_are_positive",
       "shipment",
       {{"shipment_code", "0"}},
       "NOT dispatched"},
      {"shipment_quantity_is_positive",
       "shipment",
       {{"quantity_grams", "0"}, {"allocated_grams", "0"}},
       "NOT dispatched"},
      {"shipment_versions_not_negative",
       "shipment",
       {{"order_version", "-1"}},
       "NOT dispatched"},
      {"shipment_readiness_is_known",
       "shipment",
       {{"readiness", "'NEARLY'"}},
       "NOT dispatched"},
      {"shipment_allocated_not_negative",
       "shipment",
       {{"allocated_grams", "-1"}},
       "NOT dispatched"},
      {"shipment_recovered_within_allocated",
       "shipment",
       {{"recovered_grams", "allocated_grams + 1"}},
       "NOT dispatched"},
      {"shipment_allocated_within_quantity",
       "shipment",
       {{"allocated_grams", "quantity_grams + 1"}},
       "NOT dispatched"},
      {"shipment_allocated_within_quantity",
       "shipment",
       {{"cancelled", "true"}, {"status", "'SHIPMENT_CANCELLED'"}},
       "NOT dispatched"},
      {"shipment_dispatch_is_whole",
       "shipment",
       {{"dispatched", "true"}, {"status", "'SHIPMENT_DISPATCHED'"}},
       "NOT dispatched"},
      {"shipment_status_follows_facts",
       "shipment",
       {{"status", "'ORDER_READY'"}},
       "NOT dispatched"},
      {"dispatch_correction_kind_is_known",
       "dispatch_correction",
       {{"kind", "'DRIVER'"}}},
      {"dispatch_correction_has_reason",
       "dispatch_correction",
       {{"reason", "''"}}},

      {"allocation_rule_source_is_known",
       "allocation_rule",
       {{"source_kind", "'coffee'"}}},
      {"allocation_rule_target_is_known",
       "allocation_rule",
       {{"target_kind", "'river'"}}},
      {"allocation_has_one_target",
       "allocation",
       {{"batch_id", "NULL"}},
       "batch_id IS NOT NULL"},
      {"allocation_grams_not_negative", "allocation", {{"grams", "-1"}}},
      {"allocation_took_something",
       "allocation",
       {{"grams", "0"},
        {"released_grams", "0"},
        {"parcelled_grams", "0"},
        {"released_at", "now()"}}},
      {"allocation_is_released_when_nothing_is_left",
       "allocation",
       {{"grams", "0"}, {"released_grams", "5"}}},
      {"allocation_parcels_within_grams",
       "allocation",
       {{"parcelled_grams", "grams + 1"}},
       "target_kind = 'shipment'"},
      {"allocation_parcels_are_of_shipments",
       "allocation",
       {{"parcelled_grams", "1"}},
       "target_kind = 'blendsheet'"},
      {"allocation_release_is_positive",
       "allocation_release",
       {{"grams", "0"}}},
      {"allocation_release_reason_is_known",
       "allocation_release",
       {{"reason", "'TIRED'"}, {"moved_to", "NULL"}}},
      {"allocation_release_move_has_a_goal",
       "allocation_release",
       {{"moved_to", "NULL"}}},
      {"parcel_is_positive", "parcel", {{"grams", "0"}}},

      {"schedule_code_is_positive", "schedule", {{"schedule_code", "0"}}},
      {"schedule_shift_is_known", "schedule", {{"shift", "'DUSK'"}}},
      {"schedule_quantity_is_positive", "schedule", {{"quantity_grams", "0"}}},
      {"schedule_versions_not_negative", "schedule", {{"version", "-1"}}},
      {"schedule_parcels_not_negative", "schedule", {{"parcel_grams", "0"}}},
      {"revoked_user_versions_not_negative",
       "revoked_user",
       {{"order_epoch", "-1"}}},

      {"grandpass_key_is_public",
       "grandpass_key",
       {{"jwk", "'{\"kid\": \"k\", \"d\": \"secret\"}'"}}},

      {"outbox_kind_is_known", "sync.outbox", {{"kind", "'rumour'"}}},
      {"outbox_version_is_positive", "sync.outbox", {{"version", "0"}}},
      {"outbox_attempts_not_negative", "sync.outbox", {{"attempts", "-1"}}},
      {"outbox_lease_is_whole", "sync.outbox", {{"lease_token", "1"}}},
      {"outbox_confirmed_version_not_negative",
       "sync.outbox",
       {{"confirmed_version", "-1"}}},
      {"outbox_poisoned_version_not_negative",
       "sync.outbox",
       {{"poisoned_version", "-1"}}},
      {"dead_letter_has_reason", "sync.dead_letter", {{"reason", "''"}}},
      {"dead_letter_was_tried", "sync.dead_letter", {{"attempts", "0"}}},
      {"dead_letter_settlement_is_known",
       "sync.dead_letter",
       {{"settlement", "'LOST'"}, {"settled_at", "now()"}}},
      {"dead_letter_settlement_has_time",
       "sync.dead_letter",
       {{"settlement", "'APPLIED'"}}},
      {"dead_letter_drop_has_reason",
       "sync.dead_letter",
       {{"settlement", "'DROPPED'"}, {"settled_at", "now()"}}},
      {"exception_kind_is_named", "sync.exception", {{"kind", "''"}}},
      {"exception_names_things", "sync.exception", {{"things", "'{}'"}}},
      {"exception_role_is_known", "sync.exception", {{"must_act", "'CAT'"}}},
      {"exception_side_is_known",
       "sync.exception",
       {{"acting_side", "'MOON'"}}},
      {"exception_closing_is_whole",
       "sync.exception",
       {{"closed_at", "now()"}}},
      {"reconcile_run_cause_is_known",
       "sync.reconcile_run",
       {{"cause", "'WHIM'"}}},
      {"reconcile_run_counts_not_negative",
       "sync.reconcile_run",
       {{"drift_count", "-1"}}},
      {"drift_owner_is_known", "sync.drift", {{"owner", "'MOON'"}}},
      {"drift_cause_is_known", "sync.drift", {{"cause", "'WHIM'"}}},
      {"seal_numbers_are_positive", "audit.seal", {{"seal_number", "0"}}},
      {"seal_count_within_interval", "audit.seal", {{"entry_count", "-1"}}},
      {"seal_digests_are_sha256", "audit.seal", {{"digest", "'abc'"}}},
      {"peer_seal_digests_are_sha256",
       "audit.peer_seal",
       {{"digest", "'abc'"}}},
  };
  return rules;
}

// Rules on rows that the services only change.
struct ChangeRule {
  std::string constraint;
  std::string statement;
};
const std::vector<ChangeRule>& ChangeRules() {
  static const std::vector<ChangeRule> rules = {
      {"epoch_row_is_the_one", "UPDATE sync.epoch SET singleton = false"},
      {"epoch_own_is_positive", "UPDATE sync.epoch SET own_epoch = 0"},
      {"epoch_peer_not_negative", "UPDATE sync.epoch SET peer_epoch = -1"},
      {"epoch_halt_has_reason",
       "UPDATE sync.epoch SET halted = true, halted_reason = NULL"},
      // What decisions guard first, as one who goes around them would do it.
      {"bag_lies_where_its_kind_may",
       "UPDATE bag SET location_id = $3 WHERE barcode = $40"},
      {"bag_lies_where_its_kind_may",
       "UPDATE bag SET location_id = $1 WHERE barcode = $41"},
      {"bag_lies_where_its_kind_may",
       "UPDATE location SET herb_section = true WHERE location_id = $1"},
      {"bag_lies_where_its_kind_may",
       "DELETE FROM location WHERE location_id = $1"},
      {"bag_move_goes_to_a_location",
       "WITH m AS (UPDATE bag SET location_id = $2 WHERE location_id = $1) "
       "DELETE FROM location WHERE location_id = $1"},
      {"tealine_is_an_item", "DELETE FROM item WHERE item_id = $10"},
      {"recipe_mixture_is_of_an_item",
       "WITH t AS (DELETE FROM tealine WHERE item_id = $10) DELETE FROM item "
       "WHERE item_id = $10"},
      {"bag_remaining_within_net",
       "UPDATE bag SET remaining_grams = remaining_grams - 20001 WHERE barcode "
       "= $40"},
      {"shipment_allocated_within_quantity",
       "UPDATE shipment SET allocated_grams = quantity_grams + 1 WHERE "
       "request_code = 900000002"},
      {"shipment_allocated_within_quantity",
       "UPDATE shipment SET quantity_grams = allocated_grams - 1 WHERE "
       "request_code = 900000002"},
      {"allocation_parcels_within_grams",
       "UPDATE allocation SET parcelled_grams = 5001 WHERE allocation_id = "
       "$71"},
      {"batch_out_within_in",
       "UPDATE batch SET in_grams = 19000 WHERE batch_id = $30"},
      {"item_received_bags_within_limit",
       "UPDATE item SET received_bags = 3 WHERE item_id = $10"},
      {"recipe_revision_opened_within_count",
       "UPDATE recipe_revision SET opened_batches = 3 WHERE recipe_id = $20"},
      {"allocation_is_of_a_bag",
       "UPDATE allocation SET source_kind = 'herbline' WHERE allocation_id = "
       "$70"},
      {"allocation_follows_rules",
       "INSERT INTO allocation (allocation_id, barcode, source_kind, "
       "target_kind, batch_id, grams) "
       "VALUES ($99, $41, 'herbline', 'blendsheet', $30, 1)"},
      {"allocation_follows_rules",
       "INSERT INTO allocation (allocation_id, barcode, source_kind, "
       "target_kind, request_code, shipment_code, grams) "
       "VALUES ($99, $41, 'herbline', 'shipment', 900000001, 1, 1)"},
  };
  return rules;
}

TEST_CASE("the database refuses what breaks a rule on rows, by its name") {
  SmallSeeduwa seeduwa(kService);
  for (const RowRule& rule : RowRules()) {
    INFO(rule.table);
    CHECK(seeduwa.CopyRefusal(rule.table, rule.values, rule.where) ==
          rule.constraint);
  }
  for (const ChangeRule& rule : ChangeRules()) {
    INFO(rule.statement);
    CHECK(seeduwa.Refusal(rule.statement) == rule.constraint);
  }
}

TEST_CASE("the order database refuses what breaks a rule on open orders") {
  Draft service(UnusedDatabase(SIDE_ORDER, kService));
  const auto import = [](const std::string& digest, const std::string& stored,
                         int rows, int created, int faults) {
    return absl::StrCat(
        "INSERT INTO request_import (import_id, file_digest, stored, "
        "row_count, created_request_count, fault_count) VALUES "
        "('01900000-0000-7000-8000-000000000001', ",
        digest, ", ", stored, ", ", rows, ", ", created, ", ", faults, ")");
  };
  const std::string digest = "sha256('file')";
  CHECK(service.Refusal(import("'abc'", "true", 1, 1, 0)) ==
        "request_import_digest_is_sha256");
  CHECK(service.Refusal(import(digest, "true", 1, 1, 1)) ==
        "request_import_is_stored_without_faults");
  CHECK(service.Refusal(import(digest, "true", 2, 1, 0)) ==
        "request_import_took_every_row");
  CHECK(service.Refusal(import(digest, "false", -1, 0, 1)) ==
        "request_import_counts_not_negative");
  service.Do(import(digest, "true", 1, 1, 0));
  const std::string id = "'01900000-0000-7000-8000-000000000001'";
  CHECK(service.Refusal("INSERT INTO order_request_raw (import_id, line) "
                        "VALUES (" +
                        id + ", 0)") == "order_request_raw_line_is_positive");
  CHECK(service.Refusal("INSERT INTO order_request_raw (import_id, line) "
                        "VALUES (gen_random_uuid(), 2)") ==
        "order_request_raw_is_of_an_import");
  CHECK(service.Refusal("INSERT INTO request_import_fault (import_id, "
                        "fault_number, line, reason) VALUES (" +
                        id + ", 1, 2, '')") ==
        "request_import_fault_has_reason");
  CHECK(service.Refusal("INSERT INTO request_import_fault (import_id, "
                        "fault_number, line, reason) VALUES "
                        "(gen_random_uuid(), 1, 2, 'EMPTY')") ==
        "request_import_fault_is_of_an_import");
}

// Rules on people and their sessions, on one of each.
const std::vector<ChangeRule>& IdentityRules() {
  static const std::vector<ChangeRule> rules = {
      {"user_account_has_username",
       "UPDATE admin.user_account SET username = ''"},
      {"user_account_role_is_known",
       "UPDATE admin.user_account SET role = 'TEA_TASTER'"},
      {"user_account_password_is_argon2id",
       "UPDATE admin.user_account SET password_hash = 'secret'"},
      {"user_account_failures_not_negative",
       "UPDATE admin.user_account SET failed_sign_ins = -1"},
      {"user_account_disabled_has_time",
       "UPDATE admin.user_account SET disabled = true"},
      {"user_account_disabled_has_time",
       "UPDATE admin.user_account SET disabled_at = now()"},
      {"first_admin_row_is_the_one",
       "INSERT INTO admin.first_admin (singleton, subject) VALUES (false, "
       "gen_random_uuid())"},
      {"session_end_reason_is_known",
       "UPDATE admin.session SET ended_at = now(), end_reason = 'BORED'"},
      {"session_end_is_whole", "UPDATE admin.session SET ended_at = now()"},
      {"session_end_is_whole",
       "UPDATE admin.session SET end_reason = 'SIGNED_OUT'"},
      {"refresh_token_digest_is_sha256",
       "UPDATE admin.refresh_token SET token_digest = 'abc'"},
      {"refresh_token_expires_later",
       "UPDATE admin.refresh_token SET expires_at = issued_at"},
      {"signing_key_has_id", "UPDATE admin.signing_key SET key_id = ''"},
      {"signing_key_algorithm_is_es256",
       "UPDATE admin.signing_key SET algorithm = 'none'"},
      {"signing_key_times_in_order",
       "UPDATE admin.signing_key SET signs_until = signs_from"},
      {"signing_key_times_in_order",
       "UPDATE admin.signing_key SET valid_until = signs_from"},
      {"revocation_version_is_positive",
       "UPDATE admin.revocation SET version = 0"},
      {"unknown_sign_in_bucket_has_16_bits",
       "UPDATE admin.unknown_sign_in SET bucket = 65536"},
      {"unknown_sign_in_failures_not_negative",
       "UPDATE admin.unknown_sign_in SET failed_sign_ins = -1"},
  };
  return rules;
}

TEST_CASE("the order database refuses what breaks a rule on people") {
  Draft service(UnusedDatabase(SIDE_ORDER, kService));
  const std::string id = "'01900000-0000-7000-8000-000000000001'";
  service.Do(
      "INSERT INTO admin.user_account (subject, username, role, "
      "password_hash) VALUES (" +
      id + ", 'nimal', 'TRADER_OFFICER', '$argon2id$')");
  service.Do(
      "INSERT INTO admin.session (session_id, subject, expires_at) VALUES (" +
      id + ", " + id + ", now() + interval '1 day')");
  service.Do(
      "INSERT INTO admin.refresh_token (token_digest, session_id, expires_at) "
      "VALUES (sha256('token'), " +
      id + ", now() + interval '1 day')");
  service.Do(
      "INSERT INTO admin.signing_key (key_id, private_key, public_jwk, "
      "signs_from, signs_until, valid_until) VALUES ('key', '', '{}', now(), "
      "now() + interval '1 day', now() + interval '2 days')");
  service.Do(
      "INSERT INTO admin.revocation (subject, disabled, revoked_before) "
      "VALUES (" +
      id + ", false, now())");
  service.Do("INSERT INTO admin.unknown_sign_in (bucket) VALUES (1)");
  std::set<std::string> seen;
  for (const ChangeRule& rule : IdentityRules()) {
    INFO(rule.statement);
    CHECK(service.Refusal(rule.statement) == rule.constraint);
    seen.insert(rule.constraint);
  }
  for (const auto& row : Database(SIDE_ORDER)
                             .Query("SELECT conname FROM pg_constraint WHERE "
                                    "contype = 'c' AND "
                                    "connamespace = 'admin'::regnamespace")) {
    INFO(row[0]);
    CHECK(seen.contains(row[0]));
  }
}

TEST_CASE("there is no rule on rows that nobody saw refuse") {
  std::set<std::string> seen;
  for (const RowRule& rule : RowRules()) seen.insert(rule.constraint);
  for (const ChangeRule& rule : ChangeRules()) seen.insert(rule.constraint);
  for (const auto& row : Database().Query(
           "SELECT conname FROM pg_constraint WHERE contype = 'c' AND "
           "connamespace::regnamespace::text IN ('public', 'sync', "
           "'audit')")) {
    INFO(row[0]);
    CHECK(seen.contains(row[0]));
  }
}

// A value of the type that no row of the world has.
std::string Fresh(const std::string& type) {
  if (type == "uuid") return "gen_random_uuid()";
  if (type == "bigint") return "900000777";
  if (type == "boolean") return "false";
  if (type == "timestamp with time zone") return "now() + interval '1 day'";
  if (type == "bytea") return "sha256('fresh')";
  return "'fresh'";
}

// The columns in the rules of a kind on a table, with their types: `f` foreign
// keys, `u` unique indexes.
struct KeyRule {
  std::string name;
  std::string table;
  std::map<std::string, std::string> columns;
  std::string where;
};
std::vector<KeyRule> ReadRules(const Sql& database, const std::string& query) {
  std::vector<KeyRule> rules;
  for (const auto& row : database.Query(query)) {
    if (rules.empty() || rules.back().name != row[0])
      rules.push_back({row[0], row[1], {}, row[4].empty() ? "true" : row[4]});
    rules.back().columns[row[2]] = row[3];
  }
  return rules;
}
std::vector<KeyRule> ForeignKeys(const Sql& database) {
  return ReadRules(database, R"(
    SELECT c.conname, c.conrelid::regclass, a.attname, format_type(a.atttypid, NULL), ''
    FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    WHERE c.contype = 'f' AND c.connamespace::regnamespace::text IN ('public', 'sync', 'audit')
    ORDER BY 2, 1, 3)");
}
std::vector<KeyRule> UniqueIndexes(const Sql& database) {
  return ReadRules(database, R"(
    SELECT i.indexrelid::regclass::text, i.indrelid::regclass, a.attname, format_type(a.atttypid, NULL),
           coalesce(pg_get_expr(i.indpred, i.indrelid), '')
    FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indisunique AND t.relnamespace::regnamespace::text IN ('public', 'sync', 'audit')
    ORDER BY 2, 1, 3)");
}

bool Includes(const KeyRule& outer, const KeyRule& inner) {
  for (const auto& [column, type] : inner.columns) {
    if (!outer.columns.contains(column)) return false;
  }
  return true;
}

// New values for what makes rows of this table different, so that a copy is
// none; without touching `kept`.
std::map<std::string, std::string> FreshKeys(
    const std::vector<KeyRule>& uniques, const std::vector<KeyRule>& foreign,
    const KeyRule& rule, bool keep_rule) {
  std::map<std::string, std::string> values;
  for (const KeyRule& unique : uniques) {
    if (unique.table != rule.table) continue;
    for (const auto& [column, type] : unique.columns) {
      if (keep_rule && rule.columns.contains(column)) continue;
      const bool refers =
          std::any_of(foreign.begin(), foreign.end(), [&](const KeyRule& key) {
            return key.table == rule.table && key.columns.contains(column);
          });
      if (!refers && column != "kind") values[column] = Fresh(type);
    }
  }
  return values;
}

TEST_CASE("the database refuses what refers to nothing") {
  const Sql database = Database();
  const std::vector<KeyRule> foreign = ForeignKeys(database);
  const std::vector<KeyRule> uniques = UniqueIndexes(database);
  REQUIRE(foreign.size() > 30);
  SmallSeeduwa seeduwa(kService);
  for (const KeyRule& key : foreign) {
    INFO(key.table << " " << key.name);
    std::map<std::string, std::string> values =
        FreshKeys(uniques, foreign, key, /*keep_rule=*/false);
    std::vector<std::string> there;
    for (const auto& [column, type] : key.columns) {
      there.push_back(column + " IS NOT NULL");
      if (type != "text") values[column] = Fresh(type);
    }
    CHECK(seeduwa.CopyRefusal(key.table, values,
                              absl::StrJoin(there, " AND ")) == key.name);
  }
}

TEST_CASE("the database refuses what is there already") {
  const Sql database = Database();
  const std::vector<KeyRule> foreign = ForeignKeys(database);
  const std::vector<KeyRule> uniques = UniqueIndexes(database);
  REQUIRE(uniques.size() > 40);
  SmallSeeduwa seeduwa(kService);
  for (const KeyRule& unique : uniques) {
    // Keys that foreign keys refer to are parts of a primary key, and more.
    const bool implied =
        std::any_of(uniques.begin(), uniques.end(), [&](const KeyRule& other) {
          return other.table == unique.table && other.name != unique.name &&
                 Includes(unique, other);
        });
    if (implied) continue;
    INFO(unique.table << " " << unique.name);
    std::map<std::string, std::string> values =
        FreshKeys(uniques, foreign, unique, /*keep_rule=*/true);
    std::string where = unique.where;
    for (const auto& [column, type] : unique.columns) {
      values[column] = column;
      absl::StrAppend(&where, " AND ", column, " IS NOT NULL");
    }
    const std::string refusal =
        seeduwa.CopyRefusal(unique.table, values, where);
    if (unique.table == "sync.epoch") {
      CHECK(refusal == kNoRight);
    } else {
      CHECK(refusal == unique.name.substr(unique.name.rfind('.') + 1));
    }
  }
}

TEST_CASE("the database keeps every trader transition, and no other") {
  using processing::kTraderSteps;
  SmallSeeduwa seeduwa(kService);
  const std::vector<std::string> states = {"",
                                           "TRADER_PENDING",
                                           "TRADER_REQUESTED",
                                           "TRADER_ELEVATED",
                                           "TRADER_ALLOWED",
                                           "TRADER_BLOCKED"};
  for (const std::string& from : states) {
    for (const std::string& to : states) {
      if (to.empty()) continue;
      const bool step =
          std::any_of(std::begin(kTraderSteps), std::end(kTraderSteps),
                      [&](const processing::TraderStep& known) {
                        return db::EnumText(known.from) == from &&
                               db::EnumText(known.to) == to;
                      });
      INFO(from << " to " << to);
      CHECK(seeduwa.Refusal(absl::StrCat(
                "INSERT INTO trader_decision (batch_id, decision_id, "
                "from_state, to_state) VALUES ($30, $34, nullif('",
                from, "', ''), '", to, "')")) ==
            (step ? "" : "trader_decision_is_a_transition"));
    }
  }
}

TEST_CASE("what is kept for good can be neither changed nor removed") {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const Sql::Rows tables = Database(side).Query(R"(
      SELECT t.tgrelid::regclass, (
        SELECT quote_ident(a.attname) FROM pg_attribute AS a
        WHERE a.attrelid = t.tgrelid AND a.attnum > 0 AND a.attgenerated = '' AND a.attidentity = ''
        ORDER BY a.attnum LIMIT 1)
      FROM pg_trigger AS t WHERE t.tgfoid = 'sync.refuse_change'::regproc ORDER BY 1)");
    REQUIRE(tables.size() >= 4);
    Draft service(UnusedDatabase(side, kService));
    Draft owner(UnusedDatabase(side, kOwner));
    for (const auto& table : tables) {
      for (const std::string& statement :
           {"UPDATE " + table[0] + " SET " + table[1] + " = " + table[1],
            "DELETE FROM " + table[0], "TRUNCATE " + table[0] + " CASCADE"}) {
        INFO(NameOf(side) << " " << statement);
        CHECK(service.Refusal(statement) == kNoRight);
        CHECK(owner.Refusal(statement) == kAppendOnly);
      }
    }
  }
}

TEST_CASE("the service's role owns nothing and cannot switch a rule off") {
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    CHECK(
        Database(side).Number("SELECT count(*) FROM pg_class WHERE relowner = "
                              "'mtp_app'::regrole") == 0);
    Draft service(UnusedDatabase(side, kService));
    for (const std::string statement :
         {"ALTER TABLE audit.entry DISABLE TRIGGER ALL",
          "DROP TRIGGER entry_is_append_only ON audit.entry",
          "ALTER TABLE shipment DROP CONSTRAINT shipment_quantity_is_positive",
          "CREATE OR REPLACE FUNCTION sync.refuse_change() RETURNS trigger "
          "LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
          "CREATE TABLE public.beside (x bigint)",
          "SET session_replication_role = replica",
          "UPDATE sqitch.changes SET change = 'x'", "SET ROLE mtp_owner"}) {
      INFO(NameOf(side) << " " << statement);
      CHECK(service.Refusal(statement) == kNoRight);
    }
  }
}

TEST_CASE("the service's role removes nothing but what nothing hangs on") {
  // Locations and items go while they are new; Grandpass's keys when it does
  // not publish them any more; marks, keys, letters and reports
  // are not kept for good.
  const std::set<std::string> removable = {"location",
                                           "item",
                                           "tealine",
                                           "herbline",
                                           "blendbalance",
                                           "grandpass_key",
                                           "sync.outbox",
                                           "sync.drift",
                                           "sync.dead_letter",
                                           "sync.reconcile_run",
                                           "sync.idempotency_key"};
  Draft service(UnusedDatabase(SIDE_PROCESSING, kService));
  for (const auto& table : Database().Query(R"(
           SELECT c.oid::regclass FROM pg_class AS c
           WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('public', 'sync', 'audit'))")) {
    INFO(table[0]);
    CHECK(service.Refusal("DELETE FROM " + table[0] + " WHERE false") ==
          (removable.contains(table[0]) ? "" : kNoRight));
  }
}

}  // namespace
}  // namespace mtp::tests
