#include <catch2/catch.hpp>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/uuid.h"
#include "tests/support/agreement.h"
#include "tests/support/mtpctl.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

namespace fs = std::filesystem;

// A folder of a station's own, with a lot to receive.
struct Bench {
  explicit Bench(Stack& on)
      : stack(on),
        mtpctl(on),
        folder((fs::temp_directory_path() /
                absl::StrCat("mtp-station-", NewBarcode()))
                   .string()),
        code(absl::StrCat("TW-", NewBarcode().substr(0, 18))),
        place("Stores " + code) {
    fs::create_directories(folder);
    mtpctl.Do({"location", "create", place});
    mtpctl.Do({"tealine", "create", code, "--invoice", "PED/7", "--grade",
               "BOP", "--garden", "Pedro", "--bags", "100000", "--each",
               "50kg"});
  }
  ~Bench() { fs::remove_all(folder); }

  static std::string NewBarcode() { return Uuid::V7(absl::Now()).ToString(); }

  StationProcess Receive(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"receive", "--tealine", code,  "--at",
                                      place,     "--tare",    "400g"};
    words.insert(words.end(), more.begin(), more.end());
    return StationProcess(mtpctl, folder, words);
  }
  int64_t Bags() const {
    return stack.Database(SIDE_PROCESSING)
        .Number("SELECT received_bags FROM item WHERE item_code = $1", {code});
  }
  std::string Spool(const std::string& verb,
                    std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"spool", verb, "--spool",
                                      StationProcess::SpoolOf(folder)};
    words.insert(words.end(), more.begin(), more.end());
    return mtpctl.Try(words).output;
  }

  Stack& stack;
  const Mtpctl mtpctl;
  const std::string folder;
  const std::string code;
  const std::string place;
};

bool Shows(const StationProcess& station, const std::string& text) {
  const bool shown =
      Eventually([&] { return absl::StrContains(station.Output(), text); });
  INFO("no `" << text << "` in:\n" << station.Output());
  CHECK(shown);
  return shown;
}

TEST_CASE("a station reads on, a line of output for each line of input") {
  Bench bench(Stack::Shared());
  auto station = bench.Receive();
  const std::string first = Bench::NewBarcode();
  const std::string second = Bench::NewBarcode();
  station.Write("]C1tealine:" + first + " 50.4kg");
  Shows(station, "ok");
  station.Write(second);
  Shows(station, "and its weight?");
  station.Write("ST,GS,+ 49.9 kg");
  Shows(station, bench.code + " bag 2, 49.5 kg");
  station.Write("rubbish");
  Shows(station, "??");
  // Of a line without an end nothing is taken, nor of what follows in it.
  station.Write(std::string(10'000, 'x') + Bench::NewBarcode() + " 52kg");
  Shows(station, "too long for a line");
  station.Write(first + " 50kg");
  Shows(station, "BARCODE_TAKEN");
  CHECK(station.End() == 2);
  CHECK(bench.Bags() == 2);
  CHECK(absl::StrContains(bench.Spool("list"), "BARCODE_TAKEN"));
  CHECK(absl::StrContains(bench.Spool("drop", {"3", "--reason", "known"}),
                          "dropped 3"));
  CHECK(bench.Spool("list") == "none\n");
}

TEST_CASE("a station goes on through an outage, and nothing is sent twice") {
  Stack& stack = Stack::Shared("station");
  Bench bench(stack);
  auto station = bench.Receive();
  std::vector<std::string> barcodes;
  const auto weigh = [&] {
    barcodes.push_back(Bench::NewBarcode());
    station.Write(barcodes.back() + " 50.4kg");
  };
  weigh();
  Shows(station, barcodes.back() + "  " + bench.code);
  stack.Kill(SIDE_PROCESSING);
  for (int i = 0; i < 5; ++i) {
    weigh();
    Shows(station, "kept");
    Shows(station, barcodes.back());
  }
  // Another station must not take this one's spool.
  const Outcome other = bench.mtpctl.Try(
      {"spool", "send", "--spool", StationProcess::SpoolOf(bench.folder)});
  CHECK(other.exit_code == 1);
  CHECK(absl::StrContains(other.output, "another mtpctl"));
  stack.Start(SIDE_PROCESSING);
  for (const std::string& barcode : barcodes) {
    Shows(station, barcode + "  " + bench.code);
  }
  CHECK(station.End() == 0);
  CHECK(bench.Bags() == 6);
  CHECK(bench.Spool("list") == "none\n");
  // When it was weighed, not when it was told.
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM bag JOIN item USING (item_id) "
                    "WHERE item_code = $1 AND bag.occurred_at < "
                    "bag.received_at",
                    {bench.code}) >= 5);
  CHECK(BrokenInvariants(stack) == "");
}

