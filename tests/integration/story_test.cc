#include "tests/support/story.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "tests/support/agreement.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using common::v1::SHIPMENT_STATUS_ORDER_READY;
using common::v1::SHIPMENT_STATUS_ORDER_REQUESTED;
using common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED;
using common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED;

// The grams that the trace says of the thing whose node id begins so.
int64_t ContainedGrams(const processing::v1::TraceResponse& trace,
                       const std::string& node_id) {
  for (const auto& node : trace.nodes()) {
    if (node.node_id() == node_id) return node.contained_grams();
  }
  return -1;
}

TEST_CASE("an order goes from the plan to the parcel, and each side shows it") {
  Story story(Stack::Shared());

  story.DoSteps(1, 1);
  CHECK(story.plan_import_id != "");

  story.DoSteps(2, 2);
  CHECK(story.AtGrandpass().status() == SHIPMENT_STATUS_ORDER_REQUESTED);
  REQUIRE(Eventually([&] { return story.AtSeeduwa().has_key(); }));
  CHECK(story.AtSeeduwa().quantity_grams() == Story::kOrderedGrams);
  CHECK(story.AtSeeduwa().missing_grams() == Story::kOrderedGrams);
  CHECK(story.AtSeeduwa().order_code() == story.order_code);
  CHECK(story.AtSeeduwa().item_code() == story.blend_code);

  story.DoSteps(3, 5);
  CHECK(story.tea_bags.size() == Story::kTeaBagCount);
  CHECK(story.blend_bags.size() == Story::kBlendBagCount);

  story.DoSteps(6, 6);
  REQUIRE(Eventually([&] {
    return story.AtGrandpass().progress().allocated_grams() ==
           Story::kOrderedGrams;
  }));
  CHECK(story.AtGrandpass().status() == SHIPMENT_STATUS_ORDER_READY);
  CHECK(story.AtSeeduwa().missing_grams() == 0);

  story.DoSteps(7, 7);
  REQUIRE(Eventually([&] {
    return story.AtGrandpass().status() == SHIPMENT_STATUS_SHIPMENT_DISPATCHED;
  }));
  const auto dispatch = story.AtGrandpass().progress().dispatch();
  CHECK(dispatch.shipment_vehicle() == story.vehicle);
  CHECK(dispatch.dispatched_grams() == Story::kOrderedGrams);
  CHECK(dispatch.bag_count() == Story::kShippedBagCount);
  CHECK(dispatch.manifest_digest() ==
        story.AtSeeduwa().dispatch().manifest_digest());

  story.DoSteps(8, 9);
  CHECK(story.AtGrandpass().status() == SHIPMENT_STATUS_SHIPMENT_ACCEPTED);
  RequireAgreement(story.stack());
  CHECK(story.stack()
            .Database(SIDE_ORDER)
            .Query(
                "SELECT kind, description FROM sync.exception "
                "WHERE closed_at IS NULL AND 'shipment:' || $1 = ANY (things)",
                {absl::StrCat(story.shipment.request_code(), "/",
                              story.shipment.shipment_code())}) == Sql::Rows{});
  CHECK(story.stack()
            .Database(SIDE_ORDER)
            .Query("SELECT parcel_count, parcel_grams, completed FROM schedule "
                   "WHERE schedule_code = $1",
                   {std::to_string(story.schedule_code)}) ==
        Sql::Rows{{"2", std::to_string(2 * Story::kParcelGrams), "t"}});
}

TEST_CASE("the trace of a parcel weighs what each lot gave to it") {
  Story story(Stack::Shared());
  story.DoAll();

  const processing::v1::TraceResponse trace = story.TraceOfParcel();
  // The batch is five parts of tea and one part of left-over blend.
  CHECK(ContainedGrams(trace, "tealine:" + story.tealine_id) ==
        Story::kParcelGrams * 5 / 6);
  CHECK(ContainedGrams(trace, "blendbalance:" + story.balance_id) ==
        Story::kParcelGrams / 6);
  CHECK(trace.summary().parcel_count() == 1);
  CHECK(trace.summary().shipment_count() == 1);
  CHECK(trace.summary().batch_count() == 1);
  CHECK(trace.summary().item_count() == 2);
  CHECK(trace.summary().node_count() == trace.nodes_size());
  CHECK(trace.summary().edge_count() == trace.edges_size());
}

TEST_CASE("every change of an order is in the audit trail with who made it") {
  Story story(Stack::Shared());
  story.DoAll();

  for (const Act& act : story.acts()) {
    INFO(act.method);
    const Side side = act.at();
    CHECK(story.stack().Database(side).Query(
              "SELECT DISTINCT caller, role FROM audit.entry "
              "WHERE request_id = $1",
              {act.request_id}) ==
          Sql::Rows{{Identities::Subject(act.role),
                     options::v1::Role_Name(act.role).substr(5)}});
  }
}

}  // namespace
}  // namespace mtp::tests
