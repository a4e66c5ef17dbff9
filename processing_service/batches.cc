#include "processing_service/batches.h"

#include "common/base/status.h"
#include "processing_service/batch_queries.h"
#include "processing_service/errors.h"

namespace mtp::processing {

bool LeftTheSite(const Rows& rows, const Batch& batch) {
  const BatchDeparture* departure = rows.departures.Find(batch.batch_id);
  return departure != nullptr && departure->dispatched;
}
namespace {

template <typename Request>
void TouchBatch(const Request& request, Rows& rows) {
  rows.batches.Want(*Uuid::Parse(request.batch_id()));
}

template <typename Request>
absl::StatusOr<const Batch*> FindBatch(const Request& request,
                                       const Rows& rows) {
  const Batch* batch = rows.batches.Find(*Uuid::Parse(request.batch_id()));
  if (batch == nullptr) return errors::BatchNotFound(request.batch_id());
  return batch;
}

void Changed(Batch& batch, const Context& context) {
  ++batch.version;
  batch.changed_at = context.now();
}

// --- opened

void TouchOpenBatch(const v1::OpenBatchRequest& request, Rows& rows) {
  const Uuid recipe_id = *Uuid::Parse(request.recipe_id());
  rows.recipes.Want(recipe_id);
  rows.latest_revisions.Want(recipe_id);
}

}  // namespace

// The next batch of the latest revision, while that allows one more.
absl::StatusOr<v1::OpenBatchResponse> DecideOpenBatch(
    const v1::OpenBatchRequest& request, Context& context, Rows& rows) {
  const Recipe* found = rows.recipes.Find(*Uuid::Parse(request.recipe_id()));
  if (found == nullptr) return errors::RecipeNotFound(request.recipe_id());
  if (found->retired()) return errors::RecipeRetired(*found);
  if (request.revision() != 0 && request.revision() != found->revision) {
    return errors::RecipeRevised(*found);
  }
  const RecipeRevision* latest =
      rows.revisions.Find({found->recipe_id, found->revision});
  if (latest->opened_batches >= latest->batch_count) {
    return errors::RecipeBatchesExhausted(*found, latest->batch_count);
  }

  Recipe& recipe = rows.recipes.Edit(*found);
  RecipeRevision& revision = rows.revisions.Edit(*latest);
  ++revision.opened_batches;
  const Batch& batch = rows.batches.Insert(
      {.batch_id = context.NewId(),
       .kind = recipe.kind,
       .recipe_id = recipe.recipe_id,
       .revision = revision.revision,
       .batch_number = recipe.next_batch_number++,
       .out_tolerance_ppm = rows.settings.batch_out_tolerance_ppm,
       .opened_by = context.caller().subject,
       .opened_by_username = context.caller().username,
       .opened_by_role = context.caller().role,
       .opened_at = context.now(),
       .occurred_at = context.OccurredAt(request),
       .changed_at = context.now(),
       .recipe_number = recipe.number,
       .code = revision.Code(),
       .planned_grams = revision.PlannedGrams()});
  context.AuditAt(batch.occurred_at, "batch", batch.batch_id.ToString(),
                  "opened",
                  {{"recipe_id", recipe.recipe_id.ToString()},
                   {"revision", batch.revision},
                   {"batch_number", batch.batch_number}});
  v1::OpenBatchResponse response;
  *response.mutable_batch() = batch.Shown();
  return response;
}

// --- completed, and opened again

absl::StatusOr<v1::CompleteBatchResponse> DecideCompleteBatch(
    const v1::CompleteBatchRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Batch* found, FindBatch(request, rows));
  if (!found->open()) return errors::BatchNotOpen(*found);

  Batch& batch = rows.batches.Edit(*found);
  batch.state = v1::BATCH_STATE_COMPLETED;
  batch.completed_by = context.caller().subject;
  batch.completed_by_username = context.caller().username;
  batch.completed_by_role = context.caller().role;
  batch.completed_at = context.now();
  Changed(batch, context);
  context.AuditAt(context.OccurredAt(request), "batch",
                  batch.batch_id.ToString(), "completed",
                  {{"remarks", request.remarks()}});
  v1::CompleteBatchResponse response;
  *response.mutable_batch() = batch.Shown();
  return response;
}

