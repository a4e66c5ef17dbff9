#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/poller.h"
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

 private:
  explicit RevocationWatch(Options options) : options_(std::move(options)) {}
  absl::Status Look();

  const Options options_;
  std::unique_ptr<db::Connection> connection_;
  std::optional<absl::Time> latest_;
  std::optional<Poller> poller_;  // the last: it uses all the others
};

}  // namespace mtp::sync
