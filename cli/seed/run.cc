#include "cli/seed/run.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/seed/catalog.h"
#include "cli/seed/order_run.h"
#include "cli/seed/week_run.h"
#include "common/base/errors.h"
#include "common/base/status.h"
#include "mtp/processing/v1/locations.pb.h"

namespace mtp::cli {
namespace {

constexpr absl::Duration kTellInterval = absl::Milliseconds(200);

// A plant before this one made it; any other refusal is one.
bool Taken(const absl::Status& status) {
  return absl::StrContains(status.message(), "LOCATION_NAME_TAKEN");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SeedRun>> SeedRun::Open(Session& session,
                                                       Settings settings) {
  ASSIGN_OR_RETURN(SeedPeople people, SeedPeople::Open(session));
  return std::unique_ptr<SeedRun>(
      new SeedRun(std::move(settings), std::move(people)));
}

// The places are the same for every seed.
absl::Status SeedRun::MakeLocations() {
  SeedCalls calls(people_, progress_, "mtpctl seed");
  const auto make = [&](std::string_view name, bool herbs) -> absl::Status {
    processing::v1::CreateLocationRequest request;
    request.mutable_location()->set_name(std::string(name));
    request.mutable_location()->set_herb_section(herbs);
    processing::v1::CreateLocationResponse response;
    const absl::Status status = calls.Do(
        options::v1::ROLE_SEEDUWA_ADMIN,
        absl::StrCat("location ", std::string(name)), request, response);
    return Taken(status) ? absl::OkStatus() : status;
  };
  for (const std::string_view name : TeaStores()) {
    RETURN_IF_ERROR(make(name, false));
  }
  for (const std::string_view name : BlendStores()) {
    RETURN_IF_ERROR(make(name, false));
  }
  for (const std::string_view name : HerbRooms()) {
    RETURN_IF_ERROR(make(name, true));
  }
  return absl::OkStatus();
}

absl::Status SeedRun::MakeOneWeek(int64_t number) {
  const SeedWeek week = MakeWeek(settings_.plant, number);
  SeedCalls calls(
      people_, progress_,
      absl::StrCat("mtpctl seed ", settings_.plant.seed, " week ", number));
  SeedWeekRun at_seeduwa(calls, week);
  ASSIGN_OR_RETURN(const bool there, at_seeduwa.IsThere());
  if (!there) RETURN_IF_ERROR(at_seeduwa.Make());
  for (size_t i = 0; settings_.orders && i < week.orders.size(); ++i) {
    RETURN_IF_ERROR(
        SeedOrderRun(calls, week.orders[i], absl::StrCat("order ", i)).Make());
  }
  if (there) {
    ++progress_.weeks_there_already;
  } else {
    RETURN_IF_ERROR(at_seeduwa.Finish());
  }
  ++progress_.weeks;
  return absl::OkStatus();
}

void SeedRun::Fail(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (failed_.ok()) failed_ = status;
  progress_.stop = true;
}

void SeedRun::Work() {
  const int64_t count = WeekCount(settings_.plant.scale);
  while (!progress_.stop) {
    const int64_t number = next_week_++;
    if (number >= count) return;
    const absl::Status status = MakeOneWeek(number);
    if (!status.ok()) return Fail(status);
  }
}

absl::Status SeedRun::Run(const std::function<void()>& tell) {
  RETURN_IF_ERROR(MakeLocations());
  std::atomic<int> working = settings_.parallel;
  std::vector<std::thread> workers;
  for (int i = 0; i < settings_.parallel; ++i) {
    workers.emplace_back([this, &working] {
      Work();
      --working;
    });
  }
  while (working > 0) {
    tell();
    absl::SleepFor(kTellInterval);
  }
  for (std::thread& worker : workers) worker.join();
  return failed_;
}

}  // namespace mtp::cli
