#include <catch2/catch.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/rpc/pipeline.h"
#include "tests/integration/detours.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kClients = 8;
constexpr char kCreateRequest[] = "mtp.order.v1.RequestService/CreateRequest";

// Changes one thing of a request that leaves it a valid one. False when there
// is nothing of the kind in it.
bool ChangeContent(Message& request) {
  const google::protobuf::Reflection& reflection = *request.GetReflection();
  const google::protobuf::Descriptor& type = *request.GetDescriptor();
  if (const FieldDescriptor* field = type.FindFieldByName("occurred_at")) {
    Message& time = *reflection.MutableMessage(&request, field);
    time.GetReflection()->SetInt64(
        &time, time.GetDescriptor()->FindFieldByName("seconds"), 1'700'000'000);
    return true;
  }
  for (const char* name :
       {"order_remarks", "shipment_remarks", "remarks", "reason", "comments",
        "section", "etag", "name", "file_name", "garden", "username",
        "password", "component"}) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr || field->is_repeated()) continue;
    reflection.SetString(&request, field,
                         reflection.GetString(request, field) + "x");
    return true;
  }
  for (const char* name : {"subject", "dead_letter_id"}) {
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr) continue;
    reflection.SetString(&request, field, NewRequestId());
    return true;
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field->is_repeated()) {
      if (reflection.FieldSize(request, field) == 0) continue;
      if (ChangeContent(
              *reflection.MutableRepeatedMessage(&request, field, 0))) {
        return true;
      }
    } else if (reflection.HasField(request, field) &&
               ChangeContent(*reflection.MutableMessage(&request, field))) {
      return true;
    }
  }
  return false;
}

// How many calls left a trace under this request_id, whatever it changed.
int64_t Effects(const Stack& stack, const Act& act) {
  return stack.Database(act.at()).Number(
      "SELECT count(DISTINCT correlation_id) FROM audit.entry "
      "WHERE request_id = $1",
      {act.request_id});
}

// Makes the call by several clients at once, then again, then with other
// content; and lets the story learn from it.
void DoManyTimes(Stack& stack, const Act& act) {
  INFO(act.method);
  if (act.ready) REQUIRE(Eventually(act.ready));
  const Client client = stack.As(act.role, act.at());
  const std::unique_ptr<Message> request = act.request();

  std::vector<Reply> replies(kClients);
  AtOnce(kClients, [&](int i) {
    replies[static_cast<size_t>(i)] = client.Send(act.method, *request);
  });
  for (const Reply& reply : replies) {
    INFO(reply.status.ToString());
    REQUIRE(reply.status.ok());
    CHECK(reply.bytes() == replies[0].bytes());
  }
  act.learn(replies[0].bytes());
  CHECK(Effects(stack, act) == 1);

  const Reply again = client.Send(act.method, *request);
  CHECK(again.status.ok());
  CHECK(again.bytes() == replies[0].bytes());

  REQUIRE(ChangeContent(*request));
  const Reply other = client.Send(act.method, *request);
  CHECK(other.status.code() == absl::StatusCode::kAlreadyExists);
  CHECK(errors::Reason(other.status) == "REQUEST_ID_REUSED");
  CHECK(Effects(stack, act) == 1);
}

TEST_CASE("every call of an order is done once, however often it is sent") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  for (const Act& act : story.acts()) DoManyTimes(stack, act);
  story.DoSteps(Story::kLastStep, Story::kLastStep);
  RequireAgreement(stack);
}

TEST_CASE("every call beside the main road is done once, however often sent") {
  Stack& stack = Stack::Shared();
  Detours detours(stack);
  for (const Act& act : detours.acts()) DoManyTimes(stack, act);
  RequireAgreement(stack);
}

// What changes something, is in the contract and not in this release.
const std::set<std::string> kLater = {
    "mtp.processing.v1.TraceService/HoldBags",
    "mtp.processing.v1.TraceService/ReleaseHold",
};

// Of the caller's own session, which those tests have none of: tested by
// sessions_test.cc.
const std::set<std::string> kOfOnesOwnSession = {
    "mtp.order.v1.SessionService/ChangePassword",
    "mtp.order.v1.SessionService/SignOut",
};

// Of the whole of a side: tested by reconcile_test.cc and, with real backups,
// by the fault tests (restore_test.cc).
const std::set<std::string> kOfAWholeSide = {
    "mtp.ops.v1.OperationsService/Reconcile",
    "mtp.ops.v1.OperationsService/StartEpoch",
};

TEST_CASE("no call that changes something is left out of the tests above") {
  Stack& stack = Stack::Shared();
  std::set<std::string> made;
  Story story(stack);
  for (const Act& act : story.acts()) made.insert(act.method);
  Detours detours(stack);
  for (const Act& act : detours.acts()) made.insert(act.method);
  std::set<std::string> missing;
  for (const auto* service :
       rpc::LinkedServices({"mtp.order.v1", "mtp.processing.v1", "mtp.ops.v1",
                            "mtp.audit.v1"})) {
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      const std::string name =
          absl::StrCat(service->full_name(), "/", method.name());
      if (method.input_type()->FindFieldByName("request_id") != nullptr &&
          !absl::EndsWith(method.input_type()->full_name(),
                          "ListEntriesRequest") &&
          !made.contains(name) && !kOfOnesOwnSession.contains(name) &&
          !kOfAWholeSide.contains(name)) {
        missing.insert(name);
      }
    }
  }
  CHECK(missing == kLater);
}

TEST_CASE("a request_id is the caller's own") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 2);
  const Act& request = story.Find(kCreateRequest);
  Story other(stack);
  other.DoSteps(1, 1);
  // The same id from the same person for another order is refused, ...
  std::unique_ptr<Message> reused = other.Find(kCreateRequest).request();
  SetRequestId(*reused, request.request_id);
  CHECK(errors::Reason(stack.As(request.role, SIDE_ORDER)
                           .Send(request.method, *reused)
                           .status) == "REQUEST_ID_REUSED");
  // ... for another method of the same person it is another call.
  const Act& schedule =
      other.Find("mtp.order.v1.ScheduleService/CreateSchedule");
  std::unique_ptr<Message> create = schedule.request();
  SetRequestId(*create, request.request_id);
  CHECK(stack.As(schedule.role, SIDE_ORDER)
            .Send(schedule.method, *create)
            .status.ok());
}

TEST_CASE("a call that was refused may be made again under its request_id") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  const Act& request = story.Find(kCreateRequest);
  const Client officer = stack.As(request.role, SIDE_ORDER);
  // There is no plan yet.
  CHECK(officer.Send(request.method, *request.request()).status.code() ==
        absl::StatusCode::kFailedPrecondition);
  story.DoSteps(1, 1);
  CHECK(officer.Send(request.method, *request.request()).status.ok());
}

TEST_CASE("without a request_id a call is done each time it arrives") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 1);
  const Act& request = story.Find(kCreateRequest);
  const Client officer = stack.As(request.role, SIDE_ORDER);
  std::unique_ptr<Message> anonymous = request.request();
  SetRequestId(*anonymous, "");
  const Reply first = officer.Send(request.method, *anonymous);
  const Reply second = officer.Send(request.method, *anonymous);
  CHECK(first.status.ok());
  CHECK(second.status.ok());
  CHECK(first.bytes() != second.bytes());
}

}  // namespace
}  // namespace mtp::tests
