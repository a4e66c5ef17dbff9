#pragma once

#include "common/print/fonts.h"
#include "common/print/picture.h"
#include "processing_service/rows.h"

// The labels on bags.
namespace mtp::processing {

// The settings and fonts outlive the queries.
void AddLabels(Queries& queries, const Settings& settings,
               const print::Fonts& fonts);

// All but the image, and the picture of it.
v1::GetBagLabelResponse LabelOf(const v1::Bag& bag, absl::TimeZone zone);
absl::StatusOr<print::Picture> PictureOf(const v1::GetBagLabelResponse& label,
                                         const print::Fonts& fonts);

}  // namespace mtp::processing
