#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "order_service/requests.h"
#include "order_service/shipments.h"
#include "tests/support/deciding.h"
#include "tests/unit/order_desk.h"

namespace mtp::tests {
namespace {

using namespace common::v1;  // NOLINT: the states' names
using order::Shipment;

constexpr int64_t kRequirement = 1'000'000;
constexpr int kSteps = 40;

// What counts against the plan: ordinary shipments that are not cancelled.
int64_t Counted(const order::Rows& rows) {
  int64_t grams = 0;
  for (const Shipment* shipment : rows.shipments.All()) {
    if (!shipment->special && !shipment->cancelled)
      grams += shipment->quantity_grams;
  }
  return grams;
}

TEST_CASE(
    "allowed is what is left of the plan, whatever happens in any order") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&](int64_t n) {
      return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
    };
    OrderDesk desk;
    const order::Plan& plan = desk.AddPlan(kRequirement);
    std::vector<int64_t> codes(kSteps);
    std::iota(codes.begin(), codes.end(), 1);
    desk.rows().request_codes.Want(kSteps);
    GiveCodes(desk.rows().request_codes, codes);
    int64_t version = 0;
    for (int step = 0; step < kSteps; ++step) {
      const int64_t allowed = plan.AllowedGrams();
      const std::vector<const Shipment*> all = desk.rows().shipments.All();
      const int64_t what = all.empty() ? 0 : below(7);
      if (what < 2) {
        order::v1::CreateRequestRequest request;
        request.mutable_request()->set_order_code(OrderDesk::kOrderCode);
        const int64_t grams = 1 + below(kRequirement / 2);
        request.mutable_request()->set_requirement_grams(grams);
        request.mutable_request()->set_approval_requested(below(2) == 0);
        const auto made = desk.Do(order::DecideCreateRequest, request);
        // Within what is allowed it is ordinary; beyond, special or refused.
        if (made.ok()) {
          CHECK(made->request().special() == (grams > allowed));
          CHECK(made->allowed_grams() == plan.AllowedGrams());
        } else {
          CHECK(grams > allowed);
          CHECK_FALSE(request.request().approval_requested());
          CHECK(plan.AllowedGrams() == allowed);
        }
      } else {
        const Shipment& chosen = *all[below(static_cast<int64_t>(all.size()))];
        const db::ShipmentKey key = chosen.key();
        const auto with_key = [&](auto request) {
          key.To(request.mutable_key());
          return request;
        };
        switch (what) {
          case 2:
            (void)desk.Do(order::DecideCancelShipment,
                          with_key(order::v1::CancelShipmentRequest()));
            break;
          case 3:
            (void)desk.Do(order::DecideApproveShipment,
                          with_key(order::v1::ApproveShipmentRequest()));
            break;
          case 4:
            (void)desk.Do(order::DecideDenyShipment,
                          with_key(order::v1::DenyShipmentRequest()));
            break;
          case 5: {
            auto request = with_key(order::v1::SetShipmentQuantityRequest());
            request.set_quantity_grams(1 + below(kRequirement / 2));
            (void)desk.Do(order::DecideSetShipmentQuantity, request);
            break;
          }
          default: {
            const int64_t grams = 1 + below(chosen.quantity_grams);
            desk.Hear(OrderDesk::Word(key, ++version, READINESS_READY, grams,
                                      below(2) == 0 ? grams : 0));
          }
        }
      }
      REQUIRE(plan.requested_grams == Counted(desk.rows()));
      REQUIRE(plan.AllowedGrams() == kRequirement - plan.requested_grams);
      REQUIRE(plan.requested_grams <= kRequirement);
      REQUIRE(plan.excess_grams == 0);
    }
  }
}

}  // namespace
}  // namespace mtp::tests
