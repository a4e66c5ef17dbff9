#pragma once

#include <string>
#include <vector>

#include "mtp/ops/v1/operations.pb.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::reconciliation {

// The fields of which two states of one thing say different things, by name
// and with what each says, as `dispatch.shipment_vehicle`; of messages the
// fields within. Stamps are not compared. A value that is not there is empty.
std::vector<ops::v1::DriftDifference> Differences(const sync::v1::State& owner,
                                                  const sync::v1::State& copy);

// As sync.drift keeps them, and back.
std::string DifferencesAsJson(
    const std::vector<ops::v1::DriftDifference>& differences);

}  // namespace mtp::reconciliation
