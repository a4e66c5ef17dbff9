#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/large_files.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_GRANDPASS_ADMIN;
using options::v1::ROLE_GRANDPASS_OFFICER;

constexpr char kImport[] = "mtp.order.v1.RequestService/ImportOpenRequests";

// A plan, and a file of what an old system still has to get of it.
class Ledger {
 public:
  explicit Ledger(Stack& stack) : story(stack) {
    story.DoSteps(1, 1);
    file.set_file_name("open.csv");
    file.set_file_digest(FileDigest(story.blend_code));
  }

  OpenRequestRow& Add(const std::string& kilograms = "100") {
    OpenRequestRow& row = *file.add_rows();
    row.set_line_number(file.rows_size() + 1);
    row.set_reference(absl::StrCat(story.blend_code, "-", file.rows_size()));
    row.set_order_code(story.order_code);
    row.set_quantity(kilograms);
    row.set_requested_on("05/11/2025");
    row.set_comments("from the ledger");
    return row;
  }
  absl::StatusOr<ImportOpenRequestsResponse> Import() const {
    return story.stack().Call<ImportOpenRequestsResponse>(ROLE_GRANDPASS_ADMIN,
                                                          kImport, file);
  }
  std::vector<OrderRequest> Requests(const std::string& reference = "") const {
    ListRequestsRequest list;
    list.set_order_code(story.order_code);
    list.set_reference(reference);
    list.set_order_by(LIST_REQUESTS_ORDER_REQUEST_CODE);
    list.set_with_events(true);
    const auto response = story.stack().Call<ListRequestsResponse>(
        ROLE_GRANDPASS_OFFICER, "mtp.order.v1.RequestService/ListRequests",
        list);
    REQUIRE(response.ok());
    return {response->requests().begin(), response->requests().end()};
  }
  int64_t AllowedGrams() const {
    GetPlanRequest get;
    get.set_order_code(story.order_code);
    const auto response = story.stack().Call<GetPlanResponse>(
        ROLE_GRANDPASS_OFFICER, "mtp.order.v1.PlanService/GetPlan", get);
    REQUIRE(response.ok());
    return response->plan().allowed_grams();
  }
  Sql database() const { return story.stack().Database(SIDE_ORDER); }

  Story story;
  ImportOpenRequestsRequest file;
};

