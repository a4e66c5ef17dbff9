#include <catch2/catch.hpp>
#include <map>

#include "common/base/errors.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "mtp/processing/v1/materials.pb.h"
#include "mtp/processing/v1/recipes.pb.h"
#include "tests/support/story.h"

namespace mtp::tests {
namespace {

namespace pro = processing::v1;
using options::v1::ROLE_SEEDUWA_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;

constexpr char kReceiveBag[] = "mtp.processing.v1.BagService/ReceiveBag";
constexpr char kDeleteTealine[] =
    "mtp.processing.v1.MaterialService/DeleteTealine";
constexpr char kDeleteHerbline[] =
    "mtp.processing.v1.MaterialService/DeleteHerbline";
constexpr char kDeleteLocation[] =
    "mtp.processing.v1.LocationService/DeleteLocation";

constexpr int kRounds = 6;
constexpr int kClients = 8;

const Stack& TheStack() { return Stack::Shared(); }

template <typename Response>
Response Done(options::v1::Role role, std::string_view method,
              const google::protobuf::Message& request) {
  const auto response = TheStack().Call<Response>(role, method, request);
  INFO(response.status());
  REQUIRE(response.ok());
  return *response;
}

std::string NewName() { return NewRequestId().substr(24); }

std::string NewLocation(bool herb_section = false) {
  pro::CreateLocationRequest request;
  request.mutable_location()->set_name("Removal " + NewName());
  request.mutable_location()->set_herb_section(herb_section);
  return Done<pro::CreateLocationResponse>(
             ROLE_SEEDUWA_ADMIN,
             "mtp.processing.v1.LocationService/CreateLocation", request)
      .location()
      .location_id();
}

pro::Tealine NewTealine() {
  pro::CreateTealineRequest request;
  request.mutable_tealine()->set_item_code("RT-" + NewName());
  request.mutable_tealine()->set_invoice("I");
  request.mutable_tealine()->set_grade("BOPF");
  request.mutable_tealine()->set_garden("Kenmare");
  request.mutable_tealine()->set_bag_count(100);
  request.mutable_tealine()->set_bag_grams(50'000);
  return Done<pro::CreateTealineResponse>(
             ROLE_SEEDUWA_ADMIN,
             "mtp.processing.v1.MaterialService/CreateTealine", request)
      .tealine();
}

pro::Herbline NewHerbline() {
  pro::CreateHerblineRequest request;
  request.mutable_herbline()->set_item_code("RH-" + NewName());
  request.mutable_herbline()->set_name("Ginger");
  request.mutable_herbline()->set_expected_grams(5'000);
  return Done<pro::CreateHerblineResponse>(
             ROLE_SEEDUWA_ADMIN,
             "mtp.processing.v1.MaterialService/CreateHerbline", request)
      .herbline();
}

pro::ReceiveBagRequest Receipt(const std::string& item_id,
                               const std::string& location_id) {
  pro::ReceiveBagRequest request;
  request.mutable_receipt()->set_item_id(item_id);
  request.mutable_receipt()->set_location_id(location_id);
  request.mutable_receipt()->set_gross_grams(10'000);
  return request;
}

template <typename Request>
Request Delete(const std::string& item_id) {
  Request request;
  request.set_item_id(item_id);
  return request;
}
pro::DeleteLocationRequest DeleteLocation(const std::string& location_id) {
  pro::DeleteLocationRequest request;
  request.set_location_id(location_id);
  return request;
}

std::string Reason(options::v1::Role role, std::string_view method,
                   const google::protobuf::Message& request) {
  const absl::Status status =
      TheStack().As(role, SIDE_PROCESSING).Send(method, request).status;
  return status.ok() ? "" : errors::Reason(status);
}

using Outcomes = std::map<std::string, int>;

// Half of the clients make one call, the others another, all at the same
// moment; what became of each half.
std::pair<Outcomes, Outcomes> Race(options::v1::Role role,
                                   std::string_view method,
                                   const google::protobuf::Message& request,
                                   std::string_view removal,
                                   const google::protobuf::Message& removed) {
  std::vector<std::string> reasons(kClients);
  const Client user = TheStack().As(role, SIDE_PROCESSING);
  const Client admin = TheStack().As(ROLE_SEEDUWA_ADMIN, SIDE_PROCESSING);
  AtOnce(kClients, [&](int i) {
    const absl::Status status = i % 2 == 0
                                    ? user.Send(method, request).status
                                    : admin.Send(removal, removed).status;
    reasons[static_cast<size_t>(i)] = status.ok() ? "" : errors::Reason(status);
  });
  std::pair<Outcomes, Outcomes> outcomes;
  for (size_t i = 0; i < reasons.size(); ++i) {
    ++(i % 2 == 0 ? outcomes.first : outcomes.second)[reasons[i]];
  }
  return outcomes;
}

TEST_CASE("what nothing hangs on is removed, and then it is not there") {
  const std::string tealine = NewTealine().item_id();
  const auto request = Delete<pro::DeleteTealineRequest>(tealine);
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteTealine, request) == "");
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteTealine, request) ==
        "ITEM_NOT_FOUND");
  pro::GetTealineRequest get;
  get.set_item_id(tealine);
  CHECK(Reason(ROLE_SEEDUWA_ADMIN,
               "mtp.processing.v1.MaterialService/GetTealine",
               get) == "ITEM_NOT_FOUND");
  CHECK(TheStack()
            .Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM tealine WHERE item_id = $1",
                    {tealine}) == 0);

