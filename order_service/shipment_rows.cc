#include "order_service/shipment_rows.h"

#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/base/protos.h"
#include "common/base/test_points.h"
#include "common/sync/outbox.h"
#include "mtp/options/v1/role.pb.h"
#include "order_service/rows.h"

namespace mtp::db {

// 'NONE', 'REQUESTED', 'ALLOWED', 'DENIED', as the table's check names them.
constexpr std::string_view kApprovalTexts[] = {"NONE", "REQUESTED", "ALLOWED",
                                               "DENIED"};

void Codec<order::ApprovalState>::Encode(std::string& out,
                                         order::ApprovalState v) {
  out.append(kApprovalTexts[static_cast<size_t>(v)]);
}

order::ApprovalState Codec<order::ApprovalState>::Decode(std::string_view in) {
  size_t state = 0;
  while (state + 1 < std::size(kApprovalTexts) && kApprovalTexts[state] != in)
    ++state;
  return static_cast<order::ApprovalState>(state);
}

}  // namespace mtp::db

namespace mtp::order {

using handlers::Actor;
using handlers::Context;

// A readiness that nobody said yet is 'NONE' in the table and unspecified in
// the contract.
constexpr std::string_view kColumns = R"(
  shipment.request_code, shipment.shipment_code, shipment.order_code,
  shipment.product_name, shipment.item_code, shipment.quantity_grams,
  shipment.split_from_shipment_code, shipment.status, shipment.special,
  shipment.approval, shipment.approval_remarks, shipment.approval_by,
  shipment.approval_by_username, shipment.approval_by_role, shipment.approval_at,
  shipment.cancelled, shipment.cancel_remarks, shipment.cancelled_by,
  shipment.cancelled_by_username, shipment.cancelled_by_role, shipment.cancelled_at,
  shipment.accepted, shipment.accept_remarks, shipment.accepted_by,
  shipment.accepted_by_username, shipment.accepted_by_role, shipment.accepted_at,
  shipment.accept_recorded_at, shipment.received_grams, shipment.closed_short,
  shipment.recovered, shipment.version, shipment.changed_at, shipment.created_at,
  shipment.updated_at, shipment.progress_epoch, shipment.progress_version,
  shipment.progress_changed_at, shipment.progress_heard_at,
  replace(shipment.readiness, 'NONE', ''), shipment.readiness_remarks,
  shipment.readiness_by, shipment.readiness_by_username, shipment.readiness_by_role,
  shipment.readiness_at, shipment.allocated_grams, shipment.dispatched,
  shipment.dispatch_vehicle, shipment.dispatched_at, shipment.dispatched_by,
  shipment.dispatched_by_username, shipment.dispatched_by_role,
  shipment.dispatched_grams, shipment.dispatched_bags, shipment.manifest_digest,
  shipment.correction_reason, shipment.corrected_by, shipment.corrected_by_username,
  shipment.corrected_by_role, shipment.corrected_at,
  (SELECT peer_heard_at FROM sync.epoch)
)";
constexpr std::string_view kArrays = R"(
  unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],
    $7::bigint[], $8::text[], $9::boolean[], $10::text[], $11::text[], $12::text[],
    $13::text[], $14::text[], $15::timestamptz[], $16::boolean[], $17::text[],
    $18::text[], $19::text[], $20::text[], $21::timestamptz[], $22::boolean[],
    $23::text[], $24::text[], $25::text[], $26::text[], $27::timestamptz[],
    $28::timestamptz[], $29::bigint[], $30::boolean[], $31::boolean[], $32::bigint[],
    $33::timestamptz[], $34::timestamptz[], $35::timestamptz[], $36::bigint[],
    $37::bigint[], $38::timestamptz[], $39::timestamptz[], $40::text[], $41::text[],
    $42::text[], $43::text[], $44::text[], $45::timestamptz[], $46::bigint[],
    $47::boolean[], $48::text[], $49::timestamptz[], $50::text[], $51::text[],
    $52::text[], $53::bigint[], $54::bigint[], $55::bytea[], $56::text[], $57::text[],
    $58::text[], $59::text[], $60::timestamptz[]
  ) AS fresh (
    request_code, shipment_code, order_code, product_name, item_code, quantity_grams,
    split_from_shipment_code, status, special, approval, approval_remarks, approval_by,
    approval_by_username, approval_by_role, approval_at, cancelled, cancel_remarks,
    cancelled_by, cancelled_by_username, cancelled_by_role, cancelled_at, accepted,
    accept_remarks, accepted_by, accepted_by_username, accepted_by_role, accepted_at,
    accept_recorded_at, received_grams, closed_short, recovered, version, changed_at,
    created_at, updated_at, progress_epoch, progress_version, progress_changed_at,
    progress_heard_at, readiness, readiness_remarks, readiness_by,
    readiness_by_username, readiness_by_role, readiness_at, allocated_grams, dispatched,
    dispatch_vehicle, dispatched_at, dispatched_by, dispatched_by_username,
    dispatched_by_role, dispatched_grams, dispatched_bags, manifest_digest,
    correction_reason, corrected_by, corrected_by_username, corrected_by_role,
    corrected_at
  )
)";

