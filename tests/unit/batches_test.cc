#include "processing_service/batches.h"

#include <catch2/catch.hpp>

#include "processing_service/errors.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

using v1::MATERIAL_KIND_BLENDSHEET;
using v1::MATERIAL_KIND_FLAVORSHEET;
using v1::TRADER_STATE_TRADER_ALLOWED;
using v1::TRADER_STATE_TRADER_BLOCKED;
using v1::TRADER_STATE_TRADER_ELEVATED;
using v1::TRADER_STATE_TRADER_PENDING;
using v1::TRADER_STATE_TRADER_REQUESTED;
using v1::TRADER_STATE_UNSPECIFIED;

constexpr v1::TraderState kAllStates[] = {
    TRADER_STATE_UNSPECIFIED,      TRADER_STATE_TRADER_PENDING,
    TRADER_STATE_TRADER_REQUESTED, TRADER_STATE_TRADER_ALLOWED,
    TRADER_STATE_TRADER_BLOCKED,   TRADER_STATE_TRADER_ELEVATED};

std::string ReasonOf(const absl::Status& status) {
  return status.ok() ? "OK" : errors::Reason(status);
}
template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return ReasonOf(result.status());
}

// A recipe and its only revision, which allows so many batches.
Uuid AddRecipe(Seeduwa& seeduwa, MaterialKind kind, int64_t batch_count) {
  const Uuid id = seeduwa.NewId();
  seeduwa.rows.recipes.Put({.recipe_id = id, .kind = kind, .number = "R-1"});
  seeduwa.rows.revisions.Put({.recipe_id = id,
                              .revision = 1,
                              .kind = kind,
                              .blend_code = "BB12",
                              .total_grams = 900'000,
                              .batch_count = batch_count});
  return id;
}

absl::StatusOr<v1::OpenBatchResponse> Open(Seeduwa& seeduwa,
                                           const Uuid& recipe_id,
                                           int64_t revision = 0) {
  v1::OpenBatchRequest request;
  request.set_recipe_id(recipe_id.ToString());
  request.set_revision(revision);
  return seeduwa.Run(DecideOpenBatch, request);
}

