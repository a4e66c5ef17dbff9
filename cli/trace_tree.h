#pragma once

#include <string>

#include "mtp/processing/v1/trace.pb.h"

namespace mtp::cli {

// A trace as a tree, from its start to where everything came from (or went),
// each with how much of it is in the start (or of the start in it). Bags of one
// source that lie beside each other are told as one line; what was told before
// is not told again. The messages of the stream are merged into one. Ends with
// a line feed.
std::string TraceTree(const processing::v1::TraceResponse& trace,
                      processing::v1::TraceDirection direction);

// The gardens of the tea in a trace, with how much is of each, most first;
// empty when there is none.
std::string GardensText(const processing::v1::TraceResponse& trace);

}  // namespace mtp::cli
