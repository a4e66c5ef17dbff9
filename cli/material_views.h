#pragma once

#include <string>

#include "cli/fields.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"

// What people read of locations and of what comes onto the site. Every text
// ends with a line feed.
namespace mtp::cli {

std::string LocationsText(const Many<processing::v1::Location>& locations);
std::string LocationText(const processing::v1::Location& location);
std::string TealinesText(const Many<processing::v1::Tealine>& tealines);
std::string TealineText(const processing::v1::Tealine& tealine);
std::string HerblinesText(const Many<processing::v1::Herbline>& herblines);
std::string HerblineText(const processing::v1::Herbline& herbline);
std::string BlendbalancesText(
    const Many<processing::v1::Blendbalance>& blendbalances);
std::string BlendbalanceText(const processing::v1::Blendbalance& blendbalance);

}  // namespace mtp::cli
