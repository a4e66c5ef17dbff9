#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "mtp/audit/v1/audit.pb.h"
#include "mtp/processing/v1/dashboards.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "processing_service/activities.h"
#include "tests/integration/detours.h"
#include "tests/support/agreement.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

namespace pro = processing::v1;
using audit::v1::AuditEntry;
using audit::v1::ListEntriesRequest;
using audit::v1::ListEntriesResponse;
using namespace options::v1;  // the roles

constexpr char kListActivities[] =
    "mtp.processing.v1.DashboardService/ListActivities";
constexpr char kListEntries[] = "mtp.audit.v1.AuditService/ListEntries";

// All pages of a list, by pages of this size.
template <typename Item, typename Response, typename Request>
std::vector<Item> AllOf(const Client& client, std::string_view method,
                        Request request, int page_size,
                        const google::protobuf::RepeatedPtrField<Item>& (
                            Response::*items)() const) {
  std::vector<Item> all;
  request.set_page_size(page_size);
  do {
    const auto page = client.Call<Response>(method, request);
    INFO(page.status());
    REQUIRE(page.ok());
    REQUIRE(((*page).*items)().size() <= page_size);
    for (const Item& item : ((*page).*items)()) all.push_back(item);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return all;
}

std::vector<pro::Activity> Activities(const pro::ListActivitiesRequest& request,
                                      int page_size = 1000) {
  return AllOf<pro::Activity>(
      Stack::Shared().As(ROLE_GRANDPASS_GATEPASS, SIDE_PROCESSING),
      kListActivities, request, page_size,
      &pro::ListActivitiesResponse::activities);
}

std::vector<AuditEntry> Entries(Side side, const ListEntriesRequest& request,
                                int page_size = 1000) {
  return AllOf<AuditEntry>(Stack::Shared().As(ROLE_MASTER_ADMIN, side),
                           kListEntries, request, page_size,
                           &ListEntriesResponse::entries);
}

pro::ListActivitiesRequest About(const std::string& kind,
                                 const std::string& key) {
  pro::ListActivitiesRequest request;
  request.set_order_by(pro::LIST_ACTIVITIES_ORDER_RECORDED);
  request.mutable_about()->set_kind(kind);
  request.mutable_about()->set_key(key);
  return request;
}

std::string KeyOf(const Story& story) { return KeyText(story.shipment); }

std::vector<pro::ActivityKind> KindsOf(
    const std::vector<pro::Activity>& activities) {
  std::vector<pro::ActivityKind> kinds;
  for (const pro::Activity& activity : activities)
    kinds.push_back(activity.kind());
  return kinds;
}

int Count(const std::vector<pro::Activity>& activities,
          pro::ActivityKind kind) {
  const auto kinds = KindsOf(activities);
  return static_cast<int>(std::count(kinds.begin(), kinds.end(), kind));
}

bool Names(const pro::Activity& activity, const std::string& kind,
           const std::string& key) {
  return std::any_of(activity.things().begin(), activity.things().end(),
                     [&](const common::v1::Thing& thing) {
                       return thing.kind() == kind && thing.key() == key;
                     });
}

TEST_CASE("a bag, a batch, a lot and a shipment tell who did what, in order") {
  Story story(Stack::Shared());
  story.DoAll();

  const auto bag = Activities(About("bag", story.blend_bags[0]));
  CHECK(KindsOf(bag) == std::vector{pro::ACTIVITY_KIND_BAG_RECEIVED,
                                    pro::ACTIVITY_KIND_ALLOCATED,
                                    pro::ACTIVITY_KIND_BAG_DISPATCHED,
                                    pro::ACTIVITY_KIND_PARCEL_CREATED});
  const pro::Activity& allocated = bag.at(1);
  CHECK(allocated.grams() == Story::kBlendBagGrams);
  CHECK(allocated.actor().role() == ROLE_SEEDUWA_OPERATOR);
  CHECK(allocated.actor().subject() ==
        Identities::Subject(ROLE_SEEDUWA_OPERATOR));
  CHECK_FALSE(allocated.correlation_id().empty());
  CHECK(allocated.things(0).kind() == "bag");
  CHECK(allocated.things(1).kind() == "batch");
  CHECK(allocated.things(1).key() == story.batch_id);
  CHECK(Names(allocated, "shipment", KeyOf(story)));
  CHECK(allocated.text() == "50 kg of bag 1 of " + story.blend_code +
                                "/1 went to shipment " + KeyOf(story) + ".");
  // As a label has it.
  CHECK(Activities(About("bag", "blendsheet:" + story.blend_bags[0])).size() ==
        bag.size());

  const auto batch = Activities(About("batch", story.batch_id));
  CHECK(batch.front().kind() == pro::ACTIVITY_KIND_BATCH_OPENED);
  // What went in, what came out, and what became of that.
  CHECK(Count(batch, pro::ACTIVITY_KIND_ALLOCATED) ==
        Story::kBlendedTeaBagCount + 1 + Story::kShippedBagCount);
  CHECK(Count(batch, pro::ACTIVITY_KIND_BAG_RECEIVED) == Story::kBlendBagCount);
  CHECK(Count(batch, pro::ACTIVITY_KIND_BATCH_ALLOWED) == 1);

  const auto tealine = Activities(About("tealine", story.tealine_id));
  CHECK(tealine.front().kind() == pro::ACTIVITY_KIND_ITEM_CREATED);
  CHECK(Count(tealine, pro::ACTIVITY_KIND_BAG_RECEIVED) == Story::kTeaBagCount);
  CHECK(Count(tealine, pro::ACTIVITY_KIND_ALLOCATED) ==
        Story::kBlendedTeaBagCount);

  const auto shipment = Activities(About("shipment", KeyOf(story)));
  CHECK(shipment.front().kind() == pro::ACTIVITY_KIND_SHIPMENT_HEARD);
  // What Grandpass says nobody here did.
  CHECK_FALSE(shipment.front().has_actor());
  CHECK(Count(shipment, pro::ACTIVITY_KIND_ALLOCATED) ==
        Story::kShippedBagCount);
  CHECK(Count(shipment, pro::ACTIVITY_KIND_SHIPMENT_READY) == 1);
  CHECK(Count(shipment, pro::ACTIVITY_KIND_SHIPMENT_DISPATCHED) == 1);
  CHECK(Count(shipment, pro::ACTIVITY_KIND_PARCEL_CREATED) == 2);

  const auto allocation =
      Activities(About("allocation", story.shipment_allocations[0]));
  CHECK(KindsOf(allocation) == std::vector{pro::ACTIVITY_KIND_ALLOCATED,
                                           pro::ACTIVITY_KIND_PARCEL_CREATED});

  for (const auto& list : {bag, batch, tealine, shipment}) {
    for (size_t i = 1; i < list.size(); ++i) {
      CHECK(FromProto(list[i - 1].recorded_at()) <=
            FromProto(list[i].recorded_at()));
      CHECK(list[i - 1].activity_id() < list[i].activity_id());
    }
  }
}

TEST_CASE("pages of activities join to the whole, either way round") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  pro::ListActivitiesRequest request = About("tealine", story.tealine_id);
  const auto whole = Activities(request);
  REQUIRE(whole.size() == Story::kTeaBagCount + 1);
  std::vector<std::string> ids;
  for (const auto& activity : whole) ids.push_back(activity.activity_id());
  std::vector<std::string> paged;
  for (const auto& activity : Activities(request, 7))
    paged.push_back(activity.activity_id());
  CHECK(paged == ids);
  request.set_order_by(pro::LIST_ACTIVITIES_ORDER_RECORDED_DESCENDING);
  paged.clear();
  for (const auto& activity : Activities(request, 7))
    paged.push_back(activity.activity_id());
  std::reverse(paged.begin(), paged.end());
  CHECK(paged == ids);

  request.set_page_size(7);
  const Client client =
      Stack::Shared().As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING);
  const auto page =
      client.Call<pro::ListActivitiesResponse>(kListActivities, request);
  REQUIRE(page.ok());
  request.set_page_token(page->next_page_token());
  request.set_search("another filter");
  CHECK(errors::Reason(client.Send(kListActivities, request).status) ==
        "PAGE_TOKEN_INVALID");
}

