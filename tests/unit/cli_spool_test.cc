#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "catch2/catch.hpp"
#include "cli/failures.h"
#include "cli/station/spool.h"
#include "cli/station/spool_sender.h"
#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "common/rpc/status.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Message;
using processing::v1::BatchReceiveBagsRequest;
using processing::v1::BatchReceiveBagsResponse;
using processing::v1::ReceiveBagRequest;
using processing::v1::ReceiveBagResponse;

constexpr char kReceive[] = "mtp.processing.v1.BagService/ReceiveBag";
constexpr char kCaller[] = "somebody@somewhere:1";
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

// A folder that is gone afterwards.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              absl::StrCat("mtp-spool-", Uuid::V7(absl::Now()).ToString())) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string File() const { return (path_ / "spool").string(); }

 private:
  fs::path path_;
};

std::unique_ptr<Spool> Opened(const std::string& path) {
  auto spool = Spool::Open(path);
  INFO(spool.status().ToString());
  REQUIRE(spool.ok());
  return *std::move(spool);
}

// A copy of the spool as it is on the disk now.
std::string Copied(const Folder& folder) {
  const std::string copy = folder.File() + "-copy";
  fs::copy_file(folder.File(), copy, fs::copy_options::overwrite_existing);
  return copy;
}

// A bag of the weight `grams`, by which the tests know it again.
Spool::NewEntry Receipt(int64_t grams) {
  auto request = std::make_shared<ReceiveBagRequest>();
  const std::string id = Uuid::V7(kNow).ToString();
  request->set_request_id(id);
  request->mutable_receipt()->set_gross_grams(grams);
  return {.at = kNow,
          .method = kReceive,
          .request = request,
          .request_id = id,
          .line = absl::StrCat(grams, "g \xFF"),
          .caller = kCaller};
}

int64_t Append(Spool& spool, int64_t grams) {
  const auto number = spool.Append(Receipt(grams));
  REQUIRE(number.ok());
  return *number;
}

int64_t GramsOf(const Spool::Entry& entry) {
  return static_cast<const ReceiveBagRequest&>(*entry.request)
      .receipt()
      .gross_grams();
}

// A service that remembers what it was asked, as the real one does: a repeated
// request_id is answered as at first. `fate` says of each call whether it is
// done and whether its answer arrives.
class FakeService {
 public:
  enum class Fate { kAnswered, kAnswerLost, kNotReached };

  absl::Status Call(Message& message, Message& response) {
    const Fate fate = fates_.empty() ? Fate::kAnswered : fates_.front();
    if (!fates_.empty()) fates_.erase(fates_.begin());
    if (fate == Fate::kNotReached) return absl::UnavailableError("gone");
    const absl::Status status = Do(message, response);
    ++calls_;
    return fate == Fate::kAnswerLost ? absl::UnavailableError("cut") : status;
  }

  void Then(std::vector<Fate> fates) { fates_ = std::move(fates); }
  // Bags of these weights are refused, the second with the whole call.
  void Refuse(int64_t grams) { refused_ = grams; }
  void Poison(int64_t grams) { poison_ = grams; }

  // Weights in the order in which they came.
  const std::vector<int64_t>& bags() const { return bags_; }
  int calls() const { return calls_; }

 private:
  absl::Status Do(Message& message, Message& response) {
    if (auto* one = dynamic_cast<ReceiveBagRequest*>(&message)) {
      if (known_.contains(one->request_id())) return absl::OkStatus();
      const absl::Status status = Take(one->receipt().gross_grams());
      if (status.ok()) known_[one->request_id()] = "";
      return status;
    }
    auto& batch = static_cast<BatchReceiveBagsRequest&>(message);
    if (!known_.contains(batch.request_id())) {
      for (const auto& receipt : batch.receipts()) {
        if (receipt.gross_grams() == poison_) {
          return absl::InvalidArgumentError("poison");
        }
      }
      BatchReceiveBagsResponse results;
      for (const auto& receipt : batch.receipts()) {
        auto& result = *results.add_results();
        const absl::Status status = Take(receipt.gross_grams());
        if (status.ok()) {
          result.mutable_bag()->set_net_grams(receipt.gross_grams());
        } else {
          result.mutable_error()->set_code(static_cast<int>(status.code()));
          result.mutable_error()->set_message(std::string(status.message()));
        }
      }
      known_[batch.request_id()] = results.SerializeAsString();
      contents_[batch.request_id()] = batch.SerializeAsString();
    }
    CHECK(contents_[batch.request_id()] == batch.SerializeAsString());
    response.ParseFromString(known_[batch.request_id()]);
    return absl::OkStatus();
  }
  absl::Status Take(int64_t grams) {
    if (grams == refused_) return absl::FailedPreconditionError("too many");
    if (grams == poison_) return absl::InvalidArgumentError("poison");
    bags_.push_back(grams);
    return absl::OkStatus();
  }

