#include "tests/support/mtpctl.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/uuid.h"
#include "nlohmann/json.hpp"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using nlohmann::json;

// The exit codes that scripts count on.
constexpr int kUsage = 1;
constexpr int kRefused = 2;
constexpr int kUnavailable = 4;

// A suffix that no other test uses.
std::string Fresh() {
  static int count = 0;
  return absl::StrCat("C", ++count, "X",
                      absl::ToUnixMillis(absl::Now()) % 1'000'000);
}

void Has(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    INFO("in:\n" << text << "\nmissing: " << part);
    CHECK(absl::StrContains(text, part));
  }
}

// A lot with its place, made with the verbs.
struct Lot {
  Lot(const Mtpctl& mtpctl, const std::string& name)
      : code("TL-" + name), place("Stores " + name) {
    mtpctl.Do({"location", "create", place});
    mtpctl.Do({"tealine", "create", code, "--invoice", "KEN/1", "--grade",
               "BOP", "--garden", "Kenilworth", "--bags", "20", "--each",
               "50kg"});
  }
  // Weighs a bag in; its barcode.
  std::string Bag(const Mtpctl& mtpctl, const std::string& gross = "50.4kg") {
    const json received =
        json::parse(mtpctl.Do({"--json", "receive", "--tealine", code, "--at",
                               place, "--gross", gross, "--tare", "400g"}));
    return received["bag"]["barcode"];
  }
  std::string code;
  std::string place;
};

TEST_CASE("mtpctl: locations and lots are made, shown, listed and changed") {
  const Mtpctl mtpctl(Stack::Shared());
  const std::string name = Fresh();
  Has(mtpctl.Do({"location", "create", "Room " + name, "--herbs"}),
      {"Room " + name, "yes"});
  Has(mtpctl.Do({"location", "update", "Room " + name, "--name", "Hall " + name,
                 "--herbs", "no"}),
      {"Hall " + name, "no"});
  Has(mtpctl.Do({"location", "show", "Hall " + name}), {"Hall " + name});
  Has(mtpctl.Do({"location", "list", "--search", name}), {"Hall " + name});

  // Whoever sits at Grandpass asks there.
  Has(mtpctl.Do({"--side", "order", "location", "show", "Hall " + name}),
      {"Hall " + name});

  Lot lot(mtpctl, name);
  Has(mtpctl.Do({"tealine", "show", lot.code}), {"20 bags of 50 kg", "etag"});
  Has(mtpctl.Do(
          {"tealine", "update", lot.code, "--grade", "BOPF", "--bags", "30"}),
      {"BOPF", "30 bags of 50 kg", "Kenilworth"});
  Has(mtpctl.Do({"tealine", "list", "--code", lot.code}), {"BOPF"});
  CHECK(mtpctl.Try({"tealine", "update", lot.code}).exit_code == kUsage);
  CHECK(mtpctl
            .Try({"tealine", "update", lot.code, "--grade", "OP", "--etag",
                  "nonsense"})
            .exit_code == kRefused);

  Has(mtpctl.Do({"herbline", "create", "HB-" + name, "--herb", "Lemongrass",
                 "--expected", "120kg"}),
      {"Lemongrass", "120 kg"});
  Has(mtpctl.Do({"herbline", "update", "HB-" + name, "--herb", "Ginger"}),
      {"Ginger"});
  Has(mtpctl.Do({"herbline", "list", "--code", "HB-" + name}), {"Ginger"});
  Has(mtpctl.Do({"herbline", "show", "HB-" + name}), {"Ginger"});

  Has(mtpctl.Do({"blendbalance", "create", "BB-" + name, "--blend", "EB101",
                 "--transfer", "TR1", "--expected", "90kg"}),
      {"90 kg"});
  Has(mtpctl.Do({"blendbalance", "update", "BB-" + name, "--any-weight"}),
      {"any weight", "EB101"});
  Has(mtpctl.Do({"blendbalance", "list", "--code", "BB-" + name}), {"EB101"});
  Has(mtpctl.Do({"blendbalance", "show", "BB-" + name}), {"TR1"});
}

