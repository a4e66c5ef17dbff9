#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "bench/asker.h"
#include "mtp/ops/v1/operations.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/large_files.h"
#include "tests/support/mtpctl.h"
#include "tests/support/stack.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

// What the link carries at most: the news of a long outage, and a comparison
// of all that both sides know, with everything on and fsync.
namespace mtp::bench {
namespace {

using common::v1::Side;
using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;

constexpr int kFacts = 100'000;
// Each in one transaction: what is in it is made in one moment.
constexpr int kImports = 10;
// What people ask for meanwhile; all day long that would be a big plant's.
constexpr absl::Duration kBetweenRequests = absl::Milliseconds(20);
constexpr int kTampered = 100;
constexpr double kMebibyte = 1 << 20;

double SecondsSince(absl::Time began) {
  return absl::ToDoubleSeconds(absl::Now() - began);
}

double PeakMebibytes(const tests::Stack& stack, Side side) {
  return static_cast<double>(stack.PeakMemory(side)) / kMebibyte;
}

// Shipments that the order side has to tell of; the seconds it took.
double MakeShipments(const tests::Stack& stack) {
  const tests::Mtpctl mtpctl(stack);
  double seconds = 0;
  for (int i = 0; i < kImports; ++i) {
    const std::string name = absl::StrCat("BIG", i);
    const int rows = kFacts / kImports;
    const tests::TemporaryFile plans(tests::PlanFile(name, rows));
    const tests::TemporaryFile requests(tests::OpenOrderFile(name, rows));
    mtpctl.Do({"plan", "import", plans.path()});
    const absl::Time began = absl::Now();
    mtpctl.Do({"request", "import", requests.path()});
    seconds += SecondsSince(began);
  }
  return seconds;
}

int64_t Marks(const tests::Stack& stack, Side side) {
  return stack.Database(side).Number("SELECT count(*) FROM sync.outbox");
}

bool AllTold(const tests::Stack& stack) {
  return Marks(stack, SIDE_ORDER) == 0 && Marks(stack, SIDE_PROCESSING) == 0;
}

// Shipments that were heard of before others that had been made earlier.
int64_t ToldTooEarly(const tests::Stack& stack) {
  return stack.Database(SIDE_PROCESSING).Number(R"(
    WITH made AS (
      SELECT order_changed_at, count(*) AS shipments,
             min(heard_at) AS first_heard, max(heard_at) AS last_heard
      FROM shipment GROUP BY order_changed_at),
    beside AS (
      SELECT shipments, first_heard,
             max(last_heard) OVER (
               ORDER BY order_changed_at
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS all_before
      FROM made)
    SELECT coalesce(sum(shipments), 0) FROM beside
    WHERE first_heard < all_before)");
}

void Write(const char* file, const nlohmann::ordered_json& figures) {
  std::ofstream(absl::StrCat(MTP_SOURCE_DIR, "/build/", file))
      << figures.dump(2) << "\n";
  std::printf("Written to build/%s.\n", file);
}

TEST_CASE("a backlog of 100,000 marks") {
  tests::Cluster cluster(tests::Cluster::Durability::kDurable);
  tests::Stack stack({.cluster = &cluster});
  PlanOrder(stack, "BESIDE");
  std::printf("A backlog of %d marks, fsync on:\n", kFacts);
  Asker idle(stack, "BESIDE", kBetweenRequests);
  absl::SleepFor(absl::Seconds(3));
  std::printf("  %-34s CreateRequest: %s\n", "nothing else to do",
              Shown(idle.End()).c_str());
  REQUIRE(tests::Eventually([&] { return AllTold(stack); }));

  stack.Stop(SIDE_PROCESSING);
  const double made_in = MakeShipments(stack);
  const tests::Sql order = stack.Database(SIDE_ORDER);
  REQUIRE(Marks(stack, SIDE_ORDER) == kFacts);
  const std::string last = order.Text("SELECT max(since) FROM sync.outbox");

  Asker beside(stack, "BESIDE", kBetweenRequests);
  stack.Start(SIDE_PROCESSING);
  const absl::Time began = absl::Now();
  std::string oldest;
  bool oldest_first = true;
  REQUIRE(tests::Eventually(
      [&] {
        absl::SleepFor(absl::Milliseconds(100));
        const std::string now = order.Text(
            "SELECT min(since) FROM sync.outbox WHERE kind = 'shipment'");
        oldest_first = oldest_first && (now.empty() || now >= oldest);
        oldest = now;
        return now.empty() || now > last;
      },
      absl::Minutes(5)));
  const double seconds = SecondsSince(began);
  const std::vector<absl::Duration> took = beside.End();
  CHECK(tests::Eventually([&] { return AllTold(stack); }));
  CHECK(oldest_first);
  CHECK(ToldTooEarly(stack) == 0);
  CHECK(beside.failed() == 0);
  CHECK(tests::Disagreement(stack) == "");

  std::printf("  made in %.1f s, told in %.1f s: %.0f /s, %.2f times as fast\n",
              made_in, seconds, kFacts / seconds, made_in / seconds);
  std::printf("  %-34s CreateRequest: %s\n", "while they were told",
              Shown(took).c_str());
  std::printf("  the order service came to hold %.0f MiB, its peer %.0f MiB\n",
              PeakMebibytes(stack, SIDE_ORDER),
              PeakMebibytes(stack, SIDE_PROCESSING));
  Write("bench-backlog.json",
        {{"made_seconds", made_in},
         {"told_seconds", seconds},
         {"told_vs_made", made_in / seconds},
         {"request_p50_ms", Milliseconds(took, 0.5)},
         {"longest_request_ms", Milliseconds(took, 1)},
         {"order_mib", PeakMebibytes(stack, SIDE_ORDER)},
         {"processing_mib", PeakMebibytes(stack, SIDE_PROCESSING)}});
}

// As `mtpctl sync reconcile` has it done; the side's own facts are compared.
ops::v1::ReconcileResponse Reconcile(const tests::Stack& stack, Side side) {
  ops::v1::ReconcileRequest request;
  request.set_request_id(tests::NewRequestId());
  const tests::Reply reply =
      stack.As(options::v1::ROLE_MASTER_ADMIN, side)
          .Send("mtp.ops.v1.OperationsService/Reconcile",
                {request.SerializeAsString()}, absl::Minutes(5));
  INFO(reply.status.ToString());
  REQUIRE(reply.status.ok());
  ops::v1::ReconcileResponse response;
  REQUIRE(response.ParseFromString(reply.bytes()));
  INFO(response.DebugString());
  REQUIRE(response.finished());
  REQUIRE(response.run().error().empty());
  return response;
}

TEST_CASE("comparison of 100,000 facts") {
  tests::Cluster cluster(tests::Cluster::Durability::kDurable);
  tests::Stack stack({.cluster = &cluster});
  PlanOrder(stack, "BESIDE");
  MakeShipments(stack);
  REQUIRE(tests::Eventually([&] { return AllTold(stack); }, absl::Minutes(5)));
  // What the import needed is no part of it.
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    stack.Stop(side);
    stack.Start(side);
  }

  std::printf("A comparison of %d facts:\n", kFacts);
  nlohmann::ordered_json figures;
  for (const bool tampered : {false, true}) {
    const char* name = tampered ? "100 altered" : "all agree";
    if (tampered) {
      stack.Owner(SIDE_PROCESSING)
          .Query(
              "UPDATE shipment SET product_name = 'altered' "
              "WHERE request_code IN (SELECT request_code FROM shipment ORDER "
              "BY md5(request_code::text) LIMIT $1::bigint)",
              {absl::StrCat(kTampered)});
    }
    const absl::Time began = absl::Now();
    Asker beside(stack, "BESIDE", kBetweenRequests);
    const auto of_order = Reconcile(stack, SIDE_ORDER).run();
    const auto of_processing = Reconcile(stack, SIDE_PROCESSING).run();
    const double seconds = SecondsSince(began);
    const std::vector<absl::Duration> took = beside.End();
    CHECK(of_order.compared_count() >= kFacts);
    CHECK(of_order.drift_count() == (tampered ? kTampered : 0));
    CHECK(of_order.repaired_count() == of_order.drift_count());
    CHECK(of_processing.drift_count() == 0);
    CHECK(beside.failed() == 0);
    CHECK(tests::Eventually([&] { return AllTold(stack); }));
    CHECK(tests::Disagreement(stack) == "");
    std::printf(
        "  %-34s %6.1f s  %8.0f facts/s  order %4.0f MiB, processing %4.0f "
        "MiB, repaired %d\n",
        name, seconds,
        static_cast<double>(of_order.compared_count() +
                            of_processing.compared_count()) /
            seconds,
        PeakMebibytes(stack, SIDE_ORDER), PeakMebibytes(stack, SIDE_PROCESSING),
        static_cast<int>(of_order.repaired_count()));
    std::printf("  %-34s CreateRequest meanwhile: %s\n", "",
                Shown(took).c_str());
    figures[name] = {{"seconds", seconds},
                     {"compared", of_order.compared_count() +
                                      of_processing.compared_count()},
                     {"repaired", of_order.repaired_count()},
                     {"order_mib", PeakMebibytes(stack, SIDE_ORDER)},
                     {"processing_mib", PeakMebibytes(stack, SIDE_PROCESSING)},
                     {"longest_request_ms", Milliseconds(took, 1)}};
  }
  Write("bench-comparison.json", figures);
}

}  // namespace
}  // namespace mtp::bench