const db::Statement Shipment::kLoad = db::Compose(
    {"SELECT ", kColumns, R"(
  FROM shipment JOIN unnest($1::bigint[], $2::bigint[])
    AS wanted (request_code, shipment_code) USING (request_code, shipment_code)
  ORDER BY shipment.request_code, shipment.shipment_code
)",
     Planted("order-row-not-locked") ? "" : "FOR UPDATE OF shipment"});

const db::Statement Shipment::kInsert = db::Compose({R"(
  INSERT INTO shipment (
    request_code, shipment_code, order_code, product_name, item_code, quantity_grams,
    split_from_shipment_code, status, special, approval, approval_remarks, approval_by,
    approval_by_username, approval_by_role, approval_at, cancelled, cancel_remarks,
    cancelled_by, cancelled_by_username, cancelled_by_role, cancelled_at, accepted,
    accept_remarks, accepted_by, accepted_by_username, accepted_by_role, accepted_at,
    accept_recorded_at, received_grams, closed_short, recovered, version, changed_at,
    created_at, updated_at, progress_epoch, progress_version, progress_changed_at,
    progress_heard_at, readiness, readiness_remarks, readiness_by,
    readiness_by_username, readiness_by_role, readiness_at, allocated_grams, dispatched,
    dispatch_vehicle, dispatched_at, dispatched_by, dispatched_by_username,
    dispatched_by_role, dispatched_grams, dispatched_bags, manifest_digest,
    correction_reason, corrected_by, corrected_by_username, corrected_by_role,
    corrected_at
  ) SELECT
    fresh.request_code, fresh.shipment_code, fresh.order_code, fresh.product_name,
    fresh.item_code, fresh.quantity_grams, fresh.split_from_shipment_code, fresh.status,
    fresh.special, fresh.approval, fresh.approval_remarks, fresh.approval_by,
    fresh.approval_by_username, fresh.approval_by_role, fresh.approval_at,
    fresh.cancelled, fresh.cancel_remarks, fresh.cancelled_by,
    fresh.cancelled_by_username, fresh.cancelled_by_role, fresh.cancelled_at,
    fresh.accepted, fresh.accept_remarks, fresh.accepted_by, fresh.accepted_by_username,
    fresh.accepted_by_role, fresh.accepted_at, fresh.accept_recorded_at,
    fresh.received_grams, fresh.closed_short, fresh.recovered, fresh.version,
    fresh.changed_at, fresh.created_at, fresh.updated_at, fresh.progress_epoch,
    fresh.progress_version, fresh.progress_changed_at, fresh.progress_heard_at,
    coalesce(nullif(fresh.readiness, ''), 'NONE'), fresh.readiness_remarks,
    fresh.readiness_by, fresh.readiness_by_username, fresh.readiness_by_role,
    fresh.readiness_at, fresh.allocated_grams, fresh.dispatched, fresh.dispatch_vehicle,
    fresh.dispatched_at, fresh.dispatched_by, fresh.dispatched_by_username,
    fresh.dispatched_by_role, fresh.dispatched_grams, fresh.dispatched_bags,
    fresh.manifest_digest, fresh.correction_reason, fresh.corrected_by,
    fresh.corrected_by_username, fresh.corrected_by_role, fresh.corrected_at
  FROM)",
                                                     kArrays});