TEST_CASE("a search looks through a part of the trail and says so") {
  Stack& stack = Stack::Shared();
  const std::string location_id = Uuid::V7(absl::Now()).ToString();
  // More than one call looks through.
  stack.Owner(SIDE_PROCESSING)
      .Query(
          "INSERT INTO audit.entry (caller, method, entity_kind, entity_key, "
          "action, change) SELECT 'test', 'test', 'location', $1, 'created', "
          "jsonb_build_object('name', 'Bay ' || number) FROM "
          "generate_series(1, 10001) AS number",
          {location_id});
  pro::ListActivitiesRequest request = About("location", location_id);
  request.set_order_by(pro::LIST_ACTIVITIES_ORDER_RECORDED);
  const auto pages_to = [&](const std::string& search) {
    request.set_search(search);
    request.clear_page_token();
    for (int pages = 1; pages < 10; ++pages) {
      const auto page =
          stack.As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING)
              .Call<pro::ListActivitiesResponse>(kListActivities, request);
      REQUIRE(page.ok());
      if (page->activities_size() == 1) return pages;
      REQUIRE(page->activities_size() == 0);
      REQUIRE_FALSE(page->next_page_token().empty());
      request.set_page_token(page->next_page_token());
    }
    return 0;
  };
  CHECK(pages_to("bay 9999 was") == 1);
  CHECK(pages_to("bay 10001 was") == 2);
  CHECK(Activities(request, 50).size() == 1);
}