  const std::string location = NewLocation();
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteLocation, DeleteLocation(location)) ==
        "");
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteLocation, DeleteLocation(location)) ==
        "LOCATION_NOT_FOUND");
}

TEST_CASE("what has changed since it was read, or is of another kind, stays") {
  pro::DeleteTealineRequest request =
      Delete<pro::DeleteTealineRequest>(NewTealine().item_id());
  request.set_etag("7");
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteTealine, request) == "ETAG_MISMATCH");
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteTealine,
               Delete<pro::DeleteTealineRequest>(NewHerbline().item_id())) ==
        "ITEM_NOT_FOUND");
  pro::DeleteLocationRequest location = DeleteLocation(NewLocation());
  location.set_etag("7");
  CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteLocation, location) ==
        "ETAG_MISMATCH");
}

TEST_CASE("a place where a bag once lay stays") {
  const std::string here = NewLocation();
  const std::string there = NewLocation();
  const std::string bag =
      Done<pro::ReceiveBagResponse>(ROLE_SEEDUWA_OPERATOR, kReceiveBag,
                                    Receipt(NewTealine().item_id(), here))
          .bag()
          .barcode();
  pro::MoveBagRequest move;
  move.set_barcode(bag);
  move.set_location_id(there);
  Done<pro::MoveBagResponse>(ROLE_SEEDUWA_OPERATOR,
                             "mtp.processing.v1.BagService/MoveBag", move);
  for (const std::string& location : {here, there}) {
    CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteLocation,
                 DeleteLocation(location)) == "LOCATION_IN_USE");
  }
}

TEST_CASE("a tealine is removed, or a bag of it received at the same moment") {
  const std::string location = NewLocation();
  for (int round = 0; round < kRounds; ++round) {
    const std::string tealine = NewTealine().item_id();
    const auto [received, removed] =
        Race(ROLE_SEEDUWA_OPERATOR, kReceiveBag, Receipt(tealine, location),
             kDeleteTealine, Delete<pro::DeleteTealineRequest>(tealine));
    if (removed.contains("")) {
      CHECK(received == Outcomes{{"ITEM_NOT_FOUND", kClients / 2}});
      CHECK(removed == Outcomes{{"", 1}, {"ITEM_NOT_FOUND", kClients / 2 - 1}});
    } else {
      CHECK(received == Outcomes{{"", kClients / 2}});
      CHECK(removed == Outcomes{{"ITEM_IN_USE", kClients / 2}});
    }
  }
}

TEST_CASE("a herb is removed, or a recipe names it at the same moment") {
  for (int round = 0; round < kRounds; ++round) {
    const std::string herbline = NewHerbline().item_id();
    pro::CreateFlavorsheetRequest recipe;
    recipe.set_number("RF-" + NewName());
    recipe.mutable_flavorsheet()->set_flavor_code("RF");
    auto& mixture = *recipe.mutable_flavorsheet()->add_mixtures();
    mixture.set_herbline_item_id(herbline);
    mixture.set_grams(1'000);
    const auto [made, removed] = Race(
        ROLE_SEEDUWA_ADMIN, "mtp.processing.v1.RecipeService/CreateFlavorsheet",
        recipe, kDeleteHerbline, Delete<pro::DeleteHerblineRequest>(herbline));
    if (removed.contains("")) {
      CHECK(made == Outcomes{{"ITEM_NOT_FOUND", kClients / 2}});
      CHECK(removed == Outcomes{{"", 1}, {"ITEM_NOT_FOUND", kClients / 2 - 1}});
    } else {
      CHECK(made ==
            Outcomes{{"", 1}, {"RECIPE_NUMBER_TAKEN", kClients / 2 - 1}});
      CHECK(removed == Outcomes{{"ITEM_IN_USE", kClients / 2}});
    }
  }
}

TEST_CASE("a place is removed, or a bag put there at the same moment") {
  const std::string tealine = NewTealine().item_id();
  for (int round = 0; round < kRounds; ++round) {
    const std::string location = NewLocation();
    const auto [received, removed] =
        Race(ROLE_SEEDUWA_OPERATOR, kReceiveBag, Receipt(tealine, location),
             kDeleteLocation, DeleteLocation(location));
    if (removed.contains("")) {
      CHECK(received == Outcomes{{"LOCATION_NOT_FOUND", kClients / 2}});
      CHECK(removed ==
            Outcomes{{"", 1}, {"LOCATION_NOT_FOUND", kClients / 2 - 1}});
    } else {
      CHECK(received == Outcomes{{"", kClients / 2}});
      CHECK(removed == Outcomes{{"LOCATION_IN_USE", kClients / 2}});
    }
  }
}

TEST_CASE("a name that was given up is free again") {
  pro::CreateLocationRequest create;
  create.mutable_location()->set_name("Again " + NewName());
  for (int round = 0; round < 3; ++round) {
    const std::string location =
        Done<pro::CreateLocationResponse>(
            ROLE_SEEDUWA_ADMIN,
            "mtp.processing.v1.LocationService/CreateLocation", create)
            .location()
            .location_id();
    CHECK(Reason(ROLE_SEEDUWA_ADMIN, kDeleteLocation,
                 DeleteLocation(location)) == "");
  }
}

}  // namespace
}  // namespace mtp::tests
