#include "processing_service/trace.h"

#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "processing_service/errors.h"
#include "processing_service/trace_graph.h"

namespace mtp::processing {
namespace {

// --- what is reached

// A trace goes from thing to thing by way of allocations, so that a parcel
// leads through its shipment to its own bag alone. $1: the kind of start, $2:
// its id, $3 and $4: a shipment's key.
constexpr std::string_view kStart = R"(
  WITH RECURSIVE reached (kind, id) AS (
    SELECT start.kind, start.id FROM (
      SELECT 'item'::text AS kind, item_id AS id FROM item
      WHERE $1::text = 'item' AND item_id = $2::uuid
      UNION ALL
      SELECT 'batch', batch_id FROM batch WHERE $1 = 'batch' AND batch_id = $2
      UNION ALL
      SELECT 'bag', barcode FROM bag WHERE $1 = 'bag' AND barcode = $2
      UNION ALL
      SELECT 'parcel', parcel_id FROM parcel WHERE $1 = 'parcel' AND parcel_id = $2
      UNION ALL
      SELECT 'allocation', allocation_id FROM allocation
      WHERE $1 = 'allocation' AND allocation_id = $2
      UNION ALL
      SELECT 'allocation', allocation_id FROM allocation
      WHERE $1 = 'shipment' AND request_code = $3::bigint AND shipment_code = $4::bigint
        AND released_at IS NULL
    ) AS start
    UNION
    SELECT step.kind, step.id FROM reached CROSS JOIN LATERAL (
)";
constexpr std::string_view kBackward = R"(
      SELECT 'allocation' AS kind, parcel.allocation_id AS id FROM parcel
      WHERE reached.kind = 'parcel' AND parcel.parcel_id = reached.id
      UNION ALL
      SELECT 'bag', allocation.barcode FROM allocation
      WHERE reached.kind = 'allocation' AND allocation.allocation_id = reached.id
      UNION ALL
      SELECT 'item', bag.item_id FROM bag
      WHERE reached.kind = 'bag' AND bag.barcode = reached.id AND bag.item_id IS NOT NULL
      UNION ALL
      SELECT 'batch', bag.batch_id FROM bag
      WHERE reached.kind = 'bag' AND bag.barcode = reached.id AND bag.batch_id IS NOT NULL
      UNION ALL
      SELECT 'allocation', allocation.allocation_id FROM allocation
      WHERE reached.kind = 'batch' AND allocation.batch_id = reached.id
        AND allocation.released_at IS NULL
    ) AS step)
)";
constexpr std::string_view kForward = R"(
      SELECT 'bag' AS kind, bag.barcode AS id FROM bag
      WHERE reached.kind = 'item' AND bag.item_id = reached.id
      UNION ALL
      SELECT 'bag', bag.barcode FROM bag
      WHERE reached.kind = 'batch' AND bag.batch_id = reached.id
      UNION ALL
      SELECT 'allocation', allocation.allocation_id FROM allocation
      WHERE reached.kind = 'bag' AND allocation.barcode = reached.id
        AND allocation.released_at IS NULL
      UNION ALL
      SELECT 'batch', allocation.batch_id FROM allocation
      WHERE reached.kind = 'allocation' AND allocation.allocation_id = reached.id
        AND allocation.batch_id IS NOT NULL
      UNION ALL
      SELECT 'parcel', parcel.parcel_id FROM parcel
      WHERE reached.kind = 'allocation' AND parcel.allocation_id = reached.id
        AND parcel.released_at IS NULL
    ) AS step)
)";