const db::Statement Shipment::kUpdate = db::Compose({R"(
  UPDATE shipment SET
    quantity_grams = fresh.quantity_grams, status = fresh.status,
    approval = fresh.approval, approval_remarks = fresh.approval_remarks,
    approval_by = fresh.approval_by, approval_by_username = fresh.approval_by_username,
    approval_by_role = fresh.approval_by_role, approval_at = fresh.approval_at,
    cancelled = fresh.cancelled, cancel_remarks = fresh.cancel_remarks,
    cancelled_by = fresh.cancelled_by,
    cancelled_by_username = fresh.cancelled_by_username,
    cancelled_by_role = fresh.cancelled_by_role, cancelled_at = fresh.cancelled_at,
    accepted = fresh.accepted, accept_remarks = fresh.accept_remarks,
    accepted_by = fresh.accepted_by, accepted_by_username = fresh.accepted_by_username,
    accepted_by_role = fresh.accepted_by_role, accepted_at = fresh.accepted_at,
    accept_recorded_at = fresh.accept_recorded_at,
    received_grams = fresh.received_grams, closed_short = fresh.closed_short,
    recovered = fresh.recovered, version = fresh.version, changed_at = fresh.changed_at,
    updated_at = fresh.updated_at, progress_epoch = fresh.progress_epoch,
    progress_version = fresh.progress_version,
    progress_changed_at = fresh.progress_changed_at,
    progress_heard_at = fresh.progress_heard_at,
    readiness = coalesce(nullif(fresh.readiness, ''), 'NONE'),
    readiness_remarks = fresh.readiness_remarks, readiness_by = fresh.readiness_by,
    readiness_by_username = fresh.readiness_by_username,
    readiness_by_role = fresh.readiness_by_role, readiness_at = fresh.readiness_at,
    allocated_grams = fresh.allocated_grams, dispatched = fresh.dispatched,
    dispatch_vehicle = fresh.dispatch_vehicle, dispatched_at = fresh.dispatched_at,
    dispatched_by = fresh.dispatched_by,
    dispatched_by_username = fresh.dispatched_by_username,
    dispatched_by_role = fresh.dispatched_by_role,
    dispatched_grams = fresh.dispatched_grams, dispatched_bags = fresh.dispatched_bags,
    manifest_digest = fresh.manifest_digest,
    correction_reason = fresh.correction_reason, corrected_by = fresh.corrected_by,
    corrected_by_username = fresh.corrected_by_username,
    corrected_by_role = fresh.corrected_by_role, corrected_at = fresh.corrected_at
  FROM)",
                                                     kArrays, R"(
  WHERE shipment.request_code = fresh.request_code
    AND shipment.shipment_code = fresh.shipment_code
)"});

// Rows in the order in which they happened: that is the order of their numbers.
const db::Statement ShipmentEvent::kInsert{R"(
  INSERT INTO shipment_event (
    request_code, shipment_code, event_id, cause, from_status, to_status,
    quantity_grams, remarks, vehicle, said_by, said_by_username, said_by_role,
    occurred_at, recorded_at, recovered, correlation_id
  ) SELECT
    request_code, shipment_code, event_id, cause, from_status, to_status,
    quantity_grams, remarks, vehicle, said_by, said_by_username, said_by_role,
    occurred_at, recorded_at, recovered, correlation_id
  FROM unnest(
    $1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[],
    $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
    $13::timestamptz[], $14::timestamptz[], $15::boolean[], $16::text[]
  ) WITH ORDINALITY AS fresh (
    request_code, shipment_code, event_id, cause, from_status, to_status,
    quantity_grams, remarks, vehicle, said_by, said_by_username, said_by_role,
    occurred_at, recorded_at, recovered, correlation_id, place
  )
  ORDER BY place
)"};

