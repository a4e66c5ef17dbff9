#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/rpc/call.h"
#include "order_service/rows.h"
#include "order_service/sync.h"

namespace mtp::tests {

// Where decisions of the order service are made without a database: rows that
// are there, and calls that come one after the other.
class OrderDesk {
 public:
  template <typename Request, typename Response>
  using Decision = absl::StatusOr<Response> (*)(const Request&, order::Context&,
                                                order::Rows&);

  OrderDesk() {
    call_.method =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
            "mtp.order.v1.ShipmentService.GetShipment");
    call_.caller = {rpc::Caller::Kind::kPerson,
                    "01900000-0000-7000-8000-000000000001", "nimal",
                    options::v1::ROLE_GRANDPASS_OFFICER};
    call_.correlation_id = "here";
  }

  // Judges one call as a lane would: a refused one leaves no trace.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Do(Decision<Request, Response> decide,
                              const Request& request) {
    now_ += absl::Seconds(1);
    order::Context context(call_, Uuid{}, now_, broken_rule_);
    absl::StatusOr<Response> response = decide(request, context, rows_);
    marks_.clear();
    audit_.clear();
    if (response.ok()) {
      rows_.Keep();
      marks_ = context.marks();
      audit_ = context.audit_entries();
    } else {
      rows_.Undo();
    }
    return response;
  }

  // A plan of so much under the order code that all requests here have.
  const order::Plan& AddPlan(int64_t requirement_grams) {
    const order::Plan& plan = rows_.plans.Insert(
        {.order_code = kOrderCode, .requirement_grams = requirement_grams});
    rows_.Keep();
    return plan;
  }

  // A request with shipment 1, as CreateRequest would have made it.
  const order::Shipment& AddRequest(int64_t grams, bool special = false) {
    const int64_t code = ++last_request_code_;
    const order::Plan* plan = rows_.plans.Find(kOrderCode);
    rows_.requests.Insert({.request_code = code,
                           .order_code = kOrderCode,
                           .planned = plan != nullptr,
                           .requirement_grams = grams,
                           .special = special});
    if (plan != nullptr && !special)
      rows_.plans.Edit(*plan).requested_grams += grams;
    order::Context context(call_, Uuid{}, now_);
    const order::MadeShipment made = order::MakeShipment(
        {.key = {code, 1},
         .order_code = kOrderCode,
         .product_name = "Earl Grey",
         .item_code = "EG",
         .quantity_grams = grams,
         .special = special,
         .approval = special ? order::ApprovalState::kRequested
                             : order::ApprovalState::kNone,
         .said = {.actor = handlers::Actor::Of(call_.caller),
                  .occurred_at = now_}},
        context, rows_);
    rows_.Keep();
    return *made.shipment;
  }

  // Seeduwa's word on a shipment, as version `version`: what it needs besides
  // is set by the caller.
  static sync::v1::ShipmentProgressState Word(const db::ShipmentKey& key,
                                              int64_t version,
                                              common::v1::Readiness readiness,
                                              int64_t allocated_grams,
                                              int64_t dispatched_grams = 0) {
    sync::v1::ShipmentProgressState state;
    state.mutable_stamp()->set_epoch(1);
    state.mutable_stamp()->set_version(version);
    state.mutable_stamp()->add_correlation_ids("there");
    *state.mutable_stamp()->mutable_changed_at() =
        ToProto(kWordTime + absl::Seconds(version));
    key.To(state.mutable_key());
    state.set_readiness(readiness);
    if (readiness != common::v1::READINESS_UNSPECIFIED) {
      *state.mutable_readiness_at() =
          ToProto(kWordTime + absl::Seconds(readiness));
      state.mutable_readiness_actor()->set_subject("an officer");
    }
    state.set_allocated_grams(allocated_grams);
    if (dispatched_grams > 0) {
      auto& dispatch = *state.mutable_dispatch();
      dispatch.set_shipment_vehicle("WP-1234");
      *dispatch.mutable_dispatched_at() = ToProto(kWordTime);
      dispatch.set_bag_count(4);
      dispatch.set_dispatched_grams(dispatched_grams);
      dispatch.set_manifest_digest(std::string(32, 'm'));
      dispatch.mutable_actor()->set_subject("an operator");
    }
    return state;
  }

  // Applies it and returns the verdict.
  sync::v1::Verdict Hear(const sync::v1::ShipmentProgressState& state,
                         int64_t sender_epoch = 1) {
    sync::v1::ApplyShipmentProgressRequest request;
    request.mutable_sender()->set_epoch(sender_epoch);
    *request.add_states() = state;
    const auto response = Do(order::DecideApplyShipmentProgress, request);
    return response.ok() && response->verdicts_size() == 1
               ? response->verdicts(0)
               : sync::v1::Verdict();
  }

  // From now on the database refuses every call, alone, by this rule.
  void RefuseBy(std::string rule) { broken_rule_ = std::move(rule); }

  const order::Shipment& Shipment(const db::ShipmentKey& key) const {
    return *rows_.shipments.Find(key);
  }
  std::vector<const sync::Exception*> exceptions() const {
    return rows_.exceptions.All();
  }
  // What the last call left in the trail.
  const std::vector<sync::AuditEntry>& audit() const { return audit_; }
  // The kinds of the exceptions that are open, in the order of their ids.
  std::vector<std::string> OpenExceptions() const {
    std::vector<std::string> kinds;
    for (const sync::Exception* e : rows_.exceptions.All()) {
      kinds.emplace_back(db::EnumText(e->kind));
    }
    return kinds;
  }
  size_t event_count() const { return rows_.shipment_events.rows().size(); }
  const order::ShipmentEvent& last_event() const {
    return rows_.shipment_events.rows().back();
  }
  // What the last call told the peer.
  const std::vector<sync::Mark>& marks() const { return marks_; }
  order::Rows& rows() { return rows_; }
  order::Settings& settings() { return settings_; }

  static constexpr const char* kOrderCode = "ORD-1";
  static constexpr absl::Time kWordTime = absl::FromUnixSeconds(1'790'000'000);

 private:
  struct FakeCall : rpc::Call {
    bool Cancelled() const override { return false; }
    void AddTrailer(std::string_view, std::string_view) override {}
    void Reply(std::string) override {}
    void ReplyStream(std::vector<std::string>) override {}
    void Fail(absl::Status) override {}
  };

  order::Settings settings_;
  order::Rows rows_{settings_};
  FakeCall call_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  int64_t last_request_code_ = 0;
  std::optional<std::string> broken_rule_;
  std::vector<sync::Mark> marks_;
  std::vector<sync::AuditEntry> audit_;
};

}  // namespace mtp::tests
