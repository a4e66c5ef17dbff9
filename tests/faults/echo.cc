#include "tests/faults/echo.h"

#include "absl/time/clock.h"
#include "common/base/protos.h"
#include "mtp/sync/v1/states.pb.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::tests {
namespace {

namespace v1 = sync::v1;

constexpr absl::Duration kPatience = absl::Seconds(1);

// As this side's relay would introduce itself now.
absl::StatusOr<v1::Sender> SenderOf(const Stack& stack, Side side) {
  // A transaction that is committed when its number is known, as a relay's
  // claim.
  const absl::StatusOr<Sql::Rows> rows = stack.Owner(side).Try(
      "SELECT own_epoch, pg_current_xact_id()::text FROM sync.epoch");
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return absl::NotFoundError("no epoch");
  v1::Sender sender;
  sender.set_side(side);
  sender.set_epoch(std::stoll((*rows)[0][0]));
  sender.set_high_water(std::stoll((*rows)[0][1]));
  *sender.mutable_sent_at() = ToProto(absl::Now());
  sender.set_instance("echo");
  return sender;
}

// The message that tells the peer all states of a kind (the first some hundred)
// as they are now; empty when there are none.
template <typename Request, typename States>
std::string Telling(const Stack& stack, const v1::Sender& telling,
                    const v1::Sender& asking, v1::EntityKind kind,
                    States states) {
  v1::ListStatesRequest ask;
  *ask.mutable_sender() = asking;
  ask.set_kind(kind);
  ask.set_owner(telling.side());
  ask.set_page_size(200);
  const Reply reply = stack.Peer(telling.side())
                          .Send("mtp.sync.v1.SyncService/ListStates",
                                {ask.SerializeAsString()}, kPatience);
  v1::ListStatesResponse response;
  if (!reply.status.ok() || !response.ParseFromString(reply.bytes())) return "";
  Request request;
  *request.mutable_sender() = telling;
  for (const v1::State& state : response.states()) {
    *request.add_states() = (state.*states)();
  }
  return request.states_size() == 0 ? "" : request.SerializeAsString();
}

}  // namespace

Echo Echo::Of(const Stack& stack, Side owner) {
  Echo echo;
  absl::StatusOr<v1::Sender> asking = SenderOf(stack, PeerOf(owner));
  const absl::StatusOr<v1::Sender> telling = SenderOf(stack, owner);
  if (!asking.ok() || !telling.ok()) return echo;
  asking->set_high_water(0);
  echo.owner_ = owner;
  if (owner == SIDE_ORDER) {
    echo.first_ = Telling<v1::ApplyShipmentsRequest>(stack, *telling, *asking,
                                                     v1::ENTITY_KIND_SHIPMENT,
                                                     &v1::State::shipment);
    echo.second_ = Telling<v1::ApplySchedulesRequest>(stack, *telling, *asking,
                                                      v1::ENTITY_KIND_SCHEDULE,
                                                      &v1::State::schedule);
  } else {
    echo.first_ = Telling<v1::ApplyShipmentProgressRequest>(
        stack, *telling, *asking, v1::ENTITY_KIND_SHIPMENT_PROGRESS,
        &v1::State::shipment_progress);
    echo.second_ = Telling<v1::ApplyScheduleProgressRequest>(
        stack, *telling, *asking, v1::ENTITY_KIND_SCHEDULE_PROGRESS,
        &v1::State::schedule_progress);
  }
  return echo;
}

absl::Status Echo::Deliver(const Stack& stack) const {
  const bool order = owner_ == SIDE_ORDER;
  absl::Status delivered;
  const auto deliver = [&](const char* method, const std::string& message) {
    if (message.empty()) return;
    const Reply reply =
        stack.Peer(PeerOf(owner_)).Send(method, {message}, kPatience);
    delivered.Update(reply.status);
    // All answers have the receipt in the same place.
    v1::ApplyShipmentsResponse response;
    if (!response.ParseFromString(reply.bytes())) return;
    const v1::Refusal refusal = response.receipt().refusal();
    if (refusal != v1::REFUSAL_UNSPECIFIED) {
      delivered.Update(
          absl::FailedPreconditionError(v1::Refusal_Name(refusal)));
    }
  };
  deliver(order ? "mtp.sync.v1.ProcessingSyncService/ApplyShipments"
                : "mtp.sync.v1.OrderSyncService/ApplyShipmentProgress",
          first_);
  deliver(order ? "mtp.sync.v1.ProcessingSyncService/ApplySchedules"
                : "mtp.sync.v1.OrderSyncService/ApplyScheduleProgress",
          second_);
  return delivered;
}

}  // namespace mtp::tests