const db::Statement ShipmentDifference::kInsert{R"(
  INSERT INTO shipment_difference (
    request_code, shipment_code, barcode, kind, recorded_at
  ) SELECT request_code, shipment_code, barcode, kind, recorded_at
  FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[])
    AS fresh (request_code, shipment_code, barcode, kind, recorded_at)
)"};

const db::Statement DifferencesKept::kLoad{R"(
  SELECT request_code, shipment_code, count(*) FILTER (WHERE kind = 'MISSING'),
    count(*) FILTER (WHERE kind = 'DAMAGED'), count(*) FILTER (WHERE kind = 'SENT_BACK')
  FROM shipment_difference JOIN unnest($1::bigint[], $2::bigint[])
    AS wanted (request_code, shipment_code) USING (request_code, shipment_code)
  GROUP BY request_code, shipment_code
)"};

// Behind the columns of Shipment::kLoaded: the bags of its differences, and its
// open exceptions with their parts divided by \x1f.
constexpr std::string_view kShownBesides = R"(,
  ARRAY(SELECT d.barcode::text FROM shipment_difference AS d
    WHERE d.request_code = shipment.request_code
      AND d.shipment_code = shipment.shipment_code AND d.kind = 'MISSING'
    ORDER BY d.barcode),
  ARRAY(SELECT d.barcode::text FROM shipment_difference AS d
    WHERE d.request_code = shipment.request_code
      AND d.shipment_code = shipment.shipment_code AND d.kind = 'DAMAGED'
    ORDER BY d.barcode),
  ARRAY(SELECT d.barcode::text FROM shipment_difference AS d
    WHERE d.request_code = shipment.request_code
      AND d.shipment_code = shipment.shipment_code AND d.kind = 'SENT_BACK'
    ORDER BY d.barcode),
  ARRAY(SELECT concat_ws(E'\x1f', e.exception_id, e.kind, e.must_act, e.description)
    FROM sync.exception AS e
    WHERE e.closed_at IS NULL
      AND e.things @> ARRAY[format('shipment:%s/%s', shipment.request_code,
                                   shipment.shipment_code)]
    ORDER BY e.exception_id)
)";

constexpr std::string_view kEventColumns = R"(
    shipment_event.request_code, shipment_event.shipment_code, shipment_event.event_id,
    shipment_event.cause, shipment_event.from_status, shipment_event.to_status,
    shipment_event.quantity_grams, shipment_event.remarks, shipment_event.vehicle,
    shipment_event.said_by, shipment_event.said_by_username,
    shipment_event.said_by_role, shipment_event.occurred_at,
    shipment_event.recorded_at, shipment_event.recovered,
    shipment_event.correlation_id
,
    shipment_event.event_number
)";

namespace {

db::Statement Select(std::initializer_list<std::string_view> columns,
                     std::initializer_list<std::string_view> from) {
  std::string select = "SELECT ";
  for (const std::string_view part : columns) select.append(part);
  std::string rest;
  for (const std::string_view part : from) rest.append(part);
  return db::Compose({select, " ", rest});
}

handlers::Actor ActorOf(const std::string& by, const std::string& username,
                        options::v1::Role role) {
  return {by, username, role};
}

void Show(const std::optional<absl::Time>& time,
          google::protobuf::Timestamp* proto) {
  *proto = ToProto(*time);
}

}  // namespace

db::Statement SelectShipments(std::initializer_list<std::string_view> from) {
  return Select({kColumns, kShownBesides}, from);
}

db::Statement SelectShipmentEvents(
    std::initializer_list<std::string_view> from) {
  return Select({kEventColumns}, from);
}