TEST_CASE("mtpctl: recipes are revised from what they were, and retired") {
  const Mtpctl mtpctl(Stack::Shared());
  const std::string name = Fresh();
  const Lot lot(mtpctl, name);
  mtpctl.Do({"herbline", "create", "HB-" + name, "--herb", "Mint", "--expected",
             "10kg"});
  Has(mtpctl.Do({"blendsheet", "create", "BS-" + name, "--blend", "EB101",
                 "--total", "500kg", "--batches", "2", "--tealine",
                 lot.code + "=10"}),
      {"0 of 2 opened", lot.code, "500 kg"});
  // What is not said stays.
  Has(mtpctl.Do({"blendsheet", "revise", "BS-" + name, "--batches", "3"}),
      {"revision", "0 of 3 opened", lot.code, "500 kg"});
  Has(mtpctl.Do({"blendsheet", "list", "--revisions-of", "BS-" + name}),
      {"1", "2"});
  Has(mtpctl.Do({"blendsheet", "show", "BS-" + name, "--revision", "1"}),
      {"0 of 2 opened"});
  Has(mtpctl.Do({"flavorsheet", "create", "FS-" + name, "--flavor", "MI20",
                 "--blend", "BS-" + name + "=90kg", "--herb",
                 "HB-" + name + "=4.5kg"}),
      {"94.5 kg", "Mint", "HERBLINE"});
  Has(mtpctl.Do({"flavorsheet", "revise", "FS-" + name, "--remarks", "cool"}),
      {"94.5 kg", "cool"});
  Has(mtpctl.Do({"flavorsheet", "list", "--number", "FS-" + name}), {"MI20"});
  Has(mtpctl.Do({"flavorsheet", "retire", "FS-" + name, "--remarks", "old"}),
      {"retired"});
  Has(mtpctl.Do({"blendsheet", "retire", "BS-" + name}), {"retired"});
  CHECK(mtpctl.Try({"batch", "open", "BS-" + name}).exit_code == kRefused);
}

TEST_CASE("mtpctl: a batch from opening to the trader's word") {
  const Mtpctl mtpctl(Stack::Shared());
  const std::string name = Fresh();
  Lot lot(mtpctl, name);
  const std::string sheet = "BS-" + name;
  mtpctl.Do({"blendsheet", "create", sheet, "--blend", "EB" + name, "--total",
             "100kg", "--batches", "4", "--tealine", lot.code + "=2"});
  const std::string bag = lot.Bag(mtpctl);
  const auto judged = [&](int number) {
    const std::string batch = absl::StrCat(sheet, "/", number);
    mtpctl.Do({"batch", "open", sheet});
    mtpctl.Do({"allocate", bag, "10kg", "--batch", batch});
    mtpctl.Do({"batch", "measure", batch, "--humidity", "6.85", "--density",
               "325.5"});
    Has(mtpctl.Do({"approve", "queue", "--state", "trader-pending", "--blend",
                   "EB" + name}),
        {batch});
    mtpctl.Do({"approve", "ask", batch});
    return batch;
  };
  const std::string allowed = judged(1);
  Has(mtpctl.Do({"approve", "queue", "--blend", "EB" + name}), {allowed});
  Has(mtpctl.Do({"approve", "allow", allowed}), {"TRADER_ALLOWED"});
  Has(mtpctl.Do({"approve", "queue", "--blend", "EB" + name}), {"none"});
  const std::string elevated = judged(2);
  Has(mtpctl.Do({"approve", "elevate", elevated, "--remarks", "your word"}),
      {"TRADER_ELEVATED"});
  Has(mtpctl.Do({"--as", "TRADER_SUPERVISOR", "approve", "queue", "--blend",
                 "EB" + name}),
      {elevated});
  // The officer may not: it is the supervisor's now.
  CHECK(mtpctl.Try({"approve", "block", elevated, "--remarks", "flat"})
            .exit_code != 0);
  Has(mtpctl.Do({"--as", "TRADER_SUPERVISOR", "approve", "block", elevated,
                 "--remarks", "flat"}),
      {"TRADER_BLOCKED"});
  Has(mtpctl.Do({"batch", "complete", allowed}), {"COMPLETED"});
  Has(mtpctl.Do({"batch", "reopen", allowed, "--reason", "more"}), {"OPEN"});
  Has(mtpctl.Do({"batch", "show", "blendsheet:" + allowed}),
      {"What went in", "6.85 %", "TRADER_REQUESTED"});
  Has(mtpctl.Do({"batch", "list", "--sheet", sheet}), {allowed, elevated});
  Has(mtpctl.Do({"allocation", "list", "--batch", allowed}), {"10 kg"});
}

TEST_CASE("mtpctl: bags are received, scanned, moved and listed") {
  const Mtpctl mtpctl(Stack::Shared());
  const std::string name = Fresh();
  Lot lot(mtpctl, name);
  const std::string bag = lot.Bag(mtpctl);
  mtpctl.Do({"location", "create", "Bay " + name});
  mtpctl.Do({"move", bag, "--to", "Bay " + name});
  Has(mtpctl.Do({"bag", "moves", bag}), {lot.place, "Bay " + name});
  Has(mtpctl.Do({"scan", "tealine:" + bag}), {"Kenilworth", "CLEARED"});
  Has(mtpctl.Do({"bag", "show", bag}), {"50 kg", "ACCEPTED"});
  Has(mtpctl.Do({"bag", "list", "--code", lot.code}), {bag});
  Has(mtpctl.Do({"rule", "list", "--kind", "tealine"}),
      {"BLENDSHEET_BATCH", "yes", "FLAVORSHEET_BATCH", "no"});
  // A gross weight is needed unless lines bring it.
  CHECK(mtpctl.Try({"receive", "--tealine", lot.code, "--at", lot.place})
            .exit_code == kUsage);
  CHECK(mtpctl
            .Try({"receive", "--tealine", lot.code, "--at", "Nowhere",
                  "--gross", "50kg"})
            .exit_code == kRefused);
}

