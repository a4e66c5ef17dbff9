#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/rpc/backoff.h"
#include "common/sync/outbox.h"
#include "google/protobuf/message.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/sync/v1/states.pb.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::sync {

// Tells the peer the state of every entity that sync.outbox marks, as it is
// now, many in one call, and removes a mark when the version it names is
// confirmed. It holds no transaction open during a call; a mark it works on is
// leased, with a token that every later statement must show, so that a relay
// that was paused, or a second one, does no harm.
class Relay {
 public:
  // One kind of state and how it is told.
  struct Route {
    std::string kind;    // as in sync.outbox
    std::string method;  // mtp.sync.v1.OrderSyncService/ApplyShipmentProgress
    // Takes the keys ($1 text[]); returns a row for each: the key, then what
    // `add_state` reads.
    db::Statement fetch;
    // An empty request; the relay fills its `sender`.
    std::function<std::unique_ptr<google::protobuf::Message>()> new_request;
    std::function<mtp::sync::v1::Sender*(google::protobuf::Message&)> sender;
    // Adds the row's state to the request and returns its stamp, whose epoch
    // is this side's own unless it says another.
    std::function<mtp::sync::v1::Stamp*(google::protobuf::Message&,
                                        const db::Row&)>
        add_state;
    // Parses the reply.
    struct Answer {
      std::vector<mtp::sync::v1::Verdict> verdicts;
      mtp::sync::v1::Receipt receipt;
    };
    std::function<absl::StatusOr<Answer>(const std::string&)> parse;
  };

  // What happened, for metrics and logs; called on the relay's thread.
  struct Observer {
    std::function<void(std::string_view kind, size_t states,
                       absl::Duration took)>
        sent;
    std::function<void(std::string_view kind, const absl::Status&)> failed;
    // What the peer said of each state it was told.
    std::function<void(mtp::sync::v1::VerdictCode)> judged;
    // `again`: the peer said so of this version before.
    std::function<void(std::string_view kind, std::string_view key,
                       const mtp::sync::v1::Verdict&, bool again)>
        poison;
  };

  struct Options {
    db::Connection::Options database;
    mtp::common::v1::Side side = mtp::common::v1::SIDE_UNSPECIFIED;
    std::string instance;
    std::vector<Route> routes;
    // Sends one request and waits for its answer, on the relay's thread. Fails
    // at once while the breaker refuses.
    std::function<absl::StatusOr<std::string>(std::string_view method,
                                              const std::string& request,
                                              absl::Duration deadline)>
        send;
    Observer observer;
    // From one round to the next while there is news, so that changes gather;
    // news after a quiet time goes at once.
    absl::Duration pace = absl::Milliseconds(25);
    // Marks that nobody handed over (a crash, another replica) are found so
    // soon.
    absl::Duration poll_interval = absl::Seconds(1);
    absl::Duration call_deadline = absl::Seconds(5);
    // Longer than any call. A dead relay's lease ends with its connection to
    // the database; only one that hangs is waited for.
    absl::Duration lease = absl::Seconds(15);
    // What the peer called POISON is offered again so late, in whole seconds:
    // an operator there may have settled it.
    absl::Duration poison_retry = absl::Minutes(1);
    // States in one call; the contract allows 500.
    int64_t batch_limit = 500;
    rpc::Backoff::Settings backoff = {.first = absl::Milliseconds(50),
                                      .cap = absl::Seconds(1)};
    rpc::Uniform uniform = rpc::RandomUniform();
  };

  explicit Relay(Options options);
  ~Relay();

  // There are new marks: look now. Any thread, does not block.
  void Notify();
  void Stop();

 private:
  struct Lease {
    int64_t token = 0;
    // The number of the transaction that claimed, which is on disk: the next
    // ones have greater numbers, after a crash too, and only a restore goes
    // back to lesser ones.
    int64_t transaction = 0;
    // By the database's clock, no sooner than the number was given, and but
    // for a moment no later: a relay that was paused behind its claim must not
    // tell an old number as of now.
    absl::Time claimed_at;
  };
  struct Claimed {
    std::string key;
    int64_t version = 0;
    std::vector<std::string> correlation_ids;
    // The newest version that the peer called POISON; 0: none.
    int64_t poisoned_version = 0;
    bool left_over = false;  // the request was full
    // From the state that was sent; 0 when there was none to send.
    int64_t sent_version = 0;
  };

  void Work();
  // Sends one batch of one kind; how many marks it found.
  absl::StatusOr<size_t> SendBatch(const Route& route);
  absl::StatusOr<std::vector<Claimed>> Claim(const Route& route, Lease& lease);
  absl::Status Settle(const Route& route, int64_t lease_token,
                      const std::vector<Claimed>& claimed,
                      const std::vector<Claimed>& judged,
                      const std::vector<mtp::sync::v1::Verdict>& verdicts);
  // They are due again after `wait` at the most, in whole seconds.
  absl::Status Release(const Route& route, int64_t lease_token,
                       const std::vector<Claimed>& claimed,
                       const absl::Status& failure,
                       absl::Duration wait = absl::ZeroDuration());
  // After the peer has stumbled over a call with so many states: one of them
  // may be the cause, and the others are not to wait for it.
  absl::Status TellByFewer(const Route& route, int64_t lease_token,
                           const std::vector<Claimed>& claimed, size_t sent,
                           const absl::Status& failure);
  // How many states a call of the kind may hold now.
  int64_t& LimitOf(const Route& route);
  // Waits, news or not; less if it is to stop.
  void Rest(absl::Duration length);
  absl::Status Connect();
  // Waits for news, at most so long; false when stopping.
  bool Wait(absl::Duration longest);

  Options options_;
  std::unique_ptr<db::Connection> connection_;
  // By kind, where it is less than batch_limit.
  std::map<std::string, int64_t, std::less<>> limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool news_ = true;  // what a crash left behind
  bool stopping_ = false;
  std::thread thread_;
};

// A route whose request, response and state are the given messages. `read`
// turns a row (its key first) into the state, stamp included.
template <typename Request, typename Response, typename State>
Relay::Route MakeRoute(std::string_view kind, std::string_view method,
                       db::Statement fetch, State (*read)(const db::Row&)) {
  Relay::Route route;
  route.kind = std::string(kind);
  route.method = std::string(method);
  route.fetch = fetch;
  route.new_request = [] { return std::make_unique<Request>(); };
  route.sender = [](google::protobuf::Message& request) {
    return static_cast<Request&>(request).mutable_sender();
  };
  route.add_state = [read](google::protobuf::Message& request,
                           const db::Row& row) {
    auto* state = static_cast<Request&>(request).add_states();
    *state = read(row);
    return state->mutable_stamp();
  };
  route.parse =
      [](const std::string& bytes) -> absl::StatusOr<Relay::Route::Answer> {
    Response response;
    if (!response.ParseFromString(bytes)) {
      return absl::InternalError("the peer's answer cannot be read");
    }
    return Relay::Route::Answer{
        {response.verdicts().begin(), response.verdicts().end()},
        response.receipt()};
  };
  return route;
}

}  // namespace mtp::sync