constexpr std::string_view kItems = R"(
  SELECT item.item_id, item.kind, item.item_code, item.created_at, item.received_grams,
    coalesce(tealine.garden, ''), coalesce(tealine.grade, ''),
    coalesce(tealine.invoice, ''), coalesce(tealine.broker, ''),
    coalesce(tealine.purchase_order, herbline.purchase_order, ''),
    coalesce(herbline.name, ''), coalesce(blendbalance.blend_code, ''),
    coalesce(blendbalance.transfer_id, '')
  FROM reached
  JOIN item ON item.item_id = reached.id
  LEFT JOIN tealine ON tealine.item_id = item.item_id
  LEFT JOIN herbline ON herbline.item_id = item.item_id
  LEFT JOIN blendbalance ON blendbalance.item_id = item.item_id
  WHERE reached.kind = 'item'
  ORDER BY item.item_id
)";
constexpr std::string_view kBags = R"(
  SELECT bag.barcode, bag.kind, bag.item_id, bag.batch_id, bag.bag_number, source.name,
    location.name, bag.status, bag.net_grams, bag.remaining_grams,
    (SELECT coalesce(sum(grams), 0)::bigint FROM write_off
     WHERE write_off.barcode = bag.barcode),
    bag.held, bag.occurred_at,
    (SELECT count(*) FROM bag_correction WHERE bag_correction.barcode = bag.barcode)
  FROM reached
  JOIN bag ON bag.barcode = reached.id
)";
constexpr std::string_view kBagsWhere = R"(
  WHERE reached.kind = 'bag'
  ORDER BY bag.barcode
)";
constexpr std::string_view kBatches = R"(
  SELECT batch.batch_id, batch.kind, recipe.number, batch.revision,
    recipe_revision.blend_code || recipe_revision.flavor_code, batch.batch_number,
    batch.state, coalesce(batch.trader_state, ''), batch.in_grams, batch.out_grams,
    batch.occurred_at
  FROM reached
  JOIN batch ON batch.batch_id = reached.id
  JOIN recipe ON recipe.recipe_id = batch.recipe_id
  JOIN recipe_revision ON recipe_revision.recipe_id = batch.recipe_id
                      AND recipe_revision.revision = batch.revision
  WHERE reached.kind = 'batch'
  ORDER BY batch.batch_id
)";
constexpr std::string_view kAllocations = R"(
  SELECT allocation.allocation_id, allocation.barcode, allocation.source_kind,
    allocation.batch_id, allocation.request_code, allocation.shipment_code,
    allocation.grams, allocation.occurred_at
  FROM reached
  JOIN allocation ON allocation.allocation_id = reached.id
  WHERE reached.kind = 'allocation'
  ORDER BY allocation.allocation_id
)";
constexpr std::string_view kShipments = R"(,
    (SELECT peer_heard_at FROM sync.epoch)
  FROM (SELECT allocation.request_code, allocation.shipment_code
        FROM reached JOIN allocation ON allocation.allocation_id = reached.id
        WHERE reached.kind = 'allocation' AND allocation.request_code IS NOT NULL
        UNION
        SELECT $3::bigint, $4::bigint) AS target
  JOIN shipment ON shipment.request_code = target.request_code
               AND shipment.shipment_code = target.shipment_code
  ORDER BY shipment.request_code, shipment.shipment_code
)";
constexpr std::string_view kParcels = R"(
  SELECT parcel.parcel_id, parcel.allocation_id, parcel.schedule_code, parcel.grams,
    parcel.occurred_at, schedule.schedule_date, schedule.shift, schedule.section,
    allocation.source_kind
  FROM reached
  JOIN parcel ON parcel.parcel_id = reached.id
  JOIN schedule ON schedule.schedule_code = parcel.schedule_code
  JOIN allocation ON allocation.allocation_id = parcel.allocation_id
  WHERE reached.kind = 'parcel'
  ORDER BY parcel.parcel_id
)";

// The statements of one direction, in the order in which they are answered.
struct Statements {
  explicit Statements(std::string_view step)
      : items(db::Compose({kStart, step, kItems})),
        bags(db::Compose({kStart, step, kBags, kBagJoins, kBagsWhere})),
        batches(db::Compose({kStart, step, kBatches})),
        allocations(db::Compose({kStart, step, kAllocations})),
        shipments(db::Compose(
            {kStart, step, "SELECT", kShipmentColumns, kShipments})),
        parcels(db::Compose({kStart, step, kParcels})) {}

  db::Statement items, bags, batches, allocations, shipments, parcels;
};

const Statements& StatementsOf(v1::TraceDirection direction) {
  static const auto* backward = new Statements(kBackward);
  static const auto* forward = new Statements(kForward);
  return direction == v1::TRACE_DIRECTION_FORWARD ? *forward : *backward;
}

constexpr db::Statement kNow{"SELECT now()"};

// --- the start

struct Start {
  std::string kind;
  std::optional<Uuid> id;
  db::ShipmentKey shipment;
};

