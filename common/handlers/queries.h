#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/db/connection.h"
#include "common/handlers/session.h"
#include "common/handlers/waiting_line.h"
#include "common/rpc/call.h"

namespace mtp::handlers {

// What a query may cost.
enum class Reach {
  kRows,   // some rows by their keys: a fraction of a millisecond
  kTable,  // a search, a list, a trace: it may read through a table, or make
           // much of little, as a picture
};

// Executes queries: the calls that change nothing. A lane takes all queries of
// little reach that wait and sends them to its database in one go; those of
// great reach have lanes of their own and are asked one by one, so that nobody
// who reads a row waits behind them.
class QueryLanes {
 public:
  using Answer = std::function<void(absl::StatusOr<db::Results>)>;

  struct Options {
    db::Connection::Options database;
    int lanes = 2;
    int search_lanes = 2;
    size_t waiting_limit = 4096;
    size_t batch_limit = 64;
    Clock clock = SystemClock();
    std::function<void(const absl::Status&)> log_failure;
  };

  explicit QueryLanes(Options options);
  ~QueryLanes();

  // Sends the statements and hands their results to `answer`, on a lane's
  // thread. Statements of one exchange with more than one see one snapshot.
  // RESOURCE_EXHAUSTED when too many wait, UNAVAILABLE without a database. A
  // query that is `unwanted` when its turn comes is not asked.
  void Ask(db::Exchange exchange, absl::Time deadline, Answer answer,
           Reach reach = Reach::kRows, std::function<bool()> unwanted = {});

  void Drain();

 private:
  struct Waiting {
    db::Exchange exchange;
    absl::Time deadline;
    Answer answer;
    std::function<bool()> unwanted;
  };
  void Work(WaitingLine<Waiting>& line, size_t batch_limit);
  void Execute(Session& session, std::vector<Waiting> batch);
  static void RunAgain(db::Connection& connection,
                       const std::vector<db::Exchange>& exchanges,
                       std::vector<absl::StatusOr<db::Results>>& results);
  absl::Status Explain(const absl::Status& status) const;

  Options options_;
  WaitingLine<Waiting> line_;
  WaitingLine<Waiting> searches_;
  std::vector<std::thread> threads_;
};

// The queries of a service and their routes.
class Queries {
 public:
  Queries(QueryLanes& lanes, rpc::Router& router)
      : lanes_(lanes), router_(router) {}

  QueryLanes& lanes() { return lanes_; }

  // Routes `method` to a query: `ask` turns the request into statements (or
  // refuses it), `answer` turns their rows into the response.
  template <typename Request, typename Response>
  void Add(std::string_view method,
           absl::Status (*ask)(const Request&, db::Exchange&),
           absl::StatusOr<Response> (*answer)(const Request&,
                                              const db::Results&)) {
    Add<Request, Response>(method, ask,
                           std::function<absl::StatusOr<Response>(
                               const Request&, const db::Results&)>(answer));
  }

  // The same for an answer that stands on more than the rows. `reach`: unless
  // the method tells, by answering with pages or a stream.
  template <typename Request, typename Response>
  void Add(std::string_view method,
           absl::Status (*ask)(const Request&, db::Exchange&),
           std::function<absl::StatusOr<Response>(const Request&,
                                                  const db::Results&)>
               answer,
           std::optional<Reach> reach = std::nullopt) {
    router_.Route(method, [this, ask, answer = std::move(answer),
                           reach](std::unique_ptr<rpc::Call> call) {
      Run(
          std::move(call),
          [ask](const google::protobuf::Message& request,
                db::Exchange& exchange) {
            return ask(static_cast<const Request&>(request), exchange);
          },
          [answer](rpc::Call& done, const db::Results& results) {
            absl::StatusOr<Response> response =
                answer(static_cast<const Request&>(*done.message), results);
            if (!response.ok()) return done.Fail(response.status());
            done.Reply(response->SerializeAsString());
          },
          reach);
    });
  }

  // The same for a server stream: `answer` gives its messages in order.
  template <typename Request, typename Response>
  void AddStream(std::string_view method,
                 absl::Status (*ask)(const Request&, db::Exchange&),
                 absl::StatusOr<std::vector<Response>> (*answer)(
                     const Request&, const db::Results&)) {
    router_.Route(method, [this, ask, answer](std::unique_ptr<rpc::Call> call) {
      Run(
          std::move(call),
          [ask](const google::protobuf::Message& request,
                db::Exchange& exchange) {
            return ask(static_cast<const Request&>(request), exchange);
          },
          [answer](rpc::Call& done, const db::Results& results) {
            absl::StatusOr<std::vector<Response>> responses =
                answer(static_cast<const Request&>(*done.message), results);
            if (!responses.ok()) return done.Fail(responses.status());
            std::vector<std::string> messages;
            for (const Response& r : *responses)
              messages.push_back(r.SerializeAsString());
            done.ReplyStream(std::move(messages));
          });
    });
  }

 private:
  void Run(std::unique_ptr<rpc::Call> call,
           const std::function<absl::Status(const google::protobuf::Message&,
                                            db::Exchange&)>& ask,
           std::function<void(rpc::Call&, const db::Results&)> answer,
           std::optional<Reach> reach = std::nullopt);

  QueryLanes& lanes_;
  rpc::Router& router_;
};

}  // namespace mtp::handlers