  std::vector<Fate> fates_;
  int64_t refused_ = -1, poison_ = -1;
  std::map<std::string, std::string> known_, contents_;
  std::vector<int64_t> bags_;
  int calls_ = 0;
};

// What one run of a sender told.
struct Told {
  std::vector<int64_t> done;
  std::vector<int64_t> refused;
  SpoolSender::Result last;
};

// Sends until nothing more comes of it.
Told SendAll(Spool& spool, FakeService& service, absl::Time now = kNow,
             const std::string& caller = kCaller) {
  Told told;
  SpoolSender sender(
      spool,
      {.call =
           [&](Message& request, Message& response) {
             return service.Call(request, response);
           },
       .answered =
           [&](const Spool::Entry& entry, const absl::Status& status,
               const Message*) {
             (status.ok() ? told.done : told.refused).push_back(GramsOf(entry));
           },
       .caller = [&](const MethodDescriptor&) { return caller; },
       .clock = [&] { return now; }});
  for (;;) {
    const auto result = sender.SendNext();
    REQUIRE(result.ok());
    told.last = *result;
    if (result->step != SpoolSender::Step::kAnswered) return told;
  }
}

using Fate = FakeService::Fate;

TEST_CASE("what was kept is there when the file is opened again") {
  const Folder folder;
  {
    const auto spool = Opened(folder.File());
    CHECK(Append(*spool, 1) == 1);
    CHECK(Append(*spool, 2) == 2);
    CHECK(Append(*spool, 3) == 3);
    REQUIRE(spool->Refused(1, "no").ok());
    REQUIRE(spool->Done(2).ok());
    REQUIRE(spool->KeepName("tealine A", "id").ok());
  }
  const auto spool = Opened(folder.File());
  REQUIRE(spool->entries().size() == 2);
  CHECK(spool->entries().at(1).state == Spool::State::kRefused);
  CHECK(spool->entries().at(1).why == "no");
  CHECK(spool->FirstWaiting()->number == 3);
  CHECK(GramsOf(spool->entries().at(3)) == 3);
  CHECK(spool->entries().at(3).at == kNow);
  CHECK(spool->IdOf("tealine A") == "id");
  CHECK(Append(*spool, 4) == 4);
}

TEST_CASE("two programs never use one spool at a time") {
  const Folder folder;
  auto first = Opened(folder.File());
  const auto second = Spool::Open(folder.File());
  CHECK_FALSE(second.ok());
  CHECK(std::string(second.status().message()).find("another mtpctl") !=
        std::string::npos);
  // A look disturbs nobody.
  CHECK(Spool::Look(folder.File()).ok());
  first.reset();
  CHECK(Spool::Open(folder.File()).ok());
}