v1::Shipment ReadShipment(const db::Row& row) {
  Shipment shipment;
  std::vector<std::string> missing, damaged, sent_back, exceptions;
  std::apply(
      [&](auto... member) {
        row.Into(shipment.*member..., missing, damaged, sent_back, exceptions);
      },
      Shipment::kLoaded);
  v1::Shipment shown = shipment.Shown();
  if (shipment.accepted) {
    v1::AcceptanceDifferences& differences =
        *shown.mutable_acceptance()->mutable_differences();
    for (const std::string& barcode : missing)
      differences.add_missing_barcodes(barcode);
    for (const std::string& barcode : damaged)
      differences.add_damaged_barcodes(barcode);
    for (const std::string& barcode : sent_back) {
      differences.add_sent_back_barcodes(barcode);
    }
  }
  for (const std::string& text : exceptions) {
    const std::vector<std::string> parts =
        absl::StrSplit(text, absl::MaxSplits('\x1f', 3));
    v1::ShipmentException& exception = *shown.add_open_exceptions();
    exception.set_exception_id(parts[0]);
    exception.set_kind(parts[1]);
    exception.set_role(db::EnumFromText<options::v1::Role>(parts[2]));
    exception.set_description(parts[3]);
  }
  return shown;
}

v1::ShipmentEvent ReadShipmentEvent(const db::Row& row, int64_t* event_number) {
  ShipmentEvent event;
  int64_t number = 0;
  std::apply([&](auto... member) { row.Into(event.*member..., number); },
             ShipmentEvent::kInserted);
  if (event_number != nullptr) *event_number = number;
  return event.Shown();
}

ShipmentStatus Shipment::StatusFromFacts() const {
  if (accepted) return common::v1::SHIPMENT_STATUS_SHIPMENT_ACCEPTED;
  if (dispatched) return common::v1::SHIPMENT_STATUS_SHIPMENT_DISPATCHED;
  if (cancelled) return common::v1::SHIPMENT_STATUS_SHIPMENT_CANCELLED;
  if (approval == ApprovalState::kRequested) {
    return common::v1::SHIPMENT_STATUS_APPROVAL_REQUESTED;
  }
  if (approval == ApprovalState::kDenied) {
    return common::v1::SHIPMENT_STATUS_APPROVAL_DENIED;
  }
  switch (readiness) {
    case common::v1::READINESS_READY:
      return common::v1::SHIPMENT_STATUS_ORDER_READY;
    case common::v1::READINESS_NOT_READY:
      return common::v1::SHIPMENT_STATUS_ORDER_NOT_READY;
    default:
      return common::v1::SHIPMENT_STATUS_ORDER_REQUESTED;
  }
}

bool Shipment::Open() const {
  switch (status) {
    case common::v1::SHIPMENT_STATUS_ORDER_REQUESTED:
    case common::v1::SHIPMENT_STATUS_ORDER_NOT_READY:
    case common::v1::SHIPMENT_STATUS_ORDER_READY:
      return true;
    default:
      return false;
  }
}

v1::Shipment Shipment::Shown() const {
  v1::Shipment proto;
  key().To(proto.mutable_key());
  proto.set_order_code(order_code);
  proto.set_product_name(product_name);
  proto.set_item_code(item_code);
  proto.set_quantity_grams(quantity_grams);
  proto.set_status(status);
  proto.set_special(special);
  proto.set_split_from_shipment_code(
      static_cast<int32_t>(split_from_shipment_code));
  proto.set_closed_short(closed_short);
  if (approval == ApprovalState::kAllowed ||
      approval == ApprovalState::kDenied) {
    v1::Approval& shown = *proto.mutable_approval();
    shown.set_allowed(approval == ApprovalState::kAllowed);
    shown.set_order_remarks(approval_remarks);
    ActorOf(approval_by, approval_by_username, approval_by_role)
        .To(shown.mutable_actor());
    if (approval_at) Show(approval_at, shown.mutable_decided_at());
  }
  if (cancelled) {
    v1::Cancellation& shown = *proto.mutable_cancellation();
    shown.set_order_remarks(cancel_remarks);
    ActorOf(cancelled_by, cancelled_by_username, cancelled_by_role)
        .To(shown.mutable_actor());
    if (cancelled_at) Show(cancelled_at, shown.mutable_cancelled_at());
  }
  if (accepted) {
    v1::Acceptance& shown = *proto.mutable_acceptance();
    shown.set_shipment_remarks(accept_remarks);
    if (received_grams)
      shown.mutable_differences()->set_received_grams(*received_grams);
    ActorOf(accepted_by, accepted_by_username, accepted_by_role)
        .To(shown.mutable_actor());
    if (accepted_at) Show(accepted_at, shown.mutable_occurred_at());
    if (accept_recorded_at)
      Show(accept_recorded_at, shown.mutable_recorded_at());
  }
  *proto.mutable_progress() = ShownProgress();
  *proto.mutable_created_at() = ToProto(created_at);
  *proto.mutable_updated_at() = ToProto(updated_at);
  proto.set_etag(etag());
  return proto;
}

