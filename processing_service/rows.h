#pragma once

#include "common/db/working_set.h"
#include "common/handlers/commands.h"
#include "common/handlers/file_imports.h"
#include "common/handlers/queries.h"
#include "common/reconciliation/run_rows.h"
#include "common/seals/peer_seals.h"
#include "common/sync/dead_letters.h"
#include "common/sync/exceptions.h"
#include "common/sync/receiver.h"
#include "processing_service/allocation_rows.h"
#include "processing_service/bag_history_rows.h"
#include "processing_service/bag_rows.h"
#include "processing_service/batch_rows.h"
#include "processing_service/item_rows.h"
#include "processing_service/location_rows.h"
#include "processing_service/locked_rows.h"
#include "processing_service/parcel_rows.h"
#include "processing_service/recipe_rows.h"
#include "processing_service/revoked_user_rows.h"
#include "processing_service/schedule_rows.h"
#include "processing_service/settings.h"
#include "processing_service/shipment_bag_rows.h"
#include "processing_service/shipment_rows.h"
#include "processing_service/stock_rows.h"
#include "processing_service/stocktake_rows.h"

namespace mtp::processing {

// Everything a batch of commands of this service works on. The tables stand in
// the one order in which all transactions lock, and each locks all its rows at
// once, however they are found. Only a LockedLookup comes behind its table: two
// batches that reach the same item or batch both ways at one moment can still
// meet in a circle, which PostgreSQL ends and a rerun mends.
struct Rows : db::WorkingSet {
  explicit Rows(const Settings& plant) : settings(plant) {}

  const Settings& settings;