TEST_CASE("activities are narrowed by what, who, when, call and words") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  pro::ListActivitiesRequest request = About("tealine", story.tealine_id);
  request.add_kinds(pro::ACTIVITY_KIND_ITEM_CREATED);
  CHECK(KindsOf(Activities(request)) ==
        std::vector{pro::ACTIVITY_KIND_ITEM_CREATED});

  request = About("tealine", story.tealine_id);
  request.set_actor_subject(Identities::Subject(ROLE_SEEDUWA_ADMIN));
  CHECK(Activities(request).size() == 1);

  request = About("tealine", story.tealine_id);
  request.set_search("BAG 17 OF " + story.garden);
  const auto found = Activities(request);
  REQUIRE(found.size() == 1);
  CHECK(absl::StrContains(found[0].text(), "Bag 17 of " + story.garden));
  CHECK(absl::StrContains(found[0].text(), "50 kg at " + story.location));
  request.set_search("seeduwa_operator");  // the tests' username
  CHECK(Activities(request).size() == Story::kTeaBagCount);

  // A name that looks like one of the sentences' own stays as it was written.
  pro::CreateLocationRequest odd;
  odd.mutable_location()->set_name("Bay {kg} {subject} " + NewRequestId());
  const Client admin = Stack::Shared().As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING);
  REQUIRE(admin
              .Call<pro::CreateLocationResponse>(
                  "mtp.processing.v1.LocationService/CreateLocation", odd)
              .ok());
  pro::ListActivitiesRequest searched;
  searched.set_search(odd.location().name());
  const auto as_written = Activities(searched);
  REQUIRE(as_written.size() == 1);
  CHECK(as_written[0].text() ==
        "Location " + odd.location().name() + " was made.");

  pro::ListActivitiesRequest by_call;
  by_call.set_correlation_id(found[0].correlation_id());
  CHECK(Activities(by_call).size() == Story::kTeaBagCount);
  request = About("tealine", story.tealine_id);
  *request.mutable_recorded_before() = found[0].recorded_at();
  CHECK(Activities(request).size() == 1);
  request.clear_recorded_before();
  *request.mutable_recorded_from() = found[0].recorded_at();
  CHECK(Activities(request).size() == Story::kTeaBagCount);

  pro::ListActivitiesRequest of_kind;
  of_kind.mutable_about()->set_kind("location");
  of_kind.set_search(story.location);
  CHECK(Activities(of_kind).size() == 1);
  of_kind.mutable_about()->clear_kind();
  of_kind.mutable_about()->set_key("x");
  CHECK(errors::Reason(Stack::Shared()
                           .As(ROLE_SEEDUWA_OPERATOR, SIDE_PROCESSING)
                           .Send(kListActivities, of_kind)
                           .status) == "INVALID_FIELDS");
}