absl::StatusOr<Start> StartOf(const v1::TraceStart& start) {
  switch (start.start_case()) {
    case v1::TraceStart::kBarcode:
      return Start{"bag", ParseBarcode(start.barcode()).uuid, {}};
    case v1::TraceStart::kItemId:
      return Start{"item", Uuid::Parse(start.item_id()), {}};
    case v1::TraceStart::kBatchId:
      return Start{"batch", Uuid::Parse(start.batch_id()), {}};
    case v1::TraceStart::kShipment:
      return Start{"shipment", std::nullopt,
                   db::ShipmentKey::Of(start.shipment())};
    case v1::TraceStart::kParcelId:
      return Start{"parcel", Uuid::Parse(start.parcel_id()), {}};
    case v1::TraceStart::kAllocationId:
      return Start{"allocation", Uuid::Parse(start.allocation_id()), {}};
    default:
      return errors::InvalidField("start", "one of its fields is needed");
  }
}

absl::Status NotFound(const v1::TraceStart& start) {
  switch (start.start_case()) {
    case v1::TraceStart::kBarcode:
      return errors::BagNotFound(start.barcode());
    case v1::TraceStart::kItemId:
      return errors::ItemNotFound(start.item_id());
    case v1::TraceStart::kBatchId:
      return errors::BatchNotFound(start.batch_id());
    case v1::TraceStart::kShipment:
      return errors::ShipmentNotFound(KeyText(start.shipment()));
    case v1::TraceStart::kParcelId:
      return errors::ParcelNotFound(start.parcel_id());
    default:
      return errors::AllocationNotFound(start.allocation_id());
  }
}

// --- nodes and edges

std::string NodeId(std::string_view kind, std::string_view key) {
  return absl::StrCat(std::string(kind), ":", std::string(key));
}
std::string BagNode(const Uuid& barcode) {
  return NodeId("bag", barcode.ToString());
}
std::string BatchNode(const Uuid& id) { return NodeId("batch", id.ToString()); }
std::string ParcelNode(const Uuid& id) {
  return NodeId("parcel", id.ToString());
}
std::string ShipmentNode(const db::ShipmentKey& key) {
  return NodeId("shipment", key.Text());
}

v1::TraceEdge EdgeOf(v1::TraceEdgeKind kind, std::string from, std::string to,
                     int64_t grams, absl::Time occurred_at,
                     const std::optional<Uuid>& allocation_id = std::nullopt) {
  v1::TraceEdge edge;
  edge.set_kind(kind);
  edge.set_from_node_id(std::move(from));
  edge.set_to_node_id(std::move(to));
  edge.set_grams(grams);
  *edge.mutable_occurred_at() = ToProto(occurred_at);
  if (allocation_id.has_value())
    edge.set_allocation_id(allocation_id->ToString());
  return edge;
}

// The rows of a trace while they become a graph.
class Tracer {
 public:
  explicit Tracer(const v1::TraceRequest& request)
      : request_(request), graph_(request.direction()) {}

  void TakeItems(const db::Result& rows);
  void TakeBags(const db::Result& rows);
  void TakeBatches(const db::Result& rows);
  void TakeAllocations(const db::Result& rows);
  void TakeShipments(const db::Result& rows);
  void TakeParcels(const db::Result& rows);
  // NOT_FOUND when there is no such start.
  absl::Status Begin();
  std::vector<v1::TraceResponse> Answer(absl::Time as_of);

 private:
  struct Part {
    Uuid barcode;
    MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
    std::optional<Uuid> batch_id;
    std::optional<db::ShipmentKey> shipment;
    int64_t grams = 0;
  };
  bool forward() const {
    return request_.direction() == v1::TRACE_DIRECTION_FORWARD;
  }

  const v1::TraceRequest& request_;
  TraceGraph graph_;
  absl::flat_hash_map<std::string, std::string> item_node_ids_;
  absl::flat_hash_map<Uuid, Part> parts_;
  absl::flat_hash_map<Uuid, MaterialKind> bag_kinds_;
  absl::flat_hash_map<db::ShipmentKey, MaterialKind> shipped_kinds_;
  std::vector<v1::TraceEdge> edges_;
  v1::TraceSummary summary_;
};