v1::ShipmentProgress Shipment::ShownProgress() const {
  v1::ShipmentProgress proto;
  proto.set_readiness(readiness);
  proto.set_order_remarks(readiness_remarks);
  if (readiness_at) {
    ActorOf(readiness_by, readiness_by_username, readiness_by_role)
        .To(proto.mutable_readiness_actor());
    Show(readiness_at, proto.mutable_readiness_at());
  }
  proto.set_allocated_grams(allocated_grams);
  if (dispatched) {
    v1::Dispatch& shown = *proto.mutable_dispatch();
    shown.set_shipment_vehicle(dispatch_vehicle);
    if (dispatched_at) Show(dispatched_at, shown.mutable_dispatched_at());
    shown.set_bag_count(dispatched_bags);
    shown.set_dispatched_grams(dispatched_grams);
    if (manifest_digest) shown.set_manifest_digest(manifest_digest->value);
    ActorOf(dispatched_by, dispatched_by_username, dispatched_by_role)
        .To(shown.mutable_actor());
    shown.set_correction_reason(correction_reason);
  }
  common::v1::Freshness& freshness = *proto.mutable_freshness();
  freshness.set_version(progress_version);
  if (progress_changed_at)
    Show(progress_changed_at, freshness.mutable_changed_at());
  if (peer_heard_at) Show(peer_heard_at, freshness.mutable_peer_heard_at());
  return proto;
}

v1::ShipmentEvent ShipmentEvent::Shown() const {
  v1::ShipmentEvent proto;
  proto.set_event_id(event_id.ToString());
  db::ShipmentKey{request_code, shipment_code}.To(proto.mutable_key());
  proto.set_status(to_status);
  proto.set_cause(cause);
  proto.set_quantity_grams(quantity_grams);
  if (!said_by.empty()) {
    ActorOf(said_by, said_by_username, said_by_role).To(proto.mutable_actor());
  }
  *proto.mutable_occurred_at() = ToProto(occurred_at);
  *proto.mutable_recorded_at() = ToProto(recorded_at);
  proto.set_remarks(remarks);
  proto.set_vehicle(vehicle);
  proto.set_correlation_id(correlation_id);
  proto.set_recovered(recovered);
  return proto;
}

v1::ShipmentEvent Record(const Shipment& shipment, v1::ShipmentEventCause cause,
                         std::optional<ShipmentStatus> from, ShipmentStatus to,
                         const Said& said, Context& context, Rows& rows) {
  ShipmentEvent event{.request_code = shipment.request_code,
                      .shipment_code = shipment.shipment_code,
                      .event_id = context.NewId(),
                      .cause = cause,
                      .from_status = from,
                      .to_status = to,
                      .quantity_grams = shipment.quantity_grams,
                      .remarks = said.remarks,
                      .vehicle = said.vehicle,
                      .said_by = said.actor.subject,
                      .said_by_username = said.actor.username,
                      .said_by_role = said.actor.role,
                      .occurred_at = said.occurred_at,
                      .recorded_at = context.now(),
                      .recovered = said.recovered,
                      .correlation_id = said.correlation_id.empty()
                                            ? context.correlation_id()
                                            : said.correlation_id};
  v1::ShipmentEvent shown = event.Shown();
  rows.shipment_events.Append(std::move(event));
  return shown;
}

v1::ShipmentEvent Record(const Shipment& shipment, v1::ShipmentEventCause cause,
                         std::optional<ShipmentStatus> from, const Said& said,
                         Context& context, Rows& rows) {
  return Record(shipment, cause, from, shipment.status, said, context, rows);
}