TEST_CASE("a file that was cut off anywhere has all that was whole in it") {
  const Folder folder;
  {
    const auto spool = Opened(folder.File());
    for (int64_t i = 1; i <= 4; ++i) Append(*spool, i);
    REQUIRE(spool->SendTogether({2, 3, 4}, kNow).ok());
    REQUIRE(spool->Refused(1, "no").ok());
  }
  std::ifstream in(folder.File(), std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  size_t entries = 0;
  for (size_t length = 0; length <= whole.size(); ++length) {
    const std::string path = folder.File() + "-cut";
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        << whole.substr(0, length);
    const auto spool = Opened(path);
    REQUIRE(spool->entries().size() >= entries);
    entries = spool->entries().size();
    // It goes on where it was cut.
    const int64_t next = Append(*spool, 99);
    CHECK(next == static_cast<int64_t>(entries) + 1);
    CHECK(GramsOf(spool->entries().at(next)) == 99);
  }
  CHECK(entries == 4);
}

TEST_CASE("damage before whole records is told and nothing is written") {
  const Folder folder;
  {
    const auto spool = Opened(folder.File());
    Append(*spool, 1);
    Append(*spool, 2);
  }
  std::ifstream in(folder.File(), std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  text[text.find("entry") + 2] ^= 1;
  std::ofstream(folder.File(), std::ios::binary | std::ios::trunc) << text;
  const auto spool = Spool::Open(folder.File());
  CHECK(spool.status().code() == absl::StatusCode::kDataLoss);
  CHECK(fs::file_size(folder.File()) == text.size());
}

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Fill(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

TEST_CASE("a last record that is whole and damaged is told, too") {
  const Folder folder;
  {
    const auto spool = Opened(folder.File());
    Append(*spool, 1);
    Append(*spool, 2);
  }
  std::string text = Content(folder.File());
  text[text.rfind("entry") + 2] ^= 1;
  Fill(folder.File(), text);
  CHECK(Spool::Open(folder.File()).status().code() ==
        absl::StatusCode::kDataLoss);
  CHECK(Content(folder.File()) == text);
  // Without its line feed it was cut off, and nobody was told of it.
  text.pop_back();
  Fill(folder.File(), text);
  CHECK(Opened(folder.File())->entries().size() == 1);
}

TEST_CASE("a file that is no spool is left as it is") {
  const Folder folder;
  std::string first;
  {
    const Folder other;
    Opened(other.File());
    first = Content(other.File());
  }
  for (const std::string& text :
       {std::string("my letters"), std::string("my letters\n"),
        std::string("one\ntwo\n"), "x" + first.substr(1, 20),
        first.substr(0, 20) + "\n", std::string("\n")}) {
    INFO(text);
    Fill(folder.File(), text);
    const auto spool = Spool::Open(folder.File());
    REQUIRE_FALSE(spool.ok());
    CHECK(ExitCodeOf(spool.status()) == kUsage);
    CHECK(std::string(spool.status().message()).find("is no spool") !=
          std::string::npos);
    CHECK_FALSE(Spool::Look(folder.File()).ok());
    CHECK(Content(folder.File()) == text);
    CHECK_FALSE(fs::exists(folder.File() + ".lock"));
  }
  // What a power cut leaves of one that was being made.
  for (const std::string& text : {std::string(), first.substr(0, 20)}) {
    Fill(folder.File(), text);
    CHECK(Opened(folder.File())->entries().empty());
    CHECK(Content(folder.File()) == first);
  }
}

TEST_CASE("a folder is no spool") {
  const Folder folder;
  fs::create_directory(folder.File());
  for (const auto& status : {Spool::Open(folder.File()).status(),
                             Spool::Look(folder.File()).status()}) {
    CHECK(ExitCodeOf(status) == kUsage);
    CHECK(std::string(status.message()).find("is no file") !=
          std::string::npos);
  }
}

TEST_CASE("an outage keeps the order, and one batch takes what waited") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  FakeService service;
  service.Then({Fate::kNotReached});
  Append(*spool, 1);
  CHECK(SendAll(*spool, service).last.step == SpoolSender::Step::kNoAnswer);
  for (int64_t i = 2; i <= 6; ++i) Append(*spool, i);
  const Told told = SendAll(*spool, service);
  CHECK(service.bags() == std::vector<int64_t>{1, 2, 3, 4, 5, 6});
  CHECK(told.done == std::vector<int64_t>{1, 2, 3, 4, 5, 6});
  CHECK(service.calls() == 2);
  CHECK(spool->entries().empty());
}

TEST_CASE("an answer that was lost is asked for again, and nothing twice") {
  const Folder folder;
  FakeService service;
  {
    const auto spool = Opened(folder.File());
    for (int64_t i = 1; i <= 3; ++i) Append(*spool, i);
    service.Then({Fate::kAnswerLost});
    SendAll(*spool, service);
  }
  // What came meanwhile does not join the batch that is on its way.
  {
    const auto spool = Opened(folder.File());
    service.Then({Fate::kAnswered, Fate::kAnswerLost});
    SendAll(*spool, service);
    Append(*spool, 4);
  }
  const auto spool = Opened(folder.File());
  const Told told = SendAll(*spool, service);
  CHECK(service.bags() == std::vector<int64_t>{1, 2, 3, 4});
  CHECK(told.done == std::vector<int64_t>{2, 3, 4});
}

TEST_CASE("a refused entry stays with its reason and can be asked for again") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  FakeService service;
  service.Refuse(3);
  for (int64_t i = 1; i <= 4; ++i) Append(*spool, i);
  Told told = SendAll(*spool, service);
  CHECK(told.refused == std::vector<int64_t>{3});
  CHECK(service.bags() == std::vector<int64_t>{1, 2, 4});
  REQUIRE(spool->entries().size() == 1);
  CHECK(spool->entries().at(3).why.find("too many") != std::string::npos);
  service.Refuse(-1);
  REQUIRE(spool->Again(3, kNow).ok());
  told = SendAll(*spool, service);
  CHECK(told.done == std::vector<int64_t>{3});
  CHECK(service.bags() == std::vector<int64_t>{1, 2, 4, 3});
}

TEST_CASE("what is done is told before it is written down as done") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  FakeService service;
  const auto begin = [&](const char* what) {
    bool kept = false;
    SpoolSender sender(
        *spool,
        {.call =
             [&](Message& request, Message& response) {
               return service.Call(request, response);
             },
         .answered =
             [&](const Spool::Entry& entry, const absl::Status&,
                 const Message*) {
               // As the next station would find it after a kill here.
               kept = Opened(Copied(folder))->entries().contains(entry.number);
             },
         .caller = [](const MethodDescriptor&) -> std::string {
           return kCaller;
         },
         .clock = [] { return kNow; }});
    REQUIRE(sender.SendNext().ok());
    INFO(what);
    CHECK(kept);
  };
  Append(*spool, 1);
  begin("alone");
  service.Then({Fate::kNotReached});
  Append(*spool, 2);
  SendAll(*spool, service);
  Append(*spool, 3);
  Append(*spool, 4);
  begin("the one that was tried");
  begin("a batch");
  CHECK(spool->entries().empty());
}

