#include "processing_service/stocktakes.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/handlers/item_error.h"
#include "processing_service/bag_corrections.h"
#include "processing_service/bag_sources.h"
#include "processing_service/errors.h"
#include "processing_service/placing.h"

namespace mtp::processing {
namespace {

// The differences that a reply tells of.
constexpr size_t kToldLimit = 1000;

// One bag, as the book has it and as it was found.
struct Line {
  Uuid barcode;
  const Bag* bag = nullptr;  // none: not in the book
  bool seen = false;
  std::optional<int64_t> counted_grams;
  v1::StocktakeFinding finding = v1::STOCKTAKE_FINDING_UNSPECIFIED;
  int64_t difference_grams = 0;  // what is booked
  absl::Status refusal;

  // What was counted less what the book has, if it was weighed.
  int64_t Growth() const {
    return counted_grams.has_value() ? *counted_grams - bag->remaining_grams
                                     : 0;
  }
};

// By barcode, which says who is judged before whom.
using Lines = std::map<Uuid, Line>;

// What the lines before it have already added to a source.
using Grown = std::map<Uuid, int64_t>;

absl::StatusOr<Lines> LinesOf(const v1::RecordStocktakeRequest& request,
                              const Location& place, const Rows& rows) {
  Lines lines;
  std::vector<errors::FieldViolation> violations;
  for (int i = 0; i < request.counts_size(); ++i) {
    const v1::StocktakeCount& count = request.counts(i);
    const Barcode barcode = ParseBarcode(count.barcode());
    const auto [found, fresh] =
        lines.emplace(barcode.uuid, Line{.barcode = barcode.uuid});
    if (!fresh) {
      violations.push_back(
          {absl::StrCat("counts[", i, "].barcode"), "was counted before"});
      continue;
    }
    Line& line = found->second;
    line.seen = true;
    if (count.has_remaining_grams())
      line.counted_grams = count.remaining_grams();
    // A label of another kind is no label of this bag.
    const Bag* bag = rows.bags.Find(barcode.uuid);
    if (bag != nullptr && barcode.Fits(bag->kind)) line.bag = bag;
  }
  if (!violations.empty()) return errors::InvalidFields(violations);
  for (const Bag* bag : rows.bags.All()) {
    if (bag->location_id == place.location_id && bag->remaining_grams > 0 &&
        !bag->gone()) {
      lines.emplace(bag->barcode, Line{.barcode = bag->barcode, .bag = bag});
    }
  }
  return lines;
}

// Whether a bag that was found may be booked as it was found; in what is
// counted more, each takes its part of what its source still allows.
absl::Status JudgeFound(const Line& line, const Location& place,
                        const Context& context, const Rows& rows,
                        Grown& grown) {
  const Bag& bag = *line.bag;
  if (bag.gone()) return errors::BagDispatched(bag);
  if (!MayLie(bag.kind, place)) return errors::HerbSectionRule(bag.kind, place);
  const int64_t growth = line.Growth();
  if (growth < 0) return JudgeLimit(bag, -growth, context, rows);
  if (growth == 0) return absl::OkStatus();
  if (bag.gross_grams + growth > kMaxBagGrams)
    return errors::BagTooHeavy(bag, bag.gross_grams + growth);
  ASSIGN_OR_RETURN(const Source source, FindSource(bag, rows));
  int64_t& before =
      grown[bag.item_id.has_value() ? *bag.item_id : *bag.batch_id];
  RETURN_IF_ERROR(JudgeGrowth(source, before + growth));
  before += growth;
  return absl::OkStatus();
}

void Judge(const v1::RecordStocktakeRequest& request, const Location& place,
           const Context& context, const Rows& rows, Grown& grown, Line& line) {
  if (line.bag == nullptr) {
    line.finding = v1::STOCKTAKE_FINDING_UNKNOWN;
    return;
  }
  if (line.seen) {
    line.refusal = JudgeFound(line, place, context, rows, grown);
    line.difference_grams = line.Growth();
    line.finding = line.bag->location_id != place.location_id
                       ? v1::STOCKTAKE_FINDING_MISPLACED
                   : line.Growth() < 0 ? v1::STOCKTAKE_FINDING_SHORT
                   : line.Growth() > 0 ? v1::STOCKTAKE_FINDING_OVER
                                       : v1::STOCKTAKE_FINDING_AGREES;
  } else {
    line.finding = v1::STOCKTAKE_FINDING_MISSING;
    if (request.write_off_missing()) {
      line.difference_grams = -line.bag->remaining_grams;
      line.refusal =
          JudgeLimit(*line.bag, line.bag->remaining_grams, context, rows);
    }
  }
  if (line.refusal.ok()) return;
  line.refusal = errors::OfBag(std::move(line.refusal), *line.bag);
  line.finding = v1::STOCKTAKE_FINDING_REFUSED;
  line.difference_grams = 0;
}

// All that hinders the booking. Whoever may not write so much off is told so
// before anything else.
absl::Status Refusal(const Lines& lines) {
  std::vector<absl::Status> refusals;
  for (const auto& [barcode, line] : lines) {
    if (line.refusal.ok()) continue;
    if (absl::IsPermissionDenied(line.refusal)) return line.refusal;
    refusals.push_back(line.refusal);
  }
  return refusals.empty() ? absl::OkStatus() : errors::Together(refusals);
}

v1::StocktakeLine Shown(const Line& line, const Context& context) {
  v1::StocktakeLine proto;
  proto.set_barcode(line.barcode.ToString());
  proto.set_finding(line.finding);
  if (line.bag != nullptr) {
    proto.set_book_grams(line.bag->remaining_grams);
    proto.set_book_location(line.bag->location);
  }
  if (line.counted_grams.has_value())
    proto.set_counted_grams(*line.counted_grams);
  proto.set_difference_grams(line.difference_grams);
  if (!line.refusal.ok()) {
    *proto.mutable_error() = handlers::ItemError(line.refusal, errors::kDomain,
                                                 context.correlation_id());
  }
  return proto;
}

void ShowDifferences(const Lines& lines, const Context& context,
                     v1::RecordStocktakeResponse& response) {
  std::vector<const Line*> differing;
  int64_t difference_grams = 0;
  for (const auto& [barcode, line] : lines) {
    difference_grams += line.difference_grams;
    if (line.finding != v1::STOCKTAKE_FINDING_AGREES)
      differing.push_back(&line);
  }
  std::stable_partition(differing.begin(), differing.end(),
                        [](const Line* line) { return !line->refusal.ok(); });
  response.set_agreeing_bag_count(std::ssize(lines) - std::ssize(differing));
  response.set_difference_grams(difference_grams);
  response.set_difference_count(std::ssize(differing));
  if (differing.size() > kToldLimit) differing.resize(kToldLimit);
  for (const Line* line : differing)
    *response.add_differences() = Shown(*line, context);
}

StocktakeLine Kept(const Line& line, const Uuid& stocktake_id) {
  StocktakeLine kept{.stocktake_id = stocktake_id,
                     .barcode = line.barcode,
                     .finding = line.finding,
                     .counted_grams = line.counted_grams};
  if (line.bag != nullptr) {
    kept.book_grams = line.bag->remaining_grams;
    kept.book_location_id = line.bag->location_id;
  }
  return kept;
}

// Brings the book to what was found.
void Book(const Line& line, const Location& place, const Because& because,
          Context& context, Rows& rows) {
  if (line.bag == nullptr) return;
  const Bag& bag = *line.bag;
  if (line.seen) MoveTo(place, bag, because.occurred_at, context, rows);
  if (line.difference_grams < 0) {
    Lose(bag, -line.difference_grams, v1::WRITE_OFF_REASON_STOCKTAKE, because,
         context, rows);
  } else if (line.difference_grams > 0) {
    Reweigh(bag, bag.gross_grams + line.difference_grams, bag.tare_grams,
            because, context, rows);
  }
}

void KeepStocktake(const v1::RecordStocktakeRequest& request,
                   const Location& place, const Lines& lines,
                   v1::RecordStocktakeResponse& response, Context& context,
                   Rows& rows) {
  const Uuid stocktake_id = context.NewId();
  const Because because{request.reason(), context.OccurredAt(request),
                        stocktake_id};
  response.set_stocktake_id(stocktake_id.ToString());
  response.set_booked(true);
  rows.stocktakes.Append({.stocktake_id = stocktake_id,
                          .location_id = place.location_id,
                          .reason = request.reason(),
                          .counted_bag_count = response.counted_bag_count(),
                          .agreeing_bag_count = response.agreeing_bag_count(),
                          .difference_grams = response.difference_grams(),
                          .counted_by = context.caller().subject,
                          .counted_by_username = context.caller().username,
                          .counted_by_role = context.caller().role,
                          .occurred_at = because.occurred_at,
                          .recorded_at = context.now(),
                          .correlation_id = context.correlation_id()});
  for (const auto& [barcode, line] : lines) {
    rows.stocktake_lines.Append(Kept(line, stocktake_id));
    Book(line, place, because, context, rows);
  }
  context.AuditAt(because.occurred_at, "location", place.location_id.ToString(),
                  "counted",
                  {{"stocktake_id", response.stocktake_id()},
                   {"name", place.name},
                   {"counted_bag_count", response.counted_bag_count()},
                   {"agreeing_bag_count", response.agreeing_bag_count()},
                   {"difference_grams", response.difference_grams()},
                   {"reason", request.reason()}});
}

void TouchRecordStocktake(const v1::RecordStocktakeRequest& request,
                          Rows& rows) {
  WantPlace(request, rows);
  const auto want = [&rows](const Counted& counted) {
    rows.counted_bags.Want(counted);
    rows.counted_histories.Want(counted);
  };
  want({.location_id = Uuid::Parse(request.location_id()).value_or(Uuid{}),
        .location = request.location()});
  for (const v1::StocktakeCount& count : request.counts()) {
    const Uuid barcode = ParseBarcode(count.barcode()).uuid;
    want({.barcode = barcode});
    if (!count.has_remaining_grams()) continue;
    rows.reweighed_items.Want(barcode);
    rows.reweighed_batches.Want(barcode);
  }
}

}  // namespace

absl::StatusOr<v1::RecordStocktakeResponse> DecideRecordStocktake(
    const v1::RecordStocktakeRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const Location* place, FindPlace(request, rows));
  ASSIGN_OR_RETURN(Lines lines, LinesOf(request, *place, rows));
  Grown grown;
  for (auto& [barcode, line] : lines)
    Judge(request, *place, context, rows, grown, line);
  if (!request.validate_only()) RETURN_IF_ERROR(Refusal(lines));

  v1::RecordStocktakeResponse response;
  response.set_counted_bag_count(request.counts_size());
  ShowDifferences(lines, context, response);
  if (!request.validate_only())
    KeepStocktake(request, *place, lines, response, context, rows);
  return response;
}

void AddStocktakes(Commands& commands) {
  commands.AddAlone("mtp.processing.v1.BagService/RecordStocktake",
                    TouchRecordStocktake, DecideRecordStocktake);
}

}  // namespace mtp::processing
