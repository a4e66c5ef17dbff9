#include <catch2/catch.hpp>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "tests/support/large_files.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_GRANDPASS_ADMIN;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_TRADER_OFFICER;

using Texts = std::vector<std::string>;

// Of files about the same blend, which are not the story's own.
std::string LaterDigest(const std::string& blend_code) {
  return "a" + FileDigest(blend_code).substr(1);
}
std::string BadDigest(const std::string& blend_code) {
  return "b" + FileDigest(blend_code).substr(1);
}

// An order's plan from a story, and files beside it that change or break it.
class Planning {
 public:
  explicit Planning(Stack& stack) : story(stack) {
    story.DoSteps(1, 2);
    ImportPlansRequest file;
    file.set_file_name(story.blend_code + "-later.csv");
    file.set_file_digest(LaterDigest(story.blend_code));
    PlanRow& known = AddRow(file, story.order_code, "5,000");
    known.set_lot_code(" L1 ");
    for (int i = 1; i <= 3; ++i) {
      AddRow(file, absl::StrCat(story.order_code, "-", i), "1,240.5");
    }
    kept = Import(file);
    REQUIRE(kept.stored());
    file.set_file_name(story.blend_code + "-bad.csv");
    file.set_file_digest(BadDigest(story.blend_code));
    for (int i = 0; i < 3; ++i) {
      file.mutable_rows(i)->set_requirement("none");
      file.mutable_rows(i)->set_plan_end("30/02/2026");
    }
    refused = Import(file);
    REQUIRE_FALSE(refused.stored());
  }

  PlanRow& AddRow(ImportPlansRequest& file, const std::string& order_code,
                  const std::string& requirement) const {
    PlanRow& row = *file.add_rows();
    row.set_line_number(file.rows_size() + 1);
    row.set_order_code(order_code);
    row.set_item_code(story.blend_code + "-01");
    row.set_product_name("Jasmine Green 100TB x 6");
    row.set_requirement(requirement);
    row.set_plan_start("2026-11-08");
    row.set_plan_end("2026-11-21");
    return row;
  }

  ImportPlansResponse Import(const ImportPlansRequest& file) const {
    const auto response = story.stack().Call<ImportPlansResponse>(
        ROLE_GRANDPASS_ADMIN, "mtp.order.v1.PlanService/ImportPlans", file);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return *response;
  }

  // The ids of this planning's imports that the filter lets through, one page
  // each.
  Texts Listed(
      const std::function<void(ListPlanImportsRequest&)>& filter) const {
    ListPlanImportsRequest list;
    list.set_search(story.blend_code);
    list.set_page_size(1);
    filter(list);
    Texts ids;
    do {
      const auto page = story.stack().Call<ListPlanImportsResponse>(
          ROLE_TRADER_OFFICER, "mtp.order.v1.PlanService/ListPlanImports",
          list);
      INFO(page.status().ToString());
      REQUIRE(page.ok());
      REQUIRE(page->plan_imports_size() <= 1);
      for (const PlanImport& import : page->plan_imports()) {
        ids.push_back(import.import_id());
      }
      list.set_page_token(page->next_page_token());
    } while (!list.page_token().empty());
    return ids;
  }

  absl::StatusOr<GetPlanImportResponse> Get(const std::string& import_id,
                                            PlanImportPart part,
                                            const std::string& order_code = "",
                                            const std::string& token = "",
                                            int page_size = 2) const {
    GetPlanImportRequest get;
    get.set_import_id(import_id);
    get.set_part(part);
    get.set_page_size(page_size);
    get.set_page_token(token);
    get.set_order_code(order_code);
    return story.stack().Call<GetPlanImportResponse>(
        ROLE_TRADER_OFFICER, "mtp.order.v1.PlanService/GetPlanImport", get);
  }

  Story story;
  ImportPlansResponse kept;
  ImportPlansResponse refused;
};

