#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/errors.h"
#include "common/rpc/pipeline.h"
#include "mtp/options/v1/options.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/batches.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

namespace ord = order::v1;
namespace pro = processing::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using namespace options::v1;  // the roles

constexpr char kNobodysId[] = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
// Longer than any text may be.
constexpr size_t kEnormous = 70'000;

std::string Name(const MethodDescriptor& method) {
  return absl::StrCat(method.service()->full_name(), "/", method.name());
}

// Somebody who may call it.
Role RoleFor(const MethodDescriptor& method) {
  const Access& access =
      method.options().GetExtension(mtp::options::v1::access);
  return access.roles_size() > 0 ? access.roles(0) : ROLE_MASTER_ADMIN;
}

// The methods of people, of one side.
std::vector<const MethodDescriptor*> PeoplesMethods(Side side) {
  std::vector<const MethodDescriptor*> methods;
  for (const auto* service : rpc::LinkedServices(
           {"mtp." + NameOf(side) + ".v1", "mtp.ops.v1", "mtp.audit.v1"})) {
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(service->method(i));
    }
  }
  return methods;
}

// Protobuf's encoding, by hand: messages do not let one say such things.
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) {
    bytes.push_back(static_cast<char>(value | 0x80));
  }
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string Number(int field, int64_t value) {
  return Varint(static_cast<uint64_t>(field) << 3) +
         Varint(static_cast<uint64_t>(value));
}

std::string Delimited(int field, const std::string& content) {
  return Varint(static_cast<uint64_t>(field) << 3 | 2) +
         Varint(content.size()) + content;
}

// Something that a field may not hold.
struct BadValue {
  std::string field;  // the last part of its path
  std::string what;
  std::string bytes;  // of the whole request
};

// The least and the greatest value of a number field that has limits.
struct Limits {
  int64_t least = 0;
  int64_t greatest = 0;
};
std::optional<Limits> LimitsOf(const FieldDescriptor& field) {
  const Rules& rules = field.options().GetExtension(mtp::options::v1::rules);
  if (rules.has_min() || rules.has_max()) {
    return Limits{
        rules.has_min() ? rules.min() : std::numeric_limits<int64_t>::min(),
        rules.has_max() ? rules.max() : std::numeric_limits<int64_t>::max()};
  }
  if (field.name().ends_with("_grams")) return Limits{0, 1'000'000'000'000};
  return std::nullopt;
}

// Calls `take` for every bad value of every field of the message, at any depth.
// `wrap` makes a request of the message's bytes.
void ForEachBadValue(const Descriptor& type,
                     const std::function<std::string(const std::string&)>& wrap,
                     int depth,
                     const std::function<void(const BadValue&)>& take) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const int number = field.number();
    const auto bad = [&](const char* what, const std::string& bytes) {
      take({field.name(), what, wrap(bytes)});
    };
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      bad("is not UTF-8", Delimited(number, "\xc3\x28"));
      bad("carries NUL", Delimited(number, std::string("a\0b", 3)));
      bad("is enormous", Delimited(number, std::string(kEnormous, 'a')));
    } else if (field.type() == FieldDescriptor::TYPE_ENUM) {
      bad("is undeclared", Number(number, 99));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 ||
               field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
      const std::optional<Limits> limits = LimitsOf(field);
      if (!limits.has_value()) continue;
      if (limits->least > std::numeric_limits<int64_t>::min()) {
        bad("is too small", Number(number, limits->least - 1));
      }
      if (limits->greatest < std::numeric_limits<int64_t>::max()) {
        bad("is too great", Number(number, limits->greatest + 1));
      }
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
               depth < 4 &&
               !field.message_type()->full_name().starts_with("google.")) {
      ForEachBadValue(
          *field.message_type(),
          [&](const std::string& bytes) {
            return wrap(Delimited(number, bytes));
          },
          depth + 1, take);
    }
  }
}

bool Names(const std::vector<std::string>& paths, const std::string& field) {
  for (const std::string& path : paths) {
    const std::string last = path.substr(path.rfind('.') + 1);
    if (last.substr(0, last.find('[')) == field) return true;
  }
  return false;
}

// The stack, quiet: what goes on between the sides is over.
Stack& QuietStack() {
  RequireAgreement(Stack::Shared());
  return Stack::Shared();
}

