#include "tests/support/agreement.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

constexpr char kOpenMarks[] =
    "SELECT kind, key, version, attempts, coalesce(last_error, '') "
    "FROM sync.outbox ORDER BY kind, key";

// The same columns from both sides' tables. One that waits for approval or was
// denied the processing side never hears of.
constexpr char kShipmentsAtOrder[] = R"(
  SELECT 'shipment', request_code, shipment_code, order_code, product_name,
         item_code, quantity_grams, split_from_shipment_code, special,
         closed_short, cancelled, accepted, received_grams, status, version,
         readiness, readiness_remarks, allocated_grams, dispatched,
         dispatch_vehicle, dispatched_grams, dispatched_bags, manifest_digest,
         progress_version
  FROM shipment WHERE approval NOT IN ('REQUESTED', 'DENIED')
  ORDER BY request_code, shipment_code)";
constexpr char kShipmentsAtProcessing[] = R"(
  SELECT 'shipment', request_code, shipment_code, order_code, product_name,
         item_code, quantity_grams, split_from_shipment_code, special,
         closed_short, cancelled, accepted, received_grams, status,
         order_version, readiness, readiness_remarks, allocated_grams,
         dispatched, vehicle, dispatched_grams, dispatched_bags,
         manifest_digest, version
  FROM shipment ORDER BY request_code, shipment_code)";

constexpr char kSchedulesAtOrder[] = R"(
  SELECT 'schedule', schedule_code, schedule_date, order_code, shift, section,
         quantity_grams, completed, completed_by, version, parcel_count,
         parcel_grams, progress_version
  FROM schedule ORDER BY schedule_code)";
constexpr char kSchedulesAtProcessing[] = R"(
  SELECT 'schedule', schedule_code, schedule_date, order_code, shift, section,
         quantity_grams, completed, completed_by, order_version, parcel_count,
         parcel_grams, version
  FROM schedule ORDER BY schedule_code)";

std::string Difference(const Sql::Rows& at_order,
                       const Sql::Rows& at_processing) {
  Sql::Rows order_only;
  Sql::Rows processing_only;
  std::set<std::vector<std::string>> a(at_order.begin(), at_order.end());
  std::set<std::vector<std::string>> b(at_processing.begin(),
                                       at_processing.end());
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                      std::back_inserter(order_only));
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(),
                      std::back_inserter(processing_only));
  std::string text;
  if (!order_only.empty()) {
    absl::StrAppend(&text, "order says:\n", ToText(order_only), "\n");
  }
  if (!processing_only.empty()) {
    absl::StrAppend(&text, "processing says:\n", ToText(processing_only), "\n");
  }
  return text;
}

}  // namespace

std::string Disagreement(const Stack& stack) {
  std::string text;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const Sql::Rows marks = stack.Database(side).Query(kOpenMarks);
    if (!marks.empty()) {
      absl::StrAppend(&text, "not confirmed to ", NameOf(side), ":\n",
                      ToText(marks), "\n");
    }
  }
  const Sql order = stack.Database(SIDE_ORDER);
  const Sql processing = stack.Database(SIDE_PROCESSING);
  absl::StrAppend(&text,
                  Difference(order.Query(kShipmentsAtOrder),
                             processing.Query(kShipmentsAtProcessing)),
                  Difference(order.Query(kSchedulesAtOrder),
                             processing.Query(kSchedulesAtProcessing)));
  return text;
}

std::string BrokenInvariants(const Stack& stack) {
  std::string text;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const absl::StatusOr<Sql::Rows> found =
        stack.Database(side).Try("SELECT * FROM sync.invariant_violations()");
    if (!found.ok()) {
      absl::StrAppend(&text, NameOf(side), ":\n", found.status().ToString(),
                      "\n");
    } else if (!found->empty()) {
      absl::StrAppend(&text, NameOf(side), ":\n", ToText(*found), "\n");
    }
  }
  return text;
}

void RequireAgreement(const Stack& stack) {
  Eventually([&] { return Disagreement(stack).empty(); });
  REQUIRE(Disagreement(stack) == "");
  REQUIRE(BrokenInvariants(stack) == "");
}

std::string Footprint(const Stack& stack, Side side) {
  // Secrets are not for the reader.
  const Sql database = stack.Owner(side);
  std::string text = NameOf(side) + ":\n";
  // When the peer was heard last says nothing of what was kept.
  for (const auto& table : database.Query(
           "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) "
           "FROM pg_tables WHERE schemaname IN ('public', 'admin', 'sync', "
           "'audit') AND tablename NOT IN ('epoch', 'grandpass_key') ORDER BY "
           "1")) {
    absl::StrAppend(&text, table[0], " ",
                    database.Text("SELECT count(*) || ' ' || md5(coalesce("
                                  "string_agg(t::text, ' ' ORDER BY t::text), "
                                  "'')) FROM " +
                                  table[0] + " AS t"),
                    "\n");
  }
  return text;
}

}  // namespace mtp::tests
