#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/connection.h"
#include "common/handlers/session.h"
#include "common/rpc/call.h"
#include "common/rpc/peer_channel.h"
#include "common/seals/seal.h"
#include "mtp/audit/v1/audit.pb.h"

namespace mtp::seals {

// VerifySeals: reads the trail again, and asks the other side for its copies of
// the seals. One call at a time, on a thread and a connection of its own; its
// memory does not grow with the trail. Thread-safe.
class SealCheck {
 public:
  struct Options {
    common::v1::Side side = common::v1::SIDE_UNSPECIFIED;
    std::string instance;
    db::Connection::Options database;
    rpc::PeerChannel* peer = nullptr;  // outlives it; none where there is none
    // How long one call works; the next one goes on where it ended.
    absl::Duration work_limit = absl::Seconds(10);
    size_t waiting_limit = 8;
    std::function<void(const absl::Status&)> log_failure;
  };

  // Routes the method to itself; `router` may not call it once it is gone.
  SealCheck(Options options, rpc::Router& router);
  ~SealCheck();
  SealCheck(const SealCheck&) = delete;
  SealCheck& operator=(const SealCheck&) = delete;

  // Answers UNAVAILABLE to those who wait, and to those who come later.
  void Stop();

 private:
  struct Run;  // one call's

  void Add(std::unique_ptr<rpc::Call> call);
  void Work();
  bool Stopping();
  absl::StatusOr<audit::v1::VerifySealsResponse> Check(Run& run);
  absl::Status Prepare(Run& run);
  absl::Status CheckBlock(Run& run, int64_t first, int64_t last);
  absl::Status CheckSeal(Run& run, int64_t number, const Seal* seal);
  absl::StatusOr<Stretch> StretchOf(Run& run, const Seal& seal);
  void CompareWithPeer(Run& run, int64_t number, const Seal* seal);
  absl::Status LookBeyond(Run& run);
  // The other side's copies of the seals with these numbers; whether it could
  // be asked.
  bool AskPeer(Run& run, int64_t first, int64_t last);
  absl::Status Explain(const absl::Status& status) const;

  const Options options_;
  handlers::Session session_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<rpc::Call>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mtp::seals
