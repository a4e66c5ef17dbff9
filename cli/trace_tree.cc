#include "cli/trace_tree.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/fields.h"
#include "cli/table.h"
#include "cli/weights.h"

namespace mtp::cli {
namespace {

using processing::v1::TraceDirection;
using processing::v1::TraceNode;
using processing::v1::TraceResponse;

// One step of the tree: a node, or several bags alike, and how much of the
// start is in it, or of it in the start.
struct Step {
  std::vector<const TraceNode*> nodes;
  int64_t grams = 0;
};

// What the name does not say already.
std::string Beside(const std::string& name,
                   std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (part.empty() || name.find(part) != std::string::npos) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", part);
  }
  return text;
}

// What is said of a thing beside its name.
std::string Details(const TraceNode& node) {
  const std::string& name = node.name();
  switch (node.thing_case()) {
    case TraceNode::kItem:
      return Beside(name, {node.item().item_code(), node.item().garden(),
                           node.item().grade(), node.item().invoice(),
                           node.item().herb_name(), node.item().blend_code(),
                           node.item().transfer_id()});
    case TraceNode::kBag:
      return Beside(name, {node.bag().barcode()});
    case TraceNode::kBatch:
      return Beside(name,
                    {node.batch().code(), EnumText(node.batch().trader_state()),
                     absl::StrCat("blended of ",
                                  Kilograms(node.batch().blend_in_grams()))});
    case TraceNode::kShipment:
      return Beside(
          name, {node.shipment().order_code(), node.shipment().product_name(),
                 EnumText(node.shipment().status()),
                 node.shipment().shipment_vehicle()});
    case TraceNode::kParcel:
      return Beside(name,
                    {DateText(node.parcel().date()),
                     EnumText(node.parcel().shift()), node.parcel().section()});
    case TraceNode::THING_NOT_SET:
      break;
  }
  return "";
}

std::string KindOf(const TraceNode& node) {
  return node.node_id().substr(0, node.node_id().find(':'));
}

class Tree {
 public:
  Tree(const TraceResponse& trace, TraceDirection direction) {
    for (const TraceNode& node : trace.nodes()) {
      nodes_[node.node_id()] = &node;
    }
    for (const auto& edge : trace.edges()) {
      const bool backward =
          direction == processing::v1::TRACE_DIRECTION_BACKWARD;
      const std::string& from =
          backward ? edge.to_node_id() : edge.from_node_id();
      const std::string& to =
          backward ? edge.from_node_id() : edge.to_node_id();
      below_[from].insert(to);
    }
  }

  std::string Text(const TraceNode& start) {
    std::string out;
    Step step{.nodes = {&start}, .grams = start.contained_grams()};
    Put(step, "", "", out);
    return out;
  }

 private:
  std::vector<Step> StepsBelow(const Step& above) const {
    // Several bags stand for all that they came from or went into.
    std::set<std::string> targets;
    for (const TraceNode* node : above.nodes) {
      const auto found = below_.find(node->node_id());
      if (found == below_.end()) continue;
      targets.insert(found->second.begin(), found->second.end());
    }
    std::vector<Step> steps;
    std::map<std::string, size_t> groups;
    for (const std::string& target : targets) {
      const auto node = nodes_.find(target);
      if (node == nodes_.end()) continue;
      const std::string group = GroupOf(*node->second);
      const auto [at, is_new] = groups.emplace(group, steps.size());
      if (is_new) steps.emplace_back();
      steps[at->second].nodes.push_back(node->second);
      steps[at->second].grams += node->second->contained_grams();
    }
    std::stable_sort(
        steps.begin(), steps.end(),
        [](const Step& a, const Step& b) { return a.grams > b.grams; });
    return steps;
  }

  // Bags with the same one thing below belong together; nothing else does.
  std::string GroupOf(const TraceNode& node) const {
    const auto below = below_.find(node.node_id());
    if (!node.has_bag() || below == below_.end() || below->second.size() != 1) {
      return node.node_id();
    }
    return "bags of " + *below->second.begin();
  }

  std::string Line(const Step& step) const {
    const TraceNode& first = *step.nodes.front();
    std::string text = Kilograms(step.grams);
    if (step.nodes.size() > 1) {
      return absl::StrCat(text, "  ", step.nodes.size(), " bags");
    }
    absl::StrAppend(&text, "  ", KindOf(first), "  ", first.name());
    const std::string details = Details(first);
    if (!details.empty()) absl::StrAppend(&text, "  (", details, ")");
    return text;
  }

  void Put(const Step& step, const std::string& branch,
           const std::string& indent, std::string& out) {
    absl::StrAppend(&out, branch, Printable(Line(step)));
    const std::vector<Step> below = StepsBelow(step);
    bool told = false;
    for (const TraceNode* node : step.nodes) {
      told |= !told_.insert(node->node_id()).second;
    }
    if (told && !below.empty()) {
      out += "  (see above)\n";
      return;
    }
    out += "\n";
    for (size_t i = 0; i < below.size(); ++i) {
      const bool last = i + 1 == below.size();
      Put(below[i], indent + (last ? "└─ " : "├─ "),
          indent + (last ? "   " : "│  "), out);
    }
  }

  std::map<std::string, const TraceNode*> nodes_;
  // From a node to those one step farther from the start.
  std::map<std::string, std::set<std::string>> below_;
  std::set<std::string> told_;
};

}  // namespace

std::string TraceTree(const TraceResponse& trace, TraceDirection direction) {
  // Nodes come nearest first: the start is the first.
  if (trace.nodes().empty()) return "nothing\n";
  return Tree(trace, direction).Text(trace.nodes(0));
}

std::string GardensText(const TraceResponse& trace) {
  std::map<std::pair<std::string, std::string>, int64_t> gardens;
  for (const TraceNode& node : trace.nodes()) {
    if (node.has_item() && !node.item().garden().empty()) {
      gardens[{node.item().garden(), node.item().grade()}] +=
          node.contained_grams();
    }
  }
  std::vector<std::pair<int64_t, std::pair<std::string, std::string>>> sorted;
  for (const auto& [garden, grams] : gardens) sorted.push_back({grams, garden});
  std::sort(sorted.rbegin(), sorted.rend());
  Table table({"GARDEN", "GRADE", "WEIGHT"});
  for (const auto& [grams, garden] : sorted) {
    table.Row({garden.first, garden.second, Cell::Grams(grams)});
  }
  return table.IsEmpty() ? "" : table.Text();
}

}  // namespace mtp::cli
