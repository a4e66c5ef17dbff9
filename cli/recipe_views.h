#pragma once

#include <string>

#include "cli/fields.h"
#include "mtp/processing/v1/recipes.pb.h"

// What people read of recipes. Every text ends with a line feed.
namespace mtp::cli {

std::string BlendsheetsText(const Many<processing::v1::Blendsheet>& sheets);
std::string BlendsheetText(const processing::v1::Blendsheet& sheet);
std::string FlavorsheetsText(const Many<processing::v1::Flavorsheet>& sheets);
std::string FlavorsheetText(const processing::v1::Flavorsheet& sheet);

}  // namespace mtp::cli
