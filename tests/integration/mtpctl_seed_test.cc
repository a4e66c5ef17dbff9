#include <catch2/catch.hpp>
#include <csignal>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tests/support/agreement.h"
#include "tests/support/mtpctl.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using nlohmann::json;

int64_t Count(const Stack& stack, const std::string& table) {
  return stack.Database(SIDE_PROCESSING)
      .Number(absl::StrCat("SELECT count(*) FROM ", table));
}

// The tables have what the command says that the plant has.
void RequireWhole(const Stack& stack, const json& told) {
  CHECK(Count(stack, "tealine") == told["tealines"]);
  CHECK(Count(stack, "herbline") == told["herblines"]);
  CHECK(Count(stack, "blendbalance") == told["blendbalances"]);
  CHECK(Count(stack, "batch") == told["batches"]);
  CHECK(Count(stack, "bag") == told["bags"]);
  CHECK(Count(stack, "allocation") == told["allocations"]);
  CHECK(Count(stack, "shipment") == told["orders"]);
  CHECK(Count(stack, "recipe") == told["blendsheets"].get<int64_t>() +
                                      told["flavorsheets"].get<int64_t>());
  RequireAgreement(stack);
}

TEST_CASE("a seeded plant is whole, and seeding it again changes nothing") {
  Stack& stack = Stack::Shared("seeded");
  const Mtpctl mtpctl(stack);
  const std::vector<std::string> seed = {"--json", "seed", "--scale", "0.02"};
  const json first = json::parse(mtpctl.Do(seed));
  CHECK(first["weeks"] == 1);
  RequireWhole(stack, first);
  const std::string before = Footprint(stack);
  const json second = json::parse(mtpctl.Do(seed));
  CHECK(second["weeks_there_already"] == 1);
  CHECK(Footprint(stack) == before);
  // It goes on from what is there.
  const json larger =
      json::parse(mtpctl.Do({"--json", "seed", "--scale", "0.04"}));
  CHECK(larger["weeks_there_already"] == 1);
  CHECK(larger["until"] == first["until"]);
  RequireWhole(stack, larger);
}

TEST_CASE("seeding that is killed at any moment goes on where it was") {
  Stack stack;
  const Mtpctl mtpctl(stack);
  const std::vector<std::string> seed =
      mtpctl.Command({"--json", "seed", "--scale", "0.04"});
  int64_t bags = 0;
  for (int round = 0; round < 4; ++round) {
    Process process(seed, "/dev/null");
    // Some more is there: it is in the middle of its work.
    Eventually(
        [&] { return Count(stack, "bag") > bags + 150 || !process.Running(); });
    process.Signal(SIGKILL);
    process.Wait(kLimit);
    bags = Count(stack, "bag");
  }
  RequireWhole(stack,
               json::parse(mtpctl.Do({"--json", "seed", "--scale", "0.04"})));
}

TEST_CASE("without the order side a plant has no orders until it is there") {
  Stack stack;
  const Mtpctl mtpctl(stack);
  stack.Kill(SIDE_ORDER);
  const Outcome alone = mtpctl.Try({"seed", "--scale", "0.02"});
  INFO(alone.output);
  CHECK(alone.exit_code == 0);
  CHECK(alone.output.find("Grandpass does not answer") != std::string::npos);
  CHECK(Count(stack, "shipment") == 0);
  CHECK(Count(stack, "bag") > 500);
  stack.Start(SIDE_ORDER);
  RequireWhole(stack,
               json::parse(mtpctl.Do({"--json", "seed", "--scale", "0.02"})));
}

}  // namespace
}  // namespace mtp::tests
