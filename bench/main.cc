#define CATCH_CONFIG_RUNNER
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/echo.h"
#include "common/base/uuid.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "tests/support/cluster.h"
#include "tests/support/load.h"
#include "tests/support/process.h"
#include "tests/support/sql.h"
#include "tests/support/stack.h"
#include "tests/support/wait.h"

// make bench: AllocateToShipment with everything on (TLS, token, audit,
// idempotency, outbox, the other side listening) beside a bare gRPC echo and
// beside pgbench writing the same rows one transaction per call, in one run on
// one machine. Absolute figures vary with the machine; the ratios are what
// counts.
namespace mtp::bench {
namespace {

using tests::Channels;
using tests::Load;
using tests::LoadResult;

constexpr int kShipments = 16;
constexpr int kBags = 4096;
constexpr int64_t kGrams = 1000;

std::string Folder() { return absl::StrCat(MTP_SOURCE_DIR, "/bench/"); }

uint64_t Random() {
  static thread_local std::mt19937_64 generator(std::random_device{}());
  return generator();
}

std::string AnyBag() {
  return absl::StrFormat("00000000-0000-7000-9000-%012x", Random() % kBags + 1);
}

std::string NextRequest() {
  processing::v1::AllocateToShipmentRequest request;
  request.set_request_id(Uuid::V7(absl::Now()).ToString());
  request.set_barcode(AnyBag());
  request.mutable_shipment()->set_request_code(
      static_cast<int64_t>(Random() % kShipments + 1));
  request.mutable_shipment()->set_shipment_code(1);
  request.set_grams(kGrams);
  return request.SerializeAsString();
}

// A plan as large as plans can be, and requests that use all of it.
void MakeShipments(const tests::Stack& stack) {
  order::v1::ImportPlansRequest plans;
  plans.set_file_name("bench.csv");
  plans.set_file_digest(std::string(64, 'b'));
  order::v1::PlanRow* row = plans.add_rows();
  row->set_line_number(2);
  row->set_order_code("BENCH");
  row->set_item_code("BENCH");
  row->set_requirement("800,000,000");
  row->set_product_name("Bench");
  row->set_plan_start("2026-11-01");
  row->set_plan_end("2026-11-30");
  const auto imported = stack.Call<order::v1::ImportPlansResponse>(
      options::v1::ROLE_GRANDPASS_ADMIN, "mtp.order.v1.PlanService/ImportPlans",
      plans);
  REQUIRE(imported.ok());
  REQUIRE(imported->stored());
  for (int i = 0; i < kShipments; ++i) {
    order::v1::CreateRequestRequest request;
    request.mutable_request()->set_order_code("BENCH");
    request.mutable_request()->set_requirement_grams(50'000'000'000);
    const auto made = stack.Call<order::v1::CreateRequestResponse>(
        options::v1::ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.RequestService/CreateRequest", request);
    INFO(made.status().ToString());
    REQUIRE(made.ok());
  }
  REQUIRE(tests::Eventually([&] {
    return stack.Database(common::v1::SIDE_PROCESSING)
               .Number("SELECT count(*) FROM shipment") == kShipments;
  }));
}

void RunScript(const std::string& conninfo, const std::string& file) {
  tests::RunOrFail({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo,
                    "-f", Folder() + file});
}

// Transactions per second that pgbench reports.
double Pgbench(tests::Cluster& cluster, const std::string& database,
               int clients) {
  const std::string output = tests::RunOrFail(
      {absl::StrCat(MTP_POSTGRES_BIN, "/pgbench"), "-n", "-M", "prepared", "-c",
       absl::StrCat(clients), "-j", "2", "-T", "6", "-f",
       Folder() + "allocate.pgbench", cluster.Conninfo(database, "mtp_app")});
  const size_t at = output.find("tps = ");
  REQUIRE(at != std::string::npos);
  return std::strtod(output.c_str() + at + 6, nullptr);
}

LoadResult MeasureEcho(const std::string& folder, const std::string& ca,
                       int in_flight) {
  const std::string log = folder + "/echo.log";
  const std::string self =
      std::string("/proc/") + std::to_string(getpid()) + "/exe";
  tests::Process server({self, "--echo-server", folder}, log);
  REQUIRE(tests::Eventually(
      [&] { return tests::ReadFile(log).find('\n') != std::string::npos; }));
  Load load;
  load.method = kEchoMethod;
  load.next_request = NextRequest;
  load.in_flight = in_flight;
  return Run(load,
             Channels(absl::StrCat("127.0.0.1:",
                                   std::atoi(tests::ReadFile(log).c_str())),
                      ca));
}

// At that side, which passes on what is not its own.
LoadResult Measure(const tests::Stack& stack, common::v1::Side side,
                   Load load) {
  load.authorization = "Bearer " + tests::Identities::Shared().Token(
                                       options::v1::ROLE_SEEDUWA_OPERATOR);
  LoadResult outcome =
      Run(load, Channels(stack.Address(side), stack.certificate_authority()));
  INFO(outcome.first_failure);
  CHECK(outcome.failed == 0);
  return outcome;
}

LoadResult MeasureAllocate(const tests::Stack& stack, int in_flight) {
  return Measure(
      stack, common::v1::SIDE_PROCESSING,
      {.method = "/mtp.processing.v1.AllocationService/AllocateToShipment",
       .next_request = NextRequest,
       .in_flight = in_flight});
}

LoadResult MeasureGetBag(const tests::Stack& stack, common::v1::Side side) {
  return Measure(
      stack, side,
      {.method = "/mtp.processing.v1.BagService/GetBag", .next_request = [] {
         processing::v1::GetBagRequest request;
         request.set_barcode(AnyBag());
         return request.SerializeAsString();
       }});
}

void Print(const char* what, double per_second, const std::string& more) {
  std::printf("  %-44s %10.0f /s   %s\n", what, per_second, more.c_str());
  std::fflush(stdout);
}

std::string Latency(const LoadResult& outcome) {
  return absl::StrFormat("p50 %.2f ms, p99 %.2f ms",
                         absl::ToDoubleMilliseconds(outcome.p50),
                         absl::ToDoubleMilliseconds(outcome.p99));
}

TEST_CASE("AllocateToShipment beside a bare echo and pgbench") {
  tests::Cluster cluster(tests::Cluster::Durability::kDurable);
  tests::Stack stack({.cluster = &cluster});
  MakeShipments(stack);
  RunScript(stack.OwnerConninfo(common::v1::SIDE_PROCESSING), "seed.sql");

  const std::string plain = cluster.NewDatabase(common::v1::SIDE_PROCESSING);
  RunScript(cluster.Conninfo(plain, "mtp_owner"), "seed.sql");
  RunScript(cluster.Conninfo(plain, "mtp_owner"), "pgbench_seed.sql");

  std::printf(
      "Calls per second, fsync on, two PostgreSQL databases, client and "
      "servers on "
      "this machine:\n");
  const std::string certificates =
      tests::Identities::Shared().folder() + "/certificates";
  const LoadResult echo =
      MeasureEcho(certificates, stack.certificate_authority(), 256);
  Print("bare gRPC echo over TLS, 256 in flight", echo.calls_per_second,
        Latency(echo));
  double pgbench = 0;
  for (const int clients : {16, 64}) {
    const double tps = Pgbench(cluster, plain, clients);
    Print(absl::StrCat("pgbench, the same rows, ", clients, " connections")
              .c_str(),
          tps, "");
    pgbench = std::max(pgbench, tps);
  }
  const LoadResult alone = MeasureAllocate(stack, 1);
  Print("AllocateToShipment, 1 in flight", alone.calls_per_second,
        Latency(alone));
  const LoadResult some = MeasureAllocate(stack, 64);
  Print("AllocateToShipment, 64 in flight", some.calls_per_second,
        Latency(some));
  const LoadResult many = MeasureAllocate(stack, 256);
  Print("AllocateToShipment, 256 in flight", many.calls_per_second,
        Latency(many));
  const double ratio = many.calls_per_second / pgbench;
  std::printf(
      "  AllocateToShipment, 256 in flight, against pgbench: %.2f times\n",
      ratio);

  const LoadResult direct = MeasureGetBag(stack, common::v1::SIDE_PROCESSING);
  Print("GetBag, 1 in flight", direct.calls_per_second, Latency(direct));
  const LoadResult passed_on = MeasureGetBag(stack, common::v1::SIDE_ORDER);
  Print("GetBag through the other side, 1 in flight",
        passed_on.calls_per_second, Latency(passed_on));
  const absl::Duration gateway = passed_on.p50 - direct.p50;
  std::printf("  the gateway costs %.2f ms at the median\n",
              absl::ToDoubleMilliseconds(gateway));

  // What was measured must also be right.
  const tests::Sql database = stack.Database(common::v1::SIDE_PROCESSING);
  CHECK(tests::Eventually([&] {
    return database.Number("SELECT count(*) FROM sync.outbox") == 0;
  }));
  CHECK(tests::ToText(database.Query(
            "SELECT * FROM sync.invariant_violations() LIMIT 10")) == "");

  const nlohmann::ordered_json figures = {
      {"echo_rps", echo.calls_per_second},
      {"pgbench_tps", pgbench},
      {"allocate_rps_64", some.calls_per_second},
      {"allocate_rps_256", many.calls_per_second},
      {"allocate_p50_ms_1", absl::ToDoubleMilliseconds(alone.p50)},
      {"allocate_vs_pgbench", ratio},
      {"get_bag_p50_ms_1", absl::ToDoubleMilliseconds(direct.p50)},
      {"gateway_p50_ms_1", absl::ToDoubleMilliseconds(gateway)}};
  std::ofstream(absl::StrCat(MTP_SOURCE_DIR, "/build/bench.json"))
      << figures.dump(2) << "\n";
  std::printf("Written to build/bench.json.\n");
}

}  // namespace
}  // namespace mtp::bench

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--echo-server") {
    const std::string folder = argv[2];
    return mtp::bench::ServeEcho({.certificate = folder + "/order_service.pem",
                                  .key = folder + "/order_service.key",
                                  .ca = folder + "/ca.pem"});
  }
  return Catch::Session().run(argc, argv);
}
