#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

constexpr char kImport[] = "mtp.processing.v1.BagService/ImportOpeningStock";

// A plant with a tealine, a batch and places, and the file of bags that lay
// there before.
class FirstDay {
 public:
  explicit FirstDay(Stack& stack) : story(stack) {
    // The tealine is there, and the batch was opened.
    story.DoSteps(1, 4);
    file.set_file_name("stock.csv");
    file.set_file_digest(FileDigest(story.blend_code));
  }

  OpeningStockRow& AddTea() {
    OpeningStockRow& row = *file.add_rows();
    row.set_line_number(file.rows_size() + 1);
    row.set_kind("blendsheet");
    row.set_code("BS-" + story.blend_code);
    row.set_batch_number("1");
    row.set_barcode("blendsheet:" + NewRequestId());
    row.set_location(story.location);
    row.set_gross("1,025.500");
    row.set_tare("0.5");
    row.set_received("08/11/2025");
    return row;
  }

  absl::StatusOr<ImportOpeningStockResponse> Import() const {
    return story.stack().Call<ImportOpeningStockResponse>(ROLE_SEEDUWA_ADMIN,
                                                          kImport, file);
  }
  // As the file has it, without the kind.
  std::string Barcode(int row) const {
    return file.rows(row).barcode().substr(sizeof "blendsheet");
  }
  Sql database() const { return story.stack().Database(SIDE_PROCESSING); }

  Story story;
  ImportOpeningStockRequest file;
};

TEST_CASE("opening stock lies in the book as if it had been weighed in") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  const int64_t in_before = day.database().Number(
      "SELECT in_grams FROM batch WHERE batch_id = $1", {day.story.batch_id});
  day.AddTea().set_bag_number("500");
  day.AddTea();
  const auto imported = day.Import();
  REQUIRE(imported.ok());
  INFO(imported->DebugString());
  CHECK(imported->stored());
  CHECK(imported->row_count() == 2);
  CHECK(imported->net_grams() == 2 * 1'025'000);

  ScanBagRequest scan;
  scan.set_barcode(day.file.rows(0).barcode());
  const auto scanned = stack.Call<ScanBagResponse>(
      ROLE_SEEDUWA_OPERATOR, "mtp.processing.v1.BagService/ScanBag", scan);
  REQUIRE(scanned.ok());
  const Bag& bag = scanned->scan().bag();
  CHECK(bag.barcode() == day.Barcode(0));
  CHECK(bag.opening_stock());
  CHECK(bag.bag_number() == 500);
  CHECK(bag.remaining_grams() == 1'025'000);
  CHECK(bag.location() == day.story.location);
  // Midnight in Colombo.
  CHECK(bag.occurred_at().seconds() == 1'762'540'200);

  CHECK(day.database().Number("SELECT in_grams FROM batch WHERE batch_id = $1",
                              {day.story.batch_id}) ==
        in_before + 2 * 1'025'000);
  CHECK(day.database().Number(
            "SELECT count(*) FROM audit.entry WHERE action = 'received' AND "
            "entity_key = ANY (ARRAY[$1, $2])",
            {day.Barcode(0), day.Barcode(1)}) == 2);

  // The next bag is numbered behind them, and used like any other.
  ReceiveBagRequest receive;
  receive.mutable_receipt()->set_batch_id(day.story.batch_id);
  receive.mutable_receipt()->set_location(day.story.location);
  receive.mutable_receipt()->set_gross_grams(1'000);
  const auto received = stack.Call<ReceiveBagResponse>(
      ROLE_SEEDUWA_OPERATOR, "mtp.processing.v1.BagService/ReceiveBag",
      receive);
  REQUIRE(received.ok());
  CHECK(received->bag().bag_number() == 502);
  RequireAgreement(stack);
}

TEST_CASE("of a stock file with a bad row nothing is stored but its faults") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  for (int i = 0; i < 1'000; ++i) day.AddTea();
  OpeningStockRow& bad = *day.file.mutable_rows(499);
  bad.set_barcode(day.story.tea_bags[0]);
  bad.set_location("Nowhere");
  bad.set_bag_number("1");
  bad.set_gross("lots");
  const auto count = [&](const char* table) {
    return day.database().Number(absl::StrCat("SELECT count(*) FROM ", table));
  };
  const int64_t bags = count("bag");
  const int64_t moves = count("bag_move");
  const auto refused = day.Import();
  REQUIRE(refused.ok());
  CHECK_FALSE(refused->stored());
  CHECK(refused->import_id().empty());
  CHECK(refused->bad_row_count() == 1);
  CHECK(refused->net_grams() == 999 * 1'025'000);
  std::vector<std::string> faults;
  for (const BadRow& row : refused->bad_rows()) {
    CHECK(row.line_number() == 501);
    faults.push_back(
        absl::StrCat(row.column(), " ", BadRowReason_Name(row.reason())));
  }
  CHECK(faults ==
        std::vector<std::string>{"barcode BAD_ROW_REASON_ALREADY_EXISTS",
                                 "location BAD_ROW_REASON_NOT_FOUND",
                                 "gross BAD_ROW_REASON_NOT_A_NUMBER",
                                 "bag_number BAD_ROW_REASON_ALREADY_EXISTS"});
  CHECK(count("bag") == bags);
  CHECK(count("bag_move") == moves);
  CHECK(day.database().Number(
            "SELECT count(*) FROM stock_import_fault JOIN stock_import "
            "USING (import_id) WHERE file_digest = decode($1, 'hex')",
            {day.file.file_digest()}) == 4);

  // The file may come again when what it names is there.
  day.file.mutable_rows()->DeleteSubrange(499, 1);
  const auto stored = day.Import();
  REQUIRE(stored.ok());
  CHECK(stored->stored());
  CHECK(count("bag") == bags + 999);
  RequireAgreement(stack);
}

TEST_CASE("validating a stock file leaves nothing behind") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  day.AddTea();
  day.file.set_validate_only(true);
  // Whatever the call itself leaves: the key that makes its repeat harmless.
  const auto kept = [&] {
    return ToText(day.database().Query(
        "SELECT (SELECT count(*) FROM stock_import), "
        "(SELECT count(*) FROM stock_import_fault), "
        "(SELECT count(*) FROM bag), (SELECT count(*) FROM bag_move), "
        "(SELECT sum(in_grams) FROM batch), "
        "(SELECT count(*) FROM audit.entry)"));
  };
  const std::string before = kept();
  for (const bool good : {true, false}) {
    day.file.mutable_rows(0)->set_gross(good ? "25" : "lots");
    const auto checked = day.Import();
    REQUIRE(checked.ok());
    CHECK_FALSE(checked->stored());
    CHECK(checked->bad_row_count() == (good ? 0 : 1));
  }
  CHECK(kept() == before);
}

