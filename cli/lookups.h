#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/session.h"

// From the names that people use to the ids that calls take. An id is taken as
// it is.
namespace mtp::cli {

// By item code; FAILED_PRECONDITION when several lots have it.
absl::StatusOr<std::string> TealineId(Session& session,
                                      const std::string& name);
absl::StatusOr<std::string> HerblineId(Session& session,
                                       const std::string& name);
absl::StatusOr<std::string> BlendbalanceId(Session& session,
                                           const std::string& name);
// By the sheet's number.
absl::StatusOr<std::string> BlendsheetId(Session& session,
                                         const std::string& name);
absl::StatusOr<std::string> FlavorsheetId(Session& session,
                                          const std::string& name);
// A sheet of either kind, by its number; where both kinds have one of that
// number, `blendsheet:` or `flavorsheet:` before it says which.
absl::StatusOr<std::string> RecipeId(Session& session, const std::string& name);
// `BS-1/2`: batch 2 of sheet BS-1, of either kind as above.
absl::StatusOr<std::string> BatchId(Session& session, const std::string& name);
absl::StatusOr<std::string> LocationId(Session& session,
                                       const std::string& name);

}  // namespace mtp::cli
