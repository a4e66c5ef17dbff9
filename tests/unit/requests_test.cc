#include "order_service/requests.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "common/base/errors.h"
#include "google/rpc/error_details.pb.h"
#include "tests/support/deciding.h"

namespace mtp::order {
namespace {

// Rows with a plan of 1,000 kg, and codes for requests from 17 on.
struct Office {
  Settings settings;
  Rows rows{settings};
  tests::SilentCall call{"mtp.order.v1.RequestService", "CreateRequest",
                         options::v1::ROLE_GRANDPASS_OFFICER};
  handlers::Context context{call, Uuid{}, absl::FromUnixSeconds(1'800'000'000)};

  explicit Office(int codes = 1) {
    rows.plans.Put({.order_code = "SO1",
                    .item_code = "UV961",
                    .product_name = "Uva Seasonal",
                    .requirement_grams = 1'000'000,
                    .plan_start = absl::CivilDay(2026, 11, 1),
                    .plan_end = absl::CivilDay(2026, 11, 9)});
    std::vector<int64_t> taken(codes);
    std::iota(taken.begin(), taken.end(), 17);
    rows.request_codes.Want(codes);
    tests::GiveCodes(rows.request_codes, taken);
  }
  const Plan& plan() const { return *rows.plans.Find("SO1"); }
};

v1::CreateRequestRequest Asking(int64_t grams,
                                bool approval_requested = false) {
  v1::CreateRequestRequest request;
  request.mutable_request()->set_order_code("SO1");
  request.mutable_request()->set_requirement_grams(grams);
  request.mutable_request()->set_comments("for week 46");
  request.mutable_request()->set_approval_requested(approval_requested);
  return request;
}

TEST_CASE("a request within what is allowed is ordinary and told to Seeduwa") {
  Office office;
  const auto response =
      DecideCreateRequest(Asking(600'000), office.context, office.rows);
  REQUIRE(response.ok());
  CHECK(response->request().request_code() == 17);
  CHECK_FALSE(response->request().special());
  CHECK(response->request().planned());
  CHECK(response->request().product_name() == "Uva Seasonal");
  CHECK(response->request().item_code() == "UV961");
  CHECK(response->allowed_grams() == 400'000);
  CHECK_FALSE(response->sync_token().empty());
  REQUIRE(response->request().shipments_size() == 1);
  const v1::Shipment& shipment = response->request().shipments(0);
  CHECK(shipment.key().request_code() == 17);
  CHECK(shipment.key().shipment_code() == 1);
  CHECK(shipment.quantity_grams() == 600'000);
  CHECK(shipment.status() == common::v1::SHIPMENT_STATUS_ORDER_REQUESTED);
  REQUIRE(office.context.marks().size() == 1);
  CHECK(office.context.marks()[0].key == "17/1");
  CHECK(office.plan().requested_grams == 600'000);
  REQUIRE(office.rows.shipment_events.rows().size() == 1);
  CHECK(office.rows.shipment_events.rows()[0].remarks == "for week 46");
}

TEST_CASE("beyond what is allowed approval must be asked for") {
  Office office;
  const auto refused =
      DecideCreateRequest(Asking(1'000'001), office.context, office.rows);
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(errors::Reason(refused.status()) == "NEEDS_APPROVAL");
  CHECK(office.rows.requests.All().empty());

  const auto special =
      DecideCreateRequest(Asking(1'000'001, true), office.context, office.rows);
  REQUIRE(special.ok());
  CHECK(special->request().special());
  CHECK(special->allowed_grams() == 1'000'000);
  CHECK(special->sync_token().empty());
  CHECK(special->request().shipments(0).status() ==
        common::v1::SHIPMENT_STATUS_APPROVAL_REQUESTED);
  CHECK(office.context.marks().empty());
  CHECK(office.plan().requested_grams == 0);
}

TEST_CASE("asking for approval does not make a request special") {
  Office office;
  const auto response =
      DecideCreateRequest(Asking(1'000'000, true), office.context, office.rows);
  REQUIRE(response.ok());
  CHECK_FALSE(response->request().special());
  CHECK(response->allowed_grams() == 0);
}

TEST_CASE("a request may not name another product than its plan") {
  Office office;
  v1::CreateRequestRequest request = Asking(1);
  SECTION("by name") { request.mutable_request()->set_product_name("Uva"); }
  SECTION("by item") { request.mutable_request()->set_item_code("UV962"); }
  const auto refused =
      DecideCreateRequest(request, office.context, office.rows);
  CHECK(errors::Reason(refused.status()) == "PRODUCT_DIFFERS");
}

TEST_CASE("without a plan the product must be named and approval asked for") {
  Office office;
  v1::CreateRequestRequest request = Asking(5'000);
  request.mutable_request()->set_order_code("SO2");
  CHECK(errors::Reason(DecideCreateRequest(request, office.context, office.rows)
                           .status()) == "PRODUCT_NEEDED");
  request.mutable_request()->set_product_name("Lemon Ginger");
  request.mutable_request()->set_item_code("LE1");
  CHECK(errors::Reason(DecideCreateRequest(request, office.context, office.rows)
                           .status()) == "NEEDS_APPROVAL");
  request.mutable_request()->set_approval_requested(true);
  const auto made = DecideCreateRequest(request, office.context, office.rows);
  REQUIRE(made.ok());
  CHECK(made->request().special());
  CHECK_FALSE(made->request().planned());
  CHECK(made->allowed_grams() == 0);
}

TEST_CASE(
    "a batch makes some requests and refuses others, each with its reason") {
  Office office(3);
  v1::BatchCreateRequestsRequest batch;
  *batch.add_requests() = Asking(700'000).request();
  *batch.add_requests() = Asking(400'000).request();
  *batch.add_requests() = Asking(300'000).request();
  const auto response =
      DecideBatchCreateRequests(batch, office.context, office.rows);
  REQUIRE(response.ok());
  REQUIRE(response->results_size() == 3);
  CHECK(response->results(0).request().request_code() == 17);
  CHECK(response->results(1).error().code() ==
        static_cast<int>(absl::StatusCode::kFailedPrecondition));
  google::rpc::ErrorInfo info;
  REQUIRE(response->results(1).error().details_size() > 0);
  REQUIRE(response->results(1).error().details(0).UnpackTo(&info));
  CHECK(info.reason() == "NEEDS_APPROVAL");
  CHECK(info.domain() == "mtp.order");
  CHECK(info.metadata().at("allowed_grams") == "300000");
  CHECK(response->results(2).request().request_code() == 18);
  CHECK(office.plan().requested_grams == 1'000'000);
  CHECK(office.context.marks().size() == 2);
}

TEST_CASE("however they come, ordinary requests never exceed the plan") {
  std::mt19937 random(5);
  for (int run = 0; run < 200; ++run) {
    Office office(40);
    int64_t ordinary = 0;
    for (int i = 0; i < 40; ++i) {
      const int64_t grams =
          std::uniform_int_distribution<int64_t>(1, 150'000)(random);
      const auto response = DecideCreateRequest(
          Asking(grams, random() % 2 == 0), office.context, office.rows);
      if (!response.ok()) {
        office.rows.Undo();
        continue;
      }
      office.rows.Keep();
      if (!response->request().special()) ordinary += grams;
      CHECK(response->allowed_grams() == 1'000'000 - ordinary);
    }
    CHECK(office.plan().requested_grams == ordinary);
    CHECK(ordinary <= 1'000'000);
  }
}

}  // namespace
}  // namespace mtp::order