TEST_CASE("open orders are taken over as requests that Seeduwa learns of") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  ledger.Add("1,240.5");
  ledger.Add("10,000").set_special("yes");
  const auto imported = ledger.Import();
  REQUIRE(imported.ok());
  INFO(imported->DebugString());
  CHECK(imported->stored());
  CHECK(imported->created_request_count() == 2);

  const std::vector<OrderRequest> requests = ledger.Requests();
  REQUIRE(requests.size() == 2);
  const OrderRequest& ordinary = requests[0];
  CHECK(ordinary.reference() == ledger.story.blend_code + "-1");
  const std::vector<OrderRequest> found =
      ledger.Requests(requests[1].reference());
  REQUIRE(found.size() == 1);
  CHECK(found[0].request_code() == requests[1].request_code());
  CHECK(ordinary.requirement_grams() == 1'240'500);
  CHECK(ordinary.product_name() == "Jasmine Green 100TB x 6");
  CHECK(ordinary.item_code() == ledger.story.blend_code);
  CHECK(ordinary.planned());
  CHECK_FALSE(ordinary.special());
  CHECK(ordinary.created_by().role() == ROLE_GRANDPASS_ADMIN);
  // Midnight in Colombo.
  CHECK(ordinary.occurred_at().seconds() == 1'762'281'000);
  REQUIRE(ordinary.shipments_size() == 1);
  CHECK(ordinary.shipments(0).status() ==
        common::v1::SHIPMENT_STATUS_ORDER_REQUESTED);
  CHECK(ordinary.shipments(0).quantity_grams() == 1'240'500);
  REQUIRE(ordinary.events_size() == 1);
  CHECK(ordinary.events(0).cause() == SHIPMENT_EVENT_CAUSE_IMPORTED);
  CHECK(ordinary.events(0).remarks() == "from the ledger");
  CHECK(requests[1].special());
  CHECK(requests[1].shipments(0).status() ==
        common::v1::SHIPMENT_STATUS_ORDER_REQUESTED);
  CHECK(requests[1].shipments(0).approval().allowed());
  CHECK(ledger.AllowedGrams() == 4'240'000 - 1'240'500);

  ops::v1::WaitForSyncRequest wait;
  wait.set_sync_token(imported->sync_token());
  wait.mutable_max_wait()->set_seconds(20);
  const auto synced = stack.As(ROLE_GRANDPASS_ADMIN, SIDE_ORDER)
                          .Call<ops::v1::WaitForSyncResponse>(
                              "mtp.ops.v1.OperationsService/WaitForSync", wait);
  REQUIRE(synced.ok());
  CHECK(synced->synced());
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM shipment WHERE order_code = $1",
                    {ledger.story.order_code}) == 2);
  // The rows are kept as they came, and every request names its import.
  CHECK(ledger.database().Text(
            "SELECT quantity FROM order_request_raw WHERE reference = $1",
            {ordinary.reference()}) == "1,240.5");
  CHECK(ledger.database().Number(
            "SELECT count(*) FROM audit.entry WHERE entity_kind = 'request' "
            "AND action = 'taken over' AND entity_key IN ($1, $2) AND change "
            "->> 'import_id' = (SELECT import_id::text FROM order_request_raw "
            "WHERE reference = $3)",
            {absl::StrCat(ordinary.request_code()),
             absl::StrCat(requests[1].request_code()), ordinary.reference()}) ==
        2);

  // What was taken over is a shipment like any other.
  CancelShipmentRequest cancel;
  *cancel.mutable_key() = ordinary.shipments(0).key();
  cancel.set_order_remarks("not needed");
  CHECK(stack
            .Call<CancelShipmentResponse>(
                ROLE_GRANDPASS_OFFICER,
                "mtp.order.v1.ShipmentService/CancelShipment", cancel)
            .ok());
  CHECK(ledger.AllowedGrams() == 4'240'000);
  RequireAgreement(stack);
}

TEST_CASE(
    "open orders beyond the plan are taken over, and leave nothing allowed") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  ledger.Add("4,000");
  ledger.Add("4,000");
  const auto imported = ledger.Import();
  REQUIRE(imported.ok());
  CHECK(imported->stored());
  CHECK(ledger.AllowedGrams() == 0);
  CreateRequestRequest more;
  more.mutable_request()->set_order_code(ledger.story.order_code);
  more.mutable_request()->set_requirement_grams(1);
  CHECK(
      errors::Reason(stack
                         .Call<CreateRequestResponse>(
                             ROLE_GRANDPASS_OFFICER,
                             "mtp.order.v1.RequestService/CreateRequest", more)
                         .status()) == "NEEDS_APPROVAL");
  RequireAgreement(stack);
}

TEST_CASE("the same open orders again change nothing, other content is told") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  ledger.Add();
  ledger.Add().clear_requested_on();
  REQUIRE(ledger.Import()->stored());
  const auto kept = [&] {
    return ToText(ledger.database().Query(
        "SELECT (SELECT count(*) FROM request_import), "
        "(SELECT count(*) FROM order_request_raw), "
        "(SELECT count(*) FROM order_request), "
        "(SELECT count(*) FROM shipment_event), "
        "(SELECT sum(requested_grams) FROM order_plan), "
        "(SELECT last_value FROM request_code_seq), "
        "(SELECT count(*) FROM audit.entry)"));
  };
  const std::string before = kept();
  const auto again = ledger.Import();
  REQUIRE(again.ok());
  CHECK(again->stored());
  CHECK(again->unchanged_request_count() == 2);
  CHECK(again->created_request_count() == 0);
  CHECK(kept() == before);

  // With one more row, only that is new.
  ledger.Add();
  const auto more = ledger.Import();
  REQUIRE(more.ok());
  CHECK(more->created_request_count() == 1);
  CHECK(more->unchanged_request_count() == 2);
  CHECK(ledger.Requests().size() == 3);

  ledger.file.mutable_rows(1)->set_quantity("101");
  ledger.Add();
  const auto changed = ledger.Import();
  REQUIRE(changed.ok());
  CHECK_FALSE(changed->stored());
  REQUIRE(changed->bad_rows_size() == 1);
  CHECK(changed->bad_rows(0).line_number() == 3);
  CHECK(changed->bad_rows(0).column() == "quantity");
  CHECK(changed->bad_rows(0).reason() == BAD_ROW_REASON_ALREADY_EXISTS);
  CHECK(changed->bad_rows(0).message() == "taken over before with 100 kg");
  CHECK(ledger.Requests().size() == 3);
  CHECK(ledger.database().Number(
            "SELECT count(*) FROM request_import_fault JOIN request_import "
            "USING (import_id) WHERE file_digest = decode($1, 'hex') AND NOT "
            "stored",
            {ledger.file.file_digest()}) == 1);
}