TEST_CASE("all that is done at Seeduwa is an activity") {
  Stack& stack = Stack::Shared();
  Detours detours(stack);
  Story doer(stack);
  for (const Act& act : detours.acts()) doer.Do(act);
  std::set<std::string> known = {
      "schedule heard", "user heard", "exception opened", "exception closed",
      // The operators' acts are no activities.
      "dead_letter retried", "dead_letter dropped", "reconcile_run started",
      "epoch started", "log_level set", "breaker reset",
      "stock_import refused"};
  for (const processing::ActivityWord& word : processing::ActivityWords()) {
    known.insert(absl::StrCat(std::string(word.entity_kind), " ",
                              std::string(word.action)));
  }
  for (const auto& row : stack.Owner(SIDE_PROCESSING)
                             .Query("SELECT DISTINCT entity_kind || ' ' || "
                                    "action FROM audit.entry")) {
    INFO(row[0]);
    CHECK(known.contains(row[0]));
  }
  for (const pro::Activity& activity : Activities({})) {
    INFO(activity.ShortDebugString());
    CHECK(activity.kind() != pro::ACTIVITY_KIND_UNSPECIFIED);
    // But for a name that another test gave.
    CHECK(absl::StrContains(activity.text(), '{') ==
          absl::StrContains(activity.text(), "Bay {kg} {subject}"));
    CHECK(activity.things_size() > 0);
  }
}

// --- the audit trail, on both sides

TEST_CASE("an entry of the trail tells all of a change") {
  Story story(Stack::Shared());
  story.DoSteps(1, 5);
  const Act& act = story.Find("mtp.processing.v1.BatchService/AllowBatch");
  ListEntriesRequest request;
  request.set_entry_request_id(act.request_id);
  const auto entries = Entries(SIDE_PROCESSING, request);
  REQUIRE(entries.size() == 1);
  const AuditEntry& entry = entries[0];
  CHECK(entry.action() == "/mtp.processing.v1.BatchService/AllowBatch");
  CHECK(entry.actor().role() == ROLE_TRADER_OFFICER);
  CHECK(entry.actor().subject() == Identities::Subject(ROLE_TRADER_OFFICER));
  CHECK(entry.things(0).kind() == "batch");
  CHECK(entry.things(0).key() == story.batch_id);
  CHECK(entry.remarks() == "bright and brisk");
  CHECK(entry.request_id() == act.request_id);
  CHECK(entry.remote_address() == "127.0.0.1");
  CHECK(absl::StrContains(entry.change_json(), "\"done\": \"allowed\""));
  CHECK_FALSE(entry.correlation_id().empty());
  CHECK(entry.entry_number() > 0);
  CHECK(entry.seal_number() == 0);
}