absl::StatusOr<v1::RecordMeasurementResponse> Measure(Seeduwa& seeduwa,
                                                      const Uuid& batch_id) {
  v1::RecordMeasurementRequest request;
  request.set_batch_id(batch_id.ToString());
  request.set_humidity_basis_points(650);
  request.set_density_grams_per_cubic_metre(325'500);
  return seeduwa.Run(DecideRecordMeasurement, request);
}

absl::StatusOr<v1::CompleteBatchResponse> Complete(Seeduwa& seeduwa,
                                                   const Uuid& batch_id) {
  v1::CompleteBatchRequest request;
  request.set_batch_id(batch_id.ToString());
  return seeduwa.Run(DecideCompleteBatch, request);
}

absl::StatusOr<v1::ReopenBatchResponse> Reopen(Seeduwa& seeduwa,
                                               const Uuid& batch_id) {
  v1::ReopenBatchRequest request;
  request.set_batch_id(batch_id.ToString());
  request.set_reason("a bag was forgotten");
  return seeduwa.Run(DecideReopenBatch, request);
}

// What the domain's table says of a trader's step, written down a second time.
std::string Expected(v1::TraderState from, v1::TraderState to,
                     options::v1::Role role) {
  const bool officer = role == options::v1::ROLE_TRADER_OFFICER;
  const bool supervisor = role == options::v1::ROLE_TRADER_SUPERVISOR;
  const bool decided =
      to == TRADER_STATE_TRADER_ALLOWED || to == TRADER_STATE_TRADER_BLOCKED;
  if (from == TRADER_STATE_UNSPECIFIED && to == TRADER_STATE_TRADER_PENDING) {
    return "TRADER_ROLE";
  }
  if (from == TRADER_STATE_TRADER_PENDING &&
      to == TRADER_STATE_TRADER_REQUESTED) {
    return "TRADER_ROLE";
  }
  if (from == TRADER_STATE_TRADER_REQUESTED &&
      (decided || to == TRADER_STATE_TRADER_ELEVATED)) {
    return officer ? "OK" : "TRADER_ROLE";
  }
  if (from == TRADER_STATE_TRADER_ELEVATED && decided) {
    return supervisor ? "OK" : "TRADER_ROLE";
  }
  if (from == TRADER_STATE_TRADER_ALLOWED &&
      to == TRADER_STATE_TRADER_BLOCKED) {
    return supervisor ? "OK" : "TRADER_ROLE";
  }
  return "TRADER_STATE";
}

TEST_CASE(
    "a trader's step is done or refused as the table says, for every pair") {
  for (const v1::TraderState from : kAllStates) {
    for (const v1::TraderState to : kAllStates) {
      for (const auto role : {options::v1::ROLE_TRADER_OFFICER,
                              options::v1::ROLE_TRADER_SUPERVISOR}) {
        const Batch batch{.kind = MATERIAL_KIND_BLENDSHEET,
                          .trader_state = from};
        INFO(v1::TraderState_Name(from)
             << " to " << v1::TraderState_Name(to) << " by "
             << options::v1::Role_Name(role));
        CHECK(ReasonOf(JudgeTraderStep(batch, to, role)) ==
              Expected(from, to, role));
      }
    }
  }
}

TEST_CASE("only the officer measures and asks") {
  for (const v1::TraderState from :
       {TRADER_STATE_UNSPECIFIED, TRADER_STATE_TRADER_PENDING}) {
    const v1::TraderState to = from == TRADER_STATE_UNSPECIFIED
                                   ? TRADER_STATE_TRADER_PENDING
                                   : TRADER_STATE_TRADER_REQUESTED;
    const Batch batch{.kind = MATERIAL_KIND_BLENDSHEET, .trader_state = from};
    for (int role = options::v1::Role_MIN; role <= options::v1::Role_MAX;
         ++role) {
      const bool officer = role == options::v1::ROLE_SEEDUWA_OFFICER;
      CHECK(ReasonOf(JudgeTraderStep(batch, to,
                                     static_cast<options::v1::Role>(role))) ==
            (officer ? "OK" : "TRADER_ROLE"));
    }
  }
}

TEST_CASE(
    "the first measurement makes a batch pending, later ones change no state") {
  Seeduwa seeduwa;
  const Uuid id =
      seeduwa.AddBatch(MATERIAL_KIND_BLENDSHEET, TRADER_STATE_UNSPECIFIED, 0);
  const auto first = Measure(seeduwa, id);
  REQUIRE(first.ok());
  CHECK(first->batch().trader_state() == TRADER_STATE_TRADER_PENDING);
  CHECK(first->batch().has_trader_changed_at());
  CHECK(first->measurement().humidity_basis_points() == 650);
  REQUIRE(Measure(seeduwa, id).ok());
  CHECK(seeduwa.rows.measurements.appended().size() == 2);
  REQUIRE(seeduwa.rows.trader_decisions.appended().size() == 1);
  CHECK(seeduwa.rows.trader_decisions.appended()[0].from_state ==
        TRADER_STATE_UNSPECIFIED);
  CHECK(seeduwa.audit_entries == 2);

  const Uuid allowed = seeduwa.AddBatch(MATERIAL_KIND_BLENDSHEET,
                                        TRADER_STATE_TRADER_ALLOWED, 0);
  CHECK(Measure(seeduwa, allowed)->batch().trader_state() ==
        TRADER_STATE_TRADER_ALLOWED);
}

TEST_CASE("a batch of a flavorsheet is not measured for the traders") {
  Seeduwa seeduwa;
  const Uuid id =
      seeduwa.AddBatch(MATERIAL_KIND_FLAVORSHEET, TRADER_STATE_UNSPECIFIED, 0);
  CHECK(ReasonOf(Measure(seeduwa, id)) == "TRADER_NOT_NEEDED");
  CHECK(seeduwa.rows.measurements.appended().empty());
}

TEST_CASE("a refused step leaves no decision behind") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddBatch(MATERIAL_KIND_BLENDSHEET,
                                   TRADER_STATE_TRADER_REQUESTED, 0);
  v1::BlockBatchRequest request;
  request.set_batch_id(id.ToString());
  request.set_remarks("smells of smoke");
  CHECK(ReasonOf(seeduwa.Run(DecideBlockBatch, request)) == "TRADER_ROLE");
  CHECK(seeduwa.rows.trader_decisions.appended().empty());
  CHECK(seeduwa.rows.batches.Find(id)->trader_state ==
        TRADER_STATE_TRADER_REQUESTED);
  CHECK(seeduwa.audit_entries == 0);
}

