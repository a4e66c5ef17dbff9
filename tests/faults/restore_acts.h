#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "mtp/common/v1/common.pb.h"
#include "tests/faults/plant.h"
#include "tests/support/stack.h"
#include "tests/support/story.h"

// What people do in the tests of restores, before the loss, in it and since. It
// must be done, or the test fails.
namespace mtp::tests {

std::string Text(const common::v1::ShipmentKey& key);

// Does one thing with a request_id of its own, as the role; it must be done.
template <typename Response, typename Request>
Response Do(const Stack& stack, Role role, std::string_view method,
            Request request) {
  request.set_request_id(NewRequestId());
  const auto response = stack.Call<Response>(role, method, request);
  INFO(method << ": " << response.status().ToString());
  REQUIRE(response.ok());
  return *response;
}

// Changes a schedule's section, and back.
void ChangeToAndFro(const Stack& stack, int64_t schedule_code);
// Opens a completed schedule, and completes it again.
void CompleteAgain(const Stack& stack, int64_t schedule_code);

void SayReady(const Stack& stack, const common::v1::ShipmentKey& shipment);
// As soon as that is possible.
void SayNotReady(const Stack& stack, const common::v1::ShipmentKey& shipment);
void Release(const Stack& stack, const std::string& allocation_id);

// A shipment that left did not.
void TakeBackDispatch(const Story& story);
void CorrectVehicle(const Story& story, const std::string& vehicle);
// Another truck takes it, whose name is returned.
std::string DispatchAgain(const Story& story);

// A special request for the story's order, in the supervisor's hands.
common::v1::ShipmentKey AskSpecially(const Stack& stack, const Story& story);
void Approve(const Stack& stack, const common::v1::ShipmentKey& key);

// Has a side compare everything; what kept it from doing so.
std::string CompareAt(const Stack& stack, Side side);

// From now on the owner's database takes none of these new shipments, until
// the trigger `refuse` is dropped.
void RefuseShipments(const Sql& owner, const std::string& which);
// Says that the side was restored, and waits until it has taken back what it
// can, whether or not both sides agree then.
void RecoverAlone(const Plant& plant, Side side);

}  // namespace mtp::tests
