#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/sync/v1/sync.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace ops::v1;
using options::v1::ROLE_MASTER_ADMIN;

constexpr char kReconcile[] = "mtp.ops.v1.OperationsService/Reconcile";

absl::StatusOr<ReconcileResponse> Reconcile(const Stack& stack, Side side,
                                            bool report_only = false,
                                            const std::string& id = "") {
  ReconcileRequest request;
  request.set_request_id(id.empty() ? NewRequestId() : id);
  request.set_report_only(report_only);
  return stack.As(ROLE_MASTER_ADMIN, side)
      .Call<ReconcileResponse>(kReconcile, request);
}

ReconcileResponse Reconciled(const Stack& stack, Side side,
                             bool report_only = false) {
  const auto response = Reconcile(stack, side, report_only);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  INFO(response->DebugString());
  REQUIRE(response->finished());
  REQUIRE(response->run().error() == "");
  return *response;
}

std::string Drift(const ReconcileResponse& response) {
  std::set<std::string> lines;
  for (const ops::v1::Drift& drift : response.drift()) {
    std::vector<std::string> fields;
    for (const DriftDifference& difference : drift.differences())
      fields.push_back(difference.field());
    lines.insert(absl::StrCat(
        sync::v1::EntityKind_Name(drift.kind()).substr(12), " ", drift.key(),
        " ", DriftCause_Name(drift.cause()).substr(12), " ",
        absl::StrJoin(fields, ",")));
  }
  return absl::StrJoin(lines, "\n");
}

TEST_CASE("two sides that agree are found to agree, whatever happened") {
  Stack& stack = Stack::Shared("reconcile");
  Story story(stack);
  story.DoAll();
  RequireAgreement(stack);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const ReconcileResponse response = Reconciled(stack, side);
    CHECK(Drift(response) == "");
    CHECK(response.run().drift_count() == 0);
    CHECK(response.run().compared_count() >= 2);
  }
}

TEST_CASE("what differed and does not any more is no open drift") {
  Stack& stack = Stack::Shared("reconcile");
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  const Sql seeduwa = stack.Owner(SIDE_PROCESSING);
  const std::string key = absl::StrCat(story.shipment.request_code(), "/1");
  const auto open = [&](const std::string& of) {
    return stack.Database(SIDE_ORDER)
        .Number(
            "SELECT count(*) FROM sync.drift WHERE repaired_at IS NULL "
            "AND key = $1",
            {of});
  };
  // Told, then repaired.
  seeduwa.Query(
      "UPDATE shipment SET product_name = 'X' WHERE request_code = $1::bigint",
      {absl::StrCat(story.shipment.request_code())});
  Reconciled(stack, SIDE_ORDER, true);
  CHECK(open(key) == 1);
  Reconciled(stack, SIDE_ORDER);
  RequireAgreement(stack);
  CHECK(Eventually([&] {
    Reconciled(stack, SIDE_ORDER);
    return open(key) == 0;
  }));

  // Of what its owner does not know nothing can be told; a hand that put it
  // there can take it away again.
  seeduwa.Query(
      "INSERT INTO shipment SELECT (jsonb_populate_record(shipment, "
      "'{\"request_code\": 7777777}')).* FROM shipment WHERE request_code = "
      "$1::bigint",
      {absl::StrCat(story.shipment.request_code())});
  Reconciled(stack, SIDE_ORDER);
  CHECK(open("7777777/1") == 1);
  Reconciled(stack, SIDE_ORDER);
  CHECK(open("7777777/1") == 1);
  seeduwa.Query("DELETE FROM shipment WHERE request_code = 7777777");
  Reconciled(stack, SIDE_ORDER);
  CHECK(open("7777777/1") == 0);
}

// What a test alters behind the services' back, and what is to be found.
struct Tampering {
  Side side;
  std::string sql;
  std::string found;  // by its owner
};