TEST_CASE("imports of plans are listed by every filter, one way and back") {
  const Planning planning(Stack::Shared());
  const std::string& kept = planning.kept.import_id();
  const std::string& refused = planning.refused.import_id();
  const auto listed = [&](const auto& filter) {
    return planning.Listed(filter);
  };
  CHECK(listed([](auto&) {}) == Texts{refused, kept});
  CHECK(listed([](auto& list) {
          list.set_order_by(LIST_PLAN_IMPORTS_ORDER_IMPORTED);
        }) == Texts{kept, refused});
  CHECK(listed([](auto& list) { list.set_only_stored(true); }) == Texts{kept});
  CHECK(listed([&](auto& list) {
          list.set_search(absl::StrCat(planning.story.blend_code, "-BAD"));
        }) == Texts{refused});
  CHECK(listed([&](auto& list) {
          list.set_file_digest(LaterDigest(planning.story.blend_code));
        }) == Texts{kept});
  CHECK(listed([](auto& list) {
          list.set_imported_by_subject(
              Identities::Subject(ROLE_GRANDPASS_ADMIN));
        }).size() == 2);
  CHECK(listed([](auto& list) {
          list.set_imported_by_subject(
              Identities::Subject(ROLE_GRANDPASS_OFFICER));
        }).empty());
  const auto import =
      planning.Get(refused, PLAN_IMPORT_PART_BAD_ROWS)->plan_import();
  CHECK(listed([&](auto& list) {
          *list.mutable_imported_from() = import.imported_at();
        }) == Texts{refused});
  CHECK(listed([&](auto& list) {
          *list.mutable_imported_before() = import.imported_at();
        }) == Texts{kept});
  CHECK(import.imported_by().role() == ROLE_GRANDPASS_ADMIN);
  CHECK(import.file_name() == planning.story.blend_code + "-bad.csv");
  CHECK(import.bad_row_count() == 3);
  CHECK(import.fault_count() == 6);
}

TEST_CASE("an import of plans shows its rows, faults and kept plans in pages") {
  const Planning planning(Stack::Shared());
  const std::string& order = planning.story.order_code;

  const std::string& kept = planning.kept.import_id();
  const auto first = planning.Get(kept, PLAN_IMPORT_PART_UNSPECIFIED);
  REQUIRE(first.ok());
  REQUIRE(first->raw_rows_size() == 2);
  CHECK(first->bad_rows_size() + first->kept_plans_size() == 0);
  // As it came, blanks and commas included.
  CHECK(first->raw_rows(0).lot_code() == " L1 ");
  CHECK(first->raw_rows(1).requirement() == "1,240.5");
  const auto second = planning.Get(kept, PLAN_IMPORT_PART_UNSPECIFIED, "",
                                   first->next_page_token());
  REQUIRE(second.ok());
  REQUIRE(second->raw_rows_size() == 2);
  CHECK(second->raw_rows(1).line_number() == 5);
  CHECK(second->next_page_token().empty());
  const auto of_order =
      planning.Get(kept, PLAN_IMPORT_PART_RAW_ROWS, order + "-2");
  REQUIRE(of_order.ok());
  REQUIRE(of_order->raw_rows_size() == 1);
  CHECK(of_order->raw_rows(0).order_code() == order + "-2");

  // Something was requested of it, so it stayed; the file says why it would
  // have changed.
  const auto stayed = planning.Get(kept, PLAN_IMPORT_PART_KEPT_PLANS);
  REQUIRE(stayed.ok());
  REQUIRE(stayed->kept_plans_size() == 1);
  CHECK(stayed->kept_plans(0).order_code() == order);
  REQUIRE(stayed->kept_plans(0).differences_size() == 1);
  CHECK(stayed->kept_plans(0).differences(0).field() == "requirement_grams");
  CHECK(stayed->kept_plans(0).differences(0).file_value() == "5000000");

  const std::string& refused = planning.refused.import_id();
  Texts faults;
  std::string token;
  do {
    const auto page =
        planning.Get(refused, PLAN_IMPORT_PART_BAD_ROWS, "", token, 4);
    REQUIRE(page.ok());
    REQUIRE(page->bad_rows_size() <= 4);
    for (const BadRow& row : page->bad_rows()) {
      faults.push_back(
          absl::StrCat(row.line_number(), " ", row.column(), " ", row.value()));
    }
    token = page->next_page_token();
  } while (!token.empty());
  CHECK(faults == Texts{"2 requirement none", "2 plan_end 30/02/2026",
                        "3 requirement none", "3 plan_end 30/02/2026",
                        "4 requirement none", "4 plan_end 30/02/2026"});
  CHECK(planning.Get(refused, PLAN_IMPORT_PART_RAW_ROWS)->raw_rows().empty());

  CHECK(errors::Reason(
            planning.Get(NewRequestId(), PLAN_IMPORT_PART_RAW_ROWS).status()) ==
        "PLAN_IMPORT_NOT_FOUND");
  CHECK(errors::Reason(planning
                           .Get(kept, PLAN_IMPORT_PART_BAD_ROWS, "",
                                first->next_page_token())
                           .status()) == "PAGE_TOKEN_INVALID");
}