void Tracer::TakeItems(const db::Result& rows) {
  for (const db::Row row : rows) {
    TraceGraph::Node node;
    Uuid item_id;
    MaterialKind kind;
    absl::Time created_at;
    int64_t received_grams;
    std::string code, garden, grade, invoice, broker, purchase_order, herb,
        blend, transfer;
    row.Into(item_id, kind, code, created_at, received_grams, garden, grade,
             invoice, broker, purchase_order, herb, blend, transfer);
    v1::TraceNode& proto = node.proto;
    proto.set_node_id(NodeId(db::EnumText(kind), item_id.ToString()));
    proto.set_kind(kind);
    proto.set_total_grams(received_grams);
    switch (kind) {
      case v1::MATERIAL_KIND_TEALINE:
        proto.set_name(absl::StrCat(garden, " ", grade, " ", invoice));
        break;
      case v1::MATERIAL_KIND_HERBLINE:
        proto.set_name(herb);
        break;
      default:
        proto.set_name(absl::StrCat(blend, " ", transfer));
    }
    v1::TracedItem& item = *proto.mutable_item();
    item.set_item_id(item_id.ToString());
    item.set_item_code(std::move(code));
    *item.mutable_created_at() = ToProto(created_at);
    item.set_garden(std::move(garden));
    item.set_grade(std::move(grade));
    item.set_invoice(std::move(invoice));
    item.set_broker(std::move(broker));
    item.set_purchase_order(std::move(purchase_order));
    item.set_herb_name(std::move(herb));
    item.set_blend_code(std::move(blend));
    item.set_transfer_id(std::move(transfer));
    node.divided_by = received_grams;
    item_node_ids_[item_id.ToString()] = proto.node_id();
    graph_.Add(std::move(node));
    summary_.set_item_count(summary_.item_count() + 1);
  }
}

void Tracer::TakeBags(const db::Result& rows) {
  for (const db::Row row : rows) {
    TraceGraph::Node node;
    Uuid barcode;
    MaterialKind kind;
    std::optional<Uuid> item_id, batch_id;
    int64_t bag_number, net_grams, remaining_grams, written_off_grams,
        corrections;
    std::string source_name, location;
    v1::BagStatus status;
    bool held;
    absl::Time occurred_at;
    row.Into(barcode, kind, item_id, batch_id, bag_number, source_name,
             location, status, net_grams, remaining_grams, written_off_grams,
             held, occurred_at, corrections);
    v1::TraceNode& proto = node.proto;
    proto.set_node_id(BagNode(barcode));
    proto.set_name(absl::StrCat(source_name, " #", bag_number));
    proto.set_kind(kind);
    proto.set_total_grams(net_grams);
    v1::TracedBag& bag = *proto.mutable_bag();
    bag.set_barcode(barcode.ToString());
    bag.set_bag_number(bag_number);
    bag.set_location(std::move(location));
    bag.set_status(status);
    bag.set_remaining_grams(remaining_grams);
    bag.set_written_off_grams(written_off_grams);
    bag.set_on_hold(held);
    *bag.mutable_occurred_at() = ToProto(occurred_at);
    bag.set_correction_count(corrections);
    if (item_id.has_value()) {
      edges_.push_back(EdgeOf(v1::TRACE_EDGE_KIND_RECEIVED,
                              NodeId(db::EnumText(kind), item_id->ToString()),
                              BagNode(barcode), net_grams, occurred_at));
    } else {
      edges_.push_back(EdgeOf(v1::TRACE_EDGE_KIND_BLENDED_OUT,
                              BatchNode(*batch_id), BagNode(barcode), net_grams,
                              occurred_at));
    }
    node.divided_by = net_grams;
    bag_kinds_[barcode] = kind;
    graph_.Add(std::move(node));
    summary_.set_bag_count(summary_.bag_count() + 1);
  }
}

void Tracer::TakeBatches(const db::Result& rows) {
  for (const db::Row row : rows) {
    TraceGraph::Node node;
    Uuid batch_id;
    MaterialKind kind;
    std::string recipe_number, code;
    int64_t revision, batch_number, in_grams, out_grams;
    v1::BatchState state;
    v1::TraderState trader_state;
    absl::Time occurred_at;
    row.Into(batch_id, kind, recipe_number, revision, code, batch_number, state,
             trader_state, in_grams, out_grams, occurred_at);
    v1::TraceNode& proto = node.proto;
    proto.set_node_id(BatchNode(batch_id));
    proto.set_name(absl::StrCat(code, "/", batch_number));
    proto.set_kind(kind);
    proto.set_total_grams(out_grams);
    v1::TracedBatch& batch = *proto.mutable_batch();
    batch.set_batch_id(batch_id.ToString());
    batch.set_recipe_number(std::move(recipe_number));
    batch.set_revision(revision);
    batch.set_code(std::move(code));
    batch.set_batch_number(batch_number);
    batch.set_state(state);
    batch.set_trader_state(trader_state);
    batch.set_blend_in_grams(in_grams);
    *batch.mutable_occurred_at() = ToProto(occurred_at);
    node.divided_by = std::max(in_grams, out_grams);
    graph_.Add(std::move(node));
    summary_.set_batch_count(summary_.batch_count() + 1);
  }
}

