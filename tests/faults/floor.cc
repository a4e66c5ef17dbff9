#include "tests/faults/floor.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

namespace ord = order::v1;
namespace pro = processing::v1;
using namespace options::v1;  // the roles

constexpr int kOrders = 3;
constexpr int kFirstBags = 60;
// Of the things that people reach for: so many of the latest.
constexpr size_t kInReach = 12;

template <typename T>
T AnyOf(const std::vector<T>& things, std::mt19937& random) {
  if (things.empty()) return T{};
  const size_t reach = std::min(things.size(), kInReach);
  return things[things.size() - 1 -
                std::uniform_int_distribution<size_t>(0, reach - 1)(random)];
}

}  // namespace

std::string NewSuffix() {
  const std::string id = NewRequestId();
  return id.substr(id.size() - 10);
}

Floor::Floor(Stack& stack, Book& book) {
  const std::string suffix = NewSuffix();
  const auto ask = [&](std::string_view method, Role role, auto request,
                       auto response) {
    Deed deed{.method = std::string(method),
              .role = role,
              .request_id = NewRequestId()};
    SetRequestId(request, deed.request_id);
    deed.request = request.SerializeAsString();
    const absl::Time give_up = absl::Now() + kAfterEnd;
    Say(stack, deed, kPatience, [&] { return absl::Now() < give_up; });
    INFO(deed.method << ": " << deed.status.ToString());
    REQUIRE(deed.outcome == Deed::Outcome::kDone);
    REQUIRE(response.ParseFromString(deed.reply));
    book.Write(std::move(deed));
    return response;
  };

  ord::ImportPlansRequest plans;
  plans.set_file_name("plans.csv");
  plans.set_file_digest(FileDigest("BL" + suffix));
  for (int i = 1; i <= kOrders; ++i) {
    order_codes_.push_back(absl::StrCat("SO-", suffix, "-", i));
    ord::PlanRow& row = *plans.add_rows();
    row.set_line_number(1 + i);
    row.set_lot_code("L1");
    row.set_order_code(order_codes_.back());
    row.set_item_code("BL" + suffix + "-01");
    row.set_production_date("2026-11-05");
    row.set_requirement("4,240.00");
    row.set_product_code("JG100TBX");
    row.set_product_name("Jasmine Green 100TB x 6");
    row.set_item_name("Jasmine Green ENVELOPE");
    row.set_plan_start("2026-11-08");
    row.set_plan_end("2026-11-21");
  }
  ask("mtp.order.v1.PlanService/ImportPlans", ROLE_GRANDPASS_ADMIN, plans,
      ord::ImportPlansResponse());

  location_ = "Stores " + suffix;
  pro::CreateLocationRequest place;
  place.mutable_location()->set_name(location_);
  ask("mtp.processing.v1.LocationService/CreateLocation", ROLE_SEEDUWA_ADMIN,
      place, pro::CreateLocationResponse());

  pro::CreateTealineRequest tea;
  pro::NewTealine& tealine = *tea.mutable_tealine();
  tealine.set_item_code("T-" + suffix);
  tealine.set_invoice("INV-" + suffix);
  tealine.set_grade("BOPF");
  tealine.set_garden("Kenilworth");
  tealine.set_bag_count(1'000);
  tealine.set_bag_grams(kBagGrams);
  tealine_id_ = ask("mtp.processing.v1.MaterialService/CreateTealine",
                    ROLE_SEEDUWA_ADMIN, tea, pro::CreateTealineResponse())
                    .tealine()
                    .item_id();

  pro::BatchReceiveBagsRequest bags;
  for (int i = 0; i < kFirstBags; ++i) {
    pro::BagReceipt& receipt = *bags.add_receipts();
    receipt.set_item_id(tealine_id_);
    receipt.set_location(location_);
    receipt.set_gross_grams(kBagGrams + kTareGrams);
    receipt.set_tare_grams(kTareGrams);
  }
  const auto received =
      ask("mtp.processing.v1.BagService/BatchReceiveBags",
          ROLE_SEEDUWA_OPERATOR, bags, pro::BatchReceiveBagsResponse());
  for (const auto& result : received.results()) {
    AddBag(result.bag().barcode());
  }

  for (const std::string& order_code : order_codes_) {
    ord::CreateRequestRequest request;
    request.mutable_request()->set_order_code(order_code);
    request.mutable_request()->set_requirement_grams(100'000);
    const auto response =
        ask("mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
            request, ord::CreateRequestResponse());
    REQUIRE(response.request().shipments_size() == 1);
    Add(response.request().shipments(0).key());
  }
}

std::string Floor::AnyOrder(std::mt19937& random) const {
  return AnyOf(order_codes_, random);
}

common::v1::ShipmentKey Floor::AnyShipment(std::mt19937& random) const {
  absl::MutexLock lock(&mutex_);
  return AnyOf(shipments_, random);
}

std::string Floor::AnyBag(std::mt19937& random) const {
  absl::MutexLock lock(&mutex_);
  return AnyOf(bags_, random);
}

std::string Floor::AnyAllocation(std::mt19937& random) const {
  absl::MutexLock lock(&mutex_);
  return AnyOf(allocations_, random);
}

std::string Floor::AnyParcel(std::mt19937& random) const {
  absl::MutexLock lock(&mutex_);
  return AnyOf(parcels_, random);
}

int64_t Floor::AnySchedule(std::mt19937& random) const {
  absl::MutexLock lock(&mutex_);
  return AnyOf(schedules_, random);
}

}  // namespace mtp::tests