TEST_CASE(
    "what was altered behind the services' back is repaired, all of it "
    "and nothing else") {
  Stack& stack = Stack::Shared("reconcile");
  Story whole(stack);
  whole.DoAll();
  Story begun(stack);
  begun.DoSteps(1, 2);
  Story untouched(stack);
  untouched.DoAll();
  RequireAgreement(stack);

  const auto exceptions = [&] {
    std::string text;
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
      text += ToText(stack.Database(side).Query(
          "SELECT kind, things FROM sync.exception ORDER BY exception_id"));
    return text;
  };
  const std::string no_more_exceptions = exceptions();

  const std::string w = absl::StrCat(whole.shipment.request_code());
  const std::string b = absl::StrCat(begun.shipment.request_code());
  const std::string s = absl::StrCat(whole.schedule_code);
  const std::vector<Tampering> tampered = {
      // Copies.
      {SIDE_PROCESSING,
       "UPDATE shipment SET product_name = 'X', accept_remarks = 'never said' "
       "WHERE request_code = " +
           w,
       absl::StrCat(
           "SHIPMENT ", w,
           "/1 CONTENT_DIFFERS accepted.shipment_remarks,product_name")},
      {SIDE_PROCESSING, "DELETE FROM shipment WHERE request_code = " + b,
       absl::StrCat("SHIPMENT ", b, "/1 COPY_MISSING ")},
      {SIDE_PROCESSING,
       "UPDATE schedule SET section = 'elsewhere', order_version = "
       "order_version + 7 WHERE schedule_code = " +
           s,
       absl::StrCat("SCHEDULE ", s, " COPY_AHEAD section")},
      {SIDE_ORDER,
       "UPDATE shipment SET dispatch_vehicle = 'XX-0000', dispatched_bags = 3 "
       "WHERE request_code = " +
           w,
       absl::StrCat("SHIPMENT_PROGRESS ", w,
                    "/1 CONTENT_DIFFERS "
                    "dispatch.bag_count,dispatch.shipment_vehicle")},
      {SIDE_ORDER,
       "UPDATE schedule SET parcel_grams = 5, progress_version = 1 WHERE "
       "schedule_code = " +
           s,
       ""}};
  for (const Tampering& t : tampered) stack.Owner(t.side).Query(t.sql);

  const ReconcileResponse told = Reconciled(stack, SIDE_ORDER, true);
  CHECK(told.run().drift_count() == 3);
  CHECK(told.run().repaired_count() == 0);
  std::map<Side, std::string> found;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const ReconcileResponse response = Reconciled(stack, side);
    found[side] = Drift(response);
    CHECK(response.run().repaired_count() == response.run().drift_count());
    for (const ops::v1::Drift& drift : response.drift()) {
      CHECK(drift.owner() == side);
      CHECK(drift.has_repaired_at());
      CHECK(drift.repaired_version() > 0);
    }
  }
  CHECK(
      found[SIDE_ORDER] ==
      absl::StrJoin(std::set<std::string>{tampered[0].found, tampered[1].found,
                                          tampered[2].found},
                    "\n"));
  CHECK(absl::StrContains(found[SIDE_PROCESSING], tampered[3].found));
  CHECK(absl::StrContains(found[SIDE_PROCESSING],
                          absl::StrCat("SCHEDULE_PROGRESS ", s)));
  RequireAgreement(stack);
  // What somebody wrote into a table has not happened.
  CHECK(exceptions() == no_more_exceptions);

  // A second run writes nothing but its own record.
  const auto facts = [&] {
    std::string text;
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
      for (const char* table :
           {"shipment", "schedule", "sync.drift", "sync.outbox",
            "sync.exception", "shipment_event"}) {
        if (side == SIDE_PROCESSING &&
            std::string_view(table) == "shipment_event")
          continue;
        absl::StrAppend(&text, table, " ",
                        stack.Owner(side).Text(
                            absl::StrCat("SELECT count(*) || ' ' || "
                                         "coalesce(md5(string_agg(t::text, ' ' "
                                         "ORDER BY t::text)), '') FROM ",
                                         table, " AS t")),
                        "\n");
      }
    }
    return text;
  };
  const std::string settled = facts();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    CHECK(Reconciled(stack, side).run().drift_count() == 0);
  CHECK(facts() == settled);
}

TEST_CASE("each column of a copy is found, put right, and invents nothing") {
  Stack& stack = Stack::Shared("reconcile");
  Story story(stack);
  story.DoAll();
  RequireAgreement(stack);
  const std::string of_it =
      absl::StrCat(" WHERE request_code = ", story.shipment.request_code());
  const auto copy = [&](Side side) {
    return ToText(stack.Database(side).Query(absl::StrCat(
        side == SIDE_ORDER ? "SELECT readiness_remarks, readiness_by_username, "
                             "readiness_by_role, dispatched_by_username, "
                             "dispatch_vehicle, dispatched_grams, "
                             "allocated_grams FROM shipment"
                           : "SELECT product_name, quantity_grams, "
                             "order_code FROM shipment",
        of_it)));
  };
  const auto history = [&] {
    return stack.Database(SIDE_ORDER)
        .Text(absl::StrCat("SELECT (SELECT count(*) FROM shipment_event", of_it,
                           ") || ' ' || (SELECT count(*) FROM "
                           "sync.exception)"));
  };
  struct Change {
    Side side;
    const char* set;
  };
  const Change changes[] = {
      {SIDE_ORDER, "readiness_remarks = 'by hand'"},
      {SIDE_ORDER, "readiness_by_username = 'nobody'"},
      // A word that is none.
      {SIDE_ORDER, "readiness_by_role = 'x'"},
      {SIDE_ORDER, "dispatched_by_username = 'nobody'"},
      {SIDE_ORDER, "dispatch_vehicle = 'FAKE', allocated_grams = 1"},
      {SIDE_ORDER, "progress_version = progress_version + 3"},
      // An epoch that was never begun, in whose shadow no word would be news.
      {SIDE_ORDER, "progress_epoch = progress_epoch + 5"},
      {SIDE_PROCESSING, "order_epoch = order_epoch + 5"},
      {SIDE_ORDER,
       "progress_changed_at = progress_changed_at - interval '1 s'"},
      {SIDE_PROCESSING, "quantity_grams = quantity_grams + 1"},
      {SIDE_PROCESSING, "order_version = order_version + 5"},
  };
  for (const Change& change : changes) {
    INFO(change.set);
    const std::string before = copy(change.side);
    const std::string told = history();
    stack.Owner(change.side)
        .Query(absl::StrCat("UPDATE shipment SET ", change.set, of_it));
    const Side owner = PeerOf(change.side);
    const ReconcileResponse found = Reconciled(stack, owner);
    INFO(found.DebugString());
    CHECK(found.run().drift_count() == 1);
    CHECK(found.run().repaired_count() == 1);
    CHECK(copy(change.side) == before);
    CHECK(history() == told);
    CHECK(Reconciled(stack, owner).run().drift_count() == 0);
  }
  RequireAgreement(stack);
}

