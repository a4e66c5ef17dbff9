#pragma once

#include "processing_service/rows.h"

// Batches of blendsheets and flavorsheets, from their opening to the trader's
// word.
namespace mtp::processing {

// Whether something of the batch, or of what was made of it, had left the site
// when the batch was locked; its departure was wanted.
bool LeftTheSite(const Rows& rows, const Batch& batch);

void AddBatches(Commands& commands, Queries& queries);

// A step in the trader's approval of a blendsheet batch, and whose it is.
struct TraderStep {
  v1::TraderState from;
  v1::TraderState to;
  options::v1::Role role;
};

// All steps there are; the first, to TRADER_PENDING, is a measurement.
inline constexpr TraderStep kTraderSteps[] = {
    {v1::TRADER_STATE_UNSPECIFIED, v1::TRADER_STATE_TRADER_PENDING,
     options::v1::ROLE_SEEDUWA_OFFICER},
    {v1::TRADER_STATE_TRADER_PENDING, v1::TRADER_STATE_TRADER_REQUESTED,
     options::v1::ROLE_SEEDUWA_OFFICER},
    {v1::TRADER_STATE_TRADER_REQUESTED, v1::TRADER_STATE_TRADER_ALLOWED,
     options::v1::ROLE_TRADER_OFFICER},
    {v1::TRADER_STATE_TRADER_REQUESTED, v1::TRADER_STATE_TRADER_BLOCKED,
     options::v1::ROLE_TRADER_OFFICER},
    {v1::TRADER_STATE_TRADER_REQUESTED, v1::TRADER_STATE_TRADER_ELEVATED,
     options::v1::ROLE_TRADER_OFFICER},
    {v1::TRADER_STATE_TRADER_ELEVATED, v1::TRADER_STATE_TRADER_ALLOWED,
     options::v1::ROLE_TRADER_SUPERVISOR},
    {v1::TRADER_STATE_TRADER_ELEVATED, v1::TRADER_STATE_TRADER_BLOCKED,
     options::v1::ROLE_TRADER_SUPERVISOR},
    // Found bad later.
    {v1::TRADER_STATE_TRADER_ALLOWED, v1::TRADER_STATE_TRADER_BLOCKED,
     options::v1::ROLE_TRADER_SUPERVISOR},
};

// Whether somebody of this role may bring the batch into that trader state: OK,
// or TRADER_STATE when there is no such step, or TRADER_ROLE when it is another
// role's.
absl::Status JudgeTraderStep(const Batch& batch, v1::TraderState to,
                             options::v1::Role role);

// The decisions; all they look at is in `rows`.
absl::StatusOr<v1::OpenBatchResponse> DecideOpenBatch(
    const v1::OpenBatchRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::RecordMeasurementResponse> DecideRecordMeasurement(
    const v1::RecordMeasurementRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::CompleteBatchResponse> DecideCompleteBatch(
    const v1::CompleteBatchRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::ReopenBatchResponse> DecideReopenBatch(
    const v1::ReopenBatchRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::BlockBatchResponse> DecideBlockBatch(
    const v1::BlockBatchRequest& request, Context& context, Rows& rows);

}  // namespace mtp::processing
