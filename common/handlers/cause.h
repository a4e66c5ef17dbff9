#pragma once

#include <string>

#include "common/handlers/context.h"
#include "mtp/sync/v1/states.pb.h"

namespace mtp::handlers {

// While a state of the peer is applied: what that does is kept under the
// correlation id of the call that caused it on the other side, so that both
// sides' trails can be read together.
class Cause {
 public:
  Cause(const mtp::sync::v1::Stamp& stamp, Context& context)
      : context_(context),
        entries_(context.audit_entries().size()),
        marks_(context.marks().size()),
        correlation_id_(stamp.correlation_ids().empty()
                            ? context.correlation_id()
                            : *stamp.correlation_ids().rbegin()) {}
  ~Cause() {
    for (size_t i = entries_; i < context_.audit_entries().size(); ++i) {
      context_.audit_entries()[i].correlation_id = correlation_id_;
    }
    for (size_t i = marks_; i < context_.marks().size(); ++i) {
      context_.marks()[i].correlation_id = correlation_id_;
    }
  }
  Cause(const Cause&) = delete;
  Cause& operator=(const Cause&) = delete;

  const std::string& correlation_id() const { return correlation_id_; }

 private:
  Context& context_;
  const size_t entries_;
  const size_t marks_;
  const std::string correlation_id_;
};

}  // namespace mtp::handlers