TEST_CASE("what waits when the input ends is sent later, in order") {
  Stack& stack = Stack::Shared("station");
  Bench bench(stack);
  {
    auto station = bench.Receive();
    const std::string barcode = Bench::NewBarcode();
    station.Write(barcode + " 50kg");
    Shows(station, "ok");
    stack.Kill(SIDE_PROCESSING);
    for (int i = 0; i < 3; ++i) station.Write(Bench::NewBarcode() + " 50kg");
    CHECK(station.End() == 4);
  }
  CHECK(absl::StrContains(bench.Spool("list"), "WAITING"));
  {
    // A station that begins during the outage still knows its lot.
    auto station = bench.Receive();
    station.Write(Bench::NewBarcode() + " 50kg");
    Shows(station, "kept");
    CHECK(station.End() == 4);
  }
  stack.Start(SIDE_PROCESSING);
  const std::string sent = bench.Spool("send");
  INFO(sent);
  CHECK(absl::StrContains(sent, "bag 5,"));
  CHECK(bench.Bags() == 5);
  CHECK(bench.Spool("list") == "none\n");
}

TEST_CASE("scanning moves bags and fills batches, one line each") {
  Bench bench(Stack::Shared());
  const std::string barcode = Bench::NewBarcode();
  {
    auto station = bench.Receive();
    station.Write(barcode + " 50.4kg");
    Shows(station, "ok");
    CHECK(station.End() == 0);
  }
  bench.mtpctl.Do({"location", "create", "Bay " + bench.code});
  {
    StationProcess station(bench.mtpctl, bench.folder,
                           {"scan", "--move-to", "Bay " + bench.code});
    station.Write("tealine:" + barcode);
    Shows(station, "at Bay " + bench.code);
    CHECK(station.End() == 0);
  }
  bench.mtpctl.Do({"blendsheet", "create", "BS-" + bench.code, "--blend",
                   "EB101", "--total", "50kg", "--batches", "1", "--tealine",
                   bench.code + "=1"});
  bench.mtpctl.Do({"batch", "open", "BS-" + bench.code});
  {
    StationProcess station(bench.mtpctl, bench.folder,
                           {"scan", "--batch", "BS-" + bench.code + "/1"});
    station.Write(barcode + " 20kg");
    Shows(station, "30 kg left");
    CHECK(station.End() == 0);
  }
  StationProcess station(bench.mtpctl, bench.folder, {"scan"});
  station.Write(barcode);
  Shows(station, "30 kg remain, IN_PROCESS, CLEARED");
  station.Write(Bench::NewBarcode());
  Shows(station, "BAG_NOT_FOUND");
  CHECK(station.End() == 2);
  // A question that was answered with no is nothing to keep.
  CHECK(bench.Spool("list") == "none\n");
}

