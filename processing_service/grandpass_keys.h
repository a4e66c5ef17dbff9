#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/connection.h"
#include "common/handlers/session.h"
#include "common/rpc/keys.h"
#include "common/rpc/peer_channel.h"

namespace mtp::processing {

// The keys that Grandpass signs people's tokens with: asked for now and then,
// and when a token names one that is not known, and kept in the database, so
// that Seeduwa goes on checking tokens while Grandpass is down, through starts
// of its own as well.
class GrandpassKeys {
 public:
  struct Options {
    db::Connection::Options database;
    // Both outlive this. Without a peer what is kept is all there is.
    rpc::PeerChannel* peer = nullptr;
    rpc::TokenKeyBoard* board = nullptr;
    absl::Duration poll = absl::Seconds(10);
    // Unknown keys do not make it ask more often.
    absl::Duration least = absl::Milliseconds(500);
    absl::Duration call_deadline = absl::Seconds(3);
    std::function<void(const absl::Status&)> log_failure;
  };

  // Puts up the keys that were kept, and goes on asking.
  static absl::StatusOr<std::unique_ptr<GrandpassKeys>> Open(Options options);
  ~GrandpassKeys();

 private:
  explicit GrandpassKeys(Options options);
  absl::Status Recall();
  absl::Status Ask();
  absl::Status Keep(const std::vector<std::string>& ids,
                    const std::vector<std::string>& jwks);
  // False when stopping.
  bool Wait(absl::Duration length, bool or_missed);
  void Watch();

  const Options options_;
  handlers::Session session_;  // the watching thread's, after Open
  std::vector<std::string> kept_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool missed_ = false;
  bool stopping_ = false;
  std::thread watcher_;
};

}  // namespace mtp::processing