TEST_CASE("bytes that are no message are refused by every method") {
  Stack& stack = QuietStack();
  const std::string before = Footprint(stack);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const MethodDescriptor* method : PeoplesMethods(side)) {
      INFO(Name(*method));
      for (const char* bytes : {"\xff\xff\xff", "\x0a\x7f", "\x07"}) {
        const absl::Status status = stack.As(RoleFor(*method), side)
                                        .Send(Name(*method), {bytes})
                                        .status;
        CHECK(status.code() == absl::StatusCode::kInvalidArgument);
        CHECK(errors::Reason(status) == "INVALID_FIELDS");
      }
    }
  }
  CHECK(Footprint(stack) == before);
}

TEST_CASE(
    "every field of every request refuses what it may not hold, by name") {
  Stack& stack = QuietStack();
  const std::string before = Footprint(stack);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    for (const MethodDescriptor* method : PeoplesMethods(side)) {
      const Client client = stack.As(RoleFor(*method), side);
      ForEachBadValue(
          *method->input_type(), [](const std::string& bytes) { return bytes; },
          0,
          [&](const BadValue& bad) {
            const absl::Status status =
                client.Send(Name(*method), {bad.bytes}).status;
            if (status.code() == absl::StatusCode::kInvalidArgument &&
                Names(BadFields(status), bad.field)) {
              return;
            }
            FAIL_CHECK(Name(*method)
                       << ": " << bad.field << " " << bad.what
                       << ", and the answer is " << status.ToString());
          });
    }
  }
  CHECK(Footprint(stack) == before);
}

TEST_CASE("all that is wrong with a request is told at once") {
  Stack& stack = QuietStack();
  const std::string before = Footprint(stack);
  pro::CreateTealineRequest request;
  request.set_request_id("not-a-uuid");
  request.mutable_tealine()->set_item_code("no spaces");
  request.mutable_tealine()->set_grade("two\nlines");
  request.mutable_tealine()->set_bag_count(0);
  request.mutable_tealine()->set_bag_grams(-5);
  request.mutable_occurred_at()->set_seconds(
      absl::ToUnixSeconds(absl::Now() + absl::Hours(1)));
  const absl::Status status =
      stack.As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING)
          .Send("mtp.processing.v1.MaterialService/CreateTealine", request)
          .status;
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(BadFields(status) ==
        std::vector<std::string>{"occurred_at", "request_id",
                                 "tealine.bag_count", "tealine.bag_grams",
                                 "tealine.garden", "tealine.grade",
                                 "tealine.invoice", "tealine.item_code"});
  CHECK(Footprint(stack) == before);
}

TEST_CASE("more faults than an answer holds still make an answer") {
  Stack& stack = QuietStack();
  pro::BatchReceiveBagsRequest request;
  for (int i = 0; i < 500; ++i) request.add_receipts()->set_gross_grams(-1);
  const absl::Status status =
      stack.As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING)
          .Send("mtp.processing.v1.BagService/BatchReceiveBags", request)
          .status;
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(errors::Reason(status) == "INVALID_FIELDS");
  CHECK(!BadFields(status).empty());
}

// A planning file of a thousand rows, of which `spoil` may spoil one.
ord::ImportPlansRequest ThousandRows(
    const std::string& stem, const std::function<void(ord::PlanRow&)>& spoil) {
  ord::ImportPlansRequest request;
  request.set_request_id(NewRequestId());
  request.set_file_name("thousand.csv");
  std::string digest = stem;
  digest.resize(64, '0');
  request.set_file_digest(digest);
  for (int i = 0; i < 1000; ++i) {
    ord::PlanRow& row = *request.add_rows();
    row.set_line_number(i + 2);
    row.set_order_code(absl::StrCat("SO-", stem, "-", i));
    row.set_item_code(absl::StrCat("IT", i));
    row.set_requirement("1,000.5");
    row.set_product_name("Uva Seasonal 250g TIN");
    row.set_plan_start("08/11/2026");
    row.set_plan_end("21-Nov-2026");
    if (i == 499) spoil(row);
  }
  return request;
}

