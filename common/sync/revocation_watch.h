#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/connection.h"
#include "common/rpc/revocations.h"

namespace mtp::sync {

// Keeps a process's memory of revocations as its database has them: what this
// replica changes itself goes there at once, what another one does is found
// here within a moment.
class RevocationWatch {
 public:
  struct Options {
    db::Connection::Options database;
    // Those that changed since $1 (timestamptz; NULL: all): subject, disabled,
    // before, epoch, version, when it changed.
    db::Statement changed;
    rpc::Revocations* revocations = nullptr;
    absl::Duration poll = absl::Milliseconds(500);
    std::function<void(const absl::Status&)> log_failure;
  };

  // Reads all of them, then goes on looking.
  static absl::StatusOr<std::unique_ptr<RevocationWatch>> Open(Options options);
  ~RevocationWatch();

 private:
  explicit RevocationWatch(Options options) : options_(std::move(options)) {}
  absl::Status Look();
  void Watch();

  const Options options_;
  std::unique_ptr<db::Connection> connection_;
  std::optional<absl::Time> latest_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;
  std::thread watcher_;
};

}  // namespace mtp::sync