namespace {

void TouchReopenBatch(const v1::ReopenBatchRequest& request, Rows& rows) {
  TouchBatch(request, rows);
  rows.departures.Want(*Uuid::Parse(request.batch_id()));
}

// In the database, or by a call before this one.
bool Departed(const Rows& rows, const Batch& batch) {
  if (LeftTheSite(rows, batch)) return true;
  for (const Bag* bag : rows.bags.All()) {
    if (bag->batch_id == batch.batch_id && bag->gone()) return true;
  }
  for (const Allocation* allocation : rows.allocations.All()) {
    const auto shipment_key = allocation->shipment();
    if (!allocation->active() || !shipment_key.has_value()) continue;
    const Bag* bag = rows.bags.Find(allocation->barcode);
    const Shipment* shipment = rows.shipments.Find(*shipment_key);
    if (bag != nullptr && bag->batch_id == batch.batch_id &&
        shipment != nullptr && shipment->dispatched) {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<v1::ReopenBatchResponse> DecideReopenBatch(
    const v1::ReopenBatchRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Batch* found, FindBatch(request, rows));
  if (found->open()) return errors::BatchNotCompleted(*found);
  if (Departed(rows, *found)) return errors::BatchDispatched(*found);

  Batch& batch = rows.batches.Edit(*found);
  batch.state = v1::BATCH_STATE_OPEN;
  batch.completed_by.clear();
  batch.completed_by_username.clear();
  batch.completed_by_role = options::v1::ROLE_UNSPECIFIED;
  batch.completed_at.reset();
  Changed(batch, context);
  context.AuditAt(context.OccurredAt(request), "batch",
                  batch.batch_id.ToString(), "reopened",
                  {{"reason", request.reason()}});
  v1::ReopenBatchResponse response;
  *response.mutable_batch() = batch.Shown();
  return response;
}

// --- the trader's word

absl::Status JudgeTraderStep(const Batch& batch, v1::TraderState to,
                             options::v1::Role role) {
  for (const TraderStep& step : kTraderSteps) {
    if (step.from != batch.trader_state || step.to != to) continue;
    return step.role == role ? absl::OkStatus() : errors::TraderRole(batch);
  }
  return errors::TraderState(batch);
}

namespace {

// Brings the batch into the state and keeps who said so; batches that it is in,
// if they are at hand, get to know.
void Become(v1::TraderState to, const std::string& remarks,
            absl::Time occurred_at, Batch& batch, const Context& context,
            Rows& rows) {
  rows.trader_decisions.Append(
      {.batch_id = batch.batch_id,
       .decision_id = context.NewId(),
       .from_state = batch.trader_state,
       .to_state = to,
       .remarks = remarks,
       .decided_by = context.caller().subject,
       .decided_by_username = context.caller().username,
       .decided_by_role = context.caller().role,
       .occurred_at = occurred_at,
       .recorded_at = context.now(),
       .correlation_id = context.correlation_id()});
  batch.trader_state = to;
  batch.trader_changed_at = context.now();
  for (const Batch* other : rows.batches.All()) {
    if (other->Contains(batch)) rows.batches.Edit(*other).HearOf(batch);
  }
}

}  // namespace

// The first measurement of a batch puts it before the traders.
absl::StatusOr<v1::RecordMeasurementResponse> DecideRecordMeasurement(
    const v1::RecordMeasurementRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Batch* found, FindBatch(request, rows));
  if (found->kind == v1::MATERIAL_KIND_FLAVORSHEET) {
    return errors::TraderNotNeeded(*found);
  }

  Batch& batch = rows.batches.Edit(*found);
  const Measurement measurement{
      .batch_id = batch.batch_id,
      .measurement_id = context.NewId(),
      .humidity_basis_points = request.humidity_basis_points(),
      .density_grams_per_cubic_metre = request.density_grams_per_cubic_metre(),
      .remarks = request.remarks(),
      .measured_by = context.caller().subject,
      .measured_by_username = context.caller().username,
      .measured_by_role = context.caller().role,
      .occurred_at = context.OccurredAt(request),
      .recorded_at = context.now(),
      .correlation_id = context.correlation_id()};
  rows.measurements.Append(measurement);
  if (batch.trader_state == v1::TRADER_STATE_UNSPECIFIED) {
    Become(v1::TRADER_STATE_TRADER_PENDING, "", measurement.occurred_at, batch,
           context, rows);
  }
  Changed(batch, context);
  context.AuditAt(measurement.occurred_at, "batch", batch.batch_id.ToString(),
                  "measured",
                  {{"humidity_basis_points", measurement.humidity_basis_points},
                   {"density_grams_per_cubic_metre",
                    measurement.density_grams_per_cubic_metre}});
  v1::RecordMeasurementResponse response;
  *response.mutable_batch() = batch.Shown();
  *response.mutable_measurement() = measurement.Shown();
  return response;
}

namespace {

template <v1::TraderState to, typename Request, typename Response>
absl::StatusOr<Response> DecideTraderStep(const Request& request,
                                          Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Batch* found, FindBatch(request, rows));
  RETURN_IF_ERROR(JudgeTraderStep(*found, to, context.caller().role));

  Batch& batch = rows.batches.Edit(*found);
  const absl::Time occurred_at = context.OccurredAt(request);
  Become(to, request.remarks(), occurred_at, batch, context, rows);
  Changed(batch, context);
  context.AuditAt(occurred_at, "batch", batch.batch_id.ToString(),
                  to == v1::TRADER_STATE_TRADER_REQUESTED ? "requested"
                  : to == v1::TRADER_STATE_TRADER_ALLOWED ? "allowed"
                  : to == v1::TRADER_STATE_TRADER_BLOCKED ? "blocked"
                                                          : "elevated",
                  {{"remarks", request.remarks()}});
  Response response;
  *response.mutable_batch() = batch.Shown();
  return response;
}

constexpr auto kDecideRequestApproval =
    DecideTraderStep<v1::TRADER_STATE_TRADER_REQUESTED,
                     v1::RequestApprovalRequest, v1::RequestApprovalResponse>;
constexpr auto kDecideAllowBatch =
    DecideTraderStep<v1::TRADER_STATE_TRADER_ALLOWED, v1::AllowBatchRequest,
                     v1::AllowBatchResponse>;
constexpr auto kDecideElevateBatch =
    DecideTraderStep<v1::TRADER_STATE_TRADER_ELEVATED, v1::ElevateBatchRequest,
                     v1::ElevateBatchResponse>;

}  // namespace

absl::StatusOr<v1::BlockBatchResponse> DecideBlockBatch(
    const v1::BlockBatchRequest& request, Context& context, Rows& rows) {
  return DecideTraderStep<v1::TRADER_STATE_TRADER_BLOCKED,
                          v1::BlockBatchRequest, v1::BlockBatchResponse>(
      request, context, rows);
}

void AddBatches(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.BatchService/OpenBatch", TouchOpenBatch,
               DecideOpenBatch);
  commands.Add("mtp.processing.v1.BatchService/RecordMeasurement",
               TouchBatch<v1::RecordMeasurementRequest>,
               DecideRecordMeasurement);
  commands.Add("mtp.processing.v1.BatchService/CompleteBatch",
               TouchBatch<v1::CompleteBatchRequest>, DecideCompleteBatch);
  commands.Add("mtp.processing.v1.BatchService/ReopenBatch", TouchReopenBatch,
               DecideReopenBatch);
  commands.Add("mtp.processing.v1.BatchService/RequestApproval",
               TouchBatch<v1::RequestApprovalRequest>, kDecideRequestApproval);
  commands.Add("mtp.processing.v1.BatchService/AllowBatch",
               TouchBatch<v1::AllowBatchRequest>, kDecideAllowBatch);
  commands.Add("mtp.processing.v1.BatchService/BlockBatch",
               TouchBatch<v1::BlockBatchRequest>, DecideBlockBatch);
  commands.Add("mtp.processing.v1.BatchService/ElevateBatch",
               TouchBatch<v1::ElevateBatchRequest>, kDecideElevateBatch);
  AddBatchQueries(queries);
}

}  // namespace mtp::processing
