#pragma once

#include <string>

#include "cli/fields.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "mtp/processing/v1/recipes.pb.h"

// What people read of the processing side's things. Every text ends with a
// line feed.
namespace mtp::cli {

std::string LocationsText(const Many<processing::v1::Location>& locations);
std::string TealinesText(const Many<processing::v1::Tealine>& tealines);
std::string BlendbalancesText(
    const Many<processing::v1::Blendbalance>& blendbalances);
std::string BlendsheetsText(const Many<processing::v1::Blendsheet>& sheets);
std::string BlendsheetText(const processing::v1::Blendsheet& sheet);

std::string BatchesText(const Many<processing::v1::Batch>& batches);
std::string BatchText(const processing::v1::Batch& batch);
// With all that went in and came out.
std::string WholeBatchText(const processing::v1::GetBatchResponse& batch);

std::string BagsText(const Many<processing::v1::Bag>& bags);
std::string BagText(const processing::v1::Bag& bag);
std::string ScanText(const processing::v1::ScannedBag& scan);
std::string OpeningStockText(
    const processing::v1::ImportOpeningStockResponse& import);
std::string LabelText(const processing::v1::GetBagLabelResponse& label);

std::string AllocationsText(
    const Many<processing::v1::Allocation>& allocations);
std::string ParcelsText(const Many<processing::v1::Parcel>& parcels);

std::string OpenShipmentsText(
    const Many<processing::v1::OpenShipment>& shipments);
std::string ManifestText(
    const processing::v1::GetShipmentManifestResponse& manifest);

}  // namespace mtp::cli
