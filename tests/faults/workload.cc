#include "tests/faults/workload.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/order/v1/schedules.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/order/v1/users.pb.h"
#include "mtp/processing/v1/allocations.pb.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

namespace ord = order::v1;
namespace pro = processing::v1;
using namespace options::v1;  // the roles

constexpr int64_t kCrossingGrams = 20'000;
// One of the people, who does one thing after the other.
class Person {
 public:
  Person(Stack& stack, Floor& floor, Book& book, const std::atomic<bool>& stop,
         uint32_t seed)
      : stack_(stack), floor_(floor), book_(book), stop_(stop), random_(seed) {}

  void Work();
  void TellStories();
  bool CrossApart(bool cancel);

 private:
  int64_t Between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  bool Once(int in) { return Between(1, in) == 1; }
  std::string AnyOrder() { return floor_.AnyOrder(random_); }
  common::v1::ShipmentKey AnyShipment() { return floor_.AnyShipment(random_); }

  // Says it until it is known what came of it; the reply, if it was done.
  template <typename Response, typename Request>
  std::optional<Response> Ask(std::string_view method, Role role,
                              Request request) {
    Deed deed{.method = std::string(method),
              .role = role,
              .request_id = NewRequestId()};
    SetRequestId(request, deed.request_id);
    deed.request = request.SerializeAsString();
    // Some ask once and go home, some press the button twice.
    const bool once = Once(12);
    Deed twin = deed;
    std::thread second;
    if (Once(8)) {
      second = std::thread(
          [&] { Say(stack_, twin, kPatience, [&] { return !stop_; }); });
    }
    Say(stack_, deed, kPatience, [&] { return !once && !GivenUp(); });
    if (second.joinable()) {
      second.join();
      Agree(deed, twin);
    }
    Response response;
    const bool done = deed.outcome == Deed::Outcome::kDone &&
                      response.ParseFromString(deed.reply);
    book_.Write(std::move(deed));
    if (!done) return std::nullopt;
    return response;
  }
  // One call, asked for twice at the same moment: what is known of it by both
  // answers. It may be refused and a moment later be done, but never refused
  // for what it has done itself.
  void Agree(Deed& deed, Deed& twin) {
    using enum Deed::Outcome;
    if (twin.outcome == kDone) std::swap(deed, twin);
    const bool differs = deed.outcome == kDone &&
                         (twin.outcome == kDone ? deed.reply != twin.reply
                                                : twin.outcome == kRefused &&
                                                      RefusedForItself(twin));
    if (differs) {
      book_.WriteContradiction(absl::StrCat(
          deed.Name(), " ", deed.request_id,
          ", asked for twice at the same time, was answered differently: ",
          deed.status.ToString(), " and ", twin.status.ToString()));
    }
    // Refused once, and the other may have been done meanwhile.
    if (deed.outcome == kRefused && twin.outcome == kUnknown) {
      deed = std::move(twin);
    }
  }
  static bool RefusedForItself(const Deed& deed) {
    static const std::map<std::string, std::string> kItself = {
        {"ShipmentService/AcceptShipment", "is SHIPMENT_ACCEPTED"},
        {"ShipmentService/CancelShipment", "is SHIPMENT_CANCELLED"}};
    const auto itself = kItself.find(deed.Name());
    return itself != kItself.end() &&
           absl::StrContains(deed.status.message(), itself->second);
  }
  bool GivenUp() {
    if (!stop_) return false;
    if (!end_.has_value()) end_ = absl::Now() + kAfterEnd;
    return absl::Now() > *end_;
  }

