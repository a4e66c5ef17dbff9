#include "cli/commands.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "cli/fields.h"
#include "cli/progress_bar.h"
#include "cli/seed/run.h"
#include "cli/table.h"
#include "cli/weights.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "mtp/ops/v1/operations.pb.h"
#include "nlohmann/json.hpp"

namespace mtp::cli {
namespace {

// The services remember a request_id for 7 days; a day for clocks that differ.
constexpr absl::Duration kRemembered = absl::Hours(6 * 24);
constexpr double kLargestScale = 100;

struct SeedArguments {
  SeedRun::Settings settings;
  common::v1::Date until;
  bool without_orders = false;
};

// When the first lot of the plant was defined, and when that was recorded.
struct Begun {
  absl::Time occurred_at;
  absl::Time recorded_at;
};
absl::StatusOr<std::optional<Begun>> FindBegun(Session& session,
                                               const SeedWeek& first) {
  processing::v1::ListTealinesRequest request;
  request.set_item_code(first.teas.front().request.tealine().item_code());
  request.set_order_by(processing::v1::LIST_TEALINES_ORDER_CREATED);
  processing::v1::ListTealinesResponse response;
  RETURN_IF_ERROR(session.List(request, 1, response));
  if (response.tealines().empty()) return std::nullopt;
  return Begun{FromProto(response.tealines(0).occurred_at()),
               FromProto(response.tealines(0).created_at())};
}

// The day on which the plant's history ends: that of the plant as it was begun,
// else what was asked for, else today.
absl::StatusOr<absl::CivilDay> FindUntil(Session& session,
                                         const SeedArguments& arguments) {
  const absl::CivilDay today =
      absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  absl::CivilDay asked = today;
  if (arguments.until.year() != 0) {
    asked = *FromProto(arguments.until);
    if (asked > today) {
      return UsageError(
          "--until is a day to come: what it would tell has not "
          "happened yet");
    }
  }
  PlantSettings plant = arguments.settings.plant;
  plant.until = asked;
  const SeedWeek first = MakeWeek(plant, 0);
  ASSIGN_OR_RETURN(const auto begun, FindBegun(session, first));
  if (!begun.has_value()) return asked;
  if (absl::Now() - begun->recorded_at > kRemembered) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the plant of seed ", plant.seed, " was begun on ",
        absl::FormatTime("%Y-%m-%d", begun->recorded_at, absl::UTCTimeZone()),
        ", and by now the services have forgotten which of its calls were "
        "made: going on could double them. Give another --seed"));
  }
  // Whole weeks and hours are the same whatever the day.
  const absl::Duration later =
      begun->occurred_at - FromProto(first.teas.front().request.occurred_at());
  const absl::CivilDay until = asked + absl::ToInt64Hours(later) / 24;
  if (arguments.until.year() != 0 && until != asked) {
    return UsageError(absl::StrCat("the plant of seed ", plant.seed,
                                   " was begun with --until ",
                                   absl::FormatCivilTime(until)));
  }
  return until;
}

bool OrderSideAnswers(Session& session) {
  ops::v1::GetVersionRequest request;
  ops::v1::GetVersionResponse response;
  return session
      .CallSide(common::v1::SIDE_ORDER, options::v1::ROLE_MASTER_ADMIN, request,
                response)
      .ok();
}

PlantCounts Planned(const PlantSettings& plant, bool with_orders) {
  PlantCounts counts;
  for (int64_t i = 0; i < WeekCount(plant.scale); ++i) {
    counts.Add(CountsOf(MakeWeek(plant, i), with_orders));
  }
  return counts;
}

std::string Rate(int64_t count, absl::Duration took) {
  return Thousands(
      static_cast<int64_t>(static_cast<double>(count) /
                           std::max(absl::ToDoubleSeconds(took), 0.001)));
}

