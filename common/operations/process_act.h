#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/handlers/commands.h"

namespace mtp::operations {

// Does what changes nothing but the process that answers: `decide` makes the
// reply and the audit entries, which are kept like a command's; then, once they
// are committed, `act` is called, before the reply goes. A replay calls
// neither.
void DoInProcess(
    handlers::CommandLanes& lanes, std::unique_ptr<rpc::Call> call,
    std::function<absl::StatusOr<std::string>(handlers::Context&)> decide,
    std::function<void()> act);

}  // namespace mtp::operations
