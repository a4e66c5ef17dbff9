#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/db/connection.h"
#include "common/db/working_set.h"
#include "common/handlers/context.h"
#include "common/handlers/session.h"
#include "common/handlers/waiting_line.h"
#include "common/rpc/call.h"
#include "common/sync/idempotency.h"

namespace mtp::handlers {

// What happened in the command lanes, for metrics. Functions may be empty;
// they are called by the lanes' threads.
struct CommandObserver {
  std::function<void(size_t calls, absl::Duration took)> batch_committed;
  std::function<void(std::string_view cause)> batch_rerun;
};

// Executes commands: the calls that change something. The calls that wait at
// the same moment form one batch, one transaction, two round trips to the
// database, whatever their methods:
//   1. load, locked, the rows that the calls touch, then probe the idempotency
//      keys: whoever held the rows before has written its keys by then;
//   2. decide each call in the order they came, in plain code over those rows;
//   3. store all rows, audit entries, outbox marks and keys, and COMMIT.
// A refused call leaves no trace and takes nothing with it. If the database
// refuses the batch, each call is run alone, so only the culprit fails; after a
// deadlock, a lost connection or a key that another transaction just wrote, the
// batch is run again, and the probe tells what had been done after all.
//
// What may work for seconds (the import of a large file) has a lane of its own,
// where such calls follow each other. A call whose rows it holds steps aside
// into that lane, behind it, and keeps nobody else waiting.
class CommandLanes {
 public:
  struct Options {
    db::Connection::Options database;
    int lanes = 2;
    // Calls that may wait; one more is refused with RESOURCE_EXHAUSTED.
    size_t waiting_limit = 4096;
    size_t batch_limit = 256;
    // How long a lane waits for more calls while another one works: fewer,
    // larger batches cost less, and two that touch the same rows wait for each
    // other anyway. Past this the other one is taken for long.
    absl::Duration gather = absl::Milliseconds(10);
    // How long a batch keeps trying to reach a database that went away, and how
    // long when it must find out whether it was committed.
    absl::Duration reconnect_limit = absl::Seconds(1);
    absl::Duration doubt_limit = absl::Seconds(5);
    Clock clock = SystemClock();
    // Makes the working set of one lane.
    std::function<std::unique_ptr<db::WorkingSet>()> working_set;
    // Says a constraint's violation in the words of the domain; OK when it does
    // not know the constraint.
    std::function<absl::Status(std::string_view constraint)> explain_constraint;
    // Told after COMMIT what the peer must learn. Must not block.
    std::function<void(const std::vector<sync::Mark>&)> committed;
    // Where the text of unexpected database errors goes.
    std::function<void(const rpc::Call&, const absl::Status&)> log_failure;
    CommandObserver observer;
  };

  // One kind of command, its types erased.
  struct Command {
    std::string method;
    // The field `request_id` of the request; without one (the sync API, whose
    // versions make repeats harmless) no key is kept.
    const google::protobuf::FieldDescriptor* request_id = nullptr;
    // Not batched with other calls, because one call is a batch by itself.
    bool alone = false;
    // In the lane of its own; alone, too.
    bool lengthy = false;
    // Decides once more when the database refuses it by a rule
    // (Context::broken_rule).
    bool answers_broken_rule = false;
    std::function<void(const google::protobuf::Message&, db::WorkingSet&)>
        touch;
    std::function<absl::StatusOr<std::string>(const google::protobuf::Message&,
                                              Context&, db::WorkingSet&)>
        decide;
  };

  explicit CommandLanes(Options options);
  // Finishes what waits.
  ~CommandLanes();

  // A handler that queues calls of this command. The command outlives it.
  rpc::Handler HandlerFor(const Command* command);
  // Queues a call of a command that is this call's alone.
  void Submit(std::shared_ptr<const Command> command,
              std::unique_ptr<rpc::Call> call);

  // Takes no more calls, finishes those that wait. Idempotent.
  void Drain();

 private:
  struct Waiting {
    std::unique_ptr<rpc::Call> call;
    std::shared_ptr<const Command> command;
    sync::IdempotencyKey key;      // nil request_id: none is kept
    std::optional<Uuid> given_id;  // the request_id that the caller chose
    std::string content_digest;
  };
  struct Lane;

  std::vector<Waiting> TakeBatch(WaitingLine<Waiting>& line);
  void Work(WaitingLine<Waiting>& line);
  void Execute(Lane& lane, std::vector<Waiting> batch, bool in_a_hurry = false);
  absl::Status TryOnce(Lane& lane, std::vector<Waiting>& batch,
                       bool in_a_hurry);
  void FailAll(std::vector<Waiting>& batch, const absl::Status& status);
  absl::Status Explain(const Waiting& waiting,
                       const absl::Status& status) const;

