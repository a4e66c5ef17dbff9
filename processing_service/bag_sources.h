#pragma once

#include "processing_service/rows.h"

// What bags come from, and its totals: what was received of an item, what came
// out of a batch.
namespace mtp::processing {

// An item or a batch.
struct Source {
  const Item* item = nullptr;
  const Batch* batch = nullptr;

  MaterialKind kind() const {
    return item != nullptr ? item->kind : batch->kind;
  }
};

// That of a bag, which was wanted by its barcode. NOT_FOUND if the bag came
// when that had been looked for already: then it is as if it came later.
absl::StatusOr<Source> FindSource(const Bag& bag, const Rows& rows);

// Whether its bags may weigh so much more together: EXPECTED_WEIGHT_EXCEEDED,
// BATCH_OUT_EXCEEDS_IN. Less they always may.
absl::Status JudgeGrowth(const Source& source, int64_t grams);

// Its bags weigh so much more, or less, than before, and so much more remains.
void Grow(const Source& source, int64_t grams, const Context& context,
          Rows& rows);

}  // namespace mtp::processing