TEST_CASE("a spool knows up to where people heard of its entries") {
  const Folder folder;
  FakeService service;
  service.Refuse(1);
  {
    const auto spool = Opened(folder.File());
    CHECK(spool->told() == 0);
    Append(*spool, 1);
    SendAll(*spool, service);
    CHECK(spool->told() == 1);
    for (int64_t i = 2; i <= 5; ++i) Append(*spool, i);
    REQUIRE(spool->Told(4).ok());
    REQUIRE(spool->Told(2).ok());
  }
  CHECK(Opened(folder.File())->told() == 4);
}

TEST_CASE("one entry that spoils a whole batch is refused alone") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  FakeService service;
  service.Poison(3);
  for (int64_t i = 1; i <= 5; ++i) Append(*spool, i);
  const Told told = SendAll(*spool, service);
  CHECK(told.refused == std::vector<int64_t>{3});
  CHECK(service.bags() == std::vector<int64_t>{1, 2, 4, 5});
}

TEST_CASE("another caller's attempt is never repeated") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  FakeService service;
  Append(*spool, 1);
  const Told told = SendAll(*spool, service, kNow, "another@somewhere:1");
  CHECK(told.last.step == SpoolSender::Step::kNotAllowed);
  CHECK(service.calls() == 0);
  CHECK(spool->CountOf(Spool::State::kWaiting) == 1);
}

TEST_CASE("what the service may have forgotten is not asked for by itself") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  FakeService service;
  service.Then({Fate::kAnswerLost});
  Append(*spool, 1);
  SendAll(*spool, service);
  Append(*spool, 2);
  const Told told = SendAll(*spool, service, kNow + absl::Hours(8 * 24));
  CHECK(told.refused == std::vector<int64_t>{1});
  // One that was never tried may be as old as it likes.
  CHECK(told.done == std::vector<int64_t>{2});
  CHECK(service.bags() == std::vector<int64_t>{1, 2});
}

