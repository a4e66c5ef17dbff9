#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/db/connection.h"
#include "schema_plans.h"

namespace mtp::host {

// The schema that a program was built for: of a sqitch project, how many
// changes its plan has and the last one's name.
struct SchemaProject {
  std::string project;
  int64_t change_count = 0;
  std::string last_change;

  // `order 11:signing_key`
  std::string Text() const;
};

// What a sqitch plan had when the program was built.
inline SchemaProject Needed(const schema::SchemaPlan& plan) {
  return {plan.project, plan.change_count, plan.last_change};
}

// OK when the database has exactly these; otherwise says which it has and
// which are needed.
absl::Status CheckSchema(db::Connection& connection,
                         const std::vector<SchemaProject>& needed);

}  // namespace mtp::host
