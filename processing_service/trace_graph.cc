#include "processing_service/trace_graph.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace mtp::processing {

void TraceGraph::Add(Node node) {
  const auto [at, is_new] =
      index_.emplace(node.proto.node_id(), states_.size());
  if (is_new) states_.push_back({.node = std::move(node)});
}

void TraceGraph::Connect(v1::TraceEdge edge) {
  if (Has(edge.from_node_id()) && Has(edge.to_node_id()))
    edges_.push_back(std::move(edge));
}

void TraceGraph::StartAt(const std::string& node_id) {
  State& state = states_[index_.at(node_id)];
  StartAt(node_id, state.node.proto.total_grams());
  state.whole_start = true;
}

void TraceGraph::StartAt(const std::string& node_id, int64_t grams) {
  State& state = states_[index_.at(node_id)];
  state.start = true;
  state.depth = 0;
  state.contained_grams = static_cast<double>(grams);
}

size_t TraceGraph::Source(const v1::TraceEdge& edge) const {
  return index_.at(forward() ? edge.from_node_id() : edge.to_node_id());
}
size_t TraceGraph::Goal(const v1::TraceEdge& edge) const {
  return index_.at(forward() ? edge.to_node_id() : edge.from_node_id());
}

void TraceGraph::FindDepths() {
  std::deque<size_t> waiting;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].start) waiting.push_back(i);
  }
  while (!waiting.empty()) {
    const size_t at = waiting.front();
    waiting.pop_front();
    for (const size_t edge : states_[at].next) {
      State& goal = states_[Goal(edges_[edge])];
      if (goal.depth >= 0) continue;
      goal.depth = states_[at].depth + 1;
      waiting.push_back(Goal(edges_[edge]));
    }
  }
}

// Each node after all that lead to it. What lies on a circle (a rule of the
// matrix may allow one) is taken by depth.
std::vector<size_t> TraceGraph::FlowOrder() {
  std::vector<size_t> order;
  std::vector<bool> ordered(states_.size(), false);
  std::vector<size_t> by_depth(states_.size());
  for (size_t i = 0; i < states_.size(); ++i) by_depth[i] = i;
  std::sort(by_depth.begin(), by_depth.end(), [this](size_t a, size_t b) {
    return std::tie(states_[a].depth, a) < std::tie(states_[b].depth, b);
  });
  std::deque<size_t> ready;
  const auto take = [&](size_t i) {
    ordered[i] = true;
    ready.push_back(i);
  };
  for (const size_t i : by_depth) {
    if (states_[i].open_before == 0) take(i);
  }
  size_t next_by_depth = 0;
  while (order.size() < states_.size()) {
    if (ready.empty()) {
      while (ordered[by_depth[next_by_depth]]) ++next_by_depth;
      take(by_depth[next_by_depth]);
    }
    const size_t at = ready.front();
    ready.pop_front();
    order.push_back(at);
    for (const size_t edge : states_[at].next) {
      const size_t goal = Goal(edges_[edge]);
      if (--states_[goal].open_before == 0 && !ordered[goal]) take(goal);
    }
  }
  return order;
}

// How much of the start goes on along an edge. Every bag and batch counts as
// evenly mixed.
void TraceGraph::Flow(size_t from, const v1::TraceEdge& edge) {
  const State& source = states_[from];
  const auto edge_grams = static_cast<double>(edge.grams());
  const auto divided_by = static_cast<double>(source.node.divided_by);
  // Of a gram that leaves the source, how much is (of) the start.
  double share = 0;
  if (source.whole_start) {
    share = 1;
  } else if (divided_by > 0) {
    share = std::min(1.0, source.contained_grams / divided_by);
  }
  double grams = 0;
  if (forward()) {
    switch (edge.kind()) {
      case v1::TRACE_EDGE_KIND_PARCELLED: {
        const auto shipped = shipped_share_.find(edge.allocation_id());
        grams = (shipped == shipped_share_.end() ? 1 : shipped->second) *
                edge_grams;
        break;
      }
      case v1::TRACE_EDGE_KIND_SHIPPED:
        shipped_share_[edge.allocation_id()] = share;
        [[fallthrough]];
      default:
        grams = share * edge_grams;
    }
  } else {
    switch (edge.kind()) {
      case v1::TRACE_EDGE_KIND_BLENDED_IN:
        // All that went into a batch is in it, whatever came out by now.
        grams = share * edge_grams;
        break;
      case v1::TRACE_EDGE_KIND_SHIPPED:
        // A shipment that a parcel led to is followed for that parcel alone.
        grams = source.whole_start ? edge_grams : source.contained_grams;
        break;
      default:
        grams = source.contained_grams;
    }
  }
  states_[Goal(edge)].contained_grams += grams;
}

void TraceGraph::Solve() {
  for (size_t i = 0; i < edges_.size(); ++i) {
    states_[Source(edges_[i])].next.push_back(i);
    ++states_[Goal(edges_[i])].open_before;
  }
  FindDepths();
  for (const size_t at : FlowOrder()) {
    for (const size_t edge : states_[at].next) Flow(at, edges_[edge]);
  }
  for (State& state : states_) {
    v1::TraceNode& proto = state.node.proto;
    proto.set_depth(std::max<int64_t>(0, state.depth));
    proto.set_contained_grams(std::llround(state.contained_grams));
    solved_.push_back(std::move(proto));
  }
  std::stable_sort(solved_.begin(), solved_.end(),
                   [](const v1::TraceNode& a, const v1::TraceNode& b) {
                     return a.depth() < b.depth();
                   });
}

}  // namespace mtp::processing
