#include "processing_service/trace_graph.h"

#include <catch2/catch.hpp>

namespace mtp::processing {
namespace {

struct Goods {
  explicit Goods(v1::TraceDirection direction) : graph(direction) {}

  void Node(const std::string& id, int64_t total_grams, int64_t divided_by) {
    TraceGraph::Node node;
    node.proto.set_node_id(id);
    node.proto.set_total_grams(total_grams);
    node.divided_by = divided_by;
    graph.Add(std::move(node));
  }
  void Edge(v1::TraceEdgeKind kind, const std::string& from,
            const std::string& to, int64_t grams,
            const std::string& allocation = "") {
    v1::TraceEdge edge;
    edge.set_kind(kind);
    edge.set_from_node_id(from);
    edge.set_to_node_id(to);
    edge.set_grams(grams);
    edge.set_allocation_id(allocation);
    graph.Connect(std::move(edge));
  }
  // Two lots of one bag each, half of each blended into 10 kg (9 kg came out),
  // a blend bag shipped in two parts, a parcel of one of them.
  void Blend() {
    for (const char* lot : {"1", "2"}) {
      const std::string name(lot);
      Node("tealine:" + name, 10'000, 10'000);
      Node("bag:" + name, 10'000, 10'000);
      Edge(v1::TRACE_EDGE_KIND_RECEIVED, "tealine:" + name, "bag:" + name,
           10'000);
    }
    Node("batch:1", 9'000, 10'000);
    for (const char* lot : {"1", "2"}) {
      Edge(v1::TRACE_EDGE_KIND_BLENDED_IN, "bag:" + std::string(lot), "batch:1",
           5'000);
    }
    Node("bag:3", 9'000, 9'000);
    Edge(v1::TRACE_EDGE_KIND_BLENDED_OUT, "batch:1", "bag:3", 9'000);
    Node("shipment:17/1", 6'000, 6'000);
    Edge(v1::TRACE_EDGE_KIND_SHIPPED, "bag:3", "shipment:17/1", 6'000, "a");
    Node("parcel:1", 1'000, 1'000);
    Edge(v1::TRACE_EDGE_KIND_PARCELLED, "shipment:17/1", "parcel:1", 1'000,
         "a");
  }
  const v1::TraceNode& At(const std::string& id) const {
    for (const v1::TraceNode& node : graph.nodes()) {
      if (node.node_id() == id) return node;
    }
    FAIL("no node " << id);
    return graph.nodes().front();
  }

  TraceGraph graph;
};

TEST_CASE("forward, every thing holds its share of the start by proportion") {
  Goods goods(v1::TRACE_DIRECTION_FORWARD);
  goods.Blend();
  goods.graph.StartAt("tealine:1");
  goods.graph.Solve();
  CHECK(goods.At("tealine:1").contained_grams() == 10'000);
  CHECK(goods.At("bag:1").contained_grams() == 10'000);
  CHECK(goods.At("batch:1").contained_grams() == 5'000);
  CHECK(goods.At("bag:3").contained_grams() == 4'500);
  CHECK(goods.At("shipment:17/1").contained_grams() == 3'000);
  CHECK(goods.At("parcel:1").contained_grams() == 500);
  CHECK(goods.At("parcel:1").depth() == 5);
  CHECK(goods.At("bag:2").contained_grams() == 0);
}

TEST_CASE("backward, a parcel's weight is shared out over its lots") {
  Goods goods(v1::TRACE_DIRECTION_BACKWARD);
  goods.Blend();
  goods.graph.StartAt("parcel:1");
  goods.graph.Solve();
  CHECK(goods.At("shipment:17/1").contained_grams() == 1'000);
  CHECK(goods.At("bag:3").contained_grams() == 1'000);
  CHECK(goods.At("bag:1").contained_grams() == 500);
  CHECK(goods.At("tealine:2").contained_grams() == 500);
  CHECK(goods.At("tealine:2").depth() == 5);
  int64_t depth = 0;
  for (const v1::TraceNode& node : goods.graph.nodes()) {
    CHECK(node.depth() >= depth);
    depth = node.depth();
  }
}

TEST_CASE("an edge is told only between things of the trace") {
  Goods goods(v1::TRACE_DIRECTION_BACKWARD);
  goods.Node("bag:1", 1'000, 1'000);
  goods.Edge(v1::TRACE_EDGE_KIND_SHIPPED, "bag:1", "shipment:17/1", 1'000, "a");
  CHECK(goods.graph.edges().empty());
}

TEST_CASE("goods that went in a circle end the trace all the same") {
  Goods goods(v1::TRACE_DIRECTION_FORWARD);
  goods.Node("bag:1", 1'000, 1'000);
  goods.Node("batch:1", 1'000, 1'500);
  goods.Node("bag:2", 1'000, 1'000);
  goods.Edge(v1::TRACE_EDGE_KIND_BLENDED_IN, "bag:1", "batch:1", 1'000);
  goods.Edge(v1::TRACE_EDGE_KIND_BLENDED_OUT, "batch:1", "bag:2", 1'000);
  goods.Edge(v1::TRACE_EDGE_KIND_BLENDED_IN, "bag:2", "batch:1", 500);
  goods.graph.StartAt("bag:1");
  goods.graph.Solve();
  CHECK(goods.graph.nodes().size() == 3);
  CHECK(goods.At("bag:2").contained_grams() <= 1'000);
}

}  // namespace
}  // namespace mtp::processing