void Tracer::TakeAllocations(const db::Result& rows) {
  for (const db::Row row : rows) {
    Uuid allocation_id;
    Part part;
    std::optional<int64_t> request_code, shipment_code;
    absl::Time occurred_at;
    row.Into(allocation_id, part.barcode, part.kind, part.batch_id,
             request_code, shipment_code, part.grams, occurred_at);
    if (request_code.has_value() && shipment_code.has_value()) {
      part.shipment = db::ShipmentKey{*request_code, *shipment_code};
      edges_.push_back(EdgeOf(v1::TRACE_EDGE_KIND_SHIPPED,
                              BagNode(part.barcode),
                              ShipmentNode(*part.shipment), part.grams,
                              occurred_at, allocation_id));
      const auto [kind, first] =
          shipped_kinds_.emplace(*part.shipment, part.kind);
      if (!first && kind->second != part.kind) {
        kind->second = v1::MATERIAL_KIND_UNSPECIFIED;
      }
    } else {
      edges_.push_back(EdgeOf(v1::TRACE_EDGE_KIND_BLENDED_IN,
                              BagNode(part.barcode), BatchNode(*part.batch_id),
                              part.grams, occurred_at, allocation_id));
    }
    parts_[allocation_id] = part;
  }
}

void Tracer::TakeShipments(const db::Result& rows) {
  // An allocation is traced back from its bag on.
  if (!forward() && request_.start().has_allocation_id()) return;
  for (const db::Row row : rows) {
    const Shipment shipment = db::Read<Shipment>(row);
    TraceGraph::Node node;
    v1::TraceNode& proto = node.proto;
    proto.set_node_id(ShipmentNode(shipment.key()));
    proto.set_name(
        absl::StrCat(shipment.key().Text(), " ", shipment.product_name));
    if (const auto kind = shipped_kinds_.find(shipment.key());
        kind != shipped_kinds_.end()) {
      proto.set_kind(kind->second);
    }
    proto.set_total_grams(shipment.allocated_grams);
    v1::TracedShipment& traced = *proto.mutable_shipment();
    shipment.key().To(traced.mutable_key());
    traced.set_status(shipment.status);
    traced.set_order_code(shipment.order_code);
    traced.set_product_name(shipment.product_name);
    traced.set_shipment_vehicle(shipment.vehicle);
    if (shipment.dispatched_at.has_value()) {
      *traced.mutable_dispatched_at() = ToProto(*shipment.dispatched_at);
    }
    shipment.FreshnessTo(traced.mutable_freshness());
    node.divided_by = shipment.allocated_grams;
    graph_.Add(std::move(node));
    summary_.set_shipment_count(summary_.shipment_count() + 1);
  }
}

void Tracer::TakeParcels(const db::Result& rows) {
  for (const db::Row row : rows) {
    TraceGraph::Node node;
    Uuid parcel_id, allocation_id;
    int64_t schedule_code, grams;
    absl::Time occurred_at;
    absl::CivilDay date;
    common::v1::Shift shift;
    std::string section;
    MaterialKind kind;
    row.Into(parcel_id, allocation_id, schedule_code, grams, occurred_at, date,
             shift, section, kind);
    v1::TraceNode& proto = node.proto;
    proto.set_node_id(ParcelNode(parcel_id));
    proto.set_name(absl::StrCat("schedule ", schedule_code, " ", section));
    proto.set_kind(kind);
    proto.set_total_grams(grams);
    v1::TracedParcel& parcel = *proto.mutable_parcel();
    parcel.set_parcel_id(parcel_id.ToString());
    parcel.set_allocation_id(allocation_id.ToString());
    parcel.set_schedule_code(schedule_code);
    *parcel.mutable_date() = ToProto(date);
    parcel.set_shift(shift);
    parcel.set_section(std::move(section));
    *parcel.mutable_occurred_at() = ToProto(occurred_at);
    if (const auto part = parts_.find(allocation_id);
        part != parts_.end() && part->second.shipment.has_value()) {
      edges_.push_back(EdgeOf(
          v1::TRACE_EDGE_KIND_PARCELLED, ShipmentNode(*part->second.shipment),
          ParcelNode(parcel_id), grams, occurred_at, allocation_id));
    }
    node.divided_by = grams;
    graph_.Add(std::move(node));
    summary_.set_parcel_count(summary_.parcel_count() + 1);
  }
}

