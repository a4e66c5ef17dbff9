#pragma once

#include <string>
#include <vector>

#include "common/print/fonts.h"
#include "processing_service/rows.h"

// The paper for the driver.
namespace mtp::processing {

// The settings and fonts outlive the queries.
void AddDispatchNotes(Queries& queries, const Settings& settings,
                      const print::Fonts& fonts);

// A part of a bag that left in a shipment.
struct NoteLine {
  v1::Bag bag;
  int64_t grams = 0;
};
struct NoteShipment {
  v1::OpenShipment shipment;
  std::vector<NoteLine> lines;
};

// The document, of at least one shipment; all of them left together.
absl::StatusOr<std::string> DispatchNotePdf(
    const std::vector<NoteShipment>& shipments, absl::TimeZone zone,
    const print::Fonts& fonts);

}  // namespace mtp::processing
