#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <mutex>

#include "absl/strings/match.h"
#include "common/handlers/commands.h"
#include "google/protobuf/empty.pb.h"
#include "mtp/common/v1/common.pb.h"
#include "tests/support/cluster.h"
#include "tests/support/deciding.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using handlers::CommandLanes;

constexpr db::Statement kLockTimeout{"SELECT current_setting('lock_timeout')"};
// Until whoever holds the lock lets it go.
constexpr db::Statement kWaits{"SELECT pg_advisory_xact_lock_shared(1)"};

// Something that another transaction may hold, and how long this one would
// wait for it.
class Held : public db::Member {
 public:
  using Member::Member;

  void Want() { wanted_ = true; }
  const std::string& lock_timeout() const { return lock_timeout_; }

  void AddLoads(db::Exchange& exchange) override {
    exchange.Add(kLockTimeout);
    if (wanted_) exchange.Add(kWaits);
  }
  void TakeLoads(const db::Results& results, size_t& next) override {
    for (const db::Row row : results[next]) row.Into(lock_timeout_);
    next += wanted_ ? 2 : 1;
  }
  void AddStores(db::Exchange&) override {}
  void Keep() override {}
  void Undo() override {}
  void Clear() override { wanted_ = false; }

 private:
  bool wanted_ = false;
  std::string lock_timeout_;
};

struct Rows : db::WorkingSet {
  Held held{*this};
};

// What calls were told, by their name.
class Answers {
 public:
  void Put(const std::string& name, const std::string& answer) {
    std::lock_guard lock(mutex_);
    answers_[name] = answer;
  }
  std::string Of(const std::string& name) const {
    std::lock_guard lock(mutex_);
    const auto found = answers_.find(name);
    return found == answers_.end() ? "" : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> answers_;
};

class ToldCall : public SilentCall {
 public:
  ToldCall(std::string name, Answers& answers)
      : SilentCall("mtp.order.v1.PlanService", "ImportPlans",
                   options::v1::ROLE_GRANDPASS_ADMIN),
        name_(std::move(name)),
        answers_(answers) {
    message = std::make_unique<google::protobuf::Empty>();
  }
  void Reply(std::string bytes) override { answers_.Put(name_, bytes); }
  void Fail(absl::Status status) override {
    answers_.Put(name_, status.ToString());
  }

 private:
  const std::string name_;
  Answers& answers_;
};

// A command that answers how long its transaction waits for a lock.
std::shared_ptr<const CommandLanes::Command> Tells(
    bool wants_held, const std::function<void()>& meanwhile = [] {}) {
  auto command = std::make_shared<CommandLanes::Command>();
  command->touch = [wants_held](const google::protobuf::Message&,
                                db::WorkingSet& rows) {
    if (wants_held) static_cast<Rows&>(rows).held.Want();
  };
  command->decide = [meanwhile](
                        const google::protobuf::Message&, handlers::Context&,
                        db::WorkingSet& rows) -> absl::StatusOr<std::string> {
    meanwhile();
    return static_cast<Rows&>(rows).held.lock_timeout();
  };
  return command;
}

TEST_CASE("a call whose rows are held for long steps aside, and only that") {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_ORDER);
  db::Connection::Options options;
  options.conninfo = Cluster::Shared().Conninfo(database, "mtp_app");
  auto holder = db::Connection::Open(options);
  REQUIRE(holder.ok());
  REQUIRE((*holder)->Run(db::Statement{"SELECT pg_advisory_lock(1)"}).ok());

  Answers answers;
  std::atomic<bool> aside{false};
  std::atomic<bool> working{false};
  std::promise<void> others_wait;
  CommandLanes lanes({.database = options,
                      .lanes = 1,
                      .working_set = [] { return std::make_unique<Rows>(); },
                      .observer = {.batch_rerun = [&](std::string_view cause) {
                        if (cause == "stepped_aside") aside = true;
                      }}});
  const auto submit =
      [&](const std::string& name,
          std::shared_ptr<const CommandLanes::Command> command) {
        lanes.Submit(std::move(command),
                     std::make_unique<ToldCall>(name, answers));
      };

  submit("first", Tells(false, [&] {
           working = true;
           others_wait.get_future().wait();
         }));
  CHECK(Eventually([&] { return working.load(); }));
  // One batch, which is taken apart.
  submit("needs it", Tells(true));
  submit("beside it", Tells(false));
  others_wait.set_value();
  CHECK(Eventually([&] { return !answers.Of("beside it").empty(); }));
  CHECK(aside);
  submit("after it", Tells(false));
  CHECK(Eventually([&] { return !answers.Of("after it").empty(); }));
  CHECK(answers.Of("needs it").empty());
  REQUIRE((*holder)->Run(db::Statement{"SELECT pg_advisory_unlock(1)"}).ok());
  CHECK(Eventually([&] { return !answers.Of("needs it").empty(); }));

  CHECK(answers.Of("first") == "500ms");
  CHECK(answers.Of("beside it") == "20ms");
  CHECK(answers.Of("after it") == "500ms");
  // As long as the role may.
  CHECK(answers.Of("needs it") == "10s");
}

TEST_CASE("a change for which there is no room is sent away at once") {
  const std::string database =
      Cluster::Shared().NewDatabase(common::v1::SIDE_ORDER);
  db::Connection::Options options;
  options.conninfo = Cluster::Shared().Conninfo(database, "mtp_app");
  Answers answers;
  std::atomic<bool> working{false};
  std::promise<void> line_is_full;
  CommandLanes lanes(
      {.database = options, .lanes = 1, .waiting_limit = 2, .working_set = [] {
         return std::make_unique<Rows>();
       }});
  const auto submit = [&](
                          const std::string& name,
                          const std::function<void()>& meanwhile = [] {}) {
    lanes.Submit(Tells(false, meanwhile),
                 std::make_unique<ToldCall>(name, answers));
  };

  submit("worked on", [&] {
    working = true;
    line_is_full.get_future().wait();
  });
  CHECK(Eventually([&] { return working.load(); }));
  submit("first in line");
  submit("second in line");
  submit("too many");
  CHECK(absl::StartsWith(answers.Of("too many"), "RESOURCE_EXHAUSTED"));
  line_is_full.set_value();
  CHECK(Eventually([&] { return !answers.Of("second in line").empty(); }));
  CHECK(answers.Of("first in line") == "500ms");
  CHECK(answers.Of("second in line") == "500ms");
}

}  // namespace
}  // namespace mtp::tests
