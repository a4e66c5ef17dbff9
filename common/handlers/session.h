#pragma once

#include <memory>

#include "common/base/status.h"
#include "common/db/connection.h"

namespace mtp::handlers {

// A lane's connection to its database, made when it is needed and made anew
// after it was lost. Used by one thread.
class Session {
 public:
  explicit Session(db::Connection::Options options)
      : options_(std::move(options)) {}

  absl::StatusOr<db::Connection*> Get() {
    if (connection_ != nullptr && connection_->alive())
      return connection_.get();
    connection_.reset();
    ASSIGN_OR_RETURN(connection_, db::Connection::Open(options_));
    return connection_.get();
  }
  // For a connection in a state that nobody wants to reason about.
  void Drop() { connection_.reset(); }

 private:
  db::Connection::Options options_;
  std::unique_ptr<db::Connection> connection_;
};

}  // namespace mtp::handlers
