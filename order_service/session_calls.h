#pragma once

#include "order_service/identity.h"

// The calls of SessionService: what is read, checked and hashed before the
// rules of sessions.h decide under the lock, and the tokens that come of it.
namespace mtp::order {

void AddSessions(IdentityParts& parts);
// Where the company's provider signs in: everything but the (empty) key set
// answers EXTERNAL_IDENTITY.
void AddForeignSessions(Commands& commands);

}  // namespace mtp::order
