#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/story.h"

namespace mtp::tests {

// The changes that the story of one order does without: splitting, cancelling,
// approving and denying, editing, giving back, blocking. The stories they start
// from are told by the constructor; the acts are for the test.
class Detours {
 public:
  explicit Detours(Stack& stack);

  // In this order, each after the one before was done.
  const std::vector<Act>& acts() const { return acts_; }

 private:
  template <typename Request, typename Response>
  Act& Add(std::string_view method, Role role,
           std::function<void(Request&)> fill,
           std::function<void(const Response&)> learn = {}) {
    return acts_.emplace_back(MakeAct<Request, Response>(
        0, method, role, std::move(fill), std::move(learn)));
  }

  void AddRequests();
  void AddApprovals();
  void AddSchedules();
  void AddMaterials();
  void AddRemovals();
  void AddRecipes();
  void AddTraders();
  void AddMatrix();
  void AddShipments();
  void AddBags();
  void AddParcels();
  void AddExceptions(Stack& stack);
  void AddDeadLetters(Stack& stack);
  void AddProcessActs();
  void AddUsers();

  // A plan without requests.
  Story plan_;
  // Its batch waits for the trader's word.
  Story asked_;
  // Its batch is allowed; nothing is allocated to the shipment yet.
  Story allowed_;
  // All but the trace.
  Story done_;

  std::vector<common::v1::ShipmentKey> shipments_;
  common::v1::ShipmentKey special_;
  int64_t schedule_code_ = 0;
  std::string location_id_;
  std::string herbline_id_;
  std::string removed_id_;
  const std::string opening_bag_;  // its barcode
  std::string flavorsheet_id_;
  std::string allocation_id_;
  std::string user_;  // a subject
  std::vector<Act> acts_;
};

}  // namespace mtp::tests