TEST_CASE("the trail is narrowed by person, thing, action, call, time, words") {
  Story story(Stack::Shared());
  story.DoSteps(1, 7);
  const auto count = [](const ListEntriesRequest& request,
                        Side side = SIDE_PROCESSING) {
    return static_cast<int64_t>(Entries(side, request).size());
  };
  ListEntriesRequest request;
  request.mutable_thing()->set_kind("batch");
  request.mutable_thing()->set_key(story.batch_id);
  // Opened, completed, measured, asked for, allowed; and what went in.
  const int64_t of_batch = 5 + Story::kBlendedTeaBagCount + 1;
  CHECK(count(request) == of_batch);
  request.set_actor_subject(Identities::Subject(ROLE_SEEDUWA_OFFICER));
  CHECK(count(request) == 4);
  request.clear_actor_subject();
  request.set_actor_username("Trader_Officer");
  CHECK(count(request) == 1);
  request.clear_actor_username();
  request.set_actor_role(ROLE_SEEDUWA_OPERATOR);
  CHECK(count(request) == Story::kBlendedTeaBagCount + 1);
  request.clear_actor_role();
  for (const char* action : {"/mtp.processing.v1.BatchService",
                             "/mtp.processing.v1.BatchService/"}) {
    request.set_action(action);
    CHECK(count(request) == 5);
  }
  request.set_action("/mtp.processing.v1.BatchService/AllowBatch");
  CHECK(count(request) == 1);
  request.set_action("/mtp.processing.v1.BatchServ");
  CHECK(count(request) == 0);
  request.set_action("/mtp.processing.v1");
  CHECK(count(request) == of_batch);
  request.clear_action();
  request.set_search("BRISK");
  const auto allowed = Entries(SIDE_PROCESSING, request);
  REQUIRE(allowed.size() == 1);
  request.clear_search();
  request.set_correlation_id(allowed[0].correlation_id());
  CHECK(count(request) == 1);
  request.clear_correlation_id();
  *request.mutable_recorded_before() = allowed[0].recorded_at();
  CHECK(count(request) == of_batch - 1);
  request.clear_recorded_before();
  *request.mutable_recorded_from() = allowed[0].recorded_at();
  CHECK(count(request) == 1);

  ListEntriesRequest shipment;
  shipment.mutable_thing()->set_kind("shipment");
  shipment.mutable_thing()->set_key(KeyOf(story));
  shipment.set_action("sync.shipment");
  CHECK(count(shipment) >= 1);
  shipment.set_action("sync");
  CHECK(count(shipment) >= 1);
  shipment.clear_action();
  REQUIRE(Eventually([&] { return Disagreement(Stack::Shared()).empty(); }));
  // Heard, ready, dispatched; and its bags.
  CHECK(count(shipment) >= 3 + Story::kShippedBagCount);
  shipment.set_action("sync.shipment_progress");
  CHECK(count(shipment, SIDE_ORDER) >= 1);

  ListEntriesRequest keyless;
  keyless.mutable_thing()->set_key("x");
  CHECK(errors::Reason(Stack::Shared()
                           .As(ROLE_MASTER_ADMIN, SIDE_ORDER)
                           .Send(kListEntries, keyless)
                           .status) == "INVALID_FIELDS");
}

TEST_CASE("pages of the trail join to the whole, on both sides") {
  const absl::Time before = absl::Now();
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    ListEntriesRequest request;
    request.set_order_by(audit::v1::LIST_ENTRIES_ORDER_ENTRY_NUMBER);
    *request.mutable_recorded_from() = ToProto(before);
    request.set_actor_subject(Identities::Subject(
        side == SIDE_ORDER ? ROLE_GRANDPASS_ADMIN : ROLE_SEEDUWA_ADMIN));
    std::vector<int64_t> numbers;
    for (const AuditEntry& entry : Entries(side, request))
      numbers.push_back(entry.entry_number());
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    CHECK(numbers.size() > 0);
    std::vector<int64_t> paged;
    for (const AuditEntry& entry : Entries(side, request, 3))
      paged.push_back(entry.entry_number());
    CHECK(paged == numbers);
    request.set_order_by(audit::v1::LIST_ENTRIES_ORDER_UNSPECIFIED);
    paged.clear();
    for (const AuditEntry& entry : Entries(side, request, 3))
      paged.push_back(entry.entry_number());
    std::reverse(paged.begin(), paged.end());
    CHECK(paged == numbers);
  }
}

TEST_CASE("a call without a request_id has none in the trail") {
  Story story(Stack::Shared());
  story.DoSteps(1, 3);
  const Act& make =
      story.Find("mtp.processing.v1.LocationService/CreateLocation");
  auto create = make.request();
  SetRequestId(*create, "");
  pro::CreateLocationRequest& location =
      static_cast<pro::CreateLocationRequest&>(*create);
  location.mutable_location()->set_name("Attic of " + story.location);
  const auto made = Stack::Shared().Call<pro::CreateLocationResponse>(
      make.role, make.method, location);
  REQUIRE(made.ok());
  ListEntriesRequest request;
  request.mutable_thing()->set_kind("location");
  request.mutable_thing()->set_key(made->location().location_id());
  const auto entries = Entries(SIDE_PROCESSING, request);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].request_id().empty());
}

}  // namespace
}  // namespace mtp::tests