std::string Tell(const Shipment& shipment, Context& context) {
  if (!shipment.Told()) return "";
  return context.Tell(sync::kShipment, shipment.key().Text(), shipment.version);
}

MadeShipment MakeShipment(const NewShipment& asked, Context& context,
                          Rows& rows) {
  Shipment made{.request_code = asked.key.request_code,
                .shipment_code = asked.key.shipment_code,
                .order_code = asked.order_code,
                .product_name = asked.product_name,
                .item_code = asked.item_code,
                .quantity_grams = asked.quantity_grams,
                .special = asked.special,
                .approval = asked.approval,
                .changed_at = context.now(),
                .created_at = context.now(),
                .updated_at = context.now()};
  if (asked.approval == ApprovalState::kAllowed) {
    made.approval_by = asked.said.actor.subject;
    made.approval_by_username = asked.said.actor.username;
    made.approval_by_role = asked.said.actor.role;
    made.approval_at = asked.said.occurred_at;
  }
  made.status = made.StatusFromFacts();
  const Shipment& shipment = rows.shipments.Insert(std::move(made));
  MadeShipment result{.shipment = &shipment};
  result.event =
      Record(shipment, asked.cause, std::nullopt, asked.said, context, rows);
  context.AuditAt(asked.said.occurred_at, "shipment", shipment.key().Text(),
                  "requested",
                  {{"order_code", shipment.order_code},
                   {"quantity_grams", shipment.quantity_grams},
                   {"status", std::string(db::EnumText(shipment.status))}});
  result.sync_token = Tell(shipment, context);
  return result;
}

SplitOff Split(Shipment& shipment, int64_t quantity_grams, const Said& said,
               Context& context, Rows& rows) {
  OrderRequest& request =
      rows.requests.Edit(*rows.requests.Find(shipment.request_code));
  Shipment rest{.request_code = shipment.request_code,
                .shipment_code = request.next_shipment_code++,
                .order_code = shipment.order_code,
                .product_name = shipment.product_name,
                .item_code = shipment.item_code,
                .quantity_grams = shipment.quantity_grams - quantity_grams -
                                  (Planted("split-loses-a-gram") ? 1 : 0),
                .split_from_shipment_code = shipment.shipment_code,
                .special = shipment.special,
                .approval = shipment.approval,
                .approval_remarks = shipment.approval_remarks,
                .approval_by = shipment.approval_by,
                .approval_by_username = shipment.approval_by_username,
                .approval_by_role = shipment.approval_by_role,
                .approval_at = shipment.approval_at,
                .changed_at = context.now(),
                .created_at = context.now(),
                .updated_at = context.now(),
                .peer_heard_at = shipment.peer_heard_at};
  rest.status = rest.StatusFromFacts();

  const int64_t before_grams =
      std::exchange(shipment.quantity_grams, quantity_grams);
  const ShipmentStatus status = shipment.status;
  if (!Planted("version-not-raised")) shipment.Changed(context.now());
  Record(shipment, v1::SHIPMENT_EVENT_CAUSE_QUANTITY_LOWERED, status, said,
         context, rows);
  context.AuditAt(said.occurred_at, "shipment", shipment.key().Text(),
                  "quantity lowered",
                  {{"from_grams", before_grams},
                   {"quantity_grams", quantity_grams},
                   {"split_off_shipment", rest.key().Text()},
                   {"order_remarks", said.remarks}});

  const Shipment& made = rows.shipments.Insert(std::move(rest));
  Record(made, v1::SHIPMENT_EVENT_CAUSE_SPLIT_OFF, std::nullopt, said, context,
         rows);
  context.AuditAt(said.occurred_at, "shipment", made.key().Text(), "split off",
                  {{"split_from_shipment", shipment.key().Text()},
                   {"quantity_grams", made.quantity_grams}});
  return {.rest = &made,
          .sync_token = sync::JoinSyncTokens(
              {Tell(shipment, context), Tell(made, context)})};
}

}  // namespace mtp::order
