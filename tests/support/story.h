#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "mtp/processing/v1/trace.pb.h"
#include "tests/support/stack.h"

namespace mtp::tests {

// A call that changes something, as a part of a story: who makes it, what it
// needs, what is learnt from its reply. It has one request_id, so making it
// again changes nothing.
struct Act {
  int step = 0;
  std::string method;
  Role role = options::v1::ROLE_UNSPECIFIED;
  std::string request_id;
  // Unset: the side that the method's package belongs to.
  Side side = common::v1::SIDE_UNSPECIFIED;
  Side at() const {
    return side == common::v1::SIDE_UNSPECIFIED ? Stack::SideOf(method) : side;
  }
  // Whether the side that is asked knows by now what the call speaks of; the
  // other side may still have to tell it. Unset: it does.
  std::function<bool()> ready;
  // With the request_id.
  std::function<std::unique_ptr<google::protobuf::Message>()> request;
  std::function<void(const std::string& reply)> learn;
};

// Gives the request its request_id.
void SetRequestId(google::protobuf::Message& request,
                  const std::string& request_id);
// A request_id that was never used.
std::string NewRequestId();
// Of a file that is about this story's blend: no digest of anything, but as
// unique as one.
std::string FileDigest(const std::string& blend_code);

// An act whose request and response are the given messages, under a request_id
// of its own. `fill` says all but the request_id.
template <typename Request, typename Response>
Act MakeAct(int step, std::string_view method, Role role,
            std::function<void(Request&)> fill,
            std::function<void(const Response&)> learn = {}) {
  Act act{.step = step,
          .method = std::string(method),
          .role = role,
          .request_id = NewRequestId()};
  act.request = [fill = std::move(fill), request_id = act.request_id] {
    auto request = std::make_unique<Request>();
    SetRequestId(*request, request_id);
    fill(*request);
    return request;
  };
  act.learn = [learn = std::move(learn)](const std::string& reply) {
    Response response;
    if (learn && response.ParseFromString(reply)) learn(response);
  };
  return act;
}

// "One order, end to end", the nine steps of the main job, with codes of its
// own, so that many can be told in one stack.
class Story {
 public:
  static constexpr int kLastStep = 9;
  static constexpr int64_t kOrderedGrams = 500'000;
  static constexpr int64_t kTeaBagGrams = 50'000;
  static constexpr int64_t kTeaBagCount = 40;
  static constexpr int64_t kBlendedTeaBagCount = 10;
  static constexpr int64_t kBalanceGrams = 100'000;
  static constexpr int64_t kBlendBagGrams = 50'000;
  static constexpr int64_t kBlendBagCount = 12;
  static constexpr int64_t kShippedBagCount = kOrderedGrams / kBlendBagGrams;
  static constexpr int64_t kParcelGrams = 30'000;

  explicit Story(Stack& stack);
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  // The calls of steps 1 to 8, in order; step 9 changes nothing.
  const std::vector<Act>& acts() const { return acts_; }

  // Makes the call: waits until it is ready, and repeats it, under the same
  // request_id, for as long as the service cannot be reached. Fails the test
  // if it is refused.
  void Do(const Act& act);
  // The same without assertions, for threads beside the test's.
  absl::Status Try(const Act& act);
  // The first call of this method.
  const Act& Find(std::string_view method) const;
  // All calls before the first one of this method.
  void DoUntil(std::string_view method);
  // All calls of these steps; step 9 is asserted.
  void DoSteps(int first, int last);
  void DoAll() { DoSteps(1, kLastStep); }

  // As each side shows the shipment now. A default one when it cannot be told.
  order::v1::Shipment AtGrandpass() const;
  processing::v1::OpenShipment AtSeeduwa() const;
  // Everything that the first parcel contains, and everything that contains
  // something of the tealine.
  processing::v1::TraceResponse TraceOfParcel() const;
  processing::v1::TraceResponse TraceOfTealine() const;

  Stack& stack() const { return stack_; }

  // What the story is about; what the services choose is empty until its step.
  const std::string order_code;
  const std::string blend_code;
  const std::string garden;
  const std::string location;
  const std::string vehicle;
  common::v1::ShipmentKey shipment;
  std::string plan_import_id;
  std::string location_id;
  std::string tealine_id;
  std::string balance_id;
  std::string recipe_id;
  std::string batch_id;
  std::vector<std::string> tea_bags;
  std::string balance_bag;
  std::vector<std::string> blend_bags;
  std::vector<std::string> shipment_allocations;
  std::string dispatch_id;
  int64_t schedule_code = 0;
  std::vector<std::string> parcels;

 private:
  template <typename Request, typename Response>
  Act& Add(int step, std::string_view method, Role role,
           std::function<void(Request&)> fill,
           std::function<void(const Response&)> learn = {}) {
    return acts_.emplace_back(MakeAct<Request, Response>(
        step, method, role, std::move(fill), std::move(learn)));
  }
  void AddPlan();
  void AddRequest();
  void AddTea();
  void AddBlend();
  void AddApproval();
  void AddAllocations();
  void AddDispatch();
  void AddParcels();

  Stack& stack_;
  std::vector<Act> acts_;
};

}  // namespace mtp::tests
