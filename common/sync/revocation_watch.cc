#include "common/sync/revocation_watch.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/base/uuid.h"

namespace mtp::sync {
namespace {

// A change is stamped before it is committed, and by the clock of whichever
// replica made it: so far back is looked again.
constexpr absl::Duration kOverlap = absl::Minutes(2);

constexpr db::Statement kNow{"SELECT now()"};

}  // namespace

absl::StatusOr<std::unique_ptr<RevocationWatch>> RevocationWatch::Open(
    Options options) {
  std::unique_ptr<RevocationWatch> watch(
      new RevocationWatch(std::move(options)));
  RETURN_IF_ERROR(watch->Look());
  watch->poller_.emplace(
      Poller::Options{.poll = watch->options_.poll,
                      .look = [w = watch.get()] { return w->Look(); },
                      .log_failure = watch->options_.log_failure});
  return watch;
}

absl::Status RevocationWatch::Look() {
  if (connection_ == nullptr || !connection_->alive()) {
    connection_.reset();
    // What happened while nobody looked may lie further back.
    latest_.reset();
    ASSIGN_OR_RETURN(connection_, db::Connection::Open(options_.database));
  }
  db::Exchange look;
  look.Add(kNow);
  look.Add(
      options_.changed,
      db::Params().Add(latest_.has_value() ? std::optional(*latest_ - kOverlap)
                                           : std::optional<absl::Time>()));
  ASSIGN_OR_RETURN(const db::Results results, connection_->Run(look));
  const auto now = results[0][0].Get<absl::Time>(0);
  for (const db::Row row : results[1]) {
    Uuid subject;
    rpc::Revocations::Revocation revocation;
    absl::Time changed_at;
    row.Into(subject, revocation.disabled, revocation.before, revocation.epoch,
             revocation.version, changed_at);
    revocation.subject = subject.ToString();
    options_.revocations->Put(revocation);
    // A clock that is ahead must not hide what the others stamp.
    const absl::Time stamped = std::min(changed_at, now);
    latest_ = std::max(latest_.value_or(stamped), stamped);
  }
  return absl::OkStatus();
}

}  // namespace mtp::sync