  void Request();
  void Approve();
  void Cut() { Cut(AnyShipment(), Between(5, 100) * 1'000); }
  bool Cut(const common::v1::ShipmentKey& shipment, int64_t grams);
  void Cancel() { Cancel(AnyShipment()); }
  bool Cancel(const common::v1::ShipmentKey& shipment);
  void Ready();
  void Ready(const common::v1::ShipmentKey& shipment);
  void ReceiveBag() { TakeIn(); }
  // Its barcode.
  std::optional<std::string> TakeIn();
  void WriteOff();
  void Allocate();
  void AllocateMany();
  void Release();
  void Move();
  void Dispatch() { Dispatch(AnyShipment()); }
  bool Dispatch(const common::v1::ShipmentKey& shipment);
  // A new shipment, of which Seeduwa has heard.
  std::optional<common::v1::ShipmentKey> WantForCrossing();
  void Cross();
  bool Cross(const common::v1::ShipmentKey& shipment,
             const std::string& barcode, bool cancel);
  void CorrectDispatch();
  void Accept();
  void Schedule();
  void ChangeSchedule();
  void Reopen();
  void Complete();
  void Parcel();
  void ReleaseParcel();
  void SendAway();

  Stack& stack_;
  Floor& floor_;
  Book& book_;
  const std::atomic<bool>& stop_;
  std::mt19937 random_;
  std::optional<absl::Time> end_;
};

void Person::Work() {
  struct Habit {
    int weight;
    void (Person::*act)();
  };
  static constexpr Habit kHabits[] = {
      {4, &Person::Request},      {2, &Person::Approve},
      {5, &Person::Cut},          {2, &Person::Cancel},
      {6, &Person::Ready},        {2, &Person::ReceiveBag},
      {2, &Person::WriteOff},     {24, &Person::Allocate},
      {4, &Person::AllocateMany}, {3, &Person::Release},
      {3, &Person::Move},         {9, &Person::Dispatch},
      {6, &Person::Cross},        {10, &Person::Accept},
      {2, &Person::Schedule},     {2, &Person::Complete},
      {6, &Person::Parcel},       {2, &Person::ReleaseParcel},
      {1, &Person::SendAway},     {3, &Person::CorrectDispatch},
      {1, &Person::Reopen},       {1, &Person::ChangeSchedule},
  };
  std::vector<int> weights;
  for (const Habit& habit : kHabits) weights.push_back(habit.weight);
  std::discrete_distribution<size_t> any(weights.begin(), weights.end());
  while (!stop_) (this->*kHabits[any(random_)].act)();
}

void Person::TellStories() {
  while (!stop_) {
    Story story(stack_);
    for (const Act& act : story.acts()) {
      const auto ready = [&] { return GivenUp() || !act.ready || act.ready(); };
      if (!Eventually(ready) || GivenUp()) return;
      Deed deed{.method = act.method,
                .role = act.role,
                .request_id = act.request_id,
                .request = act.request()->SerializeAsString()};
      Say(stack_, deed, kPatience, [&] { return !GivenUp(); });
      book_.Write(deed);
      if (deed.outcome != Deed::Outcome::kDone) {
        if (deed.outcome == Deed::Outcome::kRefused) {
          book_.WriteContradiction(absl::StrCat(
              deed.Name(), " was refused in the middle of an order: ",
              deed.status.ToString()));
        }
        return;
      }
      act.learn(deed.reply);
    }
  }
}

void Person::Request() {
  ord::CreateRequestRequest request;
  ord::NewRequest& one = *request.mutable_request();
  one.set_order_code(AnyOrder());
  const bool special = Once(6);
  one.set_requirement_grams(special ? 20'000'000 : Between(10, 150) * 1'000);
  one.set_approval_requested(special);
  const auto response = Ask<ord::CreateRequestResponse>(
      "mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
      request);
  if (!response) return;
  for (const auto& shipment : response->request().shipments()) {
    floor_.Add(shipment.key());
  }
}

void Person::Approve() {
  if (Once(3)) {
    ord::DenyShipmentRequest request;
    *request.mutable_key() = AnyShipment();
    request.set_order_remarks("too much");
    Ask<ord::DenyShipmentResponse>("mtp.order.v1.ShipmentService/DenyShipment",
                                   ROLE_GRANDPASS_SUPERVISOR, request);
  } else {
    ord::ApproveShipmentRequest request;
    *request.mutable_key() = AnyShipment();
    Ask<ord::ApproveShipmentResponse>(
        "mtp.order.v1.ShipmentService/ApproveShipment",
        ROLE_GRANDPASS_SUPERVISOR, request);
  }
}

bool Person::Cut(const common::v1::ShipmentKey& shipment, int64_t grams) {
  ord::SetShipmentQuantityRequest request;
  *request.mutable_key() = shipment;
  request.set_quantity_grams(grams);
  const auto response = Ask<ord::SetShipmentQuantityResponse>(
      "mtp.order.v1.ShipmentService/SetShipmentQuantity",
      Once(2) ? ROLE_GRANDPASS_OFFICER : ROLE_SEEDUWA_OFFICER, request);
  if (response && response->has_split_off_shipment()) {
    floor_.Add(response->split_off_shipment().key());
  }
  return response.has_value();
}

bool Person::Cancel(const common::v1::ShipmentKey& shipment) {
  ord::CancelShipmentRequest request;
  *request.mutable_key() = shipment;
  request.set_order_remarks("not needed any more");
  return Ask<ord::CancelShipmentResponse>(
             "mtp.order.v1.ShipmentService/CancelShipment",
             ROLE_GRANDPASS_OFFICER, request)
      .has_value();
}

void Person::Ready() {
  if (Once(4)) {
    pro::MarkShipmentNotReadyRequest request;
    *request.mutable_key() = AnyShipment();
    request.set_order_remarks("the lift is broken");
    Ask<pro::MarkShipmentNotReadyResponse>(
        "mtp.processing.v1.OutboundService/MarkShipmentNotReady",
        ROLE_SEEDUWA_OFFICER, request);
  } else {
    Ready(AnyShipment());
  }
}

void Person::Ready(const common::v1::ShipmentKey& shipment) {
  pro::MarkShipmentReadyRequest request;
  *request.mutable_key() = shipment;
  Ask<pro::MarkShipmentReadyResponse>(
      "mtp.processing.v1.OutboundService/MarkShipmentReady",
      ROLE_SEEDUWA_OFFICER, request);
}

std::optional<std::string> Person::TakeIn() {
  pro::ReceiveBagRequest request;
  pro::BagReceipt& receipt = *request.mutable_receipt();
  receipt.set_item_id(floor_.tealine_id());
  receipt.set_location(floor_.location());
  receipt.set_gross_grams(kBagGrams + kTareGrams - Between(0, 900));
  receipt.set_tare_grams(kTareGrams);
  const auto response =
      Ask<pro::ReceiveBagResponse>("mtp.processing.v1.BagService/ReceiveBag",
                                   ROLE_SEEDUWA_OPERATOR, request);
  if (!response) return std::nullopt;
  floor_.AddBag(response->bag().barcode());
  return response->bag().barcode();
}

void Person::WriteOff() {
  pro::WriteOffBagRequest request;
  request.set_barcode(floor_.AnyBag(random_));
  request.set_grams(Between(10, 250));
  request.set_reason(pro::WRITE_OFF_REASON_SAMPLE);
  Ask<pro::WriteOffBagResponse>("mtp.processing.v1.BagService/WriteOffBag",
                                ROLE_SEEDUWA_OPERATOR, request);
}

void Person::Allocate() {
  pro::AllocateToShipmentRequest request;
  request.set_barcode(floor_.AnyBag(random_));
  *request.mutable_shipment() = AnyShipment();
  request.set_grams(Between(1, 25) * 1'000);
  const auto response = Ask<pro::AllocateToShipmentResponse>(
      "mtp.processing.v1.AllocationService/AllocateToShipment",
      ROLE_SEEDUWA_OPERATOR, request);
  if (response) floor_.AddAllocation(response->allocation().allocation_id());
}

void Person::AllocateMany() {
  pro::BatchAllocateRequest request;
  for (int64_t i = Between(2, 6); i > 0; --i) {
    pro::AllocationDraft& draft = *request.add_allocations();
    draft.set_barcode(floor_.AnyBag(random_));
    *draft.mutable_shipment() = AnyShipment();
    draft.set_grams(Between(1, 10) * 1'000);
  }
  const auto response = Ask<pro::BatchAllocateResponse>(
      "mtp.processing.v1.AllocationService/BatchAllocate",
      ROLE_SEEDUWA_OPERATOR, request);
  if (!response) return;
  for (const auto& result : response->results()) {
    if (result.has_allocation()) {
      floor_.AddAllocation(result.allocation().allocation_id());
    }
  }
}

void Person::Release() {
  pro::ReleaseAllocationRequest request;
  request.set_allocation_id(floor_.AnyAllocation(random_));
  if (Once(2)) request.set_grams(Between(1, 5) * 1'000);
  if (request.allocation_id().empty()) return;
  Ask<pro::ReleaseAllocationResponse>(
      "mtp.processing.v1.AllocationService/ReleaseAllocation",
      ROLE_SEEDUWA_OPERATOR, request);
}

void Person::Move() {
  pro::MoveAllocationRequest request;
  request.set_allocation_id(floor_.AnyAllocation(random_));
  *request.mutable_shipment() = AnyShipment();
  if (Once(2)) request.set_grams(Between(1, 5) * 1'000);
  if (request.allocation_id().empty()) return;
  const auto response = Ask<pro::MoveAllocationResponse>(
      "mtp.processing.v1.AllocationService/MoveAllocation",
      ROLE_SEEDUWA_OPERATOR, request);
  if (response) floor_.AddAllocation(response->allocation().allocation_id());
}

bool Person::Dispatch(const common::v1::ShipmentKey& shipment) {
  pro::DispatchShipmentsRequest request;
  *request.add_keys() = shipment;
  request.set_shipment_vehicle("LX-" + NewSuffix());
  return Ask<pro::DispatchShipmentsResponse>(
             "mtp.processing.v1.OutboundService/DispatchShipments",
             ROLE_SEEDUWA_OPERATOR, request)
      .has_value();
}

std::optional<common::v1::ShipmentKey> Person::WantForCrossing() {
  ord::CreateRequestRequest wanted;
  wanted.mutable_request()->set_order_code(AnyOrder());
  wanted.mutable_request()->set_requirement_grams(kCrossingGrams);
  const auto made = Ask<ord::CreateRequestResponse>(
      "mtp.order.v1.RequestService/CreateRequest", ROLE_GRANDPASS_OFFICER,
      wanted);
  if (!made || made->request().shipments_size() == 0) return std::nullopt;
  const common::v1::ShipmentKey key = made->request().shipments(0).key();
  const bool heard = Eventually([&] {
    const auto rows = stack_.Database(SIDE_PROCESSING)
                          .Try(
                              "SELECT FROM shipment WHERE request_code = $1 "
                              "AND shipment_code = $2",
                              {absl::StrCat(key.request_code()),
                               absl::StrCat(key.shipment_code())});
    return GivenUp() || (rows.ok() && !rows->empty());
  });
  if (!heard || GivenUp()) return std::nullopt;
  return key;
}

// One who dispatches a shipment while another cancels it or cuts it to a half,
// neither knowing of the other: their news cross on the line. Whether both did.
bool Person::Cross(const common::v1::ShipmentKey& shipment,
                   const std::string& barcode, bool cancel) {
  bool other_done = false;
  std::thread other([&, seed = random_()] {
    Person person(stack_, floor_, book_, stop_, seed);
    other_done = cancel ? person.Cancel(shipment)
                        : person.Cut(shipment, kCrossingGrams / 2);
  });
  pro::AllocateToShipmentRequest taken;
  taken.set_barcode(barcode);
  *taken.mutable_shipment() = shipment;
  taken.set_grams(kCrossingGrams);
  Ask<pro::AllocateToShipmentResponse>(
      "mtp.processing.v1.AllocationService/AllocateToShipment",
      ROLE_SEEDUWA_OPERATOR, taken);
  Ready(shipment);
  const bool left = Dispatch(shipment);
  other.join();
  floor_.Add(shipment);
  return left && other_done;
}

void Person::Cross() {
  const auto shipment = WantForCrossing();
  if (shipment) Cross(*shipment, floor_.AnyBag(random_), Once(2));
}

bool Person::CrossApart(bool cancel) {
  const auto barcode = TakeIn();
  const auto shipment = WantForCrossing();
  if (!barcode || !shipment) return false;
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    stack_.PeerLine(side).Partition();
  const bool crossed = Cross(*shipment, *barcode, cancel);
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING})
    stack_.PeerLine(side).Calm();
  return crossed;
}

void Person::CorrectDispatch() {
  pro::CorrectDispatchRequest request;
  *request.mutable_key() = AnyShipment();
  if (Once(2)) {
    request.set_take_back(true);
    request.set_reason("the lorry broke down in the yard");
  } else {
    request.set_shipment_vehicle("LX-" + NewSuffix());
    request.set_reason("misread");
  }
  Ask<pro::CorrectDispatchResponse>(
      "mtp.processing.v1.OutboundService/CorrectDispatch", ROLE_SEEDUWA_OFFICER,
      request);
}

void Person::Accept() {
  ord::AcceptShipmentRequest request;
  *request.mutable_key() = AnyShipment();
  request.set_shipment_remarks("complete");
  if (Once(4)) {
    request.mutable_differences()->set_received_grams(Between(1, 50) * 1'000);
  }
  Ask<ord::AcceptShipmentResponse>(
      "mtp.order.v1.ShipmentService/AcceptShipment", ROLE_GRANDPASS_GATEPASS,
      request);
}

void Person::Schedule() {
  ord::CreateScheduleRequest request;
  ord::NewSchedule& schedule = *request.mutable_schedule();
  schedule.mutable_date()->set_year(2026);
  schedule.mutable_date()->set_month(11);
  schedule.mutable_date()->set_day(static_cast<int>(Between(1, 30)));
  schedule.set_order_code(AnyOrder());
  schedule.set_shift(common::v1::SHIFT_DAY);
  schedule.set_section("Line 4");
  schedule.set_quantity_grams(Between(5, 50) * 1'000);
  const auto response = Ask<ord::CreateScheduleResponse>(
      "mtp.order.v1.ScheduleService/CreateSchedule", ROLE_GRANDPASS_OFFICER,
      request);
  if (response) floor_.AddSchedule(response->schedule().schedule_code());
}

void Person::Complete() {
  ord::CompleteScheduleRequest request;
  request.set_schedule_code(floor_.AnySchedule(random_));
  if (request.schedule_code() == 0) return;
  Ask<ord::CompleteScheduleResponse>(
      "mtp.order.v1.ScheduleService/CompleteSchedule",
      ROLE_GRANDPASS_DEV_MACHINE, request);
}

void Person::ChangeSchedule() {
  ord::UpdateScheduleRequest request;
  request.set_schedule_code(floor_.AnySchedule(random_));
  if (request.schedule_code() == 0) return;
  request.mutable_schedule()->set_section("Line " + NewSuffix());
  request.mutable_update_mask()->add_paths("section");
  Ask<ord::UpdateScheduleResponse>(
      "mtp.order.v1.ScheduleService/UpdateSchedule", ROLE_GRANDPASS_OFFICER,
      request);
}

void Person::Reopen() {
  ord::ReopenScheduleRequest request;
  request.set_schedule_code(floor_.AnySchedule(random_));
  if (request.schedule_code() == 0) return;
  request.set_reason("one more pallet");
  Ask<ord::ReopenScheduleResponse>(
      "mtp.order.v1.ScheduleService/ReopenSchedule", ROLE_GRANDPASS_OFFICER,
      request);
}

void Person::Parcel() {
  pro::CreateParcelRequest request;
  request.set_allocation_id(floor_.AnyAllocation(random_));
  request.set_schedule_code(floor_.AnySchedule(random_));
  request.set_grams(Between(1, 5) * 1'000);
  if (request.allocation_id().empty() || request.schedule_code() == 0) return;
  const auto response = Ask<pro::CreateParcelResponse>(
      "mtp.processing.v1.AllocationService/CreateParcel",
      ROLE_GRANDPASS_DEV_MACHINE, request);
  if (response) floor_.AddParcel(response->parcel().parcel_id());
}

void Person::ReleaseParcel() {
  pro::ReleaseParcelRequest request;
  request.set_parcel_id(floor_.AnyParcel(random_));
  if (request.parcel_id().empty()) return;
  Ask<pro::ReleaseParcelResponse>(
      "mtp.processing.v1.AllocationService/ReleaseParcel",
      ROLE_GRANDPASS_DEV_MACHINE, request);
}

void Person::SendAway() {
  ord::CreateUserRequest user;
  user.set_username("leaver-" + NewSuffix());
  user.set_role(ROLE_GRANDPASS_OFFICER);
  user.set_password("nine quiet lorries uphill");
  const auto created = Ask<ord::CreateUserResponse>(
      "mtp.order.v1.UserService/CreateUser", ROLE_MASTER_ADMIN, user);
  if (!created) return;
  ord::DisableUserRequest request;
  request.set_subject(created->user().subject());
  request.set_reason("gone to the coast");
  Ask<ord::DisableUserResponse>("mtp.order.v1.UserService/DisableUser",
                                ROLE_MASTER_ADMIN, request);
}

}  // namespace

bool CrossOnTheLine(Stack& stack, Floor& floor, Book& book, bool cancel) {
  // As when all others have gone home: nobody asks for ever.
  const std::atomic<bool> stop = true;
  return Person(stack, floor, book, stop, 0).CrossApart(cancel);
}

Workload::Workload(Stack& stack, Floor& floor, Book& book, uint32_t seed)
    : stack_(stack), floor_(floor), book_(book) {
  for (uint32_t i = 0; i < kPeople; ++i) {
    people_.emplace_back([this, i, seed] {
      Person(stack_, floor_, book_, stop_, seed * 1'000 + i).Work();
    });
  }
  people_.emplace_back([this, seed] {
    Person(stack_, floor_, book_, stop_, seed * 1'000 + kPeople).TellStories();
  });
}

void Workload::Stop() {
  stop_ = true;
  for (std::thread& person : people_) person.join();
  people_.clear();
}

}  // namespace mtp::tests