TEST_CASE("a copy that its owner does not know is told, and stays") {
  Stack& stack = Stack::Shared("reconcile orphans");
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  stack.Owner(SIDE_PROCESSING)
      .Query(
          "INSERT INTO shipment (request_code, shipment_code, order_code, "
          "product_name, quantity_grams, order_epoch, order_version) "
          "VALUES (777777, 1, 'O', 'P', 1000, 1, 1)");
  for (int i = 0; i < 2; ++i) {
    const ReconcileResponse response = Reconciled(stack, SIDE_ORDER);
    CHECK(response.run().drift_count() == 1);
    CHECK(response.run().repaired_count() == 0);
  }
  const Mtpctl mtpctl(stack);
  CHECK(absl::StrContains(
      mtpctl.Do({"--side", "order", "sync", "reconcile"}),
      "1 more of what ORDER owns: `mtpctl sync drift --run "));
  // Seeduwa may not have found Grandpass yet.
  CHECK(Eventually([&] {
    return mtpctl.Try({"sync", "reconcile", "--report"}).exit_code == 2;
  }));
  CHECK(mtpctl.Try({"--side", "processing", "sync", "reconcile", "--report"})
            .exit_code == 0);
  // The same trouble is in the list once.
  CHECK(stack.Database(SIDE_ORDER)
            .Number("SELECT count(*) FROM sync.drift WHERE key = '777777/1'") ==
        1);
  stack.Owner(SIDE_PROCESSING)
      .Query("DELETE FROM shipment WHERE request_code = 777777");
}

TEST_CASE("a repeated Reconcile reports the same run; one runs at a time") {
  Stack& stack = Stack::Shared("reconcile");
  const std::string id = NewRequestId();
  const auto first = Reconcile(stack, SIDE_ORDER, false, id);
  REQUIRE(first.ok());
  const auto again = Reconcile(stack, SIDE_ORDER, false, id);
  REQUIRE(again.ok());
  CHECK(first->SerializeAsString() == again->SerializeAsString());
  // Four at once: each is a run of its own or is told of the one under way.
  std::vector<std::thread> threads;
  std::vector<absl::Status> statuses(4);
  for (absl::Status& status : statuses) {
    threads.emplace_back(
        [&] { status = Reconcile(stack, SIDE_ORDER).status(); });
  }
  for (std::thread& thread : threads) thread.join();
  int done = 0;
  for (const absl::Status& status : statuses) {
    INFO(status.ToString());
    if (status.ok()) {
      ++done;
    } else {
      CHECK(absl::StrContains(status.ToString(), "RECONCILE_RUNNING"));
    }
  }
  CHECK(done >= 1);
}

TEST_CASE("what is on its way is no drift") {
  Stack& stack = Stack::Shared("reconcile");
  std::atomic<bool> done = false;
  std::thread people([&] {
    for (int i = 0; i < 3; ++i) {
      Story story(stack);
      for (const Act& act : story.acts()) {
        if (!story.Try(act).ok()) break;
      }
    }
    done = true;
  });
  int64_t runs = 0;
  std::string found;
  do {
    for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
      const auto response = Reconcile(stack, side);
      if (!response.ok()) {
        found += response.status().ToString();
      } else {
        found += Drift(*response);
      }
      ++runs;
    }
  } while (!done);
  people.join();
  CHECK(found == "");
  CHECK(runs >= 4);
  RequireAgreement(stack);
}