TEST_CASE("a flavor is judged by the blends in it") {
  Batch flavor{.kind = MATERIAL_KIND_FLAVORSHEET};
  CHECK(flavor.Clearance() == v1::CLEARANCE_CLEARED);
  Batch good{.batch_id = Uuid::V7(absl::FromUnixSeconds(1)),
             .kind = MATERIAL_KIND_BLENDSHEET,
             .trader_state = TRADER_STATE_TRADER_ALLOWED};
  Batch other{.batch_id = Uuid::V7(absl::FromUnixSeconds(2)),
              .kind = MATERIAL_KIND_BLENDSHEET,
              .trader_state = TRADER_STATE_TRADER_REQUESTED};
  flavor.TakeIn(good);
  flavor.TakeIn(good);
  CHECK(flavor.part_ids.size() == 1);
  CHECK(flavor.Clearance() == v1::CLEARANCE_CLEARED);
  flavor.TakeIn(other);
  CHECK(flavor.Clearance() == v1::CLEARANCE_WAITING);
  other.trader_state = TRADER_STATE_TRADER_ALLOWED;
  flavor.HearOf(other);
  CHECK(flavor.Clearance() == v1::CLEARANCE_CLEARED);
  good.trader_state = TRADER_STATE_TRADER_BLOCKED;
  flavor.HearOf(good);
  CHECK(flavor.Clearance() == v1::CLEARANCE_BLOCKED);
}

TEST_CASE("a batch is judged by all that is in what is in it") {
  Batch bad{.batch_id = Uuid::V7(absl::FromUnixSeconds(1)),
            .kind = MATERIAL_KIND_BLENDSHEET,
            .trader_state = TRADER_STATE_TRADER_ALLOWED};
  Batch flavor{.batch_id = Uuid::V7(absl::FromUnixSeconds(2)),
               .kind = MATERIAL_KIND_FLAVORSHEET};
  Batch blend{.batch_id = Uuid::V7(absl::FromUnixSeconds(3)),
              .kind = MATERIAL_KIND_BLENDSHEET,
              .trader_state = TRADER_STATE_TRADER_ALLOWED};
  flavor.TakeIn(bad);
  blend.TakeIn(flavor);
  CHECK(blend.Contains(flavor));
  CHECK(blend.Contains(bad));
  CHECK_FALSE(bad.Contains(blend));
  CHECK(blend.Clearance() == v1::CLEARANCE_CLEARED);
  bad.trader_state = TRADER_STATE_TRADER_BLOCKED;
  blend.HearOf(bad);
  CHECK(blend.Clearance() == v1::CLEARANCE_BLOCKED);
  // Its own word counts, too.
  Batch waiting{.batch_id = Uuid::V7(absl::FromUnixSeconds(4)),
                .kind = MATERIAL_KIND_BLENDSHEET,
                .trader_state = TRADER_STATE_TRADER_REQUESTED};
  CHECK(waiting.Clearance() == v1::CLEARANCE_WAITING);
  waiting.TakeIn(blend);
  CHECK(waiting.Clearance() == v1::CLEARANCE_BLOCKED);
}

TEST_CASE("a blend is cleared by TRADER_ALLOWED alone") {
  for (const v1::TraderState state : kAllStates) {
    const Batch batch{.kind = MATERIAL_KIND_BLENDSHEET, .trader_state = state};
    const v1::Clearance expected =
        state == TRADER_STATE_TRADER_ALLOWED   ? v1::CLEARANCE_CLEARED
        : state == TRADER_STATE_TRADER_BLOCKED ? v1::CLEARANCE_BLOCKED
                                               : v1::CLEARANCE_WAITING;
    CHECK(batch.Clearance() == expected);
  }
}