TEST_CASE("open orders that are only validated leave nothing behind") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  ledger.Add();
  ledger.file.set_validate_only(true);
  const auto checked = ledger.Import();
  REQUIRE(checked.ok());
  CHECK_FALSE(checked->stored());
  CHECK(checked->created_request_count() == 1);
  CHECK(ledger.Requests().empty());
  CHECK(ledger.AllowedGrams() == 4'240'000);
}

TEST_CASE("a row too many is told as such, not as a field") {
  Ledger ledger(Stack::Shared());
  for (int i = 0; i <= 100'000; ++i) {
    ledger.file.add_rows()->set_line_number(i + 2);
  }
  CHECK(errors::Reason(ledger.Import().status()) == "IMPORT_TOO_LARGE");
}

TEST_CASE("64 clients that take over the same open orders make them once") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  for (int i = 0; i < 20; ++i) ledger.Add();
  constexpr int kClients = 64;
  std::vector<absl::StatusOr<ImportOpenRequestsResponse>> replies(
      kClients, absl::UnknownError("not asked"));
  AtOnce(kClients,
         [&](int i) { replies[static_cast<size_t>(i)] = ledger.Import(); });
  int64_t created = 0;
  for (const auto& reply : replies) {
    INFO(reply.status().ToString());
    REQUIRE(reply.ok());
    CHECK(reply->stored());
    CHECK(reply->created_request_count() + reply->unchanged_request_count() ==
          20);
    created += reply->created_request_count();
  }
  CHECK(created == 20);
  CHECK(ledger.Requests().size() == 20);
  CHECK(ledger.AllowedGrams() == 4'240'000 - 20 * 100'000);
  RequireAgreement(stack);
}

TEST_CASE("a stream of open orders that was cut brings nothing") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  ledger.Add();
  ImportOpenRequestsRequest cut = ledger.file;
  cut.clear_file_digest();
  const absl::Status status =
      stack.As(ROLE_GRANDPASS_ADMIN, SIDE_ORDER).Send(kImport, cut).status;
  CHECK(BadFields(status) == std::vector<std::string>{"file_digest"});
  CHECK(ledger.Requests().empty());
}

// --- the files that people send

std::string OrderRow(const std::string& order_code,
                     const std::string& quantity = "1.5") {
  return absl::StrCat(order_code, "-R", quantity.size(), ",", order_code, ",",
                      quantity, "\n");
}

