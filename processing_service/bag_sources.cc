#include "processing_service/bag_sources.h"

#include "processing_service/errors.h"

namespace mtp::processing {

absl::StatusOr<Source> FindSource(const Bag& bag, const Rows& rows) {
  Source source;
  if (bag.item_id.has_value()) {
    source.item = rows.items.Find(*bag.item_id);
  } else {
    source.batch = rows.batches.Find(*bag.batch_id);
  }
  if (source.item == nullptr && source.batch == nullptr)
    return errors::BagNotFound(bag.barcode.ToString());
  return source;
}

absl::Status JudgeGrowth(const Source& source, int64_t grams) {
  if (grams <= 0) return absl::OkStatus();
  if (const Batch* batch = source.batch; batch != nullptr) {
    const int64_t out_grams = batch->out_grams + grams;
    if (out_grams <= batch->OutLimitGrams()) return absl::OkStatus();
    return errors::BatchOutExceedsIn(*batch, out_grams);
  }
  const Item& item = *source.item;
  const int64_t received_grams = item.received_grams + grams;
  if (item.gram_limit.has_value() && received_grams > *item.gram_limit) {
    return errors::ExpectedWeightExceeded(item, received_grams);
  }
  return absl::OkStatus();
}

void Grow(const Source& source, int64_t grams, const Context& context,
          Rows& rows) {
  if (source.item != nullptr) {
    Item& item = rows.items.Edit(*source.item);
    item.received_grams += grams;
    item.remaining_grams += grams;
  } else {
    Batch& batch = rows.batches.Edit(*source.batch);
    batch.out_grams += grams;
    batch.remaining_grams += grams;
    ++batch.version;
    batch.changed_at = context.now();
  }
}

}  // namespace mtp::processing