TEST_CASE("a stock file sent by many at once is stored once") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  for (int i = 0; i < 20; ++i) day.AddTea();
  constexpr int kClients = 8;
  std::vector<absl::StatusOr<ImportOpeningStockResponse>> replies(
      kClients, absl::UnknownError("not asked"));
  AtOnce(kClients,
         [&](int i) { replies[static_cast<size_t>(i)] = day.Import(); });
  int stored = 0;
  for (const auto& reply : replies) {
    INFO(reply.status().ToString());
    REQUIRE(reply.ok());
    CHECK(reply->stored());
    CHECK(reply->import_id() == replies[0]->import_id());
    stored += !reply->already_imported();
  }
  CHECK(stored == 1);
  CHECK(day.database().Number("SELECT count(*) FROM stock_import WHERE "
                              "file_digest = decode($1, 'hex')",
                              {day.file.file_digest()}) == 1);
  RequireAgreement(stack);
}

TEST_CASE("two files that bring the same bag store it once") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  FirstDay other(stack);
  day.AddTea();
  other.AddTea().set_barcode(day.file.rows(0).barcode());
  std::vector<absl::StatusOr<ImportOpeningStockResponse>> replies(
      2, absl::UnknownError("not asked"));
  AtOnce(2, [&](int i) {
    replies[static_cast<size_t>(i)] = (i == 0 ? day : other).Import();
  });
  REQUIRE(replies[0].ok());
  REQUIRE(replies[1].ok());
  CHECK(replies[0]->stored() != replies[1]->stored());
  CHECK(replies[0]->fault_count() + replies[1]->fault_count() == 1);
  RequireAgreement(stack);
}

TEST_CASE("a stock file without rows, name or digest is refused by field") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  ImportOpeningStockRequest empty;
  const absl::Status status =
      stack.As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING).Send(kImport, empty).status;
  CHECK(errors::Reason(status) == "INVALID_FIELDS");
  CHECK(BadFields(status) ==
        std::vector<std::string>{"file_digest", "file_name", "rows"});
  day.AddTea();
  day.file.set_file_digest(std::string(64, 'x'));
  CHECK(BadFields(day.Import().status()) ==
        std::vector<std::string>{"file_digest"});
}

TEST_CASE("a stock file may come in many messages") {
  Stack& stack = Stack::Shared();
  FirstDay day(stack);
  for (int i = 0; i < 3; ++i) day.AddTea();
  std::vector<std::string> messages;
  for (const OpeningStockRow& row : day.file.rows()) {
    ImportOpeningStockRequest piece;
    if (messages.empty()) {
      piece = day.file;
      piece.clear_rows();
    }
    *piece.add_rows() = row;
    messages.push_back(piece.SerializeAsString());
  }
  const Reply reply =
      stack.As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING).Send(kImport, messages);
  ImportOpeningStockResponse response;
  REQUIRE(reply.status.ok());
  REQUIRE(response.ParseFromString(reply.bytes()));
  CHECK(response.stored());
  CHECK(response.row_count() == 3);
}

}  // namespace
}  // namespace mtp::tests