TEST_CASE("an entry of a batch on its way cannot be dropped") {
  const Folder folder;
  const auto spool = Opened(folder.File());
  for (int64_t i = 1; i <= 3; ++i) Append(*spool, i);
  REQUIRE(spool->SendTogether({2, 3}, kNow).ok());
  CHECK_FALSE(spool->Drop(2, "why").ok());
  CHECK(spool->Drop(1, "why").ok());
  CHECK(spool->entries().size() == 2);
}

// Whatever the order of arrivals, lost answers, kills and cuts of the file:
// every bag that was promised is in the book once, and in order.
TEST_CASE("no order of outages and kills loses or doubles a bag") {
  const int seed = GENERATE(range(0, 60));
  uint32_t state = 12'345U + static_cast<uint32_t>(seed) * 7'919U;
  const auto random = [&state](uint32_t below) {
    state = state * 1'664'525U + 1'013'904'223U;
    return (state >> 16) % below;
  };
  const Folder folder;
  FakeService service;
  service.Poison(1'000 + random(20));
  service.Refuse(1'000 + random(20));
  auto spool = Opened(folder.File());
  int64_t next = 1'000;
  for (int step = 0; step < 60; ++step) {
    switch (random(4)) {
      case 0:
      case 1:
        Append(*spool, next++);
        break;
      case 2: {
        std::vector<Fate> fates;
        for (uint32_t i = random(4); i > 0; --i) {
          fates.push_back(static_cast<Fate>(random(3)));
        }
        service.Then(fates);
        SendAll(*spool, service);
        break;
      }
      default:
        // A kill, perhaps with a record half written.
        spool.reset();
        if (random(2) == 0) {
          std::ofstream(folder.File(), std::ios::binary | std::ios::app)
              << "0123abcd {\"entry\":";
        }
        spool = Opened(folder.File());
    }
  }
  service.Then({});
  SendAll(*spool, service);
  const std::set<int64_t> once(service.bags().begin(), service.bags().end());
  CHECK(once.size() == service.bags().size());
  CHECK(std::is_sorted(service.bags().begin(), service.bags().end()));
  CHECK(static_cast<int64_t>(once.size()) +
            spool->CountOf(Spool::State::kRefused) ==
        next - 1'000);
  CHECK(spool->CountOf(Spool::State::kWaiting) == 0);
}

TEST_CASE("a spool stays small while something in it waits") {
  Folder folder;
  auto spool = Opened(folder.File());
  const int64_t refused = Append(*spool, 1);
  REQUIRE(spool->Refused(refused, "no such tealine").ok());
  const int64_t first = Append(*spool, 2);
  const std::vector<int64_t> together = {Append(*spool, 3), Append(*spool, 4)};
  const auto batch = spool->SendTogether(together, kNow);
  REQUIRE(batch.ok());
  REQUIRE(spool->Told(refused).ok());
  REQUIRE(spool->KeepName("tealine TL-1", "id").ok());
  int64_t last = 0;
  for (int i = 0; i < 6'000; ++i) {
    last = Append(*spool, 100 + i);
    REQUIRE(spool->Done(last).ok());
  }
  const auto size = fs::file_size(folder.File());
  CHECK(size < 1'100'000);
  CHECK_FALSE(fs::exists(folder.File() + ".new"));

  const std::string copy = Copied(folder);
  spool = Opened(copy);
  REQUIRE(spool->entries().size() == 4);
  CHECK(spool->entries().at(refused).state == Spool::State::kRefused);
  CHECK(spool->entries().at(refused).why == "no such tealine");
  CHECK(spool->FirstWaiting()->number == first);
  CHECK(spool->FirstWaiting()->alone);
  CHECK(GramsOf(*spool->FirstWaiting()) == 2);
  REQUIRE(spool->OfBatch(*batch).size() == 2);
  CHECK(spool->OfBatch(*batch)[1]->tried_at == kNow);
  CHECK(spool->told() == refused);
  CHECK(spool->IdOf("tealine TL-1") == "id");
  CHECK(Append(*spool, 9) == last + 1);
}

}  // namespace
}  // namespace mtp::cli
