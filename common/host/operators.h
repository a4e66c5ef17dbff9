#pragma once

#include <utility>
#include <vector>

#include "common/handlers/commands.h"
#include "common/handlers/hearing.h"
#include "common/handlers/queries.h"
#include "common/host/host.h"
#include "common/operations/breakers.h"
#include "common/operations/correlations.h"
#include "common/operations/dead_letters.h"
#include "common/operations/exceptions.h"
#include "common/operations/log_level.h"
#include "common/operations/operations.h"
#include "common/seals/seal_check.h"

namespace mtp::host {

// What operators can ask of a service, the same on both sides: the audit trail
// and its seals, exceptions, dead letters, how the sides stand, what one call
// came to, breakers, the log's level.
class Operators {
 public:
  // All given outlive it. `hearings`: how each kind of state that comes from
  // the peer is heard.
  template <typename Rows>
  Operators(Host& host, handlers::Commands<Rows>& commands,
            handlers::Queries& queries,
            std::vector<handlers::EncodedHearing<Rows>> hearings)
      : Operators(host, queries, host.Self()) {
    operations::AddExceptions(commands, queries);
    operations::AddDeadLetters(commands, queries, std::move(hearings));
  }

  // Lets nobody wait any longer, so that the process can end.
  void Drain();

 private:
  Operators(Host& host, handlers::Queries& queries,
            const operations::Self& self);

  operations::Operations operations_;
  operations::Correlations correlations_;
  operations::Breakers breakers_;
  operations::LogLevel log_level_;
  seals::SealCheck seal_check_;
};

}  // namespace mtp::host
