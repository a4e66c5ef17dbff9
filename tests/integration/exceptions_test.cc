#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/uuid.h"
#include "mtp/audit/v1/audit.pb.h"
#include "mtp/ops/v1/operations.pb.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

using namespace ops::v1;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_MASTER_ADMIN;
using options::v1::ROLE_SEEDUWA_OFFICER;

constexpr char kList[] = "mtp.ops.v1.OperationsService/ListExceptions";
constexpr char kClose[] = "mtp.ops.v1.OperationsService/CloseException";

// Exceptions of one shipment that no other test has, on one side; in the order
// in which they were opened.
struct Troubles {
  explicit Troubles(Side at) : side(at) {
    static int64_t shipments = 900'000;
    key = absl::StrCat(++shipments, "/1");
    for (const char* what :
         {"'DISPATCHED_MORE_THAN_ORDERED', ARRAY['shipment:' || $2], "
          "'{\"ordered\": 500000, \"dispatched\": 525000}', 'Too much left.', "
          "'GRANDPASS_OFFICER', 'ORDER', ",
          "'SENT_BACK_UNKNOWN', ARRAY['shipment:' || $2, 'bag:b-' || $2], "
          "'{}', 'Nobody knows it.', 'SEEDUWA_OFFICER', 'PROCESSING', ",
          "'DISPATCHED_AFTER_CANCELLATION', ARRAY['shipment:' || $2], "
          "'{\"ordered\": 0, \"dispatched\": 1000}', 'It had left.', "
          "'GRANDPASS_OFFICER', 'ORDER', "}) {
      ids.push_back(Uuid::V7(absl::Now()).ToString());
      stack.Owner(side).Query(
          absl::StrCat("INSERT INTO sync.exception (exception_id, kind, "
                       "things, amounts, description, must_act, acting_side, "
                       "dedupe_key, correlation_id, opened_at) VALUES "
                       "($1::text::uuid, ",
                       what,
                       "$1, 'cause-' || $2, to_timestamp($3::text::bigint))"),
          {ids.back(), key, absl::StrCat(1'700'000'000 + ids.size())});
    }
  }

  ListExceptionsRequest About() const {
    ListExceptionsRequest request;
    request.mutable_thing()->set_kind("shipment");
    request.mutable_thing()->set_key(key);
    return request;
  }
  ListExceptionsResponse List(const ListExceptionsRequest& request) const {
    const auto response = stack.As(ROLE_MASTER_ADMIN, side)
                              .Call<ListExceptionsResponse>(kList, request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    return *response;
  }
  // Which of them, as their places among the three.
  std::string Places(const ListExceptionsRequest& request) const {
    std::string places;
    const ListExceptionsResponse found = List(request);
    for (const Exception& exception : found.exceptions()) {
      for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == exception.exception_id()) absl::StrAppend(&places, i);
      }
    }
    return places;
  }
  static CloseExceptionRequest Closing(const std::string& id) {
    CloseExceptionRequest request;
    request.set_exception_id(id);
    request.set_reason("counted again, with both sides");
    return request;
  }

  Stack& stack = Stack::Shared();
  const Side side;
  std::string key;
  std::vector<std::string> ids;
};

TEST_CASE("exceptions are listed by what they are about, of whom, and when") {
  const Troubles troubles(GENERATE(SIDE_ORDER, SIDE_PROCESSING));
  ListExceptionsRequest request = troubles.About();
  CHECK(troubles.Places(request) == "210");
  request.set_order_by(LIST_EXCEPTIONS_ORDER_OPENED);
  CHECK(troubles.Places(request) == "012");
  request.add_kinds(EXCEPTION_KIND_SENT_BACK_UNKNOWN);
  CHECK(troubles.Places(request) == "1");
  request.add_kinds(EXCEPTION_KIND_DISPATCHED_AFTER_CANCELLATION);
  CHECK(troubles.Places(request) == "12");
  request.clear_kinds();
  request.set_acting_role(ROLE_GRANDPASS_OFFICER);
  CHECK(troubles.Places(request) == "02");
  request.clear_acting_role();
  request.mutable_opened_from()->set_seconds(1'700'000'002);
  CHECK(troubles.Places(request) == "12");
  request.mutable_opened_before()->set_seconds(1'700'000'003);
  CHECK(troubles.Places(request) == "1");
  request.mutable_thing()->set_kind("bag");
  CHECK(troubles.Places(request) == "");
  request.mutable_thing()->set_key("b-" + troubles.key);
  CHECK(troubles.Places(request) == "1");
  request.mutable_thing()->clear_key();
  CHECK(troubles.Places(request) == "1");
  request.mutable_thing()->set_kind("ba");  // a kind, not its beginning
  CHECK(troubles.Places(request) == "");
}

TEST_CASE("an exception shows the things, the weights and who must act") {
  const Troubles troubles(GENERATE(SIDE_ORDER, SIDE_PROCESSING));
  const ListExceptionsResponse found = troubles.List(troubles.About());
  REQUIRE(found.exceptions_size() == 3);
  const Exception& unknown = found.exceptions(1);
  CHECK(unknown.kind() == EXCEPTION_KIND_SENT_BACK_UNKNOWN);
  REQUIRE(unknown.things_size() == 2);
  CHECK(unknown.things(0).kind() == "shipment");
  CHECK(unknown.things(0).key() == troubles.key);
  CHECK(unknown.things(1).kind() == "bag");
  CHECK(unknown.amounts().empty());
  CHECK(unknown.acting_role() == ROLE_SEEDUWA_OFFICER);
  CHECK(unknown.acting_side() == SIDE_PROCESSING);
  CHECK_FALSE(unknown.has_closed_at());
  CHECK_FALSE(unknown.has_closed_by());
  const Exception& more = found.exceptions(2);
  REQUIRE(more.amounts_size() == 2);
  CHECK(more.amounts(0).name() == "ordered");
  CHECK(more.amounts(0).grams() == 500'000);
  CHECK(more.amounts(1).name() == "dispatched");
  CHECK(more.amounts(1).grams() == 525'000);
  CHECK(more.description() == "Too much left.");
  CHECK(more.correlation_ids(0) == "cause-" + troubles.key);
  CHECK(more.opened_at().seconds() == 1'700'000'001);
}

TEST_CASE("exceptions are paged in either order") {
  const Troubles troubles(SIDE_ORDER);
  for (const auto order : {LIST_EXCEPTIONS_ORDER_OPENED_DESCENDING,
                           LIST_EXCEPTIONS_ORDER_OPENED}) {
    ListExceptionsRequest request = troubles.About();
    request.set_order_by(order);
    request.set_page_size(2);
    const std::string first = troubles.Places(request);
    CHECK(first.size() == 2);
    request.set_page_token(troubles.List(request).next_page_token());
    const std::string all = first + troubles.Places(request);
    CHECK(all == (order == LIST_EXCEPTIONS_ORDER_OPENED ? "012" : "210"));
    CHECK(troubles.List(request).next_page_token().empty());
  }
}

TEST_CASE("a closed exception says who, when and how, and is listed if asked") {
  const Troubles troubles(GENERATE(SIDE_ORDER, SIDE_PROCESSING));
  const Client admin = troubles.stack.As(ROLE_MASTER_ADMIN, troubles.side);
  const absl::Time before = absl::Now() - absl::Seconds(1);
  const auto closed = admin.Call<CloseExceptionResponse>(
      kClose, Troubles::Closing(troubles.ids[1]));
  REQUIRE(closed.ok());
  const Exception& exception = closed->exception();
  CHECK(exception.exception_id() == troubles.ids[1]);
  CHECK(exception.closed_by().subject() ==
        Identities::Subject(ROLE_MASTER_ADMIN));
  CHECK(exception.closed_by().role() == ROLE_MASTER_ADMIN);
  CHECK(exception.close_reason() == "counted again, with both sides");
  CHECK(FromProto(exception.closed_at()) > before);
  CHECK(exception.things_size() == 2);

  ListExceptionsRequest request = troubles.About();
  CHECK(troubles.Places(request) == "20");
  request.set_with_closed(true);
  CHECK(troubles.Places(request) == "210");
  CHECK(troubles.List(request).exceptions(1).SerializeAsString() ==
        exception.SerializeAsString());

  // In the trail, and at what it was about.
  audit::v1::ListEntriesRequest entries;
  entries.mutable_thing()->set_kind("exception");
  entries.mutable_thing()->set_key(troubles.ids[1]);
  const auto trail = admin.Call<audit::v1::ListEntriesResponse>(
      "mtp.audit.v1.AuditService/ListEntries", entries);
  REQUIRE(trail.ok());
  REQUIRE(trail->entries_size() == 1);
  CHECK(absl::StrContains(trail->entries(0).change_json(), "\"closed\""));
  CHECK(trail->entries(0).remarks() == "counted again, with both sides");
  CHECK(trail->entries(0).things(1).key() == troubles.key);
}

TEST_CASE("an exception is closed once") {
  const Troubles troubles(SIDE_PROCESSING);
  const Client admin = troubles.stack.As(ROLE_MASTER_ADMIN, SIDE_PROCESSING);
  const CloseExceptionRequest closing = Troubles::Closing(troubles.ids[0]);
  constexpr int kClients = 8;
  std::vector<absl::Status> statuses(kClients);
  AtOnce(kClients, [&](int i) {
    CloseExceptionRequest request = closing;
    request.set_reason(absl::StrCat("by ", i));
    statuses[static_cast<size_t>(i)] = admin.Send(kClose, request).status;
  });
  int done = 0;
  for (const absl::Status& status : statuses) {
    if (status.ok()) {
      ++done;
    } else {
      CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
      CHECK(errors::Reason(status) == "EXCEPTION_CLOSED");
    }
  }
  CHECK(done == 1);
  CHECK(troubles.stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM audit.entry WHERE entity_kind = "
                    "'exception' AND entity_key = $1",
                    {troubles.ids[0]}) == 1);
}

TEST_CASE("what is no exception, or without a reason, is not closed") {
  const Troubles troubles(SIDE_ORDER);
  const Client admin = troubles.stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER);
  CHECK(errors::Reason(
            admin.Send(kClose, Troubles::Closing(NewRequestId())).status) ==
        "EXCEPTION_NOT_FOUND");
  CloseExceptionRequest request = Troubles::Closing(troubles.ids[0]);
  request.clear_reason();
  CHECK(BadFields(admin.Send(kClose, request).status) ==
        std::vector<std::string>{"reason"});
  // The other side's are the other side's.
  CHECK(errors::Reason(troubles.stack.As(ROLE_MASTER_ADMIN, SIDE_PROCESSING)
                           .Send(kClose, Troubles::Closing(troubles.ids[0]))
                           .status) == "EXCEPTION_NOT_FOUND");
}

TEST_CASE("mtpctl shows the exceptions of both sides and closes them") {
  const Troubles here(SIDE_ORDER);
  const Troubles there(SIDE_PROCESSING);
  const Mtpctl mtpctl(here.stack);
  const std::string both = mtpctl.Do(
      {"exception", "list", "--about", "shipment", "--limit", "1000"});
  CHECK(absl::StrContains(both, here.ids[0]));
  CHECK(absl::StrContains(both, there.ids[0]));
  const std::string one =
      mtpctl.Do({"exception", "list", "--about", "shipment:" + here.key});
  CHECK_FALSE(absl::StrContains(one, there.ids[0]));
  CHECK(absl::StrContains(one, "ordered 500 kg, dispatched 525 kg"));
  CHECK(absl::StrContains(one, "GRANDPASS_OFFICER at the ORDER side"));
  const std::vector<std::string> close = {
      "--side",    "order",    "exception",           "close",
      here.ids[0], "--reason", "settled by telephone"};
  CHECK(absl::StrContains(mtpctl.Do(close), "settled by telephone"));
  CHECK(mtpctl.Try(close).exit_code == 2);
}

}  // namespace
}  // namespace mtp::tests
