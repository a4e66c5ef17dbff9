#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/session.h"
#include "cli/story.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/options/v1/role.pb.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/materials.pb.h"

namespace mtp::cli {

// One order, end to end, against the local stack: from the plan to the parcel
// and back to the gardens, every step by the role whose work it is. Whatever it
// makes has names of its own, so that it can be run again and again.
class Demo {
 public:
  // `run` distinguishes the codes of this run: letters and digits.
  Demo(Session& session, Story story, std::string run);

  absl::Status Run();

 private:
  using Message = google::protobuf::Message;
  using Role = options::v1::Role;

  // The nine steps (demo_grandpass.cc, demo_seeduwa.cc).
  absl::Status ImportPlan();
  absl::Status RequestBlend();
  absl::Status ReceiveTea();
  absl::Status Blend();
  absl::Status JudgeBatch();
  absl::Status FillShipment();
  absl::Status Dispatch();
  absl::Status AcceptAndUse();
  absl::Status TraceBack();

  // Their parts.
  absl::Status ChoosePlan();
  absl::Status ApproveSpecial();
  absl::Status FindLocation();
  absl::Status DefineTealine(const std::string& code, const std::string& garden,
                             const std::string& grade, int64_t bags,
                             int64_t bag_grams,
                             processing::v1::Tealine& tealine);
  absl::Status DefineBlendbalance();
  absl::Status WeighIn(const processing::v1::BatchReceiveBagsRequest& request,
                       const std::string& what,
                       std::vector<processing::v1::Bag>& bags);
  absl::Status DefineBlendsheet(std::string& recipe_id);
  absl::Status BlendIn();
  absl::Status BlendOut();
  absl::Status CreateSchedule();
  absl::Status MakeParcels();
  absl::Status CompleteSchedule();
  absl::Status RecallTealine();

  // Calls as somebody of that role.
  absl::Status As(Role role, Message& request, Message& response);
  // Waits until the other side has confirmed what `side` told it.
  absl::Status Agree(common::v1::Side side, const std::string& sync_token);
  // Asks until what is shown is as it must become.
  absl::Status Until(Message& request, Message& response,
                     const std::function<bool()>& as_it_must,
                     const std::string& what);
  // How each side shows the shipment, once it is in this status there.
  absl::Status ShipmentAtGrandpass(common::v1::ShipmentStatus status,
                                   int64_t allocated_grams);
  absl::Status ShipmentAtSeeduwa(common::v1::ShipmentStatus status);

  Session& session_;
  Story story_;
  const std::string run_;

  order::v1::Plan plan_;
  common::v1::ShipmentKey shipment_;
  std::string location_;
  processing::v1::Tealine first_tealine_;
  processing::v1::Tealine second_tealine_;
  std::string blendbalance_id_;
  std::vector<processing::v1::Bag> first_bags_;
  std::vector<processing::v1::Bag> second_bags_;
  std::vector<processing::v1::Bag> balance_bags_;
  std::vector<processing::v1::Bag> blend_bags_;
  std::string batch_id_;
  std::vector<processing::v1::Allocation> shipped_;
  int64_t schedule_code_ = 0;
  std::vector<processing::v1::Parcel> parcels_;
};

}  // namespace mtp::cli
