#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/connection.h"
#include "common/rpc/backoff.h"
#include "common/seals/seal.h"

namespace mtp::seals {

// Seals the audit trail in the background, and marks each seal to be told to
// the other side. Of several replicas on one database one seals at a time.
//
// An entry's id is taken before its transaction commits, so an entry can appear
// below others that are there already; a transaction can even take the id
// before it has a transaction id. But from before it takes one until its end it
// holds the lock of a writer on audit.entry, and ids are handed out one by one,
// ascending. So a seal ends at an entry that
// was there before the writers were looked at, and is made when all of these
// have ended: nobody can add an entry below it any more. Writers do not wait
// for that.
class Sealer {
 public:
  // What happened, for metrics and logs; called on the sealer's thread.
  struct Observer {
    std::function<void(const Seal&)> sealed;
    std::function<void(const absl::Status&)> failed;
    // For how long the oldest entry that no seal covers has been waiting.
    std::function<void(absl::Duration)> looked;
    // Transactions that stay open keep the trail from being sealed for long.
    std::function<void(absl::Duration since, size_t transactions)> held_up;
  };

  struct Options {
    db::Connection::Options database;
    // From one seal to the next, while there are entries.
    absl::Duration interval = absl::Minutes(1);
    // So many that wait are sealed without waiting for the interval.
    int64_t enough_entries = 10'000;
    // No seal covers more: checking one takes well below a second.
    int64_t entry_limit = 20'000;
    // How often is looked whether there is something to seal.
    absl::Duration look_interval = absl::Seconds(1);
    absl::Duration held_up_after = absl::Minutes(1);
    rpc::Backoff::Settings backoff = {.first = absl::Milliseconds(100),
                                      .cap = absl::Seconds(5)};
    rpc::Uniform uniform = rpc::RandomUniform();
    // There is a new mark for the other side. Must not block.
    std::function<void()> marked;
    Observer observer;
  };

  explicit Sealer(Options options);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  void Stop();

 private:
  // How far can be sealed once these writers have ended.
  struct Horizon {
    int64_t last_seal_number = 0;
    int64_t last_entry_id = 0;
    std::vector<std::string> writers;  // as pg_locks names transactions
    absl::Time since;
    bool told = false;  // that it is held up
  };

  void Work();
  // One look; how long until the next.
  absl::StatusOr<absl::Duration> Look();
  absl::Status Connect();
  // The horizon up to which there is enough to seal, or nothing.
  absl::StatusOr<std::optional<Horizon>> FindHorizon();
  absl::StatusOr<std::vector<std::string>> Writers();
  // Whether all its writers have ended.
  absl::StatusOr<bool> Passed(Horizon& horizon);
  // Makes the next seal, up to the horizon if that is not too much; the seal,
  // or nothing if there is nothing to do or another replica is at it.
  absl::StatusOr<std::optional<Seal>> MakeSeal(const Horizon& horizon);
  absl::StatusOr<std::optional<Seal>> MakeSealInTransaction(
      const Horizon& horizon);
  bool Wait(absl::Duration length);
  bool Stopping();

  Options options_;
  std::unique_ptr<db::Connection> connection_;
  std::optional<Horizon> horizon_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp::seals
