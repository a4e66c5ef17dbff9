#pragma once

#include <optional>
#include <string>

#include "processing_service/rows.h"

// Wrong weighings and losses: nothing is overwritten silently, each is kept
// with its reason.
namespace mtp::processing {

void AddBagCorrections(Commands& commands);

// What is kept with a correction or a write-off besides the weights.
struct Because {
  std::string text;  // the reason of a correction, remarks of a write-off
  absl::Time occurred_at;
  std::optional<Uuid> stocktake_id;
};

// What must be loaded to weigh a bag anew, besides the bag: the totals of its
// source and its history.
void WantReweighing(const Uuid& barcode, Rows& rows);

// Gives the bag other weights, which were judged; its totals follow.
BagCorrection Reweigh(const Bag& found, int64_t gross_grams, int64_t tare_grams,
                      const Because& because, Context& context, Rows& rows);

// Whether the caller may write so much off at once.
absl::Status JudgeLimit(const Bag& bag, int64_t grams, const Context& context,
                        const Rows& rows);

// Takes a loss out of what remains of the bag, which has as much.
WriteOff Lose(const Bag& found, int64_t grams, v1::WriteOffReason reason,
              const Because& because, Context& context, Rows& rows);

// The decisions; all they look at is in `rows`.
absl::StatusOr<v1::CorrectBagResponse> DecideCorrectBag(
    const v1::CorrectBagRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::WriteOffBagResponse> DecideWriteOffBag(
    const v1::WriteOffBagRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
