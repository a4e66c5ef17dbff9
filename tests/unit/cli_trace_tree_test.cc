#include <string>

#include "catch2/catch.hpp"
#include "cli/trace_tree.h"

namespace mtp::cli {
namespace {

using processing::v1::TraceNode;
using processing::v1::TraceResponse;

TraceNode& AddNode(TraceResponse& trace, const std::string& id,
                   const std::string& name, int64_t contained_grams) {
  TraceNode& node = *trace.add_nodes();
  node.set_node_id(id);
  node.set_name(name);
  node.set_contained_grams(contained_grams);
  return node;
}

void AddEdge(TraceResponse& trace, const std::string& from,
             const std::string& to, int64_t grams) {
  auto& edge = *trace.add_edges();
  edge.set_from_node_id(from);
  edge.set_to_node_id(to);
  edge.set_grams(grams);
}

// A shipment of one batch's bag, blended of two bags of one lot and one of
// another.
TraceResponse Example() {
  TraceResponse trace;
  AddNode(trace, "shipment:17/1", "17/1", 90'000).mutable_shipment();
  AddNode(trace, "bag:z", "blend bag", 90'000).mutable_bag()->set_barcode("z");
  AddNode(trace, "batch:b", "BS-1/1", 90'000).mutable_batch();
  for (const char* bag : {"a1", "a2", "u1"}) {
    AddNode(trace, std::string("bag:") + bag, bag, 30'000)
        .mutable_bag()
        ->set_barcode(bag);
  }
  auto& first = *AddNode(trace, "tealine:a", "A", 60'000).mutable_item();
  first.set_garden("Bogawantalawa");
  first.set_grade("BOPF");
  auto& second = *AddNode(trace, "tealine:u", "U", 30'000).mutable_item();
  second.set_garden("Uva");
  AddEdge(trace, "bag:z", "shipment:17/1", 90'000);
  AddEdge(trace, "batch:b", "bag:z", 90'000);
  AddEdge(trace, "bag:a1", "batch:b", 30'000);
  AddEdge(trace, "bag:a2", "batch:b", 30'000);
  AddEdge(trace, "bag:u1", "batch:b", 31'000);
  AddEdge(trace, "tealine:a", "bag:a1", 30'000);
  AddEdge(trace, "tealine:a", "bag:a2", 30'000);
  AddEdge(trace, "tealine:u", "bag:u1", 31'000);
  return trace;
}

TEST_CASE("a trace back is a tree that ends in the gardens") {
  const std::string tree =
      TraceTree(Example(), processing::v1::TRACE_DIRECTION_BACKWARD);
  INFO(tree);
  CHECK(tree.find("└─ 90 kg  bag  blend bag  (z)") != std::string::npos);
  CHECK(tree.find("├─ 60 kg  2 bags\n") != std::string::npos);
  CHECK(tree.find("60 kg  tealine  A  (Bogawantalawa, BOPF)\n") !=
        std::string::npos);
  CHECK(tree.find("└─ 30 kg  bag  u1\n") != std::string::npos);
}

TEST_CASE("gardens are summed, most first") {
  TraceResponse trace = Example();
  const std::string text = GardensText(trace);
  CHECK(text.find("Bogawantalawa") < text.find("Uva"));
  CHECK(GardensText({}).empty());
}

TEST_CASE("what a tree came to before is not told again") {
  TraceResponse trace;
  AddNode(trace, "tealine:a", "A", 60).mutable_item();
  AddNode(trace, "bag:1", "one", 30).mutable_bag();
  AddNode(trace, "bag:2", "two", 30).mutable_bag();
  AddNode(trace, "batch:b", "B", 60).mutable_batch();
  AddNode(trace, "batch:c", "C", 60).mutable_batch();
  AddNode(trace, "bag:3", "three", 60).mutable_bag();
  AddEdge(trace, "tealine:a", "bag:1", 30'000);
  AddEdge(trace, "tealine:a", "bag:2", 30'000);
  AddEdge(trace, "bag:1", "batch:b", 20'000);
  AddEdge(trace, "bag:1", "batch:c", 10'000);
  AddEdge(trace, "bag:2", "batch:b", 30'000);
  AddEdge(trace, "batch:b", "bag:3", 50'000);
  const std::string tree =
      TraceTree(trace, processing::v1::TRACE_DIRECTION_FORWARD);
  INFO(tree);
  CHECK(tree.find("(see above)") != std::string::npos);
  CHECK(tree.find("three") == tree.rfind("three"));
}

TEST_CASE("an empty trace is nothing") {
  CHECK(TraceTree({}, processing::v1::TRACE_DIRECTION_BACKWARD) == "nothing\n");
}

}  // namespace
}  // namespace mtp::cli