void Report(Session& session, const PlantCounts& counts, const SeedRun& run,
            absl::CivilDay until, absl::Duration took) {
  const auto& progress = run.progress();
  if (session.settings().json) {
    session.out() << nlohmann::json{{"until", absl::FormatCivilTime(until)},
                                    {"seconds", absl::ToDoubleSeconds(took)},
                                    {"calls", progress.calls.load()},
                                    {"weeks", progress.weeks.load()},
                                    {"weeks_there_already",
                                     progress.weeks_there_already.load()},
                                    {"tealines", counts.tealines},
                                    {"herblines", counts.herblines},
                                    {"blendbalances", counts.blendbalances},
                                    {"blendsheets", counts.blendsheets},
                                    {"flavorsheets", counts.flavorsheets},
                                    {"batches", counts.batches},
                                    {"bags", counts.bags},
                                    {"allocations", counts.allocations},
                                    {"orders", counts.orders}}
                  << "\n";
    return;
  }
  Table table;
  table.Row({"tealines", Thousands(counts.tealines)})
      .Row({"herblines", Thousands(counts.herblines)})
      .Row({"blendbalances", Thousands(counts.blendbalances)})
      .Row({"blendsheets", Thousands(counts.blendsheets)})
      .Row({"flavorsheets", Thousands(counts.flavorsheets)})
      .Row({"batches", Thousands(counts.batches)})
      .Row({"bags", absl::StrCat(Thousands(counts.bags), ", ",
                                 Kilograms(counts.gross_grams, 0), " gross")})
      .Row({"allocations", Thousands(counts.allocations)})
      .Row({"orders", Thousands(counts.orders)})
      .Row({"history",
            absl::StrCat("the year until ", absl::FormatCivilTime(until))})
      .Row({"took", absl::StrFormat("%.1f s, %s calls, %s calls/s, %s bags and "
                                    "allocations/s",
                                    absl::ToDoubleSeconds(took),
                                    Thousands(progress.calls),
                                    Rate(progress.calls, took),
                                    Rate(progress.rows, took))});
  session.out() << table.Text();
  if (progress.weeks_there_already > 0) {
    session.out() << progress.weeks_there_already << " of " << progress.weeks
                  << " weeks' work was there already\n";
  }
}

absl::Status Seed(Session& session, SeedArguments& arguments) {
  SeedRun::Settings& settings = arguments.settings;
  ASSIGN_OR_RETURN(settings.plant.until, FindUntil(session, arguments));
  settings.orders = !arguments.without_orders;
  if (settings.orders && !OrderSideAnswers(session)) {
    settings.orders = false;
    session.err() << "Grandpass does not answer: the plant has no orders; the "
                     "same command adds them when it does\n";
  }
  const PlantCounts counts = Planned(settings.plant, settings.orders);
  ASSIGN_OR_RETURN(const std::unique_ptr<SeedRun> run,
                   SeedRun::Open(session, settings));
  const absl::Time begun = absl::Now();
  absl::Status made;
  {
    ProgressBar bar(session.err(), !session.settings().json);
    const int64_t all = counts.bags + counts.allocations;
    made = run->Run([&] {
      const absl::Duration took = absl::Now() - begun;
      const auto& progress = run->progress();
      bar.Show(
          "seed", progress.rows, all,
          absl::StrCat(Thousands(progress.rows), " of ", Thousands(all),
                       " bags and allocations, ", Rate(progress.rows, took),
                       "/s, ", Rate(progress.calls, took), " calls/s"));
    });
  }
  RETURN_IF_ERROR(made);
  Report(session, counts, *run, settings.plant.until, absl::Now() - begun);
  return absl::OkStatus();
}

}  // namespace

void AddSeedCommand(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<SeedArguments>();
  CLI::App& command = *app.add_subcommand(
      "seed", "Fills the local stack with a plant and a year of its history");
  SeedRun::Settings& settings = arguments->settings;
  command
      .add_option("--scale", settings.plant.scale,
                  "How large: 1 has 541 tealines of about 40 bags, 818 "
                  "blendsheets, 1,401 flavorsheets and 245 herblines")
      ->check(CLI::Range(0.001, kLargestScale))
      ->capture_default_str();
  command
      .add_option("--seed", settings.plant.seed,
                  "Which plant: the same number makes the same, another one "
                  "another beside it")
      ->check(CLI::Range(1, 999))
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--until",
          [arguments](const std::string& text) {
            if (auto date = ParseDate(text); date.ok()) {
              arguments->until = *date;
            }
          },
          "The day before which its history ends; by default today")
      ->type_name("YYYY-MM-DD")
      ->check([](const std::string& text) {
        return std::string(ParseDate(text).status().message());
      });
  command.add_flag("--without-orders", arguments->without_orders,
                   "Nothing at Grandpass");
  command
      .add_option("--parallel", settings.parallel,
                  "Weeks that are made at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.footer(
      "All of it is made through the API, as people would have made it, with "
      "the times when it happened. Run again within six days, it changes "
      "nothing, or goes on where it was cut off; a larger scale adds to a "
      "smaller one. It needs tokens of ten roles, so it works on a local "
      "stack only.");
  command.callback([&session, arguments] {
    session.Do([&session, arguments] { return Seed(session, *arguments); });
  });
}

}  // namespace mtp::cli
