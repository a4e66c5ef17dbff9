#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "mtp/processing/v1/trace.pb.h"

namespace mtp::processing {

// The goods of a trace as a graph: what there is, what went from one thing into
// another, and, worked out from these, how far each is from the start and how
// much of the start it holds or is held of it. Pure.
class TraceGraph {
 public:
  explicit TraceGraph(v1::TraceDirection direction) : direction_(direction) {}

  struct Node {
    v1::TraceNode proto;
    // By what its contents are divided when they are shared out: of a bag its
    // net weight, of a batch the greater of in and out, so that neither loss
    // nor moisture makes more of the start than there is.
    int64_t divided_by = 0;
  };
  void Add(Node node);
  bool Has(const std::string& node_id) const {
    return index_.contains(node_id);
  }
  // An edge between two things of which either may be missing; then it is not
  // a part of this trace.
  void Connect(v1::TraceEdge edge);
  // Where the trace begins: at all of a thing, or at so many grams of it.
  void StartAt(const std::string& node_id);
  void StartAt(const std::string& node_id, int64_t grams);

  // Works out depths and weights; call once, when all is there. The nodes come
  // nearest first.
  void Solve();
  const std::vector<v1::TraceNode>& nodes() const { return solved_; }
  const std::vector<v1::TraceEdge>& edges() const { return edges_; }

 private:
  struct State {
    Node node;
    int64_t depth = -1;
    double contained_grams = 0;
    bool start = false;
    bool whole_start = false;
    std::vector<size_t> next;  // edges that lead on, as the trace goes
    size_t open_before = 0;    // edges that lead here and are not followed yet
  };
  bool forward() const { return direction_ == v1::TRACE_DIRECTION_FORWARD; }
  size_t Source(const v1::TraceEdge& edge) const;
  size_t Goal(const v1::TraceEdge& edge) const;
  void FindDepths();
  std::vector<size_t> FlowOrder();
  void Flow(size_t from, const v1::TraceEdge& edge);

  v1::TraceDirection direction_;
  std::vector<State> states_;
  absl::flat_hash_map<std::string, size_t> index_;
  std::vector<v1::TraceEdge> edges_;
  // What share of an allocation to a shipment is of the start, by its id.
  absl::flat_hash_map<std::string, double> shipped_share_;
  std::vector<v1::TraceNode> solved_;
};

}  // namespace mtp::processing
