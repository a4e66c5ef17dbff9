#include <catch2/catch.hpp>

#include "processing_service/errors.h"
#include "processing_service/locations.h"
#include "processing_service/materials.h"
#include "tests/unit/seeduwa.h"

namespace mtp::processing {
namespace {

template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : errors::Reason(result.status());
}

v1::DeleteTealineRequest DeleteTealine(const Uuid& id, std::string etag = "") {
  v1::DeleteTealineRequest request;
  request.set_item_id(id.ToString());
  request.set_etag(std::move(etag));
  return request;
}

v1::DeleteLocationRequest DeleteLocation(const Uuid& id,
                                         std::string etag = "") {
  v1::DeleteLocationRequest request;
  request.set_location_id(id.ToString());
  request.set_etag(std::move(etag));
  return request;
}

size_t StatementsToStore(Seeduwa& seeduwa) {
  db::Exchange exchange;
  seeduwa.rows.AddStores(exchange);
  return exchange.size();
}

TEST_CASE("a tealine goes while nothing hangs on it") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 2);
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteTealine, DeleteTealine(id, "9"))) ==
        "ETAG_MISMATCH");
  CHECK(StatementsToStore(seeduwa) == 0);
  REQUIRE(seeduwa.Run(DecideDeleteTealine, DeleteTealine(id, "1")).ok());
  CHECK(StatementsToStore(seeduwa) == 1);
  // The calls behind it in the batch do not find it any more.
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteTealine, DeleteTealine(id))) ==
        "ITEM_NOT_FOUND");
  v1::BagReceipt receipt;
  receipt.set_item_id(id.ToString());
  receipt.set_location_id(seeduwa.store.ToString());
  receipt.set_gross_grams(100);
  CHECK(ReasonOf(seeduwa.Receive(receipt)) == "ITEM_NOT_FOUND");
  CHECK(seeduwa.rows.items.All().empty());
}

TEST_CASE("a tealine is deleted as one") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddItem(v1::MATERIAL_KIND_HERBLINE);
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteTealine, DeleteTealine(id))) ==
        "ITEM_NOT_FOUND");
}

TEST_CASE("a tealine that was received or that a recipe names stays") {
  Seeduwa seeduwa;
  const Uuid received = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 2);
  // In this very batch, too.
  REQUIRE(seeduwa.Receive(received, 10'000).ok());
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteTealine, DeleteTealine(received))) ==
        "ITEM_IN_USE");

  const Uuid named = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 2);
  seeduwa.rows.item_uses.Put({.item_id = named, .in_recipe = true});
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteTealine, DeleteTealine(named))) ==
        "ITEM_IN_USE");

  const Uuid named_now = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 2);
  seeduwa.rows.mixtures.Put({.recipe_id = seeduwa.NewId(),
                             .revision = 1,
                             .mixture_number = 1,
                             .item_id = named_now});
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteTealine, DeleteTealine(named_now))) ==
        "ITEM_IN_USE");
  CHECK(seeduwa.rows.items.All().size() == 3);
}

TEST_CASE("a location goes where no bag ever lay") {
  Seeduwa seeduwa;
  const Uuid empty = seeduwa.AddLocation("Loft", /*herb_section=*/false);
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteLocation,
                             DeleteLocation(empty, "9"))) == "ETAG_MISMATCH");
  REQUIRE(seeduwa.Run(DecideDeleteLocation, DeleteLocation(empty)).ok());
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteLocation, DeleteLocation(empty))) ==
        "LOCATION_NOT_FOUND");

  // Where it lies, and where it lay before this batch moved it away.
  const Uuid annex = seeduwa.AddLocation("Annex", /*herb_section=*/false);
  const auto bag =
      seeduwa.Receive(seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 1), 10'000);
  REQUIRE(bag.ok());
  v1::MoveBagRequest move;
  move.set_barcode(bag->barcode());
  move.set_location_id(annex.ToString());
  REQUIRE(seeduwa.Run(DecideMoveBag, move).ok());
  for (const Uuid& used : {seeduwa.store, annex}) {
    CHECK(ReasonOf(seeduwa.Run(DecideDeleteLocation, DeleteLocation(used))) ==
          "LOCATION_IN_USE");
  }
  const Uuid counted = seeduwa.AddLocation("Counted", /*herb_section=*/false);
  seeduwa.rows.location_uses.Put({.location_id = counted, .used = true});
  CHECK(ReasonOf(seeduwa.Run(DecideDeleteLocation, DeleteLocation(counted))) ==
        "LOCATION_IN_USE");
}

TEST_CASE("what a refused call removed is there again") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.AddItem(v1::MATERIAL_KIND_TEALINE, 2);
  seeduwa.rows.items.Edit(*seeduwa.rows.items.Find(id)).garden = "Uva";
  seeduwa.rows.Keep();
  seeduwa.rows.items.Remove(*seeduwa.rows.items.Find(id));
  CHECK(seeduwa.rows.items.Find(id) == nullptr);
  seeduwa.rows.Undo();
  REQUIRE(seeduwa.rows.items.Find(id) != nullptr);
  CHECK(seeduwa.rows.items.Find(id)->garden == "Uva");
  CHECK(StatementsToStore(seeduwa) == 1);  // the change before it
}

TEST_CASE("what a batch makes and removes it never stores") {
  Seeduwa seeduwa;
  const Uuid id = seeduwa.NewId();
  seeduwa.rows.locations.Insert({.location_id = id, .name = "Loft"});
  seeduwa.rows.Keep();
  CHECK(StatementsToStore(seeduwa) == 1);
  seeduwa.rows.locations.Remove(*seeduwa.rows.locations.Find(id));
  seeduwa.rows.Keep();
  CHECK(StatementsToStore(seeduwa) == 0);
}

}  // namespace
}  // namespace mtp::processing