TEST_CASE("mtpctl takes over open orders out of a file") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  const Mtpctl mtpctl(stack);
  const std::string& order = ledger.story.order_code;
  const TemporaryFile file(absl::StrCat(
      "\xef\xbb\xbfReference,Order Code,Quantity,Comments\r\n", order, "-A,",
      order, ",\"1,040.50\",\"two\nlines, and a \"\"quote\"\"\"\r\n", order,
      "-B,", order, ",1\r\n"));
  // The last row lacks a cell.
  const Outcome ragged = mtpctl.Try({"request", "import", file.path()});
  CHECK(ragged.exit_code == 1);
  CHECK(absl::StrContains(ragged.output, "line 4"));

  const TemporaryFile right(absl::StrCat(
      "\xef\xbb\xbfReference,Order Code,Quantity,Comments\r\n", order, "-A,",
      order, ",\"1,040.50\",\"two\nlines, and a \"\"quote\"\"\"\r\n", order,
      "-B,", order, ",1,\r\n"));
  CHECK(absl::StrContains(
      mtpctl.Do({"request", "import", right.path(), "--validate-only"}),
      "Would take over 2 requests"));
  CHECK(ledger.Requests().empty());
  CHECK(absl::StrContains(mtpctl.Do({"request", "import", right.path()}),
                          "Took over 2 requests"));
  CHECK(ledger.Requests()[0].comments() == "two\nlines, and a \"quote\"");
  CHECK(absl::StrContains(mtpctl.Do({"request", "import", right.path()}),
                          "nothing changed"));
  CHECK(absl::StrContains(
      mtpctl.Do({"request", "list", "--reference", order + "-B"}), order));

  const TemporaryFile bad(
      absl::StrCat("reference,order_code,quantity,requested_on\n", order, "-C,",
                   order, ",1,30/02/2026\n", order, "-D,", order, ",10",
                   std::string(30, '0'), ",\n"));
  const Outcome refused = mtpctl.Try({"request", "import", bad.path()});
  CHECK(refused.exit_code == 2);
  CHECK(absl::StrContains(refused.output, "no calendar has this date"));
  CHECK(absl::StrContains(refused.output, "OUT_OF_RANGE"));
  CHECK(
      mtpctl
          .Try({"--as", "GRANDPASS_OFFICER", "request", "import", right.path()})
          .exit_code == 3);
}

TEST_CASE("a file that goes wrong far down brings none of what stood before") {
  Stack& stack = Stack::Shared();
  Ledger ledger(stack);
  const Mtpctl mtpctl(stack);
  const std::string rows = PlanFile(ledger.story.order_code, 5'000);
  for (const std::string& fault :
       {std::string("too,few\r\n"), std::string("\"never closed\r\n"),
        std::string("a\xff,b,1,,,\r\n"), std::string("a\0b,c,1,,,\r\n", 11)}) {
    const TemporaryFile file(rows + fault);
    const Outcome outcome = mtpctl.Try({"plan", "import", file.path()});
    INFO(outcome.output);
    CHECK(outcome.exit_code == 1);
    CHECK(absl::StrContains(outcome.output, "line 5002"));
  }
  CHECK(ledger.database().Number(
            "SELECT count(*) FROM order_plan WHERE order_code LIKE $1",
            {ledger.story.order_code + "-%"}) == 0);
}

TEST_CASE("a file that is no list of open orders is told in words") {
  Stack& stack = Stack::Shared();
  const Mtpctl mtpctl(stack);
  const auto told = [&](const std::string& content, const std::string& words) {
    const TemporaryFile file(content);
    const Outcome outcome = mtpctl.Try({"request", "import", file.path()});
    INFO(outcome.output);
    CHECK(outcome.exit_code == 1);
    CHECK(absl::StrContains(outcome.output, words));
  };
  const std::string heading = "reference,order_code,quantity\n";
  told("", "is empty");
  told("\xef\xbb\xbf", "is empty");
  told(heading, "no rows");
  told("reference,order_code\n" + OrderRow("X"), "lacks quantity");
  told("reference,order_code,quantity,Quantity\n", "quantity twice");
  told("reference;order_code;quantity\nA;B;1\n", "divided by semicolons");
  told("reference\torder_code\tquantity\nA\tB\t1\n", "divided by tabs");
  told(std::string("\xff\xfer\0e\0f\0", 8), "not UTF-8");
  told("PK\x03\x04 rest", "workbook");
  told(heading + "A,B," + std::string(40'000, '1') + "\n", "line 2, quantity");
  told(heading + std::string(2 << 20, 'x'), "line 2");
}

}  // namespace
}  // namespace mtp::tests