TEST_CASE("one bad row among a thousand keeps all of them out, and is told") {
  Stack& stack = QuietStack();
  const Client admin = stack.As(ROLE_GRANDPASS_ADMIN, SIDE_ORDER);
  const Sql database = stack.Database(SIDE_ORDER);
  const auto count = [&](const char* table) {
    return database.Number(absl::StrCat("SELECT count(*) FROM ", table));
  };
  const int64_t plans = count("order_plan");
  const int64_t raw_rows = count("order_plan_raw");
  const std::string stem = Story(stack).blend_code.substr(2);

  const ord::ImportPlansRequest bad = ThousandRows(stem, [](ord::PlanRow& row) {
    row.set_requirement("lots");
    row.set_plan_end("2026-02-30");
    // As long as a spreadsheet's cell can be.
    row.set_item_name(std::string(32'767, 'x'));
  });
  const auto refused = admin.Call<ord::ImportPlansResponse>(
      "mtp.order.v1.PlanService/ImportPlans", bad);
  REQUIRE(refused.ok());
  CHECK(!refused->stored());
  CHECK(refused->row_count() == 1000);
  CHECK(refused->bad_row_count() == 1);
  CHECK(refused->fault_count() == 3);
  REQUIRE(refused->bad_rows_size() == 3);
  for (const ord::BadRow& row : refused->bad_rows()) {
    CHECK(row.line_number() == 501);
    if (row.column() == "requirement") {
      CHECK(row.value() == "lots");
      CHECK(row.reason() == ord::BAD_ROW_REASON_NOT_A_NUMBER);
    } else if (row.column() == "item_name") {
      CHECK(row.reason() == ord::BAD_ROW_REASON_TOO_LONG);
    } else {
      CHECK(row.column() == "plan_end");
      CHECK(row.value() == "2026-02-30");
      CHECK(row.reason() == ord::BAD_ROW_REASON_NO_SUCH_DATE);
    }
  }
  CHECK(count("order_plan") == plans);
  CHECK(count("order_plan_raw") == raw_rows);

  // Mended, it is another file.
  const auto stored = admin.Call<ord::ImportPlansResponse>(
      "mtp.order.v1.PlanService/ImportPlans",
      ThousandRows(stem.substr(1) + "f", [](ord::PlanRow&) {}));
  REQUIRE(stored.ok());
  CHECK(stored->stored());
  CHECK(stored->created_plan_count() == 1000);
  CHECK(count("order_plan") == plans + 1000);
  CHECK(count("order_plan_raw") == raw_rows + 1000);
}

// A call that the world is not ready for.
struct Refusal {
  std::string method;
  Role role;
  std::shared_ptr<google::protobuf::Message> request;
  absl::StatusCode code;
  std::string reason;
};

template <typename Request>
Refusal Refused(std::string_view method, Role role, absl::StatusCode code,
                std::string_view reason,
                const std::function<void(Request&)>& fill) {
  auto request = std::make_shared<Request>();
  request->set_request_id(NewRequestId());
  fill(*request);
  return {std::string(method), role, std::move(request), code,
          std::string(reason)};
}

void CheckRefused(Stack& stack, const std::vector<Refusal>& refusals) {
  RequireAgreement(stack);
  const std::string before = Footprint(stack);
  for (const Refusal& refusal : refusals) {
    const absl::Status status =
        stack.As(refusal.role, Stack::SideOf(refusal.method))
            .Send(refusal.method, *refusal.request)
            .status;
    INFO(refusal.method << ", expected " << refusal.reason << ": "
                        << status.ToString());
    CHECK(status.code() == refusal.code);
    CHECK(errors::Reason(status) == refusal.reason);
  }
  CHECK(Footprint(stack) == before);
}

constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;
constexpr absl::StatusCode kWrongState = absl::StatusCode::kFailedPrecondition;

TEST_CASE("what nobody knows is not found, and nothing changes") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 5);
  common::v1::ShipmentKey nobodys;
  nobodys.set_request_code(999'999'999);
  nobodys.set_shipment_code(1);

  CheckRefused(
      stack,
      {Refused<ord::AcceptShipmentRequest>(
           "mtp.order.v1.ShipmentService/AcceptShipment",
           ROLE_GRANDPASS_GATEPASS, kNotFound, "SHIPMENT_NOT_FOUND",
           [&](auto& request) {
             *request.mutable_key() = nobodys;
             request.set_shipment_remarks("complete");
           }),
       Refused<ord::CancelShipmentRequest>(
           "mtp.order.v1.ShipmentService/CancelShipment",
           ROLE_GRANDPASS_OFFICER, kNotFound, "SHIPMENT_NOT_FOUND",
           [&](auto& request) {
             *request.mutable_key() = nobodys;
             request.set_order_remarks("not needed");
           }),
       Refused<ord::DeletePlanRequest>(
           "mtp.order.v1.PlanService/DeletePlan", ROLE_GRANDPASS_ADMIN,
           kNotFound, "PLAN_NOT_FOUND",
           [](auto& request) { request.set_order_code("SO-nobody"); }),
       Refused<ord::CompleteScheduleRequest>(
           "mtp.order.v1.ScheduleService/CompleteSchedule",
           ROLE_GRANDPASS_DEV_MACHINE, kNotFound, "SCHEDULE_NOT_FOUND",
           [](auto& request) { request.set_schedule_code(999'999'999); }),
       Refused<pro::OpenBatchRequest>(
           "mtp.processing.v1.BatchService/OpenBatch", ROLE_SEEDUWA_OFFICER,
           kNotFound, "RECIPE_NOT_FOUND",
           [](auto& request) { request.set_recipe_id(kNobodysId); }),
       Refused<pro::RecordMeasurementRequest>(
           "mtp.processing.v1.BatchService/RecordMeasurement",
           ROLE_SEEDUWA_OFFICER, kNotFound, "BATCH_NOT_FOUND",
           [](auto& request) {
             request.set_batch_id(kNobodysId);
             request.set_humidity_basis_points(1);
             request.set_density_grams_per_cubic_metre(1);
           }),
       Refused<pro::ReceiveBagRequest>(
           "mtp.processing.v1.BagService/ReceiveBag", ROLE_SEEDUWA_OPERATOR,
           kNotFound, "ITEM_NOT_FOUND",
           [&](auto& request) {
             request.mutable_receipt()->set_item_id(kNobodysId);
             request.mutable_receipt()->set_location(story.location);
             request.mutable_receipt()->set_gross_grams(1000);
           }),
       Refused<pro::ReceiveBagRequest>(
           "mtp.processing.v1.BagService/ReceiveBag", ROLE_SEEDUWA_OPERATOR,
           kNotFound, "LOCATION_NOT_FOUND",
           [&](auto& request) {
             request.mutable_receipt()->set_batch_id(story.batch_id);
             request.mutable_receipt()->set_location("Nowhere");
             request.mutable_receipt()->set_gross_grams(1000);
           }),
       Refused<pro::AllocateToShipmentRequest>(
           "mtp.processing.v1.AllocationService/AllocateToShipment",
           ROLE_SEEDUWA_OPERATOR, kNotFound, "BAG_NOT_FOUND",
           [&](auto& request) {
             request.set_barcode(kNobodysId);
             *request.mutable_shipment() = story.shipment;
             request.set_grams(1);
           }),
       Refused<pro::AllocateToShipmentRequest>(
           "mtp.processing.v1.AllocationService/AllocateToShipment",
           ROLE_SEEDUWA_OPERATOR, kNotFound, "BAG_NOT_FOUND",
           [&](auto& request) {
             request.set_barcode("herbline:" + story.blend_bags[0]);
             *request.mutable_shipment() = story.shipment;
             request.set_grams(1);
           }),
       Refused<pro::AllocateToShipmentRequest>(
           "mtp.processing.v1.AllocationService/AllocateToShipment",
           ROLE_SEEDUWA_OPERATOR, kNotFound, "SHIPMENT_NOT_FOUND",
           [&](auto& request) {
             request.set_barcode(story.blend_bags[0]);
             *request.mutable_shipment() = nobodys;
             request.set_grams(1);
           }),
       Refused<pro::CreateParcelRequest>(
           "mtp.processing.v1.AllocationService/CreateParcel",
           ROLE_GRANDPASS_DEV_MACHINE, kNotFound, "ALLOCATION_NOT_FOUND",
           [](auto& request) {
             request.set_allocation_id(kNobodysId);
             request.set_schedule_code(999'999'999);
             request.set_grams(1);
           })});
}

