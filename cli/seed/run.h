#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/seed/calls.h"
#include "cli/seed/plant.h"
#include "cli/session.h"

namespace mtp::cli {

// Makes a plant through the API, several weeks' work at the same time. Run
// again, it changes nothing; one that was cut off goes on where it was.
class SeedRun {
 public:
  struct Settings {
    PlantSettings plant;
    // Weeks made at the same time.
    int parallel = 16;
    // Whether the order side takes part.
    bool orders = true;
  };

  // The session is used by this thread only, before Run.
  static absl::StatusOr<std::unique_ptr<SeedRun>> Open(Session& session,
                                                       Settings settings);

  // Makes it; `tell` is called now and then by this thread.
  absl::Status Run(const std::function<void()>& tell);

  const SeedProgress& progress() const { return progress_; }

 private:
  SeedRun(Settings settings, SeedPeople people)
      : settings_(std::move(settings)), people_(std::move(people)) {}
  absl::Status MakeLocations();
  absl::Status MakeOneWeek(int64_t number);
  void Work();
  void Fail(const absl::Status& status);

  const Settings settings_;
  const SeedPeople people_;
  SeedProgress progress_;
  std::atomic<int64_t> next_week_ = 0;
  std::mutex mutex_;
  absl::Status failed_;
};

}  // namespace mtp::cli
