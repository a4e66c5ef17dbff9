#include "order_service/request_imports.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/sync/outbox.h"
#include "order_service/requests.h"
#include "tests/support/deciding.h"

namespace mtp::order {
namespace {

constexpr int64_t kKg = 1000;

// A plan of 1,000 kg, a day in November, and files of open orders.
struct Office {
  Settings settings;
  Rows rows{settings};
  tests::SilentCall call{"mtp.order.v1.RequestService", "ImportOpenRequests",
                         options::v1::ROLE_GRANDPASS_ADMIN};
  // 2026-11-20.
  handlers::Context context{call, Uuid{}, absl::FromUnixSeconds(1'795'132'800)};
  v1::ImportOpenRequestsRequest file;

  Office() {
    rows.plans.Put({.order_code = "SO1",
                    .item_code = "UV961",
                    .product_name = "Uva Seasonal",
                    .requirement_grams = 1'000 * kKg,
                    .plan_start = absl::CivilDay(2026, 11, 1),
                    .plan_end = absl::CivilDay(2026, 11, 9)});
    std::vector<int64_t> codes(100);
    for (size_t i = 0; i < codes.size(); ++i)
      codes[i] = 17 + static_cast<int64_t>(i);
    rows.open_requests.GiveCodes(codes);
    file.set_file_name("open.csv");
    file.set_file_digest(std::string(64, 'A'));
  }

  // A row without fault, under the plan.
  v1::OpenRequestRow& Add() {
    v1::OpenRequestRow& row = *file.add_rows();
    row.set_line_number(file.rows_size() + 1);
    row.set_reference(absl::StrCat("OLD-", file.rows_size()));
    row.set_order_code("SO1");
    row.set_quantity("100.5");
    row.set_requested_on("08/11/2026");
    row.set_comments("for week 46");
    return row;
  }
  absl::StatusOr<v1::ImportOpenRequestsResponse> Import() {
    return DecideImportOpenRequests(file, context, rows);
  }
  // The faults of the file, as `line column REASON`.
  std::vector<std::string> Faults() {
    const auto response = Import();
    REQUIRE(response.ok());
    std::vector<std::string> faults;
    for (const v1::BadRow& row : response->bad_rows()) {
      CHECK_FALSE(row.message().empty());
      faults.push_back(absl::StrCat(
          row.line_number(), " ", row.column(), " ",
          v1::BadRowReason_Name(row.reason()).substr(sizeof "BAD_ROW_REASON")));
    }
    CHECK(response->stored() == faults.empty());
    return faults;
  }
  const Plan& plan() const { return *rows.plans.Find("SO1"); }
};

using Texts = std::vector<std::string>;

TEST_CASE("open orders become requests, with shipment 1 told to Seeduwa") {
  Office office;
  office.Add();
  v1::OpenRequestRow& special = office.Add();
  special.set_special(" Yes ");
  special.clear_requested_on();
  v1::OpenRequestRow& unplanned = office.Add();
  unplanned.set_order_code("SO2");
  unplanned.set_product_name(" Lemon Ginger ");
  unplanned.set_item_code("LE1");
  const auto response = office.Import();
  REQUIRE(response.ok());
  CHECK(response->stored());
  CHECK(response->row_count() == 3);
  CHECK(response->created_request_count() == 3);
  CHECK(response->unchanged_request_count() == 0);

  const std::vector<OpenRequest>& made = office.rows.open_requests.made();
  REQUIRE(made.size() == 3);
  CHECK(made[0].request_code == 17);
  CHECK(made[0].reference == "OLD-1");
  CHECK(made[0].product_name == "Uva Seasonal");
  CHECK(made[0].item_code == "UV961");
  CHECK(made[0].grams == 100'500);
  CHECK(made[0].planned);
  CHECK_FALSE(made[0].special);
  CHECK(made[0].comments == "for week 46");
  CHECK(absl::ToCivilDay(made[0].occurred_at, absl::UTCTimeZone()) ==
        absl::CivilDay(2026, 11, 8));
  CHECK(made[1].special);
  CHECK(made[1].occurred_at == office.context.now());
  CHECK(made[2].product_name == "Lemon Ginger");
  CHECK_FALSE(made[2].planned);
  CHECK_FALSE(made[2].special);

  // Only the ordinary one counts against the plan.
  CHECK(office.plan().requested_grams == 100'500);
  CHECK(office.plan().excess_grams == 0);
  REQUIRE(office.rows.request_imports.rows().size() == 1);
  CHECK(office.rows.request_imports.rows()[0].stored);

  const auto told = sync::ParseSyncToken(response->sync_token());
  REQUIRE(told.ok());
  REQUIRE(told->size() == 1);
  CHECK(told->front().first == 17);
  CHECK(told->front().last == 19);
  CHECK(told->front().key == "/1");
}

TEST_CASE(
    "what was promised beyond a plan is taken over, and nothing is allowed") {
  Office office;
  office.Add().set_quantity("700");
  office.Add().set_quantity("700");
  CHECK(office.Faults().empty());
  CHECK(office.plan().requested_grams == 1'400 * kKg);
  CHECK(office.plan().excess_grams == 400 * kKg);
  CHECK(office.plan().AllowedGrams() == 0);
}

TEST_CASE("every fault in a row of open orders is told by line and column") {
  Office office;
  v1::OpenRequestRow& row = office.Add();
  const auto one = [&](const char* fault) {
    CHECK(office.Faults() == Texts{absl::StrCat("2 ", fault)});
  };
  SECTION("no reference") {
    row.set_reference(" \t");
    one("reference EMPTY");
  }
  SECTION("a reference of several lines") {
    row.set_reference("OLD\n1");
    one("reference MALFORMED");
  }
  SECTION("a reference that is too long") {
    row.set_reference(std::string(201, 'x'));
    one("reference TOO_LONG");
  }
  SECTION("no order code") {
    row.set_order_code("");
    one("order_code EMPTY");
  }
  SECTION("an order code that is none") {
    row.set_order_code("SO 1");
    one("order_code MALFORMED");
  }
  SECTION("an order code that is too long") {
    row.set_order_code(std::string(65, 'x'));
    one("order_code TOO_LONG");
  }
  SECTION("another product than the plan's") {
    row.set_product_name("Uva");
    one("product_name DISAGREES");
  }
  SECTION("another item than the plan's") {
    row.set_item_code("UV962");
    one("item_code DISAGREES");
  }
  SECTION("an item that is no code") {
    row.set_item_code("UV 961");
    one("item_code MALFORMED");
  }
  SECTION("neither a plan nor a product") {
    row.set_order_code("SO2");
    CHECK(office.Faults() ==
          Texts{"2 product_name EMPTY", "2 item_code EMPTY"});
  }
  SECTION("no quantity") {
    row.set_quantity("");
    one("quantity EMPTY");
  }
  SECTION("a quantity that is no number") {
    row.set_quantity("lots");
    one("quantity NOT_A_NUMBER");
  }
  SECTION("nothing") {
    row.set_quantity("0.000");
    one("quantity OUT_OF_RANGE");
  }
  SECTION("less than nothing") {
    row.set_quantity("-5");
    one("quantity OUT_OF_RANGE");
  }
  SECTION("parts of grams") {
    row.set_quantity("1.0005");
    one("quantity TOO_PRECISE");
  }
  SECTION("more than fits") {
    row.set_quantity("1" + std::string(30, '0'));
    one("quantity OUT_OF_RANGE");
  }
  SECTION("no date") {
    row.set_requested_on("yesterday");
    one("requested_on NOT_A_DATE");
  }
  SECTION("no such date") {
    row.set_requested_on("30/02/2026");
    one("requested_on NO_SUCH_DATE");
  }
  SECTION("a day to come") {
    row.set_requested_on("21/11/2026");
    one("requested_on OUT_OF_RANGE");
  }
  SECTION("neither special nor not") {
    row.set_special("maybe");
    one("special MALFORMED");
  }
  SECTION("comments with control characters") {
    row.set_comments("a\x01");
    one("comments MALFORMED");
  }
  SECTION("comments that are too long") {
    row.set_comments(std::string(1001, 'x'));
    one("comments TOO_LONG");
  }
  CHECK(office.rows.open_requests.made().empty());
  CHECK(office.plan().requested_grams == 0);
}

TEST_CASE("faults of one row and of several are told together, by line") {
  Office office;
  office.Add().set_quantity("");
  office.Add().set_reference("OLD-1");
  office.Add().set_line_number(2);
  v1::OpenRequestRow& bad = office.Add();
  bad.set_order_code("");
  bad.set_special("perhaps");
  CHECK(office.Faults() == Texts{"2 quantity EMPTY", "2 line_number DUPLICATE",
                                 "3 reference DUPLICATE", "5 order_code EMPTY",
                                 "5 special MALFORMED"});
  CHECK(office.rows.request_imports.rows().size() == 1);
  CHECK_FALSE(office.rows.request_imports.rows()[0].stored);
  CHECK(office.rows.request_faults.rows().size() == 5);
}

TEST_CASE(
    "what was taken over before changes nothing, or is told where it differs") {
  Office office;
  office.rows.taken_over.Put(
      {.reference = "OLD-1",
       .order_code = "SO1",
       .product_name = "Uva Seasonal",
       .item_code = "UV961",
       .requirement_grams = 100'500,
       .comments = "for week 46",
       .occurred_at =
           absl::FromCivil(absl::CivilDay(2026, 11, 8), absl::UTCTimeZone()),
       .created_at = office.context.now()});
  v1::OpenRequestRow& row = office.Add();
  SECTION("the same") {
    const auto response = office.Import();
    REQUIRE(response.ok());
    CHECK(response->stored());
    CHECK(response->unchanged_request_count() == 1);
    CHECK(response->created_request_count() == 0);
    CHECK(response->sync_token().empty());
    CHECK(office.rows.request_imports.rows().empty());
    CHECK(office.context.audit_entries().empty());
  }
  SECTION("the same, written otherwise") {
    row.set_quantity("100.500");
    row.set_requested_on("2026-11-08");
    row.set_product_name("Uva Seasonal");
    CHECK(office.Faults().empty());
  }
  SECTION("beside a new one") {
    office.Add();
    const auto response = office.Import();
    REQUIRE(response.ok());
    CHECK(response->unchanged_request_count() == 1);
    CHECK(response->created_request_count() == 1);
    CHECK(office.plan().requested_grams == 100'500);
  }
  SECTION("with other content") {
    row.set_order_code("SO2");
    row.set_product_name("Uva");
    row.set_item_code("UV962");
    row.set_quantity("100");
    row.set_requested_on("09/11/2026");
    row.set_special("1");
    row.set_comments("");
    CHECK(office.Faults() ==
          Texts{"2 order_code ALREADY_EXISTS", "2 product_name ALREADY_EXISTS",
                "2 item_code ALREADY_EXISTS", "2 quantity ALREADY_EXISTS",
                "2 requested_on ALREADY_EXISTS", "2 special ALREADY_EXISTS",
                "2 comments ALREADY_EXISTS"});
  }
  SECTION("without its day") {
    row.set_requested_on("");
    CHECK(office.Faults() == Texts{"2 requested_on ALREADY_EXISTS"});
  }
}

TEST_CASE("a row without a day stays the same on later days") {
  Office office;
  const absl::Time then = office.context.now() - absl::Hours(72);
  office.rows.taken_over.Put({.reference = "OLD-1",
                              .order_code = "SO1",
                              .product_name = "Uva Seasonal",
                              .item_code = "UV961",
                              .requirement_grams = 100'500,
                              .comments = "for week 46",
                              .occurred_at = then,
                              .created_at = then});
  office.Add().clear_requested_on();
  CHECK(office.Faults().empty());
}

TEST_CASE("validating open orders tells the same and keeps nothing") {
  Office office;
  office.Add();
  office.file.set_validate_only(true);
  const auto response = office.Import();
  REQUIRE(response.ok());
  CHECK_FALSE(response->stored());
  CHECK(response->created_request_count() == 1);
  CHECK(response->sync_token().empty());
  office.file.mutable_rows(0)->set_quantity("lots");
  const auto bad = office.Import();
  REQUIRE(bad.ok());
  CHECK(bad->bad_row_count() == 1);
  CHECK(office.rows.request_imports.rows().empty());
  CHECK(office.rows.request_faults.rows().empty());
  CHECK(office.rows.open_requests.made().empty());
  CHECK(office.context.audit_entries().empty());
  CHECK(office.context.marks().empty());
  CHECK(office.plan().requested_grams == 0);
}

TEST_CASE("a file of open orders that is too large or unnamed is refused") {
  Office office;
  office.settings.request_import_row_limit = 1;
  office.Add();
  office.Add();
  CHECK(errors::Reason(office.Import().status()) == "IMPORT_TOO_LARGE");
  office.file.set_file_digest(std::string(64, 'x'));
  CHECK(errors::Reason(office.Import().status()) == "INVALID_FIELDS");
}

TEST_CASE("no sum of open orders leaves what can be counted") {
  Office office;
  for (int i = 0; i < 1'001; ++i) office.Add().set_quantity("1,000,000,000");
  const std::vector<std::string> faults = office.Faults();
  CHECK(faults == Texts{"1002 quantity OUT_OF_RANGE"});
}

TEST_CASE("the token of many new requests is short and names each of them") {
  std::vector<int64_t> codes;
  for (int64_t code = 17; code < 50'017; ++code) {
    if (code != 20'000) codes.push_back(code);
  }
  const std::string token = sync::SyncTokenOfNewRequests(codes);
  CHECK(token.size() < 200);
  const auto told = sync::ParseSyncToken(token);
  REQUIRE(told.ok());
  std::vector<int64_t> named;
  for (const sync::Awaited& run : *told) {
    REQUIRE(run.kind == "shipment");
    REQUIRE(run.key == "/1");
    REQUIRE(run.version == 1);
    for (int64_t code = run.first; code <= run.last; ++code)
      named.push_back(code);
  }
  CHECK(named == codes);
  // What few bytes name takes few bytes while somebody waits for it.
  CHECK(told->size() == 2);
  // Nobody names more than the service ever gave.
  for (const char* key : {"1:9000000000000000000/1", "5:4/1", "0:3/1", "a:b/1",
                          "1:200000/1", "1:2", "1:2/2", "17/\xff", "17 /1"}) {
    INFO(key);
    CHECK_FALSE(sync::ParseSyncToken(sync::SyncToken("shipment", key, 1)).ok());
  }
  const std::string most = sync::SyncToken("shipment", "1:100000/1", 1);
  CHECK(sync::ParseSyncToken(most).ok());
  CHECK_FALSE(sync::ParseSyncToken(sync::JoinSyncTokens({most, most})).ok());
  // Only shipments are made in runs.
  CHECK_FALSE(
      sync::ParseSyncToken(sync::SyncToken("schedule", "1:2/1", 1)).ok());
}

}  // namespace
}  // namespace mtp::order