  // Of the peer's states that are to be judged, by thing, and by
  // dead_letter_id.
  db::Table<sync::DeadLetter> dead_letters{*this};
  db::FoundBy<sync::DeadLetter, Uuid> dead_letters_by_id{*this, dead_letters};
  handlers::ImportTurn stock_import_turn{*this, "mtp.processing.stock_import"};
  // By the digest of their file, those that were stored.
  db::Table<StockImport> stock_imports{*this};
  db::Table<Shipment> shipments{*this};
  // Those that allocations went to, by allocation_id.
  db::FoundBy<Shipment, Uuid> allocated_shipments{*this, shipments};
  db::Log<ShipmentWord> shipment_words{*this};
  db::Log<DispatchCorrection> dispatch_corrections{*this};
  db::Table<Schedule> schedules{*this};
  // Those that parcels went to, by parcel_id.
  db::FoundBy<Schedule, Uuid> parcelled_schedules{*this, schedules};
  LockedTable<Location> locations{*this};
  // Where bags are to lie, by id and by name; the place stays what it is, and
  // many may put bags there at once.
  db::Lookup<Location, Uuid> places{*this, locations, Location::kLoadPlace};
  db::Lookup<Location, std::string> places_named{*this, locations,
                                                 Location::kLoadPlaceNamed};
  db::Table<LocationUse> location_uses{*this};
  db::Table<Recipe> recipes{*this};
  // Recipes that are named, by id and by number; they stay.
  db::Lookup<Recipe, Uuid> named_recipes{*this, recipes, Recipe::kLoadNamed};
  db::Lookup<Recipe, Recipe::Number> numbered_recipes{*this, recipes,
                                                      Recipe::kLoadNumbered};
  db::Table<RecipeRevision> revisions{*this};
  // The latest of each recipe, by the recipe's id.
  db::Lookup<RecipeRevision, Uuid> latest_revisions{
      *this, revisions, RecipeRevision::kLoadLatest};
  LockedTable<Item> items{*this};
  // Those that bags came from, by barcode, whose totals change with the bags.
  LockedLookup<Item, Uuid> reweighed_items{*this, items, Item::kLockOfBags,
                                           Item::kLoadOfBags};
  // Items that a recipe names, by id; they stay, and nothing of them changes.
  db::Lookup<Item, Uuid> named_items{*this, items, Item::kLoadNamed};
  // Items that are to go, by id: nothing may come to hang on them meanwhile.
  LockedLookup<Item, Uuid> items_to_remove{*this, items, Item::kLockToRemove,
                                           Item::kLoad};
  db::Table<ItemUse> item_uses{*this};
  db::Table<ItemStock> item_stocks{*this};
  // The newest of each kind and code.
  LockedLookup<Item, ItemCode> newest_items{*this, items, kLockNewestItems,
                                            kLoadNewestItems};
  db::Table<RecipeMixture> mixtures{*this};
  // Those of a recipe's latest revision, by the recipe's id.
  db::Lookup<RecipeMixture, Uuid> latest_mixtures{*this, mixtures,
                                                  RecipeMixture::kLoadLatest};
  LockedTable<Batch> batches{*this};
  // Those that allocations went into, by allocation_id.
  db::FoundBy<Batch, Uuid> allocated_batches{*this, batches};
  // Those that bags came from, by barcode, whose totals change with the bags.
  LockedLookup<Batch, Uuid> reweighed_batches{
      *this, batches, Batch::kLockSourcesToChange, Batch::kLoadSources};
  // By what people call them.
  LockedLookup<Batch, BatchNumber> numbered_batches{
      *this, batches, kLockNumberedBatches, kLoadNumberedBatches};
  // Those that bags came from, by barcode; their decisions stay as they are
  // while their bags are given away. The weaker lock comes behind the stronger
  // ones: two that hold it already would wait for each other to get those.
  LockedLookup<Batch, Uuid> sources{*this, batches, Batch::kLockSources,
                                    Batch::kLoadSources};
  // Those that the bags of allocations came from, by allocation_id; as sources.
  LockedLookup<Batch, Uuid> allocated_sources{
      *this, batches, kLockSourcesAllocated, kLoadSourcesAllocated};
  db::Table<BatchDeparture> departures{*this};
  // Those of the batches that allocations went into, by allocation_id.
  db::Lookup<BatchDeparture, Uuid> allocated_departures{
      *this, departures, BatchDeparture::kLoadOfTargets};
  db::Log<Measurement> measurements{*this};
  db::Log<TraderDecision> trader_decisions{*this};
  // The batches of the bags in shipments, by the shipment's key.
  LockedLookup<Batch, db::ShipmentKey> shipped_batches{
      *this, batches, kLockBatchesShipped, kLoadBatchesShipped};
  LockedTable<Bag> bags{*this};
  // Those that allocations took from, by allocation_id; those in shipments, by
  // the shipment's key; those in shipments with too much.
  db::FoundBy<Bag, Uuid> allocated_bags{*this, bags};
  db::FoundBy<Bag, db::ShipmentKey> shipped_bags{*this, bags};
  db::FoundBy<Bag, ShipmentCut> cut_bags{*this, bags};
  // Those that a stocktake is about; it is a batch by itself.
  LockedLookup<Bag, Counted> counted_bags{*this, bags, kLockBagsCounted,
                                          kLoadBagsCounted};
  // Those that parcels are of, by parcel_id; locked with their allocations.
  db::Lookup<Bag, Uuid> parcelled_bags{*this, bags, kLoadBagsParcelled};
  db::Table<ShipmentLeft> shipments_left{*this};
  db::Lookup<ShipmentLeft, db::ShipmentKey> shipments_beside{
      *this, shipments_left, ShipmentLeft::kLoadBeside};
  db::Table<ShipmentReturns> shipment_returns{*this};
  db::Table<BagHistory> bag_histories{*this};
  db::Lookup<BagHistory, Counted> counted_histories{*this, bag_histories,
                                                    kLoadHistoriesCounted};
  db::Table<BagInShipment> bags_in_shipments{*this};
  // Of the opening stock: what is taken already, and its bags, which nothing
  // reads again in the transaction that makes them.
  db::Table<TakenBarcode> taken_barcodes{*this};
  db::Table<TakenBagNumber> taken_bag_numbers{*this};
  db::Log<Bag> opening_bags{*this};
  db::Log<StockFault> stock_faults{*this};
  db::Log<BagMove> bag_moves{*this};
  db::Log<Stocktake> stocktakes{*this};
  db::Log<StocktakeLine> stocktake_lines{*this};
  db::Log<BagCorrection> bag_corrections{*this};
  db::Log<WriteOff> write_offs{*this};
  db::Log<BagDispatch> bag_dispatches{*this};
  db::Log<BagReturn> bag_returns{*this};
  db::Table<AllocationRule> allocation_rules{*this};
  // Cells that are to be changed; not in a batch with allocations.
  db::Lookup<AllocationRule, AllocationRule::Key> rules_to_change{
      *this, allocation_rules, AllocationRule::kLoadToChange};
  db::Table<Allocation> allocations{*this};
  db::Lookup<Allocation, db::ShipmentKey> shipment_allocations{
      *this, allocations, Allocation::kLoadOfShipment};
  db::Lookup<Allocation, ShipmentCut> cut_allocations{*this, allocations,
                                                      kLoadAllocationsCut};
  // All of the bags in a shipment, by the shipment's key; those of one bag to
  // one shipment, by allocation_id; those that parcels are of, by parcel_id.
  db::Lookup<Allocation, db::ShipmentKey> shipped_bag_allocations{
      *this, allocations, kLoadAllocationsOfBagsShipped};
  db::Lookup<Allocation, Uuid> allocations_beside{*this, allocations,
                                                  kLoadAllocationsBeside};
  db::Lookup<Allocation, Uuid> parcelled_allocations{*this, allocations,
                                                     kLoadAllocationsParcelled};
  db::Log<AllocationRelease> allocation_releases{*this};
  db::Table<SentBack> sent_back{*this};
  db::Table<Parcel> parcels{*this};
  db::Table<RevokedUser> revoked_users{*this};
  db::Table<sync::Exception> exceptions{*this};
  // The open ones that concern a thing, as `shipment:17/1`.
  db::Lookup<sync::Exception, std::string> exceptions_of{
      *this, exceptions, sync::Exception::kLoadOpenOfThing};
  db::Table<seals::KeptSeal> peer_seals{*this};
  db::Table<reconciliation::ReconcileRun> reconcile_runs{*this};
  // Those that are not finished, whatever is asked for.
  db::Lookup<reconciliation::ReconcileRun, std::string> unfinished_runs{
      *this, reconcile_runs, reconciliation::ReconcileRun::kLoadUnfinished};
  // Behind all that is locked: a copy can have been told under an epoch that
  // began while its row was waited for.
  sync::Link link{*this, dead_letters};
};

using Commands = handlers::Commands<Rows>;
using handlers::Context;
using handlers::Queries;

}  // namespace mtp::processing
