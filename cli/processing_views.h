#pragma once

#include <string>

#include "cli/fields.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

// What people read of batches, bags, what was given where and what left. Every
// text ends with a line feed.
namespace mtp::cli {

std::string BatchesText(const Many<processing::v1::Batch>& batches);
// By how long they have been in their trader state.
std::string TraderQueueText(const Many<processing::v1::Batch>& batches);
std::string BatchText(const processing::v1::Batch& batch);
// With all that went in and came out.
std::string WholeBatchText(const processing::v1::GetBatchResponse& batch);

std::string BagsText(const Many<processing::v1::Bag>& bags);
std::string BagText(const processing::v1::Bag& bag);
std::string MovesText(const Many<processing::v1::BagMove>& moves);
// With all that was mended, lost and sent back.
std::string WholeBagText(const processing::v1::GetBagResponse& bag);
std::string ScanText(const processing::v1::ScannedBag& scan);
std::string OpeningStockText(
    const processing::v1::ImportOpeningStockResponse& import);
std::string LabelText(const processing::v1::GetBagLabelResponse& label);

std::string AllocationsText(
    const Many<processing::v1::Allocation>& allocations);
std::string RulesText(const Many<processing::v1::AllocationRule>& rules);
std::string ParcelsText(const Many<processing::v1::Parcel>& parcels);

// The status as Seeduwa knows it, with when the order side said it last.
std::string OpenShipmentsText(
    const Many<processing::v1::OpenShipment>& shipments);
std::string ManifestText(
    const processing::v1::GetShipmentManifestResponse& manifest);

}  // namespace mtp::cli