TEST_CASE("mtpctl: a tare that nobody names stays what it is in the book") {
  const Mtpctl mtpctl(Stack::Shared());
  Lot lot(mtpctl, Fresh());
  const std::string bag = lot.Bag(mtpctl);
  const auto weighed = [](const std::string& output) {
    const json answer = json::parse(output);
    return std::pair{answer["bag"]["tare_grams"], answer["bag"]["net_grams"]};
  };
  using Weights = std::pair<json, json>;
  CHECK(weighed(mtpctl.Do({"--json", "bag", "correct", bag, "--gross", "49.4kg",
                           "--reason", "misread"})) == Weights{"400", "49000"});
  mtpctl.Do({"bag", "dispatch", bag, "--reason", "to the blender"});
  const json back =
      json::parse(mtpctl.Do({"--json", "bag", "return", bag, "--at", lot.place,
                             "--gross", "48.4kg"}));
  CHECK(back["bag_return"]["net_grams"] == "48000");
  // One that is named counts, nothing as well.
  CHECK(weighed(mtpctl.Do({"--json", "bag", "correct", bag, "--gross", "48kg",
                           "--tare", "300g", "--reason", "a lighter bag"})) ==
        Weights{"300", "47700"});
  CHECK(mtpctl
            .Do({"bag", "correct", bag, "--gross", "47.7kg", "--tare", "0g",
                 "--reason", "no bag"})
            .find("47.7 kg") != std::string::npos);
  CHECK(mtpctl
            .Try({"bag", "correct", "tealine:" + NewRequestId(), "--gross",
                  "1kg", "--reason", "none"})
            .exit_code == kRefused);
}

TEST_CASE("mtpctl: open shipments say how old the knowledge is") {
  Stack& stack = Stack::Shared();
  const Mtpctl mtpctl(stack);
  Story story(stack);
  story.DoSteps(1, 6);
  const std::string key = absl::StrCat(story.shipment.request_code(), "/",
                                       story.shipment.shipment_code());
  Has(mtpctl.Do({"shipment", "waiting", "--request",
                 absl::StrCat(story.shipment.request_code())}),
      {key, "AS OF (UTC)", "Grandpass was heard last at"});
  Has(mtpctl.Do({"not-ready", key, "--remarks", "a bag is torn"}),
      {"ORDER_NOT_READY"});
  Has(mtpctl.Do({"ready", key}), {"ORDER_READY"});
  Has(mtpctl.Do({"dispatch", key, "--vehicle", "WP LG-4821"}), {"WP LG-4821"});
  Has(mtpctl.Do({"correct-dispatch", key, "--vehicle", "WP LH-1170", "--reason",
                 "the other lorry"}),
      {"WP LH-1170"});
  CHECK(mtpctl.Try({"correct-dispatch", key, "--reason", "none"}).exit_code ==
        kUsage);
  Has(mtpctl.Do({"correct-dispatch", key, "--take-back", "--reason",
                 "it is still here"}),
      {"ORDER_READY"});
  Has(mtpctl.Do({"dispatch", key, "--vehicle", "WP LG-4821"}),
      {"SHIPMENT_DISPATCHED"});
  RequireAgreement(stack);
}

TEST_CASE("mtpctl check tells what the invariants find") {
  Stack& stack = Stack::Shared("checked");
  const Mtpctl mtpctl(stack);
  const std::string name = Fresh();
  Lot lot(mtpctl, name);
  lot.Bag(mtpctl);
  const std::vector<std::string> check = {
      "check", "--order-database", stack.OwnerConninfo(SIDE_ORDER),
      "--processing-database", stack.OwnerConninfo(SIDE_PROCESSING)};
  Has(mtpctl.Do(check), {"order: ", "processing: ", "all of them hold"});
  const auto add_to_received = [&](const char* bags) {
    stack.Owner(SIDE_PROCESSING)
        .Query(
            "UPDATE item SET received_bags = received_bags + $2::bigint "
            "WHERE item_code = $1",
            {lot.code, bags});
  };
  add_to_received("1");
  const Outcome found = mtpctl.Try(check);
  add_to_received("-1");
  CHECK(found.exit_code == kRefused);
  Has(found.output, {"invariant_item_received", lot.code});
  const Outcome unreachable =
      mtpctl.Try({"check", "--order-database", "", "--processing-database",
                  "host=127.0.0.1 port=1 user=nobody dbname=nothing"});
  CHECK(unreachable.exit_code == kUnavailable);
  Has(mtpctl.Do(check), {"all of them hold"});
}

}  // namespace
}  // namespace mtp::tests