TEST_CASE("a station says at its start what is kept from before") {
  Stack& stack = Stack::Shared("station");
  Bench bench(stack);
  const std::string known = Bench::NewBarcode();
  const std::string later = Bench::NewBarcode();
  {
    auto station = bench.Receive();
    Shows(station, "nothing from before");
    station.Write(known + " 50kg");
    Shows(station, "ok");
    station.Write(known + " 50kg");
    Shows(station, "BARCODE_TAKEN");
    stack.Kill(SIDE_PROCESSING);
    station.Write(later + " 50kg");
    Shows(station, "kept");
    station.Kill();
  }
  {
    // Nobody answers: it is said before anything is asked.
    auto station = bench.Receive();
    Shows(station, "from before, BARCODE_TAKEN");
    Shows(station, later + " 50kg  from before, will be sent; 1 waits");
    Shows(station, "from before: 1 waits, 1 was refused");
    station.Kill();
  }
  stack.Start(SIDE_PROCESSING);
  auto station = bench.Receive();
  Shows(station, "sent");
  CHECK(station.End() == 0);
  CHECK(bench.Bags() == 2);
  CHECK(absl::StrContains(bench.Spool("drop", {"--refused", "--reason", "old"}),
                          "dropped 2"));
  CHECK(bench.Spool("list") == "none\n");
}

TEST_CASE("a carriage return ends a line as a line feed does") {
  Bench bench(Stack::Shared());
  auto station = bench.Receive();
  const std::string first = Bench::NewBarcode();
  const std::string second = Bench::NewBarcode();
  station.WriteRaw(first + " 50kg\r" + second + "\r");
  Shows(station, first + "  " + bench.code);
  Shows(station, second + "  and its weight?");
  station.WriteRaw("51kg\r\n" + Bench::NewBarcode() + " 52kg\r");
  Shows(station, "bag 3, 51.6 kg");
  CHECK(station.End() == 0);
  CHECK_FALSE(absl::StrContains(station.Output(), "??"));
}

TEST_CASE("a weight that cannot be leaves the barcode before it waiting") {
  Bench bench(Stack::Shared());
  auto station = bench.Receive();
  station.Write(Bench::NewBarcode());
  for (const char* weight : {"US,GS,+50kg", "ST,GS,+0.00kg", "400g"}) {
    station.Write(weight);
    Shows(station, absl::StrCat(weight, "  "));
  }
  CHECK_FALSE(absl::StrContains(station.Output(), "ok"));
  station.Write("ST,GS,+50.4kg");
  Shows(station, "bag 1, 50 kg");
  CHECK(station.End() == 2);
  CHECK(bench.Bags() == 1);
}

TEST_CASE("whoever may not make a station's call cannot begin one") {
  Stack& stack = Stack::Shared("station");
  Bench bench(stack);
  {
    auto station = bench.Receive({"--as", "TRADER_SUPERVISOR"});
    CHECK(station.End() == 3);
    CHECK(absl::StrContains(station.Output(), "TRADER_SUPERVISOR"));
    CHECK(absl::StrContains(station.Output(), "SEEDUWA_OPERATOR"));
  }
  CHECK(bench.Spool("list") == "none\n");
  stack.Kill(SIDE_PROCESSING);
  {
    StationProcess station(bench.mtpctl, bench.folder,
                           {"--as", "TRADER_SUPERVISOR", "scan"});
    station.Write(Bench::NewBarcode());
    Shows(station, "kept");
    CHECK(station.End() == 4);
  }
  stack.Start(SIDE_PROCESSING);
  auto station = bench.Receive();
  CHECK(station.End() == 1);
  CHECK(absl::StrContains(station.Output(),
                          "trader-supervisor (TRADER_SUPERVISOR)"));
  CHECK(absl::StrContains(station.Output(), "spool drop"));
  CHECK(absl::StrContains(bench.Spool("list"),
                          "trader-supervisor (TRADER_SUPERVISOR)"));
  CHECK(absl::StrContains(bench.Spool("send", {"--as", "SEEDUWA_OPERATOR"}),
                          "trader-supervisor (TRADER_SUPERVISOR)"));
}

}  // namespace
}  // namespace mtp::tests
