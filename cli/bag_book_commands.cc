#include "cli/bag_book_commands.h"

#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/processing_views.h"
#include "cli/station/line.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/weights.h"
#include "common/base/status.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject

template <typename Response>
std::string ItsBag(const Response& response) {
  return BagText(response.bag());
}

constexpr char kTareHelp[] =
    "What the bag itself weighs; without it, as in the book";

// The contract takes no tare for 0: one that nobody names stays as it is.
template <typename Request>
std::function<absl::Status(Request&)> KeepTare(Session& session,
                                               CLI::App& command) {
  return [&session, tare = command.get_option("--tare")](Request& request) {
    if (tare->count() > 0) return absl::OkStatus();
    GetBagRequest bag;
    bag.set_barcode(request.barcode());
    GetBagResponse response;
    RETURN_IF_ERROR(session.Call(bag, response));
    request.set_tare_grams(response.bag().tare_grams());
    return absl::OkStatus();
  };
}

void AddMending(CLI::App& group, Session& session) {
  Verb<CorrectBagRequest, CorrectBagResponse> correct(group, session, "correct",
                                                      "Mends a wrong weighing");
  correct.Argument("BARCODE", "barcode", "The bag")
      .Needed("--gross", "gross_grams", "What it weighs with the bag")
      .Option("--tare", "tare_grams", kTareHelp)
      .Needed("--reason", "reason", "Why it was wrong")
      .Prepared(KeepTare<CorrectBagRequest>(session, correct.command()))
      .Shows(ItsBag<CorrectBagResponse>);

  Verb<WriteOffBagRequest, WriteOffBagResponse>(group, session, "write-off",
                                                "Writes a part of a bag off")
      .Argument("BARCODE", "barcode", "The bag")
      .Argument("WEIGHT", "grams", "As 1.5kg")
      .Needed("--reason", "reason", "Why")
      .Option("--remarks", "remarks", "What happened")
      .Shows(ItsBag<WriteOffBagResponse>);

  Verb<DispatchBagRequest, DispatchBagResponse>(
      group, session, "dispatch", "Marks a bag as gone, outside any shipment")
      .Argument("BARCODE", "barcode", "The bag")
      .Needed("--reason", "reason", "Where to and why")
      .Option("--vehicle", "vehicle", "The vehicle")
      .Shows(ItsBag<DispatchBagResponse>);

  Verb<ReturnBagRequest, ReturnBagResponse> back(
      group, session, "return", "Takes a bag back that had left the site");
  back.Argument("BARCODE", "barcode", "The bag")
      .Needed("--at", "location", "Where it is put: the location's name")
      .Needed("--gross", "gross_grams", "What it weighs now, with the bag")
      .Option("--tare", "tare_grams", kTareHelp)
      .Option("--shipment", "shipment",
              "The one in which it had left, as 17/1; without it, it left by "
              "hand")
      .Option("--remarks", "remarks", "Why it came back")
      .Prepared(KeepTare<ReturnBagRequest>(session, back.command()))
      .Shows(ItsBag<ReturnBagResponse>);
}

// A line a bag: `BARCODE`, if it was seen, or `BARCODE WEIGHT`.
absl::Status ReadCounts(std::istream& in, RecordStocktakeRequest& request) {
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    const auto line = ParseStationLine(text);
    if (!line.ok()) {
      return UsageError(absl::StrCat("line ", number, ": ",
                                     std::string(line.status().message())));
    }
    if (line->IsBlank()) continue;
    if (line->barcode.empty() || line->second_grams.has_value()) {
      return UsageError(absl::StrCat("line ", number,
                                     ": a count is BARCODE or BARCODE WEIGHT"));
    }
    StocktakeCount& count = *request.add_counts();
    count.set_barcode(line->barcode);
    if (line->first_grams.has_value()) {
      count.set_remaining_grams(*line->first_grams);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadCountsFile(const std::string& name,
                            RecordStocktakeRequest& request) {
  if (name == "-") return ReadCounts(std::cin, request);
  std::ifstream file(name);
  if (!file) return UsageError("cannot read " + name);
  return ReadCounts(file, request);
}

std::string StocktakeText(const RecordStocktakeResponse& response) {
  Table lines({"BAG", "FINDING", "BOOK", "COUNTED", "DIFFERENCE",
               "IN THE BOOK AT", "WHY NOT"});
  for (const StocktakeLine& line : response.differences()) {
    lines.Row(
        {line.barcode(), EnumText(line.finding()),
         Cell::Grams(line.book_grams()),
         line.has_counted_grams() ? Cell::Grams(line.counted_grams()) : Cell(),
         Cell::Grams(line.difference_grams()), line.book_location(),
         line.has_error() ? OneLine(StatusOf(line.error())) : ""});
  }
  Table total;
  total.Row({"counted", absl::StrCat(response.counted_bag_count(), " bags")})
      .Row({"as in the book",
            absl::StrCat(response.agreeing_bag_count(), " bags")})
      .Row({"difference", Cell::Grams(response.difference_grams())})
      .Row({"booked", response.booked() ? "yes" : "no"});
  if (!response.stocktake_id().empty()) {
    total.Row({"id", response.stocktake_id()});
  }
  std::string more;
  if (const int64_t told = response.differences_size();
      response.difference_count() > told) {
    more = absl::StrCat("and ", response.difference_count() - told,
                        " more that differ\n");
  }
  return absl::StrCat(TextOrNone(lines), more, "\n", total.Text());
}

void AddStocktake(CLI::App& app, Session& session) {
  Verb<RecordStocktakeRequest, RecordStocktakeResponse> stocktake(
      app, session, "stocktake",
      "Compares counted bags with the book, and books the differences");
  stocktake.Argument("LOCATION", "location", "Where was counted")
      .Looked("FILE", "",
              "What was counted, a bag a line: BARCODE if it was seen, BARCODE "
              "WEIGHT if what remains was weighed; - is standard input",
              true,
              [](const std::string& name, RecordStocktakeRequest& request) {
                return ReadCountsFile(name, request);
              })
      .Needed("--reason", "reason", "Why it was counted")
      .Option("--only-show", "validate_only",
              "Shows the differences and books nothing")
      .Option("--write-off-missing", "write_off_missing",
              "Writes off what nobody found")
      .Shows(StocktakeText);
}

}  // namespace

void AddBagBookCommands(CLI::App& app, CLI::App& bag_group, Session& session) {
  AddMending(bag_group, session);
  AddStocktake(app, session);
}

}  // namespace mtp::cli