absl::Status Tracer::Begin() {
  const v1::TraceStart& start = request_.start();
  std::string node_id;
  switch (start.start_case()) {
    case v1::TraceStart::kBarcode: {
      const Barcode barcode = ParseBarcode(start.barcode());
      const auto kind = bag_kinds_.find(barcode.uuid);
      if (kind == bag_kinds_.end() || !barcode.Fits(kind->second))
        return NotFound(start);
      node_id = BagNode(barcode.uuid);
      break;
    }
    case v1::TraceStart::kItemId:
      if (const auto id = Uuid::Parse(start.item_id()); id.has_value()) {
        node_id = item_node_ids_[id->ToString()];
      }
      break;
    case v1::TraceStart::kBatchId:
      node_id = BatchNode(Uuid::Parse(start.batch_id()).value_or(Uuid{}));
      break;
    case v1::TraceStart::kShipment:
      node_id = ShipmentNode(db::ShipmentKey::Of(start.shipment()));
      break;
    case v1::TraceStart::kParcelId:
      node_id = ParcelNode(Uuid::Parse(start.parcel_id()).value_or(Uuid{}));
      break;
    default: {
      // Not a thing of the graph itself: it leads back to its bag, and on to
      // where it went.
      const auto part =
          parts_.find(Uuid::Parse(start.allocation_id()).value_or(Uuid{}));
      if (part == parts_.end()) return NotFound(start);
      node_id = !forward() ? BagNode(part->second.barcode)
                : part->second.shipment.has_value()
                    ? ShipmentNode(*part->second.shipment)
                    : BatchNode(*part->second.batch_id);
      if (!graph_.Has(node_id)) return NotFound(start);
      graph_.StartAt(node_id, part->second.grams);
      return absl::OkStatus();
    }
  }
  if (!graph_.Has(node_id)) return NotFound(start);
  graph_.StartAt(node_id);
  return absl::OkStatus();
}

std::vector<v1::TraceResponse> Tracer::Answer(absl::Time as_of) {
  constexpr int kPartsOfMessage = 500;
  for (v1::TraceEdge& edge : edges_) graph_.Connect(std::move(edge));
  graph_.Solve();
  std::vector<v1::TraceResponse> messages(1);
  const auto message = [&]() -> v1::TraceResponse& {
    if (messages.back().nodes_size() + messages.back().edges_size() ==
        kPartsOfMessage) {
      messages.emplace_back();
    }
    return messages.back();
  };
  for (const v1::TraceNode& node : graph_.nodes())
    *message().add_nodes() = node;
  for (const v1::TraceEdge& edge : graph_.edges())
    *message().add_edges() = edge;
  summary_.set_node_count(static_cast<int64_t>(graph_.nodes().size()));
  summary_.set_edge_count(static_cast<int64_t>(graph_.edges().size()));
  *summary_.mutable_as_of() = ToProto(as_of);
  *messages.back().mutable_summary() = summary_;
  return messages;
}

absl::Status AskTrace(const v1::TraceRequest& request, db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const Start start, StartOf(request.start()));
  const Statements& statements = StatementsOf(request.direction());
  for (const db::Statement& statement :
       {statements.items, statements.bags, statements.batches,
        statements.allocations, statements.shipments, statements.parcels}) {
    exchange.Add(statement, db::Params()
                                .Add(start.kind)
                                .Add(start.id)
                                .Add(start.shipment.request_code)
                                .Add(start.shipment.shipment_code));
  }
  exchange.Add(kNow);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::TraceResponse>> AnswerTrace(
    const v1::TraceRequest& request, const db::Results& results) {
  Tracer tracer(request);
  tracer.TakeItems(results[0]);
  tracer.TakeBags(results[1]);
  tracer.TakeBatches(results[2]);
  tracer.TakeAllocations(results[3]);
  tracer.TakeShipments(results[4]);
  tracer.TakeParcels(results[5]);
  RETURN_IF_ERROR(tracer.Begin());
  return tracer.Answer(results[6][0].Get<absl::Time>(0));
}

}  // namespace

void AddTrace(Commands&, Queries& queries) {
  queries.AddStream("mtp.processing.v1.TraceService/Trace", AskTrace,
                    AnswerTrace);
}

}  // namespace mtp::processing