TEST_CASE("without its peer a comparison answers at once") {
  Stack stack;
  stack.Kill(SIDE_PROCESSING);
  CHECK(Eventually([&] {
    return Reconcile(stack, SIDE_ORDER).status().code() ==
           absl::StatusCode::kUnavailable;
  }));
}

// As the peer of `side` asks for Grandpass's shipments in four buckets.
template <typename Request>
Request AskForShipments(Side side) {
  Request request;
  request.mutable_sender()->set_side(PeerOf(side));
  request.mutable_sender()->set_epoch(1);
  request.mutable_sender()->mutable_sent_at()->set_seconds(1'700'000'000);
  request.set_kind(sync::v1::ENTITY_KIND_SHIPMENT);
  request.set_owner(SIDE_ORDER);
  request.set_bucket_count(4);
  return request;
}

std::multiset<std::string> ShownShipments(const Stack& stack,
                                          const std::vector<int>& buckets) {
  auto request = AskForShipments<sync::v1::ListStatesRequest>(SIDE_ORDER);
  request.set_bucket(buckets.front());
  request.mutable_buckets()->Assign(buckets.begin(), buckets.end());
  request.set_page_size(2);
  std::multiset<std::string> shown;
  do {
    const auto response =
        stack.Peer(SIDE_ORDER)
            .Call<sync::v1::ListStatesResponse>(
                "mtp.sync.v1.SyncService/ListStates", request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    CHECK(response->buckets_size() == request.buckets_size());
    CHECK(response->states_size() <= 2);
    for (const sync::v1::State& state : response->states()) {
      const auto& key = state.shipment().key();
      shown.insert(absl::StrCat(key.request_code(), "/", key.shipment_code()));
    }
    request.set_page_token(response->next_page_token());
  } while (!request.page_token().empty());
  return shown;
}

TEST_CASE("facts are shown by one bucket or several") {
  Stack& stack = Stack::Shared("reconcile");
  for (int i = 0; i < 4; ++i) Story(stack).DoSteps(1, 2);
  std::multiset<std::string> all;
  for (const auto& row : stack.Database(SIDE_ORDER)
                             .Query("SELECT request_code || '/' || "
                                    "shipment_code FROM shipment WHERE "
                                    "approval IN ('NONE', 'ALLOWED')")) {
    all.insert(row[0]);
  }
  CHECK(ShownShipments(stack, {0, 1, 2, 3}) == all);
  std::multiset<std::string> one_by_one;
  for (const int bucket : {0, 1, 2, 3})
    one_by_one.merge(ShownShipments(stack, {bucket}));
  CHECK(one_by_one == all);
  std::multiset<std::string> two = ShownShipments(stack, {1});
  two.merge(ShownShipments(stack, {3}));
  CHECK(ShownShipments(stack, {1, 3}) == two);

  auto wrong = AskForShipments<sync::v1::ListStatesRequest>(SIDE_ORDER);
  wrong.add_buckets(4);
  const absl::Status refused = stack.Peer(SIDE_ORDER)
                                   .Send("mtp.sync.v1.SyncService/ListStates",
                                         {wrong.SerializeAsString()})
                                   .status;
  CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
}

std::map<int, std::string> ShownDigests(const Stack& stack, Side side,
                                        bool with_versions) {
  auto request = AskForShipments<sync::v1::GetDigestsRequest>(side);
  request.set_with_versions(with_versions);
  const auto response = stack.Peer(side).Call<sync::v1::GetDigestsResponse>(
      "mtp.sync.v1.SyncService/GetDigests", request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  std::map<int, std::string> digests;
  for (const auto& digest : response->digests())
    digests[digest.bucket()] = digest.digest();
  return digests;
}

TEST_CASE("a version is digested where that is asked for") {
  Stack& stack = Stack::Shared("reconcile");
  Story story(stack);
  story.DoSteps(1, 2);
  RequireAgreement(stack);
  for (const bool with_versions : {false, true}) {
    CHECK(ShownDigests(stack, SIDE_ORDER, with_versions) ==
          ShownDigests(stack, SIDE_PROCESSING, with_versions));
  }
  const auto raise = [&](int by) {
    stack.Owner(SIDE_PROCESSING)
        .Query(
            "UPDATE shipment SET order_version = order_version + $1 WHERE "
            "request_code = $2",
            {absl::StrCat(by), absl::StrCat(story.shipment.request_code())});
  };
  raise(1);
  CHECK(ShownDigests(stack, SIDE_ORDER, false) ==
        ShownDigests(stack, SIDE_PROCESSING, false));
  CHECK(ShownDigests(stack, SIDE_ORDER, true) !=
        ShownDigests(stack, SIDE_PROCESSING, true));
  raise(-1);
}

}  // namespace
}  // namespace mtp::tests
