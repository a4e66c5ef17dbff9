#pragma once

#include "absl/status/status.h"
#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "processing_service/kinds.h"

// What the processing service refuses, by name. The reasons are the contract's.
namespace mtp::processing {

struct Allocation;
struct Bag;
struct BagInShipment;
struct Batch;
struct Item;
struct Location;
struct Parcel;
struct Recipe;
struct Schedule;
struct Shipment;

namespace errors {

using namespace mtp::errors;

// Of the reasons in ErrorInfo.
inline constexpr std::string_view kDomain = "mtp.processing";

absl::Status BagNotFound(std::string_view barcode);
absl::Status BatchNotFound(std::string_view batch_id);
absl::Status DispatchNotFound(std::string_view dispatch_id);
absl::Status ShipmentNotFound(std::string_view key);
absl::Status LocationNotFound(std::string_view id_or_name);
absl::Status ItemNotFound(std::string_view item_id);
absl::Status AllocationNotFound(std::string_view allocation_id);

absl::Status RecipeNotFound(std::string_view recipe_id);

absl::Status LocationNameTaken(std::string_view name);
// Bags have their place there, so it cannot become a herb section or cease to
// be.
absl::Status LocationNotEmpty(const Location& location);
// A bag lies or lay there, or its bags were counted.
absl::Status LocationInUse(const Location& location);
// A bag of it was received, or a recipe names it.
absl::Status ItemInUse(const Item& item);
// Another item of this code was made at the same moment.
absl::Status RecipeNumberTaken(std::string_view number);
absl::Status RecipeRetired(const Recipe& recipe);
// The latest revision is another than the one asked for.
absl::Status RecipeRevised(const Recipe& recipe);
// The latest revision has all the batches it allows.
absl::Status RecipeBatchesExhausted(const Recipe& recipe, int64_t batch_count);

absl::Status BagDispatched(const Bag& bag);
absl::Status BagOnHold(const Bag& bag);
// Nothing of it left the site: by hand, or in that shipment.
absl::Status BagNotDispatched(const Bag& bag);
absl::Status BagNotDispatched(const Bag& bag, std::string_view shipment);
absl::Status BagEmpty(const Bag& bag);
// So much of it is in shipments that have not left.
absl::Status BagAllocated(const Bag& bag, int64_t waiting_grams);
// More than one bag may weigh.
absl::Status BagTooHeavy(const Bag& bag, int64_t gross_grams);
absl::Status CorrectionBelowUsed(const Bag& bag, int64_t net_grams);
// More than this role may write off at once.
absl::Status WriteOffOverLimit(const Bag& bag, int64_t asked_grams,
                               int64_t limit_grams);
// More came back of a shipment than can have.
absl::Status ReturnExceedsDispatched(const BagInShipment& sent,
                                     int64_t asked_grams);
// A bag of this barcode was received before.
absl::Status BarcodeTaken(const Bag& bag);
// Herbs lie in herb sections only, everything else outside them only.
absl::Status HerbSectionRule(MaterialKind kind, const Location& location);
absl::Status InsufficientRemaining(const Bag& bag, int64_t asked_grams);
// The matrix does not let bags of this kind go to such a target.
absl::Status NotAllocatable(const Bag& bag, std::string_view target_kind);

// A tealine has all its invoiced bags.
absl::Status InvoicedBagsReceived(const Item& item);
// `grams` would have been received of a blendbalance in all.
absl::Status ExpectedWeightExceeded(const Item& item, int64_t grams);

absl::Status BatchNotOpen(const Batch& batch);
absl::Status BatchBlocked(const Batch& batch);
// The trader has not allowed the batch, or a blend in it.
absl::Status BatchNotAllowed(const Batch& batch);
absl::Status BatchNotCompleted(const Batch& batch);
// Something of it left the site.
absl::Status BatchDispatched(const Batch& batch);
absl::Status BatchInItself(const Batch& batch, const Batch& part);
// A batch of a flavorsheet is not approved itself.
absl::Status TraderNotNeeded(const Batch& batch);
// The trader state of the batch does not allow the step.
absl::Status TraderState(const Batch& batch);
// The step is another role's in this trader state.
absl::Status TraderRole(const Batch& batch);
absl::Status BatchOutExceedsIn(const Batch& batch, int64_t out_grams);

absl::Status AllocationReleased(const Allocation& allocation);
absl::Status AllocationHasLess(const Allocation& allocation,
                               int64_t asked_grams);

// It is to be moved to where it is.
absl::Status SameTarget(const Allocation& allocation);

absl::Status ShipmentNotOpen(const Shipment& shipment);
absl::Status ShipmentNeedsLess(const Shipment& shipment, int64_t asked_grams);

// The shipment's status does not allow it.
absl::Status WrongShipmentStatus(const Shipment& shipment);
absl::Status NothingAllocated(const Shipment& shipment);
// A bag of the shipment was received again.
absl::Status BagReturned(const Shipment& shipment, int64_t bags);
absl::Status ShipmentNotAccepted(const Shipment& shipment);

absl::Status ScheduleNotFound(int64_t schedule_code);
absl::Status ScheduleCompleted(const Schedule& schedule);
absl::Status ScheduleOfOtherOrder(const Schedule& schedule,
                                  const Shipment& shipment);
absl::Status ParcelNotFound(std::string_view parcel_id);
absl::Status ParcelReleased(const Parcel& parcel);
// The allocation goes to a batch; only shipments are parcelled.
absl::Status NotParcelled(const Allocation& allocation);
absl::Status ParcelsExceedAllocation(const Allocation& allocation,
                                     int64_t left_grams, int64_t asked_grams);

// A refusal of something else, as one of this bag: told by its barcode.
absl::Status OfBag(absl::Status refusal, const Bag& bag);
// Several refusals as one: the first, with a violation for each and their
// number.
absl::Status Together(const std::vector<absl::Status>& refusals);

// The words for a constraint of the database that a call ran into although its
// decision had let it pass; OK for a constraint without such words.
absl::Status OfConstraint(std::string_view constraint);

}  // namespace errors
}  // namespace mtp::processing