TEST_CASE(
    "what comes too early is refused with the reason, and changes nothing") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  // The batch was not measured yet.
  story.DoSteps(1, 4);
  const auto allocate = [&](std::string_view reason, const std::string& barcode,
                            int64_t grams) {
    return Refused<pro::AllocateToShipmentRequest>(
        "mtp.processing.v1.AllocationService/AllocateToShipment",
        ROLE_SEEDUWA_OPERATOR, kWrongState, reason, [&](auto& request) {
          request.set_barcode(barcode);
          *request.mutable_shipment() = story.shipment;
          request.set_grams(grams);
        });
  };
  CheckRefused(
      stack,
      {Refused<ord::CreateRequestRequest>(
           "mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
           kWrongState, "NEEDS_APPROVAL",
           [&](auto& request) {
             request.mutable_request()->set_order_code(story.order_code);
             request.mutable_request()->set_requirement_grams(4'000'000);
           }),
       Refused<ord::CreateRequestRequest>(
           "mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
           kWrongState, "PRODUCT_DIFFERS",
           [&](auto& request) {
             request.mutable_request()->set_order_code(story.order_code);
             request.mutable_request()->set_product_name("Coffee");
             request.mutable_request()->set_requirement_grams(1);
           }),
       Refused<ord::DeletePlanRequest>(
           "mtp.order.v1.PlanService/DeletePlan", ROLE_GRANDPASS_ADMIN,
           kWrongState, "PLAN_HAS_REQUESTS",
           [&](auto& request) { request.set_order_code(story.order_code); }),
       Refused<ord::AcceptShipmentRequest>(
           "mtp.order.v1.ShipmentService/AcceptShipment",
           ROLE_GRANDPASS_GATEPASS, kWrongState, "WRONG_SHIPMENT_STATUS",
           [&](auto& request) {
             *request.mutable_key() = story.shipment;
             request.set_shipment_remarks("complete");
           }),
       Refused<ord::SetShipmentQuantityRequest>(
           "mtp.order.v1.ShipmentService/SetShipmentQuantity",
           ROLE_GRANDPASS_OFFICER, kWrongState, "QUANTITY_CANNOT_GROW",
           [&](auto& request) {
             *request.mutable_key() = story.shipment;
             request.set_quantity_grams(Story::kOrderedGrams + 1);
           }),
       Refused<pro::RequestApprovalRequest>(
           "mtp.processing.v1.BatchService/RequestApproval",
           ROLE_SEEDUWA_OFFICER, kWrongState, "TRADER_STATE",
           [&](auto& request) { request.set_batch_id(story.batch_id); }),
       Refused<pro::AllowBatchRequest>(
           "mtp.processing.v1.BatchService/AllowBatch", ROLE_TRADER_OFFICER,
           kWrongState, "TRADER_STATE",
           [&](auto& request) { request.set_batch_id(story.batch_id); }),
       Refused<pro::OpenBatchRequest>(
           "mtp.processing.v1.BatchService/OpenBatch", ROLE_SEEDUWA_OFFICER,
           kWrongState, "RECIPE_BATCHES_EXHAUSTED",
           [&](auto& request) { request.set_recipe_id(story.recipe_id); }),
       Refused<pro::ReceiveBagRequest>(
           "mtp.processing.v1.BagService/ReceiveBag", ROLE_SEEDUWA_OPERATOR,
           kWrongState, "INVOICED_BAGS_RECEIVED",
           [&](auto& request) {
             request.mutable_receipt()->set_item_id(story.tealine_id);
             request.mutable_receipt()->set_location(story.location);
             request.mutable_receipt()->set_gross_grams(1000);
           }),
       Refused<pro::ReceiveBagRequest>(
           "mtp.processing.v1.BagService/ReceiveBag", ROLE_SEEDUWA_OPERATOR,
           kWrongState, "EXPECTED_WEIGHT_EXCEEDED",
           [&](auto& request) {
             request.mutable_receipt()->set_item_id(story.balance_id);
             request.mutable_receipt()->set_location(story.location);
             request.mutable_receipt()->set_gross_grams(1000);
           }),
       Refused<pro::ReceiveBagRequest>(
           "mtp.processing.v1.BagService/ReceiveBag", ROLE_SEEDUWA_OPERATOR,
           kWrongState, "BATCH_OUT_EXCEEDS_IN",
           [&](auto& request) {
             request.mutable_receipt()->set_batch_id(story.batch_id);
             request.mutable_receipt()->set_location(story.location);
             request.mutable_receipt()->set_gross_grams(Story::kBlendBagGrams);
           }),
       Refused<pro::AllocateToBatchRequest>(
           "mtp.processing.v1.AllocationService/AllocateToBatch",
           ROLE_SEEDUWA_OPERATOR, kWrongState, "INSUFFICIENT_REMAINING",
           [&](auto& request) {
             request.set_barcode(story.tea_bags.back());
             request.set_batch_id(story.batch_id);
             request.set_grams(Story::kTeaBagGrams + 1);
           }),
       Refused<pro::DispatchShipmentsRequest>(
           "mtp.processing.v1.OutboundService/DispatchShipments",
           ROLE_SEEDUWA_OPERATOR, kWrongState, "WRONG_SHIPMENT_STATUS",
           [&](auto& request) {
             *request.add_keys() = story.shipment;
             request.set_shipment_vehicle("LX-1");
           }),
       allocate("BATCH_NOT_ALLOWED", story.blend_bags[0], 1),
       allocate("NOT_ALLOCATABLE", story.balance_bag, 1),
       allocate("INSUFFICIENT_REMAINING", story.tea_bags.back(),
                Story::kTeaBagGrams + 1)});
}