// Open orders of one plan, taken over and refused.
class TakingOver {
 public:
  explicit TakingOver(Stack& stack) : story(stack) {
    story.DoSteps(1, 1);
    ImportOpenRequestsRequest file;
    file.set_file_name(story.blend_code + "-open.csv");
    file.set_file_digest(LaterDigest(story.blend_code));
    for (int i = 0; i < 3; ++i) AddRow(file, "1,000.5");
    stored = Import(file);
    REQUIRE(stored.stored());
    file.set_file_name(story.blend_code + "-bad.csv");
    file.set_file_digest(BadDigest(story.blend_code));
    // More than a reply tells.
    for (int i = 0; i < 1'100; ++i) AddRow(file, "a lot");
    refused = Import(file);
    REQUIRE_FALSE(refused.stored());
  }

  void AddRow(ImportOpenRequestsRequest& file,
              const std::string& quantity) const {
    OpenRequestRow& row = *file.add_rows();
    row.set_line_number(file.rows_size() + 1);
    row.set_reference(absl::StrCat(story.blend_code, "-", file.rows_size()));
    row.set_order_code(story.order_code);
    row.set_quantity(quantity);
    row.set_comments(" from the ledger ");
  }

  ImportOpenRequestsResponse Import(
      const ImportOpenRequestsRequest& file) const {
    const auto response = story.stack().Call<ImportOpenRequestsResponse>(
        ROLE_GRANDPASS_ADMIN, "mtp.order.v1.RequestService/ImportOpenRequests",
        file);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return *response;
  }

  Texts Listed(
      const std::function<void(ListRequestImportsRequest&)>& filter) const {
    ListRequestImportsRequest list;
    list.set_search(story.blend_code);
    list.set_page_size(1);
    filter(list);
    Texts ids;
    do {
      const auto page = story.stack().Call<ListRequestImportsResponse>(
          ROLE_TRADER_OFFICER, "mtp.order.v1.RequestService/ListRequestImports",
          list);
      INFO(page.status().ToString());
      REQUIRE(page.ok());
      REQUIRE(page->request_imports_size() <= 1);
      for (const RequestImport& import : page->request_imports()) {
        ids.push_back(import.import_id());
      }
      list.set_page_token(page->next_page_token());
    } while (!list.page_token().empty());
    return ids;
  }

  absl::StatusOr<GetRequestImportResponse> Get(const std::string& import_id,
                                               RequestImportPart part,
                                               const std::string& token = "",
                                               int page_size = 2) const {
    GetRequestImportRequest get;
    get.set_import_id(import_id);
    get.set_part(part);
    get.set_page_size(page_size);
    get.set_page_token(token);
    return story.stack().Call<GetRequestImportResponse>(
        ROLE_TRADER_OFFICER, "mtp.order.v1.RequestService/GetRequestImport",
        get);
  }

  Story story;
  ImportOpenRequestsResponse stored;
  ImportOpenRequestsResponse refused;
};

TEST_CASE("imports of open orders are listed by every filter") {
  const TakingOver taking_over(Stack::Shared());
  const std::string& stored = taking_over.stored.import_id();
  const std::string& refused = taking_over.refused.import_id();
  const auto listed = [&](const auto& filter) {
    return taking_over.Listed(filter);
  };
  CHECK(listed([](auto&) {}) == Texts{refused, stored});
  CHECK(listed([](auto& list) {
          list.set_order_by(LIST_REQUEST_IMPORTS_ORDER_IMPORTED);
        }) == Texts{stored, refused});
  CHECK(listed([](auto& list) { list.set_only_stored(true); }) ==
        Texts{stored});
  CHECK(listed([&](auto& list) {
          list.set_file_digest(BadDigest(taking_over.story.blend_code));
        }) == Texts{refused});
  CHECK(listed([](auto& list) {
          list.set_imported_by_subject(
              Identities::Subject(ROLE_GRANDPASS_OFFICER));
        }).empty());
  const auto import =
      taking_over.Get(refused, REQUEST_IMPORT_PART_RAW_ROWS)->request_import();
  CHECK(listed([&](auto& list) {
          *list.mutable_imported_from() = import.imported_at();
        }) == Texts{refused});
  CHECK(listed([&](auto& list) {
          *list.mutable_imported_before() = import.imported_at();
        }) == Texts{stored});
  CHECK(import.imported_by().role() == ROLE_GRANDPASS_ADMIN);
  CHECK(import.row_count() == 1'103);
  CHECK(import.bad_row_count() == 1'100);
}

TEST_CASE("an import of open orders shows its rows and every fault in pages") {
  const TakingOver taking_over(Stack::Shared());
  const std::string& stored = taking_over.stored.import_id();
  const auto first = taking_over.Get(stored, REQUEST_IMPORT_PART_UNSPECIFIED);
  REQUIRE(first.ok());
  REQUIRE(first->raw_rows_size() == 2);
  CHECK(first->request_import().created_request_count() == 3);
  CHECK(first->raw_rows(1).line_number() == 3);
  CHECK(first->raw_rows(1).quantity() == "1,000.5");
  CHECK(first->raw_rows(1).comments() == " from the ledger ");
  const auto second = taking_over.Get(stored, REQUEST_IMPORT_PART_UNSPECIFIED,
                                      first->next_page_token());
  REQUIRE(second.ok());
  CHECK(second->raw_rows_size() == 1);
  CHECK(second->next_page_token().empty());

  CHECK(taking_over.refused.bad_rows_size() == 1'000);
  const std::string& refused = taking_over.refused.import_id();
  std::string token;
  int64_t faults = 0;
  do {
    const auto page =
        taking_over.Get(refused, REQUEST_IMPORT_PART_BAD_ROWS, token, 300);
    REQUIRE(page.ok());
    for (const BadRow& row : page->bad_rows()) {
      CHECK(row.line_number() == 5 + faults++);
      CHECK(row.reason() == BAD_ROW_REASON_NOT_A_NUMBER);
    }
    token = page->next_page_token();
  } while (!token.empty());
  CHECK(faults == 1'100);
  CHECK(errors::Reason(
            taking_over.Get(NewRequestId(), REQUEST_IMPORT_PART_BAD_ROWS)
                .status()) == "REQUEST_IMPORT_NOT_FOUND");
}

TEST_CASE("mtpctl shows what was imported, and all that was wrong with it") {
  Stack& stack = Stack::Shared();
  const TakingOver taking_over(stack);
  const Mtpctl mtpctl(stack);
  const std::string listed = mtpctl.Do(
      {"request", "imports", "--search", taking_over.story.blend_code});
  INFO(listed);
  CHECK(absl::StrContains(listed, taking_over.stored.import_id()));
  CHECK(absl::StrContains(listed, "refused"));
  const std::string faults =
      mtpctl.Do({"request", "imported", taking_over.refused.import_id(),
                 "--part", "bad-rows", "--all"});
  CHECK(absl::StrContains(faults, "NOT_A_NUMBER"));
  CHECK(absl::StrContains(faults, "\n1104 "));
  // The last of a limit, not of a page.
  CHECK_FALSE(absl::StrContains(
      mtpctl.Do({"request", "imported", taking_over.refused.import_id(),
                 "--part", "bad-rows", "--limit", "1050"}),
      "\n1104 "));
  CHECK(absl::StrContains(
      mtpctl.Do({"request", "imported", taking_over.stored.import_id()}),
      "1,000.5"));

  const Planning planning(stack);
  CHECK(absl::StrContains(mtpctl.Do({"plan", "imports", "--stored", "--search",
                                     planning.story.blend_code}),
                          planning.kept.import_id()));
  CHECK(absl::StrContains(
      mtpctl.Do({"plan", "imported", planning.kept.import_id(), "--part",
                 "kept-plans"}),
      "5,000 kg"));
  CHECK(absl::StrContains(
      mtpctl.Do({"plan", "imported", planning.refused.import_id()}),
      "Nothing of this part"));
}

TEST_CASE("a schedule is shown with what can feed it and what was made") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoAll();
  GetScheduleRequest get;
  get.set_schedule_code(story.schedule_code);
  const auto ask = [&] {
    return stack.Call<GetScheduleResponse>(
        ROLE_TRADER_OFFICER, "mtp.order.v1.ScheduleService/GetSchedule", get);
  };
  const auto shown = ask();
  INFO(shown.status().ToString());
  REQUIRE(shown.ok());
  const Schedule& schedule = shown->schedule();
  CHECK(schedule.schedule_code() == story.schedule_code);
  CHECK(schedule.order_code() == story.order_code);
  REQUIRE(schedule.feeding_shipments_size() == 1);
  CHECK(schedule.feeding_shipments(0).key().request_code() ==
        story.shipment.request_code());
  get.set_schedule_code(999'999'999);
  CHECK(errors::Reason(ask().status()) == "SCHEDULE_NOT_FOUND");
}

}  // namespace
}  // namespace mtp::tests