  Options options_;
  WaitingLine<Waiting> line_;
  WaitingLine<Waiting> lengthy_line_;
  std::vector<std::thread> threads_;
  std::thread lengthy_thread_;
};

// What one call changes, where that stands on more than its request. Both
// functions may be called again, when the transaction is run again.
template <typename Rows>
struct Work {
  std::function<void(Rows&)> touch;
  std::function<absl::StatusOr<std::string>(Context&, Rows&)> decide;
  // Done once for a request_id, if the request has one, and then replayed.
  bool remembered = true;
  // Decides once more when the database refuses it by a rule
  // (Context::broken_rule).
  bool answers_broken_rule = false;
};

// The commands of a service whose working set is `Rows`, and their routes.
template <typename Rows>
class Commands {
 public:
  Commands(CommandLanes& lanes, rpc::Router& router)
      : lanes_(lanes), router_(router) {}

  // Routes `method` (`mtp.processing.v1.BagService/ReceiveBag`) to a command:
  // `touch` says which rows the call needs, `decide` is the rule.
  template <typename Request, typename Response>
  void Add(std::string_view method, void (*touch)(const Request&, Rows&),
           absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                              Rows&)) {
    Route<Request, Response>(method, touch, decide, {});
  }
  // The same for a command whose one call is work enough for a transaction.
  template <typename Request, typename Response>
  void AddAlone(std::string_view method, void (*touch)(const Request&, Rows&),
                absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                                   Rows&)) {
    Route<Request, Response>(method, touch, decide, {.alone = true});
  }
  // The same for one whose transaction may take seconds.
  template <typename Request, typename Response>
  void AddLengthy(std::string_view method, void (*touch)(const Request&, Rows&),
                  absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                                     Rows&)) {
    Route<Request, Response>(method, touch, decide,
                             {.alone = true, .lengthy = true});
  }

  // The same for the peer's states: what breaks a rule of the schema is judged
  // once more.
  template <typename Request, typename Response>
  void AddHearing(std::string_view method, void (*touch)(const Request&, Rows&),
                  absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                                     Rows&),
                  bool alone = false) {
    Route<Request, Response>(method, touch, decide,
                             {.alone = alone, .answers_broken_rule = true});
  }

  // Does a call's work in a lane and answers it. The digest by which a
  // request_id is compared is of `call->request`.
  void Do(std::unique_ptr<rpc::Call> call, Work<Rows> work) {
    auto command = std::make_shared<CommandLanes::Command>();
    command->method = std::string(call->method->service()->full_name()) + "/" +
                      call->method->name();
    if (work.remembered) {
      command->request_id =
          call->method->input_type()->FindFieldByName("request_id");
    }
    command->answers_broken_rule = work.answers_broken_rule;
    command->touch = [touch = std::move(work.touch)](
                         const google::protobuf::Message&,
                         db::WorkingSet& rows) {
      touch(static_cast<Rows&>(rows));
    };
    command->decide = [decide = std::move(work.decide)](
                          const google::protobuf::Message&, Context& context,
                          db::WorkingSet& rows) {
      return decide(context, static_cast<Rows&>(rows));
    };
    lanes_.Submit(std::move(command), std::move(call));
  }

  rpc::Router& router() { return router_; }

 private:
  struct Kind {
    bool alone = false;
    bool lengthy = false;
    bool answers_broken_rule = false;
  };

  template <typename Request, typename Response>
  void Route(std::string_view method, void (*touch)(const Request&, Rows&),
             absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                                Rows&),
             Kind kind) {
    auto command = std::make_unique<CommandLanes::Command>();
    command->method = std::string(method);
    command->request_id = Request::descriptor()->FindFieldByName("request_id");
    command->alone = kind.alone;
    command->lengthy = kind.lengthy;
    command->answers_broken_rule = kind.answers_broken_rule;
    command->touch = [touch](const google::protobuf::Message& request,
                             db::WorkingSet& rows) {
      touch(static_cast<const Request&>(request), static_cast<Rows&>(rows));
    };
    command->decide =
        [decide](const google::protobuf::Message& request, Context& context,
                 db::WorkingSet& rows) -> absl::StatusOr<std::string> {
      absl::StatusOr<Response> response =
          decide(static_cast<const Request&>(request), context,
                 static_cast<Rows&>(rows));
      if (!response.ok()) return response.status();
      return response->SerializeAsString();
    };
    router_.Route(method, lanes_.HandlerFor(command.get()));
    commands_.push_back(std::move(command));
  }

  CommandLanes& lanes_;
  rpc::Router& router_;
  std::vector<std::unique_ptr<CommandLanes::Command>> commands_;
};

}  // namespace mtp::handlers
