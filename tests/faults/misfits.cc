#include "tests/faults/misfits.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mtp::tests {
namespace {

// What does not fit in the facts of both, as either side has them.
constexpr char kMustBeTold[] = R"(
  SELECT kind || ' shipment:' || request_code || '/' || shipment_code
  FROM shipment, LATERAL (VALUES
    ('DISPATCHED_AFTER_CANCELLATION', dispatched AND cancelled),
    ('DISPATCHED_MORE_THAN_ORDERED',
     dispatched AND NOT cancelled AND dispatched_grams > quantity_grams),
    ('DISPATCH_CORRECTED_AFTER_ACCEPTANCE', accepted AND NOT dispatched)
  ) AS told (kind, so) WHERE so)";
constexpr char kMustBeToldAtGrandpass[] = R"(
  SELECT 'ACCEPTED_WITH_DIFFERENCES shipment:' || request_code || '/' || shipment_code
  FROM shipment
  WHERE accepted AND dispatched AND received_grams <> dispatched_grams)";

// What can have been so when it was told. A dispatch that was corrected may
// have been another one before.
constexpr char kMayBeTold[] = R"(
  SELECT kind || ' shipment:' || request_code || '/' || shipment_code
  FROM shipment, LATERAL (VALUES
    ('DISPATCHED_AFTER_CANCELLATION',
     cancelled AND (dispatched OR corrected_at IS NOT NULL)),
    ('DISPATCHED_MORE_THAN_ORDERED',
     dispatched_grams > quantity_grams OR corrected_at IS NOT NULL),
    ('DISPATCH_CORRECTED_AFTER_ACCEPTANCE', accepted AND corrected_at IS NOT NULL)
  ) AS told (kind, so) WHERE so)";
constexpr char kMayBeToldAtGrandpass[] = R"(
  SELECT 'ACCEPTED_WITH_DIFFERENCES shipment:' || request_code || '/' || shipment_code
  FROM shipment WHERE accepted AND received_grams <> dispatched_grams
  UNION ALL
  SELECT 'PARCELS_AFTER_COMPLETION schedule:' || schedule_code
  FROM schedule WHERE progress_version > 0 AND EXISTS (
    SELECT FROM audit.entry
    WHERE entity_kind = 'schedule' AND entity_key = schedule_code::text
      AND action IN ('completed', 'recovered')))";

std::set<std::string> Lines(const Stack& stack, Side side, const char* both,
                            const char* at_grandpass) {
  std::set<std::string> lines;
  for (const auto& row : stack.Database(side).Query(both)) lines.insert(row[0]);
  if (side != SIDE_ORDER) return lines;
  for (const auto& row : stack.Database(side).Query(at_grandpass))
    lines.insert(row[0]);
  return lines;
}

}  // namespace

std::vector<std::string> Misfits(const Stack& stack, Side side, bool restored) {
  std::set<std::string> told;
  for (const auto& row : stack.Database(side).Query(
           "SELECT kind || ' ' || things[1] FROM sync.exception")) {
    told.insert(row[0]);
  }
  std::vector<std::string> misfits;
  for (const std::string& line :
       Lines(stack, side, kMustBeTold, kMustBeToldAtGrandpass)) {
    if (!told.contains(line))
      misfits.push_back(
          absl::StrCat(NameOf(side), " does not tell people: ", line));
  }
  const std::set<std::string> may =
      Lines(stack, side, kMayBeTold, kMayBeToldAtGrandpass);
  for (const std::string& line : told) {
    if (!may.contains(line) &&
        !(restored && absl::StartsWith(line, "LOST_IN_RESTORE ")))
      misfits.push_back(
          absl::StrCat(NameOf(side), " tells people without a cause: ", line));
  }
  return misfits;
}

}  // namespace mtp::tests
