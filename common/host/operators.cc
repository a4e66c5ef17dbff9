#include "common/host/operators.h"

#include "common/operations/audit_trail.h"

namespace mtp::host {

Operators::Operators(Host& host, handlers::Queries& queries,
                     const operations::Self& self)
    : operations_(self, host.queries(), queries, host.router(), host.peer()),
      correlations_(self.side, self.told, host.queries(), host.router()),
      breakers_(self.side, self.instance, host.commands(), host.router(),
                host.peer()),
      log_level_(self.instance, host.commands(), host.router(), host.log()),
      seal_check_(host.SealCheckOptions(), host.router()) {
  operations::AddAuditTrail(queries);
}

void Operators::Drain() {
  operations_.Drain();
  seal_check_.Stop();
}

}  // namespace mtp::host