TEST_CASE("a recipe allows so many batches and no more") {
  Seeduwa seeduwa;
  const Uuid recipe = AddRecipe(seeduwa, MATERIAL_KIND_BLENDSHEET, 3);
  for (int64_t number = 1; number <= 3; ++number) {
    const auto opened = Open(seeduwa, recipe);
    REQUIRE(opened.ok());
    CHECK(opened->batch().batch_number() == number);
    CHECK(opened->batch().planned_grams() == 300'000);
    CHECK(opened->batch().state() == v1::BATCH_STATE_OPEN);
    CHECK(opened->batch().recipe_number() == "R-1");
    CHECK(opened->batch().code() == "BB12");
  }
  CHECK(ReasonOf(Open(seeduwa, recipe)) == "RECIPE_BATCHES_EXHAUSTED");
  CHECK(seeduwa.rows.revisions.Find({recipe, 1})->opened_batches == 3);
}

TEST_CASE("batches are numbered over all revisions of their recipe") {
  Seeduwa seeduwa;
  const Uuid recipe = AddRecipe(seeduwa, MATERIAL_KIND_BLENDSHEET, 1);
  REQUIRE(Open(seeduwa, recipe).ok());
  seeduwa.rows.recipes.Edit(*seeduwa.rows.recipes.Find(recipe)).revision = 2;
  seeduwa.rows.Keep();
  seeduwa.rows.revisions.Put({.recipe_id = recipe,
                              .revision = 2,
                              .kind = MATERIAL_KIND_BLENDSHEET,
                              .blend_code = "BB12",
                              .total_grams = 100'000,
                              .batch_count = 1});
  CHECK(ReasonOf(Open(seeduwa, recipe, 1)) == "RECIPE_REVISED");
  const auto opened = Open(seeduwa, recipe, 2);
  REQUIRE(opened.ok());
  CHECK(opened->batch().batch_number() == 2);
  CHECK(opened->batch().revision() == 2);
}

TEST_CASE("no batch is opened of a retired or an unknown recipe") {
  Seeduwa seeduwa;
  const Uuid recipe = AddRecipe(seeduwa, MATERIAL_KIND_FLAVORSHEET, 1);
  seeduwa.rows.recipes.Edit(*seeduwa.rows.recipes.Find(recipe)).retired_at =
      seeduwa.now;
  seeduwa.rows.Keep();
  CHECK(ReasonOf(Open(seeduwa, recipe)) == "RECIPE_RETIRED");
  CHECK(ReasonOf(Open(seeduwa, seeduwa.NewId())) == "RECIPE_NOT_FOUND");
}

TEST_CASE("a batch is completed once, and opened again") {
  Seeduwa seeduwa;
  const Uuid id =
      seeduwa.AddBatch(MATERIAL_KIND_BLENDSHEET, TRADER_STATE_UNSPECIFIED, 0);
  CHECK(ReasonOf(Reopen(seeduwa, id)) == "BATCH_NOT_COMPLETED");
  const auto completed = Complete(seeduwa, id);
  REQUIRE(completed.ok());
  CHECK(completed->batch().state() == v1::BATCH_STATE_COMPLETED);
  CHECK(completed->batch().has_completed_at());
  CHECK(ReasonOf(Complete(seeduwa, id)) == "BATCH_NOT_OPEN");
  const auto reopened = Reopen(seeduwa, id);
  REQUIRE(reopened.ok());
  CHECK(reopened->batch().state() == v1::BATCH_STATE_OPEN);
  CHECK_FALSE(reopened->batch().has_completed_at());
}

TEST_CASE("a batch of which something left the site stays completed") {
  Seeduwa seeduwa;
  const Uuid id =
      seeduwa.AddBatch(MATERIAL_KIND_BLENDSHEET, TRADER_STATE_UNSPECIFIED, 0);
  REQUIRE(Complete(seeduwa, id).ok());
  SECTION("as the database says") {
    seeduwa.rows.departures.Put({.batch_id = id, .dispatched = true});
  }
  SECTION("by a call just before: a part of a bag in a shipment") {
    const Uuid barcode = seeduwa.NewId();
    seeduwa.rows.bags.Put({.barcode = barcode,
                           .kind = MATERIAL_KIND_BLENDSHEET,
                           .batch_id = id,
                           .net_grams = 20'000,
                           .remaining_grams = 15'000,
                           .status = v1::BAG_STATUS_IN_PROCESS});
    const db::ShipmentKey shipment = seeduwa.AddShipment(17, 5'000);
    seeduwa.rows.shipments.Edit(*seeduwa.rows.shipments.Find(shipment))
        .dispatched = true;
    seeduwa.rows.Keep();
    seeduwa.rows.allocations.Put({.allocation_id = seeduwa.NewId(),
                                  .barcode = barcode,
                                  .source_kind = MATERIAL_KIND_BLENDSHEET,
                                  .target_kind = "shipment",
                                  .request_code = shipment.request_code,
                                  .shipment_code = shipment.shipment_code,
                                  .grams = 5'000});
  }
  CHECK(ReasonOf(Reopen(seeduwa, id)) == "BATCH_DISPATCHED");
}

TEST_CASE("what may come out is what went in and the tolerance, rounded down") {
  Batch batch{.out_tolerance_ppm = 20'000};
  CHECK(batch.OutLimitGrams() == 0);
  batch.in_grams = 49;
  CHECK(batch.OutLimitGrams() == 49);
  batch.in_grams = 50;
  CHECK(batch.OutLimitGrams() == 51);
  batch.in_grams = 1'000'000;
  CHECK(batch.OutLimitGrams() == 1'020'000);
  batch.in_grams = 1'000'000'000'000;  // the most that a weight may be
  batch.out_tolerance_ppm = 1'000'000;
  CHECK(batch.OutLimitGrams() == 2'000'000'000'000);
}

}  // namespace
}  // namespace mtp::processing
