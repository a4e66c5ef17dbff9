#include "order_service/plan_imports.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/base/errors.h"
#include "order_service/plan_file.h"
#include "tests/support/deciding.h"

namespace mtp::order {
namespace {

struct Office {
  Settings settings;
  Rows rows{settings};
  tests::SilentCall call{"mtp.order.v1.PlanService", "ImportPlans",
                         options::v1::ROLE_GRANDPASS_ADMIN};
  handlers::Context context{call, Uuid{}, absl::FromUnixSeconds(1'800'000'000)};

  absl::StatusOr<v1::ImportPlansResponse> Import(
      const v1::ImportPlansRequest& request) {
    return DecideImportPlans(request, context, rows);
  }
};

v1::ImportPlansRequest FileOf(std::initializer_list<const char*> order_codes) {
  v1::ImportPlansRequest request;
  request.set_file_name("plan.csv");
  request.set_file_digest(std::string(64, 'A'));
  for (const char* order_code : order_codes) {
    v1::PlanRow* row = request.add_rows();
    row->set_line_number(request.rows_size() + 1);
    row->set_order_code(order_code);
    row->set_item_code("UV961-01");
    row->set_requirement("1,000.00");
    row->set_product_name("Uva Seasonal");
    row->set_plan_start("2026-11-08");
    row->set_plan_end("2026-11-21");
  }
  return request;
}

Plan PlanOf(const std::string& order_code, int64_t requirement_grams) {
  return {.order_code = order_code,
          .item_code = "UV961",
          .product_name = "Uva Seasonal",
          .requirement_grams = requirement_grams,
          .plan_start = absl::CivilDay(2026, 11, 8),
          .plan_end = absl::CivilDay(2026, 11, 21)};
}

TEST_CASE(
    "an import makes new plans, changes unused ones, keeps requested ones") {
  Office office;
  office.rows.plans.Put(PlanOf("SAME", 1'000'000));
  office.rows.plans.Put(PlanOf("UNUSED", 2'000'000));
  office.rows.plans.Put(PlanOf("USED", 2'000'000));
  office.rows.plan_uses.Put({"USED", 1});
  const v1::ImportPlansRequest request =
      FileOf({"NEW", "SAME", "UNUSED", "USED"});
  const auto response = office.Import(request);
  REQUIRE(response.ok());
  CHECK(response->stored());
  CHECK(response->row_count() == 4);
  CHECK(response->plan_count() == 4);
  CHECK(response->created_plan_count() == 1);
  CHECK(response->unchanged_plan_count() == 1);
  CHECK(response->updated_plan_count() == 1);
  CHECK(response->kept_plan_count() == 1);
  REQUIRE(response->kept_plans_size() == 1);
  CHECK(response->kept_plans(0).order_code() == "USED");
  CHECK(response->kept_plans(0).line_number() == 5);
  REQUIRE(response->kept_plans(0).differences_size() == 1);
  CHECK(response->kept_plans(0).differences(0).field() == "requirement_grams");
  CHECK(response->kept_plans(0).differences(0).kept_value() == "2000000");
  CHECK(response->kept_plans(0).differences(0).file_value() == "1000000");

  CHECK(office.rows.plans.Find("NEW")->requirement_grams == 1'000'000);
  CHECK(office.rows.plans.Find("UNUSED")->requirement_grams == 1'000'000);
  CHECK(office.rows.plans.Find("UNUSED")->version == 2);
  CHECK(office.rows.plans.Find("USED")->requirement_grams == 2'000'000);
  CHECK(office.rows.plans.Find("SAME")->version == 1);
  CHECK(office.rows.raw_plan_rows.size() == 4);
  CHECK(office.rows.kept_plans.rows().size() == 1);
  REQUIRE(office.rows.plan_imports.Find(std::string(64, 'a')) != nullptr);
  CHECK(office.context.audit_entries().size() == 3);
}

TEST_CASE("a file with a bad row stores no plan, only its faults") {
  Office office;
  v1::ImportPlansRequest request = FileOf({"A", "B"});
  request.mutable_rows(1)->set_requirement("much");
  const auto response = office.Import(request);
  REQUIRE(response.ok());
  CHECK_FALSE(response->stored());
  CHECK(response->bad_row_count() == 1);
  CHECK(response->fault_count() == 1);
  REQUIRE(response->bad_rows_size() == 1);
  CHECK(response->bad_rows(0).line_number() == 3);
  CHECK_FALSE(response->import_id().empty());
  CHECK(office.rows.plans.All().empty());
  CHECK(office.rows.raw_plan_rows.size() == 0);
  REQUIRE(office.rows.plan_faults.rows().size() == 1);
  CHECK(office.rows.plan_faults.rows()[0].order_code == "B");
}

TEST_CASE("of many faults the reply tells a hundred and counts all") {
  Office office;
  v1::ImportPlansRequest request;
  request.set_file_digest(std::string(64, '0'));
  for (int line = 2; line < 202; ++line)
    request.add_rows()->set_line_number(line);
  const auto response = office.Import(request);
  REQUIRE(response.ok());
  CHECK(response->bad_rows_size() == 100);
  CHECK(response->bad_row_count() == 200);
  CHECK(response->fault_count() == 1'200);
  CHECK(office.rows.plan_faults.rows().size() == 1'200);
}

TEST_CASE("validation tells the same and keeps nothing") {
  Office office;
  v1::ImportPlansRequest request = FileOf({"A", "B"});
  request.set_validate_only(true);
  SECTION("of a good file") {
    const auto response = office.Import(request);
    REQUIRE(response.ok());
    CHECK(response->created_plan_count() == 2);
    CHECK_FALSE(response->stored());
    CHECK(response->import_id().empty());
  }
  SECTION("of a bad one") {
    request.mutable_rows(0)->set_order_code("");
    const auto response = office.Import(request);
    REQUIRE(response.ok());
    CHECK(response->bad_row_count() == 1);
    CHECK(response->import_id().empty());
  }
  CHECK(office.rows.plans.All().empty());
  CHECK(office.rows.plan_imports.All().empty());
  CHECK(office.rows.raw_plan_rows.size() == 0);
  CHECK(office.rows.plan_faults.rows().empty());
  CHECK(office.context.audit_entries().empty());
}

TEST_CASE("a file that was stored before changes nothing") {
  Office office;
  const v1::ImportPlansRequest request = FileOf({"A"});
  const auto first = office.Import(request);
  REQUIRE(first.ok());
  office.rows.Keep();
  const size_t audited = office.context.audit_entries().size();
  const auto again = office.Import(request);
  REQUIRE(again.ok());
  CHECK(again->already_imported());
  CHECK(again->stored());
  CHECK(again->import_id() == first->import_id());
  CHECK(office.rows.raw_plan_rows.size() == 1);
  CHECK(office.context.audit_entries().size() == audited);
}

TEST_CASE("an import that is too large or has no digest is refused") {
  Office office;
  office.settings.plan_import_row_limit = 1;
  v1::ImportPlansRequest request = FileOf({"A", "B"});
  const auto too_large = office.Import(request);
  CHECK(too_large.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(errors::Reason(too_large.status()) == "IMPORT_TOO_LARGE");
  request.set_file_digest(std::string(64, 'x'));
  CHECK(errors::Reason(office.Import(request).status()) == "INVALID_FIELDS");
}

}  // namespace
}  // namespace mtp::order
