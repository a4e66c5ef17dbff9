#include "common/handlers/queries.h"

#include "common/base/errors.h"

namespace mtp::handlers {
namespace {

constexpr db::Statement kRollback{"ROLLBACK"};

constexpr absl::Duration kRetryDelay = absl::Milliseconds(250);

// What answers with pages or a stream may search for what it answers.
Reach ReachOf(const google::protobuf::MethodDescriptor& method) {
  return method.server_streaming() ||
                 method.input_type()->FindFieldByName("page_size") != nullptr
             ? Reach::kTable
             : Reach::kRows;
}

}  // namespace

QueryLanes::QueryLanes(Options options)
    : options_(std::move(options)),
      line_(options_.waiting_limit),
      searches_(options_.waiting_limit) {
  for (int i = 0; i < options_.lanes; ++i) {
    threads_.emplace_back([this] { Work(line_, options_.batch_limit); });
  }
  for (int i = 0; i < options_.search_lanes; ++i) {
    threads_.emplace_back([this] { Work(searches_, 1); });
  }
}

QueryLanes::~QueryLanes() { Drain(); }

void QueryLanes::Drain() {
  line_.Close();
  searches_.Close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void QueryLanes::Ask(db::Exchange exchange, absl::Time deadline, Answer answer,
                     Reach reach, std::function<bool()> unwanted) {
  Waiting waiting{std::move(exchange), deadline, std::move(answer),
                  std::move(unwanted)};
  if (!(reach == Reach::kTable ? searches_ : line_).Push(waiting)) {
    waiting.answer(
        errors::Overloaded("too many queries are waiting", kRetryDelay));
  }
}

void QueryLanes::Work(WaitingLine<Waiting>& line, size_t batch_limit) {
  Session session(options_.database);
  while (true) {
    std::vector<Waiting> batch =
        line.Take(batch_limit, [](const Waiting&) { return true; });
    if (batch.empty()) return;
    std::erase_if(batch, [this](Waiting& waiting) {
      if (waiting.unwanted && waiting.unwanted()) {
        waiting.answer(absl::CancelledError("the client went away"));
        return true;
      }
      if (waiting.deadline > options_.clock()) return false;
      waiting.answer(
          absl::DeadlineExceededError("the query waited for too long"));
      return true;
    });
    if (!batch.empty()) Execute(session, std::move(batch));
  }
}

absl::Status QueryLanes::Explain(const absl::Status& status) const {
  if (options_.log_failure) options_.log_failure(status);
  if (db::ConnectionLost(status)) {
    return errors::Unavailable("DATABASE_UNAVAILABLE",
                               "the database cannot be reached", kRetryDelay);
  }
  // The same again would take as long.
  if (db::TookTooLong(status)) {
    return errors::Make(absl::StatusCode::kDeadlineExceeded, "QUERY_TOO_LARGE",
                        "the query had to look at more than it may; narrow it, "
                        "as to a thing or a time");
  }
  if (db::Busy(status) || db::WorthRerunning(status)) {
    return errors::Unavailable("DATABASE_BUSY",
                               "the query waited for others for too long",
                               kRetryDelay);
  }
  if (db::OutOfRoom(status)) {
    return errors::Unavailable("DATABASE_FULL", "the database has no room left",
                               kRetryDelay);
  }
  return absl::InternalError("the database refused the query");
}

void QueryLanes::Execute(Session& session, std::vector<Waiting> batch) {
  std::vector<db::Exchange> exchanges;
  exchanges.reserve(batch.size());
  for (const Waiting& waiting : batch) {
    const bool several = waiting.exchange.size() > 1;
    exchanges.push_back(several ? waiting.exchange.InSnapshot()
                                : waiting.exchange);
  }
  // A connection that was lost while nobody used it is made anew once; reading
  // twice does no harm.
  constexpr int kAttempts = 2;
  std::vector<absl::StatusOr<db::Results>> results;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    absl::StatusOr<db::Connection*> connection = session.Get();
    if (!connection.ok()) {
      const absl::Status status = Explain(connection.status());
      for (Waiting& waiting : batch) waiting.answer(status);
      return;
    }
    results = (*connection)->Run(exchanges);
    if ((*connection)->alive()) {
      RunAgain(**connection, exchanges, results);
      break;
    }
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    if (!results[i].ok()) {
      batch[i].answer(Explain(results[i].status()));
      continue;
    }
    if (batch[i].exchange.size() > 1) {  // without BEGIN's and COMMIT's results
      results[i]->erase(results[i]->begin());
      results[i]->pop_back();
    }
    batch[i].answer(std::move(results[i]));
  }
}

// A query that failed may have taken those behind it with it: they get a
// second run of their own.
void QueryLanes::RunAgain(db::Connection& connection,
                          const std::vector<db::Exchange>& exchanges,
                          std::vector<absl::StatusOr<db::Results>>& results) {
  for (size_t i = 0; i < exchanges.size() && connection.alive(); ++i) {
    if (results[i].ok()) continue;
    connection.Run(kRollback)
        .status()
        .IgnoreError();  // its transaction, if any
    if (db::WorthRerunning(results[i].status()))
      results[i] = connection.Run(exchanges[i]);
  }
}

void Queries::Run(std::unique_ptr<rpc::Call> call,
                  const std::function<absl::Status(
                      const google::protobuf::Message&, db::Exchange&)>& ask,
                  std::function<void(rpc::Call&, const db::Results&)> answer,
                  std::optional<Reach> reach) {
  db::Exchange exchange;
  if (absl::Status status = ask(*call->message, exchange); !status.ok()) {
    call->Fail(status);
    return;
  }
  const absl::Time deadline = call->deadline;
  if (!reach.has_value()) reach = ReachOf(*call->method);
  auto shared = std::make_shared<std::unique_ptr<rpc::Call>>(std::move(call));
  lanes_.Ask(
      std::move(exchange), deadline,
      [shared,
       answer = std::move(answer)](absl::StatusOr<db::Results> results) {
        rpc::Call& done = **shared;
        if (!results.ok()) return done.Fail(results.status());
        answer(done, *results);
      },
      *reach, [shared] { return (*shared)->Cancelled(); });
}

}  // namespace mtp::handlers
