#include "cli/demo.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/order_views.h"
#include "cli/processing_views.h"
#include "common/base/status.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/processing/v1/outbound.pb.h"

namespace mtp::cli {
namespace {

using common::v1::Side;
using google::protobuf::Message;

// Two services on one machine agree within milliseconds; one that was just
// started again needs a poll of its outbox.
constexpr absl::Duration kAgreementLimit = absl::Seconds(20);
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);

// Short, and larger with every hundredth of a second.
std::string RunName(absl::Time now) {
  constexpr char kDigits[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  constexpr int64_t kBase = sizeof(kDigits) - 1;
  std::string name;
  for (int64_t left = absl::ToUnixMillis(now) / 10; left > 0; left /= kBase) {
    name.insert(name.begin(), kDigits[left % kBase]);
  }
  return name;
}

}  // namespace

Demo::Demo(Session& session, Story story, std::string run)
    : session_(session), story_(std::move(story)), run_(std::move(run)) {}

absl::Status Demo::Run() {
  struct Step {
    const char* title;
    absl::Status (Demo::*run)();
  };
  constexpr Step kSteps[] = {
      {"The plan", &Demo::ImportPlan},
      {"The request", &Demo::RequestBlend},
      {"Tea comes to Seeduwa", &Demo::ReceiveTea},
      {"The blend", &Demo::Blend},
      {"Quality and the trader's word", &Demo::JudgeBatch},
      {"The shipment is filled", &Demo::FillShipment},
      {"The lorry leaves", &Demo::Dispatch},
      {"Grandpass accepts and uses it", &Demo::AcceptAndUse},
      {"Back to the gardens", &Demo::TraceBack},
  };
  int number = 0;
  for (const Step& step : kSteps) {
    session_.NewCorrelation();
    story_.Step(++number, step.title);
    RETURN_IF_ERROR((this->*step.run)());
  }
  story_.Blank();
  story_.Note(absl::StrCat("Look closer: mtpctl shipment show ",
                           KeyText(shipment_), ", mtpctl trace ",
                           KeyText(shipment_), ", mtpctl sync status"));
  return absl::OkStatus();
}

absl::Status Demo::As(Role role, Message& request, Message& response) {
  return session_.CallAs(role, request, response);
}

absl::Status Demo::Agree(Side side, const std::string& sync_token) {
  const absl::Time begun = absl::Now();
  ops::v1::WaitForSyncRequest request;
  request.set_sync_token(sync_token);
  request.mutable_max_wait()->set_seconds(
      absl::ToInt64Seconds(kAgreementLimit));
  ops::v1::WaitForSyncResponse response;
  RETURN_IF_ERROR(session_.CallSide(side, options::v1::ROLE_MASTER_ADMIN,
                                    request, response));
  const Side other = side == common::v1::SIDE_ORDER
                         ? common::v1::SIDE_PROCESSING
                         : common::v1::SIDE_ORDER;
  if (!response.synced()) {
    return absl::UnavailableError(
        absl::StrCat(SiteName(other), " does not know it after ",
                     absl::FormatDuration(kAgreementLimit),
                     response.peer_reachable() ? "" : ": it is out of reach",
                     "; `mtpctl sync status` shows how the two stand"));
  }
  story_.Note(absl::StrCat(SiteName(other), " knows it (waited ",
                           absl::ToInt64Milliseconds(absl::Now() - begun),
                           " ms)."));
  return absl::OkStatus();
}

absl::Status Demo::Until(Message& request, Message& response,
                         const std::function<bool()>& as_it_must,
                         const std::string& what) {
  const absl::Time limit = absl::Now() + kAgreementLimit;
  for (;;) {
    response.Clear();
    RETURN_IF_ERROR(session_.Call(request, response));
    if (as_it_must()) return absl::OkStatus();
    if (absl::Now() > limit) {
      return absl::UnavailableError(absl::StrCat(
          what, " is not shown after ", absl::FormatDuration(kAgreementLimit)));
    }
    absl::SleepFor(kPollInterval);
  }
}

absl::Status Demo::ShipmentAtGrandpass(common::v1::ShipmentStatus status,
                                       int64_t allocated_grams) {
  order::v1::GetShipmentRequest request;
  *request.mutable_key() = shipment_;
  order::v1::GetShipmentResponse response;
  RETURN_IF_ERROR(Until(
      request, response,
      [&] {
        return response.shipment().status() == status &&
               response.shipment().progress().allocated_grams() ==
                   allocated_grams;
      },
      absl::StrCat("shipment ", KeyText(shipment_), " in ", EnumText(status),
                   " at Grandpass")));
  Many<order::v1::Shipment> one;
  *one.Add() = response.shipment();
  story_.Shows(common::v1::SIDE_ORDER, ShipmentsText(one));
  return absl::OkStatus();
}

absl::Status Demo::ShipmentAtSeeduwa(common::v1::ShipmentStatus status) {
  processing::v1::ListOpenShipmentsRequest request;
  request.set_request_code(shipment_.request_code());
  request.add_statuses(status);
  processing::v1::ListOpenShipmentsResponse response;
  RETURN_IF_ERROR(Until(
      request, response, [&] { return response.shipments_size() > 0; },
      absl::StrCat("shipment ", KeyText(shipment_), " in ", EnumText(status),
                   " at Seeduwa")));
  story_.Shows(common::v1::SIDE_PROCESSING,
               OpenShipmentsText(response.shipments()));
  return absl::OkStatus();
}

void AddDemoCommand(CLI::App& app, Session& session) {
  app.add_subcommand("demo", "One order, end to end, against the local stack")
      ->callback([&session] {
        session.Do([&session] {
          const bool on_terminal =
              isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
          return Demo(session, Story(session.out(), on_terminal),
                      RunName(absl::Now()))
              .Run();
        });
      });
}

}  // namespace mtp::cli
