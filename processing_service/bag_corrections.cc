#include "processing_service/bag_corrections.h"

#include "common/base/status.h"
#include "processing_service/bag_sources.h"
#include "processing_service/errors.h"

namespace mtp::processing {
namespace {

int64_t LeftGrams(const Bag& bag, const Rows& rows) {
  const BagHistory* history = rows.bag_histories.Find(bag.barcode);
  return history == nullptr ? 0 : history->left_grams;
}

// The number of the bag's next correction.
int64_t NextCorrection(const Bag& bag, Rows& rows) {
  const BagHistory* history = rows.bag_histories.Find(bag.barcode);
  if (history == nullptr) {
    history = &rows.bag_histories.Insert({.barcode = bag.barcode});
  }
  return ++rows.bag_histories.Edit(*history).last_correction;
}

// --- CorrectBag

void TouchCorrectBag(const v1::CorrectBagRequest& request, Rows& rows) {
  const Uuid barcode = ParseBarcode(request.barcode()).uuid;
  rows.bags.Want(barcode);
  WantReweighing(barcode, rows);
}

absl::Status JudgeCorrection(const Bag& bag, int64_t net_grams,
                             const Rows& rows) {
  if (bag.gone()) return errors::BagDispatched(bag);
  if (net_grams < bag.UsedGrams())
    return errors::CorrectionBelowUsed(bag, net_grams);
  ASSIGN_OR_RETURN(const Source source, FindSource(bag, rows));
  return JudgeGrowth(source, net_grams - bag.net_grams);
}

// --- WriteOffBag

void TouchWriteOffBag(const v1::WriteOffBagRequest& request, Rows& rows) {
  const Uuid barcode = ParseBarcode(request.barcode()).uuid;
  rows.bags.Want(barcode);
  rows.bag_histories.Want(barcode);
}

absl::Status JudgeLoss(const Bag& bag, int64_t grams, const Context& context,
                       const Rows& rows) {
  RETURN_IF_ERROR(JudgeLimit(bag, grams, context, rows));
  if (bag.gone()) return errors::BagDispatched(bag);
  if (grams > bag.remaining_grams)
    return errors::InsufficientRemaining(bag, grams);
  return absl::OkStatus();
}

}  // namespace

void WantReweighing(const Uuid& barcode, Rows& rows) {
  rows.reweighed_items.Want(barcode);
  rows.reweighed_batches.Want(barcode);
  rows.bag_histories.Want(barcode);
}

BagCorrection Reweigh(const Bag& found, int64_t gross_grams, int64_t tare_grams,
                      const Because& because, Context& context, Rows& rows) {
  const BagCorrection correction{
      .barcode = found.barcode,
      .correction_id = NextCorrection(found, rows),
      .old_gross_grams = found.gross_grams,
      .old_tare_grams = found.tare_grams,
      .old_net_grams = found.net_grams,
      .new_gross_grams = gross_grams,
      .new_tare_grams = tare_grams,
      .new_net_grams = gross_grams - tare_grams,
      .reason = because.text,
      .stocktake_id = because.stocktake_id,
      .corrected_by = context.caller().subject,
      .corrected_by_username = context.caller().username,
      .corrected_by_role = context.caller().role,
      .occurred_at = because.occurred_at,
      .recorded_at = context.now(),
      .correlation_id = context.correlation_id()};
  rows.bag_corrections.Append(correction);

  const int64_t growth = correction.new_net_grams - found.net_grams;
  Grow(*FindSource(found, rows), growth, context, rows);
  Bag& bag = rows.bags.Edit(found);
  bag.gross_grams = gross_grams;
  bag.tare_grams = tare_grams;
  bag.net_grams += growth;
  bag.remaining_grams += growth;
  bag.Settle(LeftGrams(bag, rows));
  context.AuditAt(because.occurred_at, "bag", bag.barcode.ToString(),
                  "corrected",
                  {{"old_gross_grams", correction.old_gross_grams},
                   {"old_tare_grams", correction.old_tare_grams},
                   {"gross_grams", bag.gross_grams},
                   {"tare_grams", bag.tare_grams},
                   {"net_grams", bag.net_grams},
                   {"remaining_grams", bag.remaining_grams},
                   {"reason", because.text}});
  return correction;
}

absl::Status JudgeLimit(const Bag& bag, int64_t grams, const Context& context,
                        const Rows& rows) {
  const int64_t limit = rows.settings.write_off_limit_grams;
  if (grams <= limit ||
      context.caller().role == options::v1::ROLE_SEEDUWA_ADMIN) {
    return absl::OkStatus();
  }
  return errors::WriteOffOverLimit(bag, grams, limit);
}

WriteOff Lose(const Bag& found, int64_t grams, v1::WriteOffReason reason,
              const Because& because, Context& context, Rows& rows) {
  const WriteOff write_off{.barcode = found.barcode,
                           .write_off_id = context.NewId(),
                           .grams = grams,
                           .reason = reason,
                           .remarks = because.text,
                           .stocktake_id = because.stocktake_id,
                           .written_off_by = context.caller().subject,
                           .written_off_by_username = context.caller().username,
                           .written_off_by_role = context.caller().role,
                           .occurred_at = because.occurred_at,
                           .recorded_at = context.now(),
                           .correlation_id = context.correlation_id()};
  rows.write_offs.Append(write_off);

  Bag& bag = rows.bags.Edit(found);
  bag.written_off_grams += grams;
  bag.remaining_grams -= grams;
  bag.Settle(LeftGrams(bag, rows));
  context.AuditAt(because.occurred_at, "bag", bag.barcode.ToString(),
                  "written_off",
                  {{"write_off_id", write_off.write_off_id.ToString()},
                   {"grams", grams},
                   {"reason", std::string(db::EnumText(reason))},
                   {"remaining_grams", bag.remaining_grams},
                   {"remarks", because.text}});
  return write_off;
}

absl::StatusOr<v1::CorrectBagResponse> DecideCorrectBag(
    const v1::CorrectBagRequest& request, Context& context, Rows& rows) {
  if (request.tare_grams() >= request.gross_grams()) {
    return errors::InvalidField("tare_grams", "must be less than gross_grams");
  }
  ASSIGN_OR_RETURN(const Bag* bag, FindBag(rows.bags, request.barcode()));
  RETURN_IF_ERROR(JudgeCorrection(
      *bag, request.gross_grams() - request.tare_grams(), rows));
  v1::CorrectBagResponse response;
  *response.mutable_correction() =
      Reweigh(*bag, request.gross_grams(), request.tare_grams(),
              {request.reason(), context.OccurredAt(request), std::nullopt},
              context, rows)
          .Shown();
  *response.mutable_bag() = bag->Shown();
  return response;
}

absl::StatusOr<v1::WriteOffBagResponse> DecideWriteOffBag(
    const v1::WriteOffBagRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Bag* bag, FindBag(rows.bags, request.barcode()));
  RETURN_IF_ERROR(JudgeLoss(*bag, request.grams(), context, rows));
  v1::WriteOffBagResponse response;
  *response.mutable_write_off() =
      Lose(*bag, request.grams(), request.reason(),
           {request.remarks(), context.OccurredAt(request), std::nullopt},
           context, rows)
          .Shown();
  *response.mutable_bag() = bag->Shown();
  return response;
}

void AddBagCorrections(Commands& commands) {
  commands.Add("mtp.processing.v1.BagService/CorrectBag", TouchCorrectBag,
               DecideCorrectBag);
  commands.Add("mtp.processing.v1.BagService/WriteOffBag", TouchWriteOffBag,
               DecideWriteOffBag);
}

}  // namespace mtp::processing
