#pragma once

#include <span>
#include <string_view>

#include "common/handlers/queries.h"
#include "mtp/processing/v1/dashboards.pb.h"

// Who did what and when, as people read it: the audit trail in their words.
namespace mtp::processing {

// What the trail keeps of a thing, and what that is called.
struct ActivityWord {
  std::string_view entity_kind;
  std::string_view action;
  v1::ActivityKind kind;
  // With {subject}, {kg}, {target} and names of the change in braces.
  std::string_view sentence;
};

// All that is shown. What the trail has besides (schedules heard of, exceptions
// opened) is no activity of this side's people or goods.
std::span<const ActivityWord> ActivityWords();

void AddActivities(handlers::Queries& queries);

}  // namespace mtp::processing