TEST_CASE(
    "what comes too late is refused with the reason, and changes nothing") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 8);
  CheckRefused(
      stack,
      {Refused<ord::CancelShipmentRequest>(
           "mtp.order.v1.ShipmentService/CancelShipment",
           ROLE_GRANDPASS_OFFICER, kWrongState, "SHIPMENT_NOT_OPEN",
           [&](auto& request) {
             *request.mutable_key() = story.shipment;
             request.set_order_remarks("too late");
           }),
       Refused<ord::SetShipmentQuantityRequest>(
           "mtp.order.v1.ShipmentService/SetShipmentQuantity",
           ROLE_GRANDPASS_OFFICER, kWrongState, "SHIPMENT_NOT_OPEN",
           [&](auto& request) {
             *request.mutable_key() = story.shipment;
             request.set_quantity_grams(1);
           }),
       Refused<ord::CompleteScheduleRequest>(
           "mtp.order.v1.ScheduleService/CompleteSchedule",
           ROLE_GRANDPASS_DEV_MACHINE, kWrongState, "SCHEDULE_COMPLETED",
           [&](auto& request) {
             request.set_schedule_code(story.schedule_code);
           }),
       Refused<pro::AllocateToBatchRequest>(
           "mtp.processing.v1.AllocationService/AllocateToBatch",
           ROLE_SEEDUWA_OPERATOR, kWrongState, "BATCH_NOT_OPEN",
           [&](auto& request) {
             request.set_barcode(story.tea_bags.back());
             request.set_batch_id(story.batch_id);
             request.set_grams(1);
           }),
       Refused<pro::AllocateToShipmentRequest>(
           "mtp.processing.v1.AllocationService/AllocateToShipment",
           ROLE_SEEDUWA_OPERATOR, kWrongState, "SHIPMENT_NOT_OPEN",
           [&](auto& request) {
             request.set_barcode(story.blend_bags.back());
             *request.mutable_shipment() = story.shipment;
             request.set_grams(1);
           }),
       Refused<pro::ReleaseAllocationRequest>(
           "mtp.processing.v1.AllocationService/ReleaseAllocation",
           ROLE_SEEDUWA_OPERATOR, kWrongState, "SHIPMENT_NOT_OPEN",
           [&](auto& request) {
             request.set_allocation_id(story.shipment_allocations[0]);
           }),
       Refused<pro::MarkShipmentReadyRequest>(
           "mtp.processing.v1.OutboundService/MarkShipmentReady",
           ROLE_SEEDUWA_OFFICER, kWrongState, "WRONG_SHIPMENT_STATUS",
           [&](auto& request) { *request.mutable_key() = story.shipment; }),
       Refused<pro::CreateParcelRequest>(
           "mtp.processing.v1.AllocationService/CreateParcel",
           ROLE_GRANDPASS_DEV_MACHINE, kWrongState, "SCHEDULE_COMPLETED",
           [&](auto& request) {
             request.set_allocation_id(story.shipment_allocations[0]);
             request.set_schedule_code(story.schedule_code);
             request.set_grams(1);
           }),
       Refused<pro::ReleaseParcelRequest>(
           "mtp.processing.v1.AllocationService/ReleaseParcel",
           ROLE_GRANDPASS_DEV_MACHINE, kWrongState, "SCHEDULE_COMPLETED",
           [&](auto& request) { request.set_parcel_id(story.parcels[0]); })});
}

}  // namespace
}  // namespace mtp::tests
